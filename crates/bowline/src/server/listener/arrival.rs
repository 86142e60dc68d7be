//! A request that was let in.

use std::{net::SocketAddr, sync::Arc};

use bowline_proto::handshake::{
    HandshakeError, HandshakeMisuse, RefusalResponse, RequestHead, write_refusal,
};
use bytes::BytesMut;

use super::Identity;
use crate::{
    error::Error,
    server::{
        Acceptor, AttachedSession, Attributes, ConnectionGroup, ConnectionHandle, Offer,
        ReservedId,
        admission::{ForwardedClient, Permit},
        rules::Routed,
    },
    socket::WebSocket,
    transport::{Rewind, Stream},
};

/// A request that the rules and limits of a listener let in.
#[derive(Debug)]
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

/// A plain HTTP request that was let in.
#[derive(Debug)]
pub struct HttpArrival {
    pub(super) head: RequestHead,
    pub(super) stream: Rewind<Stream>,
    pub(super) routed: Routed,
    pub(super) visitor: Visitor,
    pub(super) acceptor: Acceptor,
}

/// Who comes, and the place that is counted for them.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) peer: SocketAddr,
    pub(super) client: ForwardedClient,
    pub(super) identity: Option<Identity>,
    pub(super) listener: Arc<str>,
    pub(super) permit: Permit,
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
        self.visitor.identity.as_ref()
    }

    /// Gives the client behind trusted proxies.
    pub const fn client(&self) -> &ForwardedClient {
        &self.visitor.client
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
        Ok((self.offer.accept().await?, self.visitor.permit))
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
            peer,
            identity,
            listener,
            permit,
            ..
        } = self.visitor;
        let request = self.offer.request().clone();
        let websocket = self.offer.accept().await?;
        let attributes = Attributes {
            listener: Some(listener),
            peer: Some(peer),
            subprotocol: websocket.subprotocol().map(Arc::from),
            request: Some(request),
            user: identity.map(|identity| identity.user),
            session,
        };
        Ok(group.adopt_guarded(reserved, websocket, attributes, Some(permit)))
    }

    /// Refuses with a status.
    ///
    /// # Errors
    /// As [`Offer::refuse`].
    pub async fn refuse(self, status: u16, body: &str) -> Result<(), Error> {
        self.offer.refuse(status, body).await
    }
}

impl HttpArrival {
    /// Gives the request head.
    pub const fn head(&self) -> &RequestHead {
        &self.head
    }

    /// Gives the route the rules chose, with its captures.
    pub const fn routed(&self) -> &Routed {
        &self.routed
    }

    /// Gives the user, if one is known.
    pub const fn identity(&self) -> Option<&Identity> {
        self.visitor.identity.as_ref()
    }

    /// Answers with a whole response and ends the connection. The body is left out of the answer
    /// to a HEAD request.
    ///
    /// # Errors
    /// [`Error::Handshake`] for a status outside 200-599 or a header that cannot be sent;
    /// [`Error::Io`] if the stream fails.
    pub async fn answer(
        self,
        status: u16,
        headers: &[(&str, &[u8])],
        body: &[u8],
    ) -> Result<(), Error> {
        let mut answer = BytesMut::new();
        let response = RefusalResponse {
            status,
            headers,
            body,
        };
        write_answer(&self.head, &response, &mut answer).map_err(HandshakeError::from)?;
        let (_, mut stream) = self.stream.into_parts();
        self.acceptor.answer(&mut stream, &answer).await
    }

    /// Gives the stream from the first byte of the request on, for an HTTP server. The connection
    /// is counted until the permit is dropped.
    pub fn into_stream(self) -> (Rewind<Stream>, Permit) {
        (self.stream, self.visitor.permit)
    }
}

/// Writes an answer to a request; without the body if the request is HEAD (RFC 9110 section
/// 9.3.2).
pub(super) fn write_answer(
    head: &RequestHead,
    response: &RefusalResponse<'_>,
    out: &mut BytesMut,
) -> Result<(), HandshakeMisuse> {
    write_refusal(response, out)?;
    if head.method() == "HEAD" {
        out.truncate(out.len().saturating_sub(response.body.len()));
    }
    Ok(())
}
