//! The connections of a group.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::server::{handle::ConnectionHandle, id::ConnectionId};

/// Holds handles in several parts, each with a lock of its own.
#[derive(Debug, Default)]
pub(super) struct Members {
    parts: [Mutex<HashMap<ConnectionId, ConnectionHandle>>; PARTS],
    len: AtomicUsize,
    hasher: RandomState,
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    pub(super) fn join(&self, connection: ConnectionHandle) {
        let joined = self.with_part(connection.id(), |part| {
            part.insert(connection.id(), connection)
        });
        if joined.is_none() {
            self.len.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn leave(&self, id: ConnectionId) {
        let left = self.with_part(id, |part| {
            let left = part.remove(&id);
            // What a crowd needed is given back when it is gone.
            if part.capacity() > SPARE_LEN_MIN && part.len() < part.capacity() / 4 {
                part.shrink_to(part.len() * 2);
            }
            left
        });
        if left.is_some() {
            self.len.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Calls `act` with each member, while no lock is held: it may do anything with the group.
    pub(super) fn for_each(&self, mut act: impl FnMut(&ConnectionHandle)) {
        for part in &self.parts {
            let part = part.lock().unwrap_or_else(PoisonError::into_inner);
            let connections: Vec<_> = part.values().cloned().collect();
            drop(part);
            connections.iter().for_each(&mut act);
        }
    }

    fn with_part<R>(
        &self,
        id: ConnectionId,
        change: impl FnOnce(&mut HashMap<ConnectionId, ConnectionHandle>) -> R,
    ) -> R {
        let index = usize::try_from(self.hasher.hash_one(id) % PARTS as u64).unwrap_or(0);
        let part = self
            .parts
            .get(index)
            .expect("the index is within the parts");
        change(&mut part.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

const PARTS: usize = 16;
/// A part this small is not worth shrinking.
const SPARE_LEN_MIN: usize = 64;
