//! A WebSocket in two halves, for two tasks.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use bowline_proto::{
    CloseCode, Compress, Ending, Event, Fin, Fragment, Message, MessageKind, Payload,
    PreparedMessage,
};
use futures_core::Stream as FuturesStream;
use futures_sink::Sink;
use tokio::{runtime::Handle, time::timeout};

use crate::{
    ahead::Ahead,
    error::Error,
    link::Link,
    shared::Share,
    socket::{begin_close, feed, poll_event, poll_fragment, queue},
    transport::{Stream, Transport},
};

/// The half that receives. It drives the connection, so keep it receiving.
///
/// The connection ends without a closing handshake when both halves are dropped, as a dropped
/// [`WebSocket`](crate::WebSocket) does.
pub struct Receiver<S = Stream> {
    shared: Share<S>,
    ahead: Ahead,
}

/// The half that sends.
///
/// Sending while nothing receives works until the stream is full of what the peer sent; meanwhile
/// pings are not answered and deadlines not noticed.
pub struct Sender<S = Stream> {
    shared: Share<S>,
}

impl<S: Transport> Receiver<S> {
    pub(crate) fn new(shared: Share<S>, ahead: Ahead) -> Self {
        Self { shared, ahead }
    }

    /// Gives the connection, with everything that was received from it.
    pub(crate) fn received(&mut self) -> &Share<S> {
        self.ahead.give_back(&self.shared);
        &self.shared
    }

    /// Receives the next message; `None` when the connection is over. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Message<'static>> {
        poll_fn(|cx| self.shared.poll_message(&mut self.ahead, cx)).await
    }

    /// Receives the next piece of a message as it arrives, see
    /// [`WebSocket::recv_fragment`](crate::WebSocket::recv_fragment). Cancel-safe.
    pub async fn recv_fragment(&mut self) -> Option<Fragment<'static>> {
        self.ahead.give_back(&self.shared);
        poll_fn(|cx| poll_fragment(&self.shared, cx)).await
    }

    /// Receives the next event of any kind, see
    /// [`WebSocket::recv_event`](crate::WebSocket::recv_event). Cancel-safe.
    pub async fn recv_event(&mut self) -> Option<Event<'static>> {
        self.ahead.give_back(&self.shared);
        poll_fn(|cx| poll_event(&self.shared, cx)).await
    }

    /// Tells how the connection ended; `None` while it is open.
    pub fn ending(&self) -> Option<Ending> {
        Link::ending(&**self.shared)
    }
}

impl<S: Transport> Sender<S> {
    pub(crate) fn new(shared: Share<S>) -> Self {
        Self { shared }
    }

    pub(crate) const fn shared(&self) -> &Share<S> {
        &self.shared
    }

    /// Sends a message, see [`WebSocket::send`](crate::WebSocket::send). Cancel-safe.
    ///
    /// # Errors
    /// As [`WebSocket::send`](crate::WebSocket::send).
    pub fn send<'m>(
        &mut self,
        message: impl Into<Message<'m>>,
    ) -> impl Future<Output = Result<(), Error>> {
        let (shared, mut message) = (&self.shared, Some(message.into()));
        poll_fn(move |cx| shared.poll_send_message(cx, &mut message, Compress::Auto))
    }

    /// Sends a message that is encoded once for many connections. Cancel-safe.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        queue(&self.shared, |connection| connection.send_prepared(message)).await
    }

    /// Sends a message uncompressed, see
    /// [`WebSocket::send_uncompressed`](crate::WebSocket::send_uncompressed). Cancel-safe.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_uncompressed<'m>(
        &mut self,
        message: impl Into<Message<'m>>,
    ) -> impl Future<Output = Result<(), Error>> {
        let (shared, mut message) = (&self.shared, Some(message.into()));
        poll_fn(move |cx| shared.poll_send_message(cx, &mut message, Compress::Never))
    }

    /// Sends a fragment of a message; the first one begins the message. Cancel-safe.
    ///
    /// # Errors
    /// As [`WebSocket::send_fragment`](crate::WebSocket::send_fragment).
    pub async fn send_fragment(
        &mut self,
        kind: MessageKind,
        payload: impl Into<Payload<'_>>,
        fin: Fin,
    ) -> Result<(), Error> {
        let payload = payload.into();
        queue(&self.shared, |connection| {
            connection.send_fragment(kind, payload, fin, Compress::Auto)
        })
        .await
    }

    /// Begins a frame of `payload_len` bytes, whose payload follows with
    /// [`send_frame_payload`](Self::send_frame_payload). Cancel-safe.
    ///
    /// # Errors
    /// As [`send_fragment`](Self::send_fragment).
    pub async fn begin_frame(
        &mut self,
        kind: MessageKind,
        payload_len: u64,
        fin: Fin,
    ) -> Result<(), Error> {
        queue(&self.shared, |connection| {
            connection.begin_frame(kind, payload_len, fin)
        })
        .await
    }

    /// Sends a piece of the payload of the frame that was begun. Cancel-safe.
    ///
    /// # Errors
    /// As [`WebSocket::send_frame_payload`](crate::WebSocket::send_frame_payload).
    pub async fn send_frame_payload(
        &mut self,
        payload: impl Into<Payload<'_>>,
    ) -> Result<(), Error> {
        let payload = payload.into();
        queue(&self.shared, |connection| {
            connection.send_frame_payload(payload)
        })
        .await
    }

    /// Sends a pong of at most 125 bytes, see [`WebSocket::pong`](crate::WebSocket::pong).
    /// Cancel-safe.
    ///
    /// # Errors
    /// As [`ping`](Self::ping).
    pub async fn pong(&mut self, payload: &[u8]) -> Result<(), Error> {
        queue(&self.shared, |connection| connection.pong(payload)).await
    }

    /// Sends a ping of at most 125 bytes, ahead of queued messages. Cancel-safe.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Error::Misuse`] if it is longer.
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        queue(&self.shared, |connection| connection.ping(payload)).await
    }

    /// Queues a message without writing it; waits only while the queue is full. The next send or
    /// flush writes it, or the other half while it receives. Cancel-safe.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn feed(&mut self, message: impl Into<Message<'_>>) -> Result<(), Error> {
        feed(&self.shared, message.into()).await
    }

    /// Writes what is queued. Cancel-safe.
    ///
    /// # Errors
    /// [`Error::Closed`] if it cannot reach the peer any more.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.shared.poll_flush(cx)).await
    }

    /// Sends what is queued and a close frame, waiting until they are written. The receiving half
    /// then gets what the peer still sends, and `None` at the end. Cancel-safe: the receiving half
    /// carries it through.
    ///
    /// A peer that takes nothing is given the close timeout of the configuration while the other
    /// half receives, and twice that if it does not; then the connection ends.
    ///
    /// # Errors
    /// [`Error::Misuse`] for a code or reason that cannot be sent, and inside a frame sent in
    /// pieces; [`Error::Closed`] if what is queued cannot reach the peer any more.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        begin_close(&self.shared, code, reason)?;
        let time = self
            .shared
            .with(|driver| driver.connection().config().close_timeout);
        if Handle::try_current().is_err() {
            return self.flush().await;
        }
        // Whoever receives watches the deadline too, and knows better how it ended.
        let Ok(written) = timeout(time.saturating_mul(2), self.flush()).await else {
            self.shared.give_up();
            return self.flush().await;
        };
        written
    }

    /// Ends the connection at once, without a closing handshake, and lets go of the stream. What is
    /// queued is dropped.
    pub fn abort(&mut self) {
        self.shared.give_up();
    }

    /// Tells how the connection ended; `None` while it is open.
    pub fn ending(&self) -> Option<Ending> {
        Link::ending(&**self.shared)
    }
}

impl<S: Transport> FuturesStream for Receiver<S> {
    type Item = Message<'static>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let receiver = &mut *self;
        receiver.shared.poll_message(&mut receiver.ahead, cx)
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
