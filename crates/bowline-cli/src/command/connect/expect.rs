//! Messages that are waited for.

use std::{borrow::Cow, fmt, str::FromStr};

use bowline::Message;
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::json_path::JsonPath;

/// A text that a message has in it, or a regular expression it matches.
#[derive(Clone, Debug)]
pub(crate) struct Expect(Pattern);

#[derive(Clone, Debug)]
enum Pattern {
    Text(String),
    Regex(Regex),
}

impl FromStr for Expect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let between = text
            .strip_prefix('/')
            .and_then(|text| text.strip_suffix('/'));
        let pattern = match between {
            None if text.is_empty() => return Err("every message has nothing in it".to_owned()),
            None => Pattern::Text(text.to_owned()),
            Some(pattern) => {
                let regex = RegexBuilder::new(pattern)
                    .size_limit(REGEX_SIZE_MAX)
                    .build();
                Pattern::Regex(regex.map_err(|error| error.to_string())?)
            }
        };
        Ok(Self(pattern))
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Pattern::Text(text) => f.write_str(text),
            Pattern::Regex(regex) => write!(f, "/{regex}/"),
        }
    }
}

/// A value at a path of a message of JSON.
#[derive(Clone, Debug)]
pub(crate) struct WaitFor {
    written: String,
    path: JsonPath,
    /// What it is; `None` if anything will do.
    value: Option<Value>,
}

impl FromStr for WaitFor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (path, rest) = JsonPath::parse(text).map_err(|error| error.to_string())?;
        let value = match rest.strip_prefix('=') {
            // What is no JSON is a string that lacks its quotes.
            Some(value) => Some(
                serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned())),
            ),
            None if rest.is_empty() => None,
            None => return Err(format!("expected = or the end of the path, not {rest}")),
        };
        Ok(Self {
            written: text.to_owned(),
            path,
            value,
        })
    }
}

impl fmt::Display for WaitFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl WaitFor {
    fn is_met_by(&self, document: &Value) -> bool {
        let found = self.path.find(document);
        match &self.value {
            Some(value) => found.iter().any(|found| is_same(found, value)),
            None => !found.is_empty(),
        }
    }
}

/// Numbers are the same if their values are: 1 and 1.0.
fn is_same(one: &Value, other: &Value) -> bool {
    one == other || one.is_number() && other.is_number() && one.as_f64() == other.as_f64()
}

/// What has to arrive before the program is content.
#[derive(Debug)]
pub(super) struct Goals {
    /// How many messages are still to come; `None` if that does not matter.
    left: Option<u64>,
    expected: Vec<Expect>,
    waited_for: Vec<WaitFor>,
}

impl Goals {
    pub(super) fn new(count: Option<u64>, expected: &[Expect], waited_for: &[WaitFor]) -> Self {
        Self {
            left: count,
            expected: expected.to_vec(),
            waited_for: waited_for.to_vec(),
        }
    }

    /// Says whether there is anything to wait for.
    pub(super) fn are_set(&self) -> bool {
        self.left.is_some() || !self.expected.is_empty() || !self.waited_for.is_empty()
    }

    /// Takes note of a message that arrived; says whether it was the last that was waited for.
    pub(super) fn meet(&mut self, message: &Message) -> bool {
        if !self.are_set() {
            return false;
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        let text = match message {
            Message::Text(text) => Cow::Borrowed(text.as_str()),
            Message::Binary(payload) => String::from_utf8_lossy(payload),
        };
        self.expected.retain(|expect| match &expect.0 {
            Pattern::Text(wanted) => !text.contains(wanted),
            Pattern::Regex(regex) => !regex.is_match(&text),
        });
        if !self.waited_for.is_empty()
            && let Ok(document) = serde_json::from_str(&text)
        {
            self.waited_for
                .retain(|wanted| !wanted.is_met_by(&document));
        }
        self.missing().is_none()
    }

    /// Says what is still to come, if anything is.
    pub(super) fn missing(&self) -> Option<String> {
        let expected = self
            .expected
            .iter()
            .map(|expect| format!("no message had {expect}"));
        let waited_for = self.waited_for.iter();
        let waited_for = waited_for.map(|wanted| format!("no message had {wanted}"));
        let left = self.left.filter(|left| *left > 0);
        let left = left.map(|left| format!("{left} messages fewer came than --count asks for"));
        let missing: Vec<_> = expected.chain(waited_for).chain(left).collect();
        (!missing.is_empty()).then(|| missing.join("; "))
    }
}

/// Bytes of a compiled regular expression.
const REGEX_SIZE_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn goals(expected: &[&str], waited_for: &[&str]) -> Goals {
        let expected: Vec<Expect> = expected.iter().map(|text| text.parse().unwrap()).collect();
        let waited: Vec<WaitFor> = waited_for
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        Goals::new(None, &expected, &waited)
    }

    #[test]
    fn a_text_is_in_the_message_and_an_expression_matches_it() {
        for (expect, message, is_met) in [
            ("b c", "a b c", true),
            ("b c", "B C", false),
            ("/^a.c$/", "abc", true),
            ("/^a.c$/", "abcd", false),
            ("/", "a/b", true),
            ("/home", "/home/", true),
        ] {
            let met = goals(&[expect], &[]).meet(&Message::text(message));
            assert_eq!(met, is_met, "{expect} {message}");
        }
        assert!("/(/".parse::<Expect>().is_err());
        assert!("".parse::<Expect>().is_err());
    }

    #[test]
    fn a_value_is_compared_as_json_and_without_quotes_as_a_string() {
        for (wait_for, message, is_met) in [
            ("$.a=1", r#"{"a": 1.0}"#, true),
            ("$.a=1", r#"{"a": "1"}"#, false),
            ("$.a=on", r#"{"a": "on"}"#, true),
            ("$.a=\"on\"", r#"{"a": "on"}"#, true),
            ("$.a=null", r#"{"a": null}"#, true),
            ("$.a={\"b\":[1]}", r#"{"a": {"b": [1]}}"#, true),
            ("$.a", r#"{"a": null}"#, true),
            ("$.a", r#"{"b": 1}"#, false),
            ("$[1].a=2", r#"["x", {"a": 2}]"#, true),
            ("$[*].a=2", r#"[{"a": 1}, {"a": 2}]"#, true),
            ("$.a=b=c", r#"{"a": "b=c"}"#, true),
            ("$.a=1", "not JSON", false),
        ] {
            let met = goals(&[], &[wait_for]).meet(&Message::text(message));
            assert_eq!(met, is_met, "{wait_for} {message}");
        }
        assert!("a=1".parse::<WaitFor>().is_err());
        assert!("$.a!=1".parse::<WaitFor>().is_err());
    }

    #[test]
    fn every_goal_has_to_be_met_in_any_order() {
        let mut goals = goals(&["one", "two"], &["$.a=1"]);
        assert!(!goals.meet(&Message::text("two")));
        assert!(!goals.meet(&Message::text(r#"{"a": 1}"#)));
        assert_eq!(goals.missing().as_deref(), Some("no message had one"));
        assert!(goals.meet(&Message::binary(b"one".to_vec())));
        assert_eq!(goals.missing(), None);
    }

    #[test]
    fn messages_are_counted() {
        let mut goals = Goals::new(Some(2), &[], &[]);
        assert!(goals.are_set());
        assert!(!goals.meet(&Message::text("")));
        assert!(goals.meet(&Message::text("")));
        assert!(!Goals::new(None, &[], &[]).are_set());
    }
}
