//! The one order in which all workers carry out what is published.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bowline_bus::{Publication, Retain, SessionId};
use tokio::sync::Notify;

use crate::config::Limits;

/// Makes the seats of all workers at one exchange.
///
/// A batch is put at the end of every worker's queue at once, so that all of them carry out the
/// same publications in the same order. Buses that begin alike therefore stay alike.
pub(crate) fn exchange(workers: usize, limits: &Limits) -> Vec<Seat> {
    let exchange = Arc::new(Exchange {
        state: Mutex::new(State {
            queues: (0..workers).map(|_| Queue::default()).collect(),
            publishing: workers,
        }),
        arrived: (0..workers).map(|_| Notify::new()).collect(),
        room: Notify::new(),
        publications_max: limits.forwarded_publications_max,
        bytes_max: limits.forwarded_bytes_max,
    });
    let seat = |worker| Seat {
        exchange: Arc::clone(&exchange),
        worker,
        is_publishing: true,
    };
    (0..workers).map(seat).collect()
}

/// One worker's place at the exchange.
#[derive(Debug)]
pub(crate) struct Seat {
    exchange: Arc<Exchange>,
    worker: usize,
    is_publishing: bool,
}

/// What one worker publishes in one turn.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) entries: Vec<Entry>,
    bytes: usize,
    /// The worker that it comes from.
    worker: usize,
}

/// One publication on its way to all workers. Its payload is an allocation of its own, which all of
/// them share when they retain it.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The session that published, of the worker that it comes from; `None` for the program.
    pub(crate) publisher: Option<SessionId>,
    pub(crate) publication: Publication,
    pub(crate) retain: Retain,
}

impl Batch {
    pub(crate) fn push(&mut self, entry: Entry) {
        self.bytes += size(&entry.publication);
        self.entries.push(entry);
    }

    /// Says whether it is time to hand the batch over.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES_MAX
    }
}

impl Seat {
    /// Says whether every other worker has room for a batch.
    pub(crate) fn has_room(&self) -> bool {
        self.exchange.has_room(self.worker)
    }

    /// Waits until every other worker has room for a batch. Cancel-safe.
    pub(crate) async fn room(&self) {
        loop {
            let mut room = pin!(self.exchange.room.notified());
            // From here on no notice of room can be missed.
            room.as_mut().enable();
            if self.has_room() {
                return;
            }
            room.await;
        }
    }

    /// Puts a batch behind what all workers carry out, and takes what this one has to carry out
    /// now: what others put before it, and the batch itself.
    pub(crate) fn publish(&self, batch: Batch) -> Vec<Arc<Batch>> {
        let worker = self.worker;
        let batch = Arc::new(Batch { worker, ..batch });
        let mut state = self.exchange.lock();
        for (worker, queue) in state.queues.iter_mut().enumerate() {
            if queue.is_closed {
                continue;
            }
            let was_empty = queue.batches.is_empty();
            queue.push(Arc::clone(&batch));
            if was_empty && worker != self.worker {
                self.exchange.wake(worker);
            }
        }
        self.take_from(&mut state)
    }

    /// Takes what this worker has to carry out now.
    pub(crate) fn take(&self) -> Vec<Arc<Batch>> {
        self.take_from(&mut self.exchange.lock())
    }

    /// Says whether a batch comes from this worker.
    pub(crate) fn is_own(&self, batch: &Batch) -> bool {
        batch.worker == self.worker
    }

    /// Waits for what other workers publish; `None` when nobody will any more. Cancel-safe.
    pub(crate) async fn arrived(&self) -> Option<Vec<Arc<Batch>>> {
        loop {
            {
                let mut state = self.exchange.lock();
                let arrived = self.take_from(&mut state);
                if !arrived.is_empty() {
                    return Some(arrived);
                }
                if state.publishing == 0 {
                    return None;
                }
            }
            match self.exchange.arrived.get(self.worker) {
                Some(arrived) => arrived.notified().await,
                None => return None,
            }
        }
    }

    /// Says that this worker publishes nothing more.
    pub(crate) fn finish(&mut self) {
        if !std::mem::replace(&mut self.is_publishing, false) {
            return;
        }
        let mut state = self.exchange.lock();
        state.publishing -= 1;
        if state.publishing == 0 {
            self.exchange.arrived.iter().for_each(Notify::notify_one);
        }
    }

    fn take_from(&self, state: &mut State) -> Vec<Arc<Batch>> {
        let Some(queue) = state.queues.get_mut(self.worker) else {
            return Vec::new();
        };
        let was_full = self.exchange.is_full(queue);
        let taken = std::mem::take(queue);
        queue.is_closed = taken.is_closed;
        if was_full {
            self.exchange.room.notify_waiters();
        }
        taken.batches
    }
}

/// A worker that is gone takes nothing more, and nobody waits for it.
impl Drop for Seat {
    fn drop(&mut self) {
        self.finish();
        if let Some(queue) = self.exchange.lock().queues.get_mut(self.worker) {
            *queue = Queue {
                is_closed: true,
                ..Queue::default()
            };
        }
        self.exchange.room.notify_waiters();
    }
}

/// What all seats share.
#[derive(Debug)]
struct Exchange {
    state: Mutex<State>,
    /// Wakes each worker.
    arrived: Box<[Notify]>,
    /// Wakes workers that wait for others.
    room: Notify,
    publications_max: usize,
    bytes_max: usize,
}

impl Exchange {
    fn has_room(&self, except: usize) -> bool {
        let state = self.lock();
        let mut others = state.queues.iter().enumerate();
        others.all(|(worker, queue)| worker == except || !self.is_full(queue))
    }

    fn is_full(&self, queue: &Queue) -> bool {
        queue.publications >= self.publications_max || queue.bytes >= self.bytes_max
    }

    fn wake(&self, worker: usize) {
        if let Some(arrived) = self.arrived.get(worker) {
            arrived.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct State {
    /// What each worker has not taken yet.
    queues: Box<[Queue]>,
    /// Workers that may still publish.
    publishing: usize,
}

#[derive(Debug, Default)]
struct Queue {
    batches: Vec<Arc<Batch>>,
    publications: usize,
    bytes: usize,
    is_closed: bool,
}

impl Queue {
    fn push(&mut self, batch: Arc<Batch>) {
        self.publications += batch.entries.len();
        self.bytes += batch.bytes;
        self.batches.push(batch);
    }
}

fn size(publication: &Publication) -> usize {
    publication.topic.as_str().len() + publication.payload.len()
}

/// Bytes after which a worker hands a batch over although more waits to be published.
const BATCH_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use bowline_bus::{Topic, TopicLimits};

    use super::*;

    fn seats(publications_max: usize) -> Vec<Seat> {
        let limits = Limits {
            forwarded_publications_max: publications_max,
            ..Limits::default()
        };
        exchange(2, &limits)
    }

    fn batch(payload: &'static str) -> Batch {
        let mut batch = Batch::default();
        batch.push(Entry {
            publisher: None,
            publication: Publication {
                topic: Topic::parse("a", &TopicLimits::default()).unwrap(),
                payload: payload.into(),
            },
            retain: Retain::No,
        });
        batch
    }

    fn words(batches: &[Arc<Batch>]) -> String {
        let word = |batch: &Arc<Batch>| {
            let payload = &batch.entries[0].publication.payload;
            let payload = String::from_utf8_lossy(payload);
            format!("{payload} of {}", batch.worker)
        };
        batches.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    #[tokio::test]
    async fn all_workers_get_everything_in_one_order() {
        let seats = seats(8);
        assert_eq!(words(&seats[0].publish(batch("1"))), "1 of 0");
        assert_eq!(words(&seats[0].publish(batch("2"))), "2 of 0");
        let second = seats[1].publish(batch("3"));
        assert_eq!(words(&second), "1 of 0, 2 of 0, 3 of 1");
        assert_eq!(words(&seats[0].arrived().await.unwrap()), "3 of 1");
    }

    #[tokio::test]
    async fn who_is_behind_makes_others_wait_until_it_has_taken() {
        let seats = seats(1);
        drop(seats[0].publish(batch("1")));
        assert!(!seats[0].has_room());
        assert!(seats[1].has_room(), "nothing waits for the other");
        let (room, arrived) = tokio::join!(seats[0].room(), seats[1].arrived());
        assert_eq!((room, words(&arrived.unwrap())), ((), "1 of 0".to_owned()));
    }

    #[tokio::test]
    async fn a_worker_that_is_gone_is_not_waited_for() {
        let mut seats = seats(1);
        drop(seats[0].publish(batch("1")));
        drop(seats.pop());
        seats[0].room().await;
        drop(seats[0].publish(batch("2")));
        assert!(seats[0].has_room());
    }

    #[tokio::test]
    async fn the_end_comes_when_all_have_finished_and_everything_is_taken() {
        let mut seats = seats(8);
        seats[0].finish();
        drop(seats[1].publish(batch("1")));
        seats[1].finish();
        assert_eq!(words(&seats[0].arrived().await.unwrap()), "1 of 1");
        assert!(seats[0].arrived().await.is_none());
        assert!(seats[1].arrived().await.is_none());
    }
}
