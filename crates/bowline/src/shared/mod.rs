//! What the handles of one connection share.

mod receiving;

use std::{
    future::{Future as _, poll_fn},
    ops::Deref,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker, ready},
};

use bowline_proto::{
    Close, Compress, Connection, ConnectionState, Message, Misuse, PreparedBatch, PreparedMessage,
};
use bytes::BytesMut;
use tokio::{
    runtime::Handle,
    sync::Notify,
    task::coop::unconstrained,
    time::{Sleep, sleep},
};

use crate::{
    driver::{CutOff, Driver},
    error::Error,
    flusher,
    link::Link,
    outbox::{OutboxLimits, Outgoing, Refused},
    round::{Place, Round, Shares},
    transport::Transport,
    wakers::{Waiter, Wakers},
};

/// A share of a connection. With the last one the stream is let go, once what was sent is written
/// or the close timeout has passed.
pub(crate) struct Share<S>(Arc<Shared<S>>);

impl<S: Transport> Share<S> {
    pub(crate) fn new(connection: Connection, stream: S, input: BytesMut) -> Self {
        let wakers = Arc::new(Wakers::default());
        Self(Arc::new(Shared {
            driver: Mutex::new(Driver::new(connection, stream, input)),
            waker: Waker::from(Arc::clone(&wakers)),
            wakers,
            share_count: AtomicUsize::new(1),
            room: OnceLock::new(),
            runtime: Handle::try_current().ok(),
            schedule_flush: Shared::schedule_flush,
        }))
    }
}

impl<S> Clone for Share<S> {
    fn clone(&self) -> Self {
        self.0.share_count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(&self.0))
    }
}

impl<S> Drop for Share<S> {
    fn drop(&mut self) {
        if self.0.share_count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.let_go();
        }
    }
}

impl<S> Deref for Share<S> {
    type Target = Arc<Shared<S>>;

    fn deref(&self) -> &Arc<Shared<S>> {
        &self.0
    }
}

/// One connection, shared by whatever acts on it: the halves that receive and send, a flush in
/// the background, and handles in other threads.
///
/// The lock is held while the connection is acted on; never across an await, and never while a
/// handler of the application runs.
pub(crate) struct Shared<S> {
    driver: Mutex<Driver<S>>,
    wakers: Arc<Wakers>,
    /// `wakers`, in the form the stream wants.
    waker: Waker,
    /// The number of [`Share`]s. A flush in the background has none, nor have handles.
    share_count: AtomicUsize,
    /// Tells those who wait for room in the outbox; made when somebody does.
    room: OnceLock<Box<Notify>>,
    /// Where the background flush runs; `None` if the connection was made outside of a runtime.
    runtime: Option<Handle>,
    /// [`Shared::schedule_flush`], for where nothing is known of the stream.
    schedule_flush: fn(&Arc<Self>, &mut Driver<S>) -> bool,
}

impl<S: Transport> Shared<S> {
    /// Queues messages behind the first `done` one after the other, and writes in between when they
    /// do not fit; gives how many are then done and why the next one was not.
    pub(crate) fn push_each(
        self: &Arc<Self>,
        messages: &[PreparedMessage],
        mut done: usize,
        limits: &OutboxLimits,
    ) -> (usize, Option<Refused>) {
        while let Some(message) = messages.get(done) {
            let message = Outgoing::Prepared(message.clone());
            let push = || self.with(|driver| driver.push(&message, None, limits));
            let mut pushed = push();
            if pushed == Err(Refused::Full) {
                self.write_now();
                pushed = push();
            }
            if let Err(refused) = pushed {
                return (done, Some(refused));
            }
            done += 1;
        }
        (done, None)
    }

    /// Waits until another message may be queued.
    pub(crate) fn poll_ready(&self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_room(&mut self.lock(), cx)
    }

    /// Writes what is queued.
    pub(crate) fn poll_flush(&self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_written(&mut self.lock(), Waiter::Sender, cx)
    }

    /// Makes `call` once there is room, notes so in `is_queued`, and writes what it queued.
    ///
    /// While more received messages wait to be taken, writing is left to a flush in the
    /// background, so that the answers leave together, no later than when the task yields.
    #[inline]
    pub(crate) fn poll_send(
        self: &Arc<Self>,
        cx: &Context<'_>,
        is_queued: &mut bool,
        call: impl FnOnce(&mut Connection) -> Result<(), Misuse>,
    ) -> Poll<Result<(), Error>> {
        let mut driver = self.lock();
        if !*is_queued {
            ready!(self.poll_room(&mut driver, cx))?;
            if driver.has_input() {
                let len = driver.burst_len();
                // Answers are mostly as long as what they answer.
                driver.connection().expect_sends(len);
            }
            call(driver.connection()).map_err(|misuse| refusal(&mut driver, misuse))?;
            *is_queued = true;
            if driver.has_input() && self.schedule_flush(&mut driver) {
                return Poll::Ready(Ok(()));
            }
        }
        let written = self.poll_written(&mut driver, Waiter::Sender, cx);
        if written.is_pending() {
            // So that what is queued leaves even if the caller gives up waiting for it.
            self.schedule_flush(&mut driver);
        }
        written
    }

    /// Sends a message, which stays where it is until it is queued: moving it costs as much as
    /// encoding a short one.
    #[inline]
    pub(crate) fn poll_send_message(
        self: &Arc<Self>,
        cx: &Context<'_>,
        message: &mut Option<Message<'_>>,
        compress: Compress,
    ) -> Poll<Result<(), Error>> {
        let Some(unsent) = &*message else {
            return self.poll_sent(cx);
        };
        let mut is_queued = false;
        let sent = self.poll_send(cx, &mut is_queued, |connection| {
            connection.send_with(unsent, compress)
        });
        if is_queued && sent.is_pending() {
            *message = None;
        }
        sent
    }

    /// Goes on writing what [`poll_send_message`](Self::poll_send_message) queued.
    #[cold]
    fn poll_sent(self: &Arc<Self>, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_send(cx, &mut true, |_| Ok(()))
    }

    /// Lets the application queue something without writing it.
    pub(crate) fn queue(
        &self,
        call: impl FnOnce(&mut Connection) -> Result<(), Misuse>,
    ) -> Result<(), Error> {
        let mut driver = self.lock();
        call(driver.connection()).map_err(|misuse| refusal(&mut driver, misuse))
    }

    /// Begins the closing handshake; whoever receives carries it through.
    pub(crate) fn begin_close(&self, close: Option<Close>) -> Result<(), Misuse> {
        // Whoever receives has a new deadline to watch, and writes the close frame.
        if self.lock().close(close)? {
            self.waker.wake_by_ref();
        }
        Ok(())
    }

    /// Looks at the driver.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut Driver<S>) -> R) -> R {
        look(&mut self.lock())
    }

    /// Writes what can be written without waiting; what cannot is left to whoever receives, or to
    /// a task of its own.
    pub(crate) fn write_now(self: &Arc<Self>) {
        self.write_with(&mut self.lock());
    }

    /// Writes what can be written without waiting, as [`write_now`](Self::write_now).
    pub(crate) fn write_with(self: &Arc<Self>, driver: &mut Driver<S>) {
        self.write_by(driver, Driver::poll_flush);
    }

    fn write_by(
        self: &Arc<Self>,
        driver: &mut Driver<S>,
        mut write: impl FnMut(&mut Driver<S>, &mut Context<'_>) -> Poll<Result<(), CutOff>>,
    ) {
        driver.leave_batch();
        // A task that writes to many connections without a pause must not make their peers look
        // slow, so the write does not count as work of the task.
        let write = poll_fn(|cx| write(driver, cx));
        let written = pin!(unconstrained(write)).poll(&mut Context::from_waker(&self.waker));
        match written {
            // Whoever receives finds out how it ended.
            Poll::Ready(Err(CutOff)) => self.waker.wake_by_ref(),
            Poll::Ready(Ok(())) => {}
            Poll::Pending if driver.receiver_waits() => {}
            Poll::Pending => {
                if !self.schedule_flush(driver) {
                    self.waker.wake_by_ref();
                }
            }
        }
        self.tell_of_room(driver);
    }

    /// Queues messages together, and writes what can be written without waiting.
    pub(crate) fn write_batch(
        self: &Arc<Self>,
        driver: &mut Driver<S>,
        batch: &PreparedBatch,
    ) -> Result<(), Misuse> {
        let mut sent = Ok(());
        self.write_by(driver, |driver, cx| {
            sent = driver.send_batch(cx, batch);
            driver.poll_flush(cx)
        });
        sent
    }

    /// Takes part in a round, see [`Driver::join_round`].
    pub(crate) fn enter_round(&self, round: &Arc<Round>, place: Place, first: usize) -> bool {
        self.lock_in_round().join_round(round, place, first)
    }

    /// Takes the share of a round that has ended, and writes.
    pub(crate) fn write_share(self: &Arc<Self>, round: &Arc<Round>, shares: &Shares) {
        let mut driver = self.lock_in_round();
        self.write_by(&mut driver, |driver, cx| {
            driver.poll_share(cx, round, shares)
        });
    }

    /// Has whoever receives look again.
    pub(crate) fn wake(&self) {
        self.waker.wake_by_ref();
    }

    /// Gives what tells those who wait for room in the outbox.
    pub(crate) fn room_notify(&self) -> &Notify {
        self.room.get_or_init(Box::default)
    }

    fn poll_room(&self, driver: &mut Driver<S>, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        if driver.has_room() {
            return Poll::Ready(Ok(()));
        }
        self.poll_write(driver, Waiter::Sender, cx, Driver::poll_room)
    }

    fn poll_written(
        &self,
        driver: &mut Driver<S>,
        waiter: Waiter,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.poll_write(driver, waiter, cx, Driver::poll_flush)
    }

    /// Writes, and wakes the others after the last write or one that failed: whoever receives
    /// carries the end through.
    fn poll_write(
        &self,
        driver: &mut Driver<S>,
        waiter: Waiter,
        cx: &Context<'_>,
        mut write: impl FnMut(&mut Driver<S>, &mut Context<'_>) -> Poll<Result<(), CutOff>>,
    ) -> Poll<Result<(), Error>> {
        let mut all = Context::from_waker(&self.waker);
        let mut written = write(driver, &mut all);
        if written.is_pending() {
            // Most writes need no waiting, so only now it is noted who waits; the stream may have
            // become ready meanwhile.
            self.wakers.register(waiter, cx.waker());
            written = write(driver, &mut all);
            if written.is_ready() {
                self.wakers.forget(waiter);
            }
        }
        self.tell_of_room(driver);
        let written = ready!(written);
        if !driver.is_writable() || driver.connection().state() != ConnectionState::Open {
            self.wakers.wake_others(waiter);
        }
        Poll::Ready(written.map_err(|CutOff| closed(driver)))
    }

    /// Has what is queued written as soon as the current task yields; false if there is no runtime
    /// to run what writes it.
    fn schedule_flush(self: &Arc<Self>, driver: &mut Driver<S>) -> bool {
        let Some(runtime) = &self.runtime else {
            return false;
        };
        if driver.begin_flush_task() {
            flusher::schedule(runtime, Arc::clone(self) as Arc<dyn Link>);
        }
        true
    }

    /// Does what [`schedule_flush`](Self::schedule_flush) left to do; if the stream does not take
    /// everything, a task of its own waits for it.
    pub(crate) fn write_scheduled(self: &Arc<Self>) {
        let mut driver = self.lock();
        if !driver.has_unsent() && self.is_shared() {
            // Whoever receives came first.
            return driver.end_flush_task();
        }
        drop(driver);
        let mut cx = Context::from_waker(Waker::noop());
        if self.poll_flush_task(&mut cx, &mut None).is_pending() {
            self.spawn_flush();
        }
    }

    /// Has a task of its own write what is queued.
    pub(crate) fn spawn_flush(self: &Arc<Self>) {
        if let Some(runtime) = &self.runtime {
            let shared = Arc::clone(self);
            let mut patience = None;
            runtime.spawn(poll_fn(move |cx| shared.poll_flush_task(cx, &mut patience)));
        }
    }

    /// Writes what is queued; gives up a close timeout after the last share was dropped.
    fn poll_flush_task(
        &self,
        cx: &mut Context<'_>,
        patience: &mut Option<Pin<Box<Sleep>>>,
    ) -> Poll<()> {
        let mut driver = self.lock();
        let written = self.poll_written(&mut driver, Waiter::Flush, cx);
        let is_shared = self.is_shared();
        if written.is_pending() {
            if is_shared {
                return Poll::Pending;
            }
            let time = driver.connection().config().close_timeout;
            let patience = patience.get_or_insert_with(|| Box::pin(sleep(time)));
            ready!(patience.as_mut().poll(cx));
        }
        driver.end_flush_task();
        drop(driver);
        if !is_shared {
            self.give_up();
        }
        Poll::Ready(())
    }
}

impl<S> Shared<S> {
    /// Ends the connection without a closing handshake.
    pub(crate) fn give_up(&self) {
        let mut driver = self.lock();
        driver.abort();
        self.tell_of_room(&mut driver);
        drop(driver);
        self.waker.wake_by_ref();
    }

    /// Lets go of the stream, or leaves that to a flush in the background.
    fn let_go(self: &Arc<Self>) {
        let mut driver = self.lock();
        if driver.has_flush_task() {
            // It looks again, and sees that no share is left.
            drop(driver);
            return self.waker.wake_by_ref();
        }
        if driver.is_writable() && driver.has_unsent() && (self.schedule_flush)(self, &mut driver) {
            return;
        }
        drop(driver);
        self.give_up();
    }

    fn is_shared(&self) -> bool {
        self.share_count.load(Ordering::SeqCst) > 0
    }

    fn tell_of_room(&self, driver: &mut Driver<S>) {
        if driver.take_outbox_drained() {
            self.notify_room();
        }
    }

    /// Tells those who wait for room that there is some, or never will be.
    pub(crate) fn notify_room(&self) {
        // Whoever begins to wait now looks once more first.
        if let Some(room) = self.room.get() {
            room.notify_waiters();
        }
    }

    /// Locks the connection to act on it, behind what was broadcast to it.
    #[inline]
    fn lock(&self) -> MutexGuard<'_, Driver<S>> {
        let mut driver = self.lock_in_round();
        driver.leave_round();
        driver
    }

    /// Locks the connection, which goes on taking part in a round.
    #[inline]
    fn lock_in_round(&self) -> MutexGuard<'_, Driver<S>> {
        self.driver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refusal<S: Transport>(driver: &mut Driver<S>, misuse: Misuse) -> Error {
    if misuse == Misuse::SendAfterClose {
        closed(driver)
    } else {
        Error::Misuse(misuse)
    }
}

fn closed<S: Transport>(driver: &mut Driver<S>) -> Error {
    Error::Closed(driver.connection().ending().cloned().map(Box::new))
}
