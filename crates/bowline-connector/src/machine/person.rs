//! What people set.

use super::{
    Machine, SetError, Value, convert, display,
    task::{Assignment, Cause, Step, Task},
};
use crate::plan::{Measurement, Parameter, ParameterId, ParameterKind};

impl Machine {
    /// Reads what a person typed for a write parameter: a label or a value of its choices, a number
    /// in its range, or a text its type lets in.
    pub(super) fn read_set(&self, id: ParameterId, text: &str) -> Result<Task, SetError> {
        let parameter = self.plan.parameters.get(id);
        let parameter = parameter.ok_or(SetError::NoParameter(id))?;
        if parameter.kind != ParameterKind::Write {
            return Err(SetError::NotWritable(id));
        }
        if text.len() > super::VALUE_BYTES_MAX {
            return Err(SetError::TooLong(id));
        }
        let chosen = choice(id, parameter, text)?;
        let value = convert::read_text(&parameter.interpretation, chosen);
        let value = value.map_err(|_| SetError::Forbidden(id))?;
        check_range(id, parameter, &value)?;
        Ok(assign_by_code(id, value))
    }
}

/// Makes a task that sets a value as code does.
pub(super) fn assign_by_code(parameter: ParameterId, value: Value) -> Task {
    Task::new([Step::Assign(Assignment {
        parameter,
        value,
        cause: Cause::Code,
    })])
}

fn choice<'a>(
    id: ParameterId,
    parameter: &'a Parameter,
    text: &'a str,
) -> Result<&'a str, SetError> {
    let must_choose = match parameter.measurement {
        Measurement::Discreet | Measurement::Button | Measurement::ToggleButton => true,
        Measurement::None
        | Measurement::Text
        | Measurement::Number
        | Measurement::Analog
        | Measurement::Progress
        | Measurement::Title => false,
    };
    let mut discreets = parameter.discreets.iter();
    if let Some(labelled) = discreets.find(|discreet| discreet.display == text) {
        return Ok(&labelled.value);
    }
    let typed = convert::read_text(&parameter.interpretation, text);
    let is_value = typed.is_ok_and(|typed| {
        let mut discreets = parameter.discreets.iter();
        discreets
            .any(|discreet| discreet.value == text || display::is_same(&typed, &discreet.value))
    });
    if is_value || !must_choose || parameter.discreets.is_empty() {
        Ok(text)
    } else {
        Err(SetError::NotAChoice(id))
    }
}

fn check_range(id: ParameterId, parameter: &Parameter, value: &Value) -> Result<(), SetError> {
    let Some(number) = convert::number(value) else {
        return Ok(());
    };
    let (least, greatest) = parameter.range;
    let least = least.unwrap_or(f64::NEG_INFINITY);
    let greatest = greatest.unwrap_or(f64::INFINITY);
    if (least..=greatest).contains(&number) {
        Ok(())
    } else {
        Err(SetError::OutOfRange {
            parameter: id,
            least,
            greatest,
        })
    }
}
