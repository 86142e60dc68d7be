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
