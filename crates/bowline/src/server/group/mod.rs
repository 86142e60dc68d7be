//! Named sets of connections that share their handlers.

mod handlers;
mod members;
mod run;
mod table;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use bowline_proto::{CloseCode, Ending, Message, PreparedMessage, ProtocolViolation};

use handlers::Handlers;
use members::Members;
pub use table::{GroupError, GroupTable, GroupTableLimits};

use super::{
    admission::Permit,
    entry::{Accepted, Attributes},
    handle::ConnectionHandle,
    registry::{Registry, RegistryFull, ReservedId},
};
use crate::{
    link::{Link, batched},
    outbox::{OutboxLimits, Outgoing, Sent},
    socket::WebSocket,
    transport::Transport,
};

/// A named set of connections with common handlers.
///
/// Handlers are plain functions. They are called one after the other for each connection, get
/// text and bytes borrowed, and can be replaced while connections are open; the next message
/// meets the new one. They must not block: what takes long belongs into a task, which gets a
/// [`ConnectionHandle`]. What they send, to any connection, leaves when the batch of messages that
/// arrived together is handled.
///
/// A connection gets, in this order: *open* once; *text* and *binary* for each message; *error* if
/// the peer broke a rule; *disconnect* exactly once, whatever ended it. A message of a kind
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
    push_only: bool,
}

/// Configures a group.
#[derive(Clone, Debug, Default)]
pub struct GroupOptions {
    /// Bounds what waits for each connection, and says what happens beyond.
    pub outbox: OutboxLimits,
    /// Messages from peers are dropped instead of closing their connection with 1003.
    pub push_only: bool,
}

impl ConnectionGroup {
    pub(super) fn new(name: &str, registry: Registry, options: GroupOptions) -> Self {
        Self {
            inner: Arc::new(Inner {
                name: name.into(),
                registry,
                handlers: ArcSwap::default(),
                replacing: Mutex::new(()),
                members: Members::default(),
                limits: Arc::new(options.outbox),
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

    /// Calls `act` with each connection, in no order. Connections cannot come or go meanwhile.
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
        let _turn = self
            .inner
            .replacing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut handlers = Handlers::clone(&self.inner.handlers.load());
        change(&mut handlers);
        self.inner.handlers.store(Arc::new(handlers));
        self
    }

    // Joining -------------------------------------------------------------------------------

    /// Takes a WebSocket into the group and receives on it until it is over.
    ///
    /// Must be called inside a tokio runtime, where a task then serves the connection.
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
    /// Must be called inside a tokio runtime, where a task then serves the connection.
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
        let link: Arc<dyn Link> = Arc::clone(&shared) as Arc<dyn Link>;
        reserved.entry().accept(Accepted {
            link: Arc::downgrade(&link),
            limits: Arc::clone(&self.inner.limits),
            group: Some(Arc::clone(&self.inner.name)),
            attributes,
        });
        let handle = ConnectionHandle::new(Arc::clone(reserved.entry()));
        let member = run::Member::join(Arc::clone(&self.inner), reserved, permit);
        tokio::spawn(run::run(member, shared));
        handle
    }

    // Sending -------------------------------------------------------------------------------

    /// Sends a message to every connection, encoded once.
    pub fn broadcast(&self, message: impl Into<Message<'static>>) -> Broadcast {
        self.broadcast_to(message, |_| true)
    }

    /// Sends a message to every connection but one, for instance its sender.
    pub fn broadcast_except(
        &self,
        except: &ConnectionHandle,
        message: impl Into<Message<'static>>,
    ) -> Broadcast {
        self.broadcast_to(message, |connection| connection != except)
    }

    /// Sends a message to the connections with a tag.
    pub fn broadcast_tagged(&self, tag: u64, message: impl Into<Message<'static>>) -> Broadcast {
        self.broadcast_to(message, |connection| connection.tag() == tag)
    }

    /// Sends a message to the connections that `wanted` picks.
    pub fn broadcast_to(
        &self,
        message: impl Into<Message<'static>>,
        wanted: impl Fn(&ConnectionHandle) -> bool,
    ) -> Broadcast {
        let message = PreparedMessage::new(message.into());
        let mut result = Broadcast::default();
        self.inner.members.for_each(|connection| {
            if wanted(connection) {
                result.count(
                    connection
                        .push(Outgoing::Prepared(message.clone()), None)
                        .ok(),
                );
            }
        });
        result
    }

    /// Closes every connection that `wanted` picks.
    ///
    /// # Errors
    /// [`Error::Misuse`](crate::Error::Misuse) for a code or reason that cannot be sent.
    pub fn disconnect_each(
        &self,
        code: CloseCode,
        reason: &str,
        wanted: impl Fn(&ConnectionHandle) -> bool,
    ) -> Result<(), crate::Error> {
        bowline_proto::Close::new(code, reason).map_err(crate::Error::Misuse)?;
        batched(|| {
            self.inner.members.for_each(|connection| {
                if wanted(connection) {
                    // The code and the reason were checked; a connection that is over is closed.
                    drop(connection.close(code, reason));
                }
            });
        });
        Ok(())
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
    /// The peer breaks a rule.
    Error,
    /// A connection is over.
    Disconnect,
}

/// Counts what became of a broadcast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Broadcast {
    /// Connections for which the message is queued.
    pub sent: usize,
    /// Connections whose policy dropped it, because their peer does not keep up.
    pub dropped: usize,
    /// Connections that were closing, or full with the policy to wait.
    pub refused: usize,
}

impl Broadcast {
    fn count(&mut self, sent: Option<Sent>) {
        match sent {
            Some(Sent::Queued | Sent::DroppedOld(_) | Sent::Replaced) => self.sent += 1,
            Some(Sent::DroppedNew) => self.dropped += 1,
            None => self.refused += 1,
        }
    }
}
