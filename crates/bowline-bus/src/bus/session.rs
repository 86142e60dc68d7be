//! Names and subscriptions of the attached sessions.

use crate::{error::BusError, filter::TopicFilter};

/// Names one session of one [`Bus`](crate::Bus) for ever: ids are never given out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId {
    generation: u32,
    slot: u32,
}

impl SessionId {
    /// Returns the id as a number.
    pub fn as_u64(self) -> u64 {
        u64::from(self.generation) << u32::BITS | u64::from(self.slot)
    }

    /// Returns the place of the session in a dense table.
    ///
    /// Two sessions attached at the same time never share a slot; later ones use it again.
    pub fn slot(self) -> u32 {
        self.slot
    }
}

/// The attached sessions, with the filters each of them holds.
#[derive(Debug)]
pub(crate) struct Sessions {
    slots: Vec<Slot>,
    free: Vec<u32>,
    attached: usize,
    max: u32,
}

impl Sessions {
    pub(crate) fn new(max: u32) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            attached: 0,
            max,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.attached
    }

    pub(crate) fn attach(&mut self) -> Result<SessionId, BusError> {
        let full = BusError::SessionsFull { max: self.max };
        if self.attached >= self.max as usize {
            return Err(full);
        }
        let place = if let Some(place) = self.free.pop() {
            place
        } else {
            let place = u32::try_from(self.slots.len()).map_err(|_| full)?;
            self.slots.push(Slot::default());
            place
        };
        let slot = self.slots.get_mut(place as usize).ok_or(full)?;
        slot.filters = Some(Filters::default());
        self.attached += 1;
        Ok(SessionId {
            generation: slot.generation,
            slot: place,
        })
    }

    /// Frees the session's slot and returns the filters it held.
    pub(crate) fn detach(&mut self, id: SessionId) -> Result<Filters, BusError> {
        let slot = self.slot_mut(id)?;
        let filters = slot.filters.take().ok_or(BusError::StaleSession)?;
        // A slot whose generations are used up is never used again.
        if let Some(generation) = slot.generation.checked_add(1) {
            slot.generation = generation;
            self.free.push(id.slot);
        }
        self.attached -= 1;
        Ok(filters)
    }

    pub(crate) fn is_attached(&self, id: SessionId) -> bool {
        self.slots
            .get(id.slot as usize)
            .is_some_and(|slot| slot.generation == id.generation && slot.filters.is_some())
    }

    pub(crate) fn filters_mut(&mut self, id: SessionId) -> Result<&mut Filters, BusError> {
        let slot = self.slot_mut(id)?;
        slot.filters.as_mut().ok_or(BusError::StaleSession)
    }

    fn slot_mut(&mut self, id: SessionId) -> Result<&mut Slot, BusError> {
        self.slots
            .get_mut(id.slot as usize)
            .filter(|slot| slot.generation == id.generation)
            .ok_or(BusError::StaleSession)
    }
}

/// The filters of one session, sorted. Most have one, for which a tree would be large.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Filters(Vec<TopicFilter>);

impl Filters {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn contains(&self, filter: &TopicFilter) -> bool {
        self.0.binary_search(filter).is_ok()
    }

    /// Adds a filter; the limit of filters for each session bounds what this moves.
    pub(crate) fn insert(&mut self, filter: TopicFilter) {
        if let Err(place) = self.0.binary_search(&filter) {
            if self.0.is_empty() {
                self.0.reserve_exact(1);
            }
            self.0.insert(place, filter);
        }
    }

    pub(crate) fn remove(&mut self, filter: &TopicFilter) -> bool {
        let place = self.0.binary_search(filter);
        if let Ok(place) = place {
            self.0.remove(place);
        }
        place.is_ok()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &TopicFilter> {
        self.0.iter()
    }
}

/// A place for one session at a time; it is taken while it has filters.
#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    filters: Option<Filters>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_used_again_under_another_id() {
        let mut sessions = Sessions::new(2);
        let first = sessions.attach().unwrap();
        sessions.detach(first).unwrap();
        let second = sessions.attach().unwrap();
        assert_eq!(first.slot(), second.slot());
        assert_ne!(first, second);
        assert!(!sessions.is_attached(first));
        assert_eq!(sessions.detach(first), Err(BusError::StaleSession));
        assert!(sessions.is_attached(second));
    }

    #[test]
    fn a_slot_with_no_generation_left_is_retired() {
        let mut sessions = Sessions::new(2);
        sessions.attach().unwrap();
        sessions.slots[0].generation = u32::MAX;
        let last = SessionId {
            generation: u32::MAX,
            slot: 0,
        };
        sessions.detach(last).unwrap();
        assert_eq!(sessions.attach().unwrap().slot(), 1);
    }
}
