//! The codec of applications that work in UTF-8.

use std::borrow::Cow;

use super::{TextCodec, TextCodecError};

/// Leaves text as it is; checks that what is sent is UTF-8 (RFC 6455 section 8.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Utf8;

impl TextCodec for Utf8 {
    fn name(&self) -> &'static str {
        "UTF-8"
    }

    fn encode<'a>(&self, application: &'a [u8]) -> Result<Cow<'a, str>, TextCodecError> {
        match str::from_utf8(application) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(error) => Err(TextCodecError::Malformed {
                at: error.valid_up_to(),
            }),
        }
    }

    fn decode<'a>(&self, wire: &'a str) -> Result<Cow<'a, [u8]>, TextCodecError> {
        Ok(Cow::Borrowed(wire.as_bytes()))
    }
}
