//! Driving a connection that is not read for a while.

use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};

use super::Driver;
use crate::receive_queue::Crossed;

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// Takes care of everything that is due except reading; ready when the connection is closed.
    ///
    /// Only the deadline of an end that has begun is watched: the peer's signs of life are among
    /// what is not read.
    pub(crate) fn poll_unread(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.tally();
        loop {
            if self.is_closed() {
                return Poll::Ready(());
            }
            // A stream that fails for writing begins the end, and there is a deadline for that.
            let _is_written = self.poll_flush(cx).is_ready();
            if self.connection.is_done_sending() {
                self.poll_shutdown(cx);
            }
            if !self.is_ending() || self.poll_timer(cx).is_pending() {
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
