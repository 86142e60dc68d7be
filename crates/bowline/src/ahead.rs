//! Messages taken from a connection before the application asks for them.

use std::collections::VecDeque;

use bowline_proto::Message;

use crate::shared::Shared;

/// Holds the messages that arrived together with one that was received, so that the next receives
/// need not lock the connection. Owns nothing while there are none.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    messages: VecDeque<Message<'static>>,
}

impl Ahead {
    /// Takes the next message, except the last: with that one the connection has to know that there
    /// are no more.
    #[inline]
    pub(crate) fn pop_but_last(&mut self) -> Option<Message<'static>> {
        if self.messages.len() < 2 {
            return None;
        }
        self.messages.pop_front()
    }

    /// Takes the next message.
    pub(crate) fn pop(&mut self) -> Option<Message<'static>> {
        self.messages.pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Takes the last message.
    pub(crate) fn pop_last(&mut self) -> Option<Message<'static>> {
        debug_assert!(self.messages.len() < 2, "it is the last");
        std::mem::take(&mut self.messages).pop_front()
    }

    /// Takes messages in as long as there are some and there is room; gives how many there are.
    pub(crate) fn fill(&mut self, mut next: impl FnMut() -> Option<Message<'static>>) -> usize {
        while self.messages.len() < MESSAGES_MAX
            && let Some(message) = next()
        {
            if self.messages.capacity() == 0 {
                self.messages.reserve(MESSAGES_START);
            }
            self.messages.push_back(message);
        }
        self.messages.len()
    }

    /// Gives everything back, for those who receive in another way.
    #[inline]
    pub(crate) fn give_back<S>(&mut self, shared: &Shared<S>) {
        if !self.messages.is_empty() {
            shared.take_back(std::mem::take(self));
        }
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        self.messages = VecDeque::new();
    }
}

/// How many messages are taken ahead at most. Their bytes are those of one read at most.
const MESSAGES_MAX: usize = 32;
/// How many there is room for at first.
const MESSAGES_START: usize = 16;
