//! `Tree`: the text files of the checkout, read once.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};

/// Text files by their path from the root, with `/` between the parts.
#[derive(Debug, Default)]
pub(super) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads every text file below `root`, except build output and what version control keeps.
    ///
    /// # Errors
    /// When a folder or file cannot be read.
    pub(super) fn read(root: &Path) -> Outcome<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    /// All files with their text.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether this is a file, or a folder with a file in it.
    pub(super) fn holds(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.files.contains_key(path) || self.files.keys().any(|file| file.starts_with(&folder))
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Outcome<()> {
        let problem = |error| Failure::new(format!("{}: {error}", folder.display()));
        for entry in fs::read_dir(folder).map_err(problem)? {
            let entry = entry.map_err(problem)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type().map_err(problem)?;
            if kind.is_dir() {
                if !is_skipped(&entry.path(), &name) {
                    self.read_folder(&entry.path(), &format!("{path}/"))?;
                }
            } else if kind.is_file() && name != ".git" {
                let bytes = fs::read(entry.path()).map_err(problem)?;
                // Fuzz corpora and certificates are binary: present, but without text to check.
                let text = String::from_utf8(bytes).unwrap_or_default();
                self.files.insert(path, text);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
impl Tree {
    /// A tree of these files, for tests of the rules.
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|&(path, text)| (path.to_owned(), text.to_owned()))
            .collect();
        Self { files }
    }
}

/// Whether a path has this file name extension; paths of the repository are lower case.
pub(super) fn is_ending(path: &str, extension: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, end)| end == extension)
}

/// Build output (cargo marks it with a tag file), installed packages, version control.
fn is_skipped(folder: &Path, name: &str) -> bool {
    SKIPPED.contains(&name) || folder.join("CACHEDIR.TAG").is_file()
}

const SKIPPED: [&str; 5] = [".git", "target", "node_modules", "__pycache__", "artifacts"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_output_and_version_control_are_not_read() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for path in ["src", ".git", "node_modules", "built"] {
            fs::create_dir(folder.path().join(path)).expect("the folder is new");
            fs::write(folder.path().join(path).join("file.rs"), "text").expect("it is writable");
        }
        fs::write(folder.path().join("built/CACHEDIR.TAG"), "").expect("it is writable");
        let tree = Tree::read(folder.path()).expect("all of it is readable");
        assert_eq!(tree.files().collect::<Vec<_>>(), [("src/file.rs", "text")]);
    }

    #[test]
    fn a_folder_is_held_when_it_has_a_file() {
        let tree = Tree::of(&[("docs/adr/README.md", "")]);
        assert!(tree.holds("docs/adr") && tree.holds("docs/adr/") && !tree.holds("docs/ad"));
    }
}
