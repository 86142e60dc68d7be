//! Commands, responses and pairs.

use super::{Builder, own_id};
use crate::{
    diagnostic::{Code, Diagnostic},
    plan::{Command, CommandId, MessageKind, Pair, PairId, ParameterId, Response, ResponseId},
    vocabulary::{Field, Node, Part, number_in},
};

impl<'d> Builder<'_, 'd> {
    pub(super) fn commands(&mut self) {
        for node in self.parts("Commands", "Command") {
            let Some(id) = own_id(node).map(CommandId) else {
                continue;
            };
            let kind = node
                .child("WebSocketMessageType")
                .and_then(|kind| kind.value.word());
            let command = Command {
                name: node.words_of("Name"),
                kind: match kind {
                    Some("text") => MessageKind::Text,
                    Some(_) | None => MessageKind::Binary,
                },
                content: self.content(node),
            };
            if kind.is_none() {
                self.check_binary(node, &command);
            }
            let _taken = self.plan.commands.insert(id, command);
        }
    }

    /// Tells commands that look like text and say nothing of their kind: many servers pass over
    /// binary messages without a word.
    fn check_binary(&mut self, node: &Node<'d>, command: &Command) {
        let mut content = command.content.iter();
        let texts = content.find_map(|id| {
            let within = &self.plan.parameters.get(*id)?.interpretation;
            let text = within
                .default
                .as_deref()
                .map(str::as_bytes)
                .or(within.value.as_deref());
            let first = text?.trim_ascii_start().first().copied();
            first.filter(|byte| matches!(byte, b'{' | b'['))
        });
        if texts.is_some() {
            self.said.add(
                Diagnostic::note(Code::BinaryText, node.span(), "the command looks like JSON and is sent as binary")
                    .label("says nothing of its kind")
                    .help("add `<WebSocketMessageType>text</WebSocketMessageType>` if the device expects text"),
            );
        }
    }

    pub(super) fn responses(&mut self) {
        for node in self.parts("Responses", "Response") {
            let Some(id) = own_id(node).map(ResponseId) else {
                continue;
            };
            let option = node
                .attribute("options")
                .and_then(|options| options.value.option("Connection"));
            let option = option.and_then(|(number, span)| Some((number?, span)));
            let link = option.map(|(number, span)| self.link_at(number, span));
            let content = self.content(node);
            let optional = node
                .child("Content")
                .and_then(|content| content.attribute("optional"));
            let response = Response {
                name: node.words_of("Name"),
                link,
                optional: optional
                    .map(|field| self.optional(field, &content))
                    .unwrap_or_default(),
                content,
            };
            let _taken = self.plan.responses.insert(id, response);
        }
    }

    /// Takes the places of parameters that may be absent, from 0.
    fn optional(&mut self, field: &Field<'d>, content: &[ParameterId]) -> Vec<ParameterId> {
        let mut optional = Vec::new();
        for part in field
            .text()
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let span = field.attribute.value.span_of(part);
            let digits = part.trim_end_matches(['+', '*']);
            let place =
                number_in(digits, 0, u32::MAX).and_then(|place| usize::try_from(place).ok());
            let found = place.and_then(|place| content.get(place));
            if let Some(id) = found {
                optional.push(*id);
            } else {
                let message = format!("there is no parameter at place `{part}`");
                self.said.add(
                    Diagnostic::error(Code::OutOfRange, span, message)
                        .help("places count from 0, with `;` between them: `0;2`"),
                );
            }
            if digits.len() < part.len() {
                let message = "skipping parameters is not supported";
                let diagnostic = Diagnostic::warning(Code::Ignored, span, message);
                self.said
                    .add(diagnostic.label("ignored: only this parameter may be absent"));
            }
        }
        optional
    }

    /// Takes the parameters of a command or response.
    fn content(&mut self, node: &Node<'d>) -> Vec<ParameterId> {
        let Some(content) = node.child("Content") else {
            return Vec::new();
        };
        let ids = content
            .children("Param")
            .filter_map(|param| self.id_in(param, Part::Parameter));
        let ids: Vec<_> = ids.map(ParameterId).collect();
        if content.children("Param").next().is_none() {
            let message = format!("the {} has no parameters", node.shape.name.to_lowercase());
            self.said.add(
                Diagnostic::warning(Code::EmptyContent, content.span(), message)
                    .label("needs `<Param>` with the id of a parameter"),
            );
        }
        ids
    }

    pub(super) fn pairs(&mut self) {
        for node in self.parts("Pairs", "Pair") {
            let Some(id) = own_id(node).map(PairId) else {
                continue;
            };
            if let Some(pair) = self.pair(node) {
                let _taken = self.plan.pairs.insert(id, pair);
            }
        }
    }

    fn pair(&mut self, node: &Node<'d>) -> Option<Pair> {
        let content = node.child("Content")?;
        let command = self.id_in(content.child("Command")?, Part::Command)?;
        let responses = |name: &'static str| {
            let nodes = content.children(name);
            let ids = nodes.filter_map(|node| self.id_in(node, Part::Response));
            ids.map(ResponseId).collect::<Vec<_>>()
        };
        let (replies, bad_responses) = (responses("Response"), responses("ResponseOnBadCommand"));
        let options = node.attribute("options").map(|field| &field.value);
        let option = |name: &str| options.and_then(|options| options.option(name));
        let link = option("connection").and_then(|(number, span)| Some((number?, span)));
        let retries = option("retries").and_then(|(number, span)| Some((number?, span)));
        if let Some((number, span)) = retries.filter(|(number, _)| *number > RETRIES_MAX) {
            let message = format!("a command cannot be sent again {number} times");
            let diagnostic = Diagnostic::error(Code::OutOfRange, span, message);
            self.said
                .add(diagnostic.help(format!("retries are 0 to {RETRIES_MAX}")));
        }
        let timeout = node
            .attribute("timeout")
            .and_then(|field| field.value.time());
        Some(Pair {
            name: node.words_of("Name"),
            command: CommandId(command),
            responses: replies,
            bad_responses,
            link: link.map(|(number, span)| self.link_at(number, span)),
            retries: retries.map(|(number, _)| number),
            timeout,
            ignores_timeout: option("ignoreTimeout").is_some(),
            is_ping: node.flag("ping").unwrap_or(false),
            condition: condition_of(node),
        })
    }
}

/// Gives the condition of a part.
pub(super) fn condition_of(node: &Node<'_>) -> Option<crate::plan::Condition> {
    node.child("Condition")?.value.condition().cloned()
}

/// Most times a command is sent again.
const RETRIES_MAX: u32 = 10;
