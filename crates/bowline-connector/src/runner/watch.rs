//! Those who watch an element.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Poll, Waker},
};

use super::ElementEvent;
use crate::machine::Value;

/// Bounds what waits for a watcher. Beyond it the oldest events are lost to that watcher, and it is
/// told how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchLimits {
    /// The most events. Default 4096.
    pub events_max: usize,
    /// The bytes of values and payloads from which on the oldest are lost; one event is always kept.
    /// Default 32 MiB.
    pub bytes_max: usize,
}

impl Default for WatchLimits {
    fn default() -> Self {
        Self {
            events_max: 4096,
            bytes_max: 32 << 20,
        }
    }
}

/// Receives what happens to an element, from the moment it was made.
///
/// It does not keep the element running.
pub struct ElementEvents {
    queue: Arc<Queue>,
}

impl ElementEvents {
    /// Receives the next event; `None` once the element has stopped and every event was taken.
    /// Cancel-safe.
    pub async fn recv(&mut self) -> Option<ElementEvent> {
        poll_fn(|cx| self.queue.poll(cx.waker())).await
    }

    /// Takes the next event if there is one.
    pub fn try_recv(&mut self) -> Option<ElementEvent> {
        self.queue.lock().take()
    }
}

impl fmt::Debug for ElementEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.queue.lock().events.len();
        f.debug_struct("ElementEvents")
            .field("waiting", &waiting)
            .finish()
    }
}

/// Everyone who watches one element.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    queues: Vec<Weak<Queue>>,
    is_over: bool,
}

impl Watchers {
    /// Adds a watcher.
    pub(super) fn subscribe(&self, limits: WatchLimits) -> ElementEvents {
        let mut inner = locked(&self.inner);
        let queue = Arc::new(Queue {
            limits,
            state: Mutex::new(State {
                is_over: inner.is_over,
                ..State::default()
            }),
        });
        inner.queues.push(Arc::downgrade(&queue));
        ElementEvents { queue }
    }

    /// Tells everyone.
    pub(super) fn publish(&self, event: &ElementEvent) {
        let mut inner = locked(&self.inner);
        inner.queues.retain(|queue| {
            let queue = queue.upgrade();
            if let Some(queue) = &queue {
                queue.push(event.clone());
            }
            queue.is_some()
        });
    }

    /// Tells everyone that nothing more will happen.
    pub(super) fn end(&self) {
        let mut inner = locked(&self.inner);
        inner.is_over = true;
        for queue in inner.queues.drain(..).filter_map(|queue| queue.upgrade()) {
            let mut state = queue.lock();
            state.is_over = true;
            wake(state);
        }
    }
}

/// What waits for one watcher.
#[derive(Debug)]
struct Queue {
    limits: WatchLimits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<ElementEvent>,
    bytes: usize,
    lost: u64,
    is_over: bool,
    waker: Option<Waker>,
}

impl Queue {
    fn push(&self, event: ElementEvent) {
        let mut state = self.lock();
        state.bytes += size_of(&event);
        state.events.push_back(event);
        while state.events.len() > 1
            && (state.events.len() > self.limits.events_max || state.bytes > self.limits.bytes_max)
        {
            if let Some(oldest) = state.events.pop_front() {
                state.bytes -= size_of(&oldest);
                state.lost += 1;
            }
        }
        wake(state);
    }

    fn poll(&self, waker: &Waker) -> Poll<Option<ElementEvent>> {
        let mut state = self.lock();
        match state.take() {
            Some(event) => Poll::Ready(Some(event)),
            None if state.is_over => Poll::Ready(None),
            None => {
                state.waker = Some(waker.clone());
                Poll::Pending
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

impl State {
    fn take(&mut self) -> Option<ElementEvent> {
        if self.lost > 0 {
            return Some(ElementEvent::Lost(std::mem::take(&mut self.lost)));
        }
        let event = self.events.pop_front()?;
        self.bytes -= size_of(&event);
        Some(event)
    }
}

fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn size_of(event: &ElementEvent) -> usize {
    match event {
        ElementEvent::Changed {
            value: Value::Bytes(bytes),
            ..
        } => bytes.len(),
        ElementEvent::Message(message) => message.payload.len(),
        ElementEvent::Notice { text, .. } => text.len(),
        ElementEvent::LinkLost { loss, .. } => loss.text.len(),
        ElementEvent::Changed { .. }
        | ElementEvent::Link { .. }
        | ElementEvent::Health { .. }
        | ElementEvent::Lost(_) => 0,
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn notice(text: &str) -> ElementEvent {
        ElementEvent::Notice {
            at: SystemTime::UNIX_EPOCH,
            text: text.into(),
        }
    }

    #[tokio::test]
    async fn a_slow_watcher_loses_the_oldest_and_is_told_how_many() {
        let watchers = Watchers::default();
        let limits = WatchLimits {
            events_max: 2,
            bytes_max: 10,
        };
        let mut slow = watchers.subscribe(limits);
        for text in ["a", "b", "c", "d"] {
            watchers.publish(&notice(text));
        }
        assert_eq!(slow.recv().await, Some(ElementEvent::Lost(2)));
        assert_eq!(slow.recv().await, Some(notice("c")));
        watchers.publish(&notice("longer than all"));
        assert_eq!(slow.recv().await, Some(ElementEvent::Lost(1)));
        assert_eq!(slow.recv().await, Some(notice("longer than all")));
        watchers.end();
        assert_eq!(slow.recv().await, None);
        assert_eq!(watchers.subscribe(limits).recv().await, None);
    }
}
