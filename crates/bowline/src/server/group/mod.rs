//! Named sets of connections that share their handlers.

mod broadcast;
mod handlers;
mod inbox;
mod members;
mod membership;
mod round;
mod run;
mod table;

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use bowline_proto::{CloseCode, Ending, Message, ProtocolViolation, handshake::RequestHead};
use tracing::{Instrument as _, Span};

pub use broadcast::Broadcast;
use handlers::Handlers;
use members::Members;
pub use membership::Membership;
pub(crate) use round::OpenRound;
pub use table::{GroupError, GroupTable, GroupTableLimits};

use super::{
    admission::Permit,
    entry::{Accepted, Attributes},
    handle::ConnectionHandle,
    registry::{Registry, RegistryFull, ReservedId},
};
use crate::{
    link::{Link, batched},
    metrics::Joined,
    outbox::OutboxLimits,
    receive_queue::ReceiveLimits,
    shared::Shared,
    socket::WebSocket,
    transport::Transport,
};

/// A named set of connections with common handlers.
///
/// Handlers are plain functions. They are called one after the other for each connection, get
/// text and bytes borrowed, and can be replaced while connections are open; the next message
/// meets the new one. They must not block: what takes long belongs into a task, which gets a
/// [`ConnectionHandle`], or into [`on_message`](Self::on_message), whose messages wait. What they
/// send, to any connection, leaves when the batch of messages that arrived together is handled.
///
/// A connection gets, in this order: *open* once; *text*, *binary* or *message* for each message;
/// *error* if the peer broke a rule; *disconnect* exactly once, whatever ended it. A message of a kind
/// without a handler closes the connection with 1003, unless the group is
/// [push-only](GroupOptions::push_only). A handler that panics closes it with 1011.
#[derive(Clone)]
pub struct ConnectionGroup {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    name: Arc<str>,
    registry: Registry,
    handlers: ArcSwap<Handlers>,
    /// Serialises replacing handlers.
    replacing: Mutex<()>,
    members: Members,
    limits: Arc<OutboxLimits>,
    receive: ReceiveLimits,
    push_only: bool,
}

/// Configures a group.
#[derive(Clone, Debug, Default)]
pub struct GroupOptions {
    /// Bounds what waits for each connection, and says what happens beyond.
    pub outbox: OutboxLimits,
    /// Bounds what waits for the handler of [`on_message`](ConnectionGroup::on_message), for each
    /// connection.
    pub receive: ReceiveLimits,
    /// Messages from peers are dropped instead of closing their connection with 1003.
    pub push_only: bool,
}

impl ConnectionGroup {
    /// Makes a group that stands in no [`GroupTable`]; the name is for logs.
    pub fn new(name: &str, registry: Registry, options: GroupOptions) -> Self {
        Self {
            inner: Arc::new(Inner {
                name: name.into(),
                registry,
                handlers: ArcSwap::default(),
                replacing: Mutex::new(()),
                members: Members::default(),
                limits: Arc::new(options.outbox),
                receive: options.receive,
                push_only: options.push_only,
            }),
        }
    }

    /// Gives the name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Counts the connections.
    pub fn len(&self) -> usize {
        self.inner.members.len()
    }

    /// Says whether there is no connection.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lists the connections, in no order.
    pub fn connections(&self) -> Vec<ConnectionHandle> {
        let mut connections = Vec::new();
        self.for_each(|connection| connections.push(connection.clone()));
        connections
    }

    /// Calls `act` with each connection, in no order. One that comes or goes meanwhile may be
    /// called with or left out.
    pub fn for_each(&self, act: impl FnMut(&ConnectionHandle)) {
        self.inner.members.for_each(act);
    }

    // Handlers ------------------------------------------------------------------------------

    /// Sets what is called when a connection joins.
    pub fn on_open(&self, handler: impl Fn(&ConnectionHandle) + Send + Sync + 'static) -> &Self {
        self.replace(|handlers| handlers.open = Some(Arc::new(handler)))
    }

    /// Sets what is called with a text message.
    pub fn on_text(
        &self,
        handler: impl Fn(&ConnectionHandle, &str) + Send + Sync + 'static,
    ) -> &Self {
        self.replace(|handlers| handlers.text = Some(Arc::new(handler)))
    }

    /// Sets what is called with a binary message.
    pub fn on_binary(
        &self,
        handler: impl Fn(&ConnectionHandle, &[u8]) + Send + Sync + 'static,
    ) -> &Self {
        self.replace(|handlers| handlers.binary = Some(Arc::new(handler)))
    }

    /// Sets what is called with a message, text or binary, whose kind has no handler of its own,
    /// and may take its time.
    ///
    /// Its future runs on the connection's task, one at a time; meanwhile the connection is
    /// received on, and what arrives waits, whatever handler it is for. [`GroupOptions::receive`] bounds that: once much waits
    /// the connection is not read until there is less, so that the peer has to wait, and nothing
    /// is dropped. *Disconnect* comes after the last message. A connection that is
    /// [aborted](ConnectionHandle::abort) drops what waits, and the future where it is.
    pub fn on_message<F>(
        &self,
        handler: impl Fn(ConnectionHandle, Message<'static>) -> F + Send + Sync + 'static,
    ) -> &Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.replace(|handlers| {
            handlers.message = Some(Arc::new(move |connection, message| {
                Box::pin(handler(connection, message))
            }));
        })
    }

    /// Sets what is called when a peer breaks a rule, before *disconnect*.
    pub fn on_error(
        &self,
        handler: impl Fn(&ConnectionHandle, ProtocolViolation) + Send + Sync + 'static,
    ) -> &Self {
        self.replace(|handlers| handlers.error = Some(Arc::new(handler)))
    }

    /// Sets what is called once when a connection is over, whatever ended it.
    pub fn on_disconnect(
        &self,
        handler: impl Fn(&ConnectionHandle, &Ending) + Send + Sync + 'static,
    ) -> &Self {
        self.replace(|handlers| handlers.disconnect = Some(Arc::new(handler)))
    }

    /// Removes a handler.
    pub fn remove_handler(&self, kind: HandlerKind) -> &Self {
        self.replace(|handlers| handlers.remove(kind))
    }

    fn replace(&self, change: impl FnOnce(&mut Handlers)) -> &Self {
        let turn = self
            .inner
            .replacing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut handlers = Handlers::clone(&self.inner.handlers.load());
        change(&mut handlers);
        let replaced = self.inner.handlers.swap(Arc::new(handlers));
        drop(turn);
        // Last: what a handler holds may use the group while it is dropped.
        drop(replaced);
        self
    }

    // Joining -------------------------------------------------------------------------------

    /// Takes a WebSocket into the group and receives on it until it is over.
    ///
    /// Must be called inside a tokio runtime, where a task then serves the connection. A WebSocket
    /// inside a frame sent in pieces can send nothing any more, not even a close frame: it is
    /// ended at once, as by [`abort`](ConnectionHandle::abort).
    ///
    /// # Errors
    /// [`RegistryFull`] if there is no number left for the connection.
    pub fn adopt<S: Transport>(
        &self,
        websocket: WebSocket<S>,
        attributes: Attributes,
    ) -> Result<ConnectionHandle, RegistryFull> {
        let reserved = self.inner.registry.reserve()?;
        Ok(self.adopt_as(reserved, websocket, attributes))
    }

    /// Takes a WebSocket into the group under a number reserved before it was accepted.
    ///
    /// Otherwise as [`adopt`](Self::adopt).
    pub fn adopt_as<S: Transport>(
        &self,
        reserved: ReservedId,
        websocket: WebSocket<S>,
        attributes: Attributes,
    ) -> ConnectionHandle {
        self.adopt_guarded(reserved, websocket, attributes, None)
    }

    /// Takes a WebSocket into the group, and keeps its permit until it is over.
    pub(in crate::server) fn adopt_guarded<S: Transport>(
        &self,
        reserved: ReservedId,
        websocket: WebSocket<S>,
        attributes: Attributes,
        permit: Option<Permit>,
    ) -> ConnectionHandle {
        let shared = websocket.into_shared();
        if shared.with(|driver| driver.connection().is_inside_frame()) {
            shared.give_up();
        }
        let (handle, span) = self.enter(&reserved, &shared, attributes);
        let place = run::Place {
            reserved,
            permit: permit.map(Box::new),
        };
        let member = run::Member::join(Arc::clone(&self.inner), handle.clone(), place);
        // Apart from the task, whose size tokio rounds up to a multiple of 128 bytes.
        let run = Box::pin(run::Run::new(member, shared));
        if span.is_disabled() {
            tokio::spawn(run);
        } else {
            tokio::spawn(run.instrument(span));
        }
        handle
    }

    /// Takes a WebSocket into the group that its own task goes on receiving on.
    ///
    /// It gets what is broadcast, and others can act on it by its number. The group's handlers are
    /// not called for it. Receive until the end: that is what writes what a slow peer left.
    ///
    /// # Errors
    /// [`RegistryFull`] if there is no number left for the connection.
    pub fn join<S: Transport>(
        &self,
        websocket: &WebSocket<S>,
        attributes: Attributes,
    ) -> Result<Membership, RegistryFull> {
        let reserved = self.inner.registry.reserve()?;
        let (handle, _) = self.enter(&reserved, websocket.shared(), attributes);
        self.inner.members.join(handle.clone());
        handle.attach_session();
        Ok(Membership {
            group: Arc::clone(&self.inner),
            handle,
            _reserved: reserved,
        })
    }

    /// Turns a reserved number into a connection of the group; gives its handle and the span of its
    /// life.
    fn enter<S: Transport>(
        &self,
        reserved: &ReservedId,
        shared: &Arc<Shared<S>>,
        attributes: Attributes,
    ) -> (ConnectionHandle, Span) {
        let joined = Joined {
            id: reserved.id(),
            peer: attributes.peer,
            path: attributes.request.as_ref().map(RequestHead::path),
            group: &self.inner.name,
        };
        let span = shared.with(|driver| driver.join(&joined));
        let link: Arc<dyn Link> = Arc::clone(shared) as Arc<dyn Link>;
        let handle = reserved.accept(Accepted::new(
            Arc::downgrade(&link),
            Arc::clone(&self.inner.limits),
            Some(Arc::clone(&self.inner.name)),
            attributes,
        ));
        (handle, span)
    }

    // Closing -------------------------------------------------------------------------------

    /// Closes every connection that `wanted` picks, as [`ConnectionHandle::close`].
    ///
    /// # Errors
    /// [`Error::Misuse`](crate::Error::Misuse) for a code that cannot be sent.
    pub fn disconnect_each(
        &self,
        code: CloseCode,
        reason: &str,
        wanted: impl Fn(&ConnectionHandle) -> bool,
    ) -> Result<(), crate::Error> {
        bowline_proto::Close::with_reason_cut(code, reason).map_err(crate::Error::Misuse)?;
        batched(0, || {
            self.inner.members.for_each(|connection| {
                if wanted(connection) {
                    // The code was checked; a connection that is over is closed.
                    drop(connection.close(code, reason));
                }
            });
        });
        Ok(())
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ConnectionGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionGroup")
            .field("name", &self.name())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// Names the handlers of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HandlerKind {
    /// A connection joins.
    Open,
    /// A text message arrives.
    Text,
    /// A binary message arrives.
    Binary,
    /// A message arrives whose kind has no handler, and may wait.
    Message,
    /// The peer breaks a rule.
    Error,
    /// A connection is over.
    Disconnect,
}
