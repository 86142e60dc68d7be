//! An opening handshake that waits for an answer.

use std::sync::Arc;

use bowline_proto::{
    Connection,
    handshake::{AcceptOptions, RefusalResponse, RequestHead, ServerHandshake, write_refusal},
};
use bytes::BytesMut;
use tokio::{io::AsyncWriteExt, time::timeout};

use super::Acceptor;
use crate::{
    driver::now,
    error::{ConnectPhase, Error},
    metrics::{HandshakeOutcome, Observer},
    socket::{Opening, WebSocket},
    transport::{Transport, set_nodelay},
};

/// A checked opening handshake that is not yet answered: accept or refuse it.
///
/// Either consumes it, so nothing of HTTP can be done afterwards.
#[derive(Debug)]
pub struct Offer<S> {
    acceptor: Acceptor,
    head: RequestHead,
    handshake: ServerHandshake,
    stream: S,
    rest: BytesMut,
    subprotocol: Option<String>,
    headers: Vec<(String, Vec<u8>)>,
}

impl<S: Transport> Offer<S> {
    pub(super) fn new(
        acceptor: &Acceptor,
        head: RequestHead,
        handshake: ServerHandshake,
        stream: S,
        rest: BytesMut,
    ) -> Self {
        Self {
            acceptor: acceptor.clone(),
            head,
            handshake,
            stream,
            rest,
            subprotocol: None,
            headers: Vec::new(),
        }
    }

    /// Gives the request: path, query, headers, cookies.
    pub const fn request(&self) -> &RequestHead {
        &self.head
    }

    /// Gives the stream, to ask for the peer's address for instance.
    pub const fn stream(&self) -> &S {
        &self.stream
    }

    /// Gives the origin that browsers send (RFC 6455 section 10.2).
    pub fn origin(&self) -> Option<&str> {
        self.handshake.origin()
    }

    /// Gives the subprotocols offered, most wanted first.
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        self.handshake.subprotocols()
    }

    /// Chooses a subprotocol; it must be one of those offered.
    #[must_use]
    pub fn with_subprotocol(mut self, subprotocol: &str) -> Self {
        self.subprotocol = Some(subprotocol.to_owned());
        self
    }

    /// Adds a header to the answer, a cookie for instance.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Answers 101 and opens the WebSocket.
    ///
    /// Turns `TCP_NODELAY` on if the stream is a [`TcpStream`](tokio::net::TcpStream) or a
    /// [`Stream`](crate::Stream); on others it is the caller's to do.
    /// Not cancel-safe: a dropped handshake drops the stream.
    ///
    /// # Errors
    /// [`Error::Handshake`] for a subprotocol that was not offered or a header that cannot be
    /// sent; [`Error::Timeout`] or [`Error::Io`] if the answer cannot be written.
    pub async fn accept(self) -> Result<WebSocket<S>, Error> {
        let options = self.acceptor.options.clone();
        let accepted = self.answer_accepted().await;
        accepted.map_err(|error| options.handshake_failed(error))
    }

    async fn answer_accepted(mut self) -> Result<WebSocket<S>, Error> {
        let options = &self.acceptor.options;
        let headers: Vec<_> = borrowed(&self.headers).collect();
        let accept = AcceptOptions {
            subprotocol: self.subprotocol.as_deref(),
            headers: &headers,
            deflate: options.deflate,
        };
        let mut answer = BytesMut::new();
        let accepted = self.handshake.accept(&accept, &mut answer)?;
        set_nodelay(&self.stream);
        write(&self.acceptor, &mut self.stream, &answer).await?;
        let deflate = accepted.deflate.map(|params| options.deflate(params));
        let opening = Opening {
            subprotocol: accepted.subprotocol,
            compressed: deflate.is_some(),
            response: None,
            observer: Observer::new(options, "server", self.head.path()),
        };
        let connection = Connection::server(Arc::clone(&options.config), deflate, now());
        Ok(WebSocket::from_parts(connection, self.stream, self.rest).with_opening(opening))
    }

    /// Answers with another status than 101 and ends the exchange. Headers added before go with
    /// it.
    ///
    /// # Errors
    /// [`Error::Handshake`] for a status outside 200-599 or a header that cannot be sent;
    /// [`Error::Io`] if the stream fails.
    pub async fn refuse(mut self, status: u16, body: &str) -> Result<(), Error> {
        let headers: Vec<_> = borrowed(&self.headers).collect();
        let response = RefusalResponse {
            status,
            headers: &headers,
            body: body.as_bytes(),
        };
        let mut answer = BytesMut::new();
        write_refusal(&response, &mut answer)
            .map_err(bowline_proto::handshake::HandshakeError::from)?;
        let outcome = HandshakeOutcome::Refused { status, code: 0 };
        let options = &self.acceptor.options;
        options.handshake_over(outcome, Some(self.head.path()));
        self.acceptor.answer(&mut self.stream, &answer).await
    }
}

fn borrowed(headers: &[(String, Vec<u8>)]) -> impl Iterator<Item = (&str, &[u8])> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()))
}

async fn write<S: Transport>(
    acceptor: &Acceptor,
    stream: &mut S,
    answer: &[u8],
) -> Result<(), Error> {
    let write = async {
        stream.write_all(answer).await?;
        stream.flush().await
    };
    match timeout(acceptor.handshake_timeout, write).await {
        Ok(written) => Ok(written?),
        Err(_) => Err(Error::Timeout(ConnectPhase::Handshake)),
    }
}
