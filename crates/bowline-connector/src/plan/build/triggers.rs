//! Triggers.

use std::collections::BTreeMap;

use super::{Builder, exchanges::condition_of, own_id};
use crate::{
    diagnostic::{Code, Diagnostic},
    plan::{ActionId, Moment, Subject, Trigger, TriggerContent, TriggerId},
    vocabulary::{Node, Part, number_in},
};

impl<'d> Builder<'_, 'd> {
    pub(super) fn triggers(&mut self) {
        for node in self.parts("Triggers", "Trigger") {
            let Some(id) = own_id(node).map(TriggerId) else {
                continue;
            };
            let on = self.on(node);
            let (content, otherwise) = self.trigger_content(node);
            let trigger = Trigger {
                name: node.words_of("Name"),
                on,
                condition: condition_of(node),
                content,
                otherwise,
            };
            let _taken = self.plan.triggers.insert(id, trigger);
        }
        self.trigger_loops();
    }

    fn on(&mut self, node: &Node<'d>) -> Option<(Subject, Moment)> {
        let (on, time) = match (node.child("On"), node.child("Time")) {
            (Some(on), Some(time)) => (on, time),
            (Some(on), None) => {
                let diagnostic =
                    Diagnostic::error(Code::Missing, on.span(), "the trigger does not say when");
                self.said
                    .add(diagnostic.label("needs the element `Time` beside it"));
                return None;
            }
            (None, Some(time)) => {
                let diagnostic = Diagnostic::warning(
                    Code::BadTrigger,
                    time.span(),
                    "the trigger does not say on what",
                );
                self.said
                    .add(diagnostic.label("left out: it fires only when it is called"));
                return None;
            }
            (None, None) => return None,
        };
        let word = on.value.word()?;
        let id = self.subject_id(on, word);
        let subject = match word {
            "command" => Subject::Command(id),
            "communication" => Subject::Communication(id),
            "group" => Subject::Group(id),
            "pair" => Subject::Pair(id),
            "parameter" => Subject::Parameter(id),
            "protocol" => Subject::Protocol,
            "response" => Subject::Response(id),
            "session" => Subject::Session(id),
            "timer" => Subject::Timer(id),
            _ => return None,
        };
        self.moment(word, time).map(|moment| (subject, moment))
    }

    /// Gives which part is watched; `None` is each.
    fn subject_id(&mut self, on: &Node<'d>, word: &str) -> Option<u32> {
        let field = on.attribute("id")?;
        let text = field.text();
        if text.eq_ignore_ascii_case("each") || word == "protocol" {
            return None;
        }
        let Some(id) = number_in(text, 0, u32::MAX) else {
            let message = format!("`{text}` is not an id");
            let diagnostic = Diagnostic::error(Code::NotId, field.span(), message);
            self.said
                .add(diagnostic.help(format!("write the id of a {word}, or `each`")));
            return None;
        };
        let part = part_of(word);
        if !self.ids.has(part, id) {
            let missing = self.ids.missing(part, id, field.span(), self.is_excerpt);
            self.said.add(missing);
        }
        Some(id)
    }

    fn moment(&mut self, subject: &str, time: &Node<'d>) -> Option<Moment> {
        let text = time.value.word().or_else(|| time.value.text())?.to_owned();
        if text == "link file change" {
            return None;
        }
        if subject == "communication" {
            return Some(Moment::Error(from_hex(&text)));
        }
        let times = times_of(subject);
        if !times.contains(&text.as_str()) {
            let message = format!("a trigger on a {subject} cannot fire at `{text}`");
            let list: Vec<_> = times.iter().map(|time| format!("`{time}`")).collect();
            let diagnostic = Diagnostic::error(Code::BadTrigger, time.value_span(), message);
            self.said
                .add(diagnostic.help(format!("it fires at {}", list.join(", "))));
            return None;
        }
        Some(match text.as_str() {
            "before" => Moment::Before,
            "after startup" => Moment::AfterStartup,
            "change" => Moment::Change,
            "change after response" => Moment::ChangeAfterResponse,
            "succeeded" => Moment::Succeeded,
            "timeout" => Moment::Timeout,
            "timeout after retries" => Moment::TimeoutAfterRetries,
            _ => Moment::After,
        })
    }

    /// Gives what a trigger runs when its condition holds, and when it does not.
    fn trigger_content(&mut self, node: &Node<'d>) -> (TriggerContent, TriggerContent) {
        let kind = node.child("Type").and_then(|kind| kind.value.word());
        let part = if kind == Some("trigger") {
            Part::Trigger
        } else {
            Part::Action
        };
        let (mut ids, mut others) = (Vec::new(), Vec::new());
        if let Some(content) = node.child("Content") {
            for id in content.children("Id") {
                let field = id.attribute("else");
                let is_other = id.flag("else").unwrap_or(false);
                if let Some(field) = field.filter(|_| is_other && node.child("Condition").is_none())
                {
                    let message = "the trigger has no condition that could fail";
                    let diagnostic = Diagnostic::warning(Code::BadTrigger, field.span(), message);
                    self.said
                        .add(diagnostic.label("never runs: give the trigger a `<Condition>`"));
                }
                let chosen = if is_other { &mut others } else { &mut ids };
                chosen.extend(self.content_id(id, part));
            }
            if content.children("Id").next().is_none() {
                let diagnostic = Diagnostic::warning(
                    Code::EmptyContent,
                    content.span(),
                    "the trigger runs nothing",
                );
                self.said
                    .add(diagnostic.label("needs `<Id>` with the id of an action or trigger"));
            }
        }
        let content = |ids: Vec<u32>| {
            if part == Part::Trigger {
                return TriggerContent::Triggers(ids.into_iter().map(TriggerId).collect());
            }
            let actions = ids.into_iter().map(ActionId);
            TriggerContent::Actions(actions.flat_map(|id| self.expanded(id)).collect())
        };
        (content(ids), content(others))
    }

    fn content_id(&mut self, node: &Node<'d>, part: Part) -> Option<u32> {
        let text = node.value.text().unwrap_or_default();
        let span = node.value_span();
        let Some(id) = number_in(text, 0, u32::MAX) else {
            let message = format!("`{text}` is not the id of {}", part.a_word());
            self.said.add(Diagnostic::error(Code::NotId, span, message));
            return None;
        };
        if !self.ids.has(part, id) {
            let other = if part == Part::Action {
                Part::Trigger
            } else {
                Part::Action
            };
            let mut missing = self.ids.missing(part, id, span, self.is_excerpt);
            if self.ids.has(other, id) {
                let word = other.word();
                missing.help = Some(format!(
                    "{word} {id} is there: write `<Type>{word}</Type>` to run it"
                ));
            }
            self.said.add(missing);
            return None;
        }
        Some(id)
    }

    /// Tells triggers that fire each other in a circle without a condition between them.
    fn trigger_loops(&mut self) {
        let mut next: BTreeMap<TriggerId, Vec<TriggerId>> = BTreeMap::new();
        for (id, trigger) in self.plan.triggers.iter() {
            if let (TriggerContent::Triggers(ids), None) = (&trigger.content, &trigger.condition) {
                next.insert(id, ids.clone());
            }
        }
        // What leads nowhere is taken away until only circles, and what leads to them, are left.
        let mut fired_by: BTreeMap<TriggerId, Vec<TriggerId>> = BTreeMap::new();
        let mut left: BTreeMap<TriggerId, usize> = BTreeMap::new();
        for (id, ids) in &next {
            let leading: Vec<_> = ids
                .iter()
                .filter(|other| next.contains_key(other))
                .collect();
            left.insert(*id, leading.len());
            for other in leading {
                fired_by.entry(*other).or_default().push(*id);
            }
        }
        let mut ends: Vec<_> = left
            .iter()
            .filter(|(_, count)| **count == 0)
            .map(|(id, _)| *id)
            .collect();
        while let Some(end) = ends.pop() {
            left.remove(&end);
            for id in fired_by.remove(&end).unwrap_or_default() {
                let Some(count) = left.get_mut(&id) else {
                    continue;
                };
                *count -= 1;
                if *count == 0 {
                    ends.push(id);
                }
            }
        }
        if let Some(first) = left.keys().next() {
            let span = self.ids.span(Part::Trigger, first.0).unwrap_or_default();
            let all: Vec<_> = left.keys().take(5).map(|id| id.0.to_string()).collect();
            let message = format!("triggers fire each other without end: {}", all.join(", "));
            let diagnostic = Diagnostic::error(Code::TriggerLoop, span, message);
            self.said
                .add(diagnostic.help("give one of them a `<Condition>`, or leave one out"));
        }
    }
}

fn part_of(word: &str) -> Part {
    match word {
        "command" => Part::Command,
        "communication" => Part::Connection,
        "group" => Part::Group,
        "pair" => Part::Pair,
        "response" => Part::Response,
        "session" => Part::Session,
        "timer" => Part::Timer,
        _ => Part::Parameter,
    }
}

/// The times a trigger on a subject can fire at.
fn times_of(subject: &str) -> &'static [&'static str] {
    match subject {
        "command" | "group" | "response" | "timer" => &["before", "after"],
        "pair" | "session" => &[
            "before",
            "after",
            "succeeded",
            "timeout",
            "timeout after retries",
        ],
        "parameter" => &[
            "change",
            "change after response",
            "timeout",
            "timeout after retries",
        ],
        "protocol" => &["after startup"],
        _ => &[],
    }
}

/// Decodes the text of an error where it is written in hex.
fn from_hex(text: &str) -> String {
    let digits = text.trim_start_matches("0x").as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16)
            .ok()
            .filter(|byte| (0x20..0x7f).contains(byte))
    };
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    match bytes.map(String::from_utf8) {
        Some(Ok(decoded)) if rest.is_empty() && !decoded.is_empty() => decoded,
        Some(_) | None => text.to_owned(),
    }
}
