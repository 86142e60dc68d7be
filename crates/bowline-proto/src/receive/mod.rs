//! From bytes to messages: the receiving half of a connection.

mod arriving;
mod assembler;
mod fragments;
mod sole;
mod spill;
mod utf8;

use std::ops::Range;

use bytes::{Bytes, BytesMut};

pub use assembler::View;
use assembler::{Assembler, Backlog};
pub(crate) use sole::SoleFrames;
use sole::take_sole;
use spill::HeaderSpill;
pub(crate) use utf8::Utf8Validator;

use crate::{
    config::{Limits, Nonstandard},
    deflate::Inflater,
    error::{Fault, LimitExceeded, ProtocolViolation},
    frame::{Close, FrameHeader, Opcode, apply_mask},
    message::MessageKind,
    role::Role,
};

/// Decodes what the peer sends. Keeps only what is incomplete: at most a part of a header, a part
/// of a control frame and a part of a message.
#[derive(Debug)]
pub(crate) struct ReceivePath {
    role: Role,
    nonstandard: Nonstandard,
    view: View,
    /// The bytes of a header that the input cut off.
    spill: HeaderSpill,
    /// The frame whose payload is arriving.
    frame: Option<Frame>,
    /// The payload of a control frame that comes in pieces; at most 125 bytes. Seldom there, so it
    /// lies apart.
    control: Option<Box<BytesMut>>,
    message: Option<Box<Assembler>>,
    inflater: Option<Box<Inflater>>,
    /// What the peer did wrong behind messages that were taken ahead.
    violation: Option<ProtocolViolation>,
}

/// A frame of which some payload is missing.
#[derive(Clone, Copy, Debug)]
struct Frame {
    header: FrameHeader,
    /// Payload bytes taken in.
    received: u64,
    /// Payload bytes unmasked; more than `received` when a piece could not be taken in whole.
    unmasked: u64,
}

/// What a call of [`ReceivePath::poll`] found.
#[derive(Debug)]
pub(crate) enum Received {
    Message(MessageKind, Place),
    Fragment(Piece),
    Ping(Place),
    Pong(Place),
    Close(Option<Close>),
}

/// A piece of a message, before it borrows the input.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) kind: MessageKind,
    pub(crate) payload: Place,
    pub(crate) message_start: bool,
    pub(crate) message_end: bool,
    pub(crate) frame_end: bool,
}

/// What a piece of a data frame ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Nothing,
    Frame,
    Message,
}

/// Where a payload is.
#[derive(Debug)]
pub(crate) enum Place {
    /// In the caller's input, unmasked.
    Input(Range<usize>),
    /// In storage of its own.
    Own(Bytes),
}

impl Place {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Input(range) => range.len(),
            Self::Own(bytes) => bytes.len(),
        }
    }
}

/// One turn: the input used up so far, and what it gave.
type Turn = Result<(usize, Option<Received>), Fault>;

impl ReceivePath {
    pub(crate) fn new(role: Role, nonstandard: Nonstandard, inflater: Option<Inflater>) -> Self {
        Self {
            role,
            nonstandard,
            view: View::default(),
            spill: HeaderSpill::default(),
            frame: None,
            control: None,
            message: None,
            inflater: inflater.map(Box::new),
            violation: None,
        }
    }

    /// Chooses the view for the messages that begin from here on.
    #[inline]
    pub(crate) fn set_view(&mut self, view: View) {
        self.view = view;
    }

    /// Takes in bytes from the front of `input` until something is found or all is used up.
    ///
    /// Gives the number of bytes used. Frames that lie wholly in `input` are unmasked in place and
    /// reported by their place there.
    #[inline]
    pub(crate) fn poll(
        &mut self,
        limits: &Limits,
        input: &mut [u8],
    ) -> (usize, Result<Option<Received>, Fault>) {
        match self.sole_message(limits, input) {
            Some(Ok((kind, place))) => {
                let received = Received::Message(kind, Place::Input(place.clone()));
                (place.end, Ok(Some(received)))
            }
            Some(Err(violation)) => (input.len(), Err(violation.into())),
            None => self.poll_any(limits, input),
        }
    }

    #[inline(never)]
    fn poll_any(
        &mut self,
        limits: &Limits,
        input: &mut [u8],
    ) -> (usize, Result<Option<Received>, Fault>) {
        if let Some(violation) = self.violation {
            return (input.len(), Err(violation.into()));
        }
        let mut at = 0;
        loop {
            match self.turn(limits, input, at) {
                Ok((end, None)) if end > at => at = end,
                Ok((end, received)) => return (end, Ok(received)),
                Err(fault) => return (input.len(), Err(fault)),
            }
        }
    }

    /// Says whether something can be found without more input.
    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        self.violation.is_some() || self.is_draining()
    }

    /// Drops everything that is incomplete.
    pub(crate) fn clear(&mut self) {
        self.frame = None;
        self.message = None;
        self.inflater = None;
        self.control = None;
        self.spill.clear();
    }

    #[inline]
    fn turn(&mut self, limits: &Limits, input: &mut [u8], at: usize) -> Turn {
        if self.frame.is_none() && self.spill.is_empty() && !self.is_draining() {
            let rest = input.get(at..).unwrap_or_default();
            if let Some((header, len)) = FrameHeader::decode(rest)? {
                return self.start_frame(header, limits, input, at + len);
            }
            self.spill.keep(rest);
            return Ok((input.len(), None));
        }
        self.resume(limits, input, at)
    }

    /// Goes on with what an earlier call left incomplete.
    fn resume(&mut self, limits: &Limits, input: &mut [u8], at: usize) -> Turn {
        if let Some(frame) = self.frame {
            return self.payload(frame, limits, input, at);
        }
        if self.is_draining() {
            return match self.drain_fragments()? {
                // The backlog was empty after all, and the input still waits.
                None => self.turn(limits, input, at),
                received => Ok((at, received)),
            };
        }
        match self.spill.complete(input.get(at..).unwrap_or_default())? {
            Some((header, len)) => self.start_frame(header, limits, input, at + len),
            None => Ok((input.len(), None)),
        }
    }

    /// Says whether inflated bytes wait although all input was used.
    fn is_draining(&self) -> bool {
        self.message
            .as_ref()
            .is_some_and(|message| message.backlog != Backlog::None)
    }

    /// Checks a new frame and takes in what there is of its payload.
    #[inline]
    fn start_frame(
        &mut self,
        header: FrameHeader,
        limits: &Limits,
        input: &mut [u8],
        at: usize,
    ) -> Turn {
        self.check_bits(&header)?;
        if header.opcode.is_data() {
            if header.payload_len > limits.frame_size_max && self.current_view() != View::Fragments
            {
                return Err(LimitExceeded::FrameSize.into());
            }
            if let Some(kind) = self.sole_frame(&header) {
                if header.payload_len > limits.message_size_max && self.view != View::Fragments {
                    return Err(LimitExceeded::MessageSize.into());
                }
                let end = usize::try_from(header.payload_len)
                    .ok()
                    .and_then(|len| at.checked_add(len));
                if let Some(piece) = end.and_then(|end| input.get_mut(at..end)) {
                    let kind = take_sole(header.masking_key, kind, piece)?;
                    return Ok(self.report_sole(kind, at..at + piece.len()));
                }
            }
            self.join_message(&header, limits)?;
        }
        self.payload(
            Frame {
                header,
                received: 0,
                unmasked: 0,
            },
            limits,
            input,
            at,
        )
    }

    /// RFC 6455 sections 5.1 and 5.2, RFC 7692 section 6.
    #[inline]
    fn check_bits(&self, header: &FrameHeader) -> Result<(), ProtocolViolation> {
        if header.masking_key.is_some() != self.role.expects_masked() {
            self.check_wrong_mask()?;
        }
        let may_compress =
            self.inflater.is_some() && matches!(header.opcode, Opcode::Text | Opcode::Binary);
        if header.rsv2 || header.rsv3 || (header.rsv1 && !may_compress) {
            return Err(ProtocolViolation::ReservedBits);
        }
        Ok(())
    }

    /// A frame is masked that should not be, or the other way round.
    #[cold]
    fn check_wrong_mask(&self) -> Result<(), ProtocolViolation> {
        match self.role {
            Role::Server => Err(ProtocolViolation::UnmaskedFrame),
            Role::Client if self.nonstandard.accept_masked_server_frames => Ok(()),
            Role::Client => Err(ProtocolViolation::MaskedFrame),
        }
    }

    fn current_view(&self) -> View {
        self.message
            .as_ref()
            .map_or(self.view, |message| message.view)
    }

    /// Gives the kind of a frame that is an uncompressed message by itself.
    #[inline]
    fn sole_frame(&self, header: &FrameHeader) -> Option<MessageKind> {
        if !header.fin || header.rsv1 || self.message.is_some() {
            return None;
        }
        message_kind(header.opcode)
    }

    #[inline]
    fn report_sole(&self, kind: MessageKind, place: Range<usize>) -> (usize, Option<Received>) {
        let end = place.end;
        let payload = Place::Input(place);
        let received = match self.view {
            View::Messages => Received::Message(kind, payload),
            View::Fragments | View::Frames => Received::Fragment(Piece {
                kind,
                payload,
                message_start: true,
                message_end: true,
                frame_end: true,
            }),
        };
        (end, Some(received))
    }

    /// RFC 6455 section 5.4: begins a message, or continues the one that was begun.
    fn join_message(&mut self, header: &FrameHeader, limits: &Limits) -> Result<(), Fault> {
        let view = self.view;
        let message = match (message_kind(header.opcode), &mut self.message) {
            (Some(_), Some(_)) => return Err(ProtocolViolation::MessageInterrupted.into()),
            (None, None) => return Err(ProtocolViolation::ContinuationWithoutStart.into()),
            (Some(kind), slot @ None) => {
                slot.insert(Box::new(Assembler::new(kind, header.rsv1, view)))
            }
            (None, Some(message)) => message,
        };
        message.admit(header.payload_len, limits)
    }

    /// Takes in what there is of a frame's payload.
    fn payload(&mut self, mut frame: Frame, limits: &Limits, input: &mut [u8], at: usize) -> Turn {
        let missing = frame.header.payload_len - frame.received;
        let rest = input.get_mut(at..).unwrap_or_default();
        let len = usize::try_from(missing).map_or(rest.len(), |missing| missing.min(rest.len()));
        if len == 0 && missing > 0 && !self.is_draining() {
            self.frame = Some(frame);
            return Ok((at, None));
        }
        let piece = rest.get_mut(..len).unwrap_or_default();
        unmask(&mut frame, piece);
        let complete = len as u64 == missing;
        if frame.header.opcode.is_control() {
            self.advance(frame, len, complete);
            return Ok((
                at + len,
                self.control_piece(&frame.header, at, piece, complete)?,
            ));
        }
        let ends = match (complete, frame.header.fin) {
            (false, _) => Ends::Nothing,
            (true, false) => Ends::Frame,
            (true, true) => Ends::Message,
        };
        let message = self
            .message
            .as_mut()
            .expect("a data frame has joined a message");
        let (used, received) = match message.view {
            View::Messages => (len, self.assemble(piece, ends, limits)?),
            View::Fragments => self.hand_out(piece, at, ends)?,
            View::Frames => (len, self.assemble_frame(piece, at, ends)?),
        };
        self.advance(frame, used, complete && used == len);
        Ok((at + used, received))
    }

    /// Remembers how far a frame has come, unless it is complete.
    fn advance(&mut self, mut frame: Frame, used: usize, complete: bool) {
        frame.received += used as u64;
        self.frame = (!complete).then_some(frame);
    }

    /// Takes in a piece of a control frame; reports the frame when it is whole.
    fn control_piece(
        &mut self,
        header: &FrameHeader,
        at: usize,
        piece: &[u8],
        complete: bool,
    ) -> Result<Option<Received>, ProtocolViolation> {
        if !complete || self.control.is_some() {
            let kept = self.control.get_or_insert_default();
            kept.extend_from_slice(piece);
            debug_assert!(kept.len() <= 125, "the header was checked");
        }
        if !complete {
            return Ok(None);
        }
        let kept = self.control.take().map_or_else(BytesMut::new, |kept| *kept);
        if header.opcode == Opcode::Close {
            let payload = if kept.is_empty() { piece } else { &kept };
            return Ok(Some(Received::Close(Close::decode(payload)?)));
        }
        let place = if kept.is_empty() {
            Place::Input(at..at + piece.len())
        } else {
            Place::Own(kept.freeze())
        };
        Ok(Some(if header.opcode == Opcode::Ping {
            Received::Ping(place)
        } else {
            Received::Pong(place)
        }))
    }

    /// Message view: keeps a piece; reports the message when it is whole.
    fn assemble(
        &mut self,
        piece: &[u8],
        ends: Ends,
        limits: &Limits,
    ) -> Result<Option<Received>, Fault> {
        let last = ends == Ends::Message;
        let message = self
            .message
            .as_mut()
            .expect("a data frame has joined a message");
        if message.compressed {
            let inflater = self.inflater.as_mut().expect("compression was negotiated");
            message.push_compressed(piece, inflater, limits)?;
            if last {
                message.finish_compressed(inflater, limits)?;
            }
        } else {
            message.push(piece)?;
        }
        if !last {
            return Ok(None);
        }
        let kind = message.kind;
        let payload = message.take()?;
        self.message = None;
        Ok(Some(Received::Message(kind, Place::Own(payload))))
    }
}

/// Unmasks what is not unmasked yet of the piece that follows `frame.received`.
fn unmask(frame: &mut Frame, piece: &mut [u8]) {
    let end = frame.received + piece.len() as u64;
    if let Some(key) = frame.header.masking_key {
        let done = frame.unmasked.saturating_sub(frame.received);
        let fresh = usize::try_from(done)
            .ok()
            .and_then(|done| piece.get_mut(done..));
        apply_mask(fresh.unwrap_or_default(), key, frame.unmasked);
    }
    frame.unmasked = frame.unmasked.max(end);
}

/// Gives the kind of message a frame begins; `None` for a continuation.
#[inline]
const fn message_kind(opcode: Opcode) -> Option<MessageKind> {
    match opcode {
        Opcode::Text => Some(MessageKind::Text),
        Opcode::Binary => Some(MessageKind::Binary),
        Opcode::Continuation | Opcode::Close | Opcode::Ping | Opcode::Pong => None,
    }
}
