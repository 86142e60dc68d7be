//! Names that rules give to routes and groups.

use std::{fmt, str::FromStr, sync::Arc};

use thiserror::Error;

use super::escape::{EscapeError, decode, encode, is_plain};

/// Names a route, a group of users or a group of addresses.
///
/// A name is never empty, has at most [`LENGTH_MAX`](Self::LENGTH_MAX) bytes and no control
/// character. Reading one from text decodes escapes (`%20` is a blank); writing one makes them.
/// Cloning shares the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleName(Arc<str>);

impl RuleName {
    /// Longest name, in bytes.
    pub const LENGTH_MAX: usize = 128;

    /// Makes a name of a text as it is: nothing is decoded.
    ///
    /// # Errors
    /// [`NameError`] when the text is empty, too long or holds a control character.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            Err(NameError::Empty)
        } else if text.len() > Self::LENGTH_MAX {
            Err(NameError::TooLong)
        } else if text.chars().any(char::is_control) {
            Err(NameError::Escape(EscapeError::Control))
        } else {
            Ok(Self(text.into()))
        }
    }

    /// Gives the name, without escapes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RuleName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(&decode(text)?)
    }
}

/// The form that is read back as the same name.
impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        encode(&mut text, &self.0, is_plain);
        f.write_str(&text)
    }
}

/// Says why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty.
    #[error("a name has at least one character")]
    Empty,
    /// The text is longer than [`RuleName::LENGTH_MAX`].
    #[error("a name has at most {} bytes", RuleName::LENGTH_MAX)]
    TooLong,
    /// An escape is wrong, or there is a control character.
    #[error(transparent)]
    Escape(#[from] EscapeError),
}
