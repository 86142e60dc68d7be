//! What happens to an element.

use std::time::SystemTime;

use bytes::Bytes;

use crate::{
    machine::{AlarmLevel, Level, Loss, Value},
    plan::{LinkId, MessageKind, ParameterId},
};

/// Something that happened to an element.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ElementEvent {
    /// A value changed.
    Changed {
        /// When.
        at: SystemTime,
        /// The parameter.
        parameter: ParameterId,
        /// Its new value.
        value: Value,
        /// The alarm the value is, if it is one.
        alarm: Option<AlarmLevel>,
    },
    /// A link is in another state.
    Link {
        /// When.
        at: SystemTime,
        /// The link.
        link: LinkId,
        /// Its new state.
        state: LinkState,
    },
    /// A link ended, or an attempt to make one failed. Of attempts that fail for the same reason one
    /// after the other, the first.
    LinkLost {
        /// When.
        at: SystemTime,
        /// The link.
        link: LinkId,
        /// Whether it had been open.
        was_open: bool,
        /// How.
        loss: Loss,
    },
    /// The element or a link is better or worse.
    Health {
        /// When.
        at: SystemTime,
        /// The link; `None` is the element.
        link: Option<LinkId>,
        /// How it is now.
        level: Level,
    },
    /// A message went out or came in.
    Message(StreamMessage),
    /// Something for people to know.
    Notice {
        /// When.
        at: SystemTime,
        /// What.
        text: String,
    },
    /// So many events were lost here, as they were not taken in time.
    Lost(u64),
}

/// A message in the stream view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamMessage {
    /// When it was received, or given to the link.
    pub at: SystemTime,
    /// The link.
    pub link: LinkId,
    /// Where it went.
    pub direction: Direction,
    /// Its opcode.
    pub kind: MessageKind,
    /// Its payload, cut to [`ViewLimits::payload_max`](super::ViewLimits::payload_max).
    pub payload: Bytes,
    /// How long it is in whole, in bytes.
    pub length: usize,
}

/// Where a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the device.
    In,
    /// To the device.
    Out,
    /// It should have gone to the device, but did not: the link was not open, its queue was full, or
    /// the message is no text although its command says so.
    NotSent,
}

/// What a link is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// Nothing, until it is told to.
    #[default]
    Closed,
    /// It is being made.
    Connecting,
    /// There is one.
    Open,
    /// The next attempt is due later.
    Waiting,
}

impl LinkState {
    /// Gives one word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::Waiting => "waiting",
        }
    }
}
