//! Where a connection tells its observer.

use tracing::Span;

use super::Driver;
use crate::{
    link::Backlog,
    metrics::{Joined, Observer},
    outbox::{OutboxLimits, Refused, Sent},
};

impl<S> Driver<S> {
    /// Has the connection watched from here on.
    pub(crate) fn observe(&mut self, mut observer: Box<Observer>) {
        observer.begin();
        self.observer = Some(observer);
        self.tally();
    }

    /// Tells to which group the connection belongs; gives its span.
    pub(crate) fn join(&mut self, joined: &Joined<'_>) -> Span {
        if let Some(observer) = &mut self.observer {
            observer.join(joined);
        } else if let Some(observer) = Observer::joining(joined) {
            self.observe(observer);
        }
        self.observer
            .as_ref()
            .map_or_else(Span::none, |observer| observer.span().clone())
    }

    /// Says whether somebody watches the connection.
    pub(crate) fn is_observed(&self) -> bool {
        self.observer.is_some()
    }

    /// Says how much waits for the peer.
    pub(crate) fn backlog(&self) -> Backlog {
        let outbox = self.outbox.as_ref();
        Backlog {
            messages: outbox.map_or(0, |outbox| outbox.len()),
            bytes: outbox.map_or(0, |outbox| outbox.bytes()),
            framed_bytes: self.connection.queued_len(),
        }
    }

    /// Takes note that the peer does not keep up, if that began since this was last asked.
    pub(crate) fn take_slow_episode(&mut self) -> bool {
        std::mem::take(&mut self.slow_episode)
    }

    /// Adds what was done since the last time to the metrics.
    #[inline]
    pub(super) fn tally(&mut self) {
        if self.observer.is_some() {
            self.tally_observed();
        }
    }

    fn tally_observed(&mut self) {
        let backlog = self.backlog();
        if let Some(observer) = &mut self.observer {
            observer.tally(&self.connection, backlog);
        }
    }

    /// Tells how the connection ended.
    pub(super) fn tell_end(&mut self) {
        if let Some(observer) = &mut self.observer {
            observer.end(&self.connection);
        }
    }

    /// Tells what became of a message that was put into the outbox.
    pub(super) fn tell_pushed(
        &mut self,
        pushed: &Result<Sent, Refused>,
        dropped: u64,
        limits: &OutboxLimits,
    ) {
        let is_full = matches!(pushed, Err(Refused::Full | Refused::TooSlow));
        if dropped == 0 && !is_full {
            return;
        }
        let outbox = self.outbox.as_mut();
        let begins = outbox.is_some_and(|outbox| outbox.begin_slow_episode());
        self.slow_episode |= begins;
        if let Some(observer) = &self.observer {
            observer.dropped(&limits.policy, dropped);
            if begins {
                observer.slow_episode();
            }
        }
    }
}
