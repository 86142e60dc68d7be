//! Messages taken from a connection before the application asks for them.

use bowline_proto::{Message, ReadAhead};

use crate::shared::Shared;

/// Holds what arrived together with a message that was received, so that the next receives need not
/// lock the connection. Owns nothing while there is nothing, and takes little room then: every idle
/// task holds one.
#[derive(Debug, Default)]
pub(crate) struct Ahead(Option<Box<ReadAhead>>);

impl Ahead {
    /// Takes the next message that is here.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Message<'static>> {
        self.0.as_mut()?.take()
    }

    /// Says whether the connection has to look at what is left, or has to know that nothing is.
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        let is_due = |ahead: &ReadAhead| ahead.is_empty() || ahead.taken() >= MESSAGES_MAX;
        self.0.as_deref().is_some_and(is_due)
    }

    /// Begins with what a connection lends.
    #[inline]
    pub(crate) fn begin(&mut self, lent: Option<ReadAhead>) {
        self.0 = lent.map(Box::new);
    }

    /// Takes everything out, for the connection.
    #[inline]
    pub(crate) fn end(&mut self) -> Option<ReadAhead> {
        self.0.take().map(|lent| *lent)
    }

    /// Gives everything back, for those who receive in another way.
    #[inline]
    pub(crate) fn give_back<S>(&mut self, shared: &Shared<S>) {
        if let Some(lent) = self.end() {
            shared.take_back(lent);
        }
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }
}

/// How many messages are taken ahead at most. Their bytes are those of one read at most.
const MESSAGES_MAX: u32 = 32;
