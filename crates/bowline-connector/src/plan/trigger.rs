//! Triggers: what happens when.

use super::{ActionId, Condition, TriggerId};

/// Runs actions or other triggers at a moment of a subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// `Name`.
    pub name: String,
    /// What it watches, and the moment; `None` fires only when called.
    pub on: Option<(Subject, Moment)>,
    /// When it runs what it has.
    pub condition: Option<Condition>,
    /// What it runs, in order.
    pub content: TriggerContent,
    /// What it runs when the condition does not hold (`else`), in order.
    pub otherwise: TriggerContent,
}

/// What a trigger watches: a part by number, or each (`None`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Commands.
    Command(Option<u32>),
    /// The links: errors, which [`Moment::Error`] names.
    Communication(Option<u32>),
    /// Groups.
    Group(Option<u32>),
    /// Pairs.
    Pair(Option<u32>),
    /// Parameters.
    Parameter(Option<u32>),
    /// The element.
    Protocol,
    /// Responses.
    Response(Option<u32>),
    /// HTTP sessions: opening handshakes.
    Session(Option<u32>),
    /// Timers.
    Timer(Option<u32>),
}

/// When a trigger fires (`Time`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// Before the subject is dealt with.
    Before,
    /// After it was dealt with; of a response, after a full match.
    After,
    /// Once, when the element started.
    AfterStartup,
    /// When a parameter changes.
    Change,
    /// When a parameter was changed by a response, after the whole response is handled.
    ChangeAfterResponse,
    /// When a pair got its reply.
    Succeeded,
    /// When a pair got no reply in time, at each try.
    Timeout,
    /// When a pair got no reply to the last try.
    TimeoutAfterRetries,
    /// When communication fails with this text.
    Error(String),
}

/// What a trigger runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TriggerContent {
    /// Actions.
    Actions(Vec<ActionId>),
    /// Triggers.
    Triggers(Vec<TriggerId>),
}

/// Nothing.
impl Default for TriggerContent {
    fn default() -> Self {
        Self::Actions(Vec::new())
    }
}
