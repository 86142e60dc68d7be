//! One frame at a time, named by opcode and final flag.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use bowline_proto::{Close, Event, Fin, MessageKind, Opcode, Payload, View};

use crate::{
    driver::now,
    error::Error,
    server::FrameCode,
    shared::Shared,
    socket::queue,
    split::{Receiver, Sender},
    transport::Transport,
};

impl<S: Transport> crate::WebSocket<S> {
    /// Receives the next frame: its code, and its payload, unmasked; `None` when the connection is
    /// over.
    ///
    /// A data frame comes whole once it has arrived: text or binary first, then continuations. What
    /// the peer sends out of order ends the connection with 1002, as ever; so do reserved opcodes.
    /// A frame longer than `Limits::frame_size_max` or `Limits::message_size_max` ends it with 1009
    /// before its payload is taken in. A message that was sent compressed comes as one frame. After
    /// a change from another way of receiving, a message that was begun keeps that way: the rest
    /// of it comes as one frame, or in pieces as continuations.
    ///
    /// Control frames come where they stand among the data frames. A ping was answered already,
    /// unless the program answers itself with `PongMode::Manual`. A close frame was answered already
    /// with the same code; sending a close frame in return does nothing. Cancel-safe.
    pub async fn recv_frame(&mut self) -> Option<(FrameCode, Payload<'static>)> {
        let shared = self.received();
        poll_fn(|cx| poll_frame(shared, cx)).await
    }

    /// Sends one frame by its code, uncompressed. Text frames hold UTF-8, and a character may be
    /// split between frames; a close frame holds a code in two bytes and a reason, or nothing.
    ///
    /// Pings and pongs leave ahead of queued data. A close frame begins the closing handshake behind
    /// it, as [`begin_close`](Self::begin_close) does. The masking of RFC 6455 section 5.3 is
    /// done for the client, with a fresh key each; a server's frames are never masked, and nothing
    /// can make them so. Cancel-safe.
    ///
    /// # Errors
    /// [`Error::Closed`] once the connection is closing. [`Error::Misuse`] with a
    /// [`Misuse`](crate::Misuse) otherwise, and then the connection is unharmed and nothing was
    /// sent: `MessageUnfinished` for text or binary before the last message is finished,
    /// `ContinuationWithoutStart` for a continuation after it, `ControlTooLong` for a ping or pong
    /// of more than 125 bytes, `TextUtf8` for text that is not UTF-8, and `ClosePayload`,
    /// `CloseCode` or `CloseReasonTooLong` for a close frame that cannot be sent.
    pub async fn send_frame(
        &mut self,
        code: FrameCode,
        payload: impl Into<Payload<'_>>,
    ) -> Result<(), Error> {
        send_frame(self.shared(), code, payload.into()).await
    }
}

impl<S: Transport> Receiver<S> {
    /// Receives the next frame, see [`WebSocket::recv_frame`](crate::WebSocket::recv_frame).
    /// Cancel-safe.
    pub async fn recv_frame(&mut self) -> Option<(FrameCode, Payload<'static>)> {
        let shared = self.received();
        poll_fn(|cx| poll_frame(shared, cx)).await
    }
}

impl<S: Transport> Sender<S> {
    /// Sends one frame by its code, see [`WebSocket::send_frame`](crate::WebSocket::send_frame).
    /// Cancel-safe.
    ///
    /// # Errors
    /// As [`WebSocket::send_frame`](crate::WebSocket::send_frame).
    pub async fn send_frame(
        &mut self,
        code: FrameCode,
        payload: impl Into<Payload<'_>>,
    ) -> Result<(), Error> {
        send_frame(self.shared(), code, payload.into()).await
    }
}

fn poll_frame<S: Transport>(
    shared: &Arc<Shared<S>>,
    cx: &mut Context<'_>,
) -> Poll<Option<(FrameCode, Payload<'static>)>> {
    shared.poll_event(View::Frames, cx, |event| {
        let (opcode, fin, payload) = match event {
            Event::Message(message) => {
                let opcode = opcode(message.kind());
                (opcode, Fin::Last, message.into_payload().into_owned())
            }
            Event::Fragment(piece) => {
                let opcode = if piece.message_start {
                    opcode(piece.kind)
                } else {
                    Opcode::Continuation
                };
                let fin = if piece.message_end {
                    Fin::Last
                } else {
                    Fin::More
                };
                (opcode, fin, piece.payload.into_owned())
            }
            Event::Ping(payload) => (Opcode::Ping, Fin::Last, payload.into_owned()),
            Event::Pong { payload, .. } => (Opcode::Pong, Fin::Last, payload.into_owned()),
            Event::Close(close) => {
                let payload = close.as_ref().map(Close::to_payload).unwrap_or_default();
                (Opcode::Close, Fin::Last, Payload::from(payload))
            }
            Event::Closed(_) => return None,
        };
        let code = FrameCode::new(opcode, fin).expect("control frames are the last of theirs");
        Some((code, payload))
    })
}

async fn send_frame<S: Transport>(
    shared: &Arc<Shared<S>>,
    code: FrameCode,
    payload: Payload<'_>,
) -> Result<(), Error> {
    if code.opcode() != Opcode::Close {
        return queue(shared, |connection| {
            connection.send_frame(now(), code.opcode(), payload, code.fin())
        })
        .await;
    }
    let close = Close::from_payload(&payload).map_err(Error::Misuse)?;
    shared.begin_close(close).map_err(Error::Misuse)?;
    poll_fn(|cx| shared.poll_flush(cx)).await
}

const fn opcode(kind: MessageKind) -> Opcode {
    match kind {
        MessageKind::Text => Opcode::Text,
        MessageKind::Binary => Opcode::Binary,
    }
}
