//! The relay of a simulated node.

use std::time::Duration;

/// A relay that clicks at most once per [`CLICK_INTERVAL`]; an order in between waits, and only the
/// last one counts.
#[derive(Debug, Default)]
pub(super) struct Relay {
    closed: Option<bool>,
    wanted: Option<bool>,
    /// No click before this time.
    rest_until: Duration,
}

impl Relay {
    /// Takes an order and says whether it is carried out now, so that the state is to be told.
    pub(super) fn set(&mut self, now: Duration, closed: bool) -> bool {
        self.wanted = Some(closed);
        self.handle_timeout(now)
    }

    /// Carries out the waiting order, if it is time, and says whether it did.
    pub(super) fn handle_timeout(&mut self, now: Duration) -> bool {
        if now < self.rest_until && self.wanted != self.closed {
            return false;
        }
        let Some(closed) = self.wanted.take() else {
            return false;
        };
        if self.closed.replace(closed) != Some(closed) {
            self.rest_until = now + CLICK_INTERVAL;
        }
        true
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.wanted.map(|_| self.rest_until)
    }

    pub(super) fn state_payload(&self) -> String {
        match self.closed {
            None => r#"{"state": null}"#.to_owned(),
            Some(closed) => format!(r#"{{"state": {closed}}}"#),
        }
    }
}

/// Time a relay rests after a click.
const CLICK_INTERVAL: Duration = Duration::from_millis(100);
