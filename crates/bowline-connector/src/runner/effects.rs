//! Carries out what a machine asks for.

use std::{collections::VecDeque, time::SystemTime};

use bowline::{Message, MessageKind as Opcode, proto::Text};
use bytes::Bytes;

use super::{
    Direction, ElementEvent, LinkState,
    task::{ElementTask, now},
};
use crate::{
    Plan,
    hooks::{HookCall, Operation, Values},
    machine::{Effect, Machine, Value},
    plan::{LinkId, MessageKind, ParameterId},
};

/// What follows from one call to a machine: its effects in order, and those of the hooks they run.
#[derive(Debug, Default)]
pub(super) struct Turn {
    waiting: VecDeque<(Effect, Chain)>,
    hooks_run: usize,
}

/// The parameters whose hooks led to an effect, the first one first.
type Chain = Vec<ParameterId>;

impl Turn {
    /// Carries out effects until there are no more.
    pub(super) async fn run(mut self, task: &mut ElementTask) {
        self.collect(task, &Chain::new());
        while let Some((effect, chain)) = self.waiting.pop_front() {
            match effect {
                Effect::Save(parameter, value) => self.save(task, parameter, value).await,
                Effect::Hook {
                    parameter, kind, ..
                } => self.hook(task, parameter, kind, chain),
                effect => task.carry_out(effect),
            }
        }
    }

    fn collect(&mut self, task: &mut ElementTask, chain: &Chain) {
        while let Some(effect) = task.parts.machine.poll_effect() {
            self.waiting.push_back((effect, chain.clone()));
        }
    }

    /// Stores a value, and those that are to be stored right after it.
    async fn save(&mut self, task: &mut ElementTask, parameter: ParameterId, value: Value) {
        let mut values = vec![(parameter, value)];
        while let Some((Effect::Save(..), _)) = self.waiting.front() {
            if let Some((Effect::Save(parameter, value), _)) = self.waiting.pop_front() {
                values.push((parameter, value));
            }
        }
        if let Some(store) = &task.parts.store
            && let Err(error) = store.save(values).await
        {
            task.notice(error.to_string());
        }
    }

    /// Runs the hooks of a parameter, unless it was one of them that led here: a hook that sets its
    /// own parameter is not run for that.
    fn hook(
        &mut self,
        task: &mut ElementTask,
        parameter: ParameterId,
        kind: Option<MessageKind>,
        mut chain: Chain,
    ) {
        if chain.contains(&parameter) {
            return;
        }
        let hooks = task.parts.hooks.of(parameter).to_vec();
        chain.push(parameter);
        for (place, hook) in hooks.iter().enumerate() {
            self.hooks_run += 1;
            if self.hooks_run > HOOKS_PER_TURN_MAX {
                return task.complain((parameter, place), Some(TOO_MANY_HOOKS.to_owned()));
            }
            let values = MachineValues(&task.parts.plan, &task.parts.machine);
            let mut call = HookCall::new(parameter, kind, &values);
            let ran = hook.run(&mut call);
            let operations = call.into_operations();
            let complaint = ran
                .as_ref()
                .err()
                .map(|error| format!("{parameter}: {error}"));
            task.complain((parameter, place), complaint);
            if ran.is_ok() {
                for operation in operations {
                    task.apply(operation);
                    self.collect(task, &chain);
                }
            }
        }
    }
}

impl ElementTask {
    /// Carries out an effect other than those of a turn.
    fn carry_out(&mut self, effect: Effect) {
        let at = SystemTime::now();
        match effect {
            Effect::Open(link) => self.change(link, |task, link| task.open(link)),
            Effect::Close(link) => self.change(link, |task, link| task.close(link)),
            Effect::Reopen(link) => self.change(link, |task, link| task.reopen(link)),
            Effect::Send {
                link,
                kind,
                payload,
            } => self.send(link, kind, payload),
            Effect::Changed(parameter, value) => {
                let alarm = self.parts.machine.alarm(parameter);
                self.publish(&ElementEvent::Changed {
                    at,
                    parameter,
                    value,
                    alarm,
                });
            }
            Effect::Health { link, level } => {
                if let Some(keeper) = link.and_then(|link| self.parts.keepers.get_mut(&link)) {
                    keeper.level = level;
                }
                self.publish(&ElementEvent::Health { at, link, level });
            }
            Effect::Notice(text) => self.notice(text),
            Effect::Save(..) | Effect::Hook { .. } => {}
        }
    }

    /// Tells people what of the connector's own code is replaced by no hook.
    pub(super) fn report_code(&self) {
        for (id, code) in self.parts.plan.hooks.iter() {
            let mut triggers = code.triggers.iter();
            if triggers.any(|parameter| !self.parts.hooks.of(*parameter).is_empty()) {
                continue;
            }
            let (name, language) = (&code.name, &code.language);
            self.notice(format!(
                "{id} ({name}) is {language} and is not run: write a hook for its parameters"
            ));
        }
    }

    /// Takes a message in.
    pub(super) fn take_message(&mut self, link: LinkId, message: Message) {
        let kind = match message.kind() {
            Opcode::Text => MessageKind::Text,
            Opcode::Binary => MessageKind::Binary,
        };
        let payload = message.into_payload().into_bytes();
        let shown = self.parts.view.note(link, Direction::In, kind, &payload);
        self.publish(&ElementEvent::Message(shown));
        self.parts
            .machine
            .handle_message(link, kind, payload, now());
    }

    /// Tells those who watch if a link is in another state than before.
    pub(super) fn publish_state(&self, link: LinkId, before: Option<LinkState>) {
        let state = self.parts.keepers.get(&link).map(|keeper| keeper.state);
        if let Some(state) = state
            && Some(state) != before
        {
            let at = SystemTime::now();
            self.publish(&ElementEvent::Link { at, link, state });
        }
    }

    fn change(&mut self, link: LinkId, change: impl FnOnce(&mut Self, LinkId)) {
        let before = self.parts.keepers.get(&link).map(|keeper| keeper.state);
        change(self, link);
        self.publish_state(link, before);
    }

    fn open(&mut self, link: LinkId) {
        if let (false, Some(keeper)) = (self.is_stopping, self.parts.keepers.get_mut(&link)) {
            keeper.open(&self.wires);
        }
    }

    fn reopen(&mut self, link: LinkId) {
        if let (false, Some(keeper)) = (self.is_stopping, self.parts.keepers.get_mut(&link)) {
            keeper.reopen(&self.wires);
        }
    }

    fn close(&mut self, link: LinkId) {
        if let Some(keeper) = self.parts.keepers.get_mut(&link) {
            keeper.close();
        }
    }

    fn send(&mut self, link: LinkId, kind: MessageKind, payload: Bytes) {
        let Some(keeper) = self.parts.keepers.get(&link) else {
            return;
        };
        let message = match kind {
            MessageKind::Binary => Ok(Message::binary(payload.clone())),
            MessageKind::Text => Text::from_utf8(payload.clone())
                .map(Message::text)
                .map_err(|misuse| misuse.to_string()),
        };
        let sent = message.and_then(|message| keeper.send(message));
        let direction = match &sent {
            Ok(()) => Direction::Out,
            Err(_) => Direction::NotSent,
        };
        let shown = self.parts.view.note(link, direction, kind, &payload);
        self.publish(&ElementEvent::Message(shown));
        if let Err(reason) = sent {
            self.notice(format!("a message was not sent on {link}: {reason}"));
        }
    }

    fn apply(&mut self, operation: Operation) {
        let machine = &mut self.parts.machine;
        let applied = match operation {
            Operation::Set(parameter, value) => machine.set_by_code(parameter, value, now()),
            Operation::Fire(trigger) => machine.fire(trigger, now()),
            Operation::Log(text) => return self.notice(text),
        };
        if let Err(error) = applied {
            self.notice(format!("a hook: {error}"));
        }
    }

    /// Says what a hook complains of, if it is not what it said the last time.
    fn complain(&mut self, hook: (ParameterId, usize), complaint: Option<String>) {
        let Some(text) = complaint else {
            self.complaints.remove(&hook);
            return;
        };
        if self.complaints.get(&hook) != Some(&text) {
            self.complaints.insert(hook, text.clone());
            self.notice(text);
        }
    }

    fn notice(&self, text: String) {
        tracing::info!(element = self.parts.settings.name, "{text}");
        let at = SystemTime::now();
        self.publish(&ElementEvent::Notice { at, text });
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
