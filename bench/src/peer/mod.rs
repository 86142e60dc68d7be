//! `Library`: one library under test, on a stream in memory.

pub mod bowline;
pub mod fastwebsockets;
pub mod sockudo;
pub mod tokio_websockets;
pub mod tungstenite;
pub mod yawc;

use bytes::Bytes;

use crate::{memory::MemoryStream, payload::Kind};

/// A library with one open connection.
pub trait Library: Sized {
    /// The name in the table.
    const NAME: &'static str;

    /// A message to send.
    type Outgoing;

    /// Opens a connection after its handshake; `None` if the library lacks `compression`.
    fn new(role: Role, compression: Compression) -> Option<Self>;

    /// Gives the stream the connection writes to.
    fn stream(&self) -> MemoryStream;

    /// Receives a burst of `count` messages and shows each one: is it text, its payload.
    fn receive(&mut self, wire: &Bytes, count: usize, each: impl FnMut(bool, &[u8]));

    /// Makes a message in the form that is cheapest to send many times.
    fn prepare(kind: Kind, payload: &Bytes) -> Self::Outgoing;

    /// Sends a message `count` times and flushes once.
    fn send(&mut self, message: &Self::Outgoing, count: usize);
}

/// The role of the measured end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It sends masked frames.
    Client,
    /// It receives masked frames.
    Server,
}

impl Role {
    /// Gives the name used in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// Gives the role of the peer.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What was negotiated of permessage-deflate, with windows of 15 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Nothing.
    Off,
    /// Every message stands alone.
    NoTakeover,
    /// A message refers to earlier ones.
    Takeover,
}

/// The compression level of every library; zlib's default.
pub const LEVEL: u8 = 6;
/// The limit on messages and frames, where a library's default is below the largest payload.
pub const SIZE_MAX: usize = 64 << 20;
