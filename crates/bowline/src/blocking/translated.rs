//! A WebSocket with a text codec, for one thread.

use std::{fmt, sync::Arc, time::Duration};

use bowline_proto::{CloseCode, Ending, Payload};

use super::{WebSocket, background::Calls};
use crate::{
    error::Error,
    server::FrameCode,
    text_codec::{self, TextCodec, TranslatedMessage},
    transport::{Stream, Transport},
};

/// A WebSocket whose calls wait and that translates text, see
/// [`text_codec::TranslatedSocket`].
pub struct TranslatedSocket<S = Stream> {
    socket: text_codec::TranslatedSocket<S>,
    calls: Calls,
}

impl<S: Transport> TranslatedSocket<S> {
    /// Gives a WebSocket a codec. Its timeouts stay.
    pub fn new(socket: WebSocket<S>, codec: Arc<dyn TextCodec>) -> Self {
        let (socket, calls) = socket.into_parts();
        Self {
            socket: text_codec::TranslatedSocket::new(socket, codec),
            calls,
        }
    }

    /// Takes the WebSocket back.
    pub fn into_socket(self) -> WebSocket<S> {
        WebSocket::from_parts(self.socket.into_socket(), self.calls)
    }

    /// Bounds how long a receive waits; `None` waits for ever.
    pub const fn set_receive_timeout(&mut self, timeout: Option<Duration>) {
        self.calls.receive_timeout = timeout;
    }

    /// Receives the next message, its text translated; `None` when the connection is over.
    ///
    /// # Errors
    /// [`Error::TextCodec`] for a character that the application's encoding has not: the closing
    /// handshake with 1003 has begun then, and receiving until `None` carries it through.
    /// [`Error::RecvTimeout`] past the receive timeout; [`Error::InsideRuntime`].
    pub fn recv(&mut self) -> Result<Option<TranslatedMessage>, Error> {
        let next = self.socket.recv();
        Ok(self.calls.receive(next)??)
    }

    /// Receives the next frame by its code, its text translated, see
    /// [`recv_frame`](text_codec::TranslatedSocket::recv_frame).
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_frame(&mut self) -> Result<Option<(FrameCode, Payload<'static>)>, Error> {
        let next = self.socket.recv_frame();
        Ok(self.calls.receive(next)??)
    }

    /// Sends a message, its text translated.
    ///
    /// # Errors
    /// As [`text_codec::TranslatedSocket::send`]; [`Error::InsideRuntime`].
    pub fn send(&mut self, message: &TranslatedMessage) -> Result<(), Error> {
        self.wait(async |socket| socket.send(message).await)
    }

    /// Sends one frame by its code, its text translated, see
    /// [`send_frame`](text_codec::TranslatedSocket::send_frame).
    ///
    /// # Errors
    /// As [`text_codec::TranslatedSocket::send_frame`]; [`Error::InsideRuntime`].
    pub fn send_frame<'a>(
        &mut self,
        code: FrameCode,
        payload: impl Into<Payload<'a>>,
    ) -> Result<(), Error> {
        self.wait(async |socket| socket.send_frame(code, payload).await)
    }

    /// Closes the connection and waits until it is over, within the close timeout.
    ///
    /// # Errors
    /// As [`WebSocket::close`].
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<Ending, Error> {
        self.calls.wait(self.socket.close(code, reason))?
    }

    /// Tells how the connection ended; `None` while it is open.
    pub fn ending(&self) -> Option<Ending> {
        self.socket.ending()
    }

    /// Waits for a send, and ends the connection when that takes too long.
    fn wait(
        &mut self,
        send: impl AsyncFnOnce(&mut text_codec::TranslatedSocket<S>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let future = send(&mut self.socket);
        if self.calls.send(future)? {
            return Ok(());
        }
        self.socket.socket().abort();
        Err(Error::Closed(self.ending().map(Box::new)))
    }
}

impl<S> fmt::Debug for TranslatedSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TranslatedSocket")
            .field("socket", &self.socket)
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}
