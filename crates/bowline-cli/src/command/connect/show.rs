//! What is written to standard output.

use std::io::{self, IsTerminal};

use base64::{Engine, prelude::BASE64_STANDARD};
use bowline::Message;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    form::{Form, hex},
    notices::{Style, Tone},
};
use crate::{
    args::{ExchangeArgs, Timestamps},
    exit::printable,
};

/// Turns what happens into output.
#[derive(Debug)]
pub(super) struct Show {
    form: Form,
    is_json: bool,
    timestamps: Option<Timestamps>,
    style: Style,
    reader: Reader,
    start: Instant,
}

/// Who reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Whoever is at the other end of a pipe, or reads a file.
    Program,
    /// A person at a terminal.
    Person,
    /// A person who types at the same terminal, and has to tell what came from what was typed.
    Typist,
}

impl Reader {
    /// Says who reads standard output.
    pub(super) fn of_output(is_typed_at: bool) -> Self {
        if is_typed_at {
            Self::Typist
        } else if io::stdout().is_terminal() {
            Self::Person
        } else {
            Self::Program
        }
    }
}

impl Show {
    pub(super) fn new(args: &ExchangeArgs, style: Style, reader: Reader) -> Self {
        Self {
            form: Form::new(&args.form),
            is_json: args.show.json,
            timestamps: args.show.timestamps,
            style,
            reader,
            start: Instant::now(),
        }
    }

    /// Says whether binary messages are written in a form that nobody asked for.
    pub(super) fn is_hex_by_default(&self) -> bool {
        self.form == Form::Text && !self.is_json
    }

    /// Writes a message that arrived.
    pub(super) fn message(&self, message: &Message) -> Vec<u8> {
        if self.is_json {
            return self.json_message(message);
        }
        match message {
            Message::Binary(payload)
                if self.form == Form::Binary && self.reader != Reader::Typist =>
            {
                payload.to_vec()
            }
            Message::Binary(payload) => self.line(self.form.text_of(payload).as_bytes()),
            Message::Text(text) => self.line(text.as_payload()),
        }
    }

    /// Writes something other than a message, if such things are written.
    pub(super) fn event<const N: usize>(
        &self,
        event: &str,
        members: [(&str, Value); N],
    ) -> Option<Vec<u8>> {
        self.is_json.then(|| self.json(event, members))
    }

    fn json_message(&self, message: &Message) -> Vec<u8> {
        let (kind, data) = match message {
            Message::Text(text) => ("text", text.as_str().to_owned()),
            Message::Binary(payload) => ("binary", BASE64_STANDARD.encode(payload)),
        };
        self.json("message", [("kind", kind.into()), ("data", data.into())])
    }

    fn json<const N: usize>(&self, event: &str, members: [(&str, Value); N]) -> Vec<u8> {
        let time = match self.timestamps {
            Some(Timestamps::Elapsed) => self.start.elapsed().as_secs_f64().into(),
            Some(Timestamps::Rfc3339) | None => now().into(),
        };
        let mut object = Map::new();
        object.insert("time".to_owned(), time);
        object.insert("event".to_owned(), event.into());
        object.extend(members.map(|(name, value)| (name.to_owned(), value)));
        (without_controls(&Value::Object(object).to_string()) + "\n").into_bytes()
    }

    /// Ends a text with one line feed; one that has its own keeps it.
    fn line(&self, text: &[u8]) -> Vec<u8> {
        let mut line = self.prefix().into_bytes();
        if self.reader == Reader::Program {
            line.extend(text);
        } else {
            line.extend(printable(&String::from_utf8_lossy(text)).into_bytes());
        }
        if text.last() != Some(&b'\n') {
            line.push(b'\n');
        }
        line
    }

    fn prefix(&self) -> String {
        let time = match self.timestamps {
            None => String::new(),
            Some(Timestamps::Rfc3339) => now() + " ",
            Some(Timestamps::Elapsed) => format!("{:.3} ", self.start.elapsed().as_secs_f64()),
        };
        let time = if time.is_empty() {
            time
        } else {
            self.style.paint(Tone::Faint, &time)
        };
        if self.reader == Reader::Typist {
            time + self.style.paint(Tone::Incoming, "< ").as_str()
        } else {
            time
        }
    }
}

/// Escapes the control characters that JSON lets stand, as some terminals obey them.
fn without_controls(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() {
            // All of them are below U+0100.
            escaped += "\\u00";
            escaped += &hex(&[u32::from(c).to_le_bytes()[0]]);
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// The time as in RFC 3339, with milliseconds.
pub(super) fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_holds_no_control_character_and_means_the_same() {
        let value = Value::from("a\u{1b}[2J\u{7f}\u{9b}31m \u{e9}\n");
        let json = without_controls(&value.to_string());
        assert!(!json.contains(char::is_control), "{json:?}");
        assert!(json.contains('\u{e9}'), "{json:?}");
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
    }
}
