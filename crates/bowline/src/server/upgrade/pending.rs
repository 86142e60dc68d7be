//! A WebSocket whose answer is on its way.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bowline_proto::{Connection, Message, Misuse};
use bytes::{Bytes, BytesMut};
use futures_sink::Sink as _;
use hyper::upgrade::{OnUpgrade, Upgraded};
use tokio::time::{Sleep, sleep};

use super::{
    Handover,
    stream::{self, UpgradedStream},
};
use crate::{
    error::{ConnectPhase, Error},
    server::offer::Answered,
    socket::{Opening, WebSocket},
    transport::{Transport, set_nodelay},
};

/// A future of the WebSocket that opens when the HTTP server has written the answer 101.
///
/// Messages can be queued at once with [`feed`](Self::feed). They leave right behind the answer,
/// ahead of what is sent later.
///
/// The future gives [`Error::NotHandedOver`] when the answer never left the server, for instance
/// because the client is gone, and [`Error::Timeout`] when it takes longer than the acceptor's
/// handshake timeout from the first poll on. Polling is cancel-safe. Dropping it ends the
/// connection as soon as the answer is written.
#[must_use = "dropping it ends the connection"]
pub struct PendingWebSocket<S = UpgradedStream> {
    on_upgrade: OnUpgrade,
    /// `None` once the WebSocket was given.
    connection: Option<Connection>,
    opening: Opening,
    recover: fn(Upgraded) -> io::Result<(S, Bytes)>,
    timeout: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl PendingWebSocket {
    pub(super) fn new(answered: Answered<Handover>) -> Self {
        Self {
            on_upgrade: answered.stream.into_future(),
            connection: Some(answered.connection),
            opening: answered.opening,
            recover: |upgraded| Ok(UpgradedStream::recover(upgraded)),
            timeout: answered.acceptor.handshake_timeout,
            deadline: None,
        }
    }
}

impl<S: Transport> PendingWebSocket<S> {
    /// Says of which type the HTTP server's streams are: it was given `TokioIo<T>`, by the program
    /// or, in `axum::serve`, by the listener.
    ///
    /// Not needed for TCP, nor for TLS of rustls on TCP, which [`UpgradedStream`] finds itself.
    /// With any other type the future gives [`Error::NotHandedOver`].
    pub fn over<T: Transport>(self) -> PendingWebSocket<T> {
        PendingWebSocket {
            on_upgrade: self.on_upgrade,
            connection: self.connection,
            opening: self.opening,
            recover: |upgraded| {
                let (stream, input) =
                    stream::take(upgraded).map_err(|_| io::ErrorKind::Unsupported)?;
                set_nodelay(&stream);
                Ok((stream, input))
            },
            timeout: self.timeout,
            deadline: self.deadline,
        }
    }

    /// Gives the subprotocol both ends agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.opening.subprotocol.as_deref()
    }

    /// Queues a message behind the answer; it is written when this future is ready. Never waits.
    ///
    /// # Errors
    /// [`Error::QueueFull`] once 64 KiB are queued.
    pub fn feed<'m>(&mut self, message: impl Into<Message<'m>>) -> Result<(), Error> {
        let Some(connection) = &mut self.connection else {
            return Err(Error::Misuse(Misuse::SendAfterClose));
        };
        if connection.queued_len() >= FEED_LEN_MAX {
            return Err(Error::QueueFull);
        }
        connection.send(message.into()).map_err(Error::Misuse)
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timeout = self.timeout;
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(sleep(timeout)));
        deadline.as_mut().poll(cx)
    }
}

impl<S: Transport> Future for PendingWebSocket<S> {
    type Output = Result<WebSocket<S>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let opened = ready!(this.poll_open(cx));
        if let (Err(error), Some(observer)) = (&opened, &this.opening.observer) {
            observer.failed(error);
        }
        Poll::Ready(opened)
    }
}

impl<S: Transport> PendingWebSocket<S> {
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<WebSocket<S>, Error>> {
        let Poll::Ready(upgraded) = Pin::new(&mut self.on_upgrade).poll(cx) else {
            ready!(self.poll_deadline(cx));
            return Poll::Ready(Err(Error::Timeout(ConnectPhase::Handshake)));
        };
        let upgraded = upgraded.map_err(|error| Error::NotHandedOver(io::Error::other(error)))?;
        let (stream, input) = (self.recover)(upgraded).map_err(Error::NotHandedOver)?;
        let connection = self
            .connection
            .take()
            .expect("nobody polls a future that was ready");
        let opening = std::mem::take(&mut self.opening);
        let mut ws =
            WebSocket::from_parts(connection, stream, BytesMut::from(input)).with_opening(opening);
        // Writes what was queued, as far as the stream takes it; the WebSocket goes on with the
        // rest, and remembers a failure as its ending.
        drop(Pin::new(&mut ws).poll_flush(cx));
        Poll::Ready(Ok(ws))
    }
}

impl<S> fmt::Debug for PendingWebSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingWebSocket")
            .field("opening", &self.opening)
            .finish_non_exhaustive()
    }
}

/// What may be queued before the answer is written.
const FEED_LEN_MAX: usize = 64 << 10;
