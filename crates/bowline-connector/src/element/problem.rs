//! What is wrong with an element file, and where.

use std::{fmt, ops::Range};

/// One thing to be said about a place in an element file.
///
/// Shown, it has the place and the line:
///
/// ```text
/// error: there is no connection 3
///  --> tank.toml:12:8
///    | [links.3]
///    = help: the connector has connection 0 and connection 1
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether the element cannot run; else it is a warning.
    pub is_error: bool,
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The text of the line.
    pub text: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// The problems of one file that keep an element from running, and the warnings with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Says whether any is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.is_error)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.is_error { "error" } else { "warning" };
        let Self {
            file,
            line,
            column,
            text,
            message,
            help,
            ..
        } = self;
        write!(
            f,
            "{word}: {message}\n --> {file}:{line}:{column}\n    | {text}"
        )?;
        if !help.is_empty() {
            write!(f, "\n    = help: {help}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.0.iter().enumerate() {
            let gap = if place > 0 { "\n" } else { "" };
            write!(f, "{gap}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The text of an element file, to find places in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) text: String,
}

impl Source {
    pub(super) fn error(&self, at: Range<usize>, message: String, help: &str) -> Problem {
        self.problem(at, message, help, true)
    }

    pub(super) fn warning(&self, at: Range<usize>, message: String, help: &str) -> Problem {
        self.problem(at, message, help, false)
    }

    fn problem(&self, at: Range<usize>, message: String, help: &str, is_error: bool) -> Problem {
        let before = self.text.get(..at.start).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let line_text = self.text.get(line_start..).unwrap_or_default();
        Problem {
            is_error,
            file: self.name.clone(),
            line: before.matches('\n').count() + 1,
            column: before.chars().count()
                - before
                    .get(..line_start)
                    .map_or(0, |lines| lines.chars().count())
                + 1,
            text: line_text.lines().next().unwrap_or_default().to_owned(),
            message,
            help: help.to_owned(),
        }
    }
}
