//! When something is due, and what then.

use std::{
    future::Future as _,
    task::{Context, Poll},
    time::Instant,
};

use bowline_proto::ConnectionState;
use tokio::{runtime::Handle, time::sleep_until};

use super::{Driver, Reading, now};
use crate::{outbox::LastFrame, transport::Transport};

impl<S: Transport> Driver<S> {
    /// Says whether a deadline may have passed when something was received last, without asking the
    /// timer: while the connection is open, deadlines only move away from it.
    #[inline]
    pub(super) fn may_be_due(&self) -> bool {
        let received_at = tokio::time::Instant::from_std(self.received_at);
        let timer = self.timer.as_ref();
        timer.is_none_or(|timer| timer.deadline() <= received_at) || self.is_ending()
    }

    /// Waits for the engine's next deadline; ready when it has passed.
    ///
    /// The timer is moved lazily: a deadline that moved away is noticed when the old one fires.
    /// Outside of a runtime there is no timer; then a deadline is noticed by the next call.
    pub(super) fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline() else {
            self.timer = None;
            return Poll::Pending;
        };
        if self.timer.is_none() && Handle::try_current().is_err() {
            return if deadline <= now() {
                Poll::Ready(())
            } else {
                Poll::Pending
            };
        }
        let deadline = tokio::time::Instant::from_std(deadline);
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if deadline <= tokio::time::Instant::now() {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// Gives the next deadline.
    ///
    /// The peer's time to take part in the end begins when this end is there to notice, not while
    /// the application does something else.
    fn deadline(&mut self) -> Option<Instant> {
        if !self.is_ending() {
            return self.connection.poll_timeout();
        }
        let since = **self.ending_since.get_or_insert_with(|| Box::new(now()));
        since.checked_add(self.connection.config().close_timeout)
    }

    pub(super) fn is_ending(&self) -> bool {
        self.connection.state() == ConnectionState::Closing
            || self.reading == Reading::Ended
            || self.write_failure().is_some()
            || self.is_close_waiting()
    }

    pub(super) fn handle_timeout(&mut self) {
        let now = now();
        let close = self.outbox.as_mut().and_then(|outbox| outbox.cut());
        if let Some(LastFrame(close)) = close {
            // What waited had its time; the close frame gets its own.
            self.drop_outbox();
            self.ending_since = None;
            let begun = self.connection.close(now, close.as_ref());
            debug_assert!(begun.is_ok(), "messages in an outbox are whole");
            return;
        }
        self.act(|connection| connection.handle_timeout(now));
        if self.ending_since.is_some() {
            let failure = self.write_failure();
            self.act(|connection| match failure {
                Some(kind) => connection.handle_transport_error(kind),
                None => connection.handle_eof(now),
            });
        }
    }
}
