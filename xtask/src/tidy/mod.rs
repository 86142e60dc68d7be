//! `cargo xtask tidy`: the project's own rules, the ones that compiler, clippy and rustfmt do not know.

mod documents;
mod features;
mod links;
mod manifests;
mod sources;
mod tree;

use crate::failure::{Failure, Outcome};
use crate::report;
use crate::workspace::Workspace;
use tree::Tree;

/// Checks every rule and reports all violations, not only the first.
///
/// # Errors
/// When a rule is violated, or a file cannot be read.
pub(crate) fn run(workspace: &Workspace) -> Outcome<()> {
    let tree = Tree::read(workspace.root())?;
    let metadata = workspace.metadata()?;
    let mut violations = Violations::default();
    sources::check(&tree, &mut violations);
    manifests::check(&tree, &metadata, &mut violations);
    documents::check(&tree, &mut violations);
    links::check(&tree, &mut violations);
    let counts = features::check(&tree, &mut violations);
    violations.into_outcome()?;
    report::line(&format!(
        "tidy: {} files in order; features: {} done, {} partly, {} not yet",
        tree.len(),
        counts.done,
        counts.partly,
        counts.not_yet
    ));
    Ok(())
}

/// What is wrong, as `place: sentence`.
#[derive(Debug, Default)]
struct Violations {
    lines: Vec<String>,
}

impl Violations {
    fn add(&mut self, place: &str, sentence: impl AsRef<str>) {
        self.lines.push(format!("{place}: {}", sentence.as_ref()));
    }

    fn into_outcome(self) -> Outcome<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let count = self.lines.len();
        let list = self.lines.join("\n  ");
        Err(Failure::new(format!(
            "tidy found {count} violation(s):\n  {list}"
        )))
    }

    #[cfg(test)]
    fn text(&self) -> String {
        self.lines.join("\n")
    }
}
