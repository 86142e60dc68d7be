//! What a client tells the application, and the queue it waits in.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bowline_proto::Ending;
use tokio::{sync::Notify, time::Instant};

use super::{failure::Failure, open_link::LinkInfo};
use crate::Message;

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

/// Bounds the messages that arrived and were not taken. Beyond it the link is not read, so that
/// the server has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventLimits {
    /// The most messages. Default 256.
    pub messages_max: usize,
    /// The bytes of payload from which on no further message is read. Default 1 MiB.
    pub bytes_max: usize,
}

impl EventLimits {
    /// The most events that are not messages. The oldest of them give way to newer ones; messages
    /// never do.
    pub const TRANSITIONS_MAX: usize = 64;
}

impl Default for EventLimits {
    fn default() -> Self {
        Self {
            messages_max: 256,
            bytes_max: 1 << 20,
        }
    }
}

/// The events that were not taken. One task puts them in, one takes them.
#[derive(Debug)]
pub(super) struct EventQueue {
    limits: EventLimits,
    inner: Mutex<Inner>,
    room: Notify,
}

#[derive(Debug)]
struct Inner {
    events: VecDeque<ClientEvent>,
    messages: usize,
    bytes: usize,
    is_listening: bool,
    waker: Option<Waker>,
}

impl EventQueue {
    pub(super) fn new(limits: EventLimits) -> Self {
        Self {
            limits,
            inner: Mutex::new(Inner {
                events: VecDeque::new(),
                messages: 0,
                bytes: 0,
                is_listening: true,
                waker: None,
            }),
            room: Notify::new(),
        }
    }

    /// Waits until a message may be put in.
    pub(super) async fn room(&self) {
        while !self.lock().has_room(&self.limits) {
            self.room.notified().await;
        }
    }

    /// Puts an event in; discards it if nobody listens.
    pub(super) fn push(&self, event: ClientEvent) {
        let mut inner = self.lock();
        if !inner.is_listening {
            return;
        }
        match &event {
            ClientEvent::Message(message) => {
                inner.messages += 1;
                inner.bytes += message.len();
            }
            ClientEvent::Open(_)
            | ClientEvent::LinkClosed(_)
            | ClientEvent::Failed(_)
            | ClientEvent::Waiting { .. } => inner.drop_old_transition(),
        }
        inner.events.push_back(event);
        wake(inner);
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
            inner.messages -= 1;
            inner.bytes -= message.len();
            self.room.notify_one();
        }
        Poll::Ready(Some(event))
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
        inner.messages = 0;
        inner.bytes = 0;
        drop(inner);
        self.room.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn has_room(&self, limits: &EventLimits) -> bool {
        self.messages == 0 || (self.messages < limits.messages_max && self.bytes < limits.bytes_max)
    }

    fn drop_old_transition(&mut self) {
        if self.events.len() - self.messages < EventLimits::TRANSITIONS_MAX {
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
