//! The page's own tests, which run in Node.

use std::{fs, path::Path, process::Command};

#[test]
fn the_scripts_of_the_page_pass_their_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.to_str()
                .is_some_and(|path| path.ends_with(".test.mjs"))
        })
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let output = Command::new("node").arg("--test").args(&files).output();
    let output = output.expect("node starts: run `cargo xtask tools`");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}");
    assert!(report.contains("# fail 0"), "{report}");
    assert!(!report.contains("# pass 0"), "{report}");
}
