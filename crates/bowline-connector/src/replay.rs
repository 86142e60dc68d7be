//! Elements that are played again from a record: no device, no socket, no waiting.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use thiserror::Error;

use crate::{
    ElementSettings, Plan,
    hooks::Hooks,
    machine::{Effect, Machine, Value},
    plan::ParameterId,
    record::{Input, Output},
    runner::{StartError, all_hooks},
    turn::{Outcome, Stage, Turn},
};

/// An element whose time is that of a record.
///
/// It has the same machine and runs the same hooks as an element of the
/// [`Runner`](crate::Runner), so what comes out of it for the inputs of a record is what would have
/// come out then; if its connector or its hooks were changed, the differences show.
#[derive(Debug)]
pub struct Replay {
    plan: Arc<Plan>,
    machine: Machine,
    hooks: Hooks,
    start: Instant,
    outputs: Vec<(Duration, Output)>,
    notices: Vec<(Duration, String)>,
    ticks: u64,
}

/// Says why a record is not played to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// It spans more time than is played.
    #[error("the record spans more than {0:?}")]
    TooLong(Duration),
    /// Timers and timeouts were due more often than is played.
    #[error("more than {0} timers and timeouts were due: the record spans too much time")]
    TooMuch(u64),
}

impl Replay {
    /// The longest record: 366 days.
    pub const DURATION_MAX: Duration = Duration::from_hours(366 * 24);
    /// The most timers and timeouts of one record.
    pub const TICKS_MAX: u64 = 20_000_000;

    /// Makes an element that begins with these saved values, and starts it.
    ///
    /// # Errors
    /// [`StartError`] if its settings do not fit the plan.
    pub fn start(
        plan: Arc<Plan>,
        settings: Arc<ElementSettings>,
        hooks: &Hooks,
        (saved, seed): (Vec<(ParameterId, Value)>, u64),
    ) -> Result<Self, StartError> {
        let hooks = all_hooks(&plan, &settings, hooks)?;
        let machine = Machine::new(Arc::clone(&plan), settings, saved, seed);
        let mut replay = Self {
            plan,
            machine,
            hooks,
            start: Instant::now(),
            outputs: Vec::new(),
            notices: Vec::new(),
            ticks: 0,
        };
        let now = replay.start;
        replay.machine.start(now);
        replay.settle(Duration::ZERO);
        Ok(replay)
    }

    /// Plays the inputs of a record, each at its time, and between them what is due.
    ///
    /// A record holds when something due was done ([`Input::Tick`]); what is due shortly before such
    /// a time is done then, in the order of the record.
    ///
    /// # Errors
    /// [`ReplayError`] if the record passes a bound.
    pub fn play<'r>(
        &mut self,
        inputs: impl Iterator<Item = (Duration, &'r Input)> + Clone,
    ) -> Result<(), ReplayError> {
        let ticks = inputs.clone().filter(|(_, input)| **input == Input::Tick);
        let mut ticks = ticks.map(|(at, _)| at).peekable();
        for (at, input) in inputs {
            if at > Self::DURATION_MAX {
                return Err(ReplayError::TooLong(Self::DURATION_MAX));
            }
            while let Some(due) = self.due().filter(|due| *due < at) {
                let is_later = |tick: &&Duration| due <= **tick;
                while ticks.peek().is_some_and(|tick| !is_later(&tick)) {
                    ticks.next();
                }
                if ticks.peek().is_some_and(|tick| *tick <= due + TICK_SLACK) {
                    break;
                }
                self.tick(due)?;
            }
            if *input == Input::Tick {
                self.tick(at)?;
            } else {
                self.take(at, input);
            }
        }
        Ok(())
    }

    /// Gives when something is due.
    pub fn due(&self) -> Option<Duration> {
        let due = self.machine.poll_timeout();
        due.map(|due| due.saturating_duration_since(self.start))
    }

    /// Gives what came out so far, in order, with its time.
    pub fn outputs(&self) -> &[(Duration, Output)] {
        &self.outputs
    }

    /// Gives what people were to know so far, with its time.
    pub fn notices(&self) -> &[(Duration, String)] {
        &self.notices
    }

    /// Gives the value of a parameter.
    pub fn value(&self, parameter: ParameterId) -> &Value {
        self.machine.value(parameter)
    }

    fn tick(&mut self, at: Duration) -> Result<(), ReplayError> {
        self.ticks += 1;
        if self.ticks > Self::TICKS_MAX {
            return Err(ReplayError::TooMuch(Self::TICKS_MAX));
        }
        self.machine.handle_timeout(self.start + at);
        self.settle(at);
        Ok(())
    }

    fn take(&mut self, at: Duration, input: &Input) {
        let now = self.start + at;
        let machine = &mut self.machine;
        let done = match input {
            Input::Attempt(link) => {
                let attempt = machine.attempt(*link);
                return self.outputs.push((at, Output::Attempt(*link, attempt)));
            }
            Input::Opened { link, answer } => {
                machine.handle_opened(*link, answer, now);
                Ok(())
            }
            Input::Failed { link, loss, answer } => {
                machine.handle_failed(*link, loss, answer.as_ref(), now);
                Ok(())
            }
            Input::Closed { link, loss } => {
                machine.handle_closed(*link, loss, now);
                Ok(())
            }
            Input::Message {
                link,
                kind,
                payload,
            } => {
                machine.handle_message(*link, *kind, payload.clone(), now);
                Ok(())
            }
            Input::Set(parameter, text) => machine.set_by_person(*parameter, text, now),
            Input::Assigned(parameter, value) => {
                machine.set_by_code(*parameter, value.clone(), now)
            }
            Input::Fired(trigger) => machine.fire(*trigger, now),
            Input::Reconnect(link) => {
                machine.reconnect(*link, now);
                Ok(())
            }
            Input::Tick | Input::End => Ok(()),
        };
        if let Err(error) = done {
            self.notices.push((at, error.to_string()));
        }
        self.settle(at);
    }

    /// Takes down what follows.
    fn settle(&mut self, at: Duration) {
        let mut turn = Turn::default();
        let mut stage = Stage {
            plan: &self.plan,
            machine: &mut self.machine,
            hooks: &self.hooks,
            now: self.start + at,
        };
        while let Some(outcome) = turn.next(&mut stage) {
            match outcome {
                Outcome::Effect(Effect::Send {
                    link,
                    kind,
                    payload,
                }) => {
                    let is_sent = true;
                    let message = Output::Message {
                        link,
                        kind,
                        payload,
                        is_sent,
                    };
                    self.outputs.push((at, message));
                }
                Outcome::Effect(Effect::Changed(parameter, value)) => {
                    self.outputs.push((at, Output::Changed(parameter, value)));
                }
                Outcome::Effect(Effect::Notice(text))
                | Outcome::Notice(text)
                | Outcome::Complaint(_, Some(text)) => self.notices.push((at, text)),
                Outcome::Effect(_) | Outcome::Complaint(_, None) => {}
            }
        }
    }
}

/// A clock that runs tells late that something is due, on a busy computer by about this time.
const TICK_SLACK: Duration = Duration::from_millis(250);
