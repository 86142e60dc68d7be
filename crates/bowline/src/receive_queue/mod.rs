//! Received messages that wait for the application, bounded with marks.

mod gauge;
mod queue;

pub(crate) use gauge::{Crossed, Gauge};
pub use gauge::{ReceiveLevel, Waiting};
pub use queue::ReceiveQueue;

/// Bounds the received messages that wait for the application.
///
/// Nothing is ever dropped. At the first mark it is told, once until there is less again. At the
/// second the connection is no longer read, so that TCP makes the peer wait; it is read again when
/// there is less than the first mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveLimits {
    /// From here on much waits. Default 128 messages or 512 KiB.
    pub warn: ReceiveMark,
    /// From here on nothing more is read. Default 256 messages or 1 MiB. The message that reaches
    /// it is taken in whole, so bytes go beyond it by a message at most.
    pub stop: ReceiveMark,
}

/// A mark in a queue of received messages: reached when either number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveMark {
    /// The number of messages.
    pub messages: usize,
    /// Their payload in bytes, after inflating.
    pub bytes: usize,
}

impl ReceiveMark {
    const fn is_reached(self, messages: usize, bytes: usize) -> bool {
        messages > 0 && (messages >= self.messages || bytes >= self.bytes)
    }
}

impl Default for ReceiveLimits {
    fn default() -> Self {
        Self {
            warn: ReceiveMark {
                messages: 128,
                bytes: 512 << 10,
            },
            stop: ReceiveMark {
                messages: 256,
                bytes: 1 << 20,
            },
        }
    }
}
