//! The receiving end of a client.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_core::Stream;

use super::{
    core::Core,
    event::{ClientEvent, TRANSITIONS_MAX},
    state::{ClientState, ClosedWhy, StateWatch},
};
use crate::{Message, receive_queue::Waiting};

/// Receives what a client has to tell: messages, and what becomes of its links.
///
/// Take the events, or drop this: then they are discarded and the link is read on. If neither
/// happens, the link is not read once [`ReceiveLimits::stop`](crate::ReceiveLimits::stop) is reached, and then a
/// dead one is not noticed either.
///
/// It does not keep the client open; only [`Client`](super::Client) does.
pub struct ClientEvents {
    core: Arc<Core>,
}

impl ClientEvents {
    /// The most events that are not messages. The oldest of them give way to newer ones; messages
    /// never do.
    pub const TRANSITIONS_MAX: usize = TRANSITIONS_MAX;

    pub(super) const fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Receives the next event; `None` while the client is closed and every event was taken.
    ///
    /// After `None`, [`state`](Self::state) says why; a client that is
    /// [reconnected](super::Client::reconnect) has events again. Cancel-safe.
    pub async fn recv(&mut self) -> Option<ClientEvent> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Says how much waits, and how often it crossed the marks.
    pub fn waiting(&self) -> Waiting {
        self.core.events.waiting()
    }

    /// Waits until the client is not closed, and says whether it ever will be: false once it
    /// stopped for good. Cancel-safe.
    pub async fn revived(&mut self) -> bool {
        let mut states = StateWatch::new(Arc::clone(&self.core));
        let state = states.wait_for(|state| {
            let stopped = ClientState::Closed {
                why: ClosedWhy::Stopped,
            };
            !state.is_closed() || *state == stopped
        });
        state.await.is_some_and(|state| !state.is_closed())
    }

    /// Gives the present state of the client.
    pub fn state(&self) -> ClientState {
        self.core.control.state()
    }

    /// Keeps the messages only.
    pub const fn messages(self) -> Messages {
        Messages { events: self }
    }

    fn poll_recv(&self, cx: &Context<'_>) -> Poll<Option<ClientEvent>> {
        let is_over = || self.core.control.is_closed();
        self.core.events.poll(cx, is_over)
    }
}

impl Stream for ClientEvents {
    type Item = ClientEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ClientEvent>> {
        self.poll_recv(cx)
    }
}

impl Drop for ClientEvents {
    fn drop(&mut self) {
        self.core.events.stop_listening();
    }
}

impl fmt::Debug for ClientEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientEvents")
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

/// Receives the messages of a client, over all its links.
///
/// As a stream it ends while the client is closed; a client that is reconnected has messages again.
#[derive(Debug)]
pub struct Messages {
    events: ClientEvents,
}

impl Messages {
    /// Receives the next message; `None` while the client is closed. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Message> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Receives every event again.
    pub fn into_events(self) -> ClientEvents {
        self.events
    }

    fn poll_recv(&self, cx: &Context<'_>) -> Poll<Option<Message>> {
        loop {
            match ready!(self.events.poll_recv(cx)) {
                None => return Poll::Ready(None),
                Some(ClientEvent::Message(message)) => return Poll::Ready(Some(message)),
                Some(_) => {}
            }
        }
    }
}

impl Stream for Messages {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_recv(cx)
    }
}
