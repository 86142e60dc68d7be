//! What a client is to do.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bowline_proto::Close;
use tokio::sync::{Notify, broadcast};

use super::state::{ClientState, ClosedWhy};
use crate::client::Endpoint;

/// What the handles of a client want, and what its task has come to.
///
/// Each change of mind begins a new generation. The task serves one generation at a time, and what
/// it reports for one that is over is not published, so that a handle that changed its mind never
/// sees the state from before.
#[derive(Debug)]
pub(super) struct Control {
    inner: Mutex<Inner>,
    changed: Notify,
    transitions: broadcast::Sender<ClientState>,
}

#[derive(Debug)]
struct Inner {
    plan: Plan,
    state: ClientState,
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
            inner: Mutex::new(Inner { plan, state: FIRST }),
            changed: Notify::new(),
            transitions: broadcast::Sender::new(TRANSITIONS_MAX),
        }
    }

    pub(super) fn plan(&self) -> Plan {
        self.lock().plan.clone()
    }

    pub(super) fn state(&self) -> ClientState {
        self.lock().state.clone()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().state.is_closed()
    }

    /// Gives the present state, and those that follow it.
    pub(super) fn subscribe(&self) -> (ClientState, broadcast::Receiver<ClientState>) {
        let inner = self.lock();
        (inner.state.clone(), self.transitions.subscribe())
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
        let mut inner = self.lock();
        if matches!(inner.plan.wish, Wish::Stop) {
            return None;
        }
        meanwhile();
        if matches!(wish, Wish::Up) {
            self.set(&mut inner, FIRST);
        }
        inner.plan.generation += 1;
        inner.plan.wish = wish;
        if let Some(endpoints) = endpoints {
            inner.plan.endpoints = endpoints;
        }
        let generation = inner.plan.generation;
        drop(inner);
        self.changed.notify_waiters();
        Some(generation)
    }

    /// Waits until a generation is over.
    pub(super) async fn superseded(&self, generation: u64) {
        loop {
            let mut changed = pin!(self.changed.notified());
            // From here on no change can be missed.
            changed.as_mut().enable();
            if self.lock().plan.generation != generation {
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
        let mut inner = self.lock();
        if inner.plan.generation == generation {
            meanwhile();
            self.set(&mut inner, state);
        }
    }

    /// Stops for good, whatever was wanted.
    pub(super) fn stop(&self) {
        let mut inner = self.lock();
        inner.plan.generation += 1;
        inner.plan.wish = Wish::Stop;
        let why = ClosedWhy::Stopped;
        self.set(&mut inner, ClientState::Closed { why });
        drop(inner);
        self.changed.notify_waiters();
    }

    fn set(&self, inner: &mut Inner, state: ClientState) {
        if inner.state != state {
            inner.state = state.clone();
            // It is no fault if nobody follows.
            drop(self.transitions.send(state));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const FIRST: ClientState = ClientState::Connecting { attempt: 1 };
/// The transitions that are kept for those who follow; of more, the oldest are lost to them.
const TRANSITIONS_MAX: usize = 32;
