//! What follows from one call to a machine: its effects in order, with the hooks they run.

use std::{collections::VecDeque, time::Instant};

use crate::{
    Plan,
    hooks::{HookCall, Hooks, Operation, Values},
    machine::{Effect, Machine, Value},
    plan::{MessageKind, ParameterId},
};

/// What follows from one call to a machine. It runs the hooks; everything else is for the caller to
/// carry out, each before it asks for the next.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    waiting: VecDeque<(Effect, Chain)>,
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

/// The parameters whose hooks led to an effect, the first one first.
type Chain = Vec<ParameterId>;

impl Turn {
    /// Gives what is to be carried out next, until there is nothing.
    pub(crate) fn next(&mut self, stage: &mut Stage<'_>) -> Option<Outcome> {
        self.collect(stage.machine, &Chain::new());
        loop {
            if let Some(said) = self.said.pop_front() {
                return Some(said);
            }
            match self.waiting.pop_front()? {
                (
                    Effect::Hook {
                        parameter, kind, ..
                    },
                    chain,
                ) => self.hook(stage, (parameter, kind), chain),
                (effect, _) => return Some(Outcome::Effect(effect)),
            }
        }
    }

    /// Gives the value to be saved next if that is what is to be carried out next.
    pub(crate) fn next_save(&mut self) -> Option<(ParameterId, Value)> {
        if !self.said.is_empty() || !matches!(self.waiting.front(), Some((Effect::Save(..), _))) {
            return None;
        }
        if let (Effect::Save(parameter, value), _) = self.waiting.pop_front()? {
            Some((parameter, value))
        } else {
            None
        }
    }

    fn collect(&mut self, machine: &mut Machine, chain: &Chain) {
        while let Some(effect) = machine.poll_effect() {
            self.waiting.push_back((effect, chain.clone()));
        }
    }

    /// Runs the hooks of a parameter, unless it was one of them that led here: a hook that sets its
    /// own parameter is not run for that.
    fn hook(
        &mut self,
        stage: &mut Stage<'_>,
        (parameter, kind): (ParameterId, Option<MessageKind>),
        mut chain: Chain,
    ) {
        if chain.contains(&parameter) {
            return;
        }
        chain.push(parameter);
        for (place, hook) in stage.hooks.of(parameter).iter().enumerate() {
            let place = (parameter, place);
            self.hooks_run += 1;
            if self.hooks_run > HOOKS_PER_TURN_MAX {
                let complaint = Some(TOO_MANY_HOOKS.to_owned());
                return self.said.push_back(Outcome::Complaint(place, complaint));
            }
            let values = MachineValues(stage.plan, stage.machine);
            let mut call = HookCall::new(parameter, kind, &values);
            let ran = hook.run(&mut call);
            let operations = call.into_operations();
            let complaint = ran.as_ref().err();
            let complaint = complaint.map(|error| format!("{parameter}: {error}"));
            self.said.push_back(Outcome::Complaint(place, complaint));
            if ran.is_ok() {
                for operation in operations {
                    self.apply(stage, operation);
                    self.collect(stage.machine, &chain);
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
