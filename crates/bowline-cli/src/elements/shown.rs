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
        match (value, self.0.parameters.get(id)) {
            (Value::Bytes(bytes), _) if std::str::from_utf8(bytes).is_err() => {
                crate::command::hex(bytes)
            }
            (value, Some(parameter)) => parameter.display(value).into_owned(),
            (value, None) => value.text().into_owned(),
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
        self.0.parameters.get(id)?.label(value)
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
