//! What goes into the bus, and what comes out of it.

use bytes::Bytes;

use crate::{bus::SessionId, topic::Topic};

/// One value published on one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Where it is published.
    pub topic: Topic,
    /// The value; JSON text in the dialects of this crate. The bus never looks inside.
    pub payload: Bytes,
}

/// Says who publishes and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublishOptions {
    /// The publishing session; none when the caller itself publishes.
    pub publisher: Option<SessionId>,
    /// What becomes of the retained value of the topic.
    pub retain: Retain,
    /// Whether the publisher hears its own publication.
    pub echo: Echo,
    /// How a retained payload is held.
    pub storage: Storage,
}

/// Says what a publication does to the retained value of its topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retain {
    /// Leaves it as it is.
    #[default]
    No,
    /// Replaces it, for those who subscribe later.
    Keep,
    /// Removes it.
    Forget,
}

/// Says how the bus holds a payload that it retains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// As an exact copy. A payload may be a small part of a large read buffer, which must not live
    /// on for its sake.
    #[default]
    Copied,
    /// As it is, shared with whoever else holds it: several buses, for instance.
    Shared,
}

/// Says whether a publisher that is subscribed to the topic receives its own publication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Echo {
    /// It does not.
    #[default]
    No,
    /// It does.
    Yes,
}

/// The whole fan-out of one publication.
#[derive(Debug, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// What was published.
    pub publication: Publication,
    /// Who receives it: each session once, in ascending order.
    pub recipients: &'a [SessionId],
    /// What became of the retained value.
    pub retention: Retention,
}

/// Says what became of the retained value of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Nothing was asked.
    Unchanged,
    /// The value is kept.
    Kept,
    /// The topic has no retained value any more.
    Forgotten,
    /// The store was full. A topic that had a value before keeps none, so that nobody is given a
    /// value that is no longer the last.
    Refused,
}
