//! What the handles of one connection share.

use std::{
    future::poll_fn,
    ops::Deref,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker, ready},
};

use bowline_proto::{Connection, ConnectionState, Ending, Event, Misuse, View};
use bytes::BytesMut;
use tokio::runtime::Handle;

use crate::{
    driver::{CutOff, Driver, now},
    error::Error,
    transport::Transport,
    wakers::{Waiter, Wakers},
};

/// A handle's share of a connection. The stream is let go with the last one.
pub(crate) struct Share<S>(Arc<Shared<S>>);

impl<S: Transport> Share<S> {
    pub(crate) fn new(connection: Connection, stream: S, input: BytesMut) -> Self {
        let wakers = Arc::new(Wakers::default());
        Self(Arc::new(Shared {
            driver: Mutex::new(Driver::new(connection, stream, input)),
            waker: Waker::from(Arc::clone(&wakers)),
            wakers,
            is_flush_scheduled: AtomicBool::new(false),
            share_count: AtomicUsize::new(1),
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
        self.0.share_count.fetch_sub(1, Ordering::SeqCst);
        // A flush in the background that waits for the peer gives up now.
        self.0.waker.wake_by_ref();
    }
}

impl<S> Deref for Share<S> {
    type Target = Arc<Shared<S>>;

    fn deref(&self) -> &Arc<Shared<S>> {
        &self.0
    }
}

/// One connection, shared by the halves that receive and send and by a flush in the background.
///
/// The lock is held while a handle is polled and never across an await.
pub(crate) struct Shared<S> {
    driver: Mutex<Driver<S>>,
    wakers: Arc<Wakers>,
    /// `wakers`, in the form the stream wants.
    waker: Waker,
    /// A task flushes in the background; there is one at most. Changes under the driver's lock.
    is_flush_scheduled: AtomicBool,
    /// The number of handles; a flush in the background is none.
    share_count: AtomicUsize,
}

impl<S: Transport> Shared<S> {
    /// Gives the next event that `take` takes; `None` when the connection is over.
    pub(crate) fn poll_event<T>(
        self: &Arc<Self>,
        view: View,
        cx: &mut Context<'_>,
        mut take: impl FnMut(Event<'_>) -> Option<T>,
    ) -> Poll<Option<T>> {
        let mut driver = self.lock();
        ready!(driver.poll_turn(cx));
        driver.connection().set_view(view);
        let polled = match driver.take_buffered(&mut take) {
            Some(taken) => Poll::Ready(Some(taken)),
            None => self.poll_driver(&mut driver, cx, &mut take),
        };
        // A pong that was queued on the way leaves even if the next receive is far away.
        if polled.is_ready() && driver.connection().queued_len() > 0 {
            self.schedule_flush();
        }
        polled
    }

    /// Waits until the queue has room for another message.
    pub(crate) fn poll_ready(&self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_drain(cx, QUEUED_LEN_MAX - 1)
    }

    /// Writes what is queued.
    pub(crate) fn poll_flush(&self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_drain(cx, 0)
    }

    /// Writes what is queued, unless more messages are here already: then their answers leave
    /// together, no later than when the task yields.
    pub(crate) fn poll_flush_coalesced(
        self: &Arc<Self>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Error>> {
        let driver = self.lock();
        if driver.has_input() && driver.is_writable() && self.schedule_flush() {
            return Poll::Ready(Ok(()));
        }
        drop(driver);
        self.poll_flush(cx)
    }

    /// Lets the application queue something.
    pub(crate) fn queue(
        &self,
        call: impl FnOnce(&mut Connection) -> Result<(), Misuse>,
    ) -> Result<(), Error> {
        let mut driver = self.lock();
        call(driver.connection()).map_err(|misuse| {
            if misuse == Misuse::SendAfterClose {
                closed(&mut driver)
            } else {
                Error::Misuse(misuse)
            }
        })
    }

    /// Begins the closing handshake, once; the receiving half carries it through.
    pub(crate) fn begin_close(&self, close: Option<&bowline_proto::Close>) -> Result<(), Error> {
        let mut driver = self.lock();
        if driver.connection().state() != ConnectionState::Open {
            return Ok(());
        }
        driver
            .connection()
            .close(now(), close)
            .map_err(Error::Misuse)?;
        drop(driver);
        self.waker.wake_by_ref();
        Ok(())
    }

    /// Ends the connection without a closing handshake.
    pub(crate) fn abort(&self) {
        self.lock().abort();
        self.waker.wake_by_ref();
    }

    pub(crate) fn ending(&self) -> Option<Ending> {
        self.lock().connection().ending().cloned()
    }

    /// Looks at the driver.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut Driver<S>) -> R) -> R {
        look(&mut self.lock())
    }

    /// Receives, and wakes the sending half if that changed what it waits for.
    fn poll_driver<T>(
        &self,
        driver: &mut Driver<S>,
        cx: &Context<'_>,
        take: &mut impl FnMut(Event<'_>) -> Option<T>,
    ) -> Poll<Option<T>> {
        let queued_len = driver.connection().queued_len();
        let was_writable = driver.is_writable();
        let polled = self.poll(Waiter::Receiver, cx, |cx| driver.poll_event(cx, take));
        if driver.connection().queued_len() < queued_len || driver.is_writable() != was_writable {
            self.wakers.wake_others(Waiter::Receiver);
        }
        polled
    }

    /// Writes until at most `len` bytes are queued.
    fn poll_drain(&self, cx: &Context<'_>, len: usize) -> Poll<Result<(), Error>> {
        let mut driver = self.lock();
        let drained = ready!(self.poll(Waiter::Sender, cx, |cx| driver.poll_drain(cx, len)));
        self.notice_end(&mut driver, Waiter::Sender);
        Poll::Ready(drained.map_err(|CutOff| closed(&mut driver)))
    }

    /// Flushes as soon as the current task yields, if nothing else has by then; says whether
    /// there is a runtime to do so. The driver is locked.
    fn schedule_flush(self: &Arc<Self>) -> bool {
        if self.is_flush_scheduled.load(Ordering::Relaxed) {
            return true;
        }
        let Ok(runtime) = Handle::try_current() else {
            return false;
        };
        self.is_flush_scheduled.store(true, Ordering::Relaxed);
        let shared = Arc::clone(self);
        drop(runtime.spawn(poll_fn(move |cx| shared.poll_scheduled_flush(cx))));
        true
    }

    /// Writes what is queued; gives up when no handle is left to care.
    fn poll_scheduled_flush(&self, cx: &Context<'_>) -> Poll<()> {
        let mut driver = self.lock();
        let flushed = self.poll(Waiter::Flush, cx, |cx| driver.poll_flush(cx));
        if flushed.is_pending() && self.share_count.load(Ordering::SeqCst) > 0 {
            return Poll::Pending;
        }
        // A failure shows with the next call; there is nobody to tell here.
        self.notice_end(&mut driver, Waiter::Flush);
        self.is_flush_scheduled.store(false, Ordering::Relaxed);
        Poll::Ready(())
    }

    /// Wakes the receiving half after the last write, or one that failed: it carries the end through.
    fn notice_end(&self, driver: &mut Driver<S>, waiter: Waiter) {
        if !driver.is_writable() || driver.connection().state() != ConnectionState::Open {
            self.wakers.wake_others(waiter);
        }
    }

    /// Polls the stream with the waker that knows every waiter.
    fn poll<T>(
        &self,
        waiter: Waiter,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.wakers.register(waiter, cx.waker());
        let polled = poll(&mut Context::from_waker(&self.waker));
        if polled.is_ready() {
            self.wakers.forget(waiter);
        }
        polled
    }

    fn lock(&self) -> MutexGuard<'_, Driver<S>> {
        self.driver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells how the connection ended, as far as that is known.
fn closed<S: Transport>(driver: &mut Driver<S>) -> Error {
    Error::Closed(driver.connection().ending().cloned().map(Box::new))
}

/// What may be queued before a send waits.
const QUEUED_LEN_MAX: usize = 64 << 10;
