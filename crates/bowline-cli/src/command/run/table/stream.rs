//! The last messages of all elements.

use std::collections::VecDeque;

use bowline_connector::runner::StreamMessage;

use super::super::line;
use crate::elements::shown;

/// Messages as lines, the last ones.
#[derive(Debug, Default)]
pub(super) struct Stream {
    lines: VecDeque<String>,
}

impl Stream {
    /// Adds a message of an element.
    pub(super) fn add(&mut self, element: &str, message: &StreamMessage) {
        let beginning = message.payload.get(..PAYLOAD_SHOWN_MAX);
        let payload = beginning.unwrap_or(&message.payload);
        let at = line::time(message.at);
        // The day is not of interest.
        let at = at.get(11..).unwrap_or(&at);
        let (word, kind, link) = (line::word(message), line::kind(message), message.link.0);
        let text = line::one_line(&shown::payload(payload));
        let rest = line::rest_of(message);
        self.lines.push_back(format!(
            "{at} {element} {link} {word:3} {kind} {text}{rest}"
        ));
        if self.lines.len() > LINES_MAX {
            self.lines.pop_front();
        }
    }

    /// Gives so many lines that end so many before the last one, the oldest first.
    pub(super) fn window(&self, height: usize, above: usize) -> impl Iterator<Item = &str> {
        let end = self.lines.len().saturating_sub(above);
        let start = end.saturating_sub(height);
        let lines = self.lines.iter().take(end).skip(start);
        lines.map(String::as_str)
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }
}

const LINES_MAX: usize = 1000;
/// Bytes that are shown of a message.
const PAYLOAD_SHOWN_MAX: usize = 2048;
