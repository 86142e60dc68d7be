//! `bowline check`: what is said of connector files.

use std::fs;

use crate::support::{complaint, run, run_with_input};

const RIGHT: &str = r#"<Protocol>
  <Name>Lamp</Name>
  <Connections>
    <Connection id="0" name="Lamp">
      <Http><CommunicationOptions><WebSocket>true</WebSocket></CommunicationOptions></Http>
    </Connection>
  </Connections>
</Protocol>
"#;

const WRONG: &str = "<Param id=\"1\">\n  <Name>Level</Name>\n  <Type>reed</Type>\n</Param>\n";

/// A warning: parameter 2 is not in the file.
const DOUBTFUL: &str = "<Command id=\"1\"><Content><Param>2</Param></Content></Command>\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn of(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }
}

#[test]
fn a_right_file_ends_with_0_and_a_wrong_one_with_12_and_the_place() {
    let folder = Folder::of(&[("right.xml", RIGHT), ("wrong.xml", WRONG)]);
    let output = run(&["check", &folder.path("right.xml")]);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty());
    assert_eq!(
        complaint(&output),
        "1 file checked: 0 errors, 0 warnings, 0 notes\n"
    );

    let wrong = folder.path("wrong.xml");
    let output = run(&["check", &wrong]);
    assert_eq!(output.status.code(), Some(12));
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(
        said.starts_with("error[BC0023: unknown-word]: `Type` cannot be `reed`\n"),
        "{said}"
    );
    assert!(said.contains(&format!("--> {wrong}:3:9\n")), "{said}");
    assert!(said.contains("3 |   <Type>reed</Type>\n"), "{said}");
    assert!(said.contains("did you mean `read`?"), "{said}");
    assert_eq!(
        complaint(&output),
        "bowline: 1 file checked: 1 error, 0 warnings, 0 notes\n"
    );
}

#[test]
fn warnings_end_with_0_unless_they_are_denied() {
    let folder = Folder::of(&[("doubtful.xml", DOUBTFUL)]);
    let path = folder.path("doubtful.xml");
    let output = run(&["check", &path]);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.starts_with(b"warning[BC0031"));
    let output = run(&["check", "--deny", "warnings", &path]);
    assert_eq!(output.status.code(), Some(12));
}

#[test]
fn json_has_one_object_a_line_for_each_file_of_a_folder() {
    let folder = Folder::of(&[
        ("b.xml", WRONG),
        ("a.xml", DOUBTFUL),
        ("c.XML", RIGHT),
        ("d.txt", "not a connector"),
    ]);
    let output = run(&[
        "check",
        "--format",
        "json",
        folder.0.path().to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(12));
    let text = String::from_utf8(output.stdout).unwrap();
    let files: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let counts: Vec<_> = files
        .iter()
        .map(|file| {
            (
                file["errors"].as_u64().unwrap(),
                file["warnings"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(counts, [(0, 1), (1, 0), (0, 0)]);
    let first = &files[1]["diagnostics"][0];
    assert_eq!(
        (first["line"].as_u64(), first["column"].as_u64()),
        (Some(3), Some(9))
    );
    assert_eq!(first["code"], "BC0023");
}

#[test]
fn standard_input_is_a_file_too() {
    let output = run_with_input(&["check", "-"], WRONG.as_bytes());
    assert_eq!(output.status.code(), Some(12));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("--> standard input:3:9\n"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = run(&["check", "/nowhere/a.xml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("/nowhere/a.xml: cannot be read"));
}

#[test]
fn element_files_are_checked_beside_their_connector() {
    let element = "connector = \"right.xml\"\n[links.0]\nprot = 3\n";
    let misfit = "connector = \"right.xml\"\n[links.4]\nport = 3\n";
    let folder = Folder::of(&[
        ("right.xml", RIGHT),
        ("typo.toml", element),
        ("misfit.toml", misfit),
        ("fit.toml", "connector = \"right.xml\"\n"),
        ("huge.toml", &"#".repeat(1_048_577)),
    ]);
    assert_eq!(
        run(&["check", &folder.path("fit.toml")]).status.code(),
        Some(0)
    );
    let typo = folder.path("typo.toml");
    let output = run(&["check", &typo]);
    assert_eq!(output.status.code(), Some(12));
    let said = String::from_utf8(output.stdout).unwrap();
    let expected = format!(
        "error: links.0.prot is not a setting\n --> {typo}:3:1\n  |\n3 | prot = 3\n  | ^^^^\n  = help: did you mean port?\n\n"
    );
    assert_eq!(said, expected);
    let output = run(&["check", "--format", "json", &folder.path("misfit.toml")]);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(12));
    let list = said["diagnostics"].as_array().unwrap();
    let misfit = list.iter().find(|one| one["severity"] == "error").unwrap();
    assert_eq!(misfit["message"], "there is no connection 4");
    let output = run(&["check", &folder.path("huge.toml")]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.starts_with("error: the file has more than 1048576 bytes\n"),
        "{said:.200}"
    );
    assert!(said.len() < 1000, "{}", said.len());
}
