//! When the next attempt is made.

use std::time::Duration;

use super::verdict::Verdict;

/// Says who makes the next attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReconnectPolicy {
    /// The application, with [`Client::reconnect`](super::Client::reconnect). The first attempt is
    /// made by itself.
    Manual,
    /// The client, in growing steps.
    Automatic(Backoff),
}

impl Default for ReconnectPolicy {
    fn default() -> Self {
        Self::Automatic(Backoff::default())
    }
}

/// Spaces the attempts out.
///
/// The wait before the first retry is drawn from `first`, the next from `step`, and each one after
/// that from twice the step before, up to `step_max`. Drawn means: evenly between a third of it and
/// the whole, so that clients that lost a server together do not return together. The lower bound
/// keeps attempts rare: with the default, at most eight in the first half minute, whatever is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait before the first retry; zero for at once. Default 1 s.
    pub first: Duration,
    /// The wait before the second retry; at least 10 ms. Default 1 s.
    pub step: Duration,
    /// The longest step. Default 30 s.
    pub step_max: Duration,
    /// A link that was open for so long was stable: after it, the steps begin anew, and with the
    /// first endpoint. Default 10 s.
    pub stable_after: Duration,
    /// The most attempts in a row that may fail, a link that ended before it was stable counting as
    /// one; `None` for no bound. Default `None`.
    pub attempts_max: Option<u32>,
    /// The shortest wait after a server asked to come back later (close codes 1012, 1013 and 1014);
    /// up to as much again is added at random. Default 5 s.
    pub later: Duration,
    /// The longest `Retry-After` to honour; a longer one is cut to this. Up to one `step` is added
    /// at random, and the wait is never shorter than without `Retry-After`. Default 5 min.
    pub retry_after_max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            step: Duration::from_secs(1),
            step_max: Duration::from_secs(30),
            stable_after: Duration::from_secs(10),
            attempts_max: None,
            later: Duration::from_secs(5),
            retry_after_max: Duration::from_mins(5),
        }
    }
}

impl Backoff {
    /// Gives the step the wait of this number is drawn from; the first is 1.
    pub fn step_of(&self, wait: u32) -> Duration {
        let step = match wait {
            0 | 1 => return self.first.min(self.step_max),
            _ => {
                let doublings = (wait - 2).min(DOUBLINGS_MAX);
                self.step.saturating_mul(1 << doublings)
            }
        };
        step.min(self.step_max).max(STEP_MIN)
    }

    /// Draws the wait of this number, after a failure that was judged so.
    pub(super) fn draw(&self, wait: u32, verdict: Verdict) -> Duration {
        let step = drawn(self.step_of(wait), THIRD);
        match verdict {
            Verdict::Retry | Verdict::Fatal => step,
            Verdict::Later => step.max(bounded(self.later) + drawn(self.later, 0.0)),
            Verdict::RetryAfter(named) => {
                let named = bounded(named.min(self.retry_after_max));
                step.max(named + drawn(self.step, 0.0))
            }
        }
    }
}

/// Draws evenly between a part of a duration and the whole.
fn drawn(whole: Duration, part: f64) -> Duration {
    bounded(whole).mul_f64(rand::random_range(part..=1.0))
}

/// Keeps sums of durations and instants within their range.
pub(super) fn bounded(duration: Duration) -> Duration {
    duration.min(DURATION_MAX)
}

const THIRD: f64 = 1.0 / 3.0;
const DOUBLINGS_MAX: u32 = 31;
/// Whatever the policy, attempts do not follow each other without a pause.
const STEP_MIN: Duration = Duration::from_millis(10);
/// As good as for ever.
const DURATION_MAX: Duration = Duration::from_hours(24 * 365);

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(duration: Duration) -> f64 {
        duration.as_secs_f64()
    }

    #[test]
    fn steps_double_up_to_the_longest() {
        let backoff = Backoff {
            first: Duration::ZERO,
            ..Backoff::default()
        };
        let steps = (1..=9).map(|wait| backoff.step_of(wait).as_secs());
        assert_eq!(
            steps.collect::<Vec<_>>(),
            [0, 1, 2, 4, 8, 16, 30, 30, 30],
            "at once, then doubled"
        );
        assert_eq!(Backoff::default().step_of(1).as_secs(), 1);
        assert_eq!(backoff.step_of(u32::MAX).as_secs(), 30);
    }

    #[test]
    fn waits_are_drawn_between_a_third_and_the_whole_of_the_step() {
        let backoff = Backoff::default();
        for wait in 1..=20 {
            let step = secs(backoff.step_of(wait));
            let draws: Vec<_> = (0..200)
                .map(|_| secs(backoff.draw(wait, Verdict::Retry)) / step)
                .collect();
            assert!(draws.iter().all(|&part| (0.333..=1.0).contains(&part)));
            assert!(draws.iter().any(|&part| part < 0.5), "spread downwards");
            assert!(draws.iter().any(|&part| part > 0.8), "spread upwards");
        }
    }

    #[test]
    fn a_server_that_asks_for_a_pause_gets_at_least_that() {
        let backoff = Backoff::default();
        for _ in 0..200 {
            let later = secs(backoff.draw(1, Verdict::Later));
            assert!((5.0..=10.0).contains(&later), "{later}");
            let named = Verdict::RetryAfter(Duration::from_mins(2));
            let named = secs(backoff.draw(1, named));
            assert!((120.0..=121.0).contains(&named), "{named}");
            let hostile = Verdict::RetryAfter(Duration::MAX);
            let hostile = secs(backoff.draw(1, hostile));
            assert!((300.0..=301.0).contains(&hostile), "{hostile}");
        }
    }

    #[test]
    fn durations_without_sense_do_not_overflow() {
        let max = Duration::MAX;
        let backoff = Backoff {
            first: max,
            step: max,
            step_max: max,
            later: max,
            retry_after_max: max,
            ..Backoff::default()
        };
        for verdict in [Verdict::Retry, Verdict::Later, Verdict::RetryAfter(max)] {
            for wait in [1, 2, 3, u32::MAX] {
                assert!(backoff.draw(wait, verdict) > Duration::from_hours(24));
            }
        }
    }
}
