//! The ids of a file, and whether those that are named are there.

use std::{cell::Cell, collections::BTreeMap};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, Severity, Span},
    vocabulary::{Kind, Node, Part, Value, nearest, number_in},
};

/// Every id, by kind of part, and where it is declared.
#[derive(Debug)]
pub(super) struct Ids {
    parts: BTreeMap<Part, BTreeMap<u32, Span>>,
    /// How many ids may still be compared with those there are.
    guesses: Cell<usize>,
}

impl Ids {
    /// Collects the ids of a file, and tells those that are declared twice.
    pub(super) fn gather(root: &Node<'_>, said: &mut Diagnostics) -> Self {
        let mut ids = Self {
            parts: BTreeMap::new(),
            guesses: Cell::new(GUESSES_MAX),
        };
        ids.gather_in(root, said);
        ids
    }

    /// Says whether there is a part.
    pub(super) fn has(&self, part: Part, id: u32) -> bool {
        self.span(part, id).is_some()
    }

    /// Gives where a part is declared.
    pub(super) fn span(&self, part: Part, id: u32) -> Option<Span> {
        self.parts.get(&part)?.get(&id).copied()
    }

    /// Tells ids that name nothing.
    pub(super) fn check_references(
        &self,
        node: &Node<'_>,
        is_excerpt: bool,
        said: &mut Diagnostics,
    ) {
        let row = node.shape.row;
        let named = named(row.kind, &node.value, node.value_span());
        let fields = node.attributes.iter().map(|field| {
            let row = field.shape.row;
            (row, self::named(row.kind, &field.value, field.span()))
        });
        for (row, (part, ids)) in std::iter::once((row, named)).chain(fields) {
            let missing = ids.into_iter().filter(|(id, _)| !self.has(part, *id));
            for (id, span) in missing {
                said.add(self.missing(part, id, span, row.is_lenient || is_excerpt));
            }
        }
        for child in &node.children {
            self.check_references(child, is_excerpt, said);
        }
    }

    /// Makes the diagnostic for an id that names nothing.
    pub(super) fn missing(&self, part: Part, id: u32, span: Span, is_lenient: bool) -> Diagnostic {
        let word = part.word();
        let message = format!("there is no {word} {id}");
        let mut diagnostic = Diagnostic::error(Code::NoSuchPart, span, message);
        if is_lenient {
            diagnostic.severity = Severity::Warning;
            diagnostic = diagnostic.label("left out");
        }
        match self.near(part, id) {
            Some(near) => diagnostic.help(format!("did you mean {word} {near}?")),
            None if part == Part::Session => {
                diagnostic.help(format!("add `<Session id=\"{id}\">` to `<HTTP>`"))
            }
            None => diagnostic,
        }
    }

    fn near(&self, part: Part, id: u32) -> Option<u32> {
        let text = id.to_string();
        let known = self.parts.get(&part)?;
        if known.len() > NEAR_MAX || text.len() < 2 {
            return None;
        }
        let guesses = self.guesses.get();
        if guesses == 0 {
            return None;
        }
        self.guesses.set(guesses - 1);
        let known: Vec<String> = known.keys().map(u32::to_string).collect();
        nearest(&text, known.iter().map(String::as_str))?
            .parse()
            .ok()
    }

    fn gather_in(&mut self, node: &Node<'_>, said: &mut Diagnostics) {
        for field in &node.attributes {
            let (Kind::OwnId(part), Value::Number(id)) = (field.shape.row.kind, &field.value)
            else {
                continue;
            };
            let span = field.span();
            let known = self.parts.entry(part).or_default();
            if let Some(first) = known.get(id) {
                let message = format!("there are two {}s {id}", part.word());
                said.add(
                    Diagnostic::error(Code::DuplicateId, span, message)
                        .label("the second one")
                        .related(*first, "the first one"),
                );
            } else {
                known.insert(*id, span);
            }
        }
        for child in &node.children {
            self.gather_in(child, said);
        }
    }
}

/// The ids a value names, and of what.
fn named(kind: Kind, value: &Value, span: Span) -> (Part, Vec<(u32, Span)>) {
    match (kind, value) {
        (Kind::Id(part), Value::Number(id)) => (part, vec![(*id, span)]),
        (Kind::Ids(part), Value::Ids(ids)) => (part, ids.clone()),
        (Kind::Source, Value::Text(text)) => {
            let id = number_in(text, 0, u32::MAX);
            (
                Part::Parameter,
                id.map(|id| (id, span)).into_iter().collect(),
            )
        }
        _ => (Part::Parameter, Vec::new()),
    }
}

/// With more ids than this, none is guessed.
const NEAR_MAX: usize = 1000;
/// For more missing ids than this, none is guessed.
const GUESSES_MAX: usize = 100;
