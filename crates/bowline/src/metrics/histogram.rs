//! How round trips are spread.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Counts times by the bound they are within.
#[derive(Default)]
pub(super) struct Histogram {
    counts: [AtomicU64; BUCKET_COUNT],
    sum_nanos: AtomicU64,
}

/// Tells how long round trips took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundTrips {
    /// How many took at most the bound of the same place in [`BOUNDS`](Self::BOUNDS), and longer
    /// than the one before; the last place is for those longer than all.
    pub counts: [u64; BUCKET_COUNT],
    /// All of them together.
    pub sum: Duration,
}

impl RoundTrips {
    /// The bounds: from one millisecond to ten seconds.
    pub const BOUNDS: [Duration; BUCKET_COUNT - 1] = [
        Duration::from_millis(1),
        Duration::from_micros(2500),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(250),
        Duration::from_millis(500),
        Duration::from_secs(1),
        Duration::from_millis(2500),
        Duration::from_secs(5),
        Duration::from_secs(10),
    ];

    /// Counts the round trips measured.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Histogram {
    pub(super) fn add(&self, time: Duration) {
        let bucket = RoundTrips::BOUNDS.partition_point(|bound| *bound < time);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> RoundTrips {
        RoundTrips {
            counts: self.counts.each_ref().map(super::load),
            sum: Duration::from_nanos(super::load(&self.sum_nanos)),
        }
    }
}

const BUCKET_COUNT: usize = 14;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_at_the_first_bound_that_it_is_within() {
        let histogram = Histogram::default();
        for millis in [0, 1, 2, 10_000, 10_001] {
            histogram.add(Duration::from_millis(millis));
        }
        let snapshot = histogram.snapshot();
        assert_eq!(snapshot.counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(snapshot.count(), 5);
        assert_eq!(snapshot.sum, Duration::from_millis(20_004));
    }
}
