//! Counting what connections do, and telling it to `tracing`.
//!
//! A [`Metrics`] set in [`Options`](crate::Options) counts; [`Metrics::snapshot`] gives the
//! numbers. The guide page on observability names every metric, span and event.

mod events;
#[cfg(feature = "metrics")]
mod export;
mod histogram;
mod observer;
mod outcome;
mod snapshot;
mod traffic;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bowline_proto::Ending;

pub use histogram::RoundTrips;
pub use outcome::{CloseCodeClass, EndingCause, EndingKind, HandshakeOutcome};
pub use snapshot::{Dropped, Snapshot};

pub(crate) use events::{Joined, report_drain, report_slow, report_waiting};
pub(crate) use observer::Observer;

use crate::{outbox::SlowPeer, receive_queue::Crossed};
use histogram::Histogram;
use traffic::{Row, Traffic};

/// Counts what the connections of a program do.
///
/// It is shared: give the same one to every [`Acceptor`](crate::Acceptor) and
/// [`Connector`](crate::Connector) whose numbers belong together. A connection adds what it did
/// each time it has read or written, so the numbers of one that lives long are not stale.
/// Memory: about 2.5 KiB, and 150 bytes for each open connection.
#[derive(Default)]
pub struct Metrics {
    traffic: Traffic,
    open: AtomicU64,
    dropped: [AtomicU64; POLICY_COUNT],
    slow_episodes: AtomicU64,
    receive_warnings: AtomicU64,
    receive_stops: AtomicU64,
    round_trips: Histogram,
    tables: Mutex<Tables>,
}

/// What is counted by name, at most a few times for each connection. The names are bounded: the
/// outcomes of handshakes by the HTTP statuses, the others by their types.
#[derive(Default)]
struct Tables {
    handshakes: BTreeMap<HandshakeOutcome, u64>,
    endings: BTreeMap<EndingKind, u64>,
    close_codes: BTreeMap<CloseCodeClass, u64>,
}

impl Metrics {
    /// Begins at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the numbers of now.
    ///
    /// Each is exact, but they are not taken at one instant while connections go on.
    pub fn snapshot(&self) -> Snapshot {
        let tables = self.tables();
        let (handshakes, endings, close_codes) = (
            tables.handshakes.clone(),
            tables.endings.clone(),
            tables.close_codes.clone(),
        );
        drop(tables);
        let dropped = self.dropped.each_ref().map(load);
        Snapshot {
            handshakes,
            connections_open: load(&self.open),
            endings,
            close_codes,
            dropped: Dropped::from(dropped),
            slow_episodes: load(&self.slow_episodes),
            receive_warnings: load(&self.receive_warnings),
            receive_stops: load(&self.receive_stops),
            round_trips: self.round_trips.snapshot(),
            ..Snapshot::from(self.traffic.sum())
        }
    }

    /// Counts the end of an opening handshake that the library did not make itself, for instance
    /// one that the application refused before it read the request.
    pub fn count_handshake(&self, outcome: HandshakeOutcome) {
        *self.tables().handshakes.entry(outcome).or_default() += 1;
    }

    fn count_open(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.count_handshake(HandshakeOutcome::Accepted);
    }

    fn count_end(&self, ending: &Ending) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        let mut tables = self.tables();
        *tables.endings.entry(EndingKind::of(ending)).or_default() += 1;
        let code = CloseCodeClass::of(ending.code);
        *tables.close_codes.entry(code).or_default() += 1;
    }

    fn count_traffic(&self, row: Row) {
        self.traffic.add(row);
    }

    fn count_dropped(&self, policy: &SlowPeer, count: u64) {
        let Some(index) = POLICIES
            .iter()
            .position(|name| *name == policy_label(policy))
        else {
            return;
        };
        if let Some(dropped) = self.dropped.get(index) {
            dropped.fetch_add(count, Ordering::Relaxed);
        }
    }

    fn count_slow_episode(&self) {
        self.slow_episodes.fetch_add(1, Ordering::Relaxed);
    }

    fn count_crossed(&self, crossed: &Crossed) {
        let (warnings, stops) = (u64::from(crossed.warns), u64::from(crossed.stops));
        self.receive_warnings.fetch_add(warnings, Ordering::Relaxed);
        self.receive_stops.fetch_add(stops, Ordering::Relaxed);
    }

    fn count_round_trip(&self, time: Duration) {
        self.round_trips.add(time);
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Metrics").field(&self.snapshot()).finish()
    }
}

fn load(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

/// Gives the name that stands for a policy in labels and events.
const fn policy_label(policy: &SlowPeer) -> &'static str {
    match policy {
        SlowPeer::Wait => "wait",
        SlowPeer::DropNewest => "drop_newest",
        SlowPeer::DropOldest => "drop_oldest",
        SlowPeer::KeepLatest => "keep_latest",
        SlowPeer::Close(..) => "close",
    }
}

/// The policies that drop messages, in the order in which they are counted.
const POLICIES: [&str; POLICY_COUNT] = ["drop_newest", "drop_oldest", "keep_latest", "close"];
const POLICY_COUNT: usize = 4;
