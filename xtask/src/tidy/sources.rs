//! Rules about source files: length, unfinished marks, machine paths, one test binary per crate.

use super::Violations;
use super::tree::{Tree, is_ending};

pub(super) fn check(tree: &Tree, violations: &mut Violations) {
    for (path, text) in tree.files() {
        check_length(path, text, violations);
        check_marks(path, text, violations);
        check_test_place(path, violations);
    }
}

fn check_length(path: &str, text: &str, violations: &mut Violations) {
    let length = text.lines().count();
    if is_production(path) && length > FILE_LINES_MAX {
        violations.add(
            path,
            format!("{length} lines, at most {FILE_LINES_MAX}: split it by noun"),
        );
    }
}

fn check_marks(path: &str, text: &str, violations: &mut Violations) {
    let is_code = !is_ending(path, "md") && !path.ends_with("Cargo.lock");
    for (index, line) in text.lines().enumerate() {
        let place = || format!("{path}:{}", index + 1);
        for mark in UNFINISHED.iter().filter(|mark| line.contains(**mark)) {
            if is_code {
                violations.add(&place(), format!("unfinished: `{mark}`"));
            }
        }
        for mark in MACHINE_PATHS.iter().filter(|mark| line.contains(**mark)) {
            violations.add(&place(), format!("names a path of one machine: `{mark}`"));
        }
    }
}

/// Each further file directly in `tests/` would be one more program to link.
fn check_test_place(path: &str, violations: &mut Violations) {
    let parts: Vec<&str> = path.split('/').collect();
    if let ["crates", _, "tests", file] = parts[..]
        && is_ending(file, "rs")
    {
        violations.add(path, "integration tests are modules of `tests/it/main.rs`");
    }
}

fn is_production(path: &str) -> bool {
    let in_sources =
        path.starts_with("xtask/src/") || path.starts_with("crates/") && path.contains("/src/");
    in_sources && is_ending(path, "rs")
}

const FILE_LINES_MAX: usize = 500;

/// Written in two halves so that this file does not violate its own rule.
const UNFINISHED: [&str; 4] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

const MACHINE_PATHS: [&str; 4] = [
    concat!("/wor", "k/"),
    concat!("/roo", "t/"),
    concat!("/Use", "rs/"),
    concat!("C:\\Use", "rs"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> String {
        let mut violations = Violations::default();
        check(&Tree::of(&[(path, text)]), &mut violations);
        violations.text()
    }

    #[test]
    fn a_long_production_file_is_refused() {
        let long = "// line\n".repeat(FILE_LINES_MAX + 1);
        assert!(found("crates/a/src/b.rs", &long).contains("split it by noun"));
        assert_eq!(found("crates/a/tests/it/b.rs", &long), "");
        let allowed = "// line\n".repeat(FILE_LINES_MAX);
        assert_eq!(found("crates/a/src/b.rs", &allowed), "");
    }

    #[test]
    fn unfinished_marks_are_refused_in_code_with_their_line() {
        for mark in UNFINISHED {
            let text = format!("fn a() {{}}\n// {mark}");
            assert!(found("crates/a/src/b.rs", &text).starts_with("crates/a/src/b.rs:2: "));
            assert_eq!(found("CONTRIBUTING.md", &text), "");
        }
    }

    #[test]
    fn machine_paths_are_refused_everywhere() {
        for path in MACHINE_PATHS {
            assert!(found("README.md", path).contains("one machine"));
        }
    }

    #[test]
    fn a_second_test_binary_is_refused() {
        assert!(found("crates/a/tests/more.rs", "").contains("tests/it/main.rs"));
        assert_eq!(found("crates/a/tests/it/more.rs", ""), "");
    }
}
