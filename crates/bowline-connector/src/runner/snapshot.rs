//! Everything about an element at one moment.

use std::time::Duration;

use super::{LinkState, keeper::Keeper};
use crate::{
    machine::{AlarmLevel, Counters, Level, Loss, Machine, Value},
    plan::{Discreet, LinkId, Measurement, Parameter, ParameterId, ParameterKind},
};

/// Everything about an element at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The element's name.
    pub name: String,
    /// Its number.
    pub id: u32,
    /// How it does: as its worst included link.
    pub health: Level,
    /// What went wrong so far, counted.
    pub counters: Counters,
    /// Its parameters, in the order of the file.
    pub parameters: Vec<ParameterStatus>,
    /// Its links, in the order of the file.
    pub links: Vec<LinkStatus>,
}

/// A parameter at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterStatus {
    /// Its number.
    pub id: ParameterId,
    /// Its name; the read and the write half of a value share it.
    pub name: String,
    /// What people read.
    pub description: String,
    /// What it is.
    pub kind: ParameterKind,
    /// How it is shown and set.
    pub measurement: Measurement,
    /// Whether it is to be shown.
    pub is_displayed: bool,
    /// Its value.
    pub value: Value,
    /// Its value as text, without units.
    pub text: String,
    /// The label of the value, if it has one.
    pub label: Option<String>,
    /// Every value that has a label.
    pub discreets: Vec<Discreet>,
    /// The units.
    pub units: String,
    /// What explains it.
    pub subtext: String,
    /// The alarm the value is, if it is one.
    pub alarm: Option<AlarmLevel>,
}

/// A link at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkStatus {
    /// Its number.
    pub id: LinkId,
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub state: LinkState,
    /// How it does.
    pub health: Level,
    /// Where the last attempt went, without user, password and query.
    pub endpoint: Option<String>,
    /// Whether the last link compressed messages.
    pub is_compressed: bool,
    /// The subprotocol of the last link.
    pub subprotocol: Option<String>,
    /// How the last link was lost, or the last attempt failed.
    pub last_loss: Option<Loss>,
    /// How many links there were.
    pub opened: u64,
    /// The round trip of the last keepalive ping of the present link.
    pub round_trip: Option<Duration>,
}

impl Snapshot {
    /// Finds a parameter.
    pub fn parameter(&self, id: ParameterId) -> Option<&ParameterStatus> {
        self.parameters.iter().find(|parameter| parameter.id == id)
    }

    /// Finds a link.
    pub fn link(&self, id: LinkId) -> Option<&LinkStatus> {
        self.links.iter().find(|link| link.id == id)
    }
}

impl ParameterStatus {
    pub(super) fn of(id: ParameterId, parameter: &Parameter, machine: &Machine) -> Self {
        Self {
            id,
            name: parameter.name.clone(),
            description: parameter.description.clone(),
            kind: parameter.kind,
            measurement: parameter.measurement,
            is_displayed: parameter.is_displayed,
            value: machine.value(id).clone(),
            text: machine.text(id).into_owned(),
            label: machine.label(id).map(str::to_owned),
            discreets: parameter.discreets.clone(),
            units: parameter.units.clone(),
            subtext: parameter.subtext.clone(),
            alarm: machine.alarm(id),
        }
    }
}

impl LinkStatus {
    pub(super) fn of(id: LinkId, keeper: &Keeper) -> Self {
        Self {
            id,
            name: keeper.name.clone(),
            state: keeper.state,
            health: keeper.level,
            endpoint: keeper.endpoint.clone(),
            is_compressed: keeper.is_compressed,
            subprotocol: keeper.subprotocol.clone(),
            last_loss: keeper.last_loss.clone(),
            opened: keeper.opened,
            round_trip: keeper.round_trip(),
        }
    }
}
