//! Values as JSON.

use base64::{Engine, prelude::BASE64_STANDARD};
use bowline_connector::machine::Value;
use serde_json::{Value as Json, json};

/// Writes a value; `None` if it is empty.
pub(crate) fn to_json(value: &Value) -> Option<Json> {
    match value {
        Value::Empty => None,
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a whole number of this size stays what it is"
        )]
        Value::Number(number) if number.fract() == 0.0 && number.abs() < WHOLE_MAX => {
            Some(Json::from(*number as i64))
        }
        Value::Number(number) => Some(match serde_json::Number::from_f64(*number) {
            Some(number) => Json::Number(number),
            // JSON has no such numbers.
            None => json!({ "number": number.to_string() }),
        }),
        Value::Bytes(bytes) => Some(match std::str::from_utf8(bytes) {
            Ok(text) => Json::from(text),
            Err(_) => json!({ "base64": BASE64_STANDARD.encode(bytes) }),
        }),
    }
}

/// Reads a value; `None` if it is none.
pub(crate) fn from_json(json: Option<&Json>) -> Option<Value> {
    match json {
        None | Some(Json::Null) => Some(Value::Empty),
        Some(Json::Number(number)) => number.as_f64().map(Value::Number),
        Some(Json::String(text)) => Some(Value::from(text.as_str())),
        Some(Json::Object(object)) => {
            if let Some(Json::String(number)) = object.get("number") {
                return number.parse().ok().map(Value::Number);
            }
            let Some(Json::String(data)) = object.get("base64") else {
                return None;
            };
            let data = BASE64_STANDARD.decode(data).ok()?;
            Some(Value::Bytes(data.into()))
        }
        Some(Json::Bool(_) | Json::Array(_)) => None,
    }
}

/// Whole numbers below are written without a point.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let values = [
            Value::Empty,
            Value::Number(1.5),
            Value::Number(-3.0),
            Value::Number(f64::INFINITY),
            Value::from("a\n"),
            Value::Bytes(vec![0, 255].into()),
        ];
        for value in values {
            assert_eq!(from_json(to_json(&value).as_ref()), Some(value));
        }
        assert_eq!(from_json(Some(&json!([1]))), None);
        assert_eq!(from_json(Some(&json!({"base64": "?"}))), None);
    }
}
