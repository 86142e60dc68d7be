//! From messages to bytes: the sending half of a connection.

mod batch;
mod compression;
mod control;
mod gain;
mod prepared;
mod queue;

use std::{fmt, io::IoSlice};

use bytes::{Bytes, BytesMut};

pub use batch::PreparedBatch;
pub(crate) use compression::Compression;
pub use prepared::PreparedMessage;
use queue::{SHARED_LEN_MIN, SendQueue};

use crate::{
    error::Misuse,
    frame::{FrameHeader, MaskingKey, MaskingKeySource, Opcode, apply_mask},
    message::{MessageKind, Payload},
    receive::Utf8Validator,
};

/// Says whether a fragment is the last of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fin {
    /// More fragments follow.
    More,
    /// The message is complete.
    Last,
}

/// Encodes what this end sends and queues it.
pub(crate) struct SendPath {
    /// Where masking keys come from; `None` in the server role, which does not mask by the
    /// standard.
    masks: Option<Box<dyn MaskingKeySource>>,
    queue: SendQueue,
    /// The fragmented message that is not finished.
    message: Option<Outgoing>,
    /// The frame sent in pieces that is not finished. Seldom there, so it lies apart.
    frame: Option<Box<OpenFrame>>,
    /// Pongs queued since no control frame waited.
    pong_count: u8,
    /// The newest ping not answered yet, once `pong_count` is at its bound.
    pong_latest: Option<Box<Bytes>>,
    /// A keepalive ping waits to be written.
    ping_waits: bool,
    /// It waits, or waited, behind other bytes.
    ping_deferred: bool,
    /// Bytes were written since it was due.
    progressed: bool,
    compression: Option<Box<Compression>>,
}

/// A message sent in fragments.
#[derive(Debug)]
struct Outgoing {
    kind: MessageKind,
    compressed: bool,
    utf8: Utf8Validator,
}

/// A frame whose payload is sent in pieces.
#[derive(Debug)]
struct OpenFrame {
    missing: u64,
    sent: u64,
    key: Option<MaskingKey>,
    fin: Fin,
}

/// Whether a message may be compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compress {
    /// When it was negotiated, the message is long enough
    /// ([`Config::compression_size_min`](crate::Config::compression_size_min)) and compressing
    /// gained something lately. After three messages of its kind, text or binary, that it did not
    /// make shorter by a sixteenth, one is sent uncompressed before the next is tried, then 3, 7,
    /// 15, 31 and at most 63, until one gains.
    #[default]
    Auto,
    /// Never: for secrets next to text a third party can choose (RFC 7692 section 8).
    Never,
}

impl SendPath {
    pub(crate) fn new(
        masks: Option<Box<dyn MaskingKeySource>>,
        compression: Option<Compression>,
    ) -> Self {
        Self {
            masks,
            queue: SendQueue::default(),
            message: None,
            frame: None,
            pong_count: 0,
            pong_latest: None,
            ping_waits: false,
            ping_deferred: false,
            progressed: false,
            compression: compression.map(Box::new),
        }
    }

    /// Queues what leaves before every frame.
    pub(crate) fn opening(&mut self, answer: Bytes) {
        self.queue.push_opening(answer);
    }

    /// Queues a whole message.
    #[inline]
    pub(crate) fn message(
        &mut self,
        kind: MessageKind,
        payload: &Payload<'_>,
        compress: Compress,
    ) -> Result<(), Misuse> {
        self.check_between_messages()?;
        if compress == Compress::Auto && self.compression.is_some() {
            self.compressed_message(kind, payload);
        } else {
            self.data_frame(FrameStart::sole(kind), payload);
        }
        Ok(())
    }

    /// Queues a fragment of a message; the first one begins it.
    pub(crate) fn fragment(
        &mut self,
        kind: MessageKind,
        payload: Payload<'_>,
        fin: Fin,
        compress: Compress,
    ) -> Result<(), Misuse> {
        let is_first = self.message.is_none() && self.frame.is_none();
        let compress = match &mut self.compression {
            Some(compression) if is_first && compress == Compress::Auto => compression.begins(kind),
            _ => false,
        };
        let (mut message, begins) = self.take_message(kind, compress)?;
        if let Err(misuse) = message.check(&payload, fin) {
            self.message = (!begins).then_some(message);
            return Err(misuse);
        }
        let start = FrameStart {
            opcode: if begins {
                opcode(kind)
            } else {
                Opcode::Continuation
            },
            rsv1: begins && message.compressed,
            fin: fin == Fin::Last,
        };
        let payload = match &mut self.compression {
            Some(compression) if message.compressed => compression.fragment(kind, &payload, fin),
            _ => payload,
        };
        self.data_frame(start, &payload);
        self.message = (fin == Fin::More).then_some(message);
        Ok(())
    }

    /// Queues one frame, uncompressed unless it continues a message that is not. A close frame has
    /// a [call of its own](Self::close).
    pub(crate) fn frame_of(
        &mut self,
        opcode: Opcode,
        payload: Payload<'_>,
        fin: Fin,
    ) -> Result<(), Misuse> {
        let kind = match opcode {
            Opcode::Ping | Opcode::Pong | Opcode::Close => return self.control(opcode, &payload),
            Opcode::Continuation => {
                let message = self.message.as_ref();
                let begun = message.ok_or(Misuse::ContinuationWithoutStart)?;
                begun.kind
            }
            Opcode::Text => self.check_between_messages().map(|()| MessageKind::Text)?,
            Opcode::Binary => self
                .check_between_messages()
                .map(|()| MessageKind::Binary)?,
        };
        self.fragment(kind, payload, fin, Compress::Never)
    }

    /// Queues the header of an uncompressed frame whose payload follows in pieces.
    pub(crate) fn begin_frame(
        &mut self,
        kind: MessageKind,
        payload_len: u64,
        fin: Fin,
    ) -> Result<(), Misuse> {
        if payload_len >= 1 << 63 {
            return Err(Misuse::FramePayload);
        }
        let (mut message, begins) = self.take_message(kind, false)?;
        let allowed = match (message.compressed, payload_len) {
            (true, _) => Err(Misuse::MessageUnfinished),
            (false, 0) => message.check(&[], fin),
            (false, _) => Ok(()),
        };
        if let Err(misuse) = allowed {
            self.message = (!begins).then_some(message);
            return Err(misuse);
        }
        let start = FrameStart {
            opcode: if begins {
                opcode(kind)
            } else {
                Opcode::Continuation
            },
            rsv1: false,
            fin: fin == Fin::Last,
        };
        let key = self.next_key();
        let header = start.header(payload_len, key).encode();
        let header = Bytes::copy_from_slice(header.as_slice());
        self.queue.push_part(header, payload_len == 0);
        self.message = Some(message);
        self.frame = Some(Box::new(OpenFrame {
            missing: payload_len,
            sent: 0,
            key,
            fin,
        }));
        self.end_frame();
        Ok(())
    }

    /// Queues a piece of the payload of the frame that was begun.
    pub(crate) fn frame_payload(&mut self, payload: Payload<'_>) -> Result<(), Misuse> {
        let frame = self.frame.as_mut().ok_or(Misuse::FramePayload)?;
        let len = payload.len() as u64;
        let missing = frame.missing.checked_sub(len).ok_or(Misuse::FramePayload)?;
        let fin = if missing == 0 { frame.fin } else { Fin::More };
        let message = self.message.as_mut().ok_or(Misuse::FramePayload)?;
        message.check(&payload, fin)?;
        if payload.is_empty() {
            return Ok(());
        }
        let part = match frame.key {
            None => payload.into_bytes(),
            Some(key) => {
                let mut masked = BytesMut::from(payload.as_slice());
                apply_mask(&mut masked, key, frame.sent);
                masked.freeze()
            }
        };
        frame.missing = missing;
        frame.sent += len;
        self.queue.push_part(part, missing == 0);
        self.end_frame();
        Ok(())
    }

    /// Gives the kind of the message sent in pieces that is unfinished.
    pub(crate) fn unfinished(&self) -> Option<MessageKind> {
        self.message.as_ref().map(|message| message.kind)
    }

    /// Says whether a frame sent in pieces is unfinished.
    pub(crate) fn is_inside_frame(&self) -> bool {
        self.frame.is_some()
    }

    /// Says whether a message sent in pieces is unfinished.
    pub(crate) fn is_inside_message(&self) -> bool {
        self.message.is_some()
    }

    /// Makes room for small frames of so many bytes together.
    #[inline]
    pub(crate) fn expect(&mut self, len: usize) {
        self.queue.expect(len);
    }

    /// The number of bytes queued.
    pub(crate) fn queued_len(&self) -> usize {
        self.queue.len()
    }

    #[inline]
    pub(crate) fn slices<'a>(&'a mut self, slices: &mut [IoSlice<'a>]) -> usize {
        self.queue.slices(slices)
    }

    #[inline]
    pub(crate) fn advance(&mut self, written: usize) {
        self.queue.advance(written);
        self.progressed |= written > 0;
        if (self.pong_count > 0 || self.ping_waits) && !self.queue.holds_control() {
            self.pong_count = 0;
            self.ping_waits = false;
            if let Some(payload) = self.pong_latest.take() {
                self.answer_ping(&payload);
            }
        }
    }

    /// Drops everything queued: nothing will be written any more.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.message = None;
        self.frame = None;
        self.pong_latest = None;
        self.compression = None;
    }

    fn check_between_messages(&self) -> Result<(), Misuse> {
        match (&self.message, &self.frame) {
            (None, None) => Ok(()),
            (_, Some(_)) => Err(Misuse::FrameUnfinished),
            (Some(_), None) => Err(Misuse::MessageUnfinished),
        }
    }

    /// Takes the unfinished message to continue it, or begins one; says which.
    fn take_message(
        &mut self,
        kind: MessageKind,
        compressed: bool,
    ) -> Result<(Outgoing, bool), Misuse> {
        if self.frame.is_some() {
            return Err(Misuse::FrameUnfinished);
        }
        match self.message.take() {
            None => Ok((
                Outgoing {
                    kind,
                    compressed,
                    utf8: Utf8Validator::default(),
                },
                true,
            )),
            Some(message) if message.kind == kind => Ok((message, false)),
            Some(message) => {
                self.message = Some(message);
                Err(Misuse::FragmentKind)
            }
        }
    }

    /// Forgets a frame sent in pieces once it is complete, and its message if it was the last.
    fn end_frame(&mut self) {
        let Some(fin) = self
            .frame
            .as_ref()
            .filter(|frame| frame.missing == 0)
            .map(|f| f.fin)
        else {
            return;
        };
        self.frame = None;
        if fin == Fin::Last {
            self.message = None;
        }
    }

    /// Sends a message of a connection that compresses, compressed if that is worth it.
    fn compressed_message(&mut self, kind: MessageKind, payload: &Payload<'_>) {
        let compression = self.compression.as_mut();
        let compressed = compression.and_then(|it| it.message(kind, payload));
        let mut start = FrameStart::sole(kind);
        match compressed {
            None => self.data_frame(start, payload),
            Some(output) => {
                start.rsv1 = true;
                self.data_frame(start, &Payload::Shared(output));
            }
        }
    }

    #[inline]
    fn data_frame(&mut self, start: FrameStart, payload: &Payload<'_>) {
        let key = self.next_key();
        let header = start.header(payload.len() as u64, key).encode();
        match payload {
            Payload::Shared(bytes) if key.is_none() && bytes.len() >= SHARED_LEN_MIN => {
                self.queue.push_shared(&header, bytes.clone());
            }
            Payload::Shared(_) | Payload::Borrowed(_) => {
                self.queue.push_copied(&header, payload, key);
            }
        }
    }

    #[inline]
    fn next_key(&mut self) -> Option<MaskingKey> {
        self.masks.as_mut().map(|source| source.masking_key())
    }
}

impl fmt::Debug for SendPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendPath")
            .field("queue", &self.queue)
            .field("message", &self.message)
            .field("frame", &self.frame)
            .finish_non_exhaustive()
    }
}

impl Outgoing {
    /// RFC 6455 section 5.6: text must be UTF-8, across its fragments.
    fn check(&mut self, payload: &[u8], fin: Fin) -> Result<(), Misuse> {
        if self.kind == MessageKind::Binary {
            return Ok(());
        }
        let mut utf8 = self.utf8.clone();
        utf8.feed(payload).map_err(|_| Misuse::TextUtf8)?;
        if fin == Fin::Last {
            utf8.finish().map_err(|_| Misuse::TextUtf8)?;
        }
        self.utf8 = utf8;
        Ok(())
    }
}

/// The parts of a header that do not depend on the payload.
#[derive(Clone, Copy)]
struct FrameStart {
    opcode: Opcode,
    rsv1: bool,
    fin: bool,
}

impl FrameStart {
    fn sole(kind: MessageKind) -> Self {
        Self {
            opcode: opcode(kind),
            rsv1: false,
            fin: true,
        }
    }

    #[inline]
    fn header(self, payload_len: u64, masking_key: Option<MaskingKey>) -> FrameHeader {
        let Self { opcode, rsv1, fin } = self;
        FrameHeader {
            fin,
            rsv1,
            rsv2: false,
            rsv3: false,
            opcode,
            payload_len,
            masking_key,
        }
    }
}

fn opcode(kind: MessageKind) -> Opcode {
    match kind {
        MessageKind::Text => Opcode::Text,
        MessageKind::Binary => Opcode::Binary,
    }
}
