//! One link, whatever stream it runs over.

use std::{
    fmt,
    future::poll_fn,
    task::{Context, Poll},
    time::Duration,
};

use bowline_proto::{Close, Ending};

use crate::{
    Message, error::Error, link::Link, metrics::report_waiting, receive_queue::Crossed,
    shared::Share, socket::poll_message, transport::Transport,
};

/// What a client does with its link. Every method can be called at any time; nothing is lost when
/// a future made of the polls is dropped.
pub(super) trait Wire: Send + Sync {
    /// Receives; `None` when the link is over. Drives keepalive and the closing handshake.
    fn poll_message(&self, cx: &mut Context<'_>) -> Poll<Option<Message>>;
    /// Waits until a message may be queued.
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>>;
    /// Queues a message; gives how many bytes it takes in the stream.
    fn queue(&self, message: Message) -> Result<usize, Error>;
    /// Gives how many bytes are queued and not written; `None` once that is not known any more.
    fn unwritten(&self) -> Option<usize>;
    /// Waits until everything queued is written.
    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>>;
    /// Begins the closing handshake; does nothing if it has begun.
    fn begin_close(&self, close: Option<Close>) -> Result<(), Error>;
    /// Ends the link at once and lets go of the stream; does nothing if it is over.
    fn give_up(&self);
    /// Tells how the link ended.
    fn ending(&self) -> Option<Ending>;
    /// Notes that what waits for the application has crossed a mark.
    fn crossed(&self, crossed: &Crossed);
    /// How long the closing handshake may take.
    fn close_timeout(&self) -> Duration;
    fn round_trip(&self) -> Option<Duration>;
}

impl fmt::Debug for dyn Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl dyn Wire {
    pub(super) async fn message(&self) -> Option<Message> {
        poll_fn(|cx| self.poll_message(cx)).await
    }

    pub(super) async fn ready(&self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_ready(cx)).await
    }

    /// Waits until everything queued is written, and tells `progress` how much is not.
    pub(super) async fn flush(&self, progress: impl Fn(usize)) -> Result<(), Error> {
        poll_fn(|cx| {
            let flushed = self.poll_flush(cx);
            if let Some(unwritten) = self.unwritten() {
                progress(unwritten);
            }
            flushed
        })
        .await
    }

    /// Says whether everything queued is written.
    pub(super) async fn is_flushed(&self) -> bool {
        poll_fn(|cx| Poll::Ready(matches!(self.poll_flush(cx), Poll::Ready(Ok(()))))).await
    }
}

impl<S: Transport> Wire for Share<S> {
    fn poll_message(&self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        poll_message(self, cx)
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        (***self).poll_ready(cx)
    }

    fn queue(&self, message: Message) -> Result<usize, Error> {
        let mut len = 0;
        (***self).queue(|connection| {
            let before = connection.queued_len();
            connection.send(message)?;
            len = connection.queued_len() - before;
            Ok(())
        })?;
        Ok(len)
    }

    fn unwritten(&self) -> Option<usize> {
        self.with(|driver| {
            let is_known = !driver.is_closed();
            is_known.then(|| driver.connection().queued_len())
        })
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        (***self).poll_flush(cx)
    }

    fn begin_close(&self, close: Option<Close>) -> Result<(), Error> {
        (***self).begin_close(close).map_err(Error::Misuse)
    }

    fn give_up(&self) {
        (***self).give_up();
    }

    fn ending(&self) -> Option<Ending> {
        Link::ending(&***self)
    }

    fn crossed(&self, crossed: &Crossed) {
        self.with(|driver| driver.tell_crossed(crossed));
        report_waiting(None, None, crossed);
    }

    fn close_timeout(&self) -> Duration {
        self.with(|driver| driver.connection().config().close_timeout)
    }

    fn round_trip(&self) -> Option<Duration> {
        Link::round_trip(&***self)
    }
}
