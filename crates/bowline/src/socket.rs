//! A WebSocket in one piece.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bowline_proto::{
    Cause, Close, CloseCode, Compress, Connection, Ending, Event, Fin, Fragment, Message,
    MessageKind, Payload, PreparedMessage, View, handshake::ResponseHead,
};
use bytes::BytesMut;
use futures_core::Stream as FuturesStream;
use futures_sink::Sink;

use crate::{
    ahead::Ahead,
    error::Error,
    link::Link,
    metrics::{Metrics, Observer},
    shared::{Share, Shared},
    split::{Receiver, Sender},
    transport::{Stream, Transport},
};

/// An open WebSocket.
///
/// ```no_run
/// # async fn example(mut ws: bowline::WebSocket) -> Result<(), bowline::Error> {
/// while let Some(message) = ws.recv().await {
///     ws.send(message).await?;
/// }
/// println!("{:?}", ws.ending());
/// # Ok(())
/// # }
/// ```
///
/// Receiving drives the connection: it answers pings and close frames, sends keepalive pings and
/// notices deadlines. A program that only sends calls [`split`](Self::split) and receives in
/// another task. Deadlines need a tokio runtime with its timer on; without one they are noticed
/// by the next call.
///
/// **Cancel safety.** Every method is cancel-safe: dropping its future loses no received byte and
/// tears no frame. A send that was dropped has either queued its message whole, and then later
/// calls write it, or not at all.
///
/// Dropping the WebSocket ends the connection without a closing handshake. What was sent and is not
/// written yet is written by the tokio runtime in the background, for the close timeout at most;
/// [`close`](Self::close) first to know that it arrived.
pub struct WebSocket<S = Stream> {
    shared: Share<S>,
    ahead: Ahead,
    opening: Option<Box<Opening>>,
}

/// What the opening handshake agreed on.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    pub(crate) subprotocol: Option<String>,
    pub(crate) compressed: bool,
    pub(crate) response: Option<ResponseHead>,
    /// Who will watch the connection.
    pub(crate) observer: Option<Box<Observer>>,
}

impl<S: Transport> WebSocket<S> {
    /// Joins an engine and a stream whose opening handshake is over.
    ///
    /// `input` holds what was received after the handshake's last byte.
    pub fn from_parts(connection: Connection, stream: S, input: BytesMut) -> Self {
        Self {
            shared: Share::new(connection, stream, input),
            ahead: Ahead::default(),
            opening: None,
        }
    }

    pub(crate) fn with_opening(mut self, mut opening: Opening) -> Self {
        if let Some(observer) = opening.observer.take() {
            self.shared.with(|driver| driver.observe(observer));
        }
        let is_plain = opening.subprotocol.is_none() && opening.response.is_none();
        self.opening = (!is_plain || opening.compressed).then(|| Box::new(opening));
        self
    }

    /// Counts what a connection made with [`from_parts`](Self::from_parts) does. One that is
    /// counted or traced already stays as it is.
    #[must_use]
    pub fn with_metrics(self, metrics: &Arc<Metrics>) -> Self {
        self.shared.with(|driver| {
            if !driver.is_observed() {
                driver.observe(Observer::counting(Arc::clone(metrics)));
            }
        });
        self
    }

    /// Gives the subprotocol both ends agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.opening.as_ref()?.subprotocol.as_deref()
    }

    /// Says whether permessage-deflate was negotiated.
    pub fn is_compressed(&self) -> bool {
        self.opening
            .as_ref()
            .is_some_and(|opening| opening.compressed)
    }

    /// Gives the server's answer to the opening handshake; `None` on the server's side.
    pub fn response(&self) -> Option<&ResponseHead> {
        self.opening.as_ref()?.response.as_ref()
    }

    /// Receives the next message; `None` when the connection is over, see
    /// [`ending`](Self::ending).
    ///
    /// Pings are answered meanwhile. The rest of a message that was begun with
    /// [`recv_fragment`](Self::recv_fragment) is skipped. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Message<'static>> {
        poll_fn(|cx| self.shared.poll_message(&mut self.ahead, cx)).await
    }

    /// Receives the next piece of a message as it arrives, so that a message of any length passes
    /// in constant memory; `None` when the connection is over.
    ///
    /// Takes effect with the next message that begins: one that was begun while
    /// [`recv`](Self::recv) was waiting is still assembled, and comes as one piece. Cancel-safe.
    pub async fn recv_fragment(&mut self) -> Option<Fragment<'static>> {
        self.ahead.give_back(&self.shared);
        poll_fn(|cx| poll_fragment(&self.shared, cx)).await
    }

    /// Receives the next event of any kind, pings and close frames included; `None` after
    /// [`Event::Closed`].
    ///
    /// Messages come whole. Cancel-safe.
    pub async fn recv_event(&mut self) -> Option<Event<'static>> {
        self.ahead.give_back(&self.shared);
        poll_fn(|cx| poll_event(&self.shared, cx)).await
    }

    /// Sends a message: a `&str`, a `String`, bytes, or a [`Message`].
    ///
    /// Waits until it is written to the stream, with one exception: while more received messages
    /// wait to be taken, answers are collected and leave in one write, no later than when this
    /// task yields. Nothing is received meanwhile: if both ends send much before they receive, each
    /// waits for the other; [`split`](Self::split) then. Cancel-safe.
    ///
    /// # Errors
    /// [`Error::Closed`] once the connection is closing, or if it ended before all was written;
    /// [`Error::Misuse`] inside a message sent in fragments.
    pub fn send<'m>(
        &mut self,
        message: impl Into<Message<'m>>,
    ) -> impl Future<Output = Result<(), Error>> {
        let (shared, mut message) = (&self.shared, Some(message.into()));
        poll_fn(move |cx| shared.poll_send_message(cx, &mut message, Compress::Auto))
    }

    /// Sends a message uncompressed, whatever was negotiated: for secrets that travel next to
    /// text a third party can choose. Cancel-safe.
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

    /// Queues a message without writing it; waits only while the queue is full. The next send,
    /// flush or receive writes it. Cancel-safe.
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

    /// Sends a message that is encoded once for many connections. Cancel-safe.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        queue(&self.shared, |connection| connection.send_prepared(message)).await
    }

    /// Sends a fragment of a message; the first one begins the message. Cancel-safe.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`Error::Misuse`] for a fragment of another kind or text that
    /// is not UTF-8.
    pub async fn send_fragment(
        &mut self,
        kind: MessageKind,
        payload: impl Into<Payload<'_>>,
        fin: Fin,
    ) -> Result<(), Error> {
        let payload = payload.into();
        let call = |connection: &mut Connection| {
            connection.send_fragment(kind, payload, fin, Compress::Auto)
        };
        queue(&self.shared, call).await
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
    /// As [`send_fragment`](Self::send_fragment), and [`Error::Misuse`] for more bytes than were
    /// announced.
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

    /// Sends a ping of at most 125 bytes, ahead of queued messages. Cancel-safe.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Error::Misuse`] if it is longer.
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        queue(&self.shared, |connection| connection.ping(payload)).await
    }

    /// Sends a pong of at most 125 bytes, ahead of queued messages. Pings are answered without
    /// it, except in manual mode. Cancel-safe.
    ///
    /// # Errors
    /// As [`ping`](Self::ping).
    pub async fn pong(&mut self, payload: &[u8]) -> Result<(), Error> {
        queue(&self.shared, |connection| connection.pong(payload)).await
    }

    /// Closes the connection: sends what is queued and a close frame, waits for the peer's and for
    /// the end of the stream, within the close timeout.
    ///
    /// The deadline runs while the connection is driven: from here, or from the next receive.
    /// Messages that arrive meanwhile are dropped; [`begin_close`](Self::begin_close) and
    /// [`recv`](Self::recv) until `None` keep them. Closing a closed connection tells how it
    /// ended. Cancel-safe: what was begun goes on with the next receive.
    ///
    /// # Errors
    /// [`Error::Misuse`] for a code or reason that cannot be sent.
    ///
    /// # Panics
    /// Never: a connection that is over has an ending.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<Ending, Error> {
        self.begin_close(code, reason)?;
        while self.recv().await.is_some() {}
        Ok(self
            .ending()
            .expect("a connection that is over has an ending"))
    }

    /// Begins the closing handshake, without waiting. Messages still arrive, until
    /// [`recv`](Self::recv) gives `None`. Does nothing if it has begun already.
    ///
    /// # Errors
    /// [`Error::Misuse`] for a code or reason that cannot be sent, and inside a frame sent in
    /// pieces.
    pub fn begin_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        begin_close(&self.shared, code, reason)
    }

    /// Ends the connection at once, without a closing handshake, and lets go of the stream. What is
    /// queued is dropped.
    pub fn abort(&mut self) {
        self.ahead.clear();
        self.shared.give_up();
    }

    /// Tells how the connection ended; `None` while it is open.
    pub fn ending(&self) -> Option<Ending> {
        Link::ending(&**self.shared)
    }

    /// Gives the last round-trip time a keepalive ping measured.
    pub fn round_trip(&self) -> Option<std::time::Duration> {
        self.shared.with(|driver| driver.connection().round_trip())
    }

    /// Looks at the stream below; `None` once the connection is over.
    pub fn with_stream<R>(&self, look: impl FnOnce(&S) -> R) -> Option<R> {
        self.shared.with(|driver| driver.stream().map(look))
    }

    /// Says how the stream failed.
    pub(crate) fn failure(&self) -> std::io::ErrorKind {
        match self.ending().map(|ending| ending.cause) {
            Some(Cause::Transport(kind)) => kind,
            _ => std::io::ErrorKind::BrokenPipe,
        }
    }

    /// Takes a message that is here already, without waiting: a second one of those that arrived
    /// together.
    pub fn try_recv(&mut self) -> Option<Message<'static>> {
        let message = self.ahead.take();
        if message.is_none() || self.ahead.is_due() {
            self.ahead.give_back(&self.shared);
        }
        message.or_else(|| self.shared.take_buffered(View::Messages, take_message))
    }

    /// Gives the kind of the message sent in pieces that is unfinished.
    pub(crate) fn unfinished(&self) -> Option<MessageKind> {
        self.shared.with(|driver| driver.connection().unfinished())
    }

    pub(crate) const fn shared(&self) -> &Share<S> {
        &self.shared
    }

    /// Gives the connection, with everything that was received from it.
    pub(crate) fn received(&mut self) -> &Share<S> {
        self.ahead.give_back(&self.shared);
        &self.shared
    }

    pub(crate) fn into_shared(mut self) -> Share<S> {
        self.ahead.give_back(&self.shared);
        self.shared
    }

    /// Splits the WebSocket into halves that can be used from two tasks at once.
    pub fn split(self) -> (Sender<S>, Receiver<S>) {
        let sender = Sender::new(self.shared.clone());
        (sender, Receiver::new(self.shared, self.ahead))
    }
}

impl<S: Transport> FuturesStream for WebSocket<S> {
    type Item = Message<'static>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let ws = &mut *self;
        ws.shared.poll_message(&mut ws.ahead, cx)
    }
}

impl<S: Transport> Sink<Message<'static>> for WebSocket<S> {
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

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        begin_close(&self.shared, CloseCode::NORMAL, "")?;
        while ready!(self.as_mut().poll_next(cx)).is_some() {}
        Poll::Ready(Ok(()))
    }
}

impl<S> fmt::Debug for WebSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket")
            .field("opening", &self.opening)
            .finish_non_exhaustive()
    }
}

/// Receives a whole message; pieces of one that was begun with the fragment view are skipped.
#[inline]
pub(crate) fn poll_message<S: Transport>(
    shared: &Arc<Shared<S>>,
    cx: &mut Context<'_>,
) -> Poll<Option<Message<'static>>> {
    shared.poll_event(View::Messages, cx, take_message)
}

#[inline]
pub(crate) fn take_message(event: Event<'_>) -> Option<Message<'static>> {
    match event {
        Event::Message(message) => Some(message.into_owned()),
        Event::Fragment(_)
        | Event::Ping(_)
        | Event::Pong { .. }
        | Event::Close(_)
        | Event::Closed(_) => None,
    }
}

pub(crate) fn poll_event<S: Transport>(
    shared: &Arc<Shared<S>>,
    cx: &mut Context<'_>,
) -> Poll<Option<Event<'static>>> {
    shared.poll_event(View::Messages, cx, |event| Some(event.into_owned()))
}

pub(crate) fn poll_fragment<S: Transport>(
    shared: &Arc<Shared<S>>,
    cx: &mut Context<'_>,
) -> Poll<Option<Fragment<'static>>> {
    shared.poll_event(View::Fragments, cx, |event| match event {
        Event::Fragment(fragment) => Some(fragment.into_owned()),
        Event::Message(message) => Some(Fragment {
            kind: message.kind(),
            payload: message.into_payload().into_owned(),
            message_start: true,
            message_end: true,
            frame_end: true,
        }),
        Event::Ping(_) | Event::Pong { .. } | Event::Close(_) | Event::Closed(_) => None,
    })
}

pub(crate) async fn feed<S: Transport>(
    shared: &Shared<S>,
    message: Message<'_>,
) -> Result<(), Error> {
    poll_fn(|cx| shared.poll_ready(cx)).await?;
    shared.queue(|connection| connection.send(message))
}

/// Waits for room, queues and writes.
#[inline]
pub(crate) async fn queue<S: Transport>(
    shared: &Arc<Shared<S>>,
    call: impl FnOnce(&mut Connection) -> Result<(), bowline_proto::Misuse>,
) -> Result<(), Error> {
    let (mut call, mut is_queued) = (Some(call), false);
    poll_fn(|cx| {
        shared.poll_send(cx, &mut is_queued, |connection| {
            call.take().map_or(Ok(()), |call| call(connection))
        })
    })
    .await
}

pub(crate) fn begin_close<S: Transport>(
    shared: &Shared<S>,
    code: CloseCode,
    reason: &str,
) -> Result<(), Error> {
    // A close frame without a code stands for 1005 (RFC 6455 section 7.1.5), and so the other way.
    let close = match (code, reason) {
        (CloseCode::NO_STATUS, "") => None,
        (code, reason) => Some(Close::new(code, reason).map_err(Error::Misuse)?),
    };
    shared.begin_close(close).map_err(Error::Misuse)
}
