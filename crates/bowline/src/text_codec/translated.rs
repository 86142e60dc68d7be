//! A WebSocket whose application works in another encoding than UTF-8.

use std::{fmt, mem, sync::Arc};

use bowline_proto::{CloseCode, Ending, Fin, Message, MessageKind, Misuse, Opcode, Payload, Text};
use bytes::Bytes;

use super::{TextCodec, TextCodecError};
use crate::{
    error::Error,
    server::FrameCode,
    socket::WebSocket,
    transport::{Stream, Transport},
};

/// A WebSocket that translates text on its way in and out. Binary passes as it is.
///
/// Received text that has no place in the application's encoding begins the closing handshake with
/// 1003, and the call says which character it was.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use bowline::text_codec::{CodePage, Ebcdic, TranslatedSocket};
///
/// # async fn example(ws: bowline::WebSocket) -> Result<(), bowline::Error> {
/// let mut ws = TranslatedSocket::new(ws, Arc::new(Ebcdic::new(CodePage::Cp1047)));
/// while let Some(message) = ws.recv().await? {
///     ws.send(&message).await?;
/// }
/// # Ok(())
/// # }
/// ```
pub struct TranslatedSocket<S = Stream> {
    socket: WebSocket<S>,
    codec: Arc<dyn TextCodec>,
    incoming: IncomingText,
}

/// The frames of a text message that is not complete (frame level).
#[derive(Debug, Default)]
struct IncomingText {
    is_open: bool,
    /// The bytes of a character that the last frame cut off: at most 3.
    carry: Vec<u8>,
}

/// A message whose text is in the application's encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranslatedMessage {
    /// Whether it is text or binary.
    pub kind: MessageKind,
    /// The bytes as the application has them.
    pub payload: Bytes,
}

impl TranslatedMessage {
    /// Translates a message that was received.
    ///
    /// # Errors
    /// [`TextCodecError::Unmappable`] for a character that the application's encoding has not.
    pub fn decode(message: &Message<'_>, codec: &dyn TextCodec) -> Result<Self, TextCodecError> {
        let kind = message.kind();
        let payload = match message {
            Message::Binary(payload) => payload.clone().into_bytes(),
            Message::Text(text) => Bytes::from(codec.decode(text.as_str())?.into_owned()),
        };
        Ok(Self { kind, payload })
    }

    /// Translates the message to what is sent.
    ///
    /// # Errors
    /// [`TextCodecError::Malformed`] when the bytes are no text in the application's encoding.
    pub fn encode(&self, codec: &dyn TextCodec) -> Result<Message<'static>, TextCodecError> {
        Ok(match self.kind {
            MessageKind::Binary => Message::Binary(Payload::Shared(self.payload.clone())),
            MessageKind::Text => {
                Message::Text(Text::from(codec.encode(&self.payload)?.into_owned()))
            }
        })
    }
}

impl<S: Transport> TranslatedSocket<S> {
    /// Gives a WebSocket a codec.
    pub fn new(socket: WebSocket<S>, codec: Arc<dyn TextCodec>) -> Self {
        Self {
            socket,
            codec,
            incoming: IncomingText::default(),
        }
    }

    /// Gives the WebSocket, for calls in which nothing is translated.
    pub const fn socket(&mut self) -> &mut WebSocket<S> {
        &mut self.socket
    }

    /// Takes the WebSocket back.
    pub fn into_socket(self) -> WebSocket<S> {
        self.socket
    }

    /// Receives the next message, its text translated; `None` when the connection is over.
    /// Cancel-safe.
    ///
    /// # Errors
    /// [`TextCodecError::Unmappable`] for a character that the application's encoding has not. The
    /// closing handshake with 1003 has begun then; receive until `None` to carry it through.
    pub async fn recv(&mut self) -> Result<Option<TranslatedMessage>, TextCodecError> {
        let Some(message) = self.socket.recv().await else {
            return Ok(None);
        };
        let decoded = TranslatedMessage::decode(&message, &*self.codec);
        decoded.map(Some).map_err(|error| self.refuse(error))
    }

    /// Sends a message, its text translated. Cancel-safe.
    ///
    /// # Errors
    /// [`Error::TextCodec`] when the bytes are no text in the application's encoding: then nothing
    /// was sent. Else as [`WebSocket::send`].
    pub async fn send(&mut self, message: &TranslatedMessage) -> Result<(), Error> {
        let message = message.encode(&*self.codec)?;
        self.socket.send(message).await
    }

    /// Sends text that is in the application's encoding. Cancel-safe.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_text(&mut self, text: &[u8]) -> Result<(), Error> {
        let text = self.codec.encode(text)?;
        self.socket.send(&*text).await
    }

    /// Sends bytes as they are. Cancel-safe.
    ///
    /// # Errors
    /// As [`WebSocket::send`].
    pub async fn send_binary(&mut self, payload: impl Into<Payload<'_>>) -> Result<(), Error> {
        self.socket.send(Message::Binary(payload.into())).await
    }

    /// Receives the next frame as [`WebSocket::recv_frame`] does, the text of text frames
    /// translated.
    ///
    /// A character that is split between frames comes with the later one. Cancel-safe.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub async fn recv_frame(
        &mut self,
    ) -> Result<Option<(FrameCode, Payload<'static>)>, TextCodecError> {
        let Some((code, payload)) = self.socket.recv_frame().await else {
            return Ok(None);
        };
        if matches!(code.opcode(), Opcode::Text | Opcode::Binary) {
            self.incoming = IncomingText::default();
        }
        let is_text = match code.opcode() {
            Opcode::Text => true,
            Opcode::Continuation => self.incoming.is_open,
            Opcode::Binary | Opcode::Close | Opcode::Ping | Opcode::Pong => false,
        };
        if !is_text {
            return Ok(Some((code, payload)));
        }
        let text = self.incoming.characters(&payload, code.fin());
        match self.codec.decode(&text) {
            Ok(decoded) => Ok(Some((code, Payload::from(decoded.into_owned())))),
            Err(error) => Err(self.refuse(error)),
        }
    }

    /// Sends one frame as [`WebSocket::send_frame`] does, the text of text frames translated. Each
    /// frame is translated by itself, so a frame may not end within a character.
    ///
    /// # Errors
    /// [`Error::TextCodec`] when the bytes are no text in the application's encoding: then nothing
    /// was sent. Else as [`WebSocket::send_frame`].
    pub async fn send_frame(
        &mut self,
        code: FrameCode,
        payload: impl Into<Payload<'_>>,
    ) -> Result<(), Error> {
        let payload = payload.into();
        let is_text = match code.opcode() {
            Opcode::Text => true,
            Opcode::Continuation => self.socket.unfinished() == Some(MessageKind::Text),
            Opcode::Binary | Opcode::Close | Opcode::Ping | Opcode::Pong => false,
        };
        if !is_text {
            return self.socket.send_frame(code, payload).await;
        }
        let text = self.codec.encode(&payload)?;
        self.socket.send_frame(code, text.as_bytes()).await
    }

    /// Closes the connection, see [`WebSocket::close`]. Cancel-safe.
    ///
    /// # Errors
    /// As [`WebSocket::close`].
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<Ending, Error> {
        self.socket.close(code, reason).await
    }

    /// Tells how the connection ended; `None` while it is open.
    pub fn ending(&self) -> Option<Ending> {
        self.socket.ending()
    }

    /// Begins to close with 1003; inside a frame sent in pieces the connection just ends.
    fn refuse(&mut self, error: TextCodecError) -> TextCodecError {
        let code = CloseCode::UNSUPPORTED_DATA;
        match self.socket.begin_close(code, &error.to_string()) {
            Err(Error::Misuse(Misuse::FrameUnfinished)) => self.socket.abort(),
            begun => debug_assert!(begun.is_ok(), "a reason of the codec's is short"),
        }
        error
    }
}

impl<S> fmt::Debug for TranslatedSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TranslatedSocket")
            .field("socket", &self.socket)
            .field("codec", &self.codec)
            .finish_non_exhaustive()
    }
}

impl IncomingText {
    /// Gives the whole characters of a frame, behind what the last one cut off.
    ///
    /// The engine has checked that it is UTF-8, across the frames.
    fn characters(&mut self, payload: &[u8], fin: Fin) -> String {
        self.is_open = fin == Fin::More;
        let mut bytes = mem::take(&mut self.carry);
        bytes.extend_from_slice(payload);
        match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let whole = error.utf8_error().valid_up_to();
                let mut bytes = error.into_bytes();
                self.carry = bytes.split_off(whole);
                String::from_utf8(bytes).expect("it is valid up to here")
            }
        }
    }
}
