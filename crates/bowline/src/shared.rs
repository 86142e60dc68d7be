//! What the handles of one connection share.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bowline_proto::{Connection, Ending, Event, Misuse, View};
use bytes::BytesMut;

use crate::{
    driver::{Driver, now},
    error::Error,
    transport::Transport,
    wakers::{Waiter, Wakers},
};

/// One connection, shared by the halves that receive and send and by a flush in the background.
///
/// The lock is held while a handle is polled and never across an await.
pub(crate) struct Shared<S> {
    driver: Mutex<Driver<S>>,
    wakers: Arc<Wakers>,
    /// `wakers`, in the form the stream wants.
    waker: Waker,
    flush_scheduled: Mutex<bool>,
}

impl<S: Transport> Shared<S> {
    pub(crate) fn new(connection: Connection, stream: S, input: BytesMut) -> Arc<Self> {
        let wakers = Arc::new(Wakers::default());
        Arc::new(Self {
            driver: Mutex::new(Driver::new(connection, stream, input)),
            waker: Waker::from(Arc::clone(&wakers)),
            wakers,
            flush_scheduled: Mutex::new(false),
        })
    }

    /// Gives the next event that `take` takes; `None` when the connection is over.
    pub(crate) fn poll_event<T>(
        &self,
        view: View,
        cx: &Context<'_>,
        mut take: impl FnMut(Event<'_>) -> Option<T>,
    ) -> Poll<Option<T>> {
        let mut driver = self.lock();
        driver.connection().set_view(view);
        if let Some(taken) = driver.take_buffered(&mut take) {
            return Poll::Ready(Some(taken));
        }
        self.poll(Waiter::Receiver, cx, |cx| driver.poll_event(cx, &mut take))
    }

    /// Waits until the queue has room for another message.
    pub(crate) fn poll_ready(&self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        let mut driver = self.lock();
        if driver.connection().queued_len() < QUEUED_LEN_MAX {
            return Poll::Ready(Ok(()));
        }
        let drained = ready!(self.poll(Waiter::Sender, cx, |cx| {
            driver.poll_drain(cx, QUEUED_LEN_MAX - 1)
        }));
        Poll::Ready(self.note(&mut driver, drained))
    }

    /// Writes what is queued.
    pub(crate) fn poll_flush(&self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        let mut driver = self.lock();
        let flushed = ready!(self.poll(Waiter::Sender, cx, |cx| driver.poll_flush(cx)));
        Poll::Ready(self.note(&mut driver, flushed))
    }

    /// Writes what is queued, unless more messages are here already: then their answers leave
    /// together, no later than when the task yields.
    pub(crate) fn poll_flush_coalesced(
        self: &Arc<Self>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Error>> {
        if !self.lock().has_input() {
            return self.poll_flush(cx);
        }
        self.schedule_flush();
        Poll::Ready(Ok(()))
    }

    /// Lets the application queue something.
    pub(crate) fn queue(
        &self,
        call: impl FnOnce(&mut Connection) -> Result<(), Misuse>,
    ) -> Result<(), Error> {
        let mut driver = self.lock();
        call(driver.connection()).map_err(|misuse| {
            if misuse == Misuse::SendAfterClose {
                Error::Closed(driver.connection().ending().cloned().map(Box::new))
            } else {
                Error::Misuse(misuse)
            }
        })
    }

    /// Begins the closing handshake; the receiving half carries it through.
    pub(crate) fn begin_close(&self, close: Option<&bowline_proto::Close>) -> Result<(), Error> {
        self.queue(|connection| connection.close(now(), close))?;
        self.waker.wake_by_ref();
        Ok(())
    }

    /// Ends the connection without a closing handshake.
    pub(crate) fn abort(&self) {
        self.lock().connection().abort();
        self.waker.wake_by_ref();
    }

    pub(crate) fn ending(&self) -> Option<Ending> {
        self.lock().connection().ending().cloned()
    }

    /// Looks at the driver.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut Driver<S>) -> R) -> R {
        look(&mut self.lock())
    }

    /// Flushes as soon as the current task yields, if nothing else has by then.
    fn schedule_flush(self: &Arc<Self>) {
        let mut scheduled = self
            .flush_scheduled
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *scheduled, true) {
            return;
        }
        drop(scheduled);
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            shared.set_flush_unscheduled();
            let flushed = std::future::poll_fn(|cx| {
                let mut driver = shared.lock();
                let flushed = ready!(shared.poll(Waiter::Flush, cx, |cx| driver.poll_flush(cx)));
                Poll::Ready(shared.note(&mut driver, flushed))
            });
            // A failure is remembered as the connection's ending; there is nobody to tell here.
            drop(flushed.await);
        });
    }

    fn set_flush_unscheduled(&self) {
        *self
            .flush_scheduled
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = false;
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

    /// Remembers that the stream failed.
    fn note(&self, driver: &mut Driver<S>, result: io::Result<()>) -> Result<(), Error> {
        result.map_err(|error| {
            driver.connection().handle_transport_error(error.kind());
            self.waker.wake_by_ref();
            Error::Closed(driver.connection().ending().cloned().map(Box::new))
        })
    }

    fn lock(&self) -> MutexGuard<'_, Driver<S>> {
        self.driver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What may be queued before a send waits.
const QUEUED_LEN_MAX: usize = 64 << 10;
