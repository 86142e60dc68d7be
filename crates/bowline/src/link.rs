//! Acting on a connection from outside of it.

use std::sync::Arc;
use std::{cell::RefCell, time::Duration};

use bowline_proto::{Close, Ending, PreparedBatch, PreparedMessage};
use tokio::sync::Notify;

use crate::{
    driver::Driver,
    outbox::{Key, OutboxLimits, Outgoing, Refused, Sent},
    round::{Place, Round, Shares},
    server::OpenRound,
    shared::Shared,
    transport::Transport,
};

/// What any thread can do with a connection, whatever stream it runs over.
pub(crate) trait Link: Send + Sync {
    /// Queues a message by the limits, and has it written.
    fn push(
        self: Arc<Self>,
        message: &Outgoing,
        key: Option<Key>,
        limits: &OutboxLimits,
    ) -> Result<Sent, Refused>;
    /// Queues the messages of a batch behind the first `done` and has them written; gives how many
    /// are then done, and why the next one was not.
    fn push_all(
        self: Arc<Self>,
        batch: &PreparedBatch,
        done: usize,
        limits: &OutboxLimits,
    ) -> (usize, Option<Refused>);
    /// Queues messages that are encoded already, and has them written together; says why one was
    /// not queued, and with it those behind it.
    fn push_batch(
        self: Arc<Self>,
        batch: &PreparedBatch,
        limits: &OutboxLimits,
    ) -> Result<(), Refused>;
    /// Takes part in a round from one of its messages on, under a place of its own there; false
    /// if each message has to be pushed.
    fn join_round(&self, round: &Arc<Round>, place: Place, first: usize) -> bool;
    /// Has the share of a round queued before anything else is done.
    fn leave_round(&self);
    /// Takes the share of a round that has ended, and has it written.
    fn end_round(self: Arc<Self>, round: &Arc<Round>, shares: &Shares);
    /// Queues a ping, ahead of messages.
    fn ping(self: Arc<Self>, payload: &[u8]) -> Result<(), Refused>;
    /// Begins the closing handshake behind what is queued.
    fn close(self: Arc<Self>, close: Option<Close>) -> Result<(), Refused>;
    /// Ends the connection without a closing handshake.
    fn abort(&self);
    /// Tells those who wait for room in the outbox.
    fn room(&self) -> &Notify;
    /// What waits for the peer.
    fn backlog(&self) -> Backlog;
    /// Takes the number of messages dropped since this was last asked.
    fn take_lost(&self) -> u64;
    /// Takes note that the peer does not keep up, if that began since this was last asked.
    fn take_slow_episode(&self) -> bool;
    fn ending(&self) -> Option<Ending>;
    fn round_trip(&self) -> Option<Duration>;
    /// Writes what can be written without waiting.
    fn flush(self: Arc<Self>);
    /// Writes what was left to a flush in the background.
    fn flush_scheduled(self: Arc<Self>);
    /// Leaves what was left to a flush in the background to a task of its own.
    fn flush_alone(self: Arc<Self>);
}

/// Says how much waits for a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Messages in the outbox; those the engine has framed already are not counted.
    pub messages: usize,
    /// Bytes of payload in the outbox.
    pub bytes: usize,
    /// Bytes framed and not written yet.
    pub framed_bytes: usize,
}

impl<S: Transport> Link for Shared<S> {
    fn push(
        self: Arc<Self>,
        message: &Outgoing,
        key: Option<Key>,
        limits: &OutboxLimits,
    ) -> Result<Sent, Refused> {
        let pushed = self.with(|driver| {
            if !driver.fits(message.len(), limits) {
                // What waits for the end of a batch makes room.
                self.write_with(driver);
            }
            expect(driver);
            let pushed = driver.push(message, key, limits);
            if pushed.is_ok() {
                write_with(&self, driver);
            }
            pushed
        });
        if pushed == Err(Refused::TooSlow) {
            // Whoever receives has the deadline of a close to watch.
            self.wake();
        }
        pushed
    }

    fn push_all(
        self: Arc<Self>,
        batch: &PreparedBatch,
        done: usize,
        limits: &OutboxLimits,
    ) -> (usize, Option<Refused>) {
        let pushed = (done == 0).then(|| push_whole(&self, batch)).flatten();
        if let Some(pushed) = pushed {
            return match pushed {
                Ok(()) => (batch.len(), None),
                Err(refused) => (0, Some(refused)),
            };
        }
        let result = self.push_each(batch.messages(), done, limits);
        write(&self);
        if matches!(result, (_, Some(Refused::TooSlow))) {
            // Whoever receives has the deadline of a close to watch.
            self.wake();
        }
        result
    }

    fn push_batch(
        self: Arc<Self>,
        batch: &PreparedBatch,
        limits: &OutboxLimits,
    ) -> Result<(), Refused> {
        if let Some(pushed) = push_whole(&self, batch) {
            return pushed;
        }
        let mut messages = batch.messages().iter().peekable();
        let queued = loop {
            // Beyond what the engine queues, a peer that keeps up would look slow.
            let queued = self.with(|driver| queue_some(driver, &mut messages, limits));
            if queued.is_err() || messages.peek().is_none() {
                break queued;
            }
            self.write_now();
        };
        write(&self);
        if queued == Err(Refused::TooSlow) {
            // Whoever receives has the deadline of a close to watch.
            self.wake();
        }
        queued
    }

    fn join_round(&self, round: &Arc<Round>, place: Place, first: usize) -> bool {
        self.enter_round(round, place, first)
    }

    fn leave_round(&self) {
        self.with(Driver::leave_round);
    }

    fn end_round(self: Arc<Self>, round: &Arc<Round>, shares: &Shares) {
        self.write_share(round, shares);
    }

    fn ping(self: Arc<Self>, payload: &[u8]) -> Result<(), Refused> {
        self.with(|driver| {
            if driver.is_close_waiting() {
                return Err(Refused::Closing);
            }
            let pinged = driver.connection().ping(payload);
            pinged.map_err(Refused::of_misuse)
        })?;
        write(&self);
        Ok(())
    }

    fn close(self: Arc<Self>, close: Option<Close>) -> Result<(), Refused> {
        self.begin_close(close).map_err(Refused::of_misuse)?;
        // Who waits for room will never get any.
        self.notify_room();
        Ok(())
    }

    fn abort(&self) {
        self.give_up();
    }

    fn room(&self) -> &Notify {
        self.room_notify()
    }

    fn backlog(&self) -> Backlog {
        self.with(|driver| driver.backlog())
    }

    fn take_lost(&self) -> u64 {
        self.with(Driver::take_lost)
    }

    fn take_slow_episode(&self) -> bool {
        self.with(Driver::take_slow_episode)
    }

    fn ending(&self) -> Option<Ending> {
        self.with(|driver| driver.connection().ending().cloned())
    }

    fn round_trip(&self) -> Option<Duration> {
        self.with(|driver| driver.connection().round_trip())
    }

    fn flush(self: Arc<Self>) {
        self.write_now();
    }

    fn flush_scheduled(self: Arc<Self>) {
        self.write_scheduled();
    }

    fn flush_alone(self: Arc<Self>) {
        self.spawn_flush();
    }
}

/// Has a batch written as one run of bytes, if there is room for all of it now.
fn push_whole<S: Transport>(
    shared: &Arc<Shared<S>>,
    batch: &PreparedBatch,
) -> Option<Result<(), Refused>> {
    if batch.is_empty() {
        return Some(Ok(()));
    }
    let is_batched = BATCH.with_borrow(Option::is_some);
    let pushed = shared.with(|driver| {
        let has_room = !is_batched && driver.has_room_for(batch);
        has_room.then(|| shared.write_batch(driver, batch))
    });
    pushed.map(|pushed| pushed.map_err(Refused::of_misuse))
}

/// Queues messages until the engine has enough; at least one.
fn queue_some<'a, S>(
    driver: &mut Driver<S>,
    messages: &mut impl Iterator<Item = &'a PreparedMessage>,
    limits: &OutboxLimits,
) -> Result<(), Refused> {
    for message in messages {
        driver.push(&Outgoing::Prepared(message.clone()), None, limits)?;
        if !driver.has_room() {
            break;
        }
    }
    Ok(())
}

/// Collects the connections written to while `work` runs, and writes to each once afterwards.
///
/// So what a handler sends for a batch of received messages leaves in one write per connection.
pub(crate) fn batched<R>(expected_len: usize, work: impl FnOnce() -> R) -> R {
    let outer = BATCH.replace(Some(Collected {
        rounds: Vec::new(),
        links: Vec::new(),
        expected_len: expected_len.min(EXPECTED_LEN_MAX),
    }));
    let guard = Batch { outer };
    let result = work();
    drop(guard);
    result
}

/// Ends a batch also when the work panics.
struct Batch {
    outer: Option<Collected>,
}

/// What a batch collects.
struct Collected {
    /// End when they are dropped.
    rounds: Vec<OpenRound>,
    links: Vec<Arc<dyn Link>>,
    /// How much will be sent on each, most likely.
    expected_len: usize,
}

impl Drop for Batch {
    fn drop(&mut self) {
        let Some(batch) = BATCH.replace(self.outer.take()) else {
            return;
        };
        drop(batch.rounds);
        for link in batch.links {
            link.flush();
        }
    }
}

/// Lends the rounds of this thread's batch; `None` outside of one.
pub(crate) fn with_rounds<R>(work: impl FnOnce(&mut Vec<OpenRound>) -> R) -> Option<R> {
    let take = |batch: &mut Collected| std::mem::take(&mut batch.rounds);
    let mut rounds = BATCH.with_borrow_mut(|batch| batch.as_mut().map(take))?;
    let result = work(&mut rounds);
    BATCH.with_borrow_mut(|batch| {
        if let Some(batch) = batch {
            rounds.append(&mut batch.rounds);
            batch.rounds = rounds;
        }
    });
    Some(result)
}

/// Writes at once, or at the end of this thread's batch.
///
/// A batch collects as much as the engine queues: beyond, a peer that keeps up would look slow.
fn write<S: Transport>(shared: &Arc<Shared<S>>) {
    shared.with(|driver| write_with(shared, driver));
}

/// Makes room for what a batch will send.
fn expect<S: Transport>(driver: &mut Driver<S>) {
    if driver.connection().queued_len() > 0 {
        return;
    }
    BATCH.with_borrow(|batch| {
        if let Some(batch) = batch {
            driver.connection().expect_sends(batch.expected_len);
        }
    });
}

fn write_with<S: Transport>(shared: &Arc<Shared<S>>, driver: &mut Driver<S>) {
    let deferred = BATCH.with_borrow_mut(|batch| match batch {
        Some(batch) if driver.has_room() => {
            if driver.join_batch() {
                batch.links.push(Arc::clone(shared) as Arc<dyn Link>);
            }
            true
        }
        Some(_) | None => false,
    });
    if !deferred {
        shared.write_with(driver);
    }
}

thread_local! {
    static BATCH: RefCell<Option<Collected>> = const { RefCell::new(None) };
}

/// What is made room for on each connection at most.
const EXPECTED_LEN_MAX: usize = 4 << 10;
