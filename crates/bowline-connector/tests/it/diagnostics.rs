//! What is said about files that are wrong, word for word.
//!
//! Each `tests/diagnostics/NAME.xml` has a `NAME.txt` that says what the reader says of it. With
//! `BOWLINE_BLESS=1` in the environment the texts are written anew; then read what changed.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use bowline_connector::{
    diagnostic::{Code, Severity},
    read,
};

#[test]
fn every_file_gets_exactly_the_diagnostics_that_are_written_down() {
    let mut wrong = Vec::new();
    for path in cases() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let reading = read(name, &fs::read(&path).unwrap());
        let has_errors = reading.diagnostics.count(Severity::Error) > 0;
        assert_eq!(reading.plan.is_none(), has_errors, "{name}");
        let said = reading.diagnostics.to_string();
        let expected = path.with_extension("txt");
        if std::env::var_os("BOWLINE_BLESS").is_some() {
            fs::write(&expected, &said).unwrap();
        } else if fs::read_to_string(&expected).ok().as_ref() != Some(&said) {
            wrong.push(format!("{name} now gets:\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_is_shown_by_a_file() {
    let mut shown = BTreeSet::new();
    for path in cases() {
        let reading = read("a.xml", &fs::read(&path).unwrap());
        shown.extend(reading.diagnostics.iter().map(|one| one.code));
    }
    let missing: Vec<_> = Code::ALL
        .iter()
        .filter(|code| !shown.contains(code))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_json_form_says_the_same() {
    for path in cases() {
        let reading = read("a.xml", &fs::read(&path).unwrap());
        let json = reading.diagnostics.to_json();
        let list = json["diagnostics"].as_array().unwrap();
        assert_eq!(list.len(), reading.diagnostics.iter().count());
        for (object, one) in list.iter().zip(&reading.diagnostics) {
            let position = reading.diagnostics.source().position(one.span.start);
            assert_eq!(object["line"], position.line);
            assert_eq!(object["column"], position.column);
            assert_eq!(object["severity"], one.severity.word());
            assert_eq!(object["code"], one.code.to_string());
            assert_eq!(object["message"], one.message.as_str());
        }
    }
}

/// The files, by name.
fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|end| end == "xml"))
        .collect();
    cases.sort();
    assert!(cases.len() >= 60, "{} files", cases.len());
    cases
}
