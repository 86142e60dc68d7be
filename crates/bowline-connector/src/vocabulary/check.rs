//! A document against the table.

use std::collections::{BTreeMap, HashMap};

use super::{
    Field, Node, Value, nearest,
    row::{Kind, Occurs, Support},
    shape::Shape,
    value::{Place, clipped},
};
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, Severity, Span},
    document::{Attribute, Document, Element},
};

/// A document that was held against the table.
pub(crate) struct Checked<'d> {
    /// The connector.
    pub(crate) root: Node<'d>,
    /// Whether the file holds parts of a connector only, so that others may be elsewhere.
    pub(crate) is_excerpt: bool,
}

/// Holds a document against the table and tells what is not of it. `None` if there is no part of a
/// connector in it.
pub(crate) fn check<'d>(document: &'d Document, said: &mut Diagnostics) -> Option<Checked<'d>> {
    let mut check = Check {
        said,
        ignored: HashMap::new(),
    };
    let root = match document.roots.as_slice() {
        [one] if one.name == "Protocol" && one.foreign.is_none() => {
            Some(check.node(Shape::protocol(), one))
        }
        roots => check.excerpt(roots),
    };
    check.finish();
    root.map(|root| Checked {
        is_excerpt: root.element.is_none(),
        root,
    })
}

struct Check<'s> {
    said: &'s mut Diagnostics,
    /// Where what is ignored was told the first time, and how often it came after that.
    ignored: HashMap<String, (Span, usize)>,
}

impl Check<'_> {
    /// Puts excerpts where they belong.
    fn excerpt<'d>(&mut self, roots: &'d [Element]) -> Option<Node<'d>> {
        let protocol = Shape::protocol();
        let mut containers: BTreeMap<&str, Node<'d>> = BTreeMap::new();
        let mut alone: Vec<&'d Element> = Vec::new();
        for root in roots {
            let container = CONTAINERS.iter().find(|(item, _)| *item == root.name);
            if root.foreign.is_some() {
                self.foreign(root);
            } else if let Some((_, name)) = container {
                let shape = protocol.inner(name);
                let item = shape.inner(&root.name);
                let node = self.node(item, root);
                let holder = containers.entry(name).or_insert_with(|| thought(shape));
                holder.children.push(node);
            } else if protocol.element(&root.name).is_some() {
                alone.push(root);
            } else {
                self.unknown_root(root);
            }
        }
        let mut node = thought(protocol);
        self.children(protocol, &mut node.children, alone.into_iter());
        for holder in containers.into_values() {
            match node
                .children
                .iter_mut()
                .find(|one| one.shape.name == holder.shape.name)
            {
                Some(written) => written.children.extend(holder.children),
                None => node.children.push(holder),
            }
        }
        if node.children.is_empty() {
            self.nothing(roots);
            return None;
        }
        Some(node)
    }

    fn nothing(&mut self, roots: &[Element]) {
        if self.said.count(Severity::Error) == 0 {
            let span = roots.first().map(|root| root.name_span).unwrap_or_default();
            self.said.add(
                Diagnostic::error(Code::NoConnector, span, "the file holds no part of a connector")
                    .help("a connector begins with `<Protocol>`; parts such as `<Connection>`, `<Session>` and `<Param>` may also stand alone"),
            );
        }
    }

    fn unknown_root(&mut self, root: &Element) {
        let message = match root.name.as_str() {
            "Protocol" => "a file holds one `<Protocol>`, and nothing beside it".to_owned(),
            name => format!("`<{}>` is no part of a connector", clipped(name)),
        };
        let items = CONTAINERS.iter().map(|(item, _)| *item);
        let known = Shape::protocol().elements.iter().map(|shape| shape.name);
        let known = known.chain(items).chain(["Protocol"]);
        let diagnostic = Diagnostic::error(Code::NoConnector, root.name_span, message);
        let meant = if self.said.is_full() {
            None
        } else {
            nearest(&root.name, known).filter(|meant| *meant != root.name)
        };
        self.said.add(match meant {
            Some(name) => diagnostic.label(format!("did you mean `{name}`?")),
            None => diagnostic.help("a connector begins with `<Protocol>`"),
        });
    }

    fn foreign(&mut self, element: &Element) {
        let namespace = element.foreign.as_deref().unwrap_or_default();
        let message = format!("`<{}>` is of another namespace", clipped(&element.name));
        self.said.add(
            Diagnostic::warning(Code::XmlNamespace, element.name_span, message)
                .label(format!("left out: {}", clipped(namespace)))
                .help("the namespace of connectors is http://www.skyline.be/protocol, or none"),
        );
    }

    /// Reads an element that the table knows.
    fn node<'d>(&mut self, shape: &'static Shape, element: &'d Element) -> Node<'d> {
        let name = shape.called();
        let place = Place {
            kind: shape.row.kind,
            text: &element.text,
            name: &name,
            named: element.name_span,
            guesses: !self.said.is_full(),
        };
        let value = place.read(&mut |diagnostic| self.said.add(diagnostic));
        if matches!(shape.row.kind, Kind::Elements) && !element.text.is_blank() {
            let message = format!("text in `{}` has no meaning", shape.name);
            let span = element.text.span();
            self.said.add(
                Diagnostic::warning(Code::StrayText, Span::at(span.start), message)
                    .label("left out; only elements stand here"),
            );
        }
        let attributes = self.attributes(shape, element);
        let mut children = Vec::new();
        self.children(shape, &mut children, element.children.iter());
        self.missing(shape, element);
        Node {
            shape,
            element: Some(element),
            value,
            attributes,
            children,
        }
    }

    fn attributes<'d>(&mut self, shape: &'static Shape, element: &'d Element) -> Vec<Field<'d>> {
        let mut fields = Vec::new();
        for attribute in &element.attributes {
            let Some(known) = shape.attribute(&attribute.name) else {
                self.unknown_attribute(shape, attribute);
                continue;
            };
            if !self.is_followed(known, attribute.name_span) {
                continue;
            }
            let name = known.called();
            let place = Place {
                kind: known.row.kind,
                text: &attribute.value,
                name: &name,
                named: attribute.name_span,
                guesses: !self.said.is_full(),
            };
            let value = place.read(&mut |diagnostic| self.said.add(diagnostic));
            fields.push(Field {
                shape: known,
                attribute,
                value,
            });
        }
        fields
    }

    fn children<'d>(
        &mut self,
        shape: &'static Shape,
        nodes: &mut Vec<Node<'d>>,
        elements: impl Iterator<Item = &'d Element>,
    ) {
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for element in elements {
            if element.foreign.is_some() {
                self.foreign(element);
                continue;
            }
            let Some(known) = shape.element(&element.name) else {
                self.unknown_element(shape, element);
                continue;
            };
            if !self.is_followed(known, element.name_span) {
                continue;
            }
            if known.row.occurs != Occurs::Many
                && let Some(first) = seen.insert(known.name, element.name_span)
            {
                let message = format!("`{}` stands twice in `{}`", known.name, shape.name);
                self.said.add(
                    Diagnostic::error(Code::Repeated, element.name_span, message)
                        .label("one too many")
                        .related(first, "first here"),
                );
                seen.insert(known.name, first);
                continue;
            }
            nodes.push(self.node(known, element));
        }
    }

    /// Says whether Bowline does what an element or attribute says, and tells if not.
    fn is_followed(&mut self, shape: &Shape, span: Span) -> bool {
        match shape.row.support {
            Support::Supported => true,
            Support::Descriptive => false,
            Support::Ignored(instead) => {
                self.ignored(&shape.path, instead, span);
                false
            }
            Support::Refused(why) => {
                let name = short(&shape.path);
                let message = format!("`{name}` is not supported");
                self.said
                    .add(Diagnostic::error(Code::Refused, span, message).label(why));
                false
            }
        }
    }

    fn ignored(&mut self, path: &str, instead: &str, span: Span) {
        if let Some((_, more)) = self.ignored.get_mut(path) {
            *more += 1;
            return;
        }
        self.ignored.insert(path.to_owned(), (span, 0));
        let message = format!("`{}` is not supported", short(path));
        self.said.add(
            Diagnostic::warning(Code::Ignored, span, message).label(format!("ignored: {instead}")),
        );
    }

    fn unknown_attribute(&mut self, shape: &Shape, attribute: &Attribute) {
        let name = clipped(&attribute.name);
        let message = format!("`{}` has no attribute `{name}`", shape.name);
        let diagnostic = Diagnostic::warning(Code::UnknownAttribute, attribute.name_span, message);
        if self.said.is_full() {
            self.said.add(diagnostic);
            return;
        }
        let known = shape.attributes.iter().map(|known| known.name);
        let diagnostic = match nearest(&attribute.name, known.clone()) {
            Some(meant) => diagnostic.label(format!("left out; did you mean `{meant}`?")),
            None => diagnostic.label("left out"),
        };
        let known: Vec<_> = known.map(|name| format!("`{name}`")).collect();
        self.said.add(if known.is_empty() {
            diagnostic.help(format!("`{}` has no attributes", shape.name))
        } else {
            diagnostic.help(format!("it has {}", known.join(", ")))
        });
    }

    fn unknown_element(&mut self, shape: &Shape, element: &Element) {
        let name = clipped(&element.name);
        let message = format!("`{}` has no element `{name}`", shape.name);
        let diagnostic = Diagnostic::warning(Code::UnknownElement, element.name_span, message);
        if self.said.is_full() {
            self.said.add(diagnostic);
            return;
        }
        let known = shape.elements.iter().map(|known| known.name);
        let diagnostic = match nearest(&element.name, known) {
            Some(meant) => diagnostic.label(format!("left out; did you mean `{meant}`?")),
            None => diagnostic.label("left out, with all it holds"),
        };
        let elsewhere = Shape::protocol().find(&element.name);
        self.said.add(match elsewhere {
            Some(other) => diagnostic.help(format!("there is one at `{}`", other.path)),
            None => diagnostic,
        });
    }

    /// Tells what an element needs and does not have.
    fn missing(&mut self, shape: &Shape, element: &Element) {
        let span = element.name_span;
        for known in &shape.attributes {
            let is_there = element.attributes.iter().any(|one| one.name == known.name);
            if known.row.occurs == Occurs::Needed && !is_there {
                let message = format!("`{}` has no `{}`", shape.name, known.name);
                self.said.add(
                    Diagnostic::error(Code::Missing, span, message).label(format!(
                        "needs the attribute `{}`: {}",
                        known.name, known.row.meaning
                    )),
                );
            }
        }
        for known in &shape.elements {
            let is_there = element.children.iter().any(|one| one.name == known.name);
            if known.row.occurs == Occurs::Needed && !is_there {
                let message = format!("`{}` has no `{}`", shape.name, known.name);
                self.said.add(
                    Diagnostic::error(Code::Missing, span, message).label(format!(
                        "needs the element `{}`: {}",
                        known.name, known.row.meaning
                    )),
                );
            }
        }
    }

    fn finish(self) {
        for (span, more) in self.ignored.into_values().filter(|(_, more)| *more > 0) {
            if let Some(one) = self.said.find_mut(Code::Ignored, span) {
                let places = if more == 1 { "place" } else { "places" };
                one.help = Some(format!("so at {more} more {places} of this file"));
            }
        }
    }
}

/// An element that stands around excerpts only in thought.
const fn thought<'d>(shape: &'static Shape) -> Node<'d> {
    Node {
        shape,
        element: None,
        value: Value::None,
        attributes: Vec::new(),
        children: Vec::new(),
    }
}

/// The end of a path: what people call it.
fn short(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_prefix('@').unwrap_or(name)
}

/// What may stand alone in an excerpt, and where it belongs.
const CONTAINERS: [(&str, &str); 11] = [
    ("Action", "Actions"),
    ("Command", "Commands"),
    ("Connection", "Connections"),
    ("Group", "Groups"),
    ("Pair", "Pairs"),
    ("Param", "Params"),
    ("QAction", "QActions"),
    ("Response", "Responses"),
    ("Session", "HTTP"),
    ("Timer", "Timers"),
    ("Trigger", "Triggers"),
];
