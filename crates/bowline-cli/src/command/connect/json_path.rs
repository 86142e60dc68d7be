//! Paths into JSON: the part of RFC 9535 that says where something is.

use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

/// A path such as `$.items[0]['a name']` or `$.items[*].id`.
///
/// It has names, after a dot or quoted in brackets, indices, counted from the end if they are
/// negative, and `*` for every one. Slices, filters and descents are not part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(i64),
    Every,
}

/// Says what is wrong with a path, and at which of its characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("character {at} of the path: {problem}")]
pub(crate) struct PathError {
    at: usize,
    problem: &'static str,
}

impl JsonPath {
    /// Reads a path from the front of a text; gives what is after it.
    pub(crate) fn parse(text: &str) -> Result<(Self, &str), PathError> {
        let mut parser = Parser { text, rest: text };
        let steps = parser.path()?;
        Ok((Self(steps), parser.rest))
    }

    /// Gives the values that are there, in the order of the document.
    pub(crate) fn find<'a>(&self, document: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![document];
        for step in &self.0 {
            found = found
                .into_iter()
                .flat_map(|value| step.take(value))
                .collect();
        }
        found
    }
}

impl FromStr for JsonPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let (path, rest) = Self::parse(text)?;
        if rest.is_empty() {
            return Ok(path);
        }
        Err(PathError {
            at: 1 + text.chars().count() - rest.chars().count(),
            problem: "expected `.name`, `[0]`, `['name']` or `[*]`",
        })
    }
}

impl Step {
    fn take<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match self {
            Self::Name(name) => value.get(name).into_iter().collect(),
            Self::Index(index) => element(value, *index).into_iter().collect(),
            Self::Every => match value {
                Value::Array(items) => items.iter().collect(),
                Value::Object(members) => members.values().collect(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
            },
        }
    }
}

fn element(value: &Value, index: i64) -> Option<&Value> {
    let items = value.as_array()?;
    let from_front = usize::try_from(index).ok();
    let from_back = || items.len().checked_sub(usize::try_from(-index).ok()?);
    items.get(from_front.or_else(from_back)?)
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn path(&mut self) -> Result<Vec<Step>, PathError> {
        if !self.take("$") {
            return Err(self.error("a path begins with $"));
        }
        let mut steps = Vec::new();
        loop {
            if self.take(".*") || self.take("[*]") {
                steps.push(Step::Every);
            } else if self.take(".") {
                steps.push(Step::Name(self.name()?.to_owned()));
            } else if self.take("[") {
                steps.push(self.bracket()?);
            } else {
                return Ok(steps);
            }
        }
    }

    fn name(&mut self) -> Result<&'a str, PathError> {
        let is_in_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let name = self.take_while(is_in_name);
        if name.is_empty() {
            return Err(self.error("expected a name; write others as ['a name']"));
        }
        Ok(name)
    }

    fn bracket(&mut self) -> Result<Step, PathError> {
        let step = if let Some(quote) = ["'", "\""].into_iter().find(|quote| self.take(quote)) {
            let name = self.take_while(|c| !quote.contains(c));
            if !self.take(quote) {
                return Err(self.error("the name does not end"));
            }
            Step::Name(name.to_owned())
        } else {
            let digits = self.take_while(|c| c == '-' || c.is_ascii_digit());
            let index = digits.parse().ok().filter(|index| *index != i64::MIN);
            Step::Index(index.ok_or_else(|| self.error("expected an index, a quoted name or *"))?)
        };
        if self.take("]") {
            return Ok(step);
        }
        Err(self.error("expected ]"))
    }

    fn take(&mut self, word: &str) -> bool {
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn take_while(&mut self, is_wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn error(&self, problem: &'static str) -> PathError {
        let at = 1 + self.text.chars().count() - self.rest.chars().count();
        PathError { at, problem }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_finds_what_is_there() {
        let document = json!({
            "state": "on",
            "items": [{"id": 1, "a b": null}, {"id": 2}],
            "x=y": 3,
        });
        let cases = [
            ("$", json!([document])),
            ("$.state", json!(["on"])),
            ("$.items[0].id", json!([1])),
            ("$.items[-1].id", json!([2])),
            ("$['items'][*]['id']", json!([1, 2])),
            ("$.items[0][\"a b\"]", json!([null])),
            ("$['x=y']", json!([3])),
            ("$.items[0].*", json!([1, null])),
            ("$.items[2]", json!([])),
            ("$.items[-3]", json!([])),
            ("$.state.on", json!([])),
            ("$.state[0]", json!([])),
            ("$.none[*]", json!([])),
        ];
        for (path, expected) in cases {
            let path: JsonPath = path.parse().unwrap();
            assert_eq!(json!(path.find(&document)), expected, "{path:?}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused_with_its_place() {
        for (text, at) in [
            ("", 1),
            ("state", 1),
            ("$.", 3),
            ("$..a", 3),
            ("$.\u{e4} b", 4),
            ("$[", 3),
            ("$[a]", 3),
            ("$[0", 4),
            ("$['a]", 6),
            ("$[99999999999999999999]", 23),
            ("$[-9223372036854775808]", 23),
        ] {
            let error = text.parse::<JsonPath>().unwrap_err();
            assert_eq!(error.at, at, "{text}: {error}");
        }
    }
}
