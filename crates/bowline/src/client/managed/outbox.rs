//! Messages that wait for a link.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bowline_proto::Misuse;
use tokio::{
    sync::{Notify, futures::Notified},
    time::{Instant, sleep_until},
};

use super::delivery::{Delivery, DeliveryStatus, DropReason, Receipt};
use crate::Message;

/// Bounds what may wait for a link, and says what happens otherwise.
///
/// What is being written is not counted: at most 16 messages, of which only the last passes 4 KiB.
/// Those are what may be in doubt when a link breaks, so they are few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxOptions {
    /// The most messages. Default 1024.
    pub messages_max: usize,
    /// The most bytes of payload; a message alone always fits. Default 1 MiB.
    pub bytes_max: usize,
    /// What gives way when a message does not fit. Default [`WhenFull::DropNewest`].
    pub when_full: WhenFull,
    /// What becomes of messages when a link ends before their turn came. Default [`Unsent::Keep`].
    pub unsent: Unsent,
    /// What becomes of messages that were being written when a link ended. Default
    /// [`Interrupted::Drop`].
    pub interrupted: Interrupted,
    /// How long a message may wait for its turn unless it says so itself; `None` for ever. Default
    /// `None`.
    pub deadline: Option<Duration>,
}

impl Default for OutboxOptions {
    fn default() -> Self {
        Self {
            messages_max: 1024,
            bytes_max: 1 << 20,
            when_full: WhenFull::DropNewest,
            unsent: Unsent::Keep,
            interrupted: Interrupted::Drop,
            deadline: None,
        }
    }
}

/// What gives way when a message does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// The new message.
    DropNewest,
    /// The oldest messages.
    DropOldest,
}

/// What becomes of messages when a link ends before their turn came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// They wait for the next link.
    Keep,
    /// They are dropped: what was meant for one link never reaches another. A close then sends
    /// nothing but what is being written.
    Drop,
}

/// What becomes of messages that were being written when a link ended, so that nobody knows
/// whether the peer has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// They are dropped and reported: a message arrives at most once.
    Drop,
    /// They are sent again on the next link: a message may arrive twice.
    Resend,
}

/// The outbox of one client, shared by its handles and its task.
#[derive(Debug)]
pub(super) struct Outbox {
    options: OutboxOptions,
    inner: Mutex<Inner>,
    /// Tells the link that there is something to write.
    work: Notify,
    /// Tells those who wait for room.
    room: Notify,
    /// Tells that the earliest deadline may have changed.
    deadlines: Notify,
}

#[derive(Debug)]
struct Inner {
    /// By the order in which they came.
    waiting: BTreeMap<u64, Entry>,
    /// The deadlines of those that wait.
    deadlines: BTreeSet<(Instant, u64)>,
    bytes: usize,
    /// Being written to the present link, in order.
    flight: VecDeque<Flying>,
    flight_bytes: usize,
    next: u64,
    is_linked: bool,
    is_accepting: bool,
}

/// A message that is being written.
#[derive(Debug)]
struct Flying {
    number: u64,
    entry: Entry,
    /// How many bytes it takes in the stream.
    framed_len: usize,
}

#[derive(Debug)]
struct Entry {
    message: Message,
    deadline: Option<Instant>,
    receipt: Receipt,
}

impl Outbox {
    pub(super) fn new(options: OutboxOptions) -> Self {
        Self {
            options,
            inner: Mutex::new(Inner {
                waiting: BTreeMap::new(),
                deadlines: BTreeSet::new(),
                bytes: 0,
                flight: VecDeque::new(),
                flight_bytes: 0,
                next: 0,
                is_linked: false,
                is_accepting: true,
            }),
            work: Notify::new(),
            room: Notify::new(),
            deadlines: Notify::new(),
        }
    }

    /// Takes a message in, or drops one by the options.
    pub(super) fn push(&self, message: Message, patience: Option<Duration>) -> Delivery {
        let mut inner = self.lock();
        if !inner.is_accepting {
            return dropped(DropReason::Closed);
        }
        if !inner.has_room(message.len(), &self.options) {
            if self.options.when_full == WhenFull::DropNewest {
                return dropped(DropReason::OutboxFull);
            }
            while !inner.has_room(message.len(), &self.options)
                && let Some((_, entry)) = inner.pop()
            {
                entry.drop_for(DropReason::Displaced);
            }
        }
        self.append(inner, message, patience)
    }

    /// Takes a message in if it fits.
    pub(super) fn try_push(
        &self,
        message: &Message,
        patience: Option<Duration>,
    ) -> Option<Delivery> {
        let inner = self.lock();
        if !inner.is_accepting {
            return Some(dropped(DropReason::Closed));
        }
        inner
            .has_room(message.len(), &self.options)
            .then(|| self.append(inner, message.clone(), patience))
    }

    /// Says whether a message of some length fits, or need not wait since nothing is taken in.
    pub(super) fn is_ready(&self, len: usize) -> bool {
        let inner = self.lock();
        !inner.is_accepting || inner.has_room(len, &self.options)
    }

    /// Waits for room; begins when it is made.
    pub(super) fn room(&self) -> Notified<'_> {
        self.room.notified()
    }

    /// Gives the number of messages and of their bytes that wait.
    pub(super) fn backlog(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.waiting.len(), inner.bytes)
    }

    /// Waits until there may be something to write.
    pub(super) async fn work(&self) {
        self.work.notified().await;
    }

    /// Takes the message whose turn it is; it is being written from now on. `None` if nothing waits
    /// or as much is being written as should be at once.
    pub(super) fn take(&self) -> Option<Message> {
        let mut inner = self.lock();
        if inner.flight.len() >= FLIGHT_MAX || inner.flight_bytes >= FLIGHT_BYTES_MAX {
            return None;
        }
        let now = Instant::now();
        while let Some((number, entry)) = inner.pop() {
            if entry.deadline.is_some_and(|deadline| deadline <= now) {
                entry.receipt.set(DeliveryStatus::Expired);
                continue;
            }
            let message = entry.message.clone();
            inner.flight_bytes += message.len();
            inner.flight.push_back(Flying {
                number,
                entry,
                framed_len: 0,
            });
            self.room.notify_waiters();
            return Some(message);
        }
        None
    }

    /// Notes that the link accepted the message taken last, and how many bytes it takes there.
    pub(super) fn queued(&self, framed_len: usize) {
        if let Some(last) = self.lock().flight.back_mut() {
            last.framed_len = framed_len;
        }
    }

    /// Notes that the message taken last was not accepted by the link, and why if it never will be.
    pub(super) fn take_back(&self, misuse: Option<Misuse>) {
        let mut inner = self.lock();
        let Some(last) = inner.flight.pop_back() else {
            return;
        };
        inner.flight_bytes -= last.entry.message.len();
        match misuse {
            Some(misuse) => last.entry.drop_for(DropReason::Misuse(misuse)),
            None => inner.insert(last.number, last.entry),
        }
    }

    /// Says whether what waits when a link ends is dropped.
    pub(super) fn drops_unsent(&self) -> bool {
        self.options.unsent == Unsent::Drop
    }

    /// Says whether anything is being written.
    pub(super) fn is_flying(&self) -> bool {
        !self.lock().flight.is_empty()
    }

    /// Notes that all but the last bytes of what is being written are written.
    pub(super) fn landed(&self, unwritten: usize) {
        let mut inner = self.lock();
        let mut behind: usize = inner.flight.iter().map(|flying| flying.framed_len).sum();
        while let Some(first) = inner.flight.pop_front() {
            behind -= first.framed_len;
            if behind < unwritten {
                return inner.flight.push_front(first);
            }
            inner.flight_bytes -= first.entry.message.len();
            first.entry.receipt.set(DeliveryStatus::Sent);
        }
    }

    /// Notes that there is a link.
    pub(super) fn link_up(&self) {
        let mut inner = self.lock();
        inner.is_linked = true;
        inner.tell(DeliveryStatus::Queued);
        drop(inner);
        self.work.notify_one();
    }

    /// Notes that the link is over.
    pub(super) fn link_down(&self) {
        let mut inner = self.lock();
        inner.is_linked = false;
        inner.flight_bytes = 0;
        for Flying { number, entry, .. } in std::mem::take(&mut inner.flight) {
            match self.options.interrupted {
                Interrupted::Drop => entry.drop_for(DropReason::Interrupted),
                Interrupted::Resend => inner.insert(number, entry),
            }
        }
        match self.options.unsent {
            Unsent::Keep => inner.tell(DeliveryStatus::Kept),
            Unsent::Drop => inner.drop_all(DropReason::LinkEnded),
        }
        drop(inner);
        self.room.notify_waiters();
        self.deadlines.notify_one();
    }

    /// Takes messages in again.
    pub(super) fn accept(&self) {
        self.lock().is_accepting = true;
    }

    /// Takes no more messages in.
    pub(super) fn refuse(&self) {
        self.lock().is_accepting = false;
        self.room.notify_waiters();
    }

    /// Drops what waits.
    pub(super) fn drop_all(&self) {
        self.lock().drop_all(DropReason::Closed);
        self.room.notify_waiters();
    }

    /// Lets messages expire, each when its deadline passes.
    pub(super) async fn expire(&self) -> ! {
        loop {
            let first = self.lock().deadlines.first().map(|&(deadline, _)| deadline);
            let changed = self.deadlines.notified();
            match first {
                None => changed.await,
                Some(deadline) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(deadline) => self.expire_due(),
                },
            }
        }
    }

    fn expire_due(&self) {
        let now = Instant::now();
        let mut inner = self.lock();
        while let Some(&(deadline, number)) = inner.deadlines.first()
            && deadline <= now
        {
            if let Some(entry) = inner.remove(number) {
                entry.receipt.set(DeliveryStatus::Expired);
            }
        }
        drop(inner);
        self.room.notify_waiters();
    }

    fn append(
        &self,
        mut inner: MutexGuard<'_, Inner>,
        message: Message,
        patience: Option<Duration>,
    ) -> Delivery {
        let status = if inner.is_linked {
            DeliveryStatus::Queued
        } else {
            DeliveryStatus::Kept
        };
        let (receipt, delivery) = Receipt::new(status);
        let patience = patience.or(self.options.deadline);
        let entry = Entry {
            message,
            // One that is out of the clock's range never comes.
            deadline: patience.and_then(|patience| Instant::now().checked_add(patience)),
            receipt,
        };
        let has_deadline = entry.deadline.is_some();
        let number = inner.next;
        inner.next += 1;
        inner.insert(number, entry);
        drop(inner);
        self.work.notify_one();
        if has_deadline {
            self.deadlines.notify_one();
        }
        delivery
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Says whether another message of `len` bytes fits. One alone always does.
    fn has_room(&self, len: usize, options: &OutboxOptions) -> bool {
        self.waiting.is_empty()
            || (self.waiting.len() < options.messages_max
                && self.bytes.saturating_add(len) <= options.bytes_max)
    }

    fn insert(&mut self, number: u64, entry: Entry) {
        self.bytes += entry.message.len();
        if let Some(deadline) = entry.deadline {
            self.deadlines.insert((deadline, number));
        }
        self.waiting.insert(number, entry);
    }

    fn remove(&mut self, number: u64) -> Option<Entry> {
        let entry = self.waiting.remove(&number)?;
        self.forget(number, &entry);
        Some(entry)
    }

    fn pop(&mut self) -> Option<(u64, Entry)> {
        let (number, entry) = self.waiting.pop_first()?;
        self.forget(number, &entry);
        Some((number, entry))
    }

    fn forget(&mut self, number: u64, entry: &Entry) {
        self.bytes -= entry.message.len();
        if let Some(deadline) = entry.deadline {
            self.deadlines.remove(&(deadline, number));
        }
    }

    fn tell(&self, status: DeliveryStatus) {
        for entry in self.waiting.values() {
            entry.receipt.set(status);
        }
    }

    fn drop_all(&mut self, reason: DropReason) {
        self.bytes = 0;
        self.deadlines.clear();
        for (_, entry) in std::mem::take(&mut self.waiting) {
            entry.drop_for(reason);
        }
    }
}

impl Entry {
    fn drop_for(self, reason: DropReason) {
        self.receipt.set(DeliveryStatus::Dropped(reason));
    }
}

fn dropped(reason: DropReason) -> Delivery {
    Receipt::new(DeliveryStatus::Dropped(reason)).1
}

/// The most messages that are being written at once.
const FLIGHT_MAX: usize = 16;
/// When so many bytes are being written, no further message is taken.
const FLIGHT_BYTES_MAX: usize = 4 << 10;
