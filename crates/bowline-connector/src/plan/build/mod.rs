//! A connector file to a plan.

mod actions;
mod bytes;
mod code;
mod exchanges;
mod groups;
mod halves;
mod handshakes;
mod headers;
mod ids;
mod links;
mod lint;
mod parameters;
mod settings;
mod timers;
mod triggers;

use std::{collections::BTreeMap, sync::Arc};

use super::{ActionId, LinkId, ParameterId, Plan, Source as ValueSource};
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, Severity, Source, Span},
    document::{Document, ReadLimits, decode},
    vocabulary::{self, Field, Node, Part, number_in},
};

use ids::Ids;

/// What came of reading a connector file.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The plan; `None` if anything is an error.
    pub plan: Option<Plan>,
    /// All there is to say about the file.
    pub diagnostics: Diagnostics,
}

/// Reads a connector file. `name` is what messages call it.
///
/// It never fails otherwise than by errors among the diagnostics, whatever the bytes are.
///
/// ```
/// let xml = br#"<Protocol>
///   <Name>Lamp</Name>
///   <Connections>
///     <Connection id="0" name="Lamp">
///       <Http><CommunicationOptions><WebSocket>true</WebSocket></CommunicationOptions></Http>
///     </Connection>
///   </Connections>
/// </Protocol>"#;
/// let reading = bowline_connector::read("lamp.xml", xml);
/// let plan = reading.plan.expect("nothing is wrong with it");
/// assert_eq!(plan.name, "Lamp");
/// assert_eq!(plan.links.len(), 1);
///
/// let reading = bowline_connector::read("lamp.xml", b"<Protocol><Name>Lamp</Protocol>");
/// assert!(reading.plan.is_none());
/// assert!(reading.diagnostics.to_string().contains("lamp.xml:1:21"));
/// ```
pub fn read(name: &str, bytes: &[u8]) -> Reading {
    read_with(name, bytes, &ReadLimits::default())
}

/// Reads a connector file within other bounds than those of [`read`].
pub fn read_with(name: &str, bytes: &[u8], limits: &ReadLimits) -> Reading {
    let (text, wrong) = match within(bytes, limits) {
        Ok(bytes) => match decode(bytes) {
            Ok(text) => (text, None),
            Err((text, wrong)) => (text, Some(wrong)),
        },
        Err(wrong) => (String::new(), Some(wrong)),
    };
    let source = Arc::new(Source::new(name, text));
    let mut diagnostics = Diagnostics::new(Arc::clone(&source));
    let plan = match wrong {
        Some(wrong) => {
            diagnostics.add(*wrong);
            None
        }
        None => plan_of(&source, limits, &mut diagnostics),
    };
    diagnostics.sort();
    let is_right = diagnostics.count(Severity::Error) == 0;
    Reading {
        plan: plan.filter(|_| is_right),
        diagnostics,
    }
}

fn within<'b>(bytes: &'b [u8], limits: &ReadLimits) -> Result<&'b [u8], Box<Diagnostic>> {
    if bytes.len() <= limits.size_max {
        return Ok(bytes);
    }
    let message = format!("the file has more than {} bytes", limits.size_max);
    Err(Diagnostic::error(Code::TooLarge, Span::default(), message).into())
}

fn plan_of(source: &Source, limits: &ReadLimits, said: &mut Diagnostics) -> Option<Plan> {
    let document = match Document::parse(source, limits) {
        Ok(document) => document,
        Err(wrong) => {
            said.add(*wrong);
            return None;
        }
    };
    let checked = vocabulary::check(&document, said)?;
    let ids = Ids::gather(&checked.root, said);
    ids.check_references(&checked.root, checked.is_excerpt, said);
    let mut builder = Builder {
        root: &checked.root,
        is_excerpt: checked.is_excerpt,
        ids,
        said,
        expanded: BTreeMap::new(),
        watched: BTreeMap::new(),
        filled_bytes: 0,
        plan: Plan::default(),
    };
    builder.run();
    Some(builder.plan)
}

/// Builds the parts of a plan, one kind after the other.
struct Builder<'a, 'd> {
    root: &'a Node<'d>,
    is_excerpt: bool,
    ids: Ids,
    said: &'a mut Diagnostics,
    /// Actions that the file writes as one and that the plan has as several.
    expanded: BTreeMap<ActionId, Vec<ActionId>>,
    /// The parameters that the triggers of an action watch, at most two of them.
    watched: BTreeMap<ActionId, Vec<Option<ParameterId>>>,
    /// Bytes of fixed parameters that the file does not write out.
    filled_bytes: usize,
    plan: Plan,
}

impl<'a, 'd> Builder<'a, 'd> {
    fn run(&mut self) {
        let root = self.root;
        self.plan.name = root.words_of("Name");
        self.plan.version = root.words_of("Version");
        self.plan.description = root.words_of("Description");
        let provider = root.words_of("Provider");
        let is_named = !provider.is_empty();
        self.plan.vendor = if is_named {
            provider
        } else {
            root.words_of("Vendor")
        };
        self.links();
        self.handshakes();
        self.parameters();
        self.commands();
        self.responses();
        self.pairs();
        self.actions();
        self.triggers();
        self.groups();
        self.timers();
        self.code();
        self.element_timeout();
        self.slow_poll();
        self.lint();
    }

    /// Gives the parts of a kind.
    fn parts(
        &self,
        container: &str,
        item: &'a str,
    ) -> impl Iterator<Item = &'a Node<'d>> + use<'a, 'd> {
        let container = self.root.child(container);
        container
            .into_iter()
            .flat_map(move |container| container.children(item))
    }

    /// Gives the id an element names, if there is such a part.
    fn id_in(&self, node: &Node<'_>, part: Part) -> Option<u32> {
        node.value.number().filter(|id| self.ids.has(part, *id))
    }

    /// Gives the id an attribute names, if there is such a part.
    fn id_of(&self, node: &Node<'_>, attribute: &str, part: Part) -> Option<u32> {
        let number = node.attribute(attribute)?.value.number()?;
        Some(number).filter(|id| self.ids.has(part, *id))
    }

    /// Gives the parameter an attribute names, if there is such a one.
    fn parameter_of(&self, node: &Node<'_>, attribute: &str) -> Option<ParameterId> {
        self.id_of(node, attribute, Part::Parameter)
            .map(ParameterId)
    }

    /// Gives where an attribute takes its value from.
    fn source_of(&self, field: &Field<'_>) -> Option<ValueSource> {
        match field.value.text() {
            None | Some("") => None,
            Some(text) => match number_in(text, 0, u32::MAX) {
                Some(id) if self.ids.has(Part::Parameter, id) => {
                    Some(ValueSource::Parameter(ParameterId(id)))
                }
                Some(_) => None,
                None => Some(ValueSource::Literal(text.to_owned())),
            },
        }
    }

    /// Gives the link an option names, and tells if there is none: then nothing passes over it.
    fn link_at(&mut self, id: u32, span: Span) -> LinkId {
        let link = LinkId(id);
        if self.plan.links.contains(link) {
            return link;
        }
        let known = self.ids.span(Part::Connection, id);
        if let Some(declared) = known {
            let message = format!("connection {id} is not a WebSocket");
            self.said.add(
                Diagnostic::warning(Code::OtherConnection, span, message)
                    .label("nothing is sent and nothing comes")
                    .related(declared, "declared here"),
            );
        } else {
            self.said.add(
                self.ids
                    .missing(Part::Connection, id, span, self.is_excerpt),
            );
        }
        link
    }
}

/// Gives the id of a part; `None` if it has none, which was told.
fn own_id(node: &Node<'_>) -> Option<u32> {
    node.attribute("id")?.value.number()
}
