//! Groups.

use std::{collections::BTreeMap, time::Duration};

use super::{Builder, exchanges::condition_of, own_id};
use crate::{
    diagnostic::{Code, Diagnostic},
    plan::{
        ActionId, Group, GroupContent, GroupId, GroupKind, GroupLink, LinkId, PairId, TriggerId,
    },
    vocabulary::{Field, Node, Part},
};

impl<'d> Builder<'_, 'd> {
    pub(super) fn groups(&mut self) {
        for node in self.parts("Groups", "Group") {
            let Some(id) = own_id(node).map(GroupId) else {
                continue;
            };
            let (content, pauses) = self.group_content(node);
            let group = Group {
                name: node.words_of("Name"),
                link: self.group_link(node, &content),
                kind: kind_of(
                    node.child("Type").and_then(|kind| kind.value.word()),
                    &content,
                ),
                condition: condition_of(node),
                content,
                pauses,
                is_ping: node.flag("ping").unwrap_or(false),
            };
            self.check_kind(node, &group);
            let _taken = self.plan.groups.insert(id, group);
        }
    }

    fn group_link(&mut self, node: &Node<'d>, content: &GroupContent) -> GroupLink {
        if let Some(id) = self.parameter_of(node, "connectionPID") {
            return GroupLink::From(id);
        }
        let field = node.attribute("connection");
        let number = field.and_then(|field| field.value.number()).unwrap_or(0);
        // Only pairs use the link, unless they name one themselves.
        let needs_link = matches!(content, GroupContent::Pairs(pairs)
            if pairs.iter().any(|id| self.plan.pairs.get(*id).is_some_and(|pair| pair.link.is_none())));
        let is_elsewhere = self.is_excerpt && self.plan.links.is_empty();
        let is_told = is_elsewhere || field.is_some() && !self.ids.has(Part::Connection, number);
        if needs_link && !is_told && !self.plan.links.contains(LinkId(number)) {
            let span = field.map_or_else(|| node.span(), Field::span);
            let message = format!(
                "the group's pairs go to connection {number}, which is no WebSocket connection"
            );
            let diagnostic = Diagnostic::warning(Code::OtherConnection, span, message);
            self.said.add(
                diagnostic
                    .label("they are never sent")
                    .help("name the connection: `<Group id=\"...\" connection=\"1\">`; it is 0 where nothing is said"),
            );
        }
        GroupLink::Fixed(LinkId(number))
    }

    /// Gives what a group runs, and the pauses behind its items.
    fn group_content(&mut self, node: &Node<'d>) -> (GroupContent, BTreeMap<usize, Duration>) {
        let mut pauses = BTreeMap::new();
        let Some(content) = node.child("Content") else {
            return (GroupContent::Pairs(Vec::new()), pauses);
        };
        self.check_items(content);
        let kind = content.children.first().map(|kind| kind.shape.name);
        let content = match kind {
            Some("Action") => {
                let mut actions = Vec::new();
                for node in content.children("Action") {
                    let id = self.id_in(node, Part::Action).map(ActionId);
                    actions.extend(id.into_iter().flat_map(|id| self.expanded(id)));
                    note_pause(node, actions.len(), &mut pauses);
                }
                GroupContent::Actions(actions)
            }
            Some("Trigger") => {
                let mut triggers = Vec::new();
                for node in content.children("Trigger") {
                    let id = self.id_in(node, Part::Trigger).map(TriggerId);
                    triggers.extend(id.filter(|id| self.plan.triggers.contains(*id)));
                    note_pause(node, triggers.len(), &mut pauses);
                }
                GroupContent::Triggers(triggers)
            }
            Some(_) | None => {
                let mut pairs = Vec::new();
                for node in content.children("Pair") {
                    let id = self.id_in(node, Part::Pair).map(PairId);
                    pairs.extend(id.filter(|id| self.plan.pairs.contains(*id)));
                    note_pause(node, pairs.len(), &mut pauses);
                }
                GroupContent::Pairs(pairs)
            }
        };
        (content, pauses)
    }

    /// Tells groups of several kinds of items, and of none.
    fn check_items(&mut self, content: &Node<'d>) {
        let mut kinds: Vec<&Node<'d>> = Vec::new();
        for child in &content.children {
            if !kinds.iter().any(|kind| kind.shape.name == child.shape.name) {
                kinds.push(child);
            }
        }
        if let &[first, second, ..] = kinds.as_slice() {
            let message = format!(
                "the group has both `{}` and `{}`",
                first.shape.name, second.shape.name
            );
            self.said.add(
                Diagnostic::error(Code::MixedGroup, second.span(), message)
                    .label("items of a group are of one kind")
                    .related(first.span(), "the first kind"),
            );
        }
        let is_bare = content
            .element
            .is_some_and(|element| element.children.is_empty());
        if is_bare {
            let diagnostic = Diagnostic::warning(
                Code::EmptyContent,
                content.span(),
                "the group has nothing to run",
            );
            self.said
                .add(diagnostic.label("needs `<Pair>`, `<Action>` or `<Trigger>`"));
        }
    }

    /// Tells types that do not go with what the group holds.
    fn check_kind(&mut self, node: &Node<'d>, group: &Group) {
        let Some(kind) = node.child("Type") else {
            return;
        };
        let is_right = match (&group.content, group.kind) {
            (GroupContent::Pairs(pairs), kind) => pairs.is_empty() || kind == GroupKind::Poll,
            (GroupContent::Actions(_), GroupKind::Action | GroupKind::PollAction)
            | (GroupContent::Triggers(_), GroupKind::Trigger | GroupKind::PollTrigger) => true,
            (GroupContent::Actions(_) | GroupContent::Triggers(_), _) => false,
        };
        if !is_right && let Some(word) = kind.value.word() {
            let (holds, fits) = match group.content {
                GroupContent::Pairs(_) => ("pairs", "`poll`"),
                GroupContent::Actions(_) => ("actions", "`action` or `poll action`"),
                GroupContent::Triggers(_) => ("triggers", "`trigger` or `poll trigger`"),
            };
            let message = format!("a group of type `{word}` cannot hold {holds}");
            let diagnostic = Diagnostic::error(Code::MixedGroup, kind.value_span(), message);
            self.said
                .add(diagnostic.help(format!("its type is {fits}")));
        }
    }

    /// Gives the actions of the plan that are one action of the file.
    pub(super) fn expanded(&self, id: ActionId) -> Vec<ActionId> {
        match self.expanded.get(&id) {
            Some(ids) => ids.clone(),
            None if self.plan.actions.contains(id) => vec![id],
            None => Vec::new(),
        }
    }
}

/// Notes the pause behind the latest of the items there are.
fn note_pause(node: &Node<'_>, items: usize, pauses: &mut BTreeMap<usize, Duration>) {
    let pause = node.attribute("next").and_then(|field| field.value.time());
    if let (Some(place), Some(pause)) = (items.checked_sub(1), pause) {
        pauses.insert(place, pause);
    }
}

/// Gives how a group is run; where nothing is said, what it holds takes its turn in the queue.
const fn kind_of(word: Option<&str>, content: &GroupContent) -> GroupKind {
    let Some(word) = word else {
        return match content {
            GroupContent::Pairs(_) => GroupKind::Poll,
            GroupContent::Actions(_) => GroupKind::PollAction,
            GroupContent::Triggers(_) => GroupKind::PollTrigger,
        };
    };
    match word.as_bytes() {
        b"action" => GroupKind::Action,
        b"poll action" => GroupKind::PollAction,
        b"poll trigger" => GroupKind::PollTrigger,
        b"trigger" => GroupKind::Trigger,
        _ => GroupKind::Poll,
    }
}
