//! Driving a connection that is not read for a while.

use std::task::Poll;

use super::Driver;
use crate::{receive_queue::Crossed, transport::Transport, wakers::Waiting};

impl<S: Transport> Driver<S> {
    /// Takes care of everything that is due except reading; ready when the connection is closed.
    ///
    /// Only the deadline of an end that has begun is watched: the peer's signs of life are among
    /// what is not read.
    pub(crate) fn poll_unread(&mut self, cx: Waiting<'_>) -> Poll<()> {
        self.tally();
        loop {
            if self.is_closed() {
                return Poll::Ready(());
            }
            // A stream that fails for writing begins the end, and there is a deadline for that.
            let _is_written = self.poll_flush(&mut cx.all()).is_ready();
            if self.connection.is_done_sending() {
                self.poll_shutdown(&mut cx.all());
            }
            if !self.is_ending() || self.poll_timer(&mut cx.own()).is_pending() {
                return Poll::Pending;
            }
            self.handle_timeout();
        }
    }
}

impl<S> Driver<S> {
    /// Counts marks that what waits for the application has crossed.
    pub(crate) fn tell_crossed(&self, crossed: &Crossed) {
        if let Some(observer) = &self.observer {
            observer.crossed(crossed);
        }
    }
}
