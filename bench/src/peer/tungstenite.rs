//! `tungstenite`, the blocking library under `tokio-tungstenite`.

use bytes::Bytes;
use tungstenite::{Message, Utf8Bytes, WebSocket, protocol};

use super::{Compression, Library, Role};
use crate::{memory::MemoryStream, payload::Kind};

/// A connection over blocking calls that never block.
pub struct Tungstenite {
    socket: WebSocket<MemoryStream>,
}

impl Library for Tungstenite {
    const NAME: &'static str = "tungstenite";

    type Outgoing = Message;

    fn new(role: Role, compression: Compression) -> Option<Self> {
        if compression != Compression::Off {
            return None;
        }
        let role = match role {
            Role::Client => protocol::Role::Client,
            Role::Server => protocol::Role::Server,
        };
        let socket = WebSocket::from_raw_socket(MemoryStream::default(), role, None);
        Some(Self { socket })
    }

    fn stream(&self) -> MemoryStream {
        self.socket.get_ref().clone()
    }

    fn receive(&mut self, wire: &Bytes, count: usize, mut each: impl FnMut(bool, &[u8])) {
        self.socket.get_ref().feed(wire);
        for _ in 0..count {
            match self.socket.read().expect("a valid frame") {
                Message::Text(text) => each(true, text.as_bytes()),
                Message::Binary(payload) => each(false, &payload),
                other => panic!("a message that was not sent: {other:?}"),
            }
        }
    }

    fn prepare(kind: Kind, payload: &Bytes) -> Message {
        if kind.is_text() {
            Message::Text(Utf8Bytes::try_from(payload.clone()).expect("UTF-8"))
        } else {
            Message::Binary(payload.clone())
        }
    }

    fn send(&mut self, message: &Message, count: usize) {
        for _ in 0..count {
            self.socket.write(message.clone()).expect("room");
        }
        self.socket.flush().expect("the stream takes all");
    }
}
