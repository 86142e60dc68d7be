//! Values as people see them, and whether they are alarms.

use std::borrow::Cow;

use super::{Machine, Value, convert};
use crate::plan::{Measurement, Parameter, ParameterId};

/// How bad a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmLevel {
    /// No alarm.
    Normal,
    /// `WaL`, `WaH`.
    Warning,
    /// `MiL`, `MiH`.
    Minor,
    /// `MaL`, `MaH`.
    Major,
    /// `CL`, `CH`.
    Critical,
}

impl Machine {
    /// Gives the value of a parameter as text, see [`Value::text`].
    pub fn text(&self, parameter: ParameterId) -> Cow<'_, str> {
        self.values.get(parameter).text()
    }

    /// Gives the value as people read it, see [`Parameter::display`].
    pub fn display(&self, parameter: ParameterId) -> Cow<'_, str> {
        let value = self.values.get(parameter);
        match self.plan.parameters.get(parameter) {
            Some(declared) => declared.display(value),
            None => value.text(),
        }
    }

    /// Gives the label of the value, if the parameter has one for it.
    pub fn label(&self, parameter: ParameterId) -> Option<&str> {
        let declared = self.plan.parameters.get(parameter)?;
        declared.label(self.values.get(parameter))
    }

    /// Gives how bad the value is; none if it is not watched or empty.
    pub fn alarm(&self, parameter: ParameterId) -> Option<AlarmLevel> {
        let declared = self.plan.parameters.get(parameter)?;
        let alarm = declared.alarm.as_ref().filter(|alarm| alarm.is_monitored)?;
        let value = self.values.get(parameter);
        if *value == Value::Empty {
            return None;
        }
        let is_normal = match (self.values.normal(parameter), &alarm.normal) {
            (Some(normal), _) => normal == value,
            (None, Some(normal)) => is_same(value, normal),
            (None, None) => false,
        };
        if is_normal {
            return Some(AlarmLevel::Normal);
        }
        let levels = alarm.low.iter().zip(&alarm.high).zip(LEVELS);
        for ((low, high), level) in levels {
            let low = low
                .as_deref()
                .is_some_and(|low| reaches(declared, value, low, |a, b| a <= b));
            let high = high
                .as_deref()
                .is_some_and(|high| reaches(declared, value, high, |a, b| a >= b));
            if low || high {
                return Some(level);
            }
        }
        Some(AlarmLevel::Normal)
    }
}

impl Parameter {
    /// Gives a value as people read it: its label, else a number with the decimals of the parameter,
    /// else the text.
    pub fn display<'v>(&'v self, value: &'v Value) -> Cow<'v, str> {
        if let Some(label) = self.label(value) {
            return Cow::Borrowed(label);
        }
        match (value, self.decimals) {
            (Value::Number(number), Some(decimals)) => {
                let decimals = usize::try_from(decimals).unwrap_or(DECIMALS_MAX);
                Cow::Owned(format!("{number:.*}", decimals.min(DECIMALS_MAX)))
            }
            (value, _) => value.text(),
        }
    }

    /// Gives the label of a value, if there is one for it.
    pub fn label(&self, value: &Value) -> Option<&str> {
        let mut discreets = self.discreets.iter();
        let found = discreets.find(|discreet| is_same(value, &discreet.value));
        found.map(|discreet| discreet.display.as_str())
    }
}

/// Says whether a value is the one a text says.
pub(super) fn is_same(value: &Value, text: &str) -> bool {
    match value {
        Value::Empty => false,
        Value::Bytes(bytes) => bytes.as_ref() == text.as_bytes(),
        Value::Number(number) => text.trim().parse() == Ok(*number),
    }
}

/// Numbers reach a level, labels and texts are it or are not.
fn reaches(
    parameter: &Parameter,
    value: &Value,
    level: &str,
    compare: impl Fn(f64, f64) -> bool,
) -> bool {
    let is_ordered = parameter.measurement != Measurement::Discreet;
    let number: Option<f64> = level.trim().parse().ok();
    match (convert::number(value), number) {
        (Some(value), Some(level)) if is_ordered => compare(value, level),
        _ => is_same(value, level),
    }
}

/// The levels in the order in which an alarm has them, the worst first.
const LEVELS: [AlarmLevel; 4] = [
    AlarmLevel::Critical,
    AlarmLevel::Major,
    AlarmLevel::Minor,
    AlarmLevel::Warning,
];

/// More digits than a float has are only zeros.
const DECIMALS_MAX: usize = 17;
