//! The codec of applications that work in EBCDIC.

use std::borrow::Cow;

use super::{CodePage, Newline, TextCodec, TextCodecError};

/// Translates between EBCDIC and UTF-8.
///
/// Every EBCDIC byte has a character, so sending never fails. Received text may hold characters
/// that EBCDIC has not: [`Unmappable`] says what happens then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ebcdic {
    /// The code page of the application.
    pub code_page: CodePage,
    /// The line end of the application.
    pub newline: Newline,
    /// What becomes of received characters that the code page has not.
    pub unmappable: Unmappable,
}

impl Ebcdic {
    /// Creates a codec for a code page, with the published line ends and refusing characters
    /// that it has not.
    pub const fn new(code_page: CodePage) -> Self {
        Self {
            code_page,
            newline: Newline::LineFeed,
            unmappable: Unmappable::Refuse,
        }
    }
}

impl TextCodec for Ebcdic {
    fn name(&self) -> &'static str {
        self.code_page.name()
    }

    fn encode<'a>(&self, application: &'a [u8]) -> Result<Cow<'a, str>, TextCodecError> {
        let tables = self.code_page.tables(self.newline);
        let mut text = String::with_capacity(application.len());
        text.extend(
            application
                .iter()
                .map(|byte| char::from(tables.character[usize::from(*byte)])),
        );
        Ok(Cow::Owned(text))
    }

    fn decode<'a>(&self, wire: &'a str) -> Result<Cow<'a, [u8]>, TextCodecError> {
        let tables = self.code_page.tables(self.newline);
        let mut bytes = Vec::with_capacity(wire.len());
        for (at, character) in wire.char_indices() {
            match (u8::try_from(character), self.unmappable) {
                (Ok(place), _) => bytes.push(tables.byte[usize::from(place)]),
                (Err(_), Unmappable::Substitute) => bytes.push(SUBSTITUTE),
                (Err(_), Unmappable::Refuse) => {
                    return Err(TextCodecError::Unmappable { character, at });
                }
            }
        }
        Ok(Cow::Owned(bytes))
    }
}

/// Says what becomes of a received character that the code page has not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Unmappable {
    /// The message is refused with [`TextCodecError::Unmappable`].
    #[default]
    Refuse,
    /// The character becomes SUB, 0x3F. The change cannot be undone.
    Substitute,
}

/// EBCDIC's SUB.
const SUBSTITUTE: u8 = 0x3F;
