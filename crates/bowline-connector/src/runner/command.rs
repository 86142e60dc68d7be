//! What handles ask of an element.

use tokio::sync::{mpsc, oneshot};

use super::{ElementError, Snapshot, StreamMessage};
use crate::{
    machine::Value,
    plan::{LinkId, ParameterId, TriggerId},
    record::Input,
};

/// Something a handle asks for.
#[derive(Debug)]
pub(super) enum Command {
    /// Does something, and tells when all that followed at once is done.
    Do(Deed, oneshot::Sender<Result<(), ElementError>>),
    /// Tells everything.
    Snapshot(oneshot::Sender<Snapshot>),
    /// Tells the last messages.
    Messages(oneshot::Sender<Vec<StreamMessage>>),
    /// Ends the element.
    Stop,
}

/// Something to do.
#[derive(Debug)]
pub(super) enum Deed {
    /// A person sets a parameter.
    Set(ParameterId, String),
    /// Code sets a parameter.
    Assign(ParameterId, Value),
    /// A trigger is fired.
    Fire(TriggerId),
    /// A link is made anew.
    Reconnect(LinkId),
}

impl Deed {
    /// Says the same for a record.
    pub(super) fn as_input(&self) -> Input {
        match self {
            Self::Set(parameter, text) => Input::Set(*parameter, text.clone()),
            Self::Assign(parameter, value) => Input::Assigned(*parameter, value.clone()),
            Self::Fire(trigger) => Input::Fired(*trigger),
            Self::Reconnect(link) => Input::Reconnect(*link),
        }
    }
}

pub(super) fn channel() -> (mpsc::Sender<Command>, mpsc::Receiver<Command>) {
    mpsc::channel(COMMANDS_MAX)
}

/// How many commands may wait; those who have more wait themselves.
const COMMANDS_MAX: usize = 64;
