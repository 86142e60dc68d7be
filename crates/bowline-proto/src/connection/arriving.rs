//! A long payload that is read to where it stays.

use std::time::Instant;

use bytes::BytesMut;

use super::Connection;

/// The storage of a message that is arriving, lent for a read, see
/// [`Connection::lend_payload`].
#[derive(Debug)]
pub struct ArrivingPayload {
    storage: BytesMut,
    /// The length before the read.
    start: usize,
    room: usize,
}

impl ArrivingPayload {
    /// Gives what has arrived, for a read to append to it.
    pub const fn storage(&mut self) -> &mut BytesMut {
        &mut self.storage
    }

    /// Gives the most bytes that may be appended.
    pub const fn room(&self) -> usize {
        self.room
    }
}

impl Connection {
    /// Lends the storage of the message that is arriving, if at least `arrived_min` bytes of it are
    /// there and `missing_min` bytes of its frame are missing, so that the next read appends to it
    /// instead of being copied there.
    ///
    /// The caller makes room as it sees fit; memory should follow what has arrived, not
    /// what is missing. Whatever was read or not, [`take_payload_back`](Self::take_payload_back)
    /// comes next; until then nothing may be given to the connection but its end. Only in the
    /// message view, for messages that are not compressed.
    pub fn lend_payload(
        &mut self,
        arrived_min: usize,
        missing_min: usize,
    ) -> Option<ArrivingPayload> {
        if !self.state.is_reading() {
            return None;
        }
        let (storage, missing) = self
            .receive
            .lend_storage(arrived_min, missing_min.max(2) as u64)?;
        Some(ArrivingPayload {
            start: storage.len(),
            // The last byte takes the way of all others, which finds the end of the message.
            room: usize::try_from(missing - 1).unwrap_or(usize::MAX),
            storage,
        })
    }

    /// Takes back what was lent, with the bytes appended to it, which arrived at `now`.
    ///
    /// # Panics
    /// In debug builds, if more was appended than there was room for.
    pub fn take_payload_back(&mut self, now: Instant, payload: ArrivingPayload) {
        let ArrivingPayload {
            storage,
            room,
            start,
        } = payload;
        let filled = storage.len().saturating_sub(start);
        debug_assert!(filled <= room, "there was room for {room} bytes");
        if filled > 0 {
            self.keepalive.heard(now);
            self.counters.wire_bytes_in = self.counters.wire_bytes_in.wrapping_add(filled as u64);
        }
        if let Err(fault) = self.receive.take_storage_back(storage, start) {
            self.fail_with(fault, now);
        }
    }
}
