//! Timers add groups to the queue.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Machine,
    task::{Addition, Step, Task},
};
use crate::plan::{Moment, Subject, Timer, TimerId, TimerStart, TimerTime, TimerVerb};

/// What is known of a timer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TimerState {
    is_running: bool,
    /// When it fires; none while it is stopped, or a loop whose groups are not done.
    due: Option<Instant>,
}

impl Machine {
    /// Lets the timers run that run from the start.
    pub(super) fn start_timers(&mut self) {
        let plan = Arc::clone(&self.plan);
        for (id, timer) in plan.timers.iter() {
            let due = match timer.start {
                TimerStart::AtOnce => Some(self.now()),
                TimerStart::Stopped => None,
                TimerStart::Random(least, greatest) => {
                    Some(self.now() + self.random_between(least, greatest))
                }
            };
            let state = TimerState {
                is_running: due.is_some(),
                due,
            };
            self.timers.insert(id, state);
        }
    }

    /// Fires the timers that are due, in the order of the file.
    pub(super) fn fire_timers(&mut self) {
        let plan = Arc::clone(&self.plan);
        for (id, timer) in plan.timers.iter() {
            let due = self.timers.get(&id).and_then(|state| state.due);
            let Some(due) = due.filter(|due| *due <= self.now()) else {
                continue;
            };
            let next = match timer.time {
                TimerTime::Every(period) => Some(following(due, period, self.now())),
                TimerTime::Loop => None,
            };
            if let Some(state) = self.timers.get_mut(&id) {
                state.due = next;
            }
            if self.admits(timer.condition.as_ref()) {
                self.run(Task::new(steps_of(id, timer)));
            }
        }
    }

    /// Lets loops fire again whose groups are done.
    pub(super) fn rearm_loops(&mut self) {
        let plan = Arc::clone(&self.plan);
        for (id, timer) in plan.timers.iter() {
            let state = self.timers.get(&id).copied().unwrap_or_default();
            let is_idle = timer.time == TimerTime::Loop && state.is_running && state.due.is_none();
            let is_quiet = self.parked.is_empty() && self.suspended.is_empty();
            if is_idle && is_quiet && !self.works_for(id) {
                let pause = timer.interval.max(TIMER_PERIOD_MIN);
                let due = Some(self.now() + pause);
                self.timers.insert(
                    id,
                    TimerState {
                        is_running: true,
                        due,
                    },
                );
            }
        }
    }

    /// Gives when the next timer fires.
    pub(super) fn timers_due(&self) -> Option<Instant> {
        self.timers.values().filter_map(|state| state.due).min()
    }

    /// Does what an action says to a timer.
    pub(super) fn change_timer(&mut self, id: TimerId, verb: TimerVerb) {
        let plan = Arc::clone(&self.plan);
        let Some(timer) = plan.timers.get(id) else {
            return;
        };
        let state = self.timers.get(&id).copied().unwrap_or_default();
        let after_time = self.now() + first_pause(timer);
        let due = match verb {
            TimerVerb::Start if state.is_running => return,
            TimerVerb::Start | TimerVerb::Restart => Some(self.now()),
            TimerVerb::Stop => None,
            TimerVerb::Reschedule if !state.is_running => return,
            TimerVerb::Reschedule => Some(after_time),
        };
        self.timers.insert(
            id,
            TimerState {
                is_running: due.is_some(),
                due,
            },
        );
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the remainder is below a duration in milliseconds that fits"
    )]
    fn random_between(&mut self, least: Duration, greatest: Duration) -> Duration {
        let span = greatest.saturating_sub(least).as_millis().saturating_add(1);
        let pause = u128::from(self.random()) % span;
        (least + Duration::from_millis(pause as u64)).min(TIMER_PERIOD_MAX)
    }

    /// Gives the next number of a sequence that the seed decides (splitmix64).
    fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// Gives the beat after a firing; beats that were missed are left out.
fn following(due: Instant, period: Duration, now: Instant) -> Instant {
    let period = period.clamp(TIMER_PERIOD_MIN, TIMER_PERIOD_MAX);
    let late = now.saturating_duration_since(due);
    let missed = late.as_nanos() / period.as_nanos();
    let missed = u32::try_from(missed).unwrap_or(u32::MAX - 1);
    period
        .checked_mul(missed + 1)
        .and_then(|beats| due.checked_add(beats))
        .unwrap_or(now + period)
}

fn first_pause(timer: &Timer) -> Duration {
    let pause = match timer.time {
        TimerTime::Every(period) => period,
        TimerTime::Loop => timer.interval,
    };
    pause.clamp(TIMER_PERIOD_MIN, TIMER_PERIOD_MAX)
}

fn steps_of(id: TimerId, timer: &Timer) -> Vec<Step> {
    let subject = Subject::Timer(Some(id.0));
    let addition = Addition::Timer(id);
    let mut steps = vec![Step::Moment(subject, Moment::Before)];
    let groups = timer.groups.iter();
    steps.extend(groups.map(|group| Step::Enqueue(*group, addition)));
    steps.push(Step::Moment(subject, Moment::After));
    steps
}

/// The shortest pause between two firings, also of a loop that has nothing to do.
pub const TIMER_PERIOD_MIN: Duration = Duration::from_millis(10);

/// The longest pause between two firings: 24 days.
pub const TIMER_PERIOD_MAX: Duration = Duration::from_hours(24 * 24);
