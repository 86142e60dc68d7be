//! Connectors and elements for the tests of the runner.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bowline::managed::Backoff;
use bowline_connector::{
    ElementSettings, Plan, Runner,
    element::LinkSettings,
    machine::Value,
    plan::{
        Action, ActionId, ActionKind, BusAddress, Command, CommandId, Group, GroupContent, GroupId,
        GroupKind, GroupLink, Handshake, Interpretation, LengthRule, Link, LinkId, Measurement,
        MessageKind, Moment, NotifyParameters, Pair, PairId, Parameter, ParameterId, ParameterKind,
        ParameterVerb, QueueVerb, RawType, RequestPath, Response, ResponseId, ResponseTargets,
        SessionId, Source, Subject, Table, Trigger, TriggerContent, TriggerId, ValueKind,
    },
    runner::{
        ElementEvent, ElementEvents, ElementHandle, LinkState, RunnerOptions, Snapshot,
        StreamMessage,
    },
};

use crate::runner_device::soon;

/// The link of the connector.
pub(crate) const LINK: LinkId = LinkId(1);
/// Where the link leads; saved.
pub(crate) const ENDPOINT: ParameterId = ParameterId(1);
/// Sets [`ENDPOINT`].
pub(crate) const ENDPOINT_WRITE: ParameterId = ParameterId(2);
/// Sets the endpoint again.
pub(crate) const BUTTON: ParameterId = ParameterId(3);
const ENDPOINT_COPY: ParameterId = ParameterId(4);
/// 1 while the link is open, else 0.
pub(crate) const STATE: ParameterId = ParameterId(7);
/// The path; saved.
pub(crate) const PATH: ParameterId = ParameterId(8);
/// The offer of extensions.
pub(crate) const OFFER: ParameterId = ParameterId(9);
/// The code of the last loss.
pub(crate) const LOSS: ParameterId = ParameterId(10);
/// What the device says.
pub(crate) const EVENT: ParameterId = ParameterId(20);
/// What [`SEND_TEXT`] sends.
pub(crate) const TEXT: ParameterId = ParameterId(30);
/// What [`SEND_BYTES`] sends.
pub(crate) const BYTES: ParameterId = ParameterId(31);
/// A number for hooks to set.
pub(crate) const LEVEL: ParameterId = ParameterId(40);
/// A text for hooks to set.
pub(crate) const NAME: ParameterId = ParameterId(41);
pub(crate) const STATUS_LINE: ParameterId = ParameterId(220);
pub(crate) const ANSWER_HEADER: ParameterId = ParameterId(221);
pub(crate) const BODY: ParameterId = ParameterId(270);
pub(crate) const SEND_TEXT: TriggerId = TriggerId(60);
pub(crate) const SEND_BYTES: TriggerId = TriggerId(61);

/// Makes the connector of the use case with a custom handshake and a dynamic endpoint.
pub(crate) fn plan() -> Plan {
    let mut plan = Plan::default();
    put(&mut plan.links, LINK, link());
    put(&mut plan.handshakes, SessionId(25), handshake());
    let defaults = [
        (PATH, "x-nmos/events/ws"),
        (OFFER, "permessage-deflate; client_max_window_bits"),
    ];
    let all = [
        ENDPOINT,
        ENDPOINT_WRITE,
        BUTTON,
        ENDPOINT_COPY,
        STATE,
        PATH,
        OFFER,
        LOSS,
        EVENT,
        TEXT,
        BYTES,
        LEVEL,
        NAME,
        STATUS_LINE,
        ANSWER_HEADER,
        BODY,
    ];
    for id in all {
        put(&mut plan.parameters, id, parameter(id, &defaults));
    }
    add_commands(&mut plan);
    add_button(&mut plan);
    plan
}

fn link() -> Link {
    Link {
        name: "WebSocket Connection".into(),
        notify: NotifyParameters {
            connections: Some(STATE),
            disconnections: Some(LOSS),
        },
        is_composed_at_enqueue: true,
        handshake: Some(SessionId(25)),
        is_redundant: false,
        bus_address: BusAddress {
            default: Some("byPassProxy".into()),
            is_fixed: false,
            range: (None, None),
            choices: Vec::new(),
        },
        port: Some(8050),
        port_fixed: false,
        timeout: Some(Duration::from_secs(5)),
        retries: None,
        is_unverified: false,
        slow_poll: None,
    }
}

fn handshake() -> Handshake {
    Handshake {
        name: "WebSocket Handshake".into(),
        timeout: None,
        path: RequestPath::From(Source::Parameter(PATH)),
        headers: vec![("Sec-WebSocket-Extensions".into(), Source::Parameter(OFFER))],
        query: Vec::new(),
        targets: ResponseTargets {
            status_line: Some(STATUS_LINE),
            body: Some(BODY),
            headers: vec![("X-Device".into(), ANSWER_HEADER)],
        },
        credentials: None,
        proxy: None,
    }
}

fn parameter(id: ParameterId, defaults: &[(ParameterId, &str)]) -> Parameter {
    let is_number = [STATE, LOSS, LEVEL, BUTTON].contains(&id);
    let is_write = [BUTTON, ENDPOINT_WRITE].contains(&id);
    let default = defaults.iter().find(|(with, _)| *with == id);
    Parameter {
        name: match id {
            ENDPOINT | ENDPOINT_WRITE => "Endpoint".into(),
            other => format!("Parameter {}", other.0),
        },
        description: String::new(),
        kind: if is_write {
            ParameterKind::Write
        } else {
            ParameterKind::Read
        },
        save: [ENDPOINT, PATH].contains(&id),
        trending: false,
        setter: id == ENDPOINT_WRITE,
        endpoint_of: (id == ENDPOINT).then_some(LINK),
        interpretation: Interpretation {
            raw: if is_number {
                RawType::NumericText
            } else {
                RawType::Other
            },
            is_hexadecimal: false,
            is_big_endian: false,
            length: LengthRule::NextParameter,
            kind: if is_number {
                ValueKind::Double
            } else {
                ValueKind::Text
            },
            value: None,
            default: default.map(|(_, value)| (*value).to_owned()),
        },
        is_displayed: true,
        units: String::new(),
        decimals: None,
        range: (None, None),
        measurement: if id == BUTTON {
            Measurement::Button
        } else {
            Measurement::Text
        },
        discreets: Vec::new(),
        subtext: String::new(),
        alarm: None,
    }
}

fn add_commands(plan: &mut Plan) {
    let commands = [
        (1, TEXT, MessageKind::Text, SEND_TEXT),
        (2, BYTES, MessageKind::Binary, SEND_BYTES),
    ];
    for (number, content, kind, trigger) in commands {
        let command = Command {
            name: String::new(),
            kind,
            content: vec![content],
        };
        put(&mut plan.commands, CommandId(number), command);
        let pair = Pair {
            name: String::new(),
            command: CommandId(number),
            responses: Vec::new(),
            bad_responses: Vec::new(),
            link: Some(LINK),
            retries: None,
            timeout: None,
            ignores_timeout: false,
            is_ping: false,
            condition: None,
        };
        put(&mut plan.pairs, PairId(number), pair);
        let group = Group {
            name: String::new(),
            link: GroupLink::Fixed(LINK),
            kind: GroupKind::Poll,
            condition: None,
            content: GroupContent::Pairs(vec![PairId(number)]),
            pauses: BTreeMap::new(),
            is_ping: false,
        };
        put(&mut plan.groups, GroupId(number), group);
        let queue = ActionKind::Queue(vec![GroupId(number)], QueueVerb::Execute);
        add_action(plan, ActionId(number), queue);
        add_trigger(plan, trigger, None, vec![ActionId(number)]);
    }
    for (number, kind) in [(50, ActionKind::Make(None)), (51, ActionKind::Read(None))] {
        add_action(plan, ActionId(number), kind);
    }
    let before = [(50, Subject::Command(None)), (51, Subject::Response(None))];
    for (number, subject) in before {
        let on = Some((subject, Moment::Before));
        add_trigger(plan, TriggerId(number), on, vec![ActionId(number)]);
    }
    let response = Response {
        name: String::new(),
        link: Some(LINK),
        content: vec![EVENT],
        optional: Vec::new(),
    };
    put(&mut plan.responses, ResponseId(1), response);
}

/// The button copies the endpoint, clears it, and copies it back.
fn add_button(plan: &mut Plan) {
    let verbs = [
        (10, ENDPOINT_COPY, ParameterVerb::Copy(ENDPOINT)),
        (11, ENDPOINT, ParameterVerb::Clear),
        (12, ENDPOINT, ParameterVerb::Copy(ENDPOINT_COPY)),
    ];
    let mut actions = Vec::new();
    for (number, parameter, verb) in verbs {
        actions.push(ActionId(number));
        add_action(
            plan,
            ActionId(number),
            ActionKind::Parameter(Some(parameter), verb),
        );
    }
    let on = (Subject::Parameter(Some(BUTTON.0)), Moment::Change);
    add_trigger(plan, TriggerId(10), Some(on), actions);
}

fn add_action(plan: &mut Plan, id: ActionId, kind: ActionKind) {
    let action = Action {
        name: String::new(),
        kind,
        condition: None,
    };
    put(&mut plan.actions, id, action);
}

fn add_trigger(
    plan: &mut Plan,
    id: TriggerId,
    on: Option<(Subject, Moment)>,
    actions: Vec<ActionId>,
) {
    let trigger = Trigger {
        name: String::new(),
        on,
        condition: None,
        content: TriggerContent::Actions(actions),
        otherwise: TriggerContent::default(),
    };
    put(&mut plan.triggers, id, trigger);
}

pub(crate) fn put<K: Copy + Ord, V>(table: &mut Table<K, V>, id: K, part: V) {
    assert!(table.insert(id, part).is_ok(), "the id is taken");
}

/// Settings of an element whose link has these.
pub(crate) fn settings(link: LinkSettings) -> ElementSettings {
    ElementSettings {
        name: "device-1".into(),
        id: 1,
        links: BTreeMap::from([(LINK, link)]),
        timeout: Some(Duration::from_secs(30)),
        parameters: BTreeMap::new(),
        delivers_duplicates: false,
        extractions: Vec::new(),
    }
}

/// Settings of a link to an endpoint.
pub(crate) fn to(endpoint: impl Into<String>) -> LinkSettings {
    LinkSettings {
        endpoints: vec![endpoint.into()],
        ..LinkSettings::default()
    }
}

/// Options with short pauses between attempts.
pub(crate) fn options() -> RunnerOptions {
    let pause = Duration::from_millis(30);
    RunnerOptions {
        backoff: Backoff {
            first: pause,
            step: pause,
            step_max: pause,
            ..Backoff::default()
        },
        hopeless_pause: pause,
        ..RunnerOptions::default()
    }
}

/// An element that runs, and what happens to it.
pub(crate) struct Element {
    pub(crate) handle: ElementHandle,
    pub(crate) events: ElementEvents,
}

impl Element {
    pub(crate) fn start(settings: ElementSettings, options: &RunnerOptions) -> Self {
        Self::of(plan(), settings, options)
    }

    pub(crate) fn of(plan: Plan, settings: ElementSettings, options: &RunnerOptions) -> Self {
        let started = Runner::start(Arc::new(plan), Arc::new(settings), options);
        let (handle, events) = started.unwrap();
        Self { handle, events }
    }

    /// Waits for an event that `wanted` makes something of.
    pub(crate) async fn event<T>(
        &mut self,
        mut wanted: impl FnMut(&ElementEvent) -> Option<T>,
    ) -> T {
        soon(async {
            loop {
                let event = self.events.recv().await.expect("the element stopped");
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
        })
        .await
    }

    /// Waits until a parameter changes to a value.
    pub(crate) async fn becomes(&mut self, parameter: ParameterId, value: impl Into<Value>) {
        let wanted = (parameter, value.into());
        self.event(|event| (changed(event)? == wanted).then_some(()))
            .await;
    }

    /// Waits for a notice that has these words, and gives it.
    pub(crate) async fn notice(&mut self, words: &str) -> String {
        self.event(|event| noticed(event).filter(|text| text.contains(words)))
            .await
    }

    pub(crate) async fn snapshot(&self) -> Snapshot {
        soon(self.handle.snapshot()).await.unwrap()
    }

    pub(crate) async fn text(&self, parameter: ParameterId) -> String {
        let snapshot = self.snapshot().await;
        snapshot.parameter(parameter).unwrap().text.clone()
    }

    pub(crate) async fn holds(&self, parameter: ParameterId, text: &str) {
        assert_eq!(self.text(parameter).await, text);
    }

    pub(crate) async fn shutdown(self) {
        soon(self.handle.shutdown()).await;
    }
}

/// Gives the parameter that changed, and its value.
pub(crate) fn changed(event: &ElementEvent) -> Option<(ParameterId, Value)> {
    let ElementEvent::Changed {
        parameter, value, ..
    } = event
    else {
        return None;
    };
    Some((*parameter, value.clone()))
}

/// Gives what people are told.
pub(crate) fn noticed(event: &ElementEvent) -> Option<String> {
    let ElementEvent::Notice { text, .. } = event else {
        return None;
    };
    Some(text.clone())
}

/// Gives the message in the stream view.
pub(crate) fn passed(event: &ElementEvent) -> Option<StreamMessage> {
    let ElementEvent::Message(message) = event else {
        return None;
    };
    Some(message.clone())
}

/// Gives the new state of a link.
pub(crate) fn reached(event: &ElementEvent) -> Option<(LinkId, LinkState)> {
    let ElementEvent::Link { link, state, .. } = event else {
        return None;
    };
    Some((*link, *state))
}
