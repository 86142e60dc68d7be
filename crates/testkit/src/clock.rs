//! A clock that moves only when told to.

use std::time::{Duration, Instant};

/// Tells the time of a test. Clones are independent.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Starts a clock.
    pub fn new() -> Self {
        Self(Instant::now())
    }

    /// Gives the time.
    pub const fn now(&self) -> Instant {
        self.0
    }

    /// Moves the clock forward.
    pub fn advance(&mut self, by: Duration) {
        self.0 += by;
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
