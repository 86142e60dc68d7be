//! Commands, responses, and pairs of them.

use std::time::Duration;

use bowline::MessageKind;

use super::{CommandId, Condition, LinkId, ParameterId, ResponseId};

/// A message to send: the bytes of its parameters, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// `Name`.
    pub name: String,
    /// `WebSocketMessageType`.
    pub kind: MessageKind,
    /// The parameters, in order.
    pub content: Vec<ParameterId>,
}

/// A message that may come: its bytes go to the parameters, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// `Name`.
    pub name: String,
    /// The link whose messages it takes; `None` takes those of any.
    pub link: Option<LinkId>,
    /// The parameters, in order.
    pub content: Vec<ParameterId>,
    /// The parameters that may be absent (`Content@optional`).
    pub optional: Vec<ParameterId>,
}

/// A command and the responses that answer it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// `Name`.
    pub name: String,
    /// What is sent.
    pub command: CommandId,
    /// What answers it; none makes it a push: nothing is awaited.
    pub responses: Vec<ResponseId>,
    /// What says that the command was bad.
    pub bad_responses: Vec<ResponseId>,
    /// The link (`connection:N`); `None` is the group's.
    pub link: Option<LinkId>,
    /// How often the command is sent again (`retries:N`); `None` is the link's.
    pub retries: Option<u32>,
    /// How long a reply may take; `None` is the link's.
    pub timeout: Option<Duration>,
    /// Whether a missing reply says nothing about the element (`ignoreTimeout`).
    pub ignores_timeout: bool,
    /// Whether it is what a silent device is pinged with.
    pub is_ping: bool,
    /// When it is run.
    pub condition: Option<Condition>,
}
