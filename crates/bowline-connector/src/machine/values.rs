//! The values of an element.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Value, convert};
use crate::{
    element::ElementSettings,
    plan::{Parameter, ParameterId, ParameterKind, Plan},
};

/// What each parameter holds, and what actions changed of its rules.
#[derive(Debug, Default)]
pub(super) struct Values {
    held: BTreeMap<ParameterId, Value>,
    lengths: BTreeMap<ParameterId, usize>,
    normals: BTreeMap<ParameterId, Value>,
}

impl Values {
    /// Gives the values at start: saved ones, else those of the element, else defaults. The second
    /// part names parameters whose given value was not let in.
    pub(super) fn at_start(
        plan: &Plan,
        settings: &ElementSettings,
        saved: impl IntoIterator<Item = (ParameterId, Value)>,
    ) -> (Self, Vec<ParameterId>) {
        let mut values = Self::default();
        let mut refused = Vec::new();
        for (id, value) in saved {
            let fitting = plan
                .parameters
                .get(id)
                .filter(|parameter| parameter.save && !is_literal(parameter.kind))
                .map(|parameter| convert::fit(&parameter.interpretation, value));
            match fitting {
                Some(Ok(value)) => values.put(id, value),
                Some(Err(_)) => refused.push(id),
                None => {}
            }
        }
        for (id, parameter) in plan.parameters.iter() {
            if *values.get(id) != Value::Empty {
                continue;
            }
            match first_value(id, parameter, settings) {
                Ok(value) => values.put(id, value),
                Err(convert::Forbidden) => refused.push(id),
            }
        }
        (values, refused)
    }

    /// Gives the value of a parameter.
    pub(super) fn get(&self, id: ParameterId) -> &Value {
        self.held.get(&id).unwrap_or(&Value::Empty)
    }

    /// Says whether a value differs from the one held.
    pub(super) fn differs(&self, id: ParameterId, value: &Value) -> bool {
        self.get(id) != value
    }

    /// Stores a value.
    pub(super) fn put(&mut self, id: ParameterId, value: Value) {
        if value == Value::Empty {
            self.held.remove(&id);
        } else {
            self.held.insert(id, value);
        }
    }

    /// Gives the length of a parameter of fixed length.
    pub(super) fn length(&self, id: ParameterId, parameter: &Parameter) -> Option<usize> {
        let fixed = convert::fixed_length(&parameter.interpretation)?;
        Some(self.lengths.get(&id).copied().unwrap_or(fixed))
    }

    /// Changes the length of a parameter of fixed length.
    pub(super) fn set_length(&mut self, id: ParameterId, length: usize) {
        self.lengths.insert(id, length);
    }

    /// Gives the value that is no alarm, where an action set it.
    pub(super) fn normal(&self, id: ParameterId) -> Option<&Value> {
        self.normals.get(&id)
    }

    /// Sets the value that is no alarm.
    pub(super) fn set_normal(&mut self, id: ParameterId, value: Value) {
        self.normals.insert(id, value);
    }

    /// Gives the bytes a parameter has in a command.
    pub(super) fn bytes(&self, id: ParameterId, parameter: &Parameter) -> Vec<u8> {
        let length = self.length(id, parameter);
        convert::write(&parameter.interpretation, length, self.get(id))
    }
}

/// Says whether the bytes of such a parameter stand in messages as they are.
pub(super) fn is_literal(kind: ParameterKind) -> bool {
    matches!(
        kind,
        ParameterKind::Fixed | ParameterKind::Header | ParameterKind::Trailer
    )
}

fn first_value(
    id: ParameterId,
    parameter: &Parameter,
    settings: &ElementSettings,
) -> Result<Value, convert::Forbidden> {
    let rules = &parameter.interpretation;
    if is_literal(parameter.kind) {
        let bytes = Bytes::from(rules.value.clone().unwrap_or_default());
        return Ok(Value::Bytes(bytes));
    }
    match parameter.kind {
        ParameterKind::ElementId => {
            return convert::fit(rules, Value::Number(f64::from(settings.id)));
        }
        ParameterKind::ElementName => {
            let name = Bytes::copy_from_slice(settings.name.as_bytes());
            return convert::fit(rules, Value::Bytes(name));
        }
        ParameterKind::Read
        | ParameterKind::Write
        | ParameterKind::Fixed
        | ParameterKind::Header
        | ParameterKind::Trailer
        | ParameterKind::Length
        | ParameterKind::Dummy
        | ParameterKind::Bus
        | ParameterKind::Ip
        | ParameterKind::PollingIp => {}
    }
    let given = settings.parameters.get(&id).or(rules.default.as_ref());
    match (given, &rules.value) {
        (Some(text), _) => convert::read_text(rules, text),
        (None, Some(bytes)) => convert::read(rules, &Bytes::copy_from_slice(bytes)),
        (None, None) => Ok(Value::Empty),
    }
}
