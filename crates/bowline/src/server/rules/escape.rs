//! Percent-encoding (RFC 3986 section 2.1), as requests and the text form of rules use it.

use std::fmt::Write as _;

use thiserror::Error;

/// Decodes every escape once.
pub(super) fn decode(text: &str) -> Result<String, EscapeError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => escaped(&mut bytes).ok_or(EscapeError::Incomplete)?,
            other => other,
        });
    }
    let decoded = String::from_utf8(decoded).map_err(|_| EscapeError::NotUtf8)?;
    if decoded.chars().any(char::is_control) {
        return Err(EscapeError::Control);
    }
    Ok(decoded)
}

/// Reads the two digits after a percent sign.
pub(super) fn escaped(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let high = hex(bytes.next()?)?;
    let low = hex(bytes.next()?)?;
    Some(high << 4 | low)
}

/// Appends a text with each character escaped that `stays` does not name.
pub(super) fn encode(out: &mut String, text: &str, stays: impl Fn(char) -> bool) {
    let mut utf8 = [0; 4];
    for character in text.chars() {
        if stays(character) {
            out.push(character);
        } else {
            for byte in character.encode_utf8(&mut utf8).bytes() {
                push_escape(out, byte);
            }
        }
    }
}

/// Appends a byte as an escape.
pub(super) fn push_escape(out: &mut String, byte: u8) {
    write!(out, "%{byte:02X}").expect("a String takes every text");
}

/// Tells whether a character has no special meaning in any part of a URL (RFC 3986 section 2.3).
pub(super) const fn is_unreserved(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_' | '~')
}

/// Tells whether a character can stand in the text form of rules as it is: it is visible, and
/// begins neither a comment nor an escape.
pub(super) fn is_plain(character: char) -> bool {
    let visible = if character.is_ascii() {
        character.is_ascii_graphic()
    } else {
        character.is_alphanumeric()
    };
    visible && !matches!(character, '%' | '#')
}

/// Says why a text with escapes cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EscapeError {
    /// A percent sign is not followed by two hexadecimal digits.
    #[error("two hexadecimal digits follow each `%`; write `%25` for a percent sign")]
    Incomplete,
    /// What the escapes stand for is not UTF-8.
    #[error("escapes must stand for UTF-8 text")]
    NotUtf8,
    /// There is a control character, escaped or not.
    #[error("control characters are not allowed, escaped or not")]
    Control,
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
