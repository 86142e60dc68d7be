//! Payloads that need no storage of their own.

use std::fmt;

/// Holds at most [`LEN_MAX`](Self::LEN_MAX) bytes in place: counting references to shared storage
/// would cost more than copying them.
#[derive(Clone, Copy)]
pub struct ShortBytes {
    len: u8,
    bytes: [u8; Self::LEN_MAX],
}

impl ShortBytes {
    /// The most bytes it holds: what fits beside the tag of a payload of five words.
    pub const LEN_MAX: usize = 38;

    /// Copies the bytes; `None` if there are too many.
    #[inline]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut short = Self {
            len: u8::try_from(bytes.len()).ok()?,
            bytes: [0; Self::LEN_MAX],
        };
        short.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(short)
    }

    /// Gives the bytes.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl fmt::Debug for ShortBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.as_slice().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Message, Payload};

    #[test]
    fn it_holds_what_it_was_given_up_to_its_bound() {
        let bytes: Vec<u8> = (0..=255).collect();
        for len in 0..=ShortBytes::LEN_MAX {
            let short = ShortBytes::new(&bytes[..len]).expect("it fits");
            assert_eq!(short.as_slice(), &bytes[..len]);
        }
        assert!(ShortBytes::new(&bytes[..=ShortBytes::LEN_MAX]).is_none());
        assert!(
            ShortBytes::new(&bytes).is_none(),
            "256 is no length of a byte"
        );
    }

    #[test]
    fn it_makes_a_payload_one_word_larger_and_no_more() {
        assert_eq!(size_of::<Payload<'_>>(), 5 * size_of::<usize>());
        assert_eq!(size_of::<Message<'_>>(), 6 * size_of::<usize>());
    }
}
