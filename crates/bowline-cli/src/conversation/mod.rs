//! Recorded conversations: JSON Lines.
//!
//! The first line says what this is:
//!
//! ```text
//! {"conversation":1,"url":"ws://example.com/","subprotocol":null,"started":"2026-11-20T15:45:07.123Z"}
//! ```
//!
//! Each further line is one thing that passed: when (`t`, in seconds since the start), which way
//! (`dir`: `out` from the client to the server, `in` from the server to the client), and what
//! (`kind`: `text` with the text in `data`; `binary`, `ping`, `pong` with base64 in `data`;
//! `close` with `code`, if there was one, and `reason`):
//!
//! ```text
//! {"t":0.0021,"dir":"out","kind":"text","data":"hello"}
//! {"t":0.0034,"dir":"in","kind":"binary","data":"AP8="}
//! {"t":1.2,"dir":"in","kind":"close","code":1000,"reason":""}
//! ```
//!
//! Those of elements have more: see [`element`]. Members of other names are passed over. A line is at most [`LINE_LEN_MAX`] bytes.

pub(crate) mod element;
mod error;
mod line;
mod reader;
mod writer;

use std::time::Duration;

pub(crate) use self::{error::ConversationError, reader::Reader, writer::Writer};

/// What a conversation begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heading {
    /// Where it led, without secrets.
    pub(crate) url: Option<String>,
    /// The subprotocol both ends agreed on.
    pub(crate) subprotocol: Option<String>,
    /// When it began, as in RFC 3339.
    pub(crate) started: Option<String>,
}

/// One thing that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// How long after the start.
    pub(crate) at: Duration,
    pub(crate) way: Way,
    pub(crate) what: What,
}

/// Which way something passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the client to the server.
    Out,
    /// From the server to the client.
    In,
}

/// What passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close { code: Option<u16>, reason: String },
}

/// Bytes of one line: a message of 16 MiB whose every byte is escaped, and some more.
pub(crate) const LINE_LEN_MAX: u64 = 100 << 20;

/// The version of the format that is written, and read.
const VERSION: u64 = 1;
