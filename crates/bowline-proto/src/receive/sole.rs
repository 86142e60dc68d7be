//! The common case: a message that is one frame, uncompressed, and has arrived whole.

use std::ops::Range;

use super::{ReceivePath, View, utf8::is_utf8};
use crate::{
    config::Limits,
    error::ProtocolViolation,
    frame::{MaskingKey, SoleHeader, apply_mask, unmask_to_ascii},
    message::MessageKind,
};

/// Finds whole messages in received bytes; knows nothing of what is incomplete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SoleFrames {
    is_masked: bool,
    payload_len_max: u32,
}

/// A message and where its payload is in the input, unmasked.
pub(crate) type Sole = Result<(MessageKind, Range<usize>), ProtocolViolation>;

impl SoleFrames {
    /// Says whether the common case may lie at the front of `input`.
    #[inline]
    pub(crate) fn may_begin(input: &[u8]) -> bool {
        input
            .first()
            .is_some_and(|first| SoleHeader::begins(*first))
    }

    /// Takes in the common case: a whole frame at the front of `input` that is an uncompressed
    /// message by itself.
    ///
    /// Anything else, also a frame against the rules, is left as it is. On its own this part is
    /// small enough to be compiled into the caller, where its result stays in registers.
    #[inline]
    pub(crate) fn take(self, input: &mut [u8]) -> Option<Sole> {
        let header = SoleHeader::decode(input, self.is_masked)?;
        if header.payload_len > u64::from(self.payload_len_max) {
            return None;
        }
        let end = header
            .len
            .checked_add(usize::try_from(header.payload_len).ok()?)?;
        let piece = input.get_mut(header.len..end)?;
        Some(take_sole(header.masking_key, header.kind, piece).map(|kind| (kind, header.len..end)))
    }
}

impl ReceivePath {
    /// Gives what finds whole messages; `None` inside a frame or a message, or in another view.
    #[inline]
    pub(crate) fn sole_frames(&self, limits: &Limits) -> Option<SoleFrames> {
        let is_between = self.frame.is_none()
            && self.message.is_none()
            && self.spill.is_empty()
            && self.violation.is_none();
        if !is_between || self.view != View::Messages {
            return None;
        }
        let len_max = limits.frame_size_max.min(limits.message_size_max);
        Some(SoleFrames {
            is_masked: self.role.expects_masked(),
            payload_len_max: u32::try_from(len_max).unwrap_or(u32::MAX),
        })
    }

    /// Notes what the peer did wrong behind messages that were taken.
    pub(crate) fn note_violation(&mut self, violation: ProtocolViolation) {
        self.violation = Some(violation);
    }

    /// Takes in the common case, see [`SoleFrames::take`].
    #[inline]
    pub(super) fn sole_message(&self, limits: &Limits, input: &mut [u8]) -> Option<Sole> {
        self.sole_frames(limits)?.take(input)
    }
}

/// Unmasks and validates a frame that is a message by itself and lies wholly in the input.
#[inline]
pub(super) fn take_sole(
    masking_key: Option<MaskingKey>,
    kind: MessageKind,
    piece: &mut [u8],
) -> Result<MessageKind, ProtocolViolation> {
    let short_text = kind == MessageKind::Text && piece.len() <= SHORT_TEXT_LEN_MAX;
    let is_ascii = match masking_key {
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
