//! Events that own what they report.

use std::time::Duration;

use bowline_proto::{Close, Ending, Event, MessageKind};

/// Holds an event after the buffer it borrowed is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Collected {
    /// A whole message.
    Message(MessageKind, Vec<u8>),
    /// A piece of a message.
    Fragment {
        /// The kind of its message.
        kind: MessageKind,
        /// The bytes.
        payload: Vec<u8>,
        /// The first piece.
        start: bool,
        /// The last piece.
        end: bool,
    },
    /// A ping.
    Ping(Vec<u8>),
    /// A pong with the round-trip time it measured.
    Pong(Vec<u8>, Option<Duration>),
    /// The peer's close frame.
    Close(Option<Close>),
    /// The end.
    Closed(Ending),
}

impl Collected {
    /// Makes a text message.
    pub fn text(text: &str) -> Self {
        Self::Message(MessageKind::Text, text.as_bytes().to_vec())
    }

    /// Makes a binary message.
    pub fn binary(payload: &[u8]) -> Self {
        Self::Message(MessageKind::Binary, payload.to_vec())
    }
}

impl From<Event<'_>> for Collected {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Message(message) => Self::Message(message.kind(), message.payload().to_vec()),
            Event::Fragment(fragment) => Self::Fragment {
                kind: fragment.kind,
                payload: fragment.payload.to_vec(),
                start: fragment.message_start,
                end: fragment.message_end,
            },
            Event::Ping(payload) => Self::Ping(payload.to_vec()),
            Event::Pong {
                payload,
                round_trip,
            } => Self::Pong(payload.to_vec(), round_trip),
            Event::Close(close) => Self::Close(close),
            Event::Closed(ending) => Self::Closed(ending),
        }
    }
}

/// Joins the pieces of each message, as far as nothing came between them.
///
/// What is left does not depend on how the stream was cut: an unfinished message is one piece,
/// and where a control frame came between, so is each side of it. Sides that hold nothing vanish.
pub fn joined(events: &[Collected]) -> Vec<Collected> {
    let mut joined: Vec<Collected> = Vec::new();
    for event in events {
        if let (
            Some(Collected::Fragment {
                payload: before,
                end: ended @ false,
                ..
            }),
            Collected::Fragment {
                payload,
                start: false,
                end,
                ..
            },
        ) = (joined.last_mut(), event)
        {
            before.extend_from_slice(payload);
            *ended = *end;
        } else {
            joined.push(event.clone());
        }
    }
    joined
}
