//! What is broadcast in one batch, and taken by each recipient when the batch ends.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bowline_proto::{PreparedBatch, PreparedMessage};

/// The messages that one batch broadcasts to the same connections.
///
/// A connection that can take some more messages *joins*, instead of being given each. Whoever acts
/// on it next has it take its share first, so that nothing overtakes; it has then *left*, and is
/// asked again before the next message. At the end of the batch all that are left take theirs, one
/// after the other.
///
/// The lock of a connection may be held while the lock of a round is taken, never the other way.
#[derive(Debug, Default)]
pub(crate) struct Round {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    messages: Vec<PreparedMessage>,
    /// The places of those who left since this was last asked.
    left: Vec<Place>,
    /// With which message the share of those begins who joined later or again.
    late: BTreeMap<Place, usize>,
}

/// Tells the connections of a round apart.
pub(crate) type Place = u32;

/// A connection's part in a round.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) round: Arc<Round>,
    pub(crate) place: Place,
}

/// What the connections of a round get that has ended.
#[derive(Debug)]
pub(crate) struct Shares {
    whole: PreparedBatch,
    late: BTreeMap<Place, usize>,
}

impl Round {
    /// Adds a message; gives its number, and who left before.
    pub(crate) fn add(&self, message: PreparedMessage) -> (usize, Vec<Place>) {
        let mut state = self.lock();
        state.messages.push(message);
        (state.messages.len() - 1, std::mem::take(&mut state.left))
    }

    /// Notes with which message the share of a connection begins, before it joins.
    pub(crate) fn begin(&self, place: Place, first: usize) {
        let late = &mut self.lock().late;
        if first > 0 {
            late.insert(place, first);
        }
    }

    /// Has a connection take its share and leave.
    pub(crate) fn leave(&self, place: Place, take: impl FnMut(&PreparedMessage)) {
        let mut state = self.lock();
        let first = state.late.get(&place).copied().unwrap_or_default();
        state.messages.iter().skip(first).for_each(take);
        state.left.push(place);
    }

    /// Says what everybody gets; nothing is added any more.
    pub(crate) fn end(&self) -> Shares {
        let state = self.lock();
        Shares {
            whole: state.messages.clone().into(),
            late: state.late.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shares {
    /// Calls `give` with the share of a connection.
    pub(crate) fn give<R>(&self, place: Place, give: impl FnOnce(&PreparedBatch) -> R) -> R {
        match self.late.get(&place) {
            None => give(&self.whole),
            Some(first) => {
                let share = self.whole.messages().iter().skip(*first).cloned();
                give(&share.collect())
            }
        }
    }
}
