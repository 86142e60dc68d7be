//! A WebSocket that one thread uses.

use std::{fmt, time::Duration};

use bowline_proto::{
    CloseCode, Ending, Event, Fin, Fragment, Message, MessageKind, Payload, PreparedMessage,
    handshake::ResponseHead,
};

use super::{
    Receiver, RecvError, Sender,
    background::{Background, Calls},
};
use crate::{
    error::Error,
    server::FrameCode,
    transport::{Stream, Transport},
};

/// An open WebSocket whose calls wait.
///
/// The calls do what those of the async [`WebSocket`](crate::WebSocket) do; the
/// [module](super) says what is different. Dropping it ends the connection as dropping that does.
pub struct WebSocket<S = Stream> {
    socket: crate::WebSocket<S>,
    calls: Calls,
}

impl<S: Transport> WebSocket<S> {
    pub(super) const fn new(socket: crate::WebSocket<S>, background: Background) -> Self {
        Self {
            socket,
            calls: Calls::new(background),
        }
    }

    /// Takes over a WebSocket that async code made, for a thread outside of its runtime. The
    /// runtime must live on: its stream belongs to it.
    ///
    /// # Errors
    /// [`Error::Io`] if the background thread cannot be started.
    pub fn from_async(socket: crate::WebSocket<S>) -> Result<Self, Error> {
        Ok(Self::new(socket, Background::get()?))
    }

    /// Gives the subprotocol both ends agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.socket.subprotocol()
    }

    /// Says whether permessage-deflate was negotiated.
    pub fn is_compressed(&self) -> bool {
        self.socket.is_compressed()
    }

    /// Gives the server's answer to the opening handshake; `None` on the server's side.
    pub fn response(&self) -> Option<&ResponseHead> {
        self.socket.response()
    }

    /// Bounds how long a receive waits; `None`, as in the beginning, waits for ever.
    pub const fn set_receive_timeout(&mut self, timeout: Option<Duration>) {
        self.calls.receive_timeout = timeout;
    }

    /// Bounds how long a send waits for a peer that takes nothing; `None`, as in the beginning,
    /// waits for ever. A send that takes longer ends the connection as [`abort`](Self::abort)
    /// does, because nobody knows how much of it the peer has.
    pub const fn set_send_timeout(&mut self, timeout: Option<Duration>) {
        self.calls.send_timeout = timeout;
    }

    /// Receives the next message; `None` when the connection is over, see
    /// [`ending`](Self::ending).
    ///
    /// # Errors
    /// [`RecvError::TimedOut`] past the receive timeout; [`RecvError::InsideRuntime`].
    pub fn recv(&mut self) -> Result<Option<Message<'static>>, RecvError> {
        self.calls.receive(self.socket.recv())
    }

    /// Receives the next message and waits for so long at most, whatever the receive timeout is.
    /// Zero takes what is there already.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_timeout(
        &mut self,
        timeout: Duration,
    ) -> Result<Option<Message<'static>>, RecvError> {
        self.calls.receive_within(timeout, self.socket.recv())
    }

    /// Receives the next piece of a message, see
    /// [`recv_fragment`](crate::WebSocket::recv_fragment).
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_fragment(&mut self) -> Result<Option<Fragment<'static>>, RecvError> {
        self.calls.receive(self.socket.recv_fragment())
    }

    /// Receives the next frame by its code, see [`recv_frame`](crate::WebSocket::recv_frame).
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_frame(&mut self) -> Result<Option<(FrameCode, Payload<'static>)>, RecvError> {
        self.calls.receive(self.socket.recv_frame())
    }

    /// Receives the next event of any kind, see [`recv_event`](crate::WebSocket::recv_event).
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_event(&mut self) -> Result<Option<Event<'static>>, RecvError> {
        self.calls.receive(self.socket.recv_event())
    }

    /// Sends a message: a `&str`, a `String`, bytes, or a [`Message`]. Waits until it is written,
    /// with the exception of [`send`](crate::WebSocket::send).
    ///
    /// # Errors
    /// As [`send`](crate::WebSocket::send); [`Error::Closed`] past the send timeout;
    /// [`Error::InsideRuntime`].
    pub fn send<'a>(&mut self, message: impl Into<Message<'a>>) -> Result<(), Error> {
        self.wait(async |socket| socket.send(message).await)
    }

    /// Sends a message uncompressed, see
    /// [`send_uncompressed`](crate::WebSocket::send_uncompressed).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_uncompressed<'a>(&mut self, message: impl Into<Message<'a>>) -> Result<(), Error> {
        self.wait(async |socket| socket.send_uncompressed(message).await)
    }

    /// Sends a message that is encoded once for many connections.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.wait(async |socket| socket.send_prepared(message).await)
    }

    /// Sends a fragment of a message; the first one begins the message.
    ///
    /// # Errors
    /// As [`send_fragment`](crate::WebSocket::send_fragment) and [`send`](Self::send).
    pub fn send_fragment<'a>(
        &mut self,
        kind: MessageKind,
        payload: impl Into<Payload<'a>>,
        fin: Fin,
    ) -> Result<(), Error> {
        self.wait(async |socket| socket.send_fragment(kind, payload, fin).await)
    }

    /// Begins a frame of `payload_len` bytes, whose payload follows with
    /// [`send_frame_payload`](Self::send_frame_payload).
    ///
    /// # Errors
    /// As [`send_fragment`](Self::send_fragment).
    pub fn begin_frame(
        &mut self,
        kind: MessageKind,
        payload_len: u64,
        fin: Fin,
    ) -> Result<(), Error> {
        self.wait(async |socket| socket.begin_frame(kind, payload_len, fin).await)
    }

    /// Sends a piece of the payload of the frame that was begun.
    ///
    /// # Errors
    /// As [`send_fragment`](Self::send_fragment), and [`Error::Misuse`] for more bytes than were
    /// announced.
    pub fn send_frame_payload<'a>(&mut self, payload: impl Into<Payload<'a>>) -> Result<(), Error> {
        self.wait(async |socket| socket.send_frame_payload(payload).await)
    }

    /// Sends one frame by its code, see [`send_frame`](crate::WebSocket::send_frame).
    ///
    /// # Errors
    /// As [`send_frame`](crate::WebSocket::send_frame) and [`send`](Self::send).
    pub fn send_frame<'a>(
        &mut self,
        code: FrameCode,
        payload: impl Into<Payload<'a>>,
    ) -> Result<(), Error> {
        self.wait(async |socket| socket.send_frame(code, payload).await)
    }

    /// Sends a ping of at most 125 bytes, ahead of queued messages.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Error::Misuse`] if it is longer.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.wait(async |socket| socket.ping(payload).await)
    }

    /// Sends a pong of at most 125 bytes, ahead of queued messages. Pings are answered without it,
    /// except in manual mode.
    ///
    /// # Errors
    /// As [`ping`](Self::ping).
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.wait(async |socket| socket.pong(payload).await)
    }

    /// Queues a message without waiting until it is written, see
    /// [`feed`](crate::WebSocket::feed).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn feed<'a>(&mut self, message: impl Into<Message<'a>>) -> Result<(), Error> {
        self.wait(async |socket| socket.feed(message).await)
    }

    /// Writes what is queued.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn flush(&mut self) -> Result<(), Error> {
        self.wait(async |socket| socket.flush().await)
    }

    /// Closes the connection and waits until it is over, within the close timeout, see
    /// [`close`](crate::WebSocket::close).
    ///
    /// # Errors
    /// [`Error::Misuse`] for a code or reason that cannot be sent; [`Error::InsideRuntime`].
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<Ending, Error> {
        self.calls.wait(self.socket.close(code, reason))?
    }

    /// Begins the closing handshake, without waiting, see
    /// [`begin_close`](crate::WebSocket::begin_close).
    ///
    /// # Errors
    /// As [`begin_close`](crate::WebSocket::begin_close).
    pub fn begin_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.socket.begin_close(code, reason)
    }

    /// Ends the connection at once, without a closing handshake. What is queued is dropped.
    pub fn abort(&mut self) {
        self.socket.abort();
    }

    /// Tells how the connection ended; `None` while it is open.
    pub fn ending(&self) -> Option<Ending> {
        self.socket.ending()
    }

    /// Gives the last round-trip time a keepalive ping measured.
    pub fn round_trip(&self) -> Option<Duration> {
        self.socket.round_trip()
    }

    /// Looks at the stream below; `None` once the connection is over.
    pub fn with_stream<R>(&self, look: impl FnOnce(&S) -> R) -> Option<R> {
        self.socket.with_stream(look)
    }

    /// Splits the WebSocket into halves for two threads. Each takes its timeout along.
    pub fn split(self) -> (Sender<S>, Receiver<S>) {
        let (sender, receiver) = self.socket.split();
        (
            Sender::new(sender, self.calls.clone()),
            Receiver::new(receiver, self.calls),
        )
    }

    pub(super) fn into_parts(self) -> (crate::WebSocket<S>, Calls) {
        (self.socket, self.calls)
    }

    pub(super) const fn from_parts(socket: crate::WebSocket<S>, calls: Calls) -> Self {
        Self { socket, calls }
    }

    /// Waits for a send, and ends the connection when that takes too long.
    fn wait(
        &mut self,
        send: impl AsyncFnOnce(&mut crate::WebSocket<S>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let future = send(&mut self.socket);
        if self.calls.send(future)? {
            return Ok(());
        }
        self.socket.abort();
        Err(Error::Closed(self.socket.ending().map(Box::new)))
    }
}

impl<S> fmt::Debug for WebSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket")
            .field("socket", &self.socket)
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}
