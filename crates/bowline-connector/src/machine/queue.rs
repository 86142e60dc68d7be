//! The queue of groups.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;

use crate::plan::{GroupId, PairId, QueueVerb, TimerId};

/// The groups that wait for their turn.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    bytes: usize,
}

/// A group that waits.
#[derive(Debug)]
pub(super) struct Entry {
    /// What will run.
    pub(super) work: Work,
    /// Who added it.
    pub(super) origin: Origin,
    /// The pause between its items.
    pub(super) interval: Duration,
    /// Messages that were composed when it was added.
    pub(super) composed: Vec<(PairId, Bytes)>,
}

/// What waits in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// A group.
    Group(GroupId),
    /// The pair a silent device is pinged with.
    Ping(PairId),
}

/// Who added something to the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A timer.
    Timer(TimerId),
    /// The action that forces; nothing ran at that time.
    Forced,
    /// Anything else.
    Other,
}

/// Says that the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct QueueFull;

impl Queue {
    /// Adds what a timer asks for: at the end, unless it is there already.
    pub(super) fn add_of_timer(&mut self, entry: Entry) -> Result<(), QueueFull> {
        if self.contains(entry.work) {
            return Ok(());
        }
        self.insert(self.entries.len(), entry)
    }

    /// Adds what an action asks for.
    pub(super) fn add(&mut self, entry: Entry, verb: QueueVerb) -> Result<(), QueueFull> {
        if is_once(verb) && self.contains(entry.work) {
            return Ok(());
        }
        let place = match verb {
            QueueVerb::AddToExecute | QueueVerb::ExecuteOne => self.entries.len(),
            QueueVerb::Execute | QueueVerb::ExecuteOneNow => {
                self.count_until(|entry| matches!(entry.origin, Origin::Timer(_)))
            }
            QueueVerb::ExecuteNext | QueueVerb::ExecuteOneTop => 0,
            QueueVerb::ForceExecute => self.count_until(|entry| entry.origin != Origin::Forced),
        };
        self.insert(place, entry)
    }

    /// Takes what comes next.
    pub(super) fn take(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.bytes();
        Some(entry)
    }

    /// Says whether it waits already.
    pub(super) fn contains(&self, work: Work) -> bool {
        self.entries.iter().any(|entry| entry.work == work)
    }

    /// Says whether something of a timer waits.
    pub(super) fn holds_of(&self, timer: TimerId) -> bool {
        let origin = Origin::Timer(timer);
        self.entries.iter().any(|entry| entry.origin == origin)
    }

    /// Goes through what waits, the next one first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Gives how many wait.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn count_until(&self, stops: impl Fn(&Entry) -> bool) -> usize {
        self.entries
            .iter()
            .position(stops)
            .unwrap_or(self.entries.len())
    }

    fn insert(&mut self, place: usize, entry: Entry) -> Result<(), QueueFull> {
        let bytes = self.bytes + entry.bytes();
        if self.entries.len() >= QUEUE_GROUPS_MAX || bytes > QUEUE_BYTES_MAX {
            return Err(QueueFull);
        }
        self.bytes = bytes;
        self.entries.insert(place, entry);
        Ok(())
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        self.composed.iter().map(|(_, bytes)| bytes.len()).sum()
    }
}

/// Says whether a verb does nothing for what waits already.
pub(super) fn is_once(verb: QueueVerb) -> bool {
    match verb {
        QueueVerb::ExecuteOne | QueueVerb::ExecuteOneNow | QueueVerb::ExecuteOneTop => true,
        QueueVerb::AddToExecute
        | QueueVerb::Execute
        | QueueVerb::ExecuteNext
        | QueueVerb::ForceExecute => false,
    }
}

/// Says whether a verb puts groups at the front.
pub(super) fn is_front(verb: QueueVerb) -> bool {
    match verb {
        QueueVerb::ExecuteNext | QueueVerb::ExecuteOneTop => true,
        QueueVerb::AddToExecute
        | QueueVerb::Execute
        | QueueVerb::ExecuteOne
        | QueueVerb::ExecuteOneNow
        | QueueVerb::ForceExecute => false,
    }
}

/// How many groups may wait: a connector that polls faster than its device answers stops here.
pub const QUEUE_GROUPS_MAX: usize = 1000;

/// How many bytes of composed messages may wait.
pub const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
