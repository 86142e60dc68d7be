#![doc = include_str!("../../../README.md")]
#![forbid(unsafe_code)]

mod client;
mod driver;
mod error;
mod options;
mod server;
mod shared;
mod socket;
mod split;
mod transport;
mod wakers;
mod worker;

pub use bowline_proto as proto;
pub use bowline_proto::{
    Cause, Close, CloseCode, Compress, Config, EndedBy, Ending, Event, Fin, Fragment, Keepalive,
    Limits, MessageKind, Misuse, Payload, Phase, PongMode, PreparedMessage, ProtocolViolation,
    Retry, Text,
    deflate::{ContextPool, DeflateNegotiation},
};
pub use client::{Connector, Endpoint, Timeouts, connect};
pub use error::{ConnectPhase, Error, TlsError, UrlError};
pub use options::Options;
pub use server::{Acceptor, Offer, Request, accept};
pub use socket::WebSocket;
pub use split::{Receiver, Sender};
pub use transport::{
    Rewind, Stream, Transport,
    tls::{ClientTls, ServerTls},
};

/// A message that owns its payload and clones without copying it.
pub type Message = bowline_proto::Message<'static>;
