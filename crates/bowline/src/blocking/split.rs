//! A WebSocket in two halves, for two threads.

use std::{fmt, time::Duration};

use bowline_proto::{
    CloseCode, Ending, Event, Fin, Fragment, Message, MessageKind, Payload, PreparedMessage,
};

use super::{RecvError, background::Calls};
use crate::{
    error::Error,
    server::FrameCode,
    transport::{Stream, Transport},
};

/// The half that receives. It drives the connection, so keep it receiving.
pub struct Receiver<S = Stream> {
    half: crate::Receiver<S>,
    calls: Calls,
}

/// The half that sends.
pub struct Sender<S = Stream> {
    half: crate::Sender<S>,
    calls: Calls,
}

impl<S: Transport> Receiver<S> {
    pub(super) const fn new(half: crate::Receiver<S>, calls: Calls) -> Self {
        Self { half, calls }
    }

    /// Bounds how long a receive waits; `None` waits for ever.
    pub const fn set_receive_timeout(&mut self, timeout: Option<Duration>) {
        self.calls.receive_timeout = timeout;
    }

    /// Receives the next message; `None` when the connection is over.
    ///
    /// # Errors
    /// [`RecvError::TimedOut`] past the receive timeout; [`RecvError::InsideRuntime`].
    pub fn recv(&mut self) -> Result<Option<Message<'static>>, RecvError> {
        self.calls.receive(self.half.recv())
    }

    /// Receives the next message and waits for so long at most, whatever the receive timeout is.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_timeout(
        &mut self,
        timeout: Duration,
    ) -> Result<Option<Message<'static>>, RecvError> {
        self.calls.receive_within(timeout, self.half.recv())
    }

    /// Receives the next piece of a message, see
    /// [`recv_fragment`](crate::WebSocket::recv_fragment).
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_fragment(&mut self) -> Result<Option<Fragment<'static>>, RecvError> {
        self.calls.receive(self.half.recv_fragment())
    }

    /// Receives the next frame by its code, see [`recv_frame`](crate::WebSocket::recv_frame).
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_frame(&mut self) -> Result<Option<(FrameCode, Payload<'static>)>, RecvError> {
        self.calls.receive(self.half.recv_frame())
    }

    /// Receives the next event of any kind, see [`recv_event`](crate::WebSocket::recv_event).
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_event(&mut self) -> Result<Option<Event<'static>>, RecvError> {
        self.calls.receive(self.half.recv_event())
    }

    /// Tells how the connection ended; `None` while it is open.
    pub fn ending(&self) -> Option<Ending> {
        self.half.ending()
    }
}

impl<S: Transport> Sender<S> {
    pub(super) const fn new(half: crate::Sender<S>, calls: Calls) -> Self {
        Self { half, calls }
    }

    /// Bounds how long a send waits, see
    /// [`WebSocket::set_send_timeout`](super::WebSocket::set_send_timeout).
    pub const fn set_send_timeout(&mut self, timeout: Option<Duration>) {
        self.calls.send_timeout = timeout;
    }

    /// Sends a message and waits until it is written.
    ///
    /// # Errors
    /// As [`WebSocket::send`](super::WebSocket::send).
    pub fn send<'a>(&mut self, message: impl Into<Message<'a>>) -> Result<(), Error> {
        self.wait(async |sender| sender.send(message).await)
    }

    /// Sends a message uncompressed, see
    /// [`send_uncompressed`](crate::WebSocket::send_uncompressed).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_uncompressed<'a>(&mut self, message: impl Into<Message<'a>>) -> Result<(), Error> {
        self.wait(async |sender| sender.send_uncompressed(message).await)
    }

    /// Sends a message that is encoded once for many connections.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.wait(async |sender| sender.send_prepared(message).await)
    }

    /// Sends a fragment of a message; the first one begins the message.
    ///
    /// # Errors
    /// As [`WebSocket::send_fragment`](super::WebSocket::send_fragment).
    pub fn send_fragment<'a>(
        &mut self,
        kind: MessageKind,
        payload: impl Into<Payload<'a>>,
        fin: Fin,
    ) -> Result<(), Error> {
        self.wait(async |sender| sender.send_fragment(kind, payload, fin).await)
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
        self.wait(async |sender| sender.begin_frame(kind, payload_len, fin).await)
    }

    /// Sends a piece of the payload of the frame that was begun.
    ///
    /// # Errors
    /// As [`send_fragment`](Self::send_fragment), and [`Error::Misuse`] for more bytes than were
    /// announced.
    pub fn send_frame_payload<'a>(&mut self, payload: impl Into<Payload<'a>>) -> Result<(), Error> {
        self.wait(async |sender| sender.send_frame_payload(payload).await)
    }

    /// Sends one frame by its code, see [`send_frame`](crate::WebSocket::send_frame).
    ///
    /// # Errors
    /// As [`WebSocket::send_frame`](super::WebSocket::send_frame).
    pub fn send_frame<'a>(
        &mut self,
        code: FrameCode,
        payload: impl Into<Payload<'a>>,
    ) -> Result<(), Error> {
        self.wait(async |sender| sender.send_frame(code, payload).await)
    }

    /// Sends a ping of at most 125 bytes, ahead of queued messages.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Error::Misuse`] if it is longer.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.wait(async |sender| sender.ping(payload).await)
    }

    /// Sends a pong of at most 125 bytes, ahead of queued messages.
    ///
    /// # Errors
    /// As [`ping`](Self::ping).
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.wait(async |sender| sender.pong(payload).await)
    }

    /// Sends what is queued and a close frame. The receiving half then gets what the peer still
    /// sends, and `None` at the end.
    ///
    /// # Errors
    /// [`Error::Misuse`] for a code or reason that cannot be sent; else as [`send`](Self::send).
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.wait(async |sender| sender.close(code, reason).await)
    }

    /// Ends the connection at once, without a closing handshake. What is queued is dropped.
    pub fn abort(&mut self) {
        self.half.abort();
    }

    /// Tells how the connection ended; `None` while it is open.
    pub fn ending(&self) -> Option<Ending> {
        self.half.ending()
    }

    /// Waits for a send, and ends the connection when that takes too long.
    fn wait(
        &mut self,
        send: impl AsyncFnOnce(&mut crate::Sender<S>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let future = send(&mut self.half);
        if self.calls.send(future)? {
            return Ok(());
        }
        self.half.abort();
        Err(Error::Closed(self.half.ending().map(Box::new)))
    }
}

impl<S> fmt::Debug for Receiver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for Sender<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}
