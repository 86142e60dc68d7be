//! Values and states as people read them.

use std::borrow::Cow;

use bowline_connector::{
    Plan,
    machine::{AlarmLevel, Level, SetError, Value},
    plan::ParameterId,
    runner::ElementError,
};

/// Shows the values of an element by its connector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'p>(pub(crate) &'p Plan);

impl<'p> Shown<'p> {
    /// Gives a value as people read it: the label if it has one, else a number with the decimals of
    /// the parameter, else the text; bytes that are no text in hex.
    pub(crate) fn display(self, id: ParameterId, value: &Value) -> String {
        if let Some(label) = self.label(id, value) {
            return label.to_owned();
        }
        let parameter = self.0.parameters.get(id);
        let decimals = parameter.and_then(|parameter| parameter.decimals);
        match (value, decimals) {
            (Value::Number(number), Some(decimals)) => {
                let decimals = usize::try_from(decimals).unwrap_or(DECIMALS_MAX);
                format!("{number:.*}", decimals.min(DECIMALS_MAX))
            }
            (value, _) => text(value).into_owned(),
        }
    }

    /// Says why a value was not set, and what may be set instead where that is a choice.
    pub(crate) fn refusal(self, error: &ElementError) -> String {
        let ElementError::Set(SetError::NotAChoice(id)) = error else {
            return error.to_string();
        };
        let parameter = self.0.parameters.get(*id);
        let choices = parameter.map_or(&[][..], |parameter| &parameter.discreets);
        let choices = choices.iter().map(|choice| choice.display.as_str());
        let choices: Vec<_> = choices.take(CHOICES_MAX).collect();
        format!("{error}: {}", choices.join(", "))
    }

    /// Gives the label of a value.
    pub(crate) fn label(self, id: ParameterId, value: &Value) -> Option<&'p str> {
        let discreets = &self.0.parameters.get(id)?.discreets;
        let mut discreets = discreets.iter();
        let found = discreets.find(|discreet| match value {
            Value::Empty => false,
            Value::Bytes(bytes) => bytes.as_ref() == discreet.value.as_bytes(),
            Value::Number(number) => {
                let labelled = discreet.value.trim().parse::<f64>();
                labelled.is_ok_and(|labelled| labelled.total_cmp(number).is_eq())
            }
        });
        found.map(|discreet| discreet.display.as_str())
    }

    /// Gives the name of a parameter.
    pub(crate) fn name(self, id: ParameterId) -> &'p str {
        let parameter = self.0.parameters.get(id);
        parameter.map_or("", |parameter| &parameter.name)
    }

    /// Gives the units of a parameter.
    pub(crate) fn units(self, id: ParameterId) -> &'p str {
        let parameter = self.0.parameters.get(id);
        parameter.map_or("", |parameter| &parameter.units)
    }
}

/// Gives a value as text; bytes that are no text in hex.
pub(crate) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Empty => Cow::Borrowed(""),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Bytes(bytes) => payload(bytes),
    }
}

/// Gives bytes as text, in hex if they are none.
pub(crate) fn payload(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(crate::command::hex(bytes)),
    }
}

/// Gives one word for a health.
pub(crate) const fn level(level: Level) -> &'static str {
    match level {
        Level::Unknown => "unknown",
        Level::Ok => "ok",
        Level::Timeout => "timeout",
    }
}

/// Gives one word for an alarm.
pub(crate) const fn alarm(alarm: AlarmLevel) -> &'static str {
    match alarm {
        AlarmLevel::Normal => "normal",
        AlarmLevel::Warning => "warning",
        AlarmLevel::Minor => "minor",
        AlarmLevel::Major => "major",
        AlarmLevel::Critical => "critical",
    }
}

/// How many choices are named to somebody who gave none of them.
const CHOICES_MAX: usize = 20;

/// More digits than a float has are only zeros.
const DECIMALS_MAX: usize = 17;
