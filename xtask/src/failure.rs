//! `Failure`: why a task stopped, in words for the person at the terminal.

use std::fmt;

/// What a task gives back.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// The reason a task stopped.
#[derive(Debug)]
pub(crate) struct Failure {
    words: String,
}

impl Failure {
    pub(crate) fn new(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.words)
    }
}
