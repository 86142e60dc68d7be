//! Keeping conversations.

use std::path::{Path, PathBuf};

use crate::{
    conversation::element::{ElementHeading, Taker},
    elements::Loaded,
    exit::Failure,
};

/// Gives the file of an element: the one that was named, or one beside it for each of several.
pub(super) fn path(named: &Path, element: &str, count: usize) -> PathBuf {
    if count == 1 {
        return named.to_owned();
    }
    let ending = named.extension().map(|ending| ending.to_string_lossy());
    let ending = ending.map_or_else(
        || element.to_owned(),
        |ending| format!("{element}.{ending}"),
    );
    named.with_extension(ending)
}

/// Begins the conversation of an element.
pub(super) fn begin(path: &Path, element: &Loaded) -> Result<Taker, Failure> {
    let heading = ElementHeading {
        name: element.settings.name.clone(),
        connector: element.connector.display().to_string(),
        settings: element.text.clone(),
        saved: Vec::new(),
        seed: 0,
        started: Some(jiff::Timestamp::now().to_string()),
    };
    Taker::create(path, heading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_elements_have_a_file_each() {
        let named = Path::new("a/talk.jsonl");
        assert_eq!(path(named, "tank", 1), named);
        assert_eq!(path(named, "tank", 2), Path::new("a/talk.tank.jsonl"));
        assert_eq!(path(Path::new("talk"), "tank", 2), Path::new("talk.tank"));
    }
}
