//! The table of live connections, by number.

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

use super::{
    entry::Entry,
    handle::ConnectionHandle,
    id::{ConnectionId, GENERATION_MAX, Place, SHARDS_MAX, SLOTS_MAX},
};

/// Finds connections by their number, from any thread.
///
/// A look-up locks one of many shards, for reading and for an instant. Clones share the table.
#[derive(Clone)]
pub struct Registry {
    table: Arc<Table>,
}

struct Table {
    /// Told apart from earlier runs of the program and from other registries.
    epoch: u16,
    shards: Box<[RwLock<Shard>]>,
    /// Spreads new connections over the shards.
    next_shard: AtomicUsize,
    /// Told whenever a connection is forgotten.
    removed: Notify,
}

#[derive(Default)]
struct Shard {
    slots: Vec<Slot>,
    /// Slots that can be used again.
    free: Vec<u32>,
}

#[derive(Default)]
struct Slot {
    /// How often the slot was used before.
    generation: u32,
    entry: Option<Arc<Entry>>,
}

/// A number names no live connection of this registry: it is closed, or was never of here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} names no live connection")]
pub struct UnknownConnection(pub ConnectionId);

/// The registry holds as many connections as it can: 268 million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the registry is full")]
pub struct RegistryFull;

impl Registry {
    /// Makes an empty registry with an epoch of its own.
    pub fn new() -> Self {
        let shards = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = (shards * SHARDS_PER_CORE).min(SHARDS_MAX);
        Self {
            table: Arc::new(Table {
                epoch: rand::random_range(1..=u16::MAX),
                shards: (0..shards).map(|_| RwLock::default()).collect(),
                next_shard: AtomicUsize::new(0),
                removed: Notify::new(),
            }),
        }
    }

    /// Finds a connection.
    ///
    /// # Errors
    /// [`UnknownConnection`] if it is over, or the number is of another registry or an earlier
    /// run.
    pub fn get(&self, id: ConnectionId) -> Result<ConnectionHandle, UnknownConnection> {
        let entry = self.entry(id).filter(|entry| entry.is_accepted());
        entry
            .map(ConnectionHandle::new)
            .ok_or(UnknownConnection(id))
    }

    /// Says whether a number names a live connection.
    pub fn is_open(&self, id: ConnectionId) -> bool {
        self.entry(id).is_some_and(|entry| entry.is_accepted())
    }

    /// Counts the live connections.
    pub fn len(&self) -> usize {
        let count = |shard: &RwLock<Shard>| read(shard).live().filter(|e| e.is_accepted()).count();
        self.table.shards.iter().map(count).sum()
    }

    /// Says whether there is no live connection.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lists the live connections that `wanted` picks, in no order.
    pub fn list(&self, wanted: impl Fn(&ConnectionHandle) -> bool) -> Vec<ConnectionHandle> {
        let mut found = Vec::new();
        for shard in &self.table.shards {
            // Taken out of the lock first: `wanted` may ask the registry something.
            let entries: Vec<_> = read(shard).live().map(Arc::clone).collect();
            let handles = entries
                .into_iter()
                .filter(|e| e.is_accepted())
                .map(ConnectionHandle::new);
            found.extend(handles.filter(|handle| wanted(handle)));
        }
        found
    }

    /// Waits until there is no live connection. Cancel-safe.
    pub async fn until_empty(&self) {
        loop {
            let mut removed = std::pin::pin!(self.table.removed.notified());
            removed.as_mut().enable();
            if self.is_empty() {
                return;
            }
            removed.await;
        }
    }

    /// Takes a number for a connection that may be accepted.
    ///
    /// # Errors
    /// [`RegistryFull`].
    pub fn reserve(&self) -> Result<ReservedId, RegistryFull> {
        let shards = self.table.shards.len();
        let first = self.table.next_shard.fetch_add(1, Ordering::Relaxed);
        let reserve = |turn: usize| self.reserve_in(first.wrapping_add(turn) % shards);
        (0..shards).find_map(reserve).ok_or(RegistryFull)
    }

    fn reserve_in(&self, index: usize) -> Option<ReservedId> {
        let mut shard = write(self.table.shards.get(index)?);
        let slot = shard.take_slot()?;
        let Slot { generation, entry } = shard.slots.get_mut(slot as usize)?;
        let place = Place {
            shard: u8::try_from(index).ok()?,
            slot,
            generation: *generation,
        };
        let id = ConnectionId::new(place, self.table.epoch);
        let made = Arc::new(Entry::new(id));
        *entry = Some(Arc::clone(&made));
        Some(ReservedId {
            registry: self.clone(),
            entry: made,
        })
    }

    fn entry(&self, id: ConnectionId) -> Option<Arc<Entry>> {
        if id.epoch() != self.table.epoch {
            return None;
        }
        let Place {
            shard,
            slot,
            generation,
        } = id.place();
        let shard = read(self.table.shards.get(usize::from(shard))?);
        let slot = shard.slots.get(slot as usize)?;
        slot.entry
            .as_ref()
            .filter(|_| slot.generation == generation)
            .map(Arc::clone)
    }

    /// Forgets a connection; its number names nothing from here on.
    fn remove(&self, id: ConnectionId) {
        let Place { shard, slot, .. } = id.place();
        if let Some(shard) = self.table.shards.get(usize::from(shard)) {
            let removed = write(shard).free_slot(slot);
            // Dropped outside of the lock: dropping may run code of the application.
            drop(removed);
            self.table.removed.notify_waiters();
        }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// Holds a number for a connection, before and while it lives; dropping it frees the number's
/// place.
#[derive(Debug)]
pub struct ReservedId {
    registry: Registry,
    entry: Arc<Entry>,
}

impl ReservedId {
    /// Gives the number, which is the connection's for good once it is accepted.
    pub fn id(&self) -> ConnectionId {
        self.entry.id()
    }

    pub(super) fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }
}

impl Drop for ReservedId {
    fn drop(&mut self) {
        self.registry.remove(self.entry.id());
    }
}

impl Shard {
    fn live(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.slots.iter().filter_map(|slot| slot.entry.as_ref())
    }

    fn take_slot(&mut self) -> Option<u32> {
        if let Some(slot) = self.free.pop() {
            return Some(slot);
        }
        let slot = u32::try_from(self.slots.len())
            .ok()
            .filter(|slot| *slot <= SLOTS_MAX)?;
        self.slots.push(Slot::default());
        Some(slot)
    }

    /// Empties a slot, and offers it for use again unless it is worn.
    fn free_slot(&mut self, slot: u32) -> Option<Arc<Entry>> {
        let freed = self.slots.get_mut(slot as usize)?;
        let entry = freed.entry.take()?;
        if freed.generation < GENERATION_MAX {
            freed.generation += 1;
            self.free.push(slot);
        }
        Some(entry)
    }
}

fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

const SHARDS_PER_CORE: usize = 4;
