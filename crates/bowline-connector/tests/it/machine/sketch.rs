//! Small plans, and a machine that is driven by hand through virtual time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bowline_connector::{
    ElementSettings, Plan,
    element::LinkSettings,
    machine::{Answer, Effect, Loss, LossClass, Machine, Value},
    plan::{
        Action, ActionId, ActionKind, BusAddress, Command, CommandId, Condition, Group,
        GroupContent, GroupId, GroupKind, GroupLink, Interpretation, LengthRule, Link, LinkId,
        Measurement, MessageKind, Moment, NotifyParameters, Pair, PairId, Parameter, ParameterId,
        ParameterKind, RawType, Response, ResponseId, Subject, Timer, TimerId, TimerStart,
        TimerTime, Trigger, TriggerContent, TriggerId, ValueKind,
    },
};
use bytes::Bytes;

/// A plan that grows part by part.
#[derive(Clone, Default)]
pub(super) struct Sketch(pub(super) Plan);

impl Sketch {
    pub(super) fn link(mut self, id: u32, link: Link) -> Self {
        self.0.links.insert(LinkId(id), link).unwrap();
        self
    }

    pub(super) fn parameter(mut self, id: u32, parameter: Parameter) -> Self {
        self.0
            .parameters
            .insert(ParameterId(id), parameter)
            .unwrap();
        self
    }

    /// Adds a parameter that holds text.
    pub(super) fn text(self, id: u32) -> Self {
        self.parameter(id, text())
    }

    /// Adds a parameter that holds a number.
    pub(super) fn number(self, id: u32) -> Self {
        self.parameter(id, number())
    }

    /// Adds bytes that do not change.
    pub(super) fn fixed(self, id: u32, bytes: &[u8]) -> Self {
        self.parameter(id, fixed(bytes))
    }

    pub(super) fn command(mut self, id: u32, kind: MessageKind, content: &[u32]) -> Self {
        let command = Command {
            name: format!("command {id}"),
            kind,
            content: parameters(content),
        };
        self.0.commands.insert(CommandId(id), command).unwrap();
        self
    }

    pub(super) fn response(self, id: u32, link: u32, content: &[u32]) -> Self {
        self.response_with_optional(id, link, content, &[])
    }

    pub(super) fn response_with_optional(
        mut self,
        id: u32,
        link: u32,
        content: &[u32],
        optional: &[u32],
    ) -> Self {
        let response = Response {
            name: format!("response {id}"),
            link: Some(LinkId(link)),
            content: parameters(content),
            optional: parameters(optional),
        };
        self.0.responses.insert(ResponseId(id), response).unwrap();
        self
    }

    pub(super) fn pair(mut self, id: u32, pair: Pair) -> Self {
        self.0.pairs.insert(PairId(id), pair).unwrap();
        self
    }

    pub(super) fn group(mut self, id: u32, group: Group) -> Self {
        self.0.groups.insert(GroupId(id), group).unwrap();
        self
    }

    /// Adds a group of pairs on link 0.
    pub(super) fn poll(self, id: u32, pairs: &[u32]) -> Self {
        self.group(id, group(GroupKind::Poll, pairs_of(pairs)))
    }

    /// Adds a trigger that runs actions at a moment.
    pub(super) fn on(self, id: u32, on: (Subject, Moment), actions: &[u32]) -> Self {
        self.trigger(id, Some(on), actions, None)
    }

    /// Adds a trigger that fires only when called.
    pub(super) fn called(self, id: u32, actions: &[u32]) -> Self {
        self.trigger(id, None, actions, None)
    }

    pub(super) fn trigger(
        mut self,
        id: u32,
        on: Option<(Subject, Moment)>,
        actions: &[u32],
        condition: Option<&str>,
    ) -> Self {
        let trigger = Trigger {
            name: format!("trigger {id}"),
            on,
            condition: condition.map(|text| Condition::parse(text).unwrap()),
            content: TriggerContent::Actions(actions.iter().copied().map(ActionId).collect()),
            otherwise: TriggerContent::default(),
        };
        self.0.triggers.insert(TriggerId(id), trigger).unwrap();
        self
    }

    pub(super) fn action(self, id: u32, kind: ActionKind) -> Self {
        self.conditional_action(id, kind, None)
    }

    pub(super) fn conditional_action(
        mut self,
        id: u32,
        kind: ActionKind,
        condition: Option<&str>,
    ) -> Self {
        let action = Action {
            name: format!("action {id}"),
            kind,
            condition: condition.map(|text| Condition::parse(text).unwrap()),
        };
        self.0.actions.insert(ActionId(id), action).unwrap();
        self
    }

    pub(super) fn timer(
        mut self,
        id: u32,
        time: TimerTime,
        start: TimerStart,
        groups: &[u32],
    ) -> Self {
        let timer = Timer {
            name: format!("timer {id}"),
            time,
            start,
            interval: Duration::ZERO,
            condition: None,
            groups: groups.iter().copied().map(GroupId).collect(),
        };
        self.0.timers.insert(TimerId(id), timer).unwrap();
        self
    }

    /// Starts an element of the plan with endpoints for all its links.
    pub(super) fn start(self) -> Bench {
        let settings = settings(&self.0);
        self.start_with(settings, [])
    }

    pub(super) fn start_with<const N: usize>(
        self,
        settings: ElementSettings,
        saved: [(u32, Value); N],
    ) -> Bench {
        let mut bench = Bench::new(self.0, settings, saved);
        bench.machine.start(bench.now);
        bench.settle();
        bench
    }
}

/// A machine and its virtual time.
pub(super) struct Bench {
    pub(super) machine: Machine,
    pub(super) now: Instant,
    /// The code on parameters.
    pub(super) code: fn(&mut Self, ParameterId),
    taken: Vec<Effect>,
}

impl Bench {
    pub(super) fn new<const N: usize>(
        plan: Plan,
        settings: ElementSettings,
        saved: [(u32, Value); N],
    ) -> Self {
        let saved = saved.map(|(id, value)| (ParameterId(id), value));
        Self {
            machine: Machine::new(Arc::new(plan), Arc::new(settings), saved, 7),
            now: Instant::now(),
            code: |_, _| {},
            taken: Vec::new(),
        }
    }

    /// Carries all effects out: runs code, and keeps the effects to be looked at.
    pub(super) fn settle(&mut self) {
        while let Some(effect) = self.machine.poll_effect() {
            self.taken.push(effect.clone());
            if let Effect::Hook { parameter, .. } = effect {
                (self.code)(self, parameter);
            }
        }
    }

    /// Takes all effects.
    pub(super) fn effects(&mut self) -> Vec<Effect> {
        self.settle();
        std::mem::take(&mut self.taken)
    }

    /// Takes all effects and keeps the messages.
    pub(super) fn sent(&mut self) -> Vec<(u32, MessageKind, Bytes)> {
        let effects = self.effects().into_iter();
        effects
            .filter_map(|effect| {
                if let Effect::Send {
                    link,
                    kind,
                    payload,
                } = effect
                {
                    Some((link.0, kind, payload))
                } else {
                    None
                }
            })
            .collect()
    }

    /// Takes all effects and keeps the payloads of messages, as text.
    pub(super) fn payloads(&mut self) -> Vec<String> {
        let sent = self.sent().into_iter();
        sent.map(|(_, _, payload)| String::from_utf8_lossy(&payload).into_owned())
            .collect()
    }

    /// Takes all effects and keeps the values told of one parameter.
    pub(super) fn changes(&mut self, id: u32) -> Vec<Value> {
        let effects = self.effects().into_iter();
        effects
            .filter_map(|effect| {
                if let Effect::Changed(parameter, value) = effect
                    && parameter == ParameterId(id)
                {
                    Some(value)
                } else {
                    None
                }
            })
            .collect()
    }

    /// Takes all effects and keeps the parameters whose code is to run.
    pub(super) fn hooks(&mut self) -> Vec<u32> {
        let effects = self.effects().into_iter();
        effects
            .filter_map(|effect| {
                if let Effect::Hook { parameter, .. } = effect {
                    Some(parameter.0)
                } else {
                    None
                }
            })
            .collect()
    }

    /// Takes all effects and keeps the notices.
    pub(super) fn notices(&mut self) -> Vec<String> {
        let effects = self.effects().into_iter();
        effects
            .filter_map(|effect| {
                if let Effect::Notice(text) = effect {
                    Some(text)
                } else {
                    None
                }
            })
            .collect()
    }

    pub(super) fn open(&mut self, link: u32) {
        self.machine
            .handle_opened(LinkId(link), &Answer::default(), self.now);
        self.settle();
    }

    pub(super) fn close(&mut self, link: u32, code: Option<u16>) {
        let loss = loss(code);
        self.machine.handle_closed(LinkId(link), &loss, self.now);
        self.settle();
    }

    pub(super) fn fail(&mut self, link: u32) {
        self.machine
            .handle_failed(LinkId(link), &loss(None), None, self.now);
        self.settle();
    }

    pub(super) fn receive(&mut self, link: u32, payload: &str) {
        let payload = Bytes::copy_from_slice(payload.as_bytes());
        self.machine
            .handle_message(LinkId(link), MessageKind::Text, payload, self.now);
        self.settle();
    }

    pub(super) fn set(&mut self, id: u32, value: Value) {
        self.machine
            .set_by_code(ParameterId(id), value, self.now)
            .unwrap();
        self.settle();
    }

    pub(super) fn fire(&mut self, trigger: u32) {
        self.machine.fire(TriggerId(trigger), self.now).unwrap();
        self.settle();
    }

    /// Lets time pass; what becomes due on the way is done at its time.
    pub(super) fn pass(&mut self, milliseconds: u64) {
        let end = self.now + Duration::from_millis(milliseconds);
        while let Some(due) = self.machine.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.machine.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
        self.machine.handle_timeout(end);
        self.settle();
    }

    pub(super) fn value(&self, id: u32) -> &Value {
        self.machine.value(ParameterId(id))
    }
}

/// Gives settings with an endpoint for each link of a plan.
pub(super) fn settings(plan: &Plan) -> ElementSettings {
    let links = plan.links.iter().map(|(id, _)| {
        let settings = LinkSettings {
            endpoints: vec![format!("ws://192.0.2.{}:9000", id.0 + 1)],
            ..LinkSettings::default()
        };
        (id, settings)
    });
    ElementSettings {
        name: "tank".to_owned(),
        id: 7,
        links: links.collect(),
        timeout: Some(Duration::from_secs(30)),
        parameters: [].into(),
        delivers_duplicates: false,
        extractions: Vec::new(),
    }
}

pub(super) fn link() -> Link {
    Link {
        name: "link".to_owned(),
        notify: NotifyParameters::default(),
        is_composed_at_enqueue: false,
        handshake: None,
        is_redundant: false,
        bus_address: BusAddress::default(),
        port: None,
        port_fixed: false,
        timeout: None,
        retries: None,
        is_unverified: false,
        slow_poll: None,
    }
}

/// A link that tells its state to a parameter.
pub(super) fn told(parameter: u32) -> Link {
    Link {
        notify: NotifyParameters {
            connections: Some(ParameterId(parameter)),
            disconnections: None,
        },
        ..link()
    }
}

pub(super) fn text() -> Parameter {
    Parameter {
        name: String::new(),
        description: String::new(),
        kind: ParameterKind::Read,
        save: false,
        trending: false,
        setter: false,
        endpoint_of: None,
        interpretation: Interpretation {
            raw: RawType::Other,
            is_hexadecimal: false,
            is_big_endian: true,
            length: LengthRule::NextParameter,
            kind: ValueKind::Text,
            value: None,
            default: None,
        },
        is_displayed: true,
        units: String::new(),
        decimals: None,
        range: (None, None),
        measurement: Measurement::None,
        discreets: Vec::new(),
        subtext: String::new(),
        alarm: None,
    }
}

pub(super) fn number() -> Parameter {
    let mut parameter = text();
    parameter.interpretation.raw = RawType::NumericText;
    parameter.interpretation.kind = ValueKind::Double;
    parameter
}

pub(super) fn fixed(bytes: &[u8]) -> Parameter {
    let mut parameter = text();
    parameter.kind = ParameterKind::Fixed;
    parameter.interpretation.length = LengthRule::Fixed(bytes.len());
    parameter.interpretation.value = Some(bytes.to_vec());
    parameter
}

/// A parameter with a default.
pub(super) fn defaulted(mut parameter: Parameter, default: &str) -> Parameter {
    parameter.interpretation.default = Some(default.to_owned());
    parameter
}

/// A parameter whose value outlives the element.
pub(super) fn saved(mut parameter: Parameter) -> Parameter {
    parameter.save = true;
    parameter
}

/// A write parameter of a name.
pub(super) fn write(mut parameter: Parameter, name: &str) -> Parameter {
    parameter.kind = ParameterKind::Write;
    name.clone_into(&mut parameter.name);
    parameter
}

/// A text that holds the endpoint of a link.
pub(super) fn endpoint(link: u32) -> Parameter {
    let mut parameter = text();
    parameter.endpoint_of = Some(LinkId(link));
    parameter
}

pub(super) fn pair(command: u32, responses: &[u32]) -> Pair {
    Pair {
        name: String::new(),
        command: CommandId(command),
        responses: responses.iter().copied().map(ResponseId).collect(),
        bad_responses: Vec::new(),
        link: None,
        retries: None,
        timeout: None,
        ignores_timeout: false,
        is_ping: false,
        condition: None,
    }
}

pub(super) fn group(kind: GroupKind, content: GroupContent) -> Group {
    Group {
        name: String::new(),
        link: GroupLink::Fixed(LinkId(0)),
        kind,
        condition: None,
        content,
        pauses: [].into(),
        is_ping: false,
    }
}

pub(super) fn pairs_of(ids: &[u32]) -> GroupContent {
    GroupContent::Pairs(ids.iter().copied().map(PairId).collect())
}

pub(super) fn actions_of(ids: &[u32]) -> GroupContent {
    GroupContent::Actions(ids.iter().copied().map(ActionId).collect())
}

pub(super) fn parameters(ids: &[u32]) -> Vec<ParameterId> {
    ids.iter().copied().map(ParameterId).collect()
}

pub(super) fn loss(code: Option<u16>) -> Loss {
    Loss {
        class: if code == Some(1000) {
            LossClass::Normal
        } else {
            LossClass::Abnormal
        },
        code,
        text: "the link is gone".to_owned(),
    }
}

pub(super) fn words(text: &str) -> Value {
    Value::Bytes(Bytes::copy_from_slice(text.as_bytes()))
}
