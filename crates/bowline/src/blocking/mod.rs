//! A WebSocket in a plain thread: straight-line code without `async`.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use bowline::blocking::{self, Listener, RecvError};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = Listener::bind("127.0.0.1:8080")?;
//! let mut ws = listener.accept()?;
//! loop {
//!     match ws.recv_timeout(Duration::from_secs(1)) {
//!         Ok(Some(message)) => ws.send(message)?,
//!         Ok(None) => break,
//!         Err(RecvError::TimedOut) => ws.send("still here?")?,
//!         Err(error) => return Err(error.into()),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Everything here is a call of the async library that waits. The calling thread does the work:
//! it reads, decodes, encodes and writes. One thread in the background, shared by the process and
//! started by the first call, waits for sockets and clocks and writes what was left over.
//!
//! **Receiving drives the connection.** While the thread does something else nothing is read: pings
//! wait in the system's buffer and are answered by the next receive, and so are close frames.
//! Keepalive pings leave, and silence is noticed, only while a call receives; what arrived in time
//! counts even if nobody looked. A thread that works for longer than its peer is patient
//! [splits](WebSocket::split) the connection and receives in a second thread, or looks in between
//! with a [`recv_timeout`](WebSocket::recv_timeout) of zero.
//!
//! **Inside of an async runtime** a call that waits would hold up other tasks, or wait for ever for
//! one of them. It does nothing and says [`Error::InsideRuntime`] or
//! [`RecvError::InsideRuntime`]. Threads of `tokio::task::spawn_blocking` count as inside; a thread
//! made with `std::thread::spawn` is outside.
//!
//! When the process ends, so does the background thread:
//! [`close`](WebSocket::close) first to know that everything arrived.

mod background;
mod client;
mod listener;
mod offer;
mod recv_error;
mod socket;
mod split;
mod translated;

use background::Background;
pub use client::Client;
pub use listener::{Incoming, Listener};
pub use offer::{HttpRequest, Offer, Request};
pub use recv_error::RecvError;
pub use socket::WebSocket;
pub use split::{Receiver, Sender};
pub use translated::TranslatedSocket;

use crate::{Connector, Error};

/// Connects to `ws://` or `wss://`, with the defaults of [`Connector`].
///
/// # Errors
/// As [`connect_with`].
pub fn connect(url: &str) -> Result<WebSocket, Error> {
    connect_with(&Connector::default(), url)
}

/// Connects to a URL, within the connector's deadlines.
///
/// # Errors
/// As [`Connector::connect`]; [`Error::InsideRuntime`] inside of an async runtime; [`Error::Io`] if
/// the background thread cannot be started.
pub fn connect_with(connector: &Connector, url: &str) -> Result<WebSocket, Error> {
    let background = Background::get()?;
    let socket = background.wait(connector.connect(url))??;
    Ok(WebSocket::new(socket, background))
}
