//! The reference page of the format.

use std::{fs, path::Path};

use bowline_connector::vocabulary::reference_page;

/// With `BOWLINE_BLESS=1` in the environment the page is written anew.
#[test]
fn the_page_is_what_the_table_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    let path = folder.join("connector-format.md");
    let page = reference_page();
    if std::env::var_os("BOWLINE_BLESS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/reference/connector-format.md is old: run with BOWLINE_BLESS=1"
    );
}
