//! What a hook is given, and what it asks for.

use bytes::Bytes;
use thiserror::Error;

use crate::{
    machine::Value,
    plan::{MessageKind, ParameterId, TriggerId},
};

/// The values a hook can read.
pub trait Values {
    /// Gives the value of a parameter; `None` if there is no such parameter.
    fn value(&self, parameter: ParameterId) -> Option<Value>;

    /// Gives all values, also those that are empty.
    fn all(&self) -> Vec<(ParameterId, Value)>;
}

/// One run of a hook.
pub struct HookCall<'a> {
    parameter: ParameterId,
    kind: Option<MessageKind>,
    values: &'a dyn Values,
    operations: Vec<Operation>,
}

/// What a hook asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operation {
    /// Sets a parameter, which counts as a change also with the value it has.
    Set(ParameterId, Value),
    /// Fires a trigger.
    Fire(TriggerId),
    /// Tells people something.
    Log(String),
}

/// Says why a hook cannot do what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotSet {
    /// There is no such parameter.
    #[error("there is no {0}")]
    NoSuchParameter(ParameterId),
    /// It asked for more than [`HookCall::OPERATIONS_MAX`] things.
    #[error("a hook may set, fire and log {max} times at most", max = HookCall::OPERATIONS_MAX)]
    TooMany,
}

impl<'a> HookCall<'a> {
    /// The most values, triggers and notes of one run.
    pub const OPERATIONS_MAX: usize = 10_000;

    /// Makes a call for a change of a parameter; for tests of hooks.
    pub fn new(parameter: ParameterId, kind: Option<MessageKind>, values: &'a dyn Values) -> Self {
        Self {
            parameter,
            kind,
            values,
            operations: Vec::new(),
        }
    }

    /// Tells which parameter changed.
    pub const fn parameter(&self) -> ParameterId {
        self.parameter
    }

    /// Tells the kind of the message that brought the value, if one did.
    pub const fn kind(&self) -> Option<MessageKind> {
        self.kind
    }

    /// Gives a value.
    ///
    /// # Errors
    /// [`NotSet::NoSuchParameter`].
    pub fn value(&self, parameter: ParameterId) -> Result<Value, NotSet> {
        let own = self.operations.iter().rev().find_map(|operation| {
            let Operation::Set(set, value) = operation else {
                return None;
            };
            (*set == parameter).then(|| value.clone())
        });
        own.or_else(|| self.values.value(parameter))
            .ok_or(NotSet::NoSuchParameter(parameter))
    }

    /// Gives a value as text: a number in decimal, bytes as UTF-8 with what is not replaced, nothing
    /// as the empty text.
    ///
    /// # Errors
    /// [`NotSet::NoSuchParameter`].
    pub fn text(&self, parameter: ParameterId) -> Result<String, NotSet> {
        self.value(parameter).map(|value| value.text().into_owned())
    }

    /// Gives a value as bytes: as it came, or the text of a number.
    ///
    /// # Errors
    /// [`NotSet::NoSuchParameter`].
    pub fn bytes(&self, parameter: ParameterId) -> Result<Vec<u8>, NotSet> {
        self.value(parameter).map(|value| bytes_of(&value))
    }

    /// Sets a parameter, as code does: it counts as a change also with the value it has.
    ///
    /// # Errors
    /// [`NotSet`].
    pub fn set(&mut self, parameter: ParameterId, value: impl Into<Value>) -> Result<(), NotSet> {
        if self.values.value(parameter).is_none() {
            return Err(NotSet::NoSuchParameter(parameter));
        }
        self.ask(Operation::Set(parameter, value.into()))
    }

    /// Fires a trigger.
    ///
    /// # Errors
    /// [`NotSet::TooMany`].
    pub fn fire(&mut self, trigger: TriggerId) -> Result<(), NotSet> {
        self.ask(Operation::Fire(trigger))
    }

    /// Tells people something.
    ///
    /// # Errors
    /// [`NotSet::TooMany`].
    pub fn log(&mut self, text: impl Into<String>) -> Result<(), NotSet> {
        self.ask(Operation::Log(text.into()))
    }

    /// Gives every value.
    pub(super) fn snapshot(&self) -> Vec<(ParameterId, Value)> {
        let mut values = self.values.all();
        for operation in &self.operations {
            if let Operation::Set(parameter, value) = operation {
                values.push((*parameter, value.clone()));
            }
        }
        values
    }

    pub(super) fn ask(&mut self, operation: Operation) -> Result<(), NotSet> {
        if self.operations.len() >= Self::OPERATIONS_MAX {
            return Err(NotSet::TooMany);
        }
        self.operations.push(operation);
        Ok(())
    }

    pub(crate) fn into_operations(self) -> Vec<Operation> {
        self.operations
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Bytes(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Bytes(text.into())
    }
}

impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl std::fmt::Debug for HookCall<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HookCall")
            .field("parameter", &self.parameter)
            .field("kind", &self.kind)
            .field("operations", &self.operations)
            .finish_non_exhaustive()
    }
}

/// Gives a value as bytes.
pub(super) fn bytes_of(value: &Value) -> Vec<u8> {
    match value {
        Value::Bytes(bytes) => bytes.to_vec(),
        Value::Number(_) | Value::Empty => value.text().into_owned().into_bytes(),
    }
}
