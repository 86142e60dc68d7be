//! A WebSocket in two halves, for two tasks.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bowline_proto::{CloseCode, Compress, Ending, Fragment, Message, PreparedMessage};
use futures_core::Stream as FuturesStream;
use futures_sink::Sink;

use crate::{
    error::Error,
    shared::Shared,
    socket::{begin_close, poll_fragment, poll_message, queue, send},
    transport::{Stream, Transport},
};

/// The half that receives. It drives the connection, so keep it receiving.
///
/// The connection ends without a closing handshake when both halves are dropped.
pub struct Receiver<S = Stream> {
    shared: Arc<Shared<S>>,
}

/// The half that sends.
///
/// Sending while nothing receives works until the stream is full of what the peer sent.
pub struct Sender<S = Stream> {
    shared: Arc<Shared<S>>,
}

impl<S: Transport> Receiver<S> {
    pub(crate) fn new(shared: Arc<Shared<S>>) -> Self {
        Self { shared }
    }

    /// Receives the next message; `None` when the connection is over. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Message<'static>> {
        poll_fn(|cx| poll_message(&self.shared, cx)).await
    }

    /// Receives the next piece of a message as it arrives, see
    /// [`WebSocket::recv_fragment`](crate::WebSocket::recv_fragment). Cancel-safe.
    pub async fn recv_fragment(&mut self) -> Option<Fragment<'static>> {
        poll_fn(|cx| poll_fragment(&self.shared, cx)).await
    }

    /// Tells how the connection ended; `None` while it is open.
    pub fn ending(&self) -> Option<Ending> {
        self.shared.ending()
    }
}

impl<S: Transport> Sender<S> {
    pub(crate) fn new(shared: Arc<Shared<S>>) -> Self {
        Self { shared }
    }

    /// Sends a message, see [`WebSocket::send`](crate::WebSocket::send). Cancel-safe.
    ///
    /// # Errors
    /// [`Error::Closed`] once the connection is closing.
    pub async fn send(&mut self, message: impl Into<Message<'_>>) -> Result<(), Error> {
        send(&self.shared, message.into(), Compress::Auto).await
    }

    /// Sends a message that is encoded once for many connections. Cancel-safe.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        queue(&self.shared, |connection| connection.send_prepared(message)).await
    }

    /// Sends a ping of at most 125 bytes, ahead of queued messages. Cancel-safe.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Error::Misuse`] if it is longer.
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        queue(&self.shared, |connection| connection.ping(payload)).await
    }

    /// Queues a message without writing it; waits only while the queue is full. Cancel-safe.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn feed(&mut self, message: impl Into<Message<'_>>) -> Result<(), Error> {
        poll_fn(|cx| self.shared.poll_ready(cx)).await?;
        let message = message.into();
        self.shared.queue(|connection| connection.send(message))
    }

    /// Writes what is queued. Cancel-safe.
    ///
    /// # Errors
    /// [`Error::Closed`] if the stream failed.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.shared.poll_flush(cx)).await
    }

    /// Sends what is queued and a close frame. The receiving half then gets what the peer still
    /// sends, and `None` at the end. Cancel-safe: the receiving half carries it through.
    ///
    /// # Errors
    /// [`Error::Misuse`] for a code or reason that cannot be sent.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        begin_close(&self.shared, code, reason)?;
        self.flush().await
    }

    /// Ends the connection at once, without a closing handshake.
    pub fn abort(&mut self) {
        self.shared.abort();
    }

    /// Tells how the connection ended; `None` while it is open.
    pub fn ending(&self) -> Option<Ending> {
        self.shared.ending()
    }
}

impl<S: Transport> FuturesStream for Receiver<S> {
    type Item = Message<'static>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        poll_message(&self.shared, cx)
    }
}

impl<S: Transport> Sink<Message<'static>> for Sender<S> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared.poll_ready(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message<'static>) -> Result<(), Error> {
        self.shared.queue(|connection| connection.send(message))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared.poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        begin_close(&self.shared, CloseCode::NORMAL, "")?;
        self.shared.poll_flush(cx)
    }
}

impl<S> fmt::Debug for Receiver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}

impl<S> fmt::Debug for Sender<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}
