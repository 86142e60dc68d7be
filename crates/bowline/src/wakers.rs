//! Who is woken when a stream becomes ready.

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Wake, Waker},
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

/// Whom a stream may wake for the one who receives: every task, or that one.
#[derive(Clone, Copy)]
pub(crate) struct Waiting<'a> {
    all: &'a Waker,
    own: &'a Waker,
}

impl<'a> Waiting<'a> {
    pub(crate) const fn new(all: &'a Waker, own: &'a Waker) -> Self {
        Self { all, own }
    }

    /// For what others may wait for too.
    pub(crate) const fn all(self) -> Context<'a> {
        Context::from_waker(self.all)
    }

    /// For what nobody else waits for.
    pub(crate) const fn own(self) -> Context<'a> {
        Context::from_waker(self.own)
    }
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

    /// Wakes every task but one.
    pub(crate) fn wake_others(&self, waiter: Waiter) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let own = slots.get_mut(waiter as usize).and_then(Option::take);
        let mut woken = std::mem::take(&mut *slots);
        if let Some(slot) = slots.get_mut(waiter as usize) {
            *slot = own;
        }
        drop(slots);
        wake_all(&mut woken);
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
        let mut woken = std::mem::take(&mut *slots);
        drop(slots);
        wake_all(&mut woken);
    }
}

fn wake_all(slots: &mut [Option<Waker>]) {
    for waker in slots.iter_mut().filter_map(Option::take) {
        waker.wake();
    }
}
