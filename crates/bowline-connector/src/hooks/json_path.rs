//! Paths into JSON.

use serde_json::Value as Json;
use thiserror::Error;

/// A path to one value in JSON: the singular queries of RFC 9535 (section 2.3.5.1).
///
/// | part | means |
/// |---|---|
/// | `$` | the whole, at the beginning of every path |
/// | `.name` | the member `name`: letters, digits, `_`, and what is not ASCII; no digit first |
/// | `['any name']`, `["any name"]` | the member, with `\'`, `\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t` and `\u` with four digits |
/// | `[0]`, `[-1]` | the element, counted from the beginning or from the end |
///
/// Wildcards, slices, filters and `..` name many values; they are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(i64),
}

/// Says where a path is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}, at character {place} of the path", place = .offset + 1)]
pub struct JsonPathError {
    /// Where, in characters from the beginning.
    pub offset: usize,
    /// What is wrong, and what would be right.
    pub message: &'static str,
}

impl JsonPath {
    /// The most steps of a path; JSON is not read deeper either.
    pub const STEPS_MAX: usize = 128;

    /// Reads a path.
    ///
    /// # Errors
    /// [`JsonPathError`] says where it is wrong.
    pub fn parse(text: &str) -> Result<Self, JsonPathError> {
        let characters: Vec<char> = text.chars().collect();
        let mut cursor = Cursor {
            characters: &characters,
            offset: 0,
        };
        if !cursor.take('$') {
            return Err(cursor.wrong("a path begins with $"));
        }
        let mut steps = Vec::new();
        while cursor.peek().is_some() {
            if steps.len() == Self::STEPS_MAX {
                return Err(cursor.wrong("a path has at most 128 steps"));
            }
            steps.push(cursor.step()?);
        }
        Ok(Self { steps })
    }

    /// Finds the value; `None` if there is none at the path.
    pub fn find<'j>(&self, json: &'j Json) -> Option<&'j Json> {
        self.steps.iter().try_fold(json, |json, step| match step {
            Step::Member(name) => json.as_object()?.get(name),
            Step::Element(index) => {
                let elements = json.as_array()?;
                let length = i64::try_from(elements.len()).ok()?;
                let index = if *index < 0 { index + length } else { *index };
                elements.get(usize::try_from(index).ok()?)
            }
        })
    }
}

struct Cursor<'a> {
    characters: &'a [char],
    offset: usize,
}

impl Cursor<'_> {
    fn step(&mut self) -> Result<Step, JsonPathError> {
        if self.take('.') {
            return self.short_name().map(Step::Member);
        }
        if !self.take('[') {
            return Err(self.wrong("expected .name, ['name'] or [0]"));
        }
        let step = match self.peek() {
            Some(quote @ ('\'' | '"')) => {
                self.offset += 1;
                Step::Member(self.quoted(quote)?)
            }
            Some('-' | '0'..='9') => Step::Element(self.index()?),
            Some('*' | '?' | ':' | ',') => {
                return Err(
                    self.wrong("a path names one value: no wildcard, slice, list or filter")
                );
            }
            _ => return Err(self.wrong("expected a name in quotes, or a number")),
        };
        if !self.take(']') {
            return Err(self.wrong("expected ]"));
        }
        Ok(step)
    }

    fn short_name(&mut self) -> Result<String, JsonPathError> {
        let mut name = String::new();
        while let Some(character) = self.peek() {
            let is_first = name.is_empty();
            let fits = character == '_'
                || !character.is_ascii()
                || character.is_ascii_alphabetic()
                || character.is_ascii_digit() && !is_first;
            if !fits {
                break;
            }
            name.push(character);
            self.offset += 1;
        }
        if name.is_empty() {
            return Err(
                self.wrong("expected a name; write ['...'] around one with other characters")
            );
        }
        Ok(name)
    }

    fn quoted(&mut self, quote: char) -> Result<String, JsonPathError> {
        let mut name = String::new();
        loop {
            let character = self
                .next()
                .ok_or_else(|| self.wrong("the name has no end"))?;
            if character == quote {
                return Ok(name);
            }
            let character = if character == '\\' {
                self.escape()?
            } else {
                character
            };
            name.push(character);
        }
    }

    fn escape(&mut self) -> Result<char, JsonPathError> {
        let wrong = self.wrong("after \\ comes one of ' \" \\ / b f n r t u");
        Ok(match self.next() {
            Some(same @ ('\'' | '"' | '\\' | '/')) => same,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => return self.unicode(),
            _ => return Err(wrong),
        })
    }

    /// Reads four hexadecimal digits, and the second half of a surrogate pair.
    fn unicode(&mut self) -> Result<char, JsonPathError> {
        let wrong = self.wrong("\\u takes four hexadecimal digits of a character");
        let first = self.hexadecimal().ok_or_else(|| wrong.clone())?;
        let mut units = vec![first];
        if (0xd800..0xdc00).contains(&first) && self.take('\\') && self.take('u') {
            units.push(self.hexadecimal().ok_or_else(|| wrong.clone())?);
        }
        let mut decoded = char::decode_utf16(units);
        match (decoded.next(), decoded.next()) {
            (Some(Ok(character)), None) => Ok(character),
            _ => Err(wrong),
        }
    }

    fn hexadecimal(&mut self) -> Option<u16> {
        let mut number = 0;
        for _ in 0..4 {
            let digit = u16::try_from(self.next()?.to_digit(16)?).ok()?;
            number = number * 16 + digit;
        }
        Some(number)
    }

    fn index(&mut self) -> Result<i64, JsonPathError> {
        let start = self.offset;
        self.take('-');
        while self
            .peek()
            .is_some_and(|character| character.is_ascii_digit())
        {
            self.offset += 1;
        }
        let digits: String = self
            .characters
            .get(start..self.offset)
            .unwrap_or_default()
            .iter()
            .collect();
        digits.parse().map_err(|_| JsonPathError {
            offset: start,
            message: "expected a number of at most 18 digits",
        })
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.offset).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.offset += 1;
        Some(character)
    }

    fn take(&mut self, wanted: char) -> bool {
        let is_there = self.peek() == Some(wanted);
        if is_there {
            self.offset += 1;
        }
        is_there
    }

    const fn wrong(&self, message: &'static str) -> JsonPathError {
        JsonPathError {
            offset: self.offset,
            message,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_find_one_value() {
        let json = json!({
            "tank": { "level": 3.5, "a b": [10, 20, { "c'd": true }] },
            "ä_1": null,
        });
        let cases = [
            ("$", Some(json.clone())),
            ("$.tank.level", Some(json!(3.5))),
            ("$['tank'][\"level\"]", Some(json!(3.5))),
            ("$.tank['a b'][0]", Some(json!(10))),
            ("$.tank['a b'][-2]", Some(json!(20))),
            (r"$.tank['a\u0020b'][2]['c\'d']", Some(json!(true))),
            ("$.ä_1", Some(json!(null))),
            ("$.tank['a b'][3]", None),
            ("$.tank['a b'][-4]", None),
            ("$.tank[0]", None),
            ("$.tank.level.more", None),
            ("$.other", None),
        ];
        for (path, expected) in cases {
            let found = JsonPath::parse(path).unwrap();
            assert_eq!(found.find(&json), expected.as_ref(), "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused_where_it_is_wrong() {
        let cases = [
            ("", 0),
            ("a", 0),
            ("$a", 1),
            ("$.", 2),
            ("$.1", 2),
            ("$..a", 2),
            ("$.*", 2),
            ("$[", 2),
            ("$[*]", 2),
            ("$[1", 3),
            ("$[1:2]", 3),
            ("$[-]", 2),
            ("$[99999999999999999999]", 2),
            ("$['a]", 5),
            ("$['\\x']", 4),
            ("$['\\ud800']", 5),
            ("$.a b", 3),
        ];
        for (path, offset) in cases {
            let error = JsonPath::parse(path).unwrap_err();
            assert_eq!(error.offset, offset, "{path}: {error}");
        }
        assert!(JsonPath::parse(&format!("${}", ".a".repeat(128))).is_ok());
        assert!(JsonPath::parse(&format!("${}", ".a".repeat(129))).is_err());
    }
}
