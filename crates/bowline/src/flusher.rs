//! Writing, at the end of a turn, what tasks left to be written.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use tokio::runtime::{self, Handle};

use crate::link::Link;

/// Has a connection written as soon as the current task yields.
///
/// Each thread has a task for it in the runtime it works for, woken once for all connections that
/// ask meanwhile: a task for each would cost more than the write.
pub(crate) fn schedule(runtime: &Handle, link: Arc<dyn Link>) {
    let known = FLUSHER.with_borrow(|slot| {
        let slot = slot.as_ref()?;
        (slot.runtime == runtime.id()).then(|| Arc::clone(&slot.flusher))
    });
    let link = match known {
        Some(flusher) => match flusher.push(link) {
            Ok(()) => return,
            Err(link) => link,
        },
        None => link,
    };
    let flusher = Arc::new(Flusher::default());
    flusher.lock().links.push_back(link);
    let slot = Slot {
        runtime: runtime.id(),
        flusher: Arc::clone(&flusher),
    };
    let work = Work(flusher);
    runtime.spawn(poll_fn(move |cx| work.poll(cx)));
    drop(FLUSHER.replace(Some(slot)));
}

/// Connections that wait to be written.
#[derive(Default)]
struct Flusher {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    links: VecDeque<Arc<dyn Link>>,
    /// Wakes the task; `None` while it is awake.
    waker: Option<Waker>,
    /// The thread has no use for the task any more.
    is_last: bool,
    /// The task is gone, and its runtime most likely too.
    is_over: bool,
}

impl Flusher {
    /// Adds a connection; gives it back if there is no task any more.
    fn push(&self, link: Arc<dyn Link>) -> Result<(), Arc<dyn Link>> {
        let mut queue = self.lock();
        if queue.is_over {
            return Err(link);
        }
        queue.links.push_back(link);
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task's share. When it is dropped the task is over, also by a panic.
struct Work(Arc<Flusher>);

impl Work {
    /// Has the connections written, some in each turn.
    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        for _ in 0..LINKS_PER_TURN {
            let mut queue = self.0.lock();
            let Some(link) = queue.links.pop_front() else {
                if queue.is_last {
                    return Poll::Ready(());
                }
                queue.waker = Some(cx.waker().clone());
                return Poll::Pending;
            };
            drop(queue);
            link.flush_scheduled();
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.is_over = true;
        let left = std::mem::take(&mut queue.links);
        drop(queue);
        for link in left {
            link.flush_alone();
        }
    }
}

/// A thread's way to its task.
struct Slot {
    runtime: runtime::Id,
    flusher: Arc<Flusher>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut queue = self.flusher.lock();
        queue.is_last = true;
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

thread_local! {
    static FLUSHER: RefCell<Option<Slot>> = const { RefCell::new(None) };
}

/// Below what tokio lets a task do in one turn.
const LINKS_PER_TURN: usize = 64;
