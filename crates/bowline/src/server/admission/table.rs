//! What addresses or users use, in a table of bounded size that forgets nothing it would have to
//! enforce.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::{BuildHasher as _, Hash, RandomState},
    time::Instant,
};

use super::rate::{Bucket, Rate};

/// What addresses, prefixes or users use.
///
/// The table holds a slot for each of the first `slot_count_max` keys. When it is full, a slot is
/// given to a newcomer only if it is idle: no connection is open and the rate is fully rested, so
/// that it says no more than a fresh one. When no idle slot is found, the newcomer is counted in
/// one of the shared accounts, chosen by a keyed hash, together with others. So a flood of
/// newcomers can make limits stricter for newcomers, but never resets or widens those of anyone.
#[derive(Debug)]
pub(super) struct Table<K> {
    slots: Vec<Slot<K>>,
    /// The key decides where; the hasher is keyed, so that collisions cannot be chosen.
    places: HashMap<K, usize, RandomState>,
    shared: Box<[Account]>,
    /// The slot at which the next search for an idle one begins.
    hand: usize,
    slot_count_max: usize,
}

impl<K: Clone + Eq + Hash> Table<K> {
    pub(super) fn new(slot_count_max: usize) -> Self {
        Self {
            slots: Vec::new(),
            places: HashMap::default(),
            shared: vec![Account::default(); SHARED_COUNT].into(),
            hand: 0,
            slot_count_max,
        }
    }

    /// Returns what a key uses.
    pub(super) fn account<Q>(&self, key: &Q, now: Instant) -> Account
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        match self.find(key, now) {
            Some(place) => *self.at(place),
            None => Account::default(),
        }
    }

    /// Finds the account of a key, or makes one. It stays where it is as long as a connection is
    /// counted in it.
    pub(super) fn place(&mut self, key: &K, now: Instant) -> Place {
        if let Some(place) = self.find(key, now) {
            return place;
        }
        let fresh = Slot {
            key: key.clone(),
            account: Account::default(),
        };
        let at = if self.slots.len() < self.slot_count_max {
            self.slots.push(fresh);
            self.slots.len() - 1
        } else if let Some(at) = self.idle_slot(now) {
            let old = std::mem::replace(&mut self.slots[at], fresh);
            self.places.remove(&old.key);
            at
        } else {
            return Place::Shared(self.shared_index(key));
        };
        self.places.insert(key.clone(), at);
        Place::Slot(at)
    }

    pub(super) fn at(&self, place: Place) -> &Account {
        match place {
            Place::Slot(at) => &self.slots[at].account,
            Place::Shared(at) => &self.shared[at],
        }
    }

    pub(super) fn at_mut(&mut self, place: Place) -> &mut Account {
        match place {
            Place::Slot(at) => &mut self.slots[at].account,
            Place::Shared(at) => &mut self.shared[at],
        }
    }

    fn find<Q>(&self, key: &Q, now: Instant) -> Option<Place>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(at) = self.places.get(key) {
            return Some(Place::Slot(*at));
        }
        // Who may be counted in a shared account stays there until that says nothing any more:
        // else a slot that becomes free would give twice the limit.
        let at = self.shared_index(key);
        (!self.shared[at].is_idle(now)).then_some(Place::Shared(at))
    }

    fn shared_index(&self, key: &(impl Hash + ?Sized)) -> usize {
        let hash = self.places.hasher().hash_one(key);
        usize::try_from(hash % SHARED_COUNT as u64).unwrap_or_default()
    }

    /// Looks for an idle slot, at a bounded number of them.
    fn idle_slot(&mut self, now: Instant) -> Option<usize> {
        for _ in 0..SEARCH_COUNT_MAX.min(self.slots.len()) {
            let at = self.hand;
            self.hand = (at + 1) % self.slots.len();
            if self.slots[at].account.is_idle(now) {
                return Some(at);
            }
        }
        None
    }
}

/// Where an account is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Slot(usize),
    Shared(usize),
}

/// What one key uses, or several that share it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Account {
    pub(super) connection_count: u32,
    pub(super) bucket: Bucket,
}

impl Account {
    pub(super) fn begin_connection(&mut self, rate: Rate, now: Instant) {
        self.connection_count += 1;
        self.bucket.take(rate, now);
    }

    pub(super) fn end_connection(&mut self) {
        debug_assert!(self.connection_count > 0, "a connection was counted");
        self.connection_count = self.connection_count.saturating_sub(1);
    }

    fn is_idle(&self, now: Instant) -> bool {
        self.connection_count == 0 && self.bucket.is_rested(now)
    }
}

#[derive(Debug)]
struct Slot<K> {
    key: K,
    account: Account,
}

/// Accounts for those who find the table full.
const SHARED_COUNT: usize = 1 << 10;
/// Slots looked at for one newcomer. In a table full of past visitors the first one is idle.
const SEARCH_COUNT_MAX: usize = 16;
