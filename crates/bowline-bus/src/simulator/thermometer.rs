//! The thermometer of a simulated node.

use std::time::Duration;

/// A thermometer whose temperature walks at random, but the same way for the same seed.
#[derive(Debug)]
pub(super) struct Thermometer {
    walk: Walk,
    interval: Option<Duration>,
    deadline: Option<Duration>,
}

impl Thermometer {
    pub(super) fn new(now: Duration, seed: u64) -> Self {
        Self {
            walk: Walk {
                random: seed,
                hundredths: START_HUNDREDTHS,
            },
            interval: Some(INTERVAL_DEFAULT),
            deadline: Some(now),
        }
    }

    /// Sets the time between two publications, in seconds, or none, and says whether it is legal.
    pub(super) fn set_interval(&mut self, now: Duration, seconds: Option<f64>) -> bool {
        match seconds {
            None => self.interval = None,
            Some(seconds) if (INTERVAL_SECONDS_MIN..=INTERVAL_SECONDS_MAX).contains(&seconds) => {
                self.interval = Some(Duration::from_secs_f64(seconds));
            }
            Some(_) => return false,
        }
        self.deadline = self.interval.map(|interval| now + interval);
        true
    }

    /// Measures, if it is time, and says whether there is a value to publish.
    pub(super) fn handle_timeout(&mut self, now: Duration) -> bool {
        let (Some(deadline), Some(interval)) = (self.deadline, self.interval) else {
            return false;
        };
        if now < deadline {
            return false;
        }
        self.walk.step();
        // Keeps the beat; after a long pause it goes on from now instead of catching up.
        let beat = deadline + interval;
        self.deadline = Some(if beat > now { beat } else { now + interval });
        true
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    pub(super) fn payload(&self) -> String {
        let celsius = f64::from(self.walk.hundredths) / 100.0;
        format!(r#"{{"temperature": [{celsius:.2}, "\u2103"]}}"#)
    }

    pub(super) fn config_payload(&self) -> String {
        match self.interval {
            None => r#"{"publish-interval": null}"#.to_owned(),
            Some(interval) => format!(r#"{{"publish-interval": {}}}"#, interval.as_secs_f64()),
        }
    }
}

/// A random walk between two bounds; every step changes the value.
#[derive(Debug)]
struct Walk {
    random: u64,
    hundredths: i32,
}

impl Walk {
    fn step(&mut self) {
        let draw = self.draw();
        let [sign, size, ..] = draw.to_le_bytes();
        let size = i32::from(size) % STEP_HUNDREDTHS_MAX + 1;
        let change = if sign & 1 == 0 { size } else { -size };
        let next = self.hundredths + change;
        self.hundredths = if (MIN_HUNDREDTHS..=MAX_HUNDREDTHS).contains(&next) {
            next
        } else {
            self.hundredths - change
        };
    }

    /// Draws the next number of the `SplitMix64` sequence.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut draw = self.random;
        draw = (draw ^ (draw >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        draw = (draw ^ (draw >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        draw ^ (draw >> 31)
    }
}

const INTERVAL_DEFAULT: Duration = Duration::from_secs(1);

/// Shortest interval: faster than this no page and no person needs it.
const INTERVAL_SECONDS_MIN: f64 = 0.1;

/// Longest interval: one day.
const INTERVAL_SECONDS_MAX: f64 = 86_400.0;

const START_HUNDREDTHS: i32 = 2306;
const MIN_HUNDREDTHS: i32 = 1800;
const MAX_HUNDREDTHS: i32 = 2900;
const STEP_HUNDREDTHS_MAX: i32 = 12;
