//! An opening handshake that waits for an answer.

use std::{fmt, sync::Arc};

use bowline_proto::{
    Connection, MaskingKey,
    handshake::{
        AcceptOptions, HandshakeError, HandshakeMisuse, RefusalResponse, RequestHead,
        ServerHandshake, write_refusal,
    },
};
use bytes::BytesMut;
use tokio::time::timeout;

use super::{
    Acceptor, Answer, SetCookie, Unread,
    auth::{basic_challenge, is_token_subprotocol},
};
use crate::{
    driver::now,
    error::{ConnectPhase, Error},
    metrics::{HandshakeOutcome, Observer},
    options::Options,
    socket::{Opening, WebSocket},
    transport::{PeerCertificate, Stream, Transport, set_nodelay},
};

/// A checked opening handshake that is not yet answered: accept or refuse it.
///
/// Either consumes it, so nothing of HTTP can be done afterwards.
///
/// `S` says where the connection's stream comes from. It is the stream itself when an
/// [`Acceptor`] read the request from it; then the answer is written here. With the feature
/// `hyper` it may be a `Handover`, which is also what `Offer` alone means then:
/// a handler in somebody else's HTTP server took the request, and returns the answer.
pub struct Offer<#[cfg(feature = "hyper")] S = super::Handover, #[cfg(not(feature = "hyper"))] S> {
    acceptor: Acceptor,
    head: RequestHead,
    handshake: ServerHandshake,
    stream: S,
    rest: BytesMut,
    subprotocol: Option<String>,
    headers: Vec<(String, Vec<u8>)>,
}

impl<S> Offer<S> {
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

    /// Gives the subprotocols offered, most wanted first, without those that carry a token, see
    /// [`token_subprotocol`](super::auth::token_subprotocol).
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        let offered = self.handshake.subprotocols();
        offered.filter(|offered| !is_token_subprotocol(offered))
    }

    /// Chooses a subprotocol; it must be one of those that [`subprotocols`](Self::subprotocols)
    /// gives.
    #[must_use]
    pub fn with_subprotocol(mut self, subprotocol: &str) -> Self {
        self.subprotocol = Some(subprotocol.to_owned());
        self
    }

    /// Adds a header to the answer, be it 101 or a refusal.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Sets a cookie with the answer, be it 101 or a refusal.
    #[must_use]
    pub fn with_cookie(self, cookie: &SetCookie) -> Self {
        self.with_header("Set-Cookie", cookie.as_str())
    }

    /// Asks for a name and a password with the answer, which is to be 401 (RFC 7617): browsers ask
    /// their user when a page is refused so, but not for a WebSocket.
    #[must_use]
    pub fn with_basic_challenge(self, realm: &str) -> Self {
        self.with_header("WWW-Authenticate", basic_challenge(realm))
    }

    /// Configures this one connection: limits, keepalive, compression.
    #[must_use]
    pub fn with_options(mut self, options: Options) -> Self {
        self.acceptor.options = options;
        self
    }

    /// Makes the answer 101 and the connection that begins behind it.
    pub(super) fn answer(self) -> Result<Answered<S>, HandshakeError> {
        // A secret must not come back, nor can it be spoken.
        if self
            .subprotocol
            .as_deref()
            .is_some_and(is_token_subprotocol)
        {
            return Err(HandshakeMisuse::SubprotocolNotOffered.into());
        }
        let options = &self.acceptor.options;
        let headers: Vec<_> = borrowed(&self.headers).collect();
        let accept = AcceptOptions {
            subprotocol: self.subprotocol.as_deref(),
            headers: &headers,
            deflate: options.deflate,
        };
        let mut answer = BytesMut::new();
        let accepted = self.handshake.accept(&accept, &mut answer)?;
        let deflate = accepted.deflate.map(|params| options.deflate(params));
        let opening = Opening {
            subprotocol: accepted.subprotocol,
            compressed: deflate.is_some(),
            response: None,
            observer: Observer::new(options, "server", self.head.path()),
        };
        let config = Arc::clone(&options.config);
        let connection = if config.nonstandard.mask_server_frames {
            Connection::server_masking(
                config,
                deflate,
                Box::new(|| MaskingKey(rand::random())),
                now(),
            )
        } else {
            Connection::server(config, deflate, now())
        };
        Ok(Answered {
            #[cfg(feature = "hyper")]
            acceptor: self.acceptor,
            stream: self.stream,
            rest: self.rest,
            answer,
            connection,
            opening,
        })
    }

    /// Counts a refusal; the code says why, 0 if the application decided.
    pub(super) fn count_refusal(&self, status: u16, code: u16) {
        let outcome = HandshakeOutcome::Refused { status, code };
        let options = &self.acceptor.options;
        options.handshake_over(outcome, Some(self.head.path()));
    }

    /// Makes the answer that refuses.
    pub(super) fn refusal(&self, status: u16, body: &[u8]) -> Result<BytesMut, HandshakeMisuse> {
        let headers: Vec<_> = borrowed(&self.headers).collect();
        let response = RefusalResponse {
            status,
            headers: &headers,
            body,
        };
        let mut answer = BytesMut::new();
        write_refusal(&response, &mut answer)?;
        Ok(answer)
    }
}

impl<S: Transport> Offer<S> {
    /// Answers 101 and opens the WebSocket.
    ///
    /// The offer is used up: nothing of HTTP can be done afterwards.
    ///
    /// ```compile_fail,E0382
    /// # async fn example(offer: bowline::Offer<bowline::Stream>) -> Result<(), bowline::Error> {
    /// let websocket = offer.accept().await?;
    /// offer.refuse(403, "too late").await
    /// # }
    /// ```
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
        let opened = self.open().await;
        opened.map_err(|error| options.handshake_failed(error))
    }

    async fn open(self) -> Result<WebSocket<S>, Error> {
        let deadline = self.acceptor.handshake_timeout;
        let mut websocket = self.answered()?;
        match timeout(deadline, websocket.flush()).await {
            Ok(Ok(())) => Ok(websocket),
            // The stream's own words are better than that it is closed.
            Ok(Err(_)) => Err(Error::Io(websocket.failure().into())),
            Err(_) => Err(Error::Timeout(ConnectPhase::Handshake)),
        }
    }

    /// Opens the WebSocket with the answer 101 queued in front of everything that is sent on it.
    ///
    /// Nothing is written yet: the first send or receive does. A connection can so belong to a
    /// group, and be sent to, before its client knows that it is open.
    ///
    /// # Errors
    /// [`Error::Handshake`] for a subprotocol that was not offered or a header that cannot be
    /// sent.
    pub fn accept_now(self) -> Result<WebSocket<S>, Error> {
        let options = self.acceptor.options.clone();
        self.answered()
            .map_err(|error| options.handshake_failed(error))
    }

    fn answered(self) -> Result<WebSocket<S>, Error> {
        let Answered {
            stream,
            rest,
            answer,
            mut connection,
            opening,
            #[cfg(feature = "hyper")]
                acceptor: _,
        } = self.answer()?;
        set_nodelay(&stream);
        connection.queue_opening(answer.freeze());
        Ok(WebSocket::from_parts(connection, stream, rest).with_opening(opening))
    }

    /// Answers with another status than 101 and ends the exchange. Headers added before go with
    /// it.
    ///
    /// # Errors
    /// [`Error::Handshake`] for a status outside 200-599 or a header that cannot be sent;
    /// [`Error::Io`] if the stream fails.
    pub async fn refuse(self, status: u16, body: &str) -> Result<(), Error> {
        self.refuse_with_code(status, 0, body).await
    }

    /// Refuses for a reason that has a number.
    pub(super) async fn refuse_with_code(
        mut self,
        status: u16,
        code: u16,
        body: &str,
    ) -> Result<(), Error> {
        let answer = self
            .refusal(status, body.as_bytes())
            .map_err(HandshakeError::from)?;
        self.count_refusal(status, code);
        // Nothing but a head makes an offer.
        let unread = if self.rest.is_empty() {
            Unread::Nothing
        } else {
            Unread::Unknown
        };
        let Self {
            acceptor, stream, ..
        } = &mut self;
        acceptor.answer(stream, &answer, unread).await
    }
}

impl Offer<Stream> {
    /// Gives the certificate that the client has shown and TLS has verified.
    pub fn peer_certificate(&self) -> Option<PeerCertificate> {
        self.stream.peer_certificate()
    }

    /// Refuses with an answer that can be sent, for a reason that has a number.
    pub(super) async fn refuse_whole(mut self, answer: Answer, code: u16) -> Result<(), Error> {
        for (name, value) in answer.headers {
            self.headers.push((name, value));
        }
        self.refuse_with_code(answer.status, code, &answer.body)
            .await
    }
}

/// Leaves out the headers of the answer, which may hold cookies, and subprotocols that carry a
/// token.
impl<S: fmt::Debug> fmt::Debug for Offer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer")
            .field("head", &self.head)
            .field("origin", &self.origin())
            .field("offered", &self.subprotocols().collect::<Vec<_>>())
            .field("stream", &self.stream)
            .field("subprotocol", &self.subprotocol)
            .finish_non_exhaustive()
    }
}

/// An offer that was accepted, before its answer is written.
pub(super) struct Answered<S> {
    #[cfg(feature = "hyper")]
    pub(super) acceptor: Acceptor,
    pub(super) stream: S,
    pub(super) rest: BytesMut,
    pub(super) answer: BytesMut,
    pub(super) connection: Connection,
    pub(super) opening: Opening,
}

fn borrowed(headers: &[(String, Vec<u8>)]) -> impl Iterator<Item = (&str, &[u8])> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()))
}
