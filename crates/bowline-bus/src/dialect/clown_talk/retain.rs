//! Which values are kept for those who come later.

use crate::bus::Retain;

/// Says which publications of Clown.Talk sessions are retained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetainPolicy {
    /// Values on state topics are; see [`is_state_topic`].
    #[default]
    State,
    /// None are.
    Never,
}

impl RetainPolicy {
    /// Decides about one publication, `topic` being relative to the window.
    ///
    /// The payload `null` on a state topic means that there is no value any more and removes the
    /// retained one.
    pub fn decide(self, topic: &str, payload: &str) -> Retain {
        match self {
            Self::Never => Retain::No,
            Self::State if !is_state_topic(topic) => Retain::No,
            Self::State if payload == "null" => Retain::Forget,
            Self::State => Retain::Keep,
        }
    }
}

/// Says whether a topic carries a state, and not a question, an order or an answer.
///
/// State is published on a topic without verb. A topic is no state topic when its last level is a
/// verb (`set`, `get`, `update`, `list`, `scan`, `create` or the answer `ok`) or any level after the
/// first is `config`.
pub fn is_state_topic(topic: &str) -> bool {
    let is_verb = topic
        .rsplit('/')
        .next()
        .is_some_and(|last| VERBS.contains(&last));
    !is_verb && !topic.split('/').skip(1).any(|level| level == "config")
}

/// Last levels that ask, order or answer.
const VERBS: [&str; 7] = ["set", "get", "update", "list", "scan", "create", "ok"];
