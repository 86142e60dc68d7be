//! Commands become messages.

use bytes::Bytes;

use super::{Value, values::Values};
use crate::plan::{Command, ParameterKind, Plan};

/// Says that a command is longer than [`COMMAND_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CommandTooLong;

/// Puts the bytes of the parameters one after the other. A length parameter without a value counts
/// the bytes behind it.
pub(super) fn compose(
    plan: &Plan,
    values: &Values,
    command: &Command,
) -> Result<Bytes, CommandTooLong> {
    let mut reversed: Vec<Vec<u8>> = Vec::with_capacity(command.content.len());
    let mut total = 0;
    for id in command.content.iter().rev() {
        let Some(parameter) = plan.parameters.get(*id) else {
            continue;
        };
        let counts = parameter.kind == ParameterKind::Length && *values.get(*id) == Value::Empty;
        let bytes = if counts {
            #[expect(
                clippy::cast_precision_loss,
                reason = "lengths are below 2^52, where floats are exact"
            )]
            let count = Value::Number(total as f64);
            let length = values.length(*id, parameter);
            super::convert::write(&parameter.interpretation, length, &count)
        } else {
            values.bytes(*id, parameter)
        };
        total += bytes.len();
        if total > COMMAND_BYTES_MAX {
            return Err(CommandTooLong);
        }
        reversed.push(bytes);
    }
    let mut message = Vec::with_capacity(total);
    for bytes in reversed.iter().rev() {
        message.extend_from_slice(bytes);
    }
    Ok(Bytes::from(message))
}

/// The longest message that is composed: as long as the longest that is read by default.
pub const COMMAND_BYTES_MAX: usize = 16 * 1024 * 1024;
