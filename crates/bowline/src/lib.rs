#![doc = include_str!("../README.md")]
//!
//! # Features of this crate
//!
//! None is on by default; they only add.
//!
//! - `hyper`: accept inside a handler of a hyper 1 server, or of a tower service or framework above
//!   one: `Offer::from_request`.
//! - `axum`: the same, with `Offer` as an extractor of axum 0.8.
//! - `metrics`: the numbers of `Metrics` as text in the `OpenMetrics` format, and as a collector of
//!   the crate `prometheus-client`.
#![forbid(unsafe_code)]

mod ahead;
pub mod blocking;
mod client;
mod driver;
mod error;
mod flusher;
mod frame_level;
mod link;
pub mod metrics;
mod options;
mod outbox;
mod receive_queue;
mod round;
pub mod server;
mod shared;
mod socket;
mod split;
pub mod text_codec;
mod transport;
mod wakers;
mod worker;

pub use bowline_proto as proto;
pub use bowline_proto::{
    Cause, Close, CloseCode, Compress, Config, EndedBy, Ending, Event, Fin, Fragment, Keepalive,
    Limits, LossClass, MessageKind, Misuse, Nonstandard, Payload, Phase, PongMode, PreparedBatch,
    PreparedMessage, ProtocolViolation, Retry, Text,
    deflate::{ContextPool, DeflateNegotiation},
};
pub use client::{
    ADDRESS_COUNT_MAX, Connector, Credentials, Endpoint, NoProxy, Proxy, ProxyChoice,
    ProxyVariables, Resolver, TcpOptions, Timeouts, connect, managed,
};
pub use error::{
    ConnectPhase, CredentialsError, Error, ProxyError, RedirectError, SocksReply, TlsError,
    UrlError,
};
pub use link::Backlog;
pub use metrics::Metrics;
pub use options::Options;
pub use outbox::{OutboxLimits, Sent, SlowPeer};

pub use receive_queue::{ReceiveLevel, ReceiveLimits, ReceiveMark, ReceiveQueue, Waiting};
pub use server::{Acceptor, FrameCode, FrameCodeError, Offer, Request, SetCookie, accept};
#[cfg(feature = "hyper")]
pub use server::{Handover, PendingWebSocket, Rejection, UpgradedStream};
pub use socket::WebSocket;
pub use split::{Receiver, Sender};
pub use transport::{
    ClientTls, ClientTlsBuilder, PeerCertificate, Rewind, ServerCertificates, ServerTls,
    ServerTlsBuilder, Stream, Tap, Tapped, TlsVersion, Transport, Wiretap,
};

/// A message that owns its payload and clones without copying it.
pub type Message = bowline_proto::Message<'static>;

/// Guide pages; their code is compiled with the tests.
pub mod guide {
    #[doc = include_str!("../docs/guide/accept.md")]
    pub mod accept {}
    #[doc = include_str!("../docs/guide/blocking.md")]
    pub mod blocking {}
    #[doc = include_str!("../docs/guide/client.md")]
    pub mod client {}
    #[doc = include_str!("../docs/guide/compression.md")]
    pub mod compression {}
    #[doc = include_str!("../docs/guide/connections.md")]
    pub mod connections {}
    #[doc = include_str!("../docs/guide/frames.md")]
    pub mod frames {}
    #[doc = include_str!("../docs/guide/groups.md")]
    pub mod groups {}
    #[doc = include_str!("../docs/guide/listener.md")]
    pub mod listener {}
    #[doc = include_str!("../docs/guide/observability.md")]
    pub mod observability {}
    #[doc = include_str!("../docs/guide/proxies-and-tls.md")]
    pub mod proxies_and_tls {}
    #[doc = include_str!("../docs/guide/reconnect.md")]
    pub mod reconnect {}
    #[doc = include_str!("../docs/guide/sessions.md")]
    pub mod sessions {}
}
