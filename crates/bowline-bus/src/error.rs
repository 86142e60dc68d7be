//! Errors of the bus.

use thiserror::Error;

/// Says why the bus refused a call; the bus is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BusError {
    /// The session was detached, or never belonged to this bus. The caller is at fault.
    #[error("the session is not attached to this bus")]
    StaleSession,
    /// As many sessions are attached as [`Limits::sessions_max`](crate::Limits) allows.
    #[error("the bus already holds {max} sessions, its limit")]
    SessionsFull {
        /// The limit.
        max: u32,
    },
    /// The session holds as many filters as
    /// [`Limits::subscriptions_per_session_max`](crate::Limits) allows.
    #[error("the session already holds {max} subscriptions, its limit")]
    SubscriptionsFull {
        /// The limit.
        max: usize,
    },
    /// The payload is longer than [`Limits::payload_size_max`](crate::Limits).
    #[error("the payload has {size} bytes; the limit is {max}")]
    PayloadTooLong {
        /// Bytes of the payload.
        size: usize,
        /// The limit.
        max: usize,
    },
}
