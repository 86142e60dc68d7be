//! Messages that are taken out of the received bytes as they lie there.

use std::time::Instant;

use bytes::{Buf as _, Bytes, BytesMut};

use super::Connection;
use crate::message::{Message, Payload};

impl Connection {
    /// Takes a message off the front of `input` if one lies there whole, in a single frame and
    /// uncompressed; leaves everything else to [`poll_event`](Self::poll_event).
    ///
    /// A payload of `shared_len_min` bytes or more stays where it is and shares the storage of
    /// `input`, which lives as long as it does; a shorter one is copied. Only in the message view.
    #[inline]
    pub fn take_message(
        &mut self,
        now: Instant,
        input: &mut BytesMut,
        shared_len_min: usize,
    ) -> Option<Message<'static>> {
        if input.is_empty() || !self.state.is_reading() {
            return None;
        }
        let limits = &self.config.limits;
        let (kind, place) = self.receive.take_sole_message(limits, input)?;
        self.keepalive.heard(now);
        self.counters.wire_bytes_in = self.counters.wire_bytes_in.wrapping_add(place.end as u64);
        self.note_message(place.len(), true, now);
        let payload = if place.len() < shared_len_min {
            let payload = Bytes::copy_from_slice(input.get(place.clone()).unwrap_or_default());
            input.advance(place.end);
            payload
        } else {
            let mut frame = input.split_to(place.end).freeze();
            frame.advance(place.start);
            frame
        };
        Some(Message::validated(kind, Payload::Shared(payload)))
    }
}
