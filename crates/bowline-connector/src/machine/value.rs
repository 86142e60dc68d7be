//! What a parameter holds.

use std::borrow::Cow;

use bytes::Bytes;

/// The value of a parameter.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// None: never set, or cleared.
    #[default]
    Empty,
    /// A number.
    Number(f64),
    /// Bytes; their text view is UTF-8.
    Bytes(Bytes),
}

impl Value {
    /// Gives the value as text: bytes as UTF-8, what is none replaced; empty without a value.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes),
            Self::Number(number) => Cow::Owned(number.to_string()),
        }
    }
}
