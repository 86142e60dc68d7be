//! The condition language.

use std::fmt;

use thiserror::Error;

/// A condition of a group, trigger, action, pair or timer.
#[derive(Clone, PartialEq)]
pub struct Condition {
    text: String,
}

/// Says where a condition is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ConditionError {
    /// Where, in bytes from the beginning of the text.
    pub offset: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// [`ConditionError`] says where it is wrong and why.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        Ok(Self {
            text: text.to_owned(),
        })
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({})", self.text)
    }
}
