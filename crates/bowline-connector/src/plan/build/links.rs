//! Connections to links.

use std::collections::BTreeMap;

use super::{Builder, own_id};
use crate::{
    diagnostic::{Code, Diagnostic, Span},
    plan::{BusAddress, Link, LinkId, NotifyParameters, ParameterId, SessionId},
    vocabulary::{Node, Part},
};

impl<'d> Builder<'_, 'd> {
    pub(super) fn links(&mut self) {
        for node in self.parts("Connections", "Connection") {
            let kinds = kinds_of(node);
            let name = node.attribute("name").map(|name| name.text().to_owned());
            self.check_kinds(node, &kinds);
            let (Some(id), Some(http)) = (own_id(node), node.child("Http")) else {
                continue;
            };
            let options = http.child("CommunicationOptions");
            let socket = options.and_then(|options| options.child("WebSocket"));
            if socket.and_then(|socket| socket.value.boolean()) != Some(true) {
                self.not_a_socket(http, socket);
                continue;
            }
            let link = self.link(LinkId(id), http, name.unwrap_or_default());
            let _taken = self.plan.links.insert(LinkId(id), link);
        }
        self.agreement();
        let has_connections = self.root.child("Connections");
        if self.plan.links.is_empty() && !self.is_excerpt {
            let span = has_connections.unwrap_or(self.root).span();
            self.said.add(
                Diagnostic::warning(Code::NoLink, span, "the connector has no WebSocket connection")
                    .label("nothing is ever sent")
                    .help("write `<WebSocket>true</WebSocket>` in the `CommunicationOptions` of a connection's `Http`"),
            );
        }
    }

    fn check_kinds(&mut self, node: &Node<'d>, kinds: &[(&str, Span)]) {
        let is_word = node
            .element
            .is_some_and(|element| element.children.iter().any(|child| child.name == "Type"));
        match kinds {
            [] if !is_word => self.said.add(
                Diagnostic::error(
                    Code::ConnectionKind,
                    node.span(),
                    "the connection has no kind",
                )
                .label("needs one element such as `<Http>`"),
            ),
            [] | [_] => {}
            [(first, place), (second, span), ..] => self.said.add(
                Diagnostic::error(
                    Code::ConnectionKind,
                    *span,
                    format!("the connection is both `{first}` and `{second}`"),
                )
                .label("one too many")
                .related(*place, "the first kind"),
            ),
        }
    }

    fn not_a_socket(&mut self, http: &Node<'d>, socket: Option<&Node<'d>>) {
        let span = socket.map_or_else(|| http.span(), Node::value_span);
        self.said.add(
            Diagnostic::warning(
                Code::OtherConnection,
                span,
                "the connection is plain HTTP, which is not supported",
            )
            .label("no link is made")
            .help("a WebSocket has `<WebSocket>true</WebSocket>` in its `CommunicationOptions`"),
        );
    }

    fn link(&mut self, id: LinkId, http: &Node<'d>, name: String) -> Link {
        let options = http.child("CommunicationOptions");
        let flag = |name: &str| {
            let value = options.and_then(|options| options.child(name));
            value
                .and_then(|value| value.value.boolean())
                .unwrap_or(false)
        };
        let (is_composed_at_enqueue, is_redundant) =
            (flag("MakeCommandByProtocol"), flag("RedundantPolling"));
        let handshake = options.and_then(|options| options.child("WebSocketHandshake"));
        let handshake = handshake.and_then(|node| self.id_in(node, Part::Session));
        let notify = self.notify(options);
        // Those of the connection win over the older place, which is connection 0's.
        let own = http.child("UserSettings");
        let older = self.root.child("PortSettings").filter(|_| id == LinkId(0));
        let setting = |path: &[&str]| {
            let own = own.and_then(|own| own.descendant(path));
            own.or_else(|| older.and_then(|older| older.descendant(path)))
        };
        let number = |name: &str| setting(&[name, "DefaultValue"])?.value.number();
        let truth =
            |path: &[&str]| setting(path).and_then(|node| node.value.boolean()) == Some(true);
        let time = setting(&["TimeoutTime", "DefaultValue"]).and_then(|node| node.value.time());
        let values = setting(&["BusAddress", "Values"]);
        let choices = values
            .into_iter()
            .flat_map(|values| values.children("Value"));
        let older_choices = older.and_then(|older| older.child("BusAddress"));
        let older_choices = older_choices
            .into_iter()
            .flat_map(|bus| bus.children("Value"));
        let choices = choices
            .chain(older_choices)
            .filter_map(|node| node.value.text());
        let end = |name: &str| {
            let end = setting(&["BusAddress", "Range", name])?.value.text();
            end.filter(|end| !end.is_empty()).map(str::to_owned)
        };
        let address = setting(&["BusAddress", "DefaultValue"]).and_then(|node| node.value.text());
        let port = setting(&["IPport", "DefaultValue"]);
        let link = Link {
            name,
            notify,
            is_composed_at_enqueue,
            handshake: handshake.map(SessionId),
            is_redundant,
            bus_address: BusAddress {
                // The word `false` says that there is to be no bus address.
                default: address
                    .filter(|text| !text.is_empty() && *text != "false")
                    .map(str::to_owned),
                is_fixed: truth(&["BusAddress", "Disabled"]),
                choices: choices.map(str::to_owned).collect(),
                range: (end("From"), end("To")),
            },
            port: number("IPport").and_then(|port| u16::try_from(port).ok()),
            port_fixed: truth(&["IPport", "Disabled"]),
            timeout: time,
            retries: number("Retries"),
            is_unverified: truth(&["SkipCertificateVerification", "DefaultValue"]),
            slow_poll: None,
        };
        if let Some(node) = port.filter(|_| link.port == Some(0)) {
            let span = node.value_span();
            let diagnostic =
                Diagnostic::warning(Code::PortZero, span, "port 0 cannot be connected to");
            self.said
                .add(diagnostic.label("the element has to name a port"));
        }
        link
    }

    fn notify(&mut self, options: Option<&Node<'d>>) -> NotifyParameters {
        let spellings = ["NotifyConnectionPIDs", "NotifyConnectionPID"];
        let mut nodes = spellings.iter().filter_map(|name| options?.child(name));
        let Some(node) = nodes.next() else {
            return NotifyParameters::default();
        };
        if let Some(other) = nodes.next() {
            let message = "the state of the link is told in two spellings";
            self.said.add(
                Diagnostic::warning(Code::MixedConnections, other.span(), message)
                    .label("left out")
                    .related(node.span(), "this one counts"),
            );
        }
        let parameter = |name: &str| self.id_in(node.child(name)?, Part::Parameter);
        NotifyParameters {
            connections: parameter("Connections").map(ParameterId),
            disconnections: parameter("Disconnections").map(ParameterId),
        }
    }

    /// Holds the older way to declare connections against the newer one.
    fn agreement(&mut self) {
        let (Some(node), Some(_)) = (self.root.child("Type"), self.root.child("Connections"))
        else {
            return;
        };
        let main = node
            .value
            .word()
            .map(|word| (word.to_owned(), node.value_span()));
        let advanced = node.attribute("advanced");
        let more = advanced.into_iter().flat_map(|field| {
            let parts = field
                .text()
                .split(';')
                .filter(|part| !part.trim().is_empty());
            parts.map(|part| {
                let kind = part.split(':').next().unwrap_or(part).trim();
                (kind.to_lowercase(), field.attribute.value.span_of(part))
            })
        });
        let nodes = self.parts("Connections", "Connection");
        let nodes = nodes.filter_map(|node| Some((own_id(node)?, node)));
        let nodes: BTreeMap<_, _> = nodes.collect();
        for (number, (kind, span)) in (0..).zip(main.into_iter().chain(more)) {
            self.agree(number, nodes.get(&number).copied(), &kind, span);
        }
    }

    fn agree(&mut self, number: u32, node: Option<&Node<'d>>, kind: &str, span: Span) {
        let Some(node) = node else {
            if number > 0 {
                let message =
                    format!("`Type` declares connection {number}, and `Connections` does not");
                self.said.add(
                    Diagnostic::error(Code::MixedConnections, span, message)
                        .label("not in `Connections`")
                        .help("declare every connection in `Connections`, or leave `advanced` out"),
                );
            }
            return;
        };
        let Some((element, place)) = kinds_of(node).first().copied() else {
            return;
        };
        let newer = older_word(element);
        let is_same = kind.split(' ').next() == Some(newer)
            || matches!((kind, newer), ("service", "virtual"));
        if !is_same {
            let message =
                format!("connection {number} is `{kind}` here and `{element}` in `Connections`");
            self.said.add(
                Diagnostic::error(Code::MixedConnections, span, message)
                    .label("does not agree")
                    .related(place, "declared here"),
            );
        }
    }
}

/// The elements of a connection that say its kind.
fn kinds_of<'d>(node: &Node<'d>) -> Vec<(&'d str, Span)> {
    let children = node
        .element
        .into_iter()
        .flat_map(|element| &element.children);
    let kinds = children.filter(|child| KINDS.iter().any(|(kind, _)| *kind == child.name));
    kinds
        .map(|child| (child.name.as_str(), child.name_span))
        .collect()
}

fn older_word(element: &str) -> &'static str {
    let found = KINDS.iter().find(|(kind, _)| *kind == element);
    found.map_or("", |(_, word)| word)
}

/// Kinds of connections: the element, and the word of the older way.
const KINDS: [(&str, &str); 9] = [
    ("Http", "http"),
    ("Virtual", "virtual"),
    ("Snmp", "snmp"),
    ("SnmpV2", "snmpv2"),
    ("SnmpV3", "snmpv3"),
    ("Serial", "serial"),
    ("SmartSerial", "smart-serial"),
    ("Gpib", "gpib"),
    ("Opc", "opc"),
];
