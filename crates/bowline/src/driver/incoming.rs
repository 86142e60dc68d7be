//! What was received and not taken yet.

use bowline_proto::{Event, Message};
use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Driver, Handing};
use crate::ahead::Ahead;

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
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

    /// Lets the application have messages that are here already before it asks.
    pub(crate) fn fill_ahead(&mut self, ahead: &mut Ahead) {
        let count = ahead.fill(|| self.take_message());
        if count > 0 {
            self.handing = Handing::Ahead;
        }
        // Each of them counts as an event of the task.
        let count = u8::try_from(count).unwrap_or(u8::MAX);
        self.taken_count = self.taken_count.saturating_add(count);
    }

    /// Takes a message that is here already, and whole.
    #[inline]
    fn take_message(&mut self) -> Option<Message<'static>> {
        if self.returned.is_some() {
            return self.take_returned();
        }
        let shared_len_min = (self.burst_len as usize).div_ceil(PINNED_RATIO_MAX);
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
        self.handing == Handing::Ahead || !self.input.is_empty() || self.returned.is_some()
    }

    /// Says how many bytes arrived together with what was received last; zero for none.
    pub(crate) fn burst_len(&self) -> usize {
        self.burst_len as usize
    }

    /// Notes that the application has had all that it was let have before it asked.
    pub(crate) fn end_ahead(&mut self) {
        self.handing = Handing::AsAsked;
    }

    /// Takes messages back that the application was let have before it asked.
    pub(crate) fn take_back(&mut self, messages: Ahead) {
        debug_assert!(self.returned.is_none(), "the oldest were handed out first");
        self.handing = Handing::AsAsked;
        self.returned = Some(Box::new(messages));
    }

    /// Takes the first of the messages that were given back.
    #[cold]
    pub(crate) fn take_returned(&mut self) -> Option<Message<'static>> {
        let returned = self.returned.as_mut()?;
        let message = returned.pop();
        if returned.is_empty() {
            self.returned = None;
        }
        message
    }

    /// Takes the bytes that were received and not given to the engine.
    pub(crate) fn take_input(&mut self) -> BytesMut {
        std::mem::take(&mut self.input)
    }

    /// Takes bytes back that were not given to the engine after all.
    pub(crate) fn put_back(&mut self, rest: &[u8]) {
        debug_assert!(self.input.is_empty(), "it was taken");
        if !rest.is_empty() && self.connection.state() != bowline_proto::ConnectionState::Closed {
            self.set_input(BytesMut::from(rest), rest.len());
        }
    }

    /// Keeps the rest of what was received, which was `burst_len` bytes.
    pub(super) fn set_input(&mut self, input: BytesMut, burst_len: usize) {
        self.burst_len = u32::try_from(burst_len).unwrap_or(u32::MAX);
        self.input = input;
    }

    pub(super) fn drop_input(&mut self) {
        self.input = BytesMut::new();
    }

    /// Gives the storage back once it is used up.
    fn end_input(&mut self) {
        self.drop_input();
        self.tally();
    }
}

/// A message that shares the storage of what was received with it keeps at most this many times
/// its length in memory.
const PINNED_RATIO_MAX: usize = 32;
