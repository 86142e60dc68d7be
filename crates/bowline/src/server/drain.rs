//! Ending every connection with manners.

use std::time::Duration;

use bowline_proto::CloseCode;
use rand::seq::SliceRandom;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{id::ConnectionId, registry::Registry};
use crate::metrics::report_drain;

/// Configures how connections are ended when a server stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrainOptions {
    /// The close code: 1001 when the server goes, 1012 when it comes back. Default 1001.
    pub code: CloseCode,
    /// The close reason, of which the first 123 bytes are sent. Default empty.
    pub reason: Box<str>,
    /// The time over which the close frames are spread, in random order, so that clients do not
    /// all come back at once. Default zero: all at once.
    pub spread: Duration,
    /// When connections that are still there are cut, from the first close frame on. Default ten
    /// seconds.
    pub deadline: Duration,
}

impl Default for DrainOptions {
    fn default() -> Self {
        Self {
            code: CloseCode::GOING_AWAY,
            reason: Box::default(),
            spread: Duration::ZERO,
            deadline: Duration::from_secs(10),
        }
    }
}

/// Tells how draining went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrainReport {
    /// Connections that were told to close; none if the code cannot be sent.
    pub told: usize,
    /// Connections that did not end in time and were cut.
    pub cut: Vec<ConnectionId>,
}

impl Registry {
    /// Closes every connection and waits for the ends; cuts those that take too long.
    ///
    /// Stop accepting first: a connection that is accepted meanwhile may be told or missed.
    pub async fn drain(&self, options: &DrainOptions) -> DrainReport {
        let began = Instant::now();
        let deadline = began + options.deadline;
        let mut connections = self.list(|_| true);
        connections.shuffle(&mut rand::rng());
        let waves = u32::try_from(connections.len()).unwrap_or(u32::MAX).max(1);
        let mut told = 0;
        for (turn, connection) in (0_u32..).zip(&connections) {
            if !options.spread.is_zero() {
                sleep_until(began + options.spread / waves * turn).await;
            }
            // One that is over needs no telling.
            told += usize::from(connection.close(options.code, &options.reason).is_ok());
        }
        drop(connections);
        let mut report = DrainReport {
            told,
            cut: Vec::new(),
        };
        if timeout_at(deadline, self.until_empty()).await.is_err() {
            let late = self.list(|_| true);
            let cut = late.iter().map(|connection| {
                connection.abort();
                connection.id()
            });
            report.cut = cut.collect();
        }
        report_drain(&report);
        report
    }
}
