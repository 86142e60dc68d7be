//! Messages that both ends can make from a short description.

use std::fmt::{self, Write as _};

use bowline::{Message, MessageKind};
use serde_json::{Value, json};

/// A payload that repeats a unit.
#[derive(Clone, Debug)]
pub(super) struct Repeated {
    kind: MessageKind,
    unit: Vec<u8>,
    count: usize,
}

impl Repeated {
    pub(super) fn text(unit: &str, count: usize) -> Self {
        Self {
            kind: MessageKind::Text,
            unit: unit.into(),
            count,
        }
    }

    pub(super) fn binary(unit: impl Into<Vec<u8>>, count: usize) -> Self {
        Self {
            kind: MessageKind::Binary,
            unit: unit.into(),
            count,
        }
    }

    pub(super) const fn kind(&self) -> MessageKind {
        self.kind
    }

    pub(super) fn kind_name(&self) -> &'static str {
        match self.kind {
            MessageKind::Text => "text",
            MessageKind::Binary => "binary",
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.unit.len() * self.count
    }

    pub(super) fn payload(&self) -> Vec<u8> {
        self.unit.repeat(self.count)
    }

    pub(super) fn message(&self) -> Message {
        match self.kind {
            MessageKind::Text => Message::text(String::from_utf8(self.payload()).unwrap()),
            MessageKind::Binary => Message::binary(self.payload()),
        }
    }

    /// Describes the message in a command to a peer; `cuts` are where fragments end.
    pub(super) fn command(&self, verb: &str, cuts: &[usize]) -> Value {
        let mut command = json!({
            "do": verb,
            "kind": self.kind_name(),
            "unit": to_hex(&self.unit),
            "count": self.count,
        });
        if !cuts.is_empty() {
            command["cuts"] = json!(cuts);
        }
        command
    }
}

impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind_name();
        let start = self.unit[..self.unit.len().min(20)].escape_ascii();
        write!(f, "{kind}: {} times \"{start}\"...", self.count)
    }
}

/// Makes bytes that look random and are the same in every run.
pub(super) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

pub(super) fn from_hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    pairs
        .iter()
        .map(|[high, low]| digit(*high) << 4 | digit(*low))
        .collect()
}
