//! Sans-I/O WebSocket engine: RFC 6455, RFC 7692 and the opening handshake for both roles.
//!
//! The engine turns bytes into events and messages into bytes. It opens no socket, reads no clock
//! and draws no random number: received bytes, the current time and masking keys are arguments.
//! [`Connection`] states the contract with its driver; [`handshake`] comes before it.
//!
//! # Memory
//!
//! An idle connection owns no buffer. What is kept is what the peer sent and the engine cannot
//! hand out yet: at most 13 bytes of a header, 125 of a control frame and, in the message view,
//! the bytes received so far of one message, within [`Limits`]. A message that arrives in one
//! piece is borrowed from the caller's buffer and never copied. Compression contexts belong to a
//! [`ContextPool`](deflate::ContextPool) and are held only while a compressed message is under
//! way; with context takeover a connection keeps its raw window, 2^bits bytes each way.
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod config;
mod connection;
pub mod deflate;
mod ending;
mod error;
mod event;
mod frame;
pub mod handshake;
mod keepalive;
mod message;
mod receive;
mod role;
mod send;
mod state;

pub use config::{Config, Keepalive, Limits, Nonstandard, PongMode};
pub use connection::{ArrivingPayload, Connection, Counters, ReadAhead};
pub use ending::{EndedBy, Ending, LossClass, Phase, Retry};
pub use error::{Cause, LimitExceeded, Misuse, ProtocolViolation};
pub use event::{Event, Fragment};
pub use frame::{
    Close, CloseCode, EncodedHeader, FrameHeader, MaskingKey, MaskingKeySource, Opcode, apply_mask,
};
pub use message::{Message, MessageKind, Payload, Text};
pub use receive::View;
pub use role::Role;
pub use send::{Compress, Fin, PreparedBatch, PreparedMessage};
pub use state::ConnectionState;
