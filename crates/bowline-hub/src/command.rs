//! What connections and parts of the program want of a shard.

use bowline::server::ConnectionHandle;
use bowline_bus::{BusError, SessionId, Topic, TopicFilter, dialect::clown_talk::Window};
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::{exchange::Entry, outbox::Outbox, participant::Inbox};

/// What a connection or a part of the program wants of the bus.
#[derive(Debug)]
pub(crate) enum Command {
    /// Publishes a value to the sessions of all workers.
    Publish(Entry),
    /// Does something that concerns one shard.
    Do(Order),
}

/// What a shard does by itself.
#[derive(Debug)]
pub(crate) enum Order {
    /// Attaches a session; a listening one is subscribed at once.
    Join {
        newcomer: Box<Newcomer>,
        joined: oneshot::Sender<Result<Joined, BusError>>,
    },
    /// Attaches a session of the program itself, and tells it the retained values at once.
    Hear {
        filter: TopicFilter,
        inbox: Inbox,
        joined: oneshot::Sender<Result<SessionId, BusError>>,
    },
    /// Subscribes a session that was silent; the answer is what it has to be told first, if
    /// anything.
    Listen {
        session: SessionId,
        behind: oneshot::Sender<Option<Outbox>>,
    },
    /// Removes a session.
    Leave { session: SessionId },
    /// Asks for all retained values, if they changed since `revision`.
    Save {
        revision: u64,
        saved: oneshot::Sender<Option<Retained>>,
    },
}

impl From<Order> for Command {
    fn from(order: Order) -> Self {
        Self::Do(order)
    }
}

/// A connection that wants to be a session.
#[derive(Debug)]
pub(crate) struct Newcomer {
    pub(crate) window: Window,
    pub(crate) presence: Presence,
    pub(crate) connection: ConnectionHandle,
    /// Its place among the sessions of all workers.
    pub(crate) place: OwnedSemaphorePermit,
}

/// Says whether a session hears publications from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Listening,
    Silent,
}

/// What a connection gets when it is attached.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) session: SessionId,
    /// What it has to be told first, if anything.
    pub(crate) behind: Option<Outbox>,
}

/// All retained values at one moment.
#[derive(Debug)]
pub(crate) struct Retained {
    pub(crate) revision: u64,
    pub(crate) values: Vec<(Topic, Bytes)>,
}
