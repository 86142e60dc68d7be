//! Tasks wait and go on, and the queue with them.

use std::time::{Duration, Instant};

use super::{
    Machine, SLEEP_MIN,
    task::{Suspended, Task},
};
use crate::plan::ParameterId;

impl Machine {
    /// Takes in the time of something that does not come from code: no code can be running.
    pub(super) fn arrive(&mut self, now: Instant) {
        self.set_now(now);
        while self.resume() {}
        self.turns = TURNS_MAX;
    }

    /// Takes in the time of something that may come from code that runs.
    pub(super) fn call(&mut self, now: Instant) {
        self.set_now(now);
        if self.suspended.is_empty() {
            self.turns = TURNS_MAX;
        }
    }

    /// Notes that the code on a parameter runs.
    pub(super) fn note_running(&mut self, parameter: ParameterId) {
        let mut waiting = self.suspended.iter_mut();
        let asking = waiting.find(|below| !below.is_running && below.hook == parameter);
        if let Some(asking) = asking {
            asking.is_running = true;
        }
    }

    /// Goes on with the latest task that waits for code; says whether there was one.
    pub(super) fn resume(&mut self) -> bool {
        let Some(Suspended { task, .. }) = self.suspended.pop() else {
            return false;
        };
        self.run(task);
        self.drive();
        true
    }

    pub(super) fn set_now(&mut self, now: Instant) {
        let now = self.now.map_or(now, |before| before.max(now));
        self.now = Some(now);
        if self.rest_until.is_some_and(|until| until <= now) {
            self.rest_until = None;
        }
    }

    /// Goes on with what slept long enough, the earliest first.
    pub(super) fn wake(&mut self) {
        let now = self.now();
        let mut awake: Vec<(Instant, Task)> = self
            .parked
            .extract_if(.., |(until, _)| *until <= now)
            .collect();
        awake.sort_by_key(|(until, _)| *until);
        for (_, task) in awake {
            self.run(task);
        }
    }

    pub(super) fn put_aside(&mut self, pause: Duration, task: Task) {
        if self.parked.len() >= SLEEPS_MAX {
            self.notice("too many actions sleep at once: one was stopped".to_owned());
            return;
        }
        self.parked.push((self.now() + pause, task));
    }

    /// Goes on with the queue until it waits for something.
    pub(super) fn drive(&mut self) {
        self.review_slow_poll();
        while self.may_advance() && self.advance() {
            self.turns = self.turns.saturating_sub(1);
            if self.turns == 0 {
                let until = self.now() + SLEEP_MIN;
                self.rest_until.get_or_insert(until);
            }
        }
        self.rearm_loops();
        self.review_health();
    }

    pub(super) fn may_advance(&mut self) -> bool {
        let waits = !self.parked.is_empty() || !self.suspended.is_empty();
        if waits || self.rest_until.is_some() {
            return false;
        }
        // The triggers of its timeout were cut short: it has to end all the same.
        self.exchange
            .take_if(|exchange| exchange.deadline.is_none());
        self.exchange.is_none()
    }
}

/// How many actions may sleep at once.
pub const SLEEPS_MAX: usize = 256;

/// How many steps the queue takes at one moment: then others get their turn.
pub(super) const TURNS_MAX: u32 = 1000;
