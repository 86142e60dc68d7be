//! Work on a session, one task after the other.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Session;

/// The tasks of one session. They never run at the same time, and run in the order in which they
/// came.
pub(super) struct Tasks<T> {
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

/// The duty to run the tasks of a session. Dropped without doing so, because the runtime that was
/// to do it is gone, it drops what waits: who awaits a result then learns that there is none.
pub(super) struct Turn<T: Send + Sync + 'static>(Option<Session<T>>);

impl<T: Send + Sync + 'static> Turn<T> {
    /// Runs tasks until none waits.
    pub(super) fn run(mut self) {
        let Some(session) = self.0.take() else { return };
        while let Some(task) = session.inner.tasks.next() {
            // A task that panics must not take those behind it along.
            let run = AssertUnwindSafe(|| task(&session));
            drop(catch_unwind(run));
        }
    }
}

impl<T: Send + Sync + 'static> Drop for Turn<T> {
    fn drop(&mut self) {
        if let Some(session) = &self.0 {
            let abandoned = session.inner.tasks.abandon();
            // Outside of the lock: dropping a task may run code of the application.
            drop(abandoned);
        }
    }
}

impl<T: Send + Sync + 'static> Tasks<T> {
    /// Queues a task of a session; gives the turn to run the queue if nobody has it.
    pub(super) fn push(
        session: &Session<T>,
        task: Task<T>,
    ) -> Result<Option<Turn<T>>, TooManyTasks> {
        let mut queue = session.inner.tasks.lock();
        if queue.waiting.len() >= TASKS_MAX {
            return Err(TooManyTasks);
        }
        queue.waiting.push_back(task);
        let idle = !std::mem::replace(&mut queue.running, true);
        Ok(idle.then(|| Turn(Some(session.clone()))))
    }

    fn next(&self) -> Option<Task<T>> {
        let mut queue = self.lock();
        let task = queue.waiting.pop_front();
        queue.running = task.is_some();
        task
    }

    /// Takes the tasks nobody will run.
    fn abandon(&self) -> VecDeque<Task<T>> {
        let mut queue = self.lock();
        queue.running = false;
        std::mem::take(&mut queue.waiting)
    }

    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Tasks<T> {
    fn default() -> Self {
        Self {
            queue: Mutex::new(Queue {
                waiting: VecDeque::new(),
                running: false,
            }),
        }
    }
}

/// The most tasks that wait for one session.
const TASKS_MAX: usize = 1024;
