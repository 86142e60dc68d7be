//! Requests that a plain thread decides about.

use bowline_proto::handshake::{HandshakeError, RefusalResponse, RequestHead, write_refusal};
use bytes::BytesMut;

use super::{Background, WebSocket};
use crate::{
    error::Error,
    server::{self, Acceptor, Unread},
    transport::Stream,
};

/// What a client asked for.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is moved once in a connection's life"
)]
pub enum Request {
    /// A WebSocket: accept or refuse it.
    WebSocket(Offer),
    /// Something else: answer it.
    Http(HttpRequest),
}

/// A checked opening handshake that is not yet answered: accept or refuse it.
///
/// Either consumes it, so nothing of HTTP can be done afterwards.
#[derive(Debug)]
pub struct Offer {
    offer: server::Offer<Stream>,
    background: Background,
}

/// A request of plain HTTP that is not yet answered. Its body, if it has one, is not read.
#[derive(Debug)]
pub struct HttpRequest {
    head: RequestHead,
    stream: Stream,
    acceptor: Acceptor,
    background: Background,
}

impl Request {
    pub(super) fn new(
        acceptor: Acceptor,
        request: server::Request<Stream>,
        background: Background,
    ) -> Self {
        match request {
            server::Request::WebSocket(offer) => Self::WebSocket(Offer { offer, background }),
            server::Request::Http(head, rewind) => Self::Http(HttpRequest {
                head,
                stream: rewind.into_parts().1,
                acceptor,
                background,
            }),
        }
    }
}

impl Offer {
    /// Gives the request: path, query, headers, cookies.
    pub const fn request(&self) -> &RequestHead {
        self.offer.request()
    }

    /// Gives the stream, to ask for the peer's address for instance.
    pub const fn stream(&self) -> &Stream {
        self.offer.stream()
    }

    /// Gives the origin that browsers send (RFC 6455 section 10.2).
    pub fn origin(&self) -> Option<&str> {
        self.offer.origin()
    }

    /// Gives the subprotocols offered, most wanted first.
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        self.offer.subprotocols()
    }

    /// Chooses a subprotocol; it must be one of those offered.
    #[must_use]
    pub fn with_subprotocol(mut self, subprotocol: &str) -> Self {
        self.offer = self.offer.with_subprotocol(subprotocol);
        self
    }

    /// Adds a header to the answer, a cookie for instance.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.offer = self.offer.with_header(name, value);
        self
    }

    /// Answers 101 and opens the WebSocket.
    ///
    /// # Errors
    /// As [`server::Offer::accept`]; [`Error::InsideRuntime`].
    pub fn accept(self) -> Result<WebSocket, Error> {
        let socket = self.background.wait(self.offer.accept())??;
        Ok(WebSocket::new(socket, self.background))
    }

    /// Answers with another status than 101 and ends the exchange.
    ///
    /// # Errors
    /// As [`server::Offer::refuse`]; [`Error::InsideRuntime`].
    pub fn refuse(self, status: u16, body: &str) -> Result<(), Error> {
        self.background.wait(self.offer.refuse(status, body))?
    }
}

impl HttpRequest {
    /// Gives the request: method, path, query, headers, cookies.
    pub const fn head(&self) -> &RequestHead {
        &self.head
    }

    /// Answers and ends the exchange.
    ///
    /// # Errors
    /// [`Error::Handshake`] for a status outside 200-599 or a header that cannot be sent;
    /// [`Error::Io`] if the stream fails; [`Error::InsideRuntime`].
    pub fn answer(
        mut self,
        status: u16,
        headers: &[(&str, &[u8])],
        body: &[u8],
    ) -> Result<(), Error> {
        let response = RefusalResponse {
            status,
            headers,
            body,
        };
        let mut answer = BytesMut::new();
        write_refusal(&response, &mut answer).map_err(HandshakeError::from)?;
        let written = self
            .acceptor
            .answer(&mut self.stream, &answer, Unread::Unknown);
        self.background.wait(written)?
    }
}
