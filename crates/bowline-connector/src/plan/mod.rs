//! What a connector says, checked: every reference resolves, every number is in range.

mod action;
mod build;
mod condition;
mod exchange;
mod group;
mod handshake;
mod hook;
mod id;
mod link;
mod parameter;
mod table;
mod timer;
mod trigger;

use std::{collections::BTreeMap, time::Duration};

pub use action::{Action, ActionKind, ParameterVerb, QueueVerb, TimerVerb};
pub use bowline::MessageKind;
pub use build::{Reading, read, read_with};
pub use condition::{CONDITION_BYTES_MAX, CONDITION_DEPTH_MAX, Condition, ConditionError};
pub use exchange::{Command, Pair, Response};
pub use group::{Group, GroupContent, GroupKind, GroupLink};
pub use handshake::{
    Handshake, HandshakeCredentials, HandshakeProxy, RequestPath, ResponseTargets, Source,
};
pub use hook::CodeHook;
pub use id::{
    ActionId, CommandId, GroupId, HookId, LinkId, PairId, ParameterId, ResponseId, SessionId,
    TimerId, TriggerId,
};
pub use link::{BusAddress, Link, NotifyParameters, SlowPoll};
pub use parameter::{
    Alarm, Discreet, Interpretation, LengthRule, Measurement, Parameter, ParameterKind, RawType,
    ValueKind,
};
pub use table::Table;
pub use timer::{Timer, TimerStart, TimerTime};
pub use trigger::{Moment, Subject, Trigger, TriggerContent};

/// A connector, ready to run: the checked form of a connector file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// `Protocol/Name`; empty when the file does not say.
    pub name: String,
    /// `Protocol/Version`.
    pub version: String,
    /// `Protocol/Description`.
    pub description: String,
    /// `Protocol/Provider` or `Vendor`.
    pub vendor: String,
    /// How long a link may be silent before the element is in timeout (`TimeoutTimeElement`).
    pub timeout: Option<Duration>,
    /// The links, by connection id. Only connections of the WebSocket kind are here.
    pub links: Table<LinkId, Link>,
    /// The custom opening handshakes, by HTTP session id.
    pub handshakes: Table<SessionId, Handshake>,
    /// The parameters.
    pub parameters: Table<ParameterId, Parameter>,
    /// What length parameters count: places in the command or response, from 0. One that is not
    /// here counts every part that is no length parameter.
    pub counted: BTreeMap<ParameterId, Vec<usize>>,
    /// The commands.
    pub commands: Table<CommandId, Command>,
    /// The responses, in the order in which they are tried.
    pub responses: Table<ResponseId, Response>,
    /// The pairs.
    pub pairs: Table<PairId, Pair>,
    /// The groups.
    pub groups: Table<GroupId, Group>,
    /// The triggers, in the order in which they fire.
    pub triggers: Table<TriggerId, Trigger>,
    /// The actions.
    pub actions: Table<ActionId, Action>,
    /// The timers.
    pub timers: Table<TimerId, Timer>,
    /// The code of the connector: kept and reported, not run.
    pub hooks: Table<HookId, CodeHook>,
}
