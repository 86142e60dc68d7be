//! Signs of life for the application at the other end.

use std::time::Duration;

use crate::Message;

/// A message that is sent again and again while a link is open, for servers that want one of the
/// application's own.
///
/// It proves nothing about the server: what notices a dead link is
/// [`Keepalive`](crate::Keepalive), in the [`Config`](crate::Config) of the connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// What is sent.
    pub message: Message,
    /// The time between two; at least a millisecond.
    pub interval: Duration,
}

impl Heartbeat {
    /// Makes a heartbeat.
    pub fn new(message: impl Into<Message>, interval: Duration) -> Self {
        Self {
            message: message.into(),
            interval,
        }
    }
}
