//! What a client is to do.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bowline_proto::Close;
use tokio::sync::{Notify, watch};

use super::state::{ClientState, ClosedWhy};
use crate::client::Endpoint;

/// What the handles of a client want, and what its task has come to.
///
/// Each change of mind begins a new generation. The task serves one generation at a time, and what
/// it reports for one that is over is not published, so that a handle that changed its mind never
/// sees the state from before.
#[derive(Debug)]
pub(super) struct Control {
    plan: Mutex<Plan>,
    changed: Notify,
    state: watch::Sender<ClientState>,
}

/// What is wanted, since some generation.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) generation: u64,
    pub(super) wish: Wish,
    /// Never empty.
    pub(super) endpoints: Arc<[Endpoint]>,
}

/// What is wanted.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    /// A link.
    Up,
    /// No link; the close frame for the one there is.
    Down(Option<Close>),
    /// The same, for good.
    Stop,
}

impl Control {
    pub(super) fn new(endpoints: Arc<[Endpoint]>) -> Self {
        let plan = Plan {
            generation: 0,
            wish: Wish::Up,
            endpoints,
        };
        Self {
            plan: Mutex::new(plan),
            changed: Notify::new(),
            state: watch::Sender::new(FIRST),
        }
    }

    pub(super) fn plan(&self) -> Plan {
        self.lock().clone()
    }

    pub(super) fn state(&self) -> ClientState {
        self.state.borrow().clone()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state.borrow().is_closed()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<ClientState> {
        self.state.subscribe()
    }

    /// Begins a new generation; gives its number, or `None` if the client has stopped.
    ///
    /// `meanwhile` runs before the task or another handle can act on it.
    pub(super) fn wish(
        &self,
        wish: Wish,
        endpoints: Option<Arc<[Endpoint]>>,
        meanwhile: impl FnOnce(),
    ) -> Option<u64> {
        let mut plan = self.lock();
        if matches!(plan.wish, Wish::Stop) {
            return None;
        }
        meanwhile();
        if matches!(wish, Wish::Up) {
            self.set(FIRST);
        }
        plan.generation += 1;
        plan.wish = wish;
        if let Some(endpoints) = endpoints {
            plan.endpoints = endpoints;
        }
        let generation = plan.generation;
        drop(plan);
        self.changed.notify_waiters();
        Some(generation)
    }

    /// Waits until a generation is over.
    pub(super) async fn superseded(&self, generation: u64) {
        loop {
            let mut changed = pin!(self.changed.notified());
            // From here on no change can be missed.
            changed.as_mut().enable();
            if self.lock().generation != generation {
                return;
            }
            changed.await;
        }
    }

    /// Reports the state of a generation, unless it is over.
    pub(super) fn publish(&self, generation: u64, state: ClientState) {
        self.publish_with(generation, state, || {});
    }

    /// Reports the state of a generation and runs `meanwhile` with it, unless it is over.
    pub(super) fn publish_with(
        &self,
        generation: u64,
        state: ClientState,
        meanwhile: impl FnOnce(),
    ) {
        let plan = self.lock();
        if plan.generation == generation {
            meanwhile();
            self.set(state);
        }
    }

    /// Stops for good, whatever was wanted.
    pub(super) fn stop(&self) {
        let mut plan = self.lock();
        plan.generation += 1;
        plan.wish = Wish::Stop;
        self.set(ClientState::Closed {
            why: ClosedWhy::Stopped,
        });
        drop(plan);
        self.changed.notify_waiters();
    }

    fn set(&self, new: ClientState) {
        self.state.send_if_modified(|state| {
            let is_new = *state != new;
            *state = new;
            is_new
        });
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const FIRST: ClientState = ClientState::Connecting { attempt: 1 };
