//! What the engine reports.

use std::time::Duration;

use crate::{
    ending::Ending,
    frame::Close,
    message::{Message, MessageKind, Payload},
};

/// Reports one thing that happened on a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole message arrived (message view).
    Message(Message<'a>),
    /// A piece of a message arrived (fragment view), or a whole frame of one (frame view).
    Fragment(Fragment<'a>),
    /// A ping arrived. In automatic mode its pong is already queued.
    Ping(Payload<'a>),
    /// A pong arrived, asked for or not.
    Pong {
        /// What the ping carried.
        payload: Payload<'a>,
        /// The round-trip time, if this answers the last keepalive ping.
        round_trip: Option<Duration>,
    },
    /// The peer's close frame arrived. Its answer is already queued.
    Close(Option<Close>),
    /// The connection is over. This is the last event.
    Closed(Ending),
}

impl Event<'_> {
    /// Takes the event out of the borrow, copying its payload only if it is borrowed.
    pub fn into_owned(self) -> Event<'static> {
        match self {
            Self::Message(message) => Event::Message(message.into_owned()),
            Self::Fragment(fragment) => Event::Fragment(fragment.into_owned()),
            Self::Ping(payload) => Event::Ping(payload.into_owned()),
            Self::Pong {
                payload,
                round_trip,
            } => Event::Pong {
                payload: payload.into_owned(),
                round_trip,
            },
            Self::Close(close) => Event::Close(close),
            Self::Closed(ending) => Event::Closed(ending),
        }
    }
}

/// Carries a piece of a message as it arrived: a frame, or as much of one as is there.
#[derive(Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// The kind of the message the piece belongs to.
    pub kind: MessageKind,
    /// The bytes, inflated. Pieces of a text may split a character; the text is validated across
    /// them.
    pub payload: Payload<'a>,
    /// The piece is the first of its message.
    pub message_start: bool,
    /// The piece is the last of its message.
    pub message_end: bool,
    /// The piece ends a frame. A compressed message counts as one frame: where it was cut says
    /// nothing about what it holds. In the fragment view an empty frame gives no piece unless it is
    /// the last of its message.
    pub frame_end: bool,
}

impl Fragment<'_> {
    /// Takes the piece out of the borrow, copying its payload only if it is borrowed.
    pub fn into_owned(self) -> Fragment<'static> {
        let Self {
            kind,
            payload,
            message_start,
            message_end,
            frame_end,
        } = self;
        Fragment {
            kind,
            payload: payload.into_owned(),
            message_start,
            message_end,
            frame_end,
        }
    }
}
