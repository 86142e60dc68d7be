//! The codec: lines to messages and back.

use std::borrow::Cow;

use serde_json::value::RawValue;
use thiserror::Error;

use crate::topic::TopicError;

/// One understood message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The first member; not yet checked to be a topic.
    pub topic: String,
    /// The second member: its JSON text exactly as it came.
    pub payload: &'a str,
}

/// What one line holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Nothing but white space.
    Empty,
    /// A log line: the text after the `#`.
    Log(&'a str),
    /// A message.
    Message(Message<'a>),
}

/// Says which payloads are understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayloadMode {
    /// Any JSON value, `null` too.
    #[default]
    AnyJson,
    /// JSON objects only, as the first generation of bridges demands.
    Object,
}

/// Bounds and mode of [`parse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseLimits {
    /// Which payloads are understood.
    pub payload: PayloadMode,
    /// Bytes of one line. Default 1 MiB.
    pub line_length_max: usize,
    /// Arrays and objects inside each other in a payload, so that whoever parses it next can do so
    /// in a shallow stack. Default 64.
    pub depth_max: u16,
}

impl Default for ParseLimits {
    fn default() -> Self {
        Self {
            payload: PayloadMode::default(),
            line_length_max: 1 << 20,
            depth_max: 64,
        }
    }
}

/// Says why a line is not understood. The sender is at fault; the line is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The message is not UTF-8.
    #[error("the message is not UTF-8 text")]
    NotUtf8,
    /// The line is longer than [`ParseLimits::line_length_max`].
    #[error("the line has {length} bytes; the limit is {max}")]
    TooLong {
        /// Bytes of the line.
        length: usize,
        /// The limit.
        max: usize,
    },
    /// The line is not one JSON value.
    #[error("the line is not JSON (column {column})")]
    NotJson {
        /// Where the parser gave up, counted in bytes from 1.
        column: usize,
    },
    /// The line is JSON, but not an array of a string and a second value.
    #[error("the line is not [\"topic\", payload]")]
    NotPair,
    /// The payload is not an object, which [`PayloadMode::Object`] demands.
    #[error("the payload is not a JSON object")]
    NotObject,
    /// The payload is nested deeper than [`ParseLimits::depth_max`].
    #[error("the payload is nested deeper than {max} levels")]
    TooDeep {
        /// The limit.
        max: u16,
    },
    /// The topic breaks a rule of topics.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// The topic is reserved for the bus.
    #[error("topics that begin with '$' are reserved")]
    Reserved,
    /// The session is strict and the init message has not come yet.
    #[error("the init message has not come yet")]
    BeforeInit,
}

/// Says why a publication cannot be told in this dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The payload is not JSON text.
    #[error("the payload is not JSON text")]
    NotJson,
}

/// Splits the text of one message into lines, without their line feeds.
pub fn lines(message: &str) -> impl Iterator<Item = &str> {
    message.split_terminator('\n')
}

/// Reads one line, in time linear in its length.
///
/// # Errors
///
/// [`Malformed`] when the line is neither empty, nor a log line, nor a message within `limits`.
pub fn parse<'a>(line: &'a str, limits: &ParseLimits) -> Result<Line<'a>, Malformed> {
    let line = line.trim_matches(WHITE_SPACE);
    if line.is_empty() {
        return Ok(Line::Empty);
    }
    if let Some(log) = line.strip_prefix('#') {
        return Ok(Line::Log(log));
    }
    if line.len() > limits.line_length_max {
        return Err(Malformed::TooLong {
            length: line.len(),
            max: limits.line_length_max,
        });
    }
    let (topic, payload) =
        serde_json::from_str::<(String, &RawValue)>(line).map_err(|_| explain(line))?;
    let payload = payload.get();
    if limits.payload == PayloadMode::Object && !payload.starts_with('{') {
        return Err(Malformed::NotObject);
    }
    check_depth(payload, limits.depth_max)?;
    Ok(Line::Message(Message { topic, payload }))
}

/// Writes one message as a line that ends in a line feed.
///
/// The payload goes out as it is, except that line feeds between its tokens become spaces.
///
/// # Errors
///
/// [`EncodeError::NotJson`] when the payload is not one JSON value.
pub fn encode(topic: &str, payload: &[u8]) -> Result<String, EncodeError> {
    let payload: &RawValue = serde_json::from_slice(payload).map_err(|_| EncodeError::NotJson)?;
    let payload = one_line(payload.get());
    // Writing a string as JSON cannot fail.
    let topic = serde_json::Value::from(topic).to_string();
    Ok(format!("[{topic}, {payload}]\n"))
}

/// Replaces the line breaks of a JSON text, which can only stand between tokens.
fn one_line(json: &str) -> Cow<'_, str> {
    if json.contains(['\n', '\r']) {
        Cow::Owned(json.replace(['\n', '\r'], " "))
    } else {
        Cow::Borrowed(json)
    }
}

/// Finds out why a line that is not a message is none.
fn explain(line: &str) -> Malformed {
    match serde_json::from_str::<&RawValue>(line) {
        Ok(_) => Malformed::NotPair,
        Err(error) => Malformed::NotJson {
            column: error.column(),
        },
    }
}

/// Checks the nesting of a text that is known to be JSON.
fn check_depth(json: &str, max: u16) -> Result<(), Malformed> {
    let mut depth = 0_u16;
    let mut place = Place::Outside;
    for byte in json.bytes() {
        place = match (place, byte) {
            (Place::Outside, b'[' | b'{') => {
                if depth >= max {
                    return Err(Malformed::TooDeep { max });
                }
                depth += 1;
                Place::Outside
            }
            (Place::Outside, b']' | b'}') => {
                depth = depth.saturating_sub(1);
                Place::Outside
            }
            (Place::Outside, b'"') | (Place::Escape, _) => Place::String,
            (Place::String, b'"') | (Place::Outside, _) => Place::Outside,
            (Place::String, b'\\') => Place::Escape,
            (Place::String, _) => Place::String,
        };
    }
    Ok(())
}

/// Where [`check_depth`] is in the JSON text.
#[derive(Clone, Copy)]
enum Place {
    Outside,
    String,
    Escape,
}

/// White space of JSON.
const WHITE_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];
