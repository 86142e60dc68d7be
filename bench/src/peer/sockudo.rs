//! `sockudo-ws`, through its protocol type, which needs no stream.

use bytes::{Bytes, BytesMut};
use sockudo_ws::{
    CompressedProtocol, DeflateConfig, Message,
    protocol::{self, Protocol},
};

use super::{Compression, LEVEL, Library, Role, SIZE_MAX};
use crate::{
    memory::{MemoryStream, READ_LEN},
    payload::Kind,
};

/// A connection with the buffers its stream type would own.
pub struct Sockudo {
    engine: Engine,
    input: BytesMut,
    messages: Vec<Message>,
    output: BytesMut,
    stream: MemoryStream,
}

#[expect(clippy::large_enum_variant, reason = "there is one of it")]
enum Engine {
    Plain(Protocol),
    Compressed(CompressedProtocol),
}

impl Library for Sockudo {
    const NAME: &'static str = "sockudo-ws";

    type Outgoing = Message;

    fn new(role: Role, compression: Compression) -> Option<Self> {
        let engine = match (compression, role) {
            (Compression::Off, Role::Client) => {
                Engine::Plain(Protocol::new(protocol::Role::Client, SIZE_MAX, SIZE_MAX))
            }
            (Compression::Off, Role::Server) => {
                Engine::Plain(Protocol::new(protocol::Role::Server, SIZE_MAX, SIZE_MAX))
            }
            (_, Role::Client) => Engine::Compressed(CompressedProtocol::client(
                SIZE_MAX,
                SIZE_MAX,
                config(compression),
            )),
            (_, Role::Server) => Engine::Compressed(CompressedProtocol::server(
                SIZE_MAX,
                SIZE_MAX,
                config(compression),
            )),
        };
        Some(Self {
            engine,
            input: BytesMut::with_capacity(READ_LEN),
            messages: Vec::new(),
            output: BytesMut::with_capacity(READ_LEN),
            stream: MemoryStream::default(),
        })
    }

    fn stream(&self) -> MemoryStream {
        self.stream.clone()
    }

    fn receive(&mut self, wire: &Bytes, _: usize, mut each: impl FnMut(bool, &[u8])) {
        for read in wire.chunks(READ_LEN) {
            self.input.extend_from_slice(read);
            let done = match &mut self.engine {
                Engine::Plain(engine) => engine.process_into(&mut self.input, &mut self.messages),
                Engine::Compressed(engine) => {
                    engine.process_into(&mut self.input, &mut self.messages)
                }
            };
            done.expect("valid frames");
            for message in self.messages.drain(..) {
                each(message.is_text(), message.as_bytes());
            }
        }
    }

    fn prepare(kind: Kind, payload: &Bytes) -> Message {
        if kind.is_text() {
            Message::Text(payload.clone())
        } else {
            Message::Binary(payload.clone())
        }
    }

    fn send(&mut self, message: &Message, count: usize) {
        for _ in 0..count {
            let message = message.clone();
            match &mut self.engine {
                Engine::Plain(engine) => engine.encode_message(&message, &mut self.output),
                Engine::Compressed(engine) => engine.encode_message(&message, &mut self.output),
            }
            .expect("a valid message");
        }
        self.stream.put(&self.output);
        self.output.clear();
    }
}

fn config(compression: Compression) -> DeflateConfig {
    let no_takeover = compression == Compression::NoTakeover;
    DeflateConfig {
        server_no_context_takeover: no_takeover,
        client_no_context_takeover: no_takeover,
        compression_level: LEVEL.into(),
        compression_threshold: 0,
        ..DeflateConfig::default()
    }
}
