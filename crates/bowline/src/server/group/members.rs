//! The connections of a group.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::server::{handle::ConnectionHandle, id::ConnectionId};

/// Holds handles in several parts, each with a lock of its own.
#[derive(Debug, Default)]
pub(super) struct Members {
    parts: [Mutex<Part>; PARTS],
    len: AtomicUsize,
    /// Grows when one joins or leaves.
    version: AtomicUsize,
}

#[derive(Debug, Default)]
struct Part {
    handles: HashMap<ConnectionId, ConnectionHandle>,
    /// The same in a row, made when it is asked for and valid until one joins or leaves.
    row: Option<Arc<[ConnectionHandle]>>,
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Gives a number that is another one once somebody joined or left.
    pub(super) fn version(&self) -> usize {
        self.version.load(Ordering::Acquire)
    }

    pub(super) fn join(&self, connection: ConnectionHandle) {
        let joined = self.with_part(connection.id(), |part| {
            part.row = None;
            part.handles.insert(connection.id(), connection)
        });
        if joined.is_none() {
            self.len.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn leave(&self, id: ConnectionId) {
        let left = self.with_part(id, |part| {
            part.row = None;
            let handles = &mut part.handles;
            let left = handles.remove(&id);
            // What a crowd needed is given back when it is gone.
            if handles.capacity() > SPARE_LEN_MIN && handles.len() < handles.capacity() / 4 {
                handles.shrink_to(handles.len() * 2);
            }
            left
        });
        if left.is_some() {
            self.len.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Calls `act` with each member, while no lock is held: it may do anything with the group.
    pub(super) fn for_each(&self, mut act: impl FnMut(&ConnectionHandle)) {
        for row in self.rows() {
            row.iter().for_each(&mut act);
        }
    }

    /// Gives the members in some rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = Arc<[ConnectionHandle]>> {
        self.parts.iter().map(|part| {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            let Part { handles, row } = &mut *part;
            Arc::clone(row.get_or_insert_with(|| in_a_row(handles)))
        })
    }

    fn with_part<R>(&self, id: ConnectionId, change: impl FnOnce(&mut Part) -> R) -> R {
        // Those who come one after the other stay together.
        let index = usize::try_from(id.arrival() / NEIGHBOURS % PARTS as u64).unwrap_or(0);
        let part = self
            .parts
            .get(index)
            .expect("the index is within the parts");
        let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
        self.version.fetch_add(1, Ordering::Release);
        change(&mut part)
    }
}

/// Lists connections in the order in which they came. Their memory lies in about that order too, in
/// the program and in the system, which makes going through thousands of them cheaper.
fn in_a_row(handles: &HashMap<ConnectionId, ConnectionHandle>) -> Arc<[ConnectionHandle]> {
    let mut row: Vec<_> = handles.values().cloned().collect();
    row.sort_unstable_by_key(|connection| connection.id().arrival());
    row.into()
}

const PARTS: usize = 16;
/// How many that come one after the other are in the same part.
const NEIGHBOURS: u64 = 64;
/// A part this small is not worth shrinking.
const SPARE_LEN_MIN: usize = 64;
