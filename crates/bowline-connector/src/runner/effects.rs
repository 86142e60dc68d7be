//! Carries out what a machine asks for.

use std::time::SystemTime;

use bowline::{Message, proto::Text};
use bytes::Bytes;

use super::{
    Direction, ElementEvent, LinkState,
    task::{ElementTask, now},
};
use crate::{
    machine::{Effect, Value},
    plan::{LinkId, MessageKind, ParameterId},
    record::{Input, Output},
    turn::{Outcome, Stage, Turn},
};

impl ElementTask {
    /// Carries out everything the machine asks for, and what follows from that.
    pub(super) async fn settle(&mut self) {
        let mut turn = Turn::default();
        while let Some(outcome) = turn.next(&mut self.stage()) {
            match outcome {
                Outcome::Effect(Effect::Save(parameter, value)) => {
                    let machine = &mut self.parts.machine;
                    let more = std::iter::from_fn(|| turn.next_save(machine));
                    let values = std::iter::once((parameter, value)).chain(more);
                    let values = values.collect();
                    self.save(values).await;
                }
                Outcome::Effect(effect) => self.carry_out(effect),
                Outcome::Notice(text) => self.notice(text),
                Outcome::Complaint(hook, text) => self.complain(hook, text),
            }
        }
    }

    fn stage(&mut self) -> Stage<'_> {
        Stage {
            plan: &self.parts.plan,
            machine: &mut self.parts.machine,
            hooks: &self.parts.hooks,
            now: now(),
        }
    }

    /// Stores values, those that are to be stored right after each other at once.
    async fn save(&mut self, values: Vec<(ParameterId, Value)>) {
        if let Some(store) = &self.parts.store
            && let Err(error) = store.save(values).await
        {
            self.notice(error.to_string());
            self.save_error = Some(error.to_string());
        }
    }

    /// Carries out an effect other than those of a turn.
    fn carry_out(&mut self, effect: Effect) {
        let at = SystemTime::now();
        match effect {
            Effect::Open(link) => self.change(link, Self::open),
            Effect::Close(link) => self.change(link, Self::close),
            Effect::Reopen(link) => self.change(link, Self::reopen),
            Effect::Send {
                link,
                kind,
                payload,
            } => self.send(link, kind, &payload),
            Effect::Changed(parameter, value) => {
                let changed = || Output::Changed(parameter, value.clone());
                self.parts.tape.give(changed);
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
        let kind = message.kind();
        let payload = message.into_payload().into_bytes();
        self.parts.tape.take(|| Input::Message {
            link,
            kind,
            payload: payload.clone(),
        });
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

    fn send(&mut self, link: LinkId, kind: MessageKind, payload: &Bytes) {
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
        self.parts.tape.give(|| Output::Message {
            link,
            kind,
            payload: payload.clone(),
            is_sent: sent.is_ok(),
        });
        let direction = match &sent {
            Ok(()) => Direction::Out,
            Err(_) => Direction::NotSent,
        };
        let shown = self.parts.view.note(link, direction, kind, payload);
        self.publish(&ElementEvent::Message(shown));
        if let Err(reason) = sent {
            self.notice(format!("a message was not sent on {link}: {reason}"));
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
