//! The opening handshake of RFC 6455 section 4, both roles, without I/O.
//!
//! A server feeds a [`HeadParser`] of [`RequestHead`] until the head is complete, gives the head
//! to [`check_request`] and answers the [`ServerHandshake`] it gets with
//! [`accept`](ServerHandshake::accept), or refuses with [`write_refusal`]. A client builds a
//! [`ClientRequest`], writes it with [`start`](ClientRequest::start) and feeds what comes back to
//! the [`ClientHandshake`].
//!
//! In both roles the bytes after the head are not touched: they are the first frames of the
//! connection, and the `consumed` count says where they begin.

mod body;
mod client;
mod client_request;
mod error;
mod extensions;
mod field;
mod head;
mod headers;
mod key;
mod refusal;
mod request;
mod response;
mod server;

pub use body::BodyEnd;
pub use client::{ClientAccepted, ClientHandshake, ClientLimits, ClientOutcome, ClientRefused};
pub use client_request::ClientRequest;
pub use error::{HandshakeError, HandshakeLimit, HandshakeMisuse, HandshakeViolation, HeadError};
pub use extensions::{
    EXTENSION_COUNT_MAX, Extension, ExtensionError, PARAMETER_COUNT_MAX, Parameter,
    parse_extensions,
};
pub use head::{Head, HeadLimits, HeadParser, ParsedHead};
pub use headers::Headers;
pub use key::{AcceptKey, accept_key};
pub use refusal::{Refusal, RefusalDetail, RefusalResponse, write_refusal};
pub use request::{HttpVersion, RequestHead};
pub use response::ResponseHead;
pub use server::{
    AcceptOptions, RequestCheck, SUBPROTOCOL_COUNT_MAX, ServerAccepted, ServerHandshake,
    check_host, check_request,
};
