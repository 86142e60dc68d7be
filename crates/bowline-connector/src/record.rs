//! What goes into an element and what comes out of it, for those who keep a record.
//!
//! A record of all [`Happening`]s is enough to play an element again, without a device and without
//! waiting: see [`Replay`](crate::replay::Replay).

use std::{fmt, time::Duration};

use bytes::Bytes;

use crate::{
    machine::{Answer, Attempt, AttemptError, Loss, Value},
    plan::{LinkId, MessageKind, ParameterId, TriggerId},
};

/// Takes down what happens to one element.
///
/// It is called on the element's task, which waits for it: that way nothing is left out.
pub trait Recorder: fmt::Debug + Send + Sync {
    /// Takes down what the element begins with: its saved values, and what decides the random starts
    /// of its timers.
    fn begin(&self, saved: &[(ParameterId, Value)], seed: u64);

    /// Takes down what happened, and when: the time since the element started.
    fn note(&self, at: Duration, happening: &Happening);
}

/// Something that went in or came out.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// It went in.
    In(Input),
    /// It came out.
    Out(Output),
}

/// Something that goes into an element.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// An attempt to open a link begins; what it is made of comes out.
    Attempt(LinkId),
    /// A link is open.
    Opened {
        /// The link.
        link: LinkId,
        /// What the server answered.
        answer: Answer,
    },
    /// An attempt failed.
    Failed {
        /// The link.
        link: LinkId,
        /// Why.
        loss: Loss,
        /// What the server answered, if it did.
        answer: Option<Answer>,
    },
    /// A link that was open is not any more.
    Closed {
        /// The link.
        link: LinkId,
        /// Why.
        loss: Loss,
    },
    /// A message arrived.
    Message {
        /// The link.
        link: LinkId,
        /// The opcode.
        kind: MessageKind,
        /// The bytes.
        payload: Bytes,
    },
    /// A person set a parameter.
    Set(ParameterId, String),
    /// Code from outside set a parameter.
    Assigned(ParameterId, Value),
    /// Code from outside fired a trigger.
    Fired(TriggerId),
    /// A link was to be made anew.
    Reconnect(LinkId),
    /// Something was due, and done.
    Tick,
    /// The element stopped.
    End,
}

/// Something that comes out of an element.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// What an attempt to open a link is made of, or why it cannot be made.
    Attempt(LinkId, Result<Attempt, AttemptError>),
    /// A message for the device.
    Message {
        /// The link.
        link: LinkId,
        /// The opcode.
        kind: MessageKind,
        /// The bytes.
        payload: Bytes,
        /// Whether the link took it; only known of an element that runs.
        is_sent: bool,
    },
    /// A value changed.
    Changed(ParameterId, Value),
}
