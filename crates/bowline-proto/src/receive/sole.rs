//! The common case: a message that is one frame, uncompressed, and has arrived whole.

use std::ops::Range;

use super::{ReceivePath, View, utf8::is_utf8};
use crate::{
    config::Limits,
    error::ProtocolViolation,
    frame::{FrameHeader, apply_mask, unmask_to_ascii},
    message::MessageKind,
};

impl ReceivePath {
    /// Takes the common case from the front of `input`; leaves anything else for
    /// [`poll`](Self::poll), which also reports the violation if text is not UTF-8.
    #[inline]
    pub(crate) fn take_sole_message(
        &mut self,
        limits: &Limits,
        input: &mut [u8],
    ) -> Option<(MessageKind, Range<usize>)> {
        match self.sole_message(limits, input)? {
            Ok(found) => Some(found),
            Err(violation) => {
                self.violation = Some(violation);
                None
            }
        }
    }

    /// Takes in the common case: a whole frame at the front of `input` that is an uncompressed
    /// message by itself.
    ///
    /// Anything else, also a frame against the rules, is left as it is for
    /// [`poll_any`](Self::poll_any). On its own this part is small enough to be compiled into the
    /// caller, where its result stays in registers.
    #[inline]
    pub(super) fn sole_message(
        &self,
        limits: &Limits,
        input: &mut [u8],
    ) -> Option<Result<(MessageKind, Range<usize>), ProtocolViolation>> {
        let is_between = self.frame.is_none() && self.spill.is_empty() && self.violation.is_none();
        if !is_between || self.view != View::Messages {
            return None;
        }
        let (header, at) = FrameHeader::decode(input).ok()??;
        let kind = self.sole_frame(&header)?;
        let len_max = limits.frame_size_max.min(limits.message_size_max);
        if self.check_bits(&header).is_err() || header.payload_len > len_max {
            return None;
        }
        let end = at.checked_add(usize::try_from(header.payload_len).ok()?)?;
        let piece = input.get_mut(at..end)?;
        Some(take_sole(header, kind, piece).map(|kind| (kind, at..end)))
    }
}

/// Unmasks and validates a frame that is a message by itself and lies wholly in the input.
#[inline]
pub(super) fn take_sole(
    header: FrameHeader,
    kind: MessageKind,
    piece: &mut [u8],
) -> Result<MessageKind, ProtocolViolation> {
    let short_text = kind == MessageKind::Text && piece.len() <= SHORT_TEXT_LEN_MAX;
    let is_ascii = match header.masking_key {
        Some(key) if short_text => unmask_to_ascii(piece, key),
        Some(key) => {
            apply_mask(piece, key, 0);
            false
        }
        None => false,
    };
    if kind == MessageKind::Text && !is_ascii && !is_utf8(piece) {
        return Err(ProtocolViolation::TextUtf8);
    }
    Ok(kind)
}

/// Up to here asking for ASCII while unmasking costs less than the validator takes to begin.
const SHORT_TEXT_LEN_MAX: usize = 256;
