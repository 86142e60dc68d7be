//! What follows from one call to a machine: its effects in order, with the hooks they run.

use std::{
    collections::VecDeque,
    panic::{self, AssertUnwindSafe},
    time::Instant,
};

use crate::{
    Plan,
    hooks::{Hook, HookCall, HookError, Hooks, Operation, Values},
    machine::{Effect, Machine, Value},
    plan::{MessageKind, ParameterId},
};

/// What follows from one call to a machine. It runs the hooks; everything else is for the caller to
/// carry out, each before it asks for the next.
///
/// Effects are taken one by one: what lies behind a hook waits in the machine until the hook has run.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// The effect that comes next, if it was looked at already.
    ahead: Option<Effect>,
    /// What hooks said, which comes before what they did.
    said: VecDeque<Outcome>,
    hooks_run: usize,
}

/// What a turn works on.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) machine: &'a mut Machine,
    pub(crate) hooks: &'a Hooks,
    pub(crate) now: Instant,
}

/// Something to carry out.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// An effect; never a hook.
    Effect(Effect),
    /// Something for people to know.
    Notice(String),
    /// What a hook complains of, by parameter and place; nothing any more if it is `None`.
    Complaint((ParameterId, usize), Option<String>),
}

impl Turn {
    /// Gives what is to be carried out next, until there is nothing.
    pub(crate) fn next(&mut self, stage: &mut Stage<'_>) -> Option<Outcome> {
        loop {
            if let Some(said) = self.said.pop_front() {
                return Some(said);
            }
            let effect = self.ahead.take().or_else(|| stage.machine.poll_effect())?;
            let Effect::Hook {
                parameter, kind, ..
            } = effect
            else {
                return Some(Outcome::Effect(effect));
            };
            self.hook(stage, parameter, kind);
        }
    }

    /// Gives the value to be saved next if that is what is to be carried out next.
    pub(crate) fn next_save(&mut self, machine: &mut Machine) -> Option<(ParameterId, Value)> {
        if !self.said.is_empty() {
            return None;
        }
        match self.ahead.take().or_else(|| machine.poll_effect())? {
            Effect::Save(parameter, value) => Some((parameter, value)),
            other @ (Effect::Open(_)
            | Effect::Close(_)
            | Effect::Reopen(_)
            | Effect::Send { .. }
            | Effect::Hook { .. }
            | Effect::Changed(..)
            | Effect::Health { .. }
            | Effect::Notice(_)) => {
                self.ahead = Some(other);
                None
            }
        }
    }

    /// Runs the hooks of a parameter.
    fn hook(&mut self, stage: &mut Stage<'_>, parameter: ParameterId, kind: Option<MessageKind>) {
        for (place, hook) in stage.hooks.of(parameter).iter().enumerate() {
            let place = (parameter, place);
            self.hooks_run += 1;
            if self.hooks_run > HOOKS_PER_TURN_MAX {
                let complaint = Some(TOO_MANY_HOOKS.to_owned());
                return self.said.push_back(Outcome::Complaint(place, complaint));
            }
            let values = MachineValues(stage.plan, stage.machine);
            let mut call = HookCall::new(parameter, kind, &values);
            let ran = run(&**hook, &mut call);
            let operations = call.into_operations();
            let complaint = ran.as_ref().err();
            let complaint = complaint.map(|error| format!("{parameter}: {error}"));
            self.said.push_back(Outcome::Complaint(place, complaint));
            if ran.is_ok() {
                for operation in operations {
                    self.apply(stage, operation);
                }
            }
        }
    }

    fn apply(&mut self, stage: &mut Stage<'_>, operation: Operation) {
        let now = stage.now;
        let applied = match operation {
            Operation::Set(parameter, value) => stage.machine.set_by_code(parameter, value, now),
            Operation::Fire(trigger) => stage.machine.fire(trigger, now),
            Operation::Log(text) => return self.said.push_back(Outcome::Notice(text)),
        };
        if let Err(error) = applied {
            let text = format!("a hook: {error}");
            self.said.push_back(Outcome::Notice(text));
        }
    }
}

/// Runs a hook; one that panics has failed.
fn run(hook: &dyn Hook, call: &mut HookCall<'_>) -> Result<(), HookError> {
    let ran = panic::catch_unwind(AssertUnwindSafe(|| hook.run(call)));
    ran.unwrap_or_else(|_| Err("the hook panicked".into()))
}

/// The values of a machine, for hooks.
struct MachineValues<'a>(&'a Plan, &'a Machine);

impl Values for MachineValues<'_> {
    fn value(&self, parameter: ParameterId) -> Option<Value> {
        let is_there = self.0.parameters.contains(parameter);
        is_there.then(|| self.1.value(parameter).clone())
    }

    fn all(&self) -> Vec<(ParameterId, Value)> {
        let parameters = self.0.parameters.iter();
        parameters
            .map(|(id, _)| (id, self.1.value(id).clone()))
            .collect()
    }
}

/// Hooks that set off each other come to an end.
const HOOKS_PER_TURN_MAX: usize = 1_000;
const TOO_MANY_HOOKS: &str = "hooks set off more than 1000 others: the rest was not run";
