//! How much passed through one connection.

/// Counts what passed through a connection since its opening handshake.
///
/// Payload is counted as the application sees it, before compression and after inflating; the
/// wire's bytes are those of the stream: headers, control frames and what compression left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Messages received whole.
    pub messages_in: u64,
    /// Messages queued whole; those cut off by the end are counted too.
    pub messages_out: u64,
    /// Bytes of payload handed out, uncompressed.
    pub payload_bytes_in: u64,
    /// Bytes of payload queued, before compression.
    pub payload_bytes_out: u64,
    /// Bytes taken in from the stream.
    pub wire_bytes_in: u64,
    /// Bytes written to the stream.
    pub wire_bytes_out: u64,
    /// Pings received; stays at the largest number rather than start again.
    pub pings_in: u32,
    /// Keepalive pings whose pong came; each gave a round-trip time.
    pub round_trips: u32,
}

impl Counters {
    /// Notes payload handed out; `ends` with the last of a message.
    #[inline]
    pub(super) const fn receive(&mut self, len: usize, ends: bool) {
        self.payload_bytes_in = self.payload_bytes_in.wrapping_add(len as u64);
        self.messages_in = self.messages_in.wrapping_add(ends as u64);
    }

    /// Notes whole messages handed out.
    #[inline]
    pub(super) const fn receive_many(&mut self, messages: u32, payload_bytes: u64) {
        self.payload_bytes_in = self.payload_bytes_in.wrapping_add(payload_bytes);
        self.messages_in = self.messages_in.wrapping_add(messages as u64);
    }

    /// Notes payload queued; `ends` with the last of a message.
    #[inline]
    pub(super) const fn send(&mut self, len: usize, ends: bool) {
        self.payload_bytes_out = self.payload_bytes_out.wrapping_add(len as u64);
        self.messages_out = self.messages_out.wrapping_add(ends as u64);
    }

    /// Notes whole messages queued together.
    #[inline]
    pub(super) const fn send_all(&mut self, len: usize, count: usize) {
        self.payload_bytes_out = self.payload_bytes_out.wrapping_add(len as u64);
        self.messages_out = self.messages_out.wrapping_add(count as u64);
    }
}
