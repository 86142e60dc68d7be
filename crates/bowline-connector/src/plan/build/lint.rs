//! What is allowed and probably not meant.

use std::collections::{BTreeMap, BTreeSet};

use super::Builder;
use crate::{
    diagnostic::{Code, Diagnostic},
    plan::{
        ActionKind, CommandId, LengthRule, LinkId, Moment, ParameterId, Response, ResponseId,
        Subject, TriggerContent,
    },
    vocabulary::Part,
};

impl Builder<'_, '_> {
    pub(super) fn lint(&mut self) {
        self.ambiguous();
        self.catch_all();
        if !self.is_excerpt && !self.plan.links.is_empty() {
            self.no_make();
            self.no_read();
        }
    }

    /// Gives the actions of triggers before a subject, with what the triggers watch.
    fn before(
        &self,
        number: impl Fn(Subject) -> Option<Option<u32>>,
    ) -> Vec<(Option<u32>, &ActionKind)> {
        let mut found = Vec::new();
        for (_, trigger) in self.plan.triggers.iter() {
            let Some((subject, Moment::Before)) = &trigger.on else {
                continue;
            };
            let (Some(id), TriggerContent::Actions(actions)) = (number(*subject), &trigger.content)
            else {
                continue;
            };
            let actions = actions
                .iter()
                .filter_map(|action| self.plan.actions.get(*action));
            found.extend(actions.map(|action| (id, &action.kind)));
        }
        found
    }

    /// Tells commands that no trigger makes: they are sent as they were at the start.
    fn no_make(&mut self) {
        let before = self.before(|subject| {
            if let Subject::Command(id) = subject {
                Some(id)
            } else {
                None
            }
        });
        let mut is_each = false;
        let mut made = BTreeSet::new();
        for (watched, kind) in before {
            match (watched, kind) {
                (None, ActionKind::Make(None)) => is_each = true,
                (Some(id), ActionKind::Make(None)) => drop(made.insert(CommandId(id))),
                (_, ActionKind::Make(Some(id))) => drop(made.insert(*id)),
                _ => {}
            }
        }
        let commands = self.plan.commands.iter().map(|(id, _)| id);
        let left: Vec<_> = commands
            .filter(|id| !is_each && !made.contains(id))
            .collect();
        let Some(first) = left.first() else {
            return;
        };
        let span = self.ids.span(Part::Command, first.0).unwrap_or_default();
        let message = told("no trigger makes", "command", left.iter().map(|id| id.0));
        self.said.add(
            Diagnostic::warning(Code::NoMake, span, message)
                .label("sent as it was composed first")
                .help("add a trigger `<On id=\"each\">command</On><Time>before</Time>` to an action `<On>command</On><Type>make</Type>`"),
        );
    }

    /// Tells responses of variable length that no trigger reads: their parameters stay as they
    /// are.
    fn no_read(&mut self) {
        let before = self.before(|subject| {
            if let Subject::Response(id) = subject {
                Some(id)
            } else {
                None
            }
        });
        let mut is_each = false;
        let mut read = BTreeSet::new();
        for (watched, kind) in before {
            match (watched, kind) {
                (None, ActionKind::Read(None)) => is_each = true,
                (Some(id), ActionKind::Read(None)) => drop(read.insert(ResponseId(id))),
                (_, ActionKind::Read(Some(id))) => drop(read.insert(*id)),
                _ => {}
            }
        }
        let responses = self.plan.responses.iter();
        let variable =
            responses.filter(|(_, one)| one.content.iter().any(|id| self.is_variable(*id)));
        let left: Vec<_> = variable
            .map(|(id, _)| id)
            .filter(|id| !is_each && !read.contains(id))
            .collect();
        let Some(first) = left.first() else {
            return;
        };
        let span = self.ids.span(Part::Response, first.0).unwrap_or_default();
        let message = told("no trigger reads", "response", left.iter().map(|id| id.0));
        self.said.add(
            Diagnostic::warning(Code::NoRead, span, message)
                .label("its parameters of variable length get nothing")
                .help("add a trigger `<On id=\"each\">response</On><Time>before</Time>` to an action `<On>response</On><Type>read</Type>`"),
        );
    }

    /// Tells responses that come after one that takes every message.
    fn catch_all(&mut self) {
        let mut takers: BTreeMap<Option<LinkId>, ResponseId> = BTreeMap::new();
        let mut late = Vec::new();
        for (id, response) in self.plan.responses.iter() {
            let taker = takers.get(&None).or_else(|| takers.get(&response.link));
            if let Some(taker) = taker {
                late.push((id, *taker));
            } else if self.takes_all(response) {
                takers.insert(response.link, id);
            }
        }
        for (id, taker) in late {
            let message = format!("{taker} takes every message before {id} is tried");
            let span = self.ids.span(Part::Response, id.0).unwrap_or_default();
            let other = self.ids.span(Part::Response, taker.0).unwrap_or_default();
            self.said.add(
                Diagnostic::warning(Code::CatchAll, span, message)
                    .label("gets none of them, unless its pair awaits it")
                    .related(other, "one parameter of variable length takes everything"),
            );
        }
    }

    fn takes_all(&self, response: &Response) -> bool {
        matches!(response.content.as_slice(), [id] if self.is_variable(*id))
    }

    /// Tells parameters of variable length before one that cannot be found.
    fn ambiguous(&mut self) {
        let mut found = Vec::new();
        for (id, response) in self.plan.responses.iter() {
            for pair in response.content.windows(2) {
                if let [first, second] = pair
                    && self.is_variable(*first)
                    && self.is_variable(*second)
                {
                    found.push((id, *first, *second));
                }
            }
        }
        for (id, first, second) in found {
            let message =
                format!("{id} has {first} and {second}, both of variable length, side by side");
            let span = self.ids.span(Part::Response, id.0).unwrap_or_default();
            self.said.add(
                Diagnostic::warning(Code::Ambiguous, span, message)
                    .label("where the first ends cannot be told")
                    .help("put a fixed parameter between them"),
            );
        }
    }

    /// Says whether a parameter takes as many bytes as there are up to the next.
    fn is_variable(&self, id: ParameterId) -> bool {
        let parameter = self.plan.parameters.get(id);
        parameter.is_some_and(|parameter| {
            let within = &parameter.interpretation;
            let is_open = matches!(
                within.length,
                LengthRule::NextParameter | LengthRule::LastNextParameter
            );
            is_open && within.value.is_none()
        })
    }
}

fn told(lead: &str, word: &str, mut ids: impl ExactSizeIterator<Item = u32>) -> String {
    let count = ids.len();
    let first = ids.next().unwrap_or_default();
    match count.saturating_sub(1) {
        0 => format!("{lead} {word} {first}"),
        more => format!("{lead} {word} {first}, and {more} more"),
    }
}
