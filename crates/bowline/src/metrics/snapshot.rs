//! The numbers of one moment.

use std::collections::BTreeMap;

use super::{CloseCodeClass, EndingKind, HandshakeOutcome, POLICY_COUNT, RoundTrips};
use crate::link::Backlog;

/// Holds the numbers of a [`Metrics`](super::Metrics) at one moment. Counters only grow;
/// `connections_open` and `backlog` are gauges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Opening handshakes that are over, by outcome.
    pub handshakes: BTreeMap<HandshakeOutcome, u64>,
    /// Connections whose opening handshake succeeded and that have not ended.
    pub connections_open: u64,
    /// Connections that ended, by side and cause.
    pub endings: BTreeMap<EndingKind, u64>,
    /// The close codes of connections that ended, 1005 and 1006 included.
    pub close_codes: BTreeMap<CloseCodeClass, u64>,
    /// Messages received whole.
    pub messages_in: u64,
    /// Messages framed to be sent.
    pub messages_out: u64,
    /// Bytes of payload received, after inflating.
    pub payload_bytes_in: u64,
    /// Bytes of payload sent, before compression.
    pub payload_bytes_out: u64,
    /// Bytes received on streams: headers and what compression left. TLS is not counted.
    pub wire_bytes_in: u64,
    /// Bytes written to streams. TLS is not counted.
    pub wire_bytes_out: u64,
    /// Pings received.
    pub pings_in: u64,
    /// What waits for peers, all connections together.
    pub backlog: Backlog,
    /// Messages that were dropped because a peer did not keep up.
    pub dropped: Dropped,
    /// How often an outbox was full: once from the first message that did not fit until all that
    /// waited has left.
    pub slow_episodes: u64,
    /// How often the messages that wait for the application reached the first mark of their
    /// [`ReceiveLimits`](crate::ReceiveLimits).
    pub receive_warnings: u64,
    /// How often they reached the second, and reading stopped.
    pub receive_stops: u64,
    /// The times from keepalive pings to their pongs.
    pub round_trips: RoundTrips,
}

impl Snapshot {
    /// Gives how many handshakes had an outcome.
    pub fn handshakes_with(&self, outcome: HandshakeOutcome) -> u64 {
        self.handshakes.get(&outcome).copied().unwrap_or_default()
    }
}

/// Counts dropped messages by the policy that dropped them, see
/// [`SlowPeer`](crate::SlowPeer). What waits for a connection that ends for another reason is not
/// counted here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// New messages that did not fit.
    pub drop_newest: u64,
    /// Old messages that made room for new ones.
    pub drop_oldest: u64,
    /// Messages replaced by a newer one of their key, or that made room.
    pub keep_latest: u64,
    /// Messages that waited when the policy closed the connection, and the one that did not fit.
    pub close: u64,
}

impl From<[u64; POLICY_COUNT]> for Dropped {
    fn from(counts: [u64; POLICY_COUNT]) -> Self {
        let [drop_newest, drop_oldest, keep_latest, close] = counts;
        Self {
            drop_newest,
            drop_oldest,
            keep_latest,
            close,
        }
    }
}
