//! A link that stays, moves and explains itself.
//!
//! [`Client`] keeps a link to a server: it makes a new one when the old one ends, keeps what is to
//! be sent meanwhile within bounds, says what became of each message, and moves to another endpoint
//! when told. The guide page [reconnect](crate::guide::reconnect) shows it at work.

mod builder;
mod control;
mod core;
mod delivery;
mod dialer;
mod event;
mod events;
mod failure;
mod handlers;
mod heartbeat;
mod open_link;
mod outbox;
mod policy;
mod session;
mod sink;
mod state;
mod task;
mod verdict;
mod wire;

use std::{fmt, pin::pin, sync::Arc, time::Duration};

use bowline_proto::{Close, CloseCode};

use self::{control::Wish, core::Core};
use crate::{
    Message,
    client::Endpoint,
    error::{Error, UrlError},
};

pub use builder::ClientBuilder;
pub use delivery::{Delivery, DeliveryStatus, DropReason};
pub use dialer::Dialer;
pub use event::ClientEvent;
pub use events::{ClientEvents, Messages};
pub use failure::Failure;
pub use handlers::Handlers;
pub use heartbeat::Heartbeat;
pub use open_link::{LinkInfo, OpenLink};
pub use outbox::{Interrupted, OutboxOptions, Unsent, WhenFull};
pub use policy::{Backoff, ReconnectPolicy};
pub use sink::{ClientSink, NotSent};
pub use state::{ClientState, ClosedWhy, StateWatch};
pub use verdict::Verdict;

/// A handle of a link that stays.
///
/// ```no_run
/// use bowline::managed::{Client, ClientEvent};
///
/// # async fn example() -> Result<(), bowline::UrlError> {
/// let (client, mut events) = Client::builder("wss://example.com/")?
///     .on_open(async |mut link| link.send("subscribe prices").await)
///     .start();
/// client.send("hello");
/// while let Some(event) = events.recv().await {
///     match event {
///         ClientEvent::Message(message) => println!("{message:?}"),
///         other => println!("{other:?}"),
///     }
/// }
/// println!("{}", client.state());
/// # Ok(())
/// # }
/// ```
///
/// Handles clone cheaply, and may be used from any thread and task. There is one link at a time, at
/// most: before another attempt, the old link is over and its socket closed. When the last handle
/// is dropped the client closes gracefully in the background, as [`close`](Self::close) does.
///
/// **Cancel safety.** Every async method of a handle is cancel-safe: dropping its future changes
/// nothing, or what was begun goes on without it.
pub struct Client {
    core: Arc<Core>,
}

impl Client {
    /// Begins to configure a client of the server at a URL.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong with the URL.
    pub fn builder(url: &str) -> Result<ClientBuilder, UrlError> {
        Ok(Self::builder_to(Endpoint::parse(url)?))
    }

    /// Begins to configure a client of an endpoint.
    pub fn builder_to(endpoint: Endpoint) -> ClientBuilder {
        ClientBuilder::new(endpoint)
    }

    pub(in crate::client::managed) fn new(core: Arc<Core>) -> Self {
        core.add_handle();
        Self { core }
    }

    pub(in crate::client::managed) fn core(&self) -> Arc<Core> {
        Arc::clone(&self.core)
    }

    /// Gives the present state.
    pub fn state(&self) -> ClientState {
        self.core.control.state()
    }

    /// Follows the state from now on.
    pub fn states(&self) -> StateWatch {
        StateWatch::new(self.core())
    }

    /// Waits until a link is open. Cancel-safe.
    ///
    /// # Errors
    /// [`ClosedWhy`] if the client is closed, or closes meanwhile.
    pub async fn opened(&self) -> Result<(), ClosedWhy> {
        let is_decided = |state: &ClientState| *state == ClientState::Open || state.is_closed();
        match self.states().wait_for(is_decided).await {
            Some(ClientState::Closed { why }) => Err(why),
            Some(_) => Ok(()),
            None => Err(ClosedWhy::Stopped),
        }
    }

    /// Sends a message: puts it into the outbox without waiting, and says what becomes of it.
    ///
    /// If the outbox is full, [`OutboxOptions::when_full`] decides; if the client is closed, the
    /// message is dropped. Messages leave in the order of the calls.
    pub fn send(&self, message: impl Into<Message>) -> Delivery {
        self.core.outbox.push(message.into(), None)
    }

    /// Sends a message that is worthless after some time: if its turn does not come before, it
    /// expires. As [`send`](Self::send) otherwise.
    pub fn send_within(&self, message: impl Into<Message>, patience: Duration) -> Delivery {
        self.core.outbox.push(message.into(), Some(patience))
    }

    /// Sends a message once the outbox has room for it. Cancel-safe: dropped before it is ready, it
    /// has sent nothing.
    pub async fn send_with_room(&self, message: impl Into<Message>) -> Delivery {
        let message = message.into();
        loop {
            Self::wait_for_room(&self.core, message.len()).await;
            if let Some(delivery) = self.core.outbox.try_push(&message, None) {
                return delivery;
            }
        }
    }

    /// Gives a sink that sends with this client.
    pub fn sink(&self) -> ClientSink {
        ClientSink::new(self.clone())
    }

    /// Gives how many messages, of how many bytes, wait in the outbox.
    pub fn backlog(&self) -> (usize, usize) {
        self.core.outbox.backlog()
    }

    /// Gives the last round-trip time a keepalive ping measured on the present link.
    pub fn round_trip(&self) -> Option<Duration> {
        self.core.link()?.round_trip()
    }

    /// Gives the endpoints, the preferred one first.
    pub fn endpoints(&self) -> Arc<[Endpoint]> {
        self.core.control.plan().endpoints
    }

    /// Moves to another endpoint, or anew to the same one: closes the link gracefully if there is
    /// one, within twice its close timeout, then makes a new one, without waiting for either.
    ///
    /// The state is `Connecting` from now on, so that [`opened`](Self::opened) waits for the new
    /// link. What waits in the outbox waits for that, by [`OutboxOptions::unsent`]. The new endpoint
    /// replaces all there were. A client that stopped for good stays so.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong with the URL; then nothing changes.
    pub fn set_endpoint(&self, url: &str) -> Result<(), UrlError> {
        self.set_endpoints([Endpoint::parse(url)?]);
        Ok(())
    }

    /// Moves to other endpoints, the preferred one first, as [`set_endpoint`](Self::set_endpoint).
    /// None keeps those there are.
    pub fn set_endpoints(&self, endpoints: impl IntoIterator<Item = Endpoint>) {
        let endpoints: Arc<[Endpoint]> = endpoints.into_iter().collect();
        self.go_up((!endpoints.is_empty()).then_some(endpoints));
    }

    /// Makes a new link now: the button for a person. Closes the present one gracefully, cuts a
    /// wait short, opens a client that is closed.
    pub fn reconnect(&self) {
        self.go_up(None);
    }

    /// Closes the client: sends what is queued, within the close timeout, then makes the closing
    /// handshake, within the same again, and waits for the end of it. What could not be sent is
    /// dropped, and so is what is sent from now on; with [`Unsent::Drop`] nothing is sent first.
    ///
    /// Ends at once, without sending anything, if there is no link. [`reconnect`](Self::reconnect)
    /// opens the client again. Cancel-safe: what was begun goes on.
    ///
    /// # Errors
    /// [`Error::Misuse`] for a code or reason that cannot be sent.
    pub async fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        let Some(generation) = self.go_down(code, reason)? else {
            return Ok(());
        };
        let mut states = self.states();
        tokio::select! {
            _closed = states.wait_for(ClientState::is_closed) => {}
            () = self.core.control.superseded(generation) => {}
        }
        Ok(())
    }

    /// Begins to close the client, as [`close`](Self::close), without waiting.
    ///
    /// # Errors
    /// As [`close`](Self::close).
    pub fn begin_close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.go_down(code, reason).map(drop)
    }

    fn go_up(&self, endpoints: Option<Arc<[Endpoint]>>) {
        let outbox = &self.core.outbox;
        self.core
            .control
            .wish(Wish::Up, endpoints, || outbox.accept());
    }

    fn go_down(&self, code: CloseCode, reason: &str) -> Result<Option<u64>, Error> {
        // As with `WebSocket::close`, 1005 stands for a close frame without a code.
        let close = match (code, reason) {
            (CloseCode::NO_STATUS, "") => None,
            (code, reason) => Some(Close::new(code, reason).map_err(Error::Misuse)?),
        };
        let outbox = &self.core.outbox;
        let down = Wish::Down(close);
        Ok(self.core.control.wish(down, None, || outbox.refuse()))
    }

    async fn wait_for_room(core: &Core, len: usize) {
        loop {
            let mut room = pin!(core.outbox.room());
            // From here on no notice of room can be missed.
            room.as_mut().enable();
            if core.outbox.is_ready(len) {
                return;
            }
            room.await;
        }
    }
}

impl Clone for Client {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.core))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.core.remove_handle();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
