//! The message whose frames are arriving.

use bytes::{Bytes, BytesMut};

use super::{Place, utf8::Utf8Validator};
use crate::{
    config::Limits,
    deflate::Inflater,
    error::{Fault, LimitExceeded, ProtocolViolation},
    message::MessageKind,
};

/// Follows one message from its first frame to its last: its limits, its text, its pieces.
///
/// Exists only while a message is incomplete, so an idle connection holds none.
#[derive(Debug)]
pub(super) struct Assembler {
    pub(super) kind: MessageKind,
    pub(super) compressed: bool,
    /// In the fragment view pieces are handed out instead of kept.
    pub(super) view: View,
    /// No piece has been handed out yet.
    pub(super) at_start: bool,
    pub(super) backlog: Backlog,
    frames: u32,
    utf8: Utf8Validator,
    /// What has arrived of the message, unmasked.
    pub(super) buffer: BytesMut,
}

/// What the inflater may still hold although the input is used up (fragment view).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backlog {
    /// Nothing.
    None,
    /// Bytes that did not fit the last piece.
    Bytes,
    /// The end of the message.
    End,
}

/// How messages are handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Whole messages, assembled within the limits.
    #[default]
    Messages,
    /// Pieces as they arrive, in constant memory.
    Fragments,
    /// Frames as they were sent, each whole, as fragments; compressed messages whole. A frame may
    /// have as many bytes as the limits allow a frame and a message.
    Frames,
}

impl Assembler {
    pub(super) fn new(kind: MessageKind, compressed: bool, view: View) -> Self {
        let view = match view {
            View::Frames if compressed => View::Messages,
            View::Messages | View::Fragments | View::Frames => view,
        };
        Self {
            kind,
            compressed,
            view,
            at_start: true,
            backlog: Backlog::None,
            frames: 0,
            utf8: Utf8Validator::default(),
            buffer: BytesMut::new(),
        }
    }

    /// Admits the next frame of the message, before any of its payload.
    pub(super) fn admit(&mut self, payload_len: u64, limits: &Limits) -> Result<(), Fault> {
        if self.view == View::Fragments {
            return Ok(());
        }
        self.frames = self.frames.saturating_add(1);
        if self.view == View::Messages && self.frames > limits.fragment_count_max.max(1) {
            return Err(LimitExceeded::FragmentCount.into());
        }
        let len = (self.buffer.len() as u64).saturating_add(payload_len);
        if !self.compressed && len > limits.message_size_max {
            return Err(LimitExceeded::MessageSize.into());
        }
        Ok(())
    }

    /// Keeps a piece of the payload as it was on the wire.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), Fault> {
        self.check_text(piece)?;
        self.buffer.extend_from_slice(piece);
        Ok(())
    }

    /// Joins the last piece of a frame, which begins at `at` in the input, to what is kept of it.
    pub(super) fn end_frame(&mut self, piece: &[u8], at: usize) -> Result<Place, Fault> {
        if self.buffer.is_empty() {
            self.check_text(piece)?;
            return Ok(Place::Input(at..at + piece.len()));
        }
        self.push(piece)?;
        Ok(Place::Own(std::mem::take(&mut self.buffer).freeze()))
    }

    /// Inflates a piece of the payload and keeps the result.
    pub(super) fn push_compressed(
        &mut self,
        mut piece: &[u8],
        inflater: &mut Inflater,
        limits: &Limits,
    ) -> Result<(), Fault> {
        loop {
            let start = self.grow(piece.len(), limits);
            let space = self.buffer.get_mut(start..).unwrap_or_default();
            let room = space.len();
            let progress = inflater.inflate(piece, space)?;
            self.keep(start, progress.produced, limits)?;
            piece = piece.get(progress.consumed..).unwrap_or_default();
            if progress.produced < room {
                debug_assert!(
                    piece.is_empty(),
                    "an inflater with room left has used its input"
                );
                return Ok(());
            }
        }
    }

    /// Inflates what is left after the last payload byte and keeps the result.
    pub(super) fn finish_compressed(
        &mut self,
        inflater: &mut Inflater,
        limits: &Limits,
    ) -> Result<(), Fault> {
        loop {
            let start = self.grow(0, limits);
            let space = self.buffer.get_mut(start..).unwrap_or_default();
            let finish = inflater.finish(space)?;
            self.keep(start, finish.produced, limits)?;
            if finish.done {
                return Ok(());
            }
        }
    }

    /// Takes the whole message.
    pub(super) fn take(&mut self) -> Result<Bytes, Fault> {
        self.end_text()?;
        Ok(self.buffer.split().freeze())
    }

    /// Checks a piece of text; binary data passes.
    pub(super) fn check_text(&mut self, piece: &[u8]) -> Result<(), Fault> {
        match self.kind {
            MessageKind::Binary => Ok(()),
            MessageKind::Text => self
                .utf8
                .feed(piece)
                .map_err(|_| ProtocolViolation::TextUtf8.into()),
        }
    }

    /// Checks that the text does not end within a character.
    pub(super) fn end_text(&self) -> Result<(), Fault> {
        self.utf8
            .finish()
            .map_err(|_| ProtocolViolation::TextUtf8.into())
    }

    /// Makes room for inflated bytes, one byte beyond the limit at most; gives its start.
    fn grow(&mut self, compressed_len: usize, limits: &Limits) -> usize {
        let start = self.buffer.len();
        let step = inflate_step(compressed_len, MESSAGE_STEP_MAX);
        let left = limits
            .message_size_max
            .saturating_sub(start as u64)
            .saturating_add(1);
        let room = usize::try_from(left).map_or(step, |left| left.min(step));
        self.buffer.resize(start + room, 0);
        start
    }

    /// Keeps `produced` inflated bytes from `start` on, if the limit allows them.
    fn keep(&mut self, start: usize, produced: usize, limits: &Limits) -> Result<(), Fault> {
        let end = start + produced;
        self.buffer.truncate(end);
        if end as u64 > limits.message_size_max {
            return Err(LimitExceeded::MessageSize.into());
        }
        if self.kind == MessageKind::Text {
            let piece = self.buffer.get(start..).unwrap_or_default();
            self.utf8
                .feed(piece)
                .map_err(|_| ProtocolViolation::TextUtf8)?;
        }
        Ok(())
    }
}

/// Gives the room made for inflating a piece.
pub(super) fn inflate_step(compressed_len: usize, step_max: usize) -> usize {
    compressed_len
        .saturating_mul(4)
        .clamp(INFLATE_STEP_MIN, step_max)
}

/// What one turn inflates at least.
pub(super) const INFLATE_STEP_MIN: usize = 256;
/// What one turn inflates at most in the fragment view: the size of a piece.
pub(super) const INFLATE_STEP_MAX: usize = 16 << 10;
/// What one turn inflates at most in the message view. At each turn the inflater copies its window
/// of 32 KiB and can repeat bytes from before only out of that copy, so short turns are slow.
const MESSAGE_STEP_MAX: usize = 128 << 10;
