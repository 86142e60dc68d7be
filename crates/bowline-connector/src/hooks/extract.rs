//! Values out of JSON messages, without code.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use serde_json::Value as Json;
use thiserror::Error;

use super::{Hook, HookCall, HookError, Hooks, JsonPath, JsonPathError};
use crate::{
    Plan,
    element::Extraction,
    machine::Value,
    plan::{ParameterId, ValueKind},
};

/// Says why an extraction cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExtractError {
    /// The path is none.
    #[error("the path {path} of the extraction to {to}: {reason}")]
    Path {
        /// The path.
        path: Box<str>,
        /// Where its value would go.
        to: ParameterId,
        /// What is wrong with it.
        reason: JsonPathError,
    },
    /// There is no such parameter.
    #[error("an extraction names {0}, which the connector does not have")]
    NoSuchParameter(ParameterId),
}

/// Makes hooks that take values out of JSON: one for each parameter that holds JSON text.
///
/// At each change the text is read once, and each value that is at its path is set, as code does, in
/// the order of the settings. Text, numbers and booleans are taken as they are (a boolean as 1 or 0
/// where the parameter holds a number), objects and arrays as JSON. A path that leads nowhere, or to
/// `null`, changes nothing. Text that is no JSON changes nothing either; the first time, people are
/// told.
///
/// # Errors
/// [`ExtractError`] if a path or a parameter makes no sense.
pub fn extractions(plan: &Plan, extractions: &[Extraction]) -> Result<Hooks, ExtractError> {
    let mut by_source: BTreeMap<ParameterId, Vec<Target>> = BTreeMap::new();
    for extraction in extractions {
        let (from, to) = (extraction.from, extraction.to);
        let parameter = |id| {
            plan.parameters
                .get(id)
                .ok_or(ExtractError::NoSuchParameter(id))
        };
        parameter(from)?;
        let target = Target {
            path: JsonPath::parse(&extraction.path).map_err(|reason| ExtractError::Path {
                path: extraction.path.as_str().into(),
                to,
                reason,
            })?,
            to,
            is_number: parameter(to)?.interpretation.kind != ValueKind::Text,
        };
        by_source.entry(from).or_default().push(target);
    }
    let extractors = by_source.into_iter();
    Ok(extractors.fold(Hooks::new(), |hooks, (from, targets)| {
        let has_complained = AtomicBool::new(false);
        hooks.on(
            from,
            Extractor {
                targets,
                has_complained,
            },
        )
    }))
}

/// Takes values out of the JSON text of one parameter.
#[derive(Debug)]
struct Extractor {
    targets: Vec<Target>,
    has_complained: AtomicBool,
}

#[derive(Debug)]
struct Target {
    path: JsonPath,
    to: ParameterId,
    is_number: bool,
}

impl Hook for Extractor {
    fn run(&self, call: &mut HookCall<'_>) -> Result<(), HookError> {
        let text = match call.value(call.parameter())? {
            Value::Empty => return Ok(()),
            Value::Bytes(bytes) => bytes,
            Value::Number(number) => number.to_string().into(),
        };
        let json: Json = match serde_json::from_slice(&text) {
            Ok(json) => json,
            Err(_) if self.has_complained.swap(true, Ordering::Relaxed) => return Ok(()),
            Err(error) => {
                let what = format!("nothing is extracted, as the text is no JSON: {error}");
                return Err(what.into());
            }
        };
        for target in &self.targets {
            if let Some(value) = target.path.find(&json).and_then(|json| target.take(json)) {
                call.set(target.to, value)?;
            }
        }
        Ok(())
    }
}

impl Target {
    fn take(&self, json: &Json) -> Option<Value> {
        let text = match json {
            Json::Null => return None,
            Json::Bool(is_true) if self.is_number => {
                return Some(Value::Number(if *is_true { 1.0 } else { 0.0 }));
            }
            Json::Number(number) if self.is_number => return number.as_f64().map(Value::Number),
            Json::String(text) if self.is_number => match text.trim().parse() {
                Ok(number) => return Some(Value::Number(number)),
                Err(_) => text.clone(),
            },
            Json::String(text) => text.clone(),
            Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => json.to_string(),
        };
        Some(Value::Bytes(Bytes::from(text)))
    }
}
