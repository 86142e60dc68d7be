//! A queue between a connection and a task that takes its messages later.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bowline_proto::Ending;
use futures_core::Stream as FuturesStream;
use tokio::task::AbortHandle;

use super::{Gauge, ReceiveLimits, Waiting};
use crate::{
    Message,
    link::Link,
    metrics::report_waiting,
    shared::Share,
    socket::poll_message,
    split::Receiver,
    transport::{Stream, Transport},
};

/// The half that receives, with a queue that a task of its own fills.
///
/// Pings are answered and deadlines noticed while the application is busy with a message, until
/// [`ReceiveLimits::stop`] is reached: then nothing is read any more, and a peer that is gone is
/// not noticed either, until the application has taken some. Made by
/// [`Receiver::queued`](crate::Receiver::queued).
///
/// Dropping it is as dropping the [`Receiver`](crate::Receiver).
pub struct ReceiveQueue<S = Stream> {
    shared: Share<S>,
    queue: Arc<Queue>,
    filling: AbortHandle,
}

/// What the queue and the task that fills it share.
#[derive(Debug)]
struct Queue {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    messages: VecDeque<Message>,
    gauge: Gauge,
    is_over: bool,
    /// Who waits for a message.
    taker: Option<Waker>,
    /// Who waits to read on.
    filler: Option<Waker>,
}

impl<S: Transport> Receiver<S> {
    /// Receives into a queue from here on, on a task of its own.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn queued(mut self, limits: ReceiveLimits) -> ReceiveQueue<S> {
        let shared = self.received().clone();
        let queue = Arc::new(Queue {
            inner: Mutex::new(Inner {
                messages: VecDeque::new(),
                gauge: Gauge::new(limits),
                is_over: false,
                taker: None,
                filler: None,
            }),
        });
        let (filled, link) = (Filled(Arc::clone(&queue)), shared.clone());
        let filling = tokio::spawn(poll_fn(move |cx| filled.0.poll_fill(&link, cx)));
        ReceiveQueue {
            shared,
            queue,
            filling: filling.abort_handle(),
        }
    }
}

impl<S: Transport> ReceiveQueue<S> {
    /// Takes the next message, waiting for it; `None` when the connection is over and every
    /// message was taken, or the runtime of its task is gone. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Message> {
        poll_fn(|cx| self.queue.poll_take(cx)).await
    }

    /// Takes a message that is here already.
    pub fn try_recv(&mut self) -> Option<Message> {
        self.queue.lock().take()
    }

    /// Says how much waits, and how often the marks were crossed.
    pub fn waiting(&self) -> Waiting {
        self.queue.lock().gauge.waiting()
    }

    /// Tells how the connection ended; `None` while it is open. Messages may wait nevertheless.
    pub fn ending(&self) -> Option<Ending> {
        Link::ending(&**self.shared)
    }
}

impl Queue {
    /// Receives until the connection is over, except while the queue is full.
    fn poll_fill<S: Transport>(&self, shared: &Share<S>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let mut inner = self.lock();
            let is_stopped = inner.gauge.is_stopped();
            if is_stopped {
                inner.filler = Some(cx.waker().clone());
            }
            drop(inner);
            if is_stopped {
                ready!(shared.poll_unread(cx));
                // It is over, and nothing more will be read.
            }
            let message = ready!(poll_message(shared, cx));
            let mut inner = self.lock();
            let mut crossed = None;
            let is_over = message.is_none();
            if let Some(message) = message {
                crossed = inner.gauge.add(message.len());
                inner.messages.push_back(message);
            }
            inner.is_over = is_over;
            let taker = inner.taker.take();
            drop(inner);
            if let Some(taker) = taker {
                taker.wake();
            }
            if let Some(crossed) = crossed {
                shared.with(|driver| driver.tell_crossed(&crossed));
                report_waiting(None, None, &crossed);
            }
            if is_over {
                return Poll::Ready(());
            }
        }
    }

    fn poll_take(&self, cx: &Context<'_>) -> Poll<Option<Message>> {
        let mut inner = self.lock();
        if let Some(message) = inner.take() {
            return Poll::Ready(Some(message));
        }
        if inner.is_over {
            return Poll::Ready(None);
        }
        inner.taker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the task fills. Nobody waits for it when the task is gone, whatever ended that.
struct Filled(Arc<Queue>);

impl Drop for Filled {
    fn drop(&mut self) {
        let mut inner = self.0.lock();
        inner.is_over = true;
        let taker = inner.taker.take();
        drop(inner);
        if let Some(taker) = taker {
            taker.wake();
        }
    }
}

impl Inner {
    fn take(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.gauge.remove(message.len());
        if self.messages.is_empty() {
            self.messages = VecDeque::new();
        }
        if !self.gauge.is_stopped()
            && let Some(filler) = self.filler.take()
        {
            filler.wake();
        }
        Some(message)
    }
}

impl<S: Transport> FuturesStream for ReceiveQueue<S> {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.queue.poll_take(cx)
    }
}

impl<S> Drop for ReceiveQueue<S> {
    fn drop(&mut self) {
        self.filling.abort();
    }
}

impl<S> fmt::Debug for ReceiveQueue<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiveQueue")
            .field("waiting", &self.queue.lock().gauge.waiting())
            .finish_non_exhaustive()
    }
}
