//! How often something may happen.

use std::time::{Duration, Instant};

/// A rate with a burst: on average one each `interval`, and `burst` at once after a rest.
///
/// It is kept by the generic cell rate algorithm, which needs one instant for each address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The time between two in the long run; zero for no limit.
    pub interval: Duration,
    /// How many may come at once; zero counts as one.
    pub burst: u32,
}

impl Rate {
    /// No limit.
    pub const UNLIMITED: Self = Self {
        interval: Duration::ZERO,
        burst: u32::MAX,
    };

    /// Creates a rate of so many a second (zero counts as one) with a burst.
    pub const fn per_second(count: u32, burst: u32) -> Self {
        Self::per(Duration::from_secs(1), count, burst)
    }

    /// Creates a rate of so many a minute (zero counts as one) with a burst.
    pub const fn per_minute(count: u32, burst: u32) -> Self {
        Self::per(Duration::from_mins(1), count, burst)
    }

    const fn per(time: Duration, count: u32, burst: u32) -> Self {
        let count = if count == 0 { 1 } else { count };
        let interval = match time.checked_div(count) {
            Some(interval) => interval,
            None => time,
        };
        Self { interval, burst }
    }

    /// How far ahead of the clock a bucket may be.
    fn tolerance(self) -> Duration {
        self.interval.saturating_mul(self.burst.saturating_sub(1))
    }
}

/// What is used up of a rate.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    /// When nothing will be used up any more; `None` before the first use.
    rested_at: Option<Instant>,
}

impl Bucket {
    /// Returns how long to wait for the next, zero when it may be now.
    pub(super) fn wait(self, rate: Rate, now: Instant) -> Duration {
        if rate.interval.is_zero() {
            return Duration::ZERO;
        }
        self.debt(now).saturating_sub(rate.tolerance())
    }

    /// Uses one.
    pub(super) fn take(&mut self, rate: Rate, now: Instant) {
        // Without a rate there is nothing to remember: a caller whose clock was read a moment
        // earlier must not find a debt.
        if rate.interval.is_zero() {
            return;
        }
        let from = self.rested_at.map_or(now, |rested_at| rested_at.max(now));
        // An interval beyond what the clock can tell counts as a long one.
        let rested_at = from
            .checked_add(rate.interval)
            .or_else(|| from.checked_add(INTERVAL_MAX));
        self.rested_at = Some(rested_at.unwrap_or(from));
    }

    /// Tells whether it is as good as new.
    pub(super) fn is_rested(self, now: Instant) -> bool {
        self.debt(now).is_zero()
    }

    fn debt(self, now: Instant) -> Duration {
        self.rested_at
            .map(|rested_at| rested_at.saturating_duration_since(now))
            .unwrap_or_default()
    }
}

const INTERVAL_MAX: Duration = Duration::from_hours(24);
