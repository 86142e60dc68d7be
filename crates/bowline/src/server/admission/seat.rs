//! A place among those that one listener has.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// One of a bounded number of places; it is free again when dropped.
#[derive(Debug)]
pub(crate) struct Seat(Arc<AtomicU32>);

impl Seat {
    /// Takes a place; `None` if all are taken.
    pub(crate) fn take(taken: &Arc<AtomicU32>, count_max: u32) -> Option<Self> {
        let next = |count| (count < count_max).then_some(count + 1);
        taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next)
            .ok()?;
        Some(Self(Arc::clone(taken)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
