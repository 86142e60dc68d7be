//! What becomes of a message that was given to a client.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bowline_proto::Misuse;

/// Follows one message.
///
/// As a future it waits for the message's fate, the first status that is
/// [final](DeliveryStatus::is_final). Dropping it changes nothing for the message.
pub struct Delivery(Arc<Cell>);

/// Tells where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// It waits for its turn on the present link.
    Queued,
    /// There is no link; it waits for the next one.
    Kept,
    /// It was written to the stream. The peer has it, unless the link ends without a closing
    /// handshake: what was on the way then may be lost, and no end can know.
    Sent,
    /// Its deadline passed before its turn came. It was not sent.
    Expired,
    /// It will not be sent.
    Dropped(DropReason),
}

/// Says why a message was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DropReason {
    /// The outbox was full.
    OutboxFull,
    /// The outbox was full, and newer messages took its place.
    Displaced,
    /// The link ended before its turn came, and the outbox keeps nothing for the next one.
    LinkEnded,
    /// The link ended while it was being written: the peer may have it or not.
    Interrupted,
    /// The client is closed, or gave up.
    Closed,
    /// It cannot be sent at all.
    Misuse(Misuse),
}

impl DeliveryStatus {
    /// Says whether the message has met its fate, so that the status does not change any more.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Kept)
    }
}

impl Delivery {
    /// Gives the present status.
    pub fn status(&self) -> DeliveryStatus {
        self.0.lock().status
    }
}

impl Future for Delivery {
    type Output = DeliveryStatus;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<DeliveryStatus> {
        let mut state = self.0.lock();
        if state.status.is_final() {
            return Poll::Ready(state.status);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Delivery").field(&self.status()).finish()
    }
}

/// The other end of a [`Delivery`]. Dropping it unused says that the client is closed.
#[derive(Debug)]
pub(super) struct Receipt(Arc<Cell>);

impl Receipt {
    pub(super) fn new(status: DeliveryStatus) -> (Self, Delivery) {
        let cell = Arc::new(Cell(Mutex::new(State {
            status,
            waker: None,
        })));
        (Self(Arc::clone(&cell)), Delivery(cell))
    }

    /// Changes the status, unless it is final.
    pub(super) fn set(&self, status: DeliveryStatus) {
        let mut state = self.0.lock();
        if state.status.is_final() {
            return;
        }
        state.status = status;
        let waker = status.is_final().then(|| state.waker.take()).flatten();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.set(DeliveryStatus::Dropped(DropReason::Closed));
    }
}

#[derive(Debug)]
struct Cell(Mutex<State>);

#[derive(Debug)]
struct State {
    status: DeliveryStatus,
    waker: Option<Waker>,
}

impl Cell {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
