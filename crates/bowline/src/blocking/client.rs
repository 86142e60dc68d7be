//! A link that stays, for a plain thread.

use std::time::Duration;

use bowline_proto::CloseCode;

use super::{
    RecvError,
    background::{Background, Calls},
};
use crate::{
    Message,
    error::Error,
    managed::{
        self, ClientBuilder, ClientEvent, ClientEvents, ClientState, ClosedWhy, Delivery,
        DeliveryStatus,
    },
};

/// A managed client whose calls wait.
///
/// ```no_run
/// use std::time::Duration;
///
/// use bowline::{
///     blocking::{Client, RecvError},
///     managed,
/// };
///
/// # fn main() -> Result<(), bowline::Error> {
/// let builder = managed::Client::builder("wss://example.com/")?
///     .on_open(async |mut link| link.send("subscribe prices").await);
/// let mut client = Client::start(builder)?;
/// client.send("hello");
/// loop {
///     match client.recv_timeout(Duration::from_secs(60)) {
///         Ok(Some(event)) => println!("{event:?}"),
///         Ok(None) => break,
///         Err(RecvError::TimedOut) => println!("quiet: {}", client.state()),
///         Err(error) => return Err(error.into()),
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// Unlike with a [`WebSocket`](super::WebSocket), the background thread drives the link: pings are
/// answered, and a dead link is noticed, whatever this thread does, as long as it takes the events.
/// Hooks run on that thread too and must not block it. What acts from other threads is a
/// [`handle`](Self::handle).
///
/// Dropping it closes the client gracefully in the background if no handle is left.
#[derive(Debug)]
pub struct Client {
    handle: managed::Client,
    events: ClientEvents,
    calls: Calls,
}

impl Client {
    /// Starts a client; its first attempt begins at once.
    ///
    /// # Errors
    /// [`Error::Io`] if the background thread cannot be started.
    pub fn start(builder: ClientBuilder) -> Result<Self, Error> {
        let background = Background::get()?;
        let (handle, events) = background.enter(|| builder.start());
        Ok(Self {
            handle,
            events,
            calls: Calls::new(background),
        })
    }

    /// Gives a handle for other threads: all of its methods but the async ones can be used.
    pub fn handle(&self) -> managed::Client {
        self.handle.clone()
    }

    /// Gives the present state.
    pub fn state(&self) -> ClientState {
        self.handle.state()
    }

    /// Waits until a link is open, for so long at most; `Ok(Err(why))` if the client is closed, or
    /// closes meanwhile.
    ///
    /// # Errors
    /// [`RecvError::TimedOut`]; [`RecvError::InsideRuntime`].
    pub fn opened_within(&self, timeout: Duration) -> Result<Result<(), ClosedWhy>, RecvError> {
        self.calls.receive_within(timeout, self.handle.opened())
    }

    /// Receives the next event; `None` while the client is closed and every event was taken, see
    /// [`ClientEvents::recv`].
    ///
    /// # Errors
    /// [`RecvError::InsideRuntime`].
    pub fn recv(&mut self) -> Result<Option<ClientEvent>, RecvError> {
        self.calls.receive(self.events.recv())
    }

    /// Receives the next event and waits for so long at most. Zero takes what is there already.
    ///
    /// # Errors
    /// [`RecvError::TimedOut`]; [`RecvError::InsideRuntime`].
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Option<ClientEvent>, RecvError> {
        self.calls.receive_within(timeout, self.events.recv())
    }

    /// Sends a message, without waiting, see [`managed::Client::send`].
    pub fn send(&self, message: impl Into<Message>) -> Delivery {
        self.handle.send(message)
    }

    /// Sends a message once the outbox has room for it, see [`managed::Client::send_with_room`].
    ///
    /// # Errors
    /// [`Error::InsideRuntime`].
    pub fn send_with_room(&self, message: impl Into<Message>) -> Result<Delivery, Error> {
        Ok(self.calls.wait(self.handle.send_with_room(message))?)
    }

    /// Waits for the fate of a message, for so long at most.
    ///
    /// # Errors
    /// [`RecvError::TimedOut`]; [`RecvError::InsideRuntime`].
    pub fn fate_within(
        &self,
        timeout: Duration,
        delivery: &mut Delivery,
    ) -> Result<DeliveryStatus, RecvError> {
        self.calls.receive_within(timeout, delivery)
    }

    /// Moves to another endpoint, or anew to the same one, without waiting, see
    /// [`managed::Client::set_endpoint`].
    ///
    /// # Errors
    /// [`Error::Url`] says what is wrong with the URL; then nothing changes.
    pub fn set_endpoint(&self, url: &str) -> Result<(), Error> {
        Ok(self.handle.set_endpoint(url)?)
    }

    /// Makes a new link now, without waiting, see [`managed::Client::reconnect`].
    pub fn reconnect(&self) {
        self.handle.reconnect();
    }

    /// Closes the client and waits until it is closed, within twice the close timeout, see
    /// [`managed::Client::close`].
    ///
    /// # Errors
    /// [`Error::Misuse`] for a code or reason that cannot be sent; [`Error::InsideRuntime`].
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.calls.wait(self.handle.close(code, reason))?
    }
}
