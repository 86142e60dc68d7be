//! What is wrong with a recorded conversation.

use std::io;

use thiserror::Error;

/// Says what is wrong with a recorded conversation, and where.
#[derive(Debug, Error)]
#[error("line {line}{}: {problem}", in_column(*.column))]
pub(crate) struct ConversationError {
    /// Counts from 1.
    pub(crate) line: u64,
    /// Counts bytes from 1; 0 for the line as a whole.
    pub(crate) column: usize,
    #[source]
    pub(crate) problem: Problem,
}

/// What is wrong with a line.
#[derive(Debug, Error)]
pub(crate) enum Problem {
    /// The file has no line at all.
    #[error("the file is empty; a conversation begins with {{\"conversation\":1}}")]
    Empty,
    /// The first line is another one.
    #[error("this is not a recorded conversation; one begins with {{\"conversation\":1}}")]
    NoConversation,
    /// The version is not known here.
    #[error("this is a conversation of version {0}; this program reads version 1")]
    Version(u64),
    /// The line is not what belongs there.
    #[error("{0}")]
    Json(String),
    /// The line is that of a message without one.
    #[error("data is missing")]
    NoData,
    /// A member is not there.
    #[error("{0} is missing, or not what belongs there")]
    Missing(&'static str),
    /// The first line does not say which element it is about.
    #[error("this is no conversation of an element; `bowline run --record FILE` writes one")]
    NoElement,
    /// The file is longer than is read.
    #[error("the conversation is longer than {0} bytes")]
    RecordTooLong(usize),
    /// Data is not base64.
    #[error("the data is not base64: {0}")]
    Base64(base64::DecodeError),
    /// The time is negative or no number of seconds.
    #[error("t is a number of seconds, 0 or more")]
    Time,
    /// The line is longer than is read.
    #[error("the line is longer than {0} bytes")]
    TooLong(u64),
    /// The file cannot be read.
    #[error("{0}")]
    Read(io::Error),
}

fn in_column(column: usize) -> String {
    match column {
        0 => String::new(),
        column => format!(", column {column}"),
    }
}
