//! Actions.

use std::time::Duration;

use super::{Builder, exchanges::condition_of, own_id};
use crate::{
    diagnostic::{Code, Diagnostic, Span},
    plan::{
        Action, ActionId, ActionKind, CommandId, GroupId, LinkId, PairId, ParameterId,
        ParameterVerb, QueueVerb, ResponseId, Source, TimerId, TimerVerb,
    },
    vocabulary::{Node, PARAMETER_ID_MAX, Part, number_in},
};

/// An action as it is written, with its parts at hand.
struct Written<'n, 'd> {
    id: ActionId,
    on: &'n Node<'d>,
    verb: &'n Node<'d>,
}

impl<'d> Builder<'_, 'd> {
    pub(super) fn actions(&mut self) {
        self.watch();
        let mut next = EXPANDED_ID_MIN;
        for node in self.parts("Actions", "Action") {
            let Some(id) = own_id(node).map(ActionId) else {
                continue;
            };
            let (Some(on), Some(verb)) = (node.child("On"), node.child("Type")) else {
                continue;
            };
            let written = Written { id, on, verb };
            self.check_places(&written);
            let mut kinds = self.kinds(&written).into_iter();
            let action = |kind| Action {
                name: node.words_of("Name"),
                kind,
                condition: condition_of(node),
            };
            // An action that does nothing keeps its place, so that what names it stays right.
            let first = kinds.next().unwrap_or(ActionKind::Fire(Vec::new()));
            let _taken = self.plan.actions.insert(id, action(first));
            let mut all = vec![id];
            for kind in kinds {
                let more = ActionId(next);
                next += 1;
                let _taken = self.plan.actions.insert(more, action(kind));
                all.push(more);
            }
            if all.len() > 1 {
                self.expanded.insert(id, all);
            }
        }
    }

    /// Collects which parameters the triggers of each action watch; `None` is another subject.
    fn watch(&mut self) {
        for trigger in self.parts("Triggers", "Trigger") {
            let kind = trigger.child("Type").and_then(|kind| kind.value.word());
            let Some(content) = trigger.child("Content").filter(|_| kind != Some("trigger")) else {
                continue;
            };
            let on = trigger.child("On");
            let on = on.filter(|on| on.value.word() == Some("parameter"));
            let id = on.and_then(|on| on.attribute("id"));
            let watched = id.and_then(|id| self.as_parameter(id.text()));
            for id in content.children("Id") {
                let id = id
                    .value
                    .text()
                    .and_then(|text| number_in(text, 0, u32::MAX));
                let actions = id.map(|id| self.watched.entry(ActionId(id)).or_default());
                if let Some(all) = actions.filter(|all| all.len() < 2 && !all.contains(&watched)) {
                    all.push(watched);
                }
            }
        }
    }

    /// Gives what an action does: once for each part it names.
    fn kinds(&mut self, written: &Written<'_, 'd>) -> Vec<ActionKind> {
        let (Some(subject), Some(verb)) = (written.on.value.word(), written.verb.value.word())
        else {
            return Vec::new();
        };
        match subject {
            "command" if verb == "make" => self.each(written, Part::Command, |id| {
                ActionKind::Make(id.map(CommandId))
            }),
            "command" if verb == "length" => self.each(written, Part::Command, |id| {
                ActionKind::MakeWithLength(id.map(CommandId))
            }),
            "response" if verb == "length" => self.each(written, Part::Response, |id| {
                ActionKind::CheckLength(id.map(ResponseId))
            }),
            "response" if verb == "read" => self.each(written, Part::Response, |id| {
                ActionKind::Read(id.map(ResponseId))
            }),
            "response" if verb == "clear" => self.each(written, Part::Response, |id| {
                ActionKind::ClearResponse(id.map(ResponseId))
            }),
            "group" => self.queue(written, verb),
            "pair" if verb == "timeout" => self.pair_timeout(written),
            "pair" if verb == "set next" => self.item_pause(written),
            "parameter" => self.parameter_action(written, verb),
            "protocol" => self.protocol_action(written, verb),
            "timer" => match timer_verb(verb) {
                Some(verb) => self.each(written, Part::Timer, |id| {
                    ActionKind::Timer(id.map(TimerId), verb)
                }),
                None => self.mismatch(written),
            },
            _ => self.mismatch(written),
        }
    }

    /// Makes one for each part that `On` names, or one for the part the trigger is about.
    fn each(
        &mut self,
        written: &Written<'_, 'd>,
        part: Part,
        make: impl Fn(Option<u32>) -> ActionKind,
    ) -> Vec<ActionKind> {
        match self.subjects(written, part) {
            Some(ids) => ids.into_iter().map(|id| make(Some(id))).collect(),
            None => vec![make(None)],
        }
    }

    /// Gives the parts that `On` names; `None` if it names none.
    fn subjects(&mut self, written: &Written<'_, 'd>, part: Part) -> Option<Vec<u32>> {
        let field = written.on.attribute("id")?;
        let mut ids = Vec::new();
        let parts = field.text().split(';').map(str::trim);
        for text in parts.filter(|text| !text.is_empty()) {
            if ids.len() >= SUBJECTS_MAX {
                let message = format!("an action on more than {SUBJECTS_MAX} parts");
                self.said
                    .add(Diagnostic::error(Code::TooLarge, field.span(), message));
                break;
            }
            let span = field.attribute.value.span_of(text);
            match number_in(text, 0, u32::MAX) {
                Some(id) if self.ids.has(part, id) => ids.push(id),
                Some(id) => {
                    let missing = self.ids.missing(part, id, span, self.is_excerpt);
                    self.said.add(missing);
                }
                None => {
                    let message = format!("`{text}` is not an id");
                    let diagnostic = Diagnostic::error(Code::NotId, span, message);
                    self.said
                        .add(diagnostic.help("write ids with `;` between them: `1;2`"));
                }
            }
        }
        Some(ids)
    }

    fn queue(&mut self, written: &Written<'_, 'd>, verb: &str) -> Vec<ActionKind> {
        let Some(verb) = queue_verb(verb) else {
            return self.mismatch(written);
        };
        let Some(ids) = self.subjects(written, Part::Group) else {
            return self.wrong(
                written.on.value_span(),
                "the action does not say which group",
                "needs the attribute `id`",
            );
        };
        vec![ActionKind::Queue(
            ids.into_iter().map(GroupId).collect(),
            verb,
        )]
    }

    fn pair_timeout(&mut self, written: &Written<'_, 'd>) -> Vec<ActionKind> {
        let Some(time) = self.operand(written, None) else {
            return Vec::new();
        };
        self.each(written, Part::Pair, |id| {
            ActionKind::PairTimeout(id.map(PairId), time.clone())
        })
    }

    fn item_pause(&mut self, written: &Written<'_, 'd>) -> Vec<ActionKind> {
        let Some(field) = written.on.attribute("nr") else {
            return self.wrong(
                written.on.value_span(),
                "the action does not say behind which items of the group",
                "needs the attribute `nr`: places from 1, as in `1;2`",
            );
        };
        let mut places = Vec::new();
        let parts = field.text().split(';').map(str::trim);
        for text in parts.filter(|text| !text.is_empty()) {
            let place = number_in(text, 1, u32::MAX).and_then(|place| usize::try_from(place).ok());
            let Some(place) = place else {
                let span = field.attribute.value.span_of(text);
                let message = format!("`{text}` is not a place in a group");
                let diagnostic = Diagnostic::error(Code::OutOfRange, span, message);
                self.said
                    .add(diagnostic.help("places count from 1, with `;` between them: `1;2`"));
                continue;
            };
            if places.len() < SUBJECTS_MAX {
                places.push(place - 1);
            }
        }
        let pause = self.operand(written, None);
        pause
            .map(|pause| ActionKind::ItemPause(places, pause))
            .into_iter()
            .collect()
    }

    fn parameter_action(&mut self, written: &Written<'_, 'd>, verb: &str) -> Vec<ActionKind> {
        let Some(verb) = self.parameter_verb(written, verb) else {
            return Vec::new();
        };
        self.each(written, Part::Parameter, |id| {
            ActionKind::Parameter(id.map(ParameterId), verb.clone())
        })
    }

    fn parameter_verb(&mut self, written: &Written<'_, 'd>, verb: &str) -> Option<ParameterVerb> {
        let one = || Some(Source::Literal("1".to_owned()));
        Some(match verb {
            "clear" => ParameterVerb::Clear,
            "clear on display" => ParameterVerb::ClearOnDisplay,
            "reverse" => ParameterVerb::Reverse,
            "run actions" => ParameterVerb::RunActions,
            "save" => ParameterVerb::Save,
            "copy" => ParameterVerb::Copy(self.copied(written)?),
            "normalize" => ParameterVerb::Normalize(self.parameter_of(written.verb, "id")),
            "set" => ParameterVerb::Set(self.operand(written, None)?),
            "append" | "append data" => ParameterVerb::Append(self.operand(written, None)?),
            "increment" => ParameterVerb::Increment(self.operand(written, one())?),
            "multiply" => ParameterVerb::Multiply(self.operand(written, one())?),
            "pow" => ParameterVerb::Power(self.operand(written, one())?),
            "change length" => ParameterVerb::ChangeLength(self.operand(written, None)?),
            _ => {
                self.mismatch(written);
                return None;
            }
        })
    }

    /// Gives what the action takes its value from: a parameter, the text of `value`, or a default.
    fn operand(&mut self, written: &Written<'_, 'd>, default: Option<Source>) -> Option<Source> {
        if written.verb.attribute("id").is_some() {
            return self.parameter_of(written.verb, "id").map(Source::Parameter);
        }
        let value = written
            .verb
            .attribute("value")
            .map(|value| value.attribute.value.as_str());
        let source = value
            .map(|value| Source::Literal(value.to_owned()))
            .or(default);
        if source.is_none() {
            self.wrong(
                written.verb.value_span(),
                "the action does not say which value",
                "needs the attribute `id`, a parameter, or `value`",
            );
        }
        source
    }

    /// Gives the parameter a copy is of: the one it names, or the one its triggers watch.
    fn copied(&mut self, written: &Written<'_, 'd>) -> Option<ParameterId> {
        if written.verb.attribute("id").is_some() {
            return self.parameter_of(written.verb, "id");
        }
        if let Some(&[Some(id)]) = self.watched.get(&written.id).map(Vec::as_slice) {
            return Some(id);
        }
        self.wrong(
            written.verb.value_span(),
            "the action does not say what to copy",
            "needs the attribute `id`: its triggers do not watch one and the same parameter",
        );
        None
    }

    fn protocol_action(&mut self, written: &Written<'_, 'd>, verb: &str) -> Vec<ActionKind> {
        match verb {
            "open" => vec![ActionKind::OpenLink(Some(self.port(written)))],
            "close" => vec![ActionKind::CloseLink(Some(self.port(written)))],
            "stop current group" => vec![ActionKind::StopGroup],
            "sleep" => self.sleep(written),
            _ => self.mismatch(written),
        }
    }

    /// Gives the link of `open` and `close`: connection 0 where nothing is said, or the only one.
    fn port(&mut self, written: &Written<'_, 'd>) -> LinkId {
        if let Some(field) = written.verb.attribute("nr") {
            if let Some(number) = number_in(field.text(), 0, u32::MAX) {
                return self.link_at(number, field.span());
            }
            let message = format!("`{}` is not the number of a connection", field.text());
            self.said
                .add(Diagnostic::error(Code::NotId, field.span(), message));
        }
        let mut links = self.plan.links.iter().map(|(id, _)| id);
        match (links.next(), links.next()) {
            (Some(only), None) => only,
            _ => LinkId(0),
        }
    }

    fn sleep(&mut self, written: &Written<'_, 'd>) -> Vec<ActionKind> {
        let Some(field) = written.verb.attribute("value") else {
            return vec![ActionKind::Sleep(SLEEP_DEFAULT)];
        };
        let Some(time) = number_in(field.text(), SLEEP_MIN, SLEEP_MAX) else {
            let message = format!("a sleep cannot last `{}`", field.text());
            self.said.add(
                Diagnostic::error(Code::OutOfRange, field.span(), message)
                    .help(format!("write milliseconds, {SLEEP_MIN} to {SLEEP_MAX}")),
            );
            return Vec::new();
        };
        vec![ActionKind::Sleep(Duration::from_millis(time.into()))]
    }

    /// Tells of `nr` where nothing looks at it.
    fn check_places(&mut self, written: &Written<'_, 'd>) {
        let field = written.on.attribute("nr");
        if let Some(field) = field.filter(|_| written.verb.value.word() != Some("set next")) {
            let span = field.attribute.name_span;
            let message = "`On@nr` counts only for `set next`";
            self.said.add(
                Diagnostic::warning(Code::Ignored, span, message)
                    .label("ignored: the action is about the whole"),
            );
        }
    }

    /// Tells a type that does not go with its subject; of one that is not followed that was told.
    fn mismatch(&mut self, written: &Written<'_, 'd>) -> Vec<ActionKind> {
        let (Some(subject), Some(verb)) = (written.on.value.word(), written.verb.value.word())
        else {
            return Vec::new();
        };
        let Some(subjects) = subjects_of(verb) else {
            return Vec::new();
        };
        let message = format!("`{verb}` cannot be done to a {subject}");
        let diagnostic = Diagnostic::error(Code::BadAction, written.verb.value_span(), message);
        self.said.add(
            diagnostic
                .label(format!("is done to a {subjects}"))
                .related(written.on.value_span(), "the subject"),
        );
        Vec::new()
    }

    fn wrong(&mut self, span: Span, message: &str, label: &str) -> Vec<ActionKind> {
        self.said
            .add(Diagnostic::error(Code::BadAction, span, message).label(label));
        Vec::new()
    }
}

fn queue_verb(verb: &str) -> Option<QueueVerb> {
    Some(match verb {
        "add to execute" => QueueVerb::AddToExecute,
        "execute" => QueueVerb::Execute,
        "execute next" => QueueVerb::ExecuteNext,
        "execute one" => QueueVerb::ExecuteOne,
        "execute one now" => QueueVerb::ExecuteOneNow,
        "execute one top" => QueueVerb::ExecuteOneTop,
        "force execute" => QueueVerb::ForceExecute,
        _ => return None,
    })
}

fn timer_verb(verb: &str) -> Option<TimerVerb> {
    Some(match verb {
        "start" => TimerVerb::Start,
        "stop" => TimerVerb::Stop,
        "restart timer" => TimerVerb::Restart,
        "reschedule" => TimerVerb::Reschedule,
        _ => return None,
    })
}

/// What a type is done to; `None` of one that is not followed.
fn subjects_of(verb: &str) -> Option<&'static str> {
    Some(match verb {
        "make" => "command",
        "length" => "command or response",
        "read" => "response",
        "clear" => "parameter or response",
        "clear on display" | "copy" | "append" | "append data" | "increment" | "multiply"
        | "pow" | "normalize" | "reverse" | "run actions" | "save" | "change length" | "set" => {
            "parameter"
        }
        "timeout" | "set next" => "pair",
        "open" | "close" | "sleep" | "stop current group" => "protocol",
        verb if queue_verb(verb).is_some() => "group",
        verb if timer_verb(verb).is_some() => "timer",
        _ => return None,
    })
}

/// The first id of actions that the file writes as part of another one.
const EXPANDED_ID_MIN: u32 = PARAMETER_ID_MAX + 1;

/// Most parts of one action: each becomes an action of the plan wherever it is named.
const SUBJECTS_MAX: usize = 256;

const SLEEP_DEFAULT: Duration = Duration::from_secs(5);
/// Shortest and longest sleep, in milliseconds.
const SLEEP_MIN: u32 = 15;
const SLEEP_MAX: u32 = 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::followed_words;

    #[test]
    fn every_type_that_the_table_follows_has_a_subject() {
        let words = followed_words(&["Actions", "Action", "Type"]);
        assert!(words.len() > 30);
        for word in words {
            assert!(subjects_of(word).is_some(), "{word}");
        }
    }
}
