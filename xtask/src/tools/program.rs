//! `Program`: a program of the machine, run for its answer or for its effect.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, Outcome};

/// A program that is named by path or found on the search path.
#[derive(Debug)]
pub(super) struct Program {
    name: OsString,
    folder: Option<PathBuf>,
    variables: Vec<(&'static str, OsString)>,
}

impl Program {
    pub(super) fn new(name: impl AsRef<OsStr>) -> Self {
        Self {
            name: name.as_ref().to_owned(),
            folder: None,
            variables: Vec::new(),
        }
    }

    pub(super) fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Whether the program exists and is content with these words.
    pub(super) fn succeeds(&self, words: &[&str]) -> bool {
        self.output(words).is_some()
    }

    /// What the program writes, or nothing when it is missing or fails.
    pub(super) fn output(&self, words: &[&str]) -> Option<String> {
        let output = self.command(words).stdin(Stdio::null()).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs the program and shows what it writes only when it fails.
    ///
    /// # Errors
    /// When the program is missing or fails; the error carries what it wrote.
    pub(super) fn expect_success(&self, words: &[&str]) -> Outcome<()> {
        let line = format!("{} {}", self.name.to_string_lossy(), words.join(" "));
        let output = self
            .command(words)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| Failure::new(format!("`{line}` cannot start: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "`{line}` failed: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.name);
        command.args(words);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named_in_the_error() {
        let failure = Program::new("bowline-no-such-program")
            .expect_success(&["--version"])
            .expect_err("it does not exist");
        assert!(failure.to_string().contains("bowline-no-such-program"));
    }

    #[test]
    fn a_failing_program_does_not_succeed() {
        assert!(!Program::new("cargo").succeeds(&["no-such-subcommand"]));
    }
}
