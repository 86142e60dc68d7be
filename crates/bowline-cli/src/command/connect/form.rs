//! How lines become messages, and messages lines.

use base64::{Engine, prelude::BASE64_STANDARD};
use bowline::{Message, proto::Text};
use thiserror::Error;

use crate::args::FormArgs;

/// How lines become messages, and messages lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Lines are text; binary messages are shown in hex.
    Text,
    /// Lines are sent as they are, and so are binary messages written.
    Binary,
    /// Lines are binary messages in hex.
    Hex,
    /// Lines are binary messages in base64.
    Base64,
}

/// Says why a line is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum FormError {
    /// It is not text.
    #[error("is not UTF-8; --binary sends lines as binary messages")]
    NotUtf8,
    /// It is not hex.
    #[error("is not hex, two digits for each byte")]
    NotHex,
    /// It is not base64.
    #[error("is not base64")]
    NotBase64,
}

impl Form {
    pub(super) const fn new(args: &FormArgs) -> Self {
        match args {
            FormArgs { binary: true, .. } => Self::Binary,
            FormArgs { hex: true, .. } => Self::Hex,
            FormArgs { base64: true, .. } => Self::Base64,
            FormArgs { .. } => Self::Text,
        }
    }

    /// Makes a message of a line.
    pub(super) fn read(self, line: Vec<u8>) -> Result<Message, FormError> {
        match self {
            Self::Text => match Text::from_utf8(line) {
                Ok(text) => Ok(Message::Text(text)),
                Err(_) => Err(FormError::NotUtf8),
            },
            Self::Binary => Ok(Message::binary(line)),
            Self::Hex => unhex(&line).map(Message::binary).ok_or(FormError::NotHex),
            Self::Base64 => match BASE64_STANDARD.decode(line.trim_ascii()) {
                Ok(bytes) => Ok(Message::binary(bytes)),
                Err(_) => Err(FormError::NotBase64),
            },
        }
    }

    /// Writes a binary message as text; [`Binary`](Self::Binary) has none and takes hex.
    pub(super) fn text_of(self, payload: &[u8]) -> String {
        match self {
            Self::Text | Self::Binary | Self::Hex => hex(payload),
            Self::Base64 => BASE64_STANDARD.encode(payload),
        }
    }
}

/// Writes bytes in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .collect()
}

/// Reads hex, with blanks or without; `None` if it is not.
pub(super) fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| char::from(*byte).to_digit(16)?.try_into().ok())
        .collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_reads_what_it_writes() {
        let payload = [0, 0x7f, 0xff];
        for form in [Form::Hex, Form::Base64] {
            let line = form.text_of(&payload).into_bytes();
            assert_eq!(form.read(line), Ok(Message::binary(payload.to_vec())));
        }
        let line = b"\xff".to_vec();
        let message = Form::Binary.read(line.clone());
        assert_eq!(message, Ok(Message::binary(line.clone())));
        assert_eq!(Form::Text.read(line), Err(FormError::NotUtf8));
    }

    #[test]
    fn hex_may_have_blanks_and_either_case() {
        assert_eq!(unhex(b"0aFF 1\t2\r"), Some(vec![10, 255, 0x12]));
        assert_eq!(unhex(b""), Some(vec![]));
        for wrong in ["a", "0x0a", "zz", "+1"] {
            assert_eq!(unhex(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(Form::Base64.read(b"A=".to_vec()), Err(FormError::NotBase64));
    }
}
