//! Text in another encoding than UTF-8, translated at the edge of a route.
//!
//! Text on the wire is always UTF-8 (RFC 6455 section 5.6). An application that works in another
//! character set gives its routes a [`TextCodec`]: what it sends as text is translated to UTF-8,
//! what it receives as text is translated back. Binary messages pass as they are.
//!
//! [`TranslatedSocket`] is a WebSocket with a codec; the handler of a route makes one of what it
//! accepted. [`TranslatedMessage`] translates single messages, for handlers of groups and halves.
//!
//! [`Utf8`] translates nothing and is the default. [`Ebcdic`] serves applications on machines
//! whose text is EBCDIC, in [`CodePage::Cp037`] or [`CodePage::Cp1047`].
//!
//! ```
//! use bowline::text_codec::{CodePage, Ebcdic, Newline, TextCodec as _};
//!
//! let codec = Ebcdic {
//!     newline: Newline::NextLine,
//!     ..Ebcdic::new(CodePage::Cp1047)
//! };
//! assert_eq!(codec.encode(&[0xC8, 0x89, 0x15])?, "Hi\n");
//! assert_eq!(*codec.decode("Hi\n")?, [0xC8, 0x89, 0x15]);
//! # Ok::<_, bowline::text_codec::TextCodecError>(())
//! ```

mod code_page;
mod ebcdic;
mod translated;
mod utf8;

use std::{borrow::Cow, fmt};

pub use code_page::{CodePage, Newline};
pub use ebcdic::{Ebcdic, Unmappable};
pub use translated::{TranslatedMessage, TranslatedSocket};
pub use utf8::Utf8;

/// Translates whole text messages between an application's encoding and UTF-8.
///
/// It is given whole messages, or the whole characters of a frame if the application works
/// [frame by frame](TranslatedSocket::recv_frame). What it keeps in memory is at most the translated
/// message, for which [`Ebcdic`] needs at most twice the bytes.
pub trait TextCodec: fmt::Debug + Send + Sync {
    /// Names the encoding of the application.
    fn name(&self) -> &str;

    /// Translates the application's text to the text of a message.
    ///
    /// # Errors
    /// [`TextCodecError::Malformed`] when the bytes are no text in the application's encoding.
    fn encode<'a>(&self, application: &'a [u8]) -> Result<Cow<'a, str>, TextCodecError>;

    /// Translates the text of a message to the application's.
    ///
    /// # Errors
    /// [`TextCodecError::Unmappable`] when a character has no place in the application's
    /// encoding. A server closes the connection with 1003 then.
    fn decode<'a>(&self, wire: &'a str) -> Result<Cow<'a, [u8]>, TextCodecError>;
}

/// Says why a text cannot be translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextCodecError {
    /// The application's bytes are no text in its encoding.
    #[error("the text to send is malformed at byte {at}")]
    Malformed {
        /// The place of the first wrong byte.
        at: usize,
    },
    /// A received character has no place in the application's encoding.
    #[error("U+{:04X} at byte {at} has no place in the code page", u32::from(*.character))]
    Unmappable {
        /// The character.
        character: char,
        /// The place of its first byte in the UTF-8 text.
        at: usize,
    },
}
