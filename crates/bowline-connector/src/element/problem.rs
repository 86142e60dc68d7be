//! What is wrong with an element file, and where.

use std::{fmt, ops::Range};

use crate::diagnostic::{self, Renderer, Span};

/// One thing to be said about a place in an element file.
///
/// Shown, it has the place and the line:
///
/// ```text
/// error: there is no connection 3
///   --> tank.toml:12:8
///    |
/// 12 | [links.3]
///    |        ^
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
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The place and the line, as they are shown.
    pub excerpt: String,
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
        write!(f, "{word}: {}\n{}", self.message, self.excerpt)?;
        if !self.help.is_empty() {
            let indent = self.line.to_string().len();
            write!(f, "\n{:indent$} = help: {}", "", self.help)?;
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
pub(super) struct Source(diagnostic::Source);

impl Source {
    pub(super) fn new(name: &str, text: &str) -> Self {
        Self(diagnostic::Source::new(name, text))
    }

    pub(super) fn error(&self, at: Range<usize>, message: String, help: &str) -> Problem {
        self.problem(at, message, help, true)
    }

    pub(super) fn warning(&self, at: Range<usize>, message: String, help: &str) -> Problem {
        self.problem(at, message, help, false)
    }

    fn problem(&self, at: Range<usize>, message: String, help: &str, is_error: bool) -> Problem {
        let place = self.0.position(at.start);
        // What goes over several lines is marked on its first one.
        let line_end = self
            .0
            .text()
            .get(at.clone())
            .and_then(|text| text.find('\n'));
        let end = line_end.map_or(at.end, |end| at.start + end);
        let excerpt = Renderer::plain().excerpt_of(&self.0, Span::new(at.start, end));
        Problem {
            is_error,
            file: self.0.name().to_owned(),
            line: place.line,
            column: place.column,
            message,
            help: help.to_owned(),
            excerpt: excerpt.trim_end().to_owned(),
        }
    }
}
