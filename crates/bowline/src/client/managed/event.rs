//! What a client tells the application, and the queue it waits in.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bowline_proto::Ending;
use tokio::{sync::Notify, time::Instant};

use super::{failure::Failure, open_link::LinkInfo};
use crate::{
    Message,
    receive_queue::{Crossed, Gauge, ReceiveLimits, Waiting},
};

/// Something that happened to a client.
#[derive(Clone, Debug)]
pub enum ClientEvent {
    /// A link is open, and its on-open hook is done.
    Open(Arc<LinkInfo>),
    /// A message arrived.
    Message(Message),
    /// The link that was open is over.
    LinkClosed(Ending),
    /// An attempt failed.
    Failed(Arc<Failure>),
    /// The next attempt is due later.
    Waiting {
        /// When it begins, by tokio's clock.
        until: Instant,
    },
}

/// The events that were not taken. One task puts them in, one takes them.
#[derive(Debug)]
pub(super) struct EventQueue {
    inner: Mutex<Inner>,
    room: Notify,
}

#[derive(Debug)]
struct Inner {
    events: VecDeque<ClientEvent>,
    messages: Gauge,
    is_listening: bool,
    waker: Option<Waker>,
}

impl EventQueue {
    pub(super) fn new(limits: ReceiveLimits) -> Self {
        Self {
            inner: Mutex::new(Inner {
                events: VecDeque::new(),
                messages: Gauge::new(limits),
                is_listening: true,
                waker: None,
            }),
            room: Notify::new(),
        }
    }

    /// Waits until a message may be put in.
    pub(super) async fn room(&self) {
        while self.lock().messages.is_stopped() {
            self.room.notified().await;
        }
    }

    /// Puts an event in; discards it if nobody listens. Tells if that crosses a mark.
    pub(super) fn push(&self, event: ClientEvent) -> Option<Crossed> {
        let mut inner = self.lock();
        if !inner.is_listening {
            return None;
        }
        let mut crossed = None;
        match &event {
            ClientEvent::Message(message) => crossed = inner.messages.add(message.len()),
            ClientEvent::Open(_)
            | ClientEvent::LinkClosed(_)
            | ClientEvent::Failed(_)
            | ClientEvent::Waiting { .. } => inner.drop_old_transition(),
        }
        inner.events.push_back(event);
        wake(inner);
        crossed
    }

    /// Takes the next event. If there is none and `is_over` says so, there is nothing to wait for.
    pub(super) fn poll(
        &self,
        cx: &Context<'_>,
        is_over: impl FnOnce() -> bool,
    ) -> Poll<Option<ClientEvent>> {
        let mut inner = self.lock();
        let Some(event) = inner.events.pop_front() else {
            if is_over() {
                return Poll::Ready(None);
            }
            inner.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        if let ClientEvent::Message(message) = &event {
            inner.messages.remove(message.len());
            self.room.notify_one();
        }
        Poll::Ready(Some(event))
    }

    /// Says how much waits.
    pub(super) fn waiting(&self) -> Waiting {
        self.lock().messages.waiting()
    }

    /// Has whoever waits look again.
    pub(super) fn wake(&self) {
        wake(self.lock());
    }

    /// Discards everything, from now on.
    pub(super) fn stop_listening(&self) {
        let mut inner = self.lock();
        inner.is_listening = false;
        inner.events = VecDeque::new();
        inner.messages.clear();
        drop(inner);
        self.room.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn drop_old_transition(&mut self) {
        if self.events.len() - self.messages.waiting().messages < TRANSITIONS_MAX {
            return;
        }
        let is_transition = |event: &ClientEvent| !matches!(event, ClientEvent::Message(_));
        if let Some(oldest) = self.events.iter().position(is_transition) {
            self.events.remove(oldest);
        }
    }
}

fn wake(mut inner: MutexGuard<'_, Inner>) {
    let waker = inner.waker.take();
    drop(inner);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The most events that are not messages. The oldest of them give way to newer ones; messages
/// never do.
pub(super) const TRANSITIONS_MAX: usize = 64;
