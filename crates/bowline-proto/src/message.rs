//! Messages and their payloads, borrowed or shared.

use std::{fmt, ops::Deref};

use bytes::Bytes;

use crate::error::Misuse;

/// Names the two kinds of message (RFC 6455 section 5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// UTF-8 text.
    Text,
    /// Any bytes.
    Binary,
}

/// Carries one whole message, in either direction.
///
/// Received, it borrows the caller's buffer when it arrived in one piece. `Message<'static>` owns
/// its payload and clones without copying it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// UTF-8 text.
    Text(Text<'a>),
    /// Any bytes.
    Binary(Payload<'a>),
}

impl<'a> Message<'a> {
    /// Makes a text message.
    pub fn text(text: impl Into<Text<'a>>) -> Self {
        Self::Text(text.into())
    }

    /// Makes a binary message.
    pub fn binary(payload: impl Into<Payload<'a>>) -> Self {
        Self::Binary(payload.into())
    }

    /// Gives the kind.
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Text(_) => MessageKind::Text,
            Self::Binary(_) => MessageKind::Binary,
        }
    }

    /// Gives the payload.
    pub const fn payload(&self) -> &Payload<'a> {
        match self {
            Self::Text(text) => &text.0,
            Self::Binary(payload) => payload,
        }
    }

    /// Gives the text; `None` for a binary message.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            Self::Binary(_) => None,
        }
    }

    /// Gives the length of the payload in bytes.
    pub fn len(&self) -> usize {
        self.payload().len()
    }

    /// Says whether the payload is empty.
    pub fn is_empty(&self) -> bool {
        self.payload().is_empty()
    }

    /// Takes the payload.
    pub fn into_payload(self) -> Payload<'a> {
        match self {
            Self::Text(text) => text.0,
            Self::Binary(payload) => payload,
        }
    }

    /// Takes the message out of the borrow, copying the payload only if it is borrowed.
    #[inline]
    pub fn into_owned(self) -> Message<'static> {
        match self {
            Self::Text(text) => Message::Text(text.into_owned()),
            Self::Binary(payload) => Message::Binary(payload.into_owned()),
        }
    }

    /// Joins a kind and a payload the engine has validated.
    #[inline]
    pub(crate) const fn validated(kind: MessageKind, payload: Payload<'a>) -> Self {
        match kind {
            MessageKind::Text => Self::Text(Text(payload)),
            MessageKind::Binary => Self::Binary(payload),
        }
    }
}

/// Holds bytes that are borrowed, or shared by reference count.
#[derive(Clone)]
pub enum Payload<'a> {
    /// Bytes in somebody's buffer.
    Borrowed(&'a [u8]),
    /// Bytes that clone without copying.
    Shared(Bytes),
}

impl Payload<'_> {
    /// Gives the bytes.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Self::Borrowed(slice) => slice,
            Self::Shared(bytes) => bytes,
        }
    }

    /// Takes the bytes, copying them only if they are borrowed.
    #[inline]
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Borrowed(slice) => Bytes::copy_from_slice(slice),
            Self::Shared(bytes) => bytes,
        }
    }

    /// Takes the payload out of the borrow, copying it only if it is borrowed.
    #[inline]
    pub fn into_owned(self) -> Payload<'static> {
        Payload::Shared(self.into_bytes())
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl AsRef<[u8]> for Payload<'_> {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl PartialEq for Payload<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Payload<'_> {}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.as_slice().escape_ascii())
    }
}

/// Holds bytes that are known to be UTF-8.
///
/// The bytes are validated once, where they come in. Reading them as `str` checks them again,
/// because the engine has no `unsafe`; code that only passes text on never pays for that.
#[derive(Clone, PartialEq, Eq)]
pub struct Text<'a>(Payload<'a>);

impl<'a> Text<'a> {
    /// Reads bytes as text.
    ///
    /// # Errors
    /// [`Misuse::TextUtf8`] if they are not UTF-8.
    pub fn from_utf8(payload: impl Into<Payload<'a>>) -> Result<Self, Misuse> {
        let payload = payload.into();
        match simdutf8::basic::from_utf8(&payload) {
            Ok(_) => Ok(Self(payload)),
            Err(_) => Err(Misuse::TextUtf8),
        }
    }

    /// Gives the text. Takes time linear in its length.
    ///
    /// # Panics
    /// Never: every constructor validated the bytes.
    pub fn as_str(&self) -> &str {
        simdutf8::basic::from_utf8(&self.0).expect("every constructor validated the bytes")
    }

    /// Gives the bytes of the text.
    pub const fn as_payload(&self) -> &Payload<'a> {
        &self.0
    }

    /// Takes the bytes, copying them only if they are borrowed.
    #[inline]
    pub fn into_bytes(self) -> Bytes {
        self.0.into_bytes()
    }

    /// Takes the text out of the borrow, copying it only if it is borrowed.
    #[inline]
    pub fn into_owned(self) -> Text<'static> {
        Text(self.0.into_owned())
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0.as_slice() == other.as_bytes()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! from {
    ($($source:ty => $target:ident: $convert:expr;)*) => {$(
        impl<'a> From<$source> for $target<'a> {
            fn from(source: $source) -> Self {
                ($convert)(source)
            }
        }
    )*};
}

from! {
    &'a [u8] => Payload: Payload::Borrowed;
    Bytes => Payload: Payload::Shared;
    Vec<u8> => Payload: |bytes| Payload::Shared(Bytes::from(bytes));
    &'a str => Payload: |text: &'a str| Payload::Borrowed(text.as_bytes());
    String => Payload: |text: String| Payload::Shared(Bytes::from(text));
    Text<'a> => Payload: |text: Text<'a>| text.0;
    &'a str => Text: |text: &'a str| Text(Payload::Borrowed(text.as_bytes()));
    String => Text: |text: String| Text(Payload::Shared(Bytes::from(text)));
    &'a str => Message: Message::text;
    String => Message: Message::text;
    &'a [u8] => Message: Message::binary;
    Vec<u8> => Message: Message::binary;
    Bytes => Message: Message::binary;
    Text<'a> => Message: Message::Text;
}

impl<'a, const N: usize> From<&'a [u8; N]> for Payload<'a> {
    fn from(source: &'a [u8; N]) -> Self {
        Self::Borrowed(source)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Message<'a> {
    fn from(source: &'a [u8; N]) -> Self {
        Self::binary(source)
    }
}
