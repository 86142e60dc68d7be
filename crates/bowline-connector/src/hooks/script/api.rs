//! What scripts can call.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use rhai::{Array, Blob, Dynamic, Engine, EvalAltResult, Map};
use serde_json::Value as Json;

use crate::{
    hooks::{HookCall, NotSet, Operation, call::bytes_of},
    machine::Value,
    plan::{ParameterId, TriggerId},
};

/// What the functions of a script work on while it runs.
#[derive(Debug, Default)]
pub(super) struct Api {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    values: BTreeMap<ParameterId, Value>,
    operations: Vec<Operation>,
}

type Outcome<T> = Result<T, Box<EvalAltResult>>;

impl Api {
    /// Begins a run with the values of the moment.
    pub(super) fn begin(&self, values: Vec<(ParameterId, Value)>) {
        *self.state() = State {
            values: values.into_iter().collect(),
            operations: Vec::new(),
        };
    }

    /// Ends a run, and gives what it asked for.
    pub(super) fn end(&self) -> Vec<Operation> {
        mem::take(&mut *self.state()).operations
    }

    fn value(&self, id: i64) -> Outcome<Value> {
        let parameter = parameter(id)?;
        let value = self.state().values.get(&parameter).cloned();
        value.ok_or_else(|| format!("there is no {parameter}").into())
    }

    fn set(&self, id: i64, value: Value) -> Outcome<()> {
        self.value(id)?;
        let parameter = parameter(id)?;
        self.ask(Operation::Set(parameter, value.clone()))?;
        self.state().values.insert(parameter, value);
        Ok(())
    }

    fn ask(&self, operation: Operation) -> Outcome<()> {
        let mut state = self.state();
        if state.operations.len() >= HookCall::OPERATIONS_MAX {
            return Err(NotSet::TooMany.to_string().into());
        }
        state.operations.push(operation);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives an engine the functions.
pub(super) fn register(engine: &mut Engine, api: &Arc<Api>) {
    let here = Arc::clone(api);
    engine.register_fn("get", move |id: i64| here.value(id).map(dynamic_of));
    let here = Arc::clone(api);
    engine.register_fn("text", move |id: i64| {
        here.value(id).map(|value| value.text().into_owned())
    });
    let here = Arc::clone(api);
    engine.register_fn("bytes", move |id: i64| -> Outcome<Blob> {
        here.value(id).map(|value| bytes_of(&value))
    });
    let here = Arc::clone(api);
    engine.register_fn("set", move |id: i64, value: Dynamic| {
        here.set(id, value_of(value)?)
    });
    let here = Arc::clone(api);
    engine.register_fn("fire", move |id: i64| -> Outcome<()> {
        let id = u32::try_from(id).map_err(|_| format!("there is no trigger {id}"))?;
        here.ask(Operation::Fire(TriggerId(id)))
    });
    for name in ["log", "print"] {
        let here = Arc::clone(api);
        engine.register_fn(name, move |text: &str| {
            here.ask(Operation::Log(text.to_owned()))
        });
    }
    engine.register_fn("parse_json", |text: &str| -> Outcome<Dynamic> {
        let json: Json = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
        Ok(from_json(json))
    });
    engine.register_fn("to_json", |value: Dynamic| -> Outcome<String> {
        Ok(to_json(&value, 0)?.to_string())
    });
    engine.on_print(|_| {}).on_debug(|_, _, _| {});
}

fn parameter(id: i64) -> Outcome<ParameterId> {
    let id = u32::try_from(id).map_err(|_| format!("there is no parameter {id}"))?;
    Ok(ParameterId(id))
}

fn dynamic_of(value: Value) -> Dynamic {
    match value {
        Value::Empty => Dynamic::UNIT,
        Value::Number(number) => number.into(),
        Value::Bytes(bytes) => match std::str::from_utf8(&bytes) {
            Ok(text) => text.into(),
            Err(_) => Dynamic::from_blob(bytes.to_vec()),
        },
    }
}

fn value_of(value: Dynamic) -> Outcome<Value> {
    if value.is_unit() {
        return Ok(Value::Empty);
    }
    if let Ok(is_true) = value.as_bool() {
        return Ok(Value::Number(if is_true { 1.0 } else { 0.0 }));
    }
    if let Ok(number) = value.as_float() {
        return Ok(Value::Number(number));
    }
    if let Ok(number) = value.as_int() {
        #[expect(clippy::cast_precision_loss, reason = "values are floats")]
        return Ok(Value::Number(number as f64));
    }
    let name = value.type_name();
    if value.is_blob() {
        let blob: Blob = value.into_blob().unwrap_or_default();
        return Ok(Value::Bytes(blob.into()));
    }
    match value.into_string() {
        Ok(text) => Ok(Value::Bytes(Bytes::from(text))),
        Err(_) => Err(format!(
            "a parameter holds a number, text or a blob, not {name}: use to_json"
        )
        .into()),
    }
}

fn from_json(json: Json) -> Dynamic {
    match json {
        Json::Null => Dynamic::UNIT,
        Json::Bool(is_true) => is_true.into(),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => integer.into(),
            None => number.as_f64().unwrap_or(f64::NAN).into(),
        },
        Json::String(text) => text.into(),
        Json::Array(items) => items.into_iter().map(from_json).collect::<Array>().into(),
        Json::Object(members) => {
            let members = members.into_iter();
            let members = members.map(|(name, value)| (name.into(), from_json(value)));
            members.collect::<Map>().into()
        }
    }
}

fn to_json(value: &Dynamic, depth: usize) -> Outcome<Json> {
    if depth > JSON_DEPTH_MAX {
        return Err("the value is too deep for JSON".into());
    }
    if value.is_unit() {
        return Ok(Json::Null);
    }
    if let Ok(is_true) = value.as_bool() {
        return Ok(is_true.into());
    }
    if let Ok(number) = value.as_int() {
        return Ok(number.into());
    }
    if let Ok(number) = value.as_float() {
        return Ok(number.into());
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(text.as_str().into());
    }
    if let Ok(items) = value.as_array_ref() {
        let items = items.iter().map(|item| to_json(item, depth + 1));
        return Ok(Json::Array(items.collect::<Result<_, _>>()?));
    }
    if let Ok(members) = value.as_map_ref() {
        let members = members.iter().map(|(name, value)| {
            Ok::<_, Box<EvalAltResult>>((name.to_string(), to_json(value, depth + 1)?))
        });
        return Ok(Json::Object(members.collect::<Result<_, _>>()?));
    }
    Err(format!("{} has no form in JSON", value.type_name()).into())
}

const JSON_DEPTH_MAX: usize = 128;
