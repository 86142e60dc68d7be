//! Commands become messages.

use bytes::Bytes;

use super::{Value, values::Values};
use crate::plan::{Command, Parameter, ParameterId, ParameterKind, Plan};

/// Says that a command is longer than [`COMMAND_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CommandTooLong;

/// Which length parameters count, instead of having a value of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// Those that are empty.
    Empty,
    /// All.
    All,
}

/// Puts the bytes of the parameters one after the other.
pub(super) fn compose(
    plan: &Plan,
    values: &Values,
    command: &Command,
    counting: Counting,
) -> Result<Bytes, CommandTooLong> {
    let counts = |id: ParameterId, parameter: &Parameter| {
        let is_length = parameter.kind == ParameterKind::Length;
        is_length && (counting == Counting::All || *values.get(id) == Value::Empty)
    };
    let mut parts: Vec<Vec<u8>> = Vec::with_capacity(command.content.len());
    let mut sizes = Vec::with_capacity(command.content.len());
    let mut total = 0;
    for id in &command.content {
        let part = match plan.parameters.get(*id) {
            Some(parameter) if counts(*id, parameter) => {
                vec![0; values.length(*id, parameter).unwrap_or(0)]
            }
            Some(parameter) => values.bytes(*id, parameter),
            None => Vec::new(),
        };
        total += part.len();
        if total > COMMAND_BYTES_MAX {
            return Err(CommandTooLong);
        }
        sizes.push((*id, part.len()));
        parts.push(part);
    }
    for (id, part) in command.content.iter().zip(&mut parts) {
        let parameter = plan.parameters.get(*id);
        if let Some(parameter) = parameter.filter(|parameter| counts(*id, parameter)) {
            let count = Value::Number(counted(plan, *id, &sizes));
            let length = values.length(*id, parameter);
            *part = super::convert::write(&parameter.interpretation, length, &count);
        }
    }
    Ok(Bytes::from(parts.concat()))
}

/// Gives what a length parameter says where its neighbours have these sizes.
#[expect(
    clippy::cast_precision_loss,
    reason = "lengths are below 2^52, where floats are exact"
)]
pub(super) fn counted(plan: &Plan, id: ParameterId, sizes: &[(ParameterId, usize)]) -> f64 {
    let is_length = |id: &ParameterId| {
        let parameter = plan.parameters.get(*id);
        parameter.is_some_and(|parameter| parameter.kind == ParameterKind::Length)
    };
    let total: usize = if let Some(places) = plan.counted.get(&id) {
        let sizes = places.iter().filter_map(|place| sizes.get(*place));
        sizes.map(|(_, size)| size).sum()
    } else {
        let others = sizes.iter().filter(|(id, _)| !is_length(id));
        others.map(|(_, size)| size).sum()
    };
    total as f64
}

/// The longest message that is composed: as long as the longest that is read by default.
pub const COMMAND_BYTES_MAX: usize = 16 * 1024 * 1024;
