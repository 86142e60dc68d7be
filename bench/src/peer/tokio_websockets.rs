//! `tokio-websockets`, through its stream and sink.

use bytes::Bytes;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use tokio_websockets::{ClientBuilder, Limits, Message, ServerBuilder, WebSocketStream};

use super::{Compression, Library, Role, SIZE_MAX};
use crate::{memory::MemoryStream, payload::Kind};

/// A connection whose futures are always ready.
pub struct TokioWebsockets {
    socket: WebSocketStream<MemoryStream>,
}

impl Library for TokioWebsockets {
    const NAME: &'static str = "tokio-websockets";

    type Outgoing = Message;

    fn new(role: Role, compression: Compression) -> Option<Self> {
        if compression != Compression::Off {
            return None;
        }
        let stream = MemoryStream::default();
        let limits = Limits::default().max_payload_len(Some(SIZE_MAX));
        let socket = match role {
            Role::Client => ClientBuilder::new().limits(limits).take_over(stream),
            Role::Server => ServerBuilder::new().limits(limits).serve(stream),
        };
        Some(Self { socket })
    }

    fn stream(&self) -> MemoryStream {
        self.socket.get_ref().clone()
    }

    fn receive(&mut self, wire: &Bytes, count: usize, mut each: impl FnMut(bool, &[u8])) {
        self.socket.get_ref().feed(wire);
        for _ in 0..count {
            let message = self.socket.next().now_or_never();
            let message = message.expect("it is in memory").expect("not closed");
            let message = message.expect("a valid frame");
            each(message.is_text(), message.as_payload());
        }
    }

    fn prepare(kind: Kind, payload: &Bytes) -> Message {
        if kind.is_text() {
            Message::text(String::from_utf8(payload.to_vec()).expect("UTF-8"))
        } else {
            Message::binary(payload.clone())
        }
    }

    fn send(&mut self, message: &Message, count: usize) {
        for _ in 0..count {
            let fed = self.socket.feed(message.clone()).now_or_never();
            fed.expect("it is in memory").expect("not closed");
        }
        let flushed = self.socket.flush().now_or_never();
        flushed.expect("it is in memory").expect("not closed");
    }
}
