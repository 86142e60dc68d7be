//! The part of a header that the input cut off.

use crate::{error::ProtocolViolation, frame::FrameHeader};

/// Keeps the bytes of a header that is not whole: at most 13.
#[derive(Debug, Default)]
pub(super) struct HeaderSpill {
    bytes: [u8; FrameHeader::LEN_MAX],
    len: u8,
}

impl HeaderSpill {
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Keeps a part that is no whole header.
    pub(super) fn keep(&mut self, part: &[u8]) {
        for byte in part {
            self.push(*byte);
        }
    }

    /// Completes the header from `input`; gives it and how many bytes of `input` it took.
    pub(super) fn complete(
        &mut self,
        input: &[u8],
    ) -> Result<Option<(FrameHeader, usize)>, ProtocolViolation> {
        for (i, byte) in input.iter().enumerate() {
            self.push(*byte);
            let known = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
            if let Some((header, _)) = FrameHeader::decode(known)? {
                self.clear();
                return Ok(Some((header, i + 1)));
            }
        }
        Ok(None)
    }

    fn push(&mut self, byte: u8) {
        debug_assert!(
            usize::from(self.len) < self.bytes.len(),
            "14 bytes are a whole header"
        );
        if let Some(slot) = self.bytes.get_mut(usize::from(self.len)) {
            *slot = byte;
            self.len += 1;
        }
    }
}
