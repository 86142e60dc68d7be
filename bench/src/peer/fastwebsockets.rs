//! `fastwebsockets`, through its collector of fragments.

use bytes::Bytes;
use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, WebSocket};
use futures_util::FutureExt as _;

use super::{Compression, Library, Role};
use crate::{memory::MemoryStream, payload::Kind};

/// A connection whose futures are always ready.
pub struct Fastwebsockets {
    socket: FragmentCollector<MemoryStream>,
    stream: MemoryStream,
}

impl Library for Fastwebsockets {
    const NAME: &'static str = "fastwebsockets";

    type Outgoing = (OpCode, Bytes);

    fn new(role: Role, compression: Compression) -> Option<Self> {
        if compression != Compression::Off {
            return None;
        }
        let role = match role {
            Role::Client => fastwebsockets::Role::Client,
            Role::Server => fastwebsockets::Role::Server,
        };
        let stream = MemoryStream::default();
        let socket = FragmentCollector::new(WebSocket::after_handshake(stream.clone(), role));
        Some(Self { socket, stream })
    }

    fn stream(&self) -> MemoryStream {
        self.stream.clone()
    }

    fn receive(&mut self, wire: &Bytes, count: usize, mut each: impl FnMut(bool, &[u8])) {
        self.stream.feed(wire);
        for _ in 0..count {
            let frame = self.socket.read_frame().now_or_never();
            let frame = frame.expect("it is in memory").expect("a valid frame");
            each(frame.opcode == OpCode::Text, &frame.payload);
        }
    }

    fn prepare(kind: Kind, payload: &Bytes) -> (OpCode, Bytes) {
        let opcode = if kind.is_text() {
            OpCode::Text
        } else {
            OpCode::Binary
        };
        (opcode, payload.clone())
    }

    fn send(&mut self, (opcode, payload): &(OpCode, Bytes), count: usize) {
        for _ in 0..count {
            let frame = Frame::new(true, *opcode, None, Payload::Borrowed(payload));
            let written = self.socket.write_frame(frame).now_or_never();
            written.expect("it is in memory").expect("a valid frame");
        }
    }
}
