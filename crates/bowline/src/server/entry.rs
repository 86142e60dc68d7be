//! What is known of one connection, as long as somebody holds it.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, LazyLock, OnceLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use bowline_proto::handshake::RequestHead;

use super::{Values, id::ConnectionId, session::AttachedSession};
use crate::{link::Link, outbox::OutboxLimits, transport::PeerCertificate};

/// The registry's record of a connection, from its reservation on.
pub(crate) struct Entry {
    id: ConnectionId,
    tag: AtomicU64,
    /// Set once, when the connection is accepted.
    accepted: OnceLock<Accepted>,
}

/// What is fixed when a connection is accepted.
pub(super) struct Accepted {
    /// Weak: a handle does not keep the connection.
    pub(super) link: Weak<dyn Link>,
    pub(super) limits: Arc<OutboxLimits>,
    pub(super) group: Option<Arc<str>>,
    /// `None` if nothing is known: then they would be most of what a connection keeps here.
    attributes: Option<Box<Attributes>>,
}

impl Accepted {
    pub(super) fn new(
        link: Weak<dyn Link>,
        limits: Arc<OutboxLimits>,
        group: Option<Arc<str>>,
        attributes: Attributes,
    ) -> Self {
        Self {
            link,
            limits,
            group,
            attributes: (!attributes.is_empty()).then(|| Box::new(attributes)),
        }
    }

    pub(super) fn attributes(&self) -> &Attributes {
        self.attributes.as_deref().unwrap_or(&NOTHING_KNOWN)
    }

    /// Gives the visitor's session, if there is one.
    pub(super) fn session(&self) -> Option<&Arc<dyn AttachedSession>> {
        self.attributes.as_ref()?.session.as_ref()
    }
}

/// What an application can ask about a connection.
#[derive(Clone, Default)]
pub struct Attributes {
    /// The name of the listener that accepted it.
    pub listener: Option<Arc<str>>,
    /// The peer's address.
    pub peer: Option<SocketAddr>,
    /// The request of the opening handshake: path, query, headers, cookies.
    pub request: Option<RequestHead>,
    /// The subprotocol both ends agreed on.
    pub subprotocol: Option<Arc<str>>,
    /// The user, if the application knows one.
    pub user: Option<Arc<str>>,
    /// What else is known: what request filters put in, and the client's [`PeerCertificate`].
    pub values: Values,
    /// The visitor's session, see [`Session::attach`](super::Session::attach).
    pub session: Option<Arc<dyn AttachedSession>>,
}

impl Attributes {
    /// Gives the certificate that the client has shown and TLS has verified, if it is among the
    /// values; a listener puts it there.
    pub fn certificate(&self) -> Option<&PeerCertificate> {
        self.values.get()
    }

    /// Says whether nothing is known.
    fn is_empty(&self) -> bool {
        let Self {
            listener,
            peer,
            request,
            subprotocol,
            user,
            values,
            session,
        } = self;
        let is_named = listener.is_some() || subprotocol.is_some() || user.is_some();
        !is_named && peer.is_none() && request.is_none() && values.is_empty() && session.is_none()
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attributes")
            .field("listener", &self.listener)
            .field("peer", &self.peer)
            .field("path", &self.request.as_ref().map(RequestHead::path))
            .field("subprotocol", &self.subprotocol)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Entry {
    pub(super) fn new(id: ConnectionId) -> Self {
        Self {
            id,
            tag: AtomicU64::new(0),
            accepted: OnceLock::new(),
        }
    }

    pub(super) const fn id(&self) -> ConnectionId {
        self.id
    }

    pub(super) fn tag(&self) -> u64 {
        self.tag.load(Ordering::Relaxed)
    }

    pub(super) fn set_tag(&self, tag: u64) {
        self.tag.store(tag, Ordering::Relaxed);
    }

    pub(super) fn is_accepted(&self) -> bool {
        self.accepted.get().is_some()
    }

    pub(super) fn accepted(&self) -> Option<&Accepted> {
        self.accepted.get()
    }

    /// Turns the reservation into a connection; an entry is accepted once.
    pub(super) fn accept(&self, accepted: Accepted) {
        let set = self.accepted.set(accepted);
        debug_assert!(set.is_ok(), "a reserved number is used once");
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

static NOTHING_KNOWN: LazyLock<Attributes> = LazyLock::new(Attributes::default);
