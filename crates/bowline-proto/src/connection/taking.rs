//! Messages that are taken out of the received bytes as they lie there.

use std::time::Instant;

use bytes::{Buf as _, Bytes, BytesMut};

use super::Connection;
use crate::{
    error::ProtocolViolation,
    message::{Message, Payload},
    receive::SoleFrames,
};

/// Takes messages out of received bytes while the connection is elsewhere, see
/// [`Connection::read_ahead`].
#[derive(Debug)]
pub struct ReadAhead {
    input: BytesMut,
    /// Where the next frame begins.
    at: usize,
    frames: SoleFrames,
    /// Payloads from here on share the storage of the input.
    shared_len_min: u32,
    messages: u32,
    payload_bytes: u64,
    wire_bytes: u64,
    violation: Option<ProtocolViolation>,
}

impl ReadAhead {
    /// Takes the next message if it lies there whole, in a single frame and uncompressed.
    ///
    /// `None` says that the connection has to look at what is left; what breaks a rule is left too,
    /// and nothing behind it is taken.
    #[inline]
    pub fn take(&mut self) -> Option<Message<'static>> {
        if self.violation.is_some() {
            return None;
        }
        let rest = self.input.get_mut(self.at..)?;
        let (kind, place) = match self.frames.take(rest)? {
            Ok(found) => found,
            Err(violation) => {
                self.violation = Some(violation);
                return None;
            }
        };
        self.messages += 1;
        self.payload_bytes += place.len() as u64;
        self.wire_bytes += place.end as u64;
        let payload = rest.get(place.clone()).unwrap_or_default();
        let payload = if payload.len() < self.shared_len_min as usize {
            self.at += place.end;
            Payload::Shared(Bytes::copy_from_slice(payload))
        } else {
            let mut frame = self.input.split_to(self.at + place.end).freeze();
            frame.advance(self.at + place.start);
            self.at = 0;
            Payload::Shared(frame)
        };
        Some(Message::validated(kind, payload))
    }

    /// Gives how many messages were taken.
    #[inline]
    pub const fn taken(&self) -> u32 {
        self.messages
    }

    /// Says whether no byte is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.at >= self.input.len()
    }
}

impl Connection {
    /// Lends the taking of messages, so that it needs the connection only once for all that arrived
    /// together; `input` is left empty then.
    ///
    /// `None` if `input` does not begin with a message in a single frame, uncompressed. Nothing may
    /// be given to the connection until [`end_read_ahead`](Self::end_read_ahead). Payloads of
    /// `shared_len_min` bytes or more share the storage of `input`, which lives as long as they do;
    /// shorter ones are copied. Only in the message view.
    #[inline]
    pub fn read_ahead(&mut self, input: &mut BytesMut, shared_len_min: usize) -> Option<ReadAhead> {
        if !self.state.is_reading() || !SoleFrames::may_begin(input) {
            return None;
        }
        Some(ReadAhead {
            frames: self.receive.sole_frames(&self.config.limits)?,
            input: std::mem::take(input),
            at: 0,
            shared_len_min: u32::try_from(shared_len_min).unwrap_or(u32::MAX),
            messages: 0,
            payload_bytes: 0,
            wire_bytes: 0,
            violation: None,
        })
    }

    /// Takes note of the messages that were taken; gives the bytes that are left.
    ///
    /// `now` is when they arrived.
    pub fn end_read_ahead(&mut self, now: Instant, ahead: ReadAhead) -> BytesMut {
        let mut rest = ahead.input;
        rest.advance(ahead.at.min(rest.len()));
        if ahead.messages > 0 {
            self.keepalive.heard(now);
            self.counters
                .receive_many(ahead.messages, ahead.payload_bytes);
            self.counters.wire_bytes_in =
                self.counters.wire_bytes_in.wrapping_add(ahead.wire_bytes);
            self.note_life(now);
        }
        if let Some(violation) = ahead.violation {
            self.receive.note_violation(violation);
        }
        rest
    }

    /// Takes a message off the front of `input` if one lies there whole, in a single frame and
    /// uncompressed; leaves everything else to [`poll_event`](Self::poll_event).
    ///
    /// As [`read_ahead`](Self::read_ahead), for one message.
    #[inline]
    pub fn take_message(
        &mut self,
        now: Instant,
        input: &mut BytesMut,
        shared_len_min: usize,
    ) -> Option<Message<'static>> {
        let mut ahead = self.read_ahead(input, shared_len_min)?;
        let message = ahead.take();
        *input = self.end_read_ahead(now, ahead);
        message
    }
}
