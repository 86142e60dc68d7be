//! What the application does with a connection.

use std::time::Instant;

use super::Connection;
use crate::{
    ending::{EndedBy, Ending},
    error::{Cause, Misuse},
    frame::{Close, Opcode},
    message::{Message, MessageKind, Payload, Text},
    send::{Compress, Fin, PreparedBatch, PreparedMessage},
    state::{Change, State},
};

impl Connection {
    /// Queues a message.
    ///
    /// # Errors
    /// [`Misuse::SendAfterClose`] once the closing handshake began;
    /// [`Misuse::MessageUnfinished`] and [`Misuse::FrameUnfinished`] inside a message sent in
    /// pieces.
    #[inline]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "what is sent is given away in most programs"
    )]
    pub fn send(&mut self, message: Message<'_>) -> Result<(), Misuse> {
        self.send_with(&message, Compress::Auto)
    }

    /// Queues a message that the caller keeps, and says whether it may be compressed. A long
    /// payload is shared, not copied.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    #[inline]
    pub fn send_with(&mut self, message: &Message<'_>, compress: Compress) -> Result<(), Misuse> {
        self.check_open()?;
        let payload = message.payload();
        self.send.message(message.kind(), payload, compress)?;
        self.counters.send(payload.len(), true);
        Ok(())
    }

    /// Says that small messages of about so many bytes together will be sent now, so that they find
    /// room at once. Has no effect while something is queued, and up to 32 KiB only.
    #[inline]
    pub fn expect_sends(&mut self, len: usize) {
        self.send.expect(len);
    }

    /// Queues a text message.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_text(&mut self, text: &str) -> Result<(), Misuse> {
        self.send(Message::Text(Text::from(text)))
    }

    /// Queues a binary message.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_binary(&mut self, payload: &[u8]) -> Result<(), Misuse> {
        self.send(Message::Binary(Payload::Borrowed(payload)))
    }

    /// Queues a message that is encoded once for many connections.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Misuse> {
        self.check_open()?;
        self.send.prepared(message)?;
        self.counters.send(message.len(), true);
        Ok(())
    }

    /// Queues messages that are encoded once for many connections, one after the other.
    ///
    /// # Errors
    /// As [`send`](Self::send); then none of them is queued.
    pub fn send_prepared_batch(&mut self, batch: &PreparedBatch) -> Result<(), Misuse> {
        self.write_prepared_batch(batch, |_| 0)
    }

    /// Queues messages as [`send_prepared_batch`](Self::send_prepared_batch), but for those bytes
    /// that `write` writes at once; it says how many.
    ///
    /// It is called at most once, and not while anything is queued before them.
    ///
    /// # Errors
    /// As [`send`](Self::send); then nothing is written and none of them is queued.
    pub fn write_prepared_batch(
        &mut self,
        batch: &PreparedBatch,
        write: impl FnOnce(&[u8]) -> usize,
    ) -> Result<(), Misuse> {
        self.check_open()?;
        if let Some(written) = self.send.batch(batch, write)? {
            self.counters.send_all(batch.payload_len(), batch.len());
            let wire_bytes = &mut self.counters.wire_bytes_out;
            *wire_bytes = wire_bytes.wrapping_add(written as u64);
            return Ok(());
        }
        for message in batch.messages() {
            self.send_prepared(message)?;
        }
        Ok(())
    }

    /// Queues a fragment of a message; the first one begins the message.
    ///
    /// Whether the message is compressed is decided by the first fragment; each one can be read
    /// by the peer as soon as it arrives.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Misuse::FragmentKind`] if the kind is not the message's;
    /// [`Misuse::TextUtf8`] if text is not UTF-8, across fragments.
    pub fn send_fragment(
        &mut self,
        kind: MessageKind,
        payload: Payload<'_>,
        fin: Fin,
        compress: Compress,
    ) -> Result<(), Misuse> {
        self.check_open()?;
        let len = payload.len();
        self.send.fragment(kind, payload, fin, compress)?;
        self.counters.send(len, fin == Fin::Last);
        Ok(())
    }

    /// Queues the header of a frame of `payload_len` bytes, whose payload follows in pieces.
    ///
    /// So a frame of any length passes in constant memory. It is not compressed.
    ///
    /// # Errors
    /// As [`send_fragment`](Self::send_fragment); [`Misuse::FramePayload`] for 2^63 bytes or more;
    /// [`Misuse::MessageUnfinished`] inside a compressed message.
    pub fn begin_frame(
        &mut self,
        kind: MessageKind,
        payload_len: u64,
        fin: Fin,
    ) -> Result<(), Misuse> {
        self.check_open()?;
        self.send.begin_frame(kind, payload_len, fin)?;
        self.counters.send(0, !self.send.is_inside_message());
        Ok(())
    }

    /// Queues a piece of the payload of the frame that was begun.
    ///
    /// # Errors
    /// [`Misuse::SendAfterClose`]; [`Misuse::FramePayload`] for more than was announced;
    /// [`Misuse::TextUtf8`] if text is not UTF-8.
    pub fn send_frame_payload(&mut self, payload: Payload<'_>) -> Result<(), Misuse> {
        self.check_open()?;
        let len = payload.len();
        self.send.frame_payload(payload)?;
        self.counters.send(len, !self.send.is_inside_message());
        Ok(())
    }

    /// Queues one frame by its opcode: data uncompressed, a ping or pong ahead of data, a close frame
    /// as [`close`](Self::close) does.
    ///
    /// # Errors
    /// [`Misuse::MessageUnfinished`] for text or binary while a message is unfinished;
    /// [`Misuse::ContinuationWithoutStart`] for a continuation while none is (RFC 6455 section
    /// 5.4); [`Misuse::ControlFragmented`] and [`Misuse::ControlTooLong`] (section 5.5); as
    /// [`send_fragment`](Self::send_fragment) and [`Close::from_payload`] otherwise. A close frame
    /// once the closing handshake began is no error and does nothing.
    pub fn send_frame(
        &mut self,
        now: Instant,
        opcode: Opcode,
        payload: Payload<'_>,
        fin: Fin,
    ) -> Result<(), Misuse> {
        if opcode.is_control() && fin == Fin::More {
            return Err(Misuse::ControlFragmented);
        }
        if opcode == Opcode::Close {
            let close = Close::from_payload(&payload)?;
            return self.close(now, close.as_ref());
        }
        self.check_open()?;
        let len = payload.len();
        self.send.frame_of(opcode, payload, fin)?;
        if opcode.is_data() {
            self.counters.send(len, fin == Fin::Last);
        }
        Ok(())
    }

    /// Says whether a frame sent in pieces is unfinished.
    pub fn is_inside_frame(&self) -> bool {
        self.send.is_inside_frame()
    }

    /// Gives the kind of the message sent in pieces that is unfinished.
    pub fn unfinished(&self) -> Option<MessageKind> {
        self.send.unfinished()
    }

    /// Queues a ping, ahead of data. The payload has at most 125 bytes.
    ///
    /// # Errors
    /// [`Misuse::SendAfterClose`], [`Misuse::ControlTooLong`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Misuse> {
        self.check_open()?;
        self.send.control(Opcode::Ping, payload)
    }

    /// Queues a pong, ahead of data: the answer to a ping in manual mode, or a sign of life.
    ///
    /// # Errors
    /// [`Misuse::SendAfterClose`], [`Misuse::ControlTooLong`].
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), Misuse> {
        self.check_open()?;
        self.send.control(Opcode::Pong, payload)
    }

    /// Begins the closing handshake behind the messages queued; `None` sends no code.
    ///
    /// Does nothing if it has begun already. Messages of the peer still arrive until its answer.
    ///
    /// # Errors
    /// [`Misuse::FrameUnfinished`] inside a frame sent in pieces: use [`abort`](Self::abort).
    pub fn close(&mut self, now: Instant, close: Option<&Close>) -> Result<(), Misuse> {
        if self.state != State::Open {
            return Ok(());
        }
        if self.send.is_inside_frame() {
            return Err(Misuse::FrameUnfinished);
        }
        self.send.close(close);
        self.ending = Some(Box::new(Ending::clean(EndedBy::Local, close)));
        self.change(Change::SendClose, now);
        Ok(())
    }

    /// Ends the connection at once, without a close frame. An ending that is decided stays.
    pub fn abort(&mut self) {
        self.end(EndedBy::Local, Cause::Aborted);
    }

    fn check_open(&self) -> Result<(), Misuse> {
        if self.state == State::Open {
            Ok(())
        } else {
            Err(Misuse::SendAfterClose)
        }
    }
}
