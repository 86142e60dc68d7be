//! Sans-I/O WebSocket engine (RFC 6455, RFC 7692).
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]

pub mod deflate;
pub mod handshake;
