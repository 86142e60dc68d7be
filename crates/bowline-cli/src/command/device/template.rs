//! A message with places for values.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// A message of a script: text, with `${n}` for how often it was sent, `${time}` for milliseconds
/// since 1970, `${message}` for what arrived and `${message.a.b}` for a value in it.
#[derive(Clone, Debug)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Count,
    Time,
    Message,
    Field(String),
}

impl Template {
    fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, tail)) = after.split_once('}') else {
                return Err(format!("${{{after} lacks its closing brace"));
            };
            parts.push(Part::Text(before.to_owned()));
            parts.push(match name {
                "n" => Part::Count,
                "time" => Part::Time,
                "message" => Part::Message,
                name => match name.strip_prefix("message.") {
                    Some(path) => Part::Field(format!("/{}", path.replace('.', "/"))),
                    None => {
                        return Err(format!(
                            "${{{name}}} is not known: use n, time, message or message.FIELD"
                        ));
                    }
                },
            });
            rest = tail;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// Fills the places.
    pub(crate) fn fill(&self, count: u64, text: &str, json: Option<&Value>) -> String {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Count => filled.push_str(&count.to_string()),
                Part::Time => filled.push_str(&milliseconds().to_string()),
                Part::Message => filled.push_str(text),
                Part::Field(path) => match json.and_then(|json| json.pointer(path)) {
                    Some(Value::String(text)) => filled.push_str(text),
                    Some(value) => filled.push_str(&value.to_string()),
                    None => filled.push_str("null"),
                },
            }
        }
        filled
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

fn milliseconds() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled() {
        let json = serde_json::json!({"a": {"b": 1, "c": "x"}});
        for (template, filled) in [
            ("plain { } $", "plain { } $"),
            ("${n}:${message}", "7:hello"),
            ("${message.a.b}${message.a.c}${message.z}", "1xnull"),
        ] {
            let template = Template::parse(template).unwrap();
            assert_eq!(template.fill(7, "hello", Some(&json)), filled);
        }
        for wrong in ["${n", "${nothing}"] {
            assert!(Template::parse(wrong).is_err(), "{wrong}");
        }
    }
}
