//! Work on a session, one task after the other.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError, Weak},
};

use super::{Session, SessionInner};

/// The tasks of one session. They never run at the same time, and run in the order in which they
/// came.
pub(super) struct Tasks<T> {
    session: Weak<SessionInner<T>>,
    queue: Mutex<Queue<T>>,
}

struct Queue<T> {
    waiting: VecDeque<Task<T>>,
    running: bool,
}

type Task<T> = Box<dyn FnOnce(&Session<T>) + Send>;

/// A session has as many tasks waiting as it can.
#[derive(Debug)]
pub(super) struct TooManyTasks;

impl<T: Send + Sync + 'static> Tasks<T> {
    pub(super) fn new(session: Weak<SessionInner<T>>) -> Self {
        Self {
            session,
            queue: Mutex::new(Queue {
                waiting: VecDeque::new(),
                running: false,
            }),
        }
    }

    /// Queues a task; says whether somebody has to be sent to [`run`](Self::run) the queue.
    pub(super) fn push(&self, task: Task<T>) -> Result<bool, TooManyTasks> {
        let mut queue = self.lock();
        if queue.waiting.len() >= TASKS_MAX {
            return Err(TooManyTasks);
        }
        queue.waiting.push_back(task);
        Ok(!std::mem::replace(&mut queue.running, true))
    }

    /// Runs tasks until none waits.
    pub(super) fn run(&self) {
        let Some(inner) = self.session.upgrade() else {
            return;
        };
        let session = Session { inner };
        while let Some(task) = self.next() {
            // A task that panics must not take those behind it along.
            let run = std::panic::AssertUnwindSafe(|| task(&session));
            drop(std::panic::catch_unwind(run));
        }
    }

    fn next(&self) -> Option<Task<T>> {
        let mut queue = self.lock();
        let task = queue.waiting.pop_front();
        queue.running = task.is_some();
        task
    }

    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The most tasks that wait for one session.
const TASKS_MAX: usize = 1024;
