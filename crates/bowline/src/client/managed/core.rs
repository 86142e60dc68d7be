//! What the handles of a client and its task share.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    control::{Control, Wish},
    event::EventQueue,
    outbox::Outbox,
    state::{ClientState, ClosedWhy},
    wire::Wire,
};

#[derive(Debug)]
pub(super) struct Core {
    pub(super) control: Control,
    pub(super) outbox: Outbox,
    pub(super) events: EventQueue,
    /// The number of [`Client`](super::Client)s.
    pub(super) handles: AtomicUsize,
    /// The link that is open, for those who look at it.
    pub(super) link: Mutex<Option<Arc<dyn Wire>>>,
}

impl Core {
    /// Notes another handle.
    pub(super) fn add_handle(&self) {
        self.handles.fetch_add(1, Ordering::SeqCst);
    }

    /// Notes that a handle is gone; the last one stops the client.
    pub(super) fn remove_handle(&self) {
        if self.handles.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.control.wish(Wish::Stop, None, || self.outbox.refuse());
        }
    }

    /// Reports that a generation came to a close, unless it is over.
    pub(super) fn close(&self, generation: u64, why: ClosedWhy) {
        let is_given_up = !matches!(why, ClosedWhy::Manual(_));
        let state = ClientState::Closed { why };
        self.control.publish_with(generation, state, || {
            if is_given_up {
                self.outbox.refuse();
                self.outbox.drop_all();
            }
        });
        self.events.wake();
    }

    /// Notes that there is a link.
    pub(super) fn link_up(&self, link: &Arc<dyn Wire>) {
        self.set_link(Some(Arc::clone(link)));
        self.outbox.link_up();
    }

    /// Notes that the link is over.
    pub(super) fn link_down(&self) {
        self.set_link(None);
        self.outbox.link_down();
    }

    /// Ends everything, for good.
    pub(super) fn stop(&self) {
        self.outbox.refuse();
        self.link_down();
        self.outbox.drop_all();
        self.control.stop();
        self.events.wake();
    }

    pub(super) fn link(&self) -> Option<Arc<dyn Wire>> {
        let link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        link.clone()
    }

    fn set_link(&self, link: Option<Arc<dyn Wire>>) {
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = link;
    }
}
