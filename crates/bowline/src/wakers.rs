//! Who is woken when a stream becomes ready.

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Wake, Waker},
};

/// Wakes every task that waits on one connection.
///
/// A stream remembers one waker for reading and one for writing, while several tasks may wait for
/// either: the receiving half, the sending half and a flush in the background. The stream is
/// given this waker, which knows them all.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    slots: Mutex<[Option<Waker>; 3]>,
}

/// Names a task that may wait on a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Waiter {
    Receiver,
    Sender,
    Flush,
}

impl Wakers {
    /// Remembers whom to wake.
    pub(crate) fn register(&self, waiter: Waiter, waker: &Waker) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slots
            .get_mut(waiter as usize)
            .expect("there is a slot for each waiter");
        match slot {
            Some(known) => known.clone_from(waker),
            None => *slot = Some(waker.clone()),
        }
    }

    /// Forgets a task that no longer waits.
    pub(crate) fn forget(&self, waiter: Waiter) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get_mut(waiter as usize) {
            *slot = None;
        }
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let woken = std::mem::take(&mut *slots);
        drop(slots);
        for waker in woken.into_iter().flatten() {
            waker.wake();
        }
    }
}
