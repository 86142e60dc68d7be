//! The table of live connections, by number.

use std::{
    fmt,
    sync::{
        Arc, LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU16, AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

use super::{
    entry::{Accepted, Entry},
    handle::ConnectionHandle,
    id::{ConnectionId, GENERATION_MAX, Place, SHARDS, SLOTS_MAX},
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
    /// Where slots begin to count their use: by chance, so that numbers of an earlier run name
    /// nothing even if it had the same epoch.
    first_generation: u32,
    shards: Box<[RwLock<Shard>]>,
    /// Spreads new connections over the shards.
    next_shard: AtomicUsize,
    /// Counts the live connections: up before one can be found, down when it cannot any more.
    len: AtomicUsize,
    /// Told when the last connection is forgotten.
    emptied: Notify,
}

#[derive(Default)]
struct Shard {
    slots: Vec<Slot>,
    /// Slots that can be used again.
    free: Vec<u32>,
}

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
        Self {
            table: Arc::new(Table {
                epoch: next_epoch(),
                first_generation: rand::random_range(0..=GENERATION_MAX / 2),
                shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
                next_shard: AtomicUsize::new(0),
                len: AtomicUsize::new(0),
                emptied: Notify::new(),
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
        self.table.len.load(Ordering::SeqCst)
    }

    /// Says whether there is no live connection.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lists the live connections that `wanted` picks, in no order.
    pub fn list(&self, wanted: impl Fn(&ConnectionHandle) -> bool) -> Vec<ConnectionHandle> {
        let mut found = Vec::new();
        self.for_each(|connection| {
            if wanted(&connection) {
                found.push(connection);
            }
        });
        found
    }

    /// Counts the live connections that `wanted` picks.
    pub fn count(&self, wanted: impl Fn(&ConnectionHandle) -> bool) -> usize {
        let mut count = 0;
        self.for_each(|connection| count += usize::from(wanted(&connection)));
        count
    }

    /// Calls `act` with each live connection while no lock is held: it may do anything.
    fn for_each(&self, mut act: impl FnMut(ConnectionHandle)) {
        for shard in &self.table.shards {
            let entries: Vec<_> = read(shard).live().map(Arc::clone).collect();
            let live = entries.into_iter().filter(|entry| entry.is_accepted());
            live.map(ConnectionHandle::new).for_each(&mut act);
        }
    }

    /// Waits until there is no live connection. Cancel-safe.
    pub async fn until_empty(&self) {
        loop {
            let mut emptied = std::pin::pin!(self.table.emptied.notified());
            emptied.as_mut().enable();
            if self.is_empty() {
                return;
            }
            emptied.await;
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
        let slot = shard.take_slot(self.table.first_generation)?;
        let Slot { generation, entry } = shard.slots.get_mut(slot as usize)?;
        let place = Place {
            shard: u8::try_from(index).ok()?,
            slot,
            generation: *generation,
        };
        let id = ConnectionId::new(place, self.table.epoch);
        *entry = Some(Arc::new(Entry::new(id)));
        Some(ReservedId {
            registry: self.clone(),
            id,
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
            let was_accepted = removed.as_ref().is_some_and(|entry| entry.is_accepted());
            // Dropped outside of the lock: dropping may run code of the application.
            drop(removed);
            if was_accepted && self.table.len.fetch_sub(1, Ordering::SeqCst) == 1 {
                self.table.emptied.notify_waiters();
            }
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
    id: ConnectionId,
}

impl ReservedId {
    /// Gives the number, which is the connection's for good once it is accepted.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// Turns the reservation into a connection.
    pub(super) fn accept(&self, accepted: Accepted) -> ConnectionHandle {
        let entry = self.registry.entry(self.id);
        let entry = entry.expect("a reserved place holds its entry");
        self.registry.table.len.fetch_add(1, Ordering::SeqCst);
        entry.accept(accepted);
        ConnectionHandle::new(entry)
    }
}

impl Drop for ReservedId {
    fn drop(&mut self) {
        self.registry.remove(self.id);
    }
}

impl Shard {
    fn live(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.slots.iter().filter_map(|slot| slot.entry.as_ref())
    }

    fn take_slot(&mut self, first_generation: u32) -> Option<u32> {
        if let Some(slot) = self.free.pop() {
            return Some(slot);
        }
        let slot = u32::try_from(self.slots.len())
            .ok()
            .filter(|slot| *slot <= SLOTS_MAX)?;
        self.slots.push(Slot {
            generation: first_generation,
            entry: None,
        });
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

/// Gives each registry of a program its own epoch; the first is chosen by chance, so that programs
/// and runs differ.
fn next_epoch() -> u16 {
    match NEXT_EPOCH.fetch_add(1, Ordering::Relaxed) {
        0 => NEXT_EPOCH.fetch_add(1, Ordering::Relaxed),
        epoch => epoch,
    }
}

static NEXT_EPOCH: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(rand::random()));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_used_again_until_it_is_worn_and_then_never() {
        let registry = Registry {
            table: Arc::new(Table {
                epoch: next_epoch(),
                first_generation: GENERATION_MAX - 2,
                shards: Box::new([RwLock::default()]),
                next_shard: AtomicUsize::new(0),
                len: AtomicUsize::new(0),
                emptied: Notify::new(),
            }),
        };
        let places = || registry.reserve().map(|reserved| reserved.id().place());
        let generations: Vec<_> = (0..7).map_while(|_| places().ok()).collect();
        let place = |slot, generation| Place {
            shard: 0,
            slot,
            generation: GENERATION_MAX - 2 + generation,
        };
        let expected = [
            place(0, 0),
            place(0, 1),
            place(0, 2),
            place(1, 0),
            place(1, 1),
            place(1, 2),
            place(2, 0),
        ];
        assert_eq!(generations, expected);
    }

    #[test]
    fn the_epoch_of_a_registry_is_never_zero_and_of_no_other_one() {
        let epochs: std::collections::HashSet<_> = (0..60_000).map(|_| next_epoch()).collect();
        assert_eq!(epochs.len(), 60_000);
        assert!(!epochs.contains(&0));
    }
}
