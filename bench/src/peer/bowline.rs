//! The engine of this repository, driven as its documentation says.

use std::{io::IoSlice, sync::Arc, time::Instant};

use bowline_proto::{
    Config, Connection, Event, MaskingKey, Message, MessageKind, Payload, Text,
    deflate::{ContextPool, Deflate, DeflateParams, Level, PoolLimits, WindowBits},
};
use bytes::Bytes;
use rand::Rng as _;

use super::{Compression, LEVEL, Library, Role};
use crate::{
    memory::{MemoryStream, READ_LEN},
    payload::Kind,
};

/// A connection with the read buffer its driver would own.
pub struct Bowline {
    connection: Connection,
    buffer: Vec<u8>,
    stream: MemoryStream,
    now: Instant,
}

impl Library for Bowline {
    const NAME: &'static str = "bowline";

    type Outgoing = Outgoing;

    fn new(role: Role, compression: Compression) -> Option<Self> {
        let now = Instant::now();
        let config = Arc::new(Config {
            compression_size_min: 0,
            ..Config::default()
        });
        let deflate = deflate(compression);
        let connection = match role {
            Role::Server => Connection::server(config, deflate, now),
            Role::Client => Connection::client(
                config,
                deflate,
                Box::new(|| MaskingKey(rand::rng().next_u32().to_ne_bytes())),
                now,
            ),
        };
        Some(Self {
            connection,
            buffer: vec![0; READ_LEN],
            stream: MemoryStream::default(),
            now,
        })
    }

    fn stream(&self) -> MemoryStream {
        self.stream.clone()
    }

    fn receive(&mut self, wire: &Bytes, _: usize, mut each: impl FnMut(bool, &[u8])) {
        for read in wire.chunks(READ_LEN) {
            let input = &mut self.buffer[..read.len()];
            input.copy_from_slice(read);
            let mut at = 0;
            loop {
                let (used, event) = self.connection.poll_event(self.now, &mut input[at..]);
                at += used;
                match event {
                    Some(Event::Message(message)) => {
                        each(message.kind() == MessageKind::Text, message.payload());
                    }
                    Some(event) => panic!("an event that was not sent: {event:?}"),
                    None => break,
                }
            }
        }
    }

    fn prepare(kind: Kind, payload: &Bytes) -> Outgoing {
        if payload.len() < SHARED_LEN_MIN {
            return match kind.is_text() {
                true => Outgoing::Text(String::from_utf8(payload.to_vec()).expect("UTF-8")),
                false => Outgoing::Binary(payload.to_vec()),
            };
        }
        let payload = Payload::Shared(payload.clone());
        Outgoing::Shared(match kind.is_text() {
            true => Message::Text(Text::from_utf8(payload).expect("UTF-8")),
            false => Message::Binary(payload),
        })
    }

    fn send(&mut self, message: &Outgoing, count: usize) {
        for _ in 0..count {
            self.connection
                .send(message.borrow())
                .expect("the connection is open");
        }
        loop {
            let mut slices = [IoSlice::new(&[]); 64];
            let filled = self.connection.poll_transmit(&mut slices);
            let mut written = 0;
            for slice in &slices[..filled] {
                self.stream.put(slice);
                written += slice.len();
            }
            if written == 0 {
                return;
            }
            self.connection.handle_transmitted(written);
        }
    }
}

/// Short payloads are borrowed, long ones shared: the cheapest form for each.
#[derive(Debug)]
pub enum Outgoing {
    /// A short binary message.
    Binary(Vec<u8>),
    /// A short text message.
    Text(String),
    /// A long message.
    Shared(Message<'static>),
}

impl Outgoing {
    fn borrow(&self) -> Message<'_> {
        match self {
            Self::Binary(payload) => Message::Binary(Payload::Borrowed(payload)),
            Self::Text(text) => Message::Text(Text::from(text.as_str())),
            Self::Shared(message) => message.clone(),
        }
    }
}

fn deflate(compression: Compression) -> Option<Deflate> {
    let no_takeover = match compression {
        Compression::Off => return None,
        Compression::NoTakeover => true,
        Compression::Takeover => false,
    };
    let params = DeflateParams {
        server_no_context_takeover: no_takeover,
        client_no_context_takeover: no_takeover,
        server_max_window_bits: WindowBits::MAX,
        client_max_window_bits: WindowBits::MAX,
    };
    let pool = Arc::new(ContextPool::new(PoolLimits::default()));
    let mut deflate = Deflate::new(params, pool);
    deflate.level = Level::new(LEVEL).expect("a valid level");
    Some(deflate)
}

/// From here on the engine keeps a shared payload instead of copying it.
const SHARED_LEN_MIN: usize = 4 << 10;
