//! What a parameter holds.

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

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Bytes(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Bytes(text.into())
    }
}

impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}
