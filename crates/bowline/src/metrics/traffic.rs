//! Sums that every connection adds to all the time.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bowline_proto::Counters;

use super::Snapshot;
use crate::link::Backlog;

/// Adds rows up, in stripes, so that threads seldom write to the same cache line.
#[derive(Default)]
pub(super) struct Traffic {
    stripes: [Stripe; STRIPE_COUNT],
}

#[derive(Default)]
#[repr(align(128))]
struct Stripe([AtomicU64; COLUMN_COUNT]);

/// What one connection did, or all of them together. A gauge is a sum of its changes, so all
/// arithmetic wraps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Row([u64; COLUMN_COUNT]);

impl Traffic {
    pub(super) fn add(&self, row: Row) {
        let Some(stripe) = self.stripes.get(STRIPE.with(|index| *index)) else {
            return;
        };
        for (sum, change) in stripe.0.iter().zip(row.0) {
            if change != 0 {
                sum.fetch_add(change, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn sum(&self) -> Row {
        let mut sum = Row::default();
        for stripe in &self.stripes {
            for (total, part) in sum.0.iter_mut().zip(&stripe.0) {
                *total = total.wrapping_add(part.load(Ordering::Relaxed));
            }
        }
        sum
    }
}

impl Row {
    pub(super) fn new(counters: &Counters, backlog: Backlog) -> Self {
        Self([
            counters.messages_in,
            counters.messages_out,
            counters.payload_bytes_in,
            counters.payload_bytes_out,
            counters.wire_bytes_in,
            counters.wire_bytes_out,
            u64::from(counters.pings_in),
            backlog.messages as u64,
            backlog.bytes as u64,
            backlog.framed_bytes as u64,
        ])
    }

    /// What came since an earlier row of the same connection.
    pub(super) fn since(self, earlier: Self) -> Self {
        let mut row = self;
        for (column, earlier) in row.0.iter_mut().zip(earlier.0) {
            *column = column.wrapping_sub(earlier);
        }
        row
    }

    /// The change that takes this row's gauges back.
    pub(super) fn released(self) -> Self {
        let mut gone = self;
        for gauge in gone.0.iter_mut().skip(COUNTER_COUNT) {
            *gauge = 0;
        }
        gone.since(self)
    }
}

impl From<Row> for Snapshot {
    fn from(row: Row) -> Self {
        let [
            messages_in,
            messages_out,
            payload_bytes_in,
            payload_bytes_out,
            wire_bytes_in,
            wire_bytes_out,
            pings_in,
            messages,
            bytes,
            framed_bytes,
        ] = row.0;
        let backlog = [messages, bytes, framed_bytes].map(gauge);
        let [messages, bytes, framed_bytes] = backlog;
        Self {
            messages_in,
            messages_out,
            payload_bytes_in,
            payload_bytes_out,
            wire_bytes_in,
            wire_bytes_out,
            pings_in,
            backlog: Backlog {
                messages,
                bytes,
                framed_bytes,
            },
            ..Self::default()
        }
    }
}

/// Stripes are read one after the other, so a message that is moved meanwhile can be missed; the
/// sum is never below zero for longer than that.
fn gauge(sum: u64) -> usize {
    usize::try_from(sum.cast_signed().max(0)).unwrap_or(usize::MAX)
}

thread_local! {
    /// The stripe of this thread.
    static STRIPE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % STRIPE_COUNT
    };
}

const STRIPE_COUNT: usize = 16;
const COLUMN_COUNT: usize = 10;
/// The columns behind these are gauges.
const COUNTER_COUNT: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauges_go_down_again_whichever_thread_says_so() {
        let traffic = Traffic::default();
        let waiting = Backlog {
            messages: 3,
            bytes: 30,
            framed_bytes: 5,
        };
        let full = Row::new(&Counters::default(), waiting);
        let empty = Row::new(&Counters::default(), Backlog::default());
        traffic.add(full.since(empty));
        assert_eq!(Snapshot::from(traffic.sum()).backlog, waiting);
        std::thread::scope(|scope| {
            scope.spawn(|| traffic.add(empty.since(full)));
        });
        assert_eq!(traffic.sum(), Row::default());
    }
}
