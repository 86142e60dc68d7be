//! `yawc`, through its stream and sink.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures_util::{FutureExt as _, SinkExt as _};
use yawc::{CompressionLevel, Frame, OpCode, Options, WebSocket};

use super::{Compression, LEVEL, Library, Role, SIZE_MAX};
use crate::{memory::MemoryStream, payload::Kind};

/// A connection whose futures are always ready.
pub struct Yawc {
    socket: WebSocket<MemoryStream>,
    stream: MemoryStream,
}

impl Library for Yawc {
    const NAME: &'static str = "yawc";

    type Outgoing = Frame;

    fn new(role: Role, compression: Compression) -> Option<Self> {
        let role = match role {
            Role::Client => yawc::Role::Client,
            Role::Server => yawc::Role::Server,
        };
        let options = Options::default()
            .with_utf8()
            .with_limits(SIZE_MAX, 2 * SIZE_MAX);
        let (options, extensions) = match compression {
            Compression::Off => (options, None),
            Compression::NoTakeover => (compressing(options), Some(NO_TAKEOVER)),
            Compression::Takeover => (compressing(options), Some("permessage-deflate")),
        };
        let stream = MemoryStream::default();
        let socket =
            WebSocket::from_stream_with_extensions(stream.clone(), role, extensions, options)
                .expect("the options allow the extension");
        Some(Self { socket, stream })
    }

    fn stream(&self) -> MemoryStream {
        self.stream.clone()
    }

    fn receive(&mut self, wire: &Bytes, count: usize, mut each: impl FnMut(bool, &[u8])) {
        self.stream.feed(wire);
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..count {
            match self.socket.poll_next_frame(&mut context) {
                Poll::Ready(Ok(frame)) => each(frame.opcode() == OpCode::Text, frame.payload()),
                Poll::Ready(Err(error)) => panic!("a valid frame is refused: {error}"),
                Poll::Pending => panic!("it is in memory"),
            }
        }
    }

    fn prepare(kind: Kind, payload: &Bytes) -> Frame {
        if kind.is_text() {
            Frame::text(payload.clone())
        } else {
            Frame::binary(payload.clone())
        }
    }

    fn send(&mut self, message: &Frame, count: usize) {
        let mut socket = Pin::new(&mut self.socket);
        for _ in 0..count {
            let fed = socket.feed(message.clone()).now_or_never();
            fed.expect("it is in memory").expect("not closed");
        }
        let flushed = socket.flush().now_or_never();
        flushed.expect("it is in memory").expect("not closed");
    }
}

fn compressing(options: Options) -> Options {
    options
        .with_compression_level(CompressionLevel::new(LEVEL.into()))
        .with_compression_threshold(0)
}

const NO_TAKEOVER: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
