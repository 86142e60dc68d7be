//! Incremental validation of UTF-8 (RFC 6455 section 8.1).

/// Validates text that comes in pieces, and fails at the first byte that cannot be right.
#[derive(Clone, Debug, Default)]
pub(crate) struct Utf8Validator {
    /// The bytes of a character that the last piece cut off.
    carry: [u8; 4],
    carry_len: u8,
}

/// The text is not UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InvalidUtf8;

impl Utf8Validator {
    /// Takes the next piece.
    pub(crate) fn feed(&mut self, piece: &[u8]) -> Result<(), InvalidUtf8> {
        let piece = self.complete_carry(piece)?;
        let Err(error) = simdutf8::compat::from_utf8(piece) else {
            return Ok(());
        };
        if error.error_len().is_some() {
            return Err(InvalidUtf8);
        }
        self.keep(piece.get(error.valid_up_to()..).unwrap_or_default());
        Ok(())
    }

    /// Ends the text: no character may be left unfinished.
    pub(crate) fn finish(&self) -> Result<(), InvalidUtf8> {
        if self.carry_len == 0 {
            Ok(())
        } else {
            Err(InvalidUtf8)
        }
    }

    /// Feeds bytes to the character in `carry` until it is whole; gives the rest of the piece.
    fn complete_carry<'a>(&mut self, mut piece: &'a [u8]) -> Result<&'a [u8], InvalidUtf8> {
        while self.carry_len > 0 {
            let Some((next, rest)) = piece.split_first() else {
                break;
            };
            piece = rest;
            let len = usize::from(self.carry_len);
            let slot = self.carry.get_mut(len).ok_or(InvalidUtf8)?;
            *slot = *next;
            self.carry_len += 1;
            match std::str::from_utf8(self.carry.get(..=len).unwrap_or_default()) {
                Ok(_) => self.carry_len = 0,
                Err(error) if error.error_len().is_some() => return Err(InvalidUtf8),
                Err(_) => {}
            }
        }
        Ok(piece)
    }

    fn keep(&mut self, unfinished: &[u8]) {
        debug_assert!(
            unfinished.len() < 4,
            "an unfinished character has at most 3 bytes"
        );
        self.carry_len = 0;
        for (slot, byte) in self.carry.iter_mut().zip(unfinished) {
            *slot = *byte;
            self.carry_len += 1;
        }
    }
}

/// Validates a text that is there in one piece.
#[inline]
pub(crate) fn is_utf8(text: &[u8]) -> bool {
    simdutf8::basic::from_utf8(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &[u8], piece: usize) -> bool {
        let mut validator = Utf8Validator::default();
        text.chunks(piece)
            .all(|chunk| validator.feed(chunk).is_ok())
            && validator.finish().is_ok()
    }

    #[test]
    fn agrees_with_the_standard_library_in_pieces_of_any_size() {
        let texts: [&[u8]; 12] = [
            b"",
            b"plain",
            "κόσμε \u{10ffff} ✓ \u{0}".as_bytes(),
            b"\xc0\xaf",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xf0\x80\x80\x80",
            b"a\xff",
            b"\xe2\x9c",
            b"\x80",
            b"\xf0\x9f\x92",
            "é".as_bytes(),
        ];
        for text in texts {
            for piece in 1..6 {
                assert_eq!(
                    verdict(text, piece),
                    std::str::from_utf8(text).is_ok(),
                    "{text:x?}"
                );
            }
        }
    }

    // Autobahn 6.4: the verdict must not wait for the rest of the message.
    #[test]
    fn fails_at_the_first_impossible_byte() {
        let mut validator = Utf8Validator::default();
        assert_eq!(validator.feed(b"\xce\xba\xf4"), Ok(()));
        assert_eq!(validator.feed(b"\x90"), Err(InvalidUtf8));
    }
}
