//! A request that was let in.

use std::{net::SocketAddr, sync::Arc};

use bowline_proto::handshake::HandshakeError;

use super::{
    HttpArrival,
    entrance::{Caller, Entrance},
    judge::{Known, Refusal},
};
use crate::{
    error::Error,
    server::{
        Answer, AttachedSession, Attributes, ConnectionGroup, ConnectionHandle, Offer, ReservedId,
        Values,
        admission::{ForwardedClient, Permit},
        auth::Identity,
        rules::Routed,
    },
    socket::WebSocket,
    transport::{PeerCertificate, Stream},
};

/// A request that the rules and limits of a listener let in.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is moved once in the life of a request"
)]
pub enum Arrival {
    /// An opening handshake.
    WebSocket(WebSocketArrival),
    /// A plain HTTP request.
    Http(HttpArrival),
}

/// An opening handshake that was let in: accept or refuse it.
#[derive(Debug)]
pub struct WebSocketArrival {
    pub(super) offer: Offer<Stream>,
    pub(super) routed: Routed,
    pub(super) visitor: Visitor,
}

/// Who comes, and the place that is counted for them.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) caller: Caller,
    pub(super) known: Known,
    pub(super) entrance: Arc<Entrance>,
}

impl Visitor {
    pub(super) fn new(entrance: &Arc<Entrance>, caller: Caller, known: Known) -> Self {
        Self {
            caller,
            known,
            entrance: Arc::clone(entrance),
        }
    }

    pub(super) const fn peer(&self) -> SocketAddr {
        self.caller.peer
    }
}

impl WebSocketArrival {
    /// Gives the opening handshake.
    pub const fn offer(&self) -> &Offer<Stream> {
        &self.offer
    }

    /// Gives the route the rules chose, with its captures.
    pub const fn routed(&self) -> &Routed {
        &self.routed
    }

    /// Gives the user, if one is known.
    pub const fn identity(&self) -> Option<&Identity> {
        self.visitor.known.identity.as_ref()
    }

    /// Gives the client behind trusted proxies.
    pub const fn client(&self) -> &ForwardedClient {
        &self.visitor.known.client
    }

    /// Gives the certificate that the client has shown.
    pub const fn certificate(&self) -> Option<&PeerCertificate> {
        self.visitor.caller.certificate.as_ref()
    }

    /// Gives what filters put with the connection, and the client's certificate.
    pub const fn values(&self) -> &Values {
        &self.visitor.known.values
    }

    /// Changes what is answered: a subprotocol, cookies, headers.
    #[must_use]
    pub fn map_offer(self, change: impl FnOnce(Offer<Stream>) -> Offer<Stream>) -> Self {
        Self {
            offer: change(self.offer),
            ..self
        }
    }

    /// Accepts, for straight-line code. The connection is counted until the permit is dropped.
    ///
    /// # Errors
    /// As [`Offer::accept`].
    pub async fn accept(self) -> Result<(WebSocket<Stream>, Permit), Error> {
        Ok((self.offer.accept().await?, self.visitor.caller.permit))
    }

    /// Accepts into a group, under a number reserved before.
    ///
    /// # Errors
    /// As [`Offer::accept`].
    pub async fn accept_into(
        self,
        group: &ConnectionGroup,
        reserved: ReservedId,
        session: Option<Arc<dyn AttachedSession>>,
    ) -> Result<ConnectionHandle, Error> {
        let Visitor {
            caller,
            known,
            entrance,
        } = self.visitor;
        let request = self.offer.request().clone();
        let websocket = self.offer.accept().await?;
        let attributes = Attributes {
            listener: Some(entrance.name().shared()),
            peer: Some(caller.peer),
            subprotocol: websocket.subprotocol().map(Arc::from),
            request: Some(request),
            user: known.identity.map(|identity| identity.user),
            values: known.values,
            session,
        };
        Ok(group.adopt_guarded(reserved, websocket, attributes, Some(caller.permit)))
    }

    /// Refuses with a status.
    ///
    /// # Errors
    /// As [`Offer::refuse`].
    pub async fn refuse(self, status: u16, body: &str) -> Result<(), Error> {
        self.refuse_with(Answer::new(status).with_body(body)).await
    }

    /// Refuses with a whole answer, which the response filters may change.
    ///
    /// # Errors
    /// As [`Offer::refuse`].
    pub async fn refuse_with(self, answer: Answer) -> Result<(), Error> {
        answer.check().map_err(HandshakeError::from)?;
        let (head, peer) = (self.offer.request(), self.visitor.peer());
        let refusal = Refusal { answer, code: 0 };
        let answer = self.visitor.entrance.dress(Some(head), peer, refusal);
        self.offer.refuse_whole(answer, 0).await
    }
}
