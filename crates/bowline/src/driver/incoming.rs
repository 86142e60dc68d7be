//! What was received and not taken yet.

use bowline_proto::{ConnectionState, Event, Message, ReadAhead};
use bytes::{Buf as _, BytesMut};

use super::{Driver, Handing};
use crate::transport::Transport;

impl<S: Transport> Driver<S> {
    /// Gives the first event that `take` takes, from bytes that are here already.
    #[inline]
    pub(crate) fn take_buffered<T>(
        &mut self,
        take: &mut impl FnMut(Event<'_>) -> Option<T>,
    ) -> Option<T> {
        if !self.has_input() && !self.connection.has_event() {
            return None;
        }
        loop {
            if let Some(message) = self.take_message() {
                match take(Event::Message(message)) {
                    None => continue,
                    taken => return taken,
                }
            }
            let (used, event) = self
                .connection
                .poll_event(self.received_at, &mut self.input);
            let found = event.map(&mut *take);
            self.input.advance(used);
            if used > 0 && self.input.is_empty() {
                self.end_input();
            }
            match found {
                None => return None,
                Some(None) => {}
                Some(taken) => return taken,
            }
        }
    }

    /// Lends what is here already, for messages to be taken before the application asks.
    #[inline]
    pub(crate) fn lend(&mut self) -> Option<ReadAhead> {
        let shared_len_min = self.shared_len_min();
        let lent = self
            .connection
            .read_ahead(&mut self.input, shared_len_min)?;
        self.handing = Handing::Ahead;
        Some(lent)
    }

    /// Takes a message that is here already, and whole.
    #[inline]
    fn take_message(&mut self) -> Option<Message<'static>> {
        let shared_len_min = self.shared_len_min();
        let message =
            self.connection
                .take_message(self.received_at, &mut self.input, shared_len_min)?;
        if self.input.is_empty() {
            self.end_input();
        }
        Some(message)
    }
}

impl<S> Driver<S> {
    /// Says whether received messages wait, so that the next receive needs no read.
    pub(crate) fn has_input(&self) -> bool {
        self.handing == Handing::Ahead || !self.input.is_empty()
    }

    /// Says how many bytes arrived together with what was received last; zero for none.
    pub(crate) fn burst_len(&self) -> usize {
        self.burst_len as usize
    }

    /// Takes back what was lent.
    pub(crate) fn take_back(&mut self, lent: ReadAhead) {
        debug_assert!(self.input.is_empty(), "it was lent");
        self.handing = Handing::AsAsked;
        // Each message counts as an event of the task.
        let count = u8::try_from(lent.taken()).unwrap_or(u8::MAX);
        self.taken_count = self.taken_count.saturating_add(count);
        self.input = self.connection.end_read_ahead(self.received_at, lent);
        if self.input.is_empty() || self.connection.state() == ConnectionState::Closed {
            self.end_input();
        }
    }

    /// Takes the bytes that were received and not given to the engine.
    pub(crate) fn take_input(&mut self) -> BytesMut {
        std::mem::take(&mut self.input)
    }

    /// Takes bytes back that were not given to the engine after all.
    pub(crate) fn put_back(&mut self, rest: &[u8]) {
        debug_assert!(self.input.is_empty(), "it was taken");
        if !rest.is_empty() && self.connection.state() != ConnectionState::Closed {
            self.set_input(BytesMut::from(rest), rest.len());
        }
    }

    /// Keeps the rest of what was received, which was `burst_len` bytes.
    pub(super) fn set_input(&mut self, input: BytesMut, burst_len: usize) {
        self.burst_len = u32::try_from(burst_len).unwrap_or(u32::MAX);
        self.input = input;
    }

    /// Takes note of how much came at once, with several messages in it.
    pub(super) fn expect_burst(&mut self, len: usize) {
        let is_large = (OWN_BUFFER_LEN_MIN..=OWN_BUFFER_LEN_MAX).contains(&len);
        // A little more may come, and should not take a second read.
        let expected = if is_large { len + len / 8 } else { 0 };
        self.expected_len = u32::try_from(expected).unwrap_or(0);
    }

    pub(super) fn drop_input(&mut self) {
        self.input = BytesMut::new();
    }

    /// What is shorter is copied out of the input, so that it does not keep all of it.
    fn shared_len_min(&self) -> usize {
        (self.burst_len as usize).div_ceil(PINNED_RATIO_MAX)
    }

    /// Gives the storage back once it is used up.
    fn end_input(&mut self) {
        self.drop_input();
        self.tally();
    }
}

/// Less is copied out of the thread's buffer faster than it gets storage of its own.
const OWN_BUFFER_LEN_MIN: usize = 2 << 10;
/// Of more the end is missing most likely, for it is as much as one read takes.
const OWN_BUFFER_LEN_MAX: usize = 48 << 10;
/// A message that shares the storage of what was received with it keeps at most this many times
/// its length in memory.
const PINNED_RATIO_MAX: usize = 32;
