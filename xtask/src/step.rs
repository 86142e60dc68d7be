//! `Step`: one announced and timed command.

use std::ffi::OsString;
use std::time::Instant;

use crate::failure::{Failure, Outcome};
use crate::report;
use crate::workspace::Workspace;

/// One cargo command of a task.
#[derive(Debug)]
pub(crate) struct Step {
    name: String,
    words: Vec<String>,
    variables: Vec<(&'static str, OsString)>,
}

impl Step {
    /// A step that runs cargo with these words.
    pub(crate) fn cargo(name: &str, words: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            words: words.iter().map(|&word| word.to_owned()).collect(),
            variables: Vec::new(),
        }
    }

    /// Sets environment variables for this step alone.
    pub(crate) fn with(mut self, variables: &[(&'static str, OsString)]) -> Self {
        self.variables.extend_from_slice(variables);
        self
    }

    /// Runs the command with the terminal's own input and output.
    ///
    /// # Errors
    /// When the command cannot start or does not succeed.
    pub(crate) fn run(&self, workspace: &Workspace) -> Outcome<()> {
        let command_line = format!("cargo {}", self.words.join(" "));
        timed(&self.name, &command_line, || {
            let status = workspace
                .cargo()
                .args(&self.words)
                .envs(self.variables.iter().map(|(name, value)| (name, value)))
                .status()
                .map_err(|error| Failure::new(format!("{command_line}: {error}")))?;
            if status.success() {
                Ok(())
            } else {
                Err(Failure::new(format!("`{command_line}` failed: {status}")))
            }
        })
    }
}

/// Announces a piece of work in one line, does it, and says how long it took.
///
/// # Errors
/// What the work gives.
pub(crate) fn timed<T>(
    name: &str,
    announcement: &str,
    work: impl FnOnce() -> Outcome<T>,
) -> Outcome<T> {
    report::line(&format!("==> {name}: {announcement}"));
    let start = Instant::now();
    let outcome = work();
    let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
    let seconds = start.elapsed().as_secs_f64();
    report::line(&format!("<== {name}: {verdict} after {seconds:.1} s"));
    outcome
}
