//! Accepting inside a handler of somebody else's HTTP server: hyper 1 and what is built on it.

mod answer;
#[cfg(feature = "axum")]
mod extract;
mod handover;
mod pending;
mod rejection;
mod stream;

use std::net::SocketAddr;

use bowline_proto::handshake::{
    HandshakeError, HandshakeMisuse, HttpVersion, Refusal, RefusalDetail, RequestCheck,
    RequestHead, ServerHandshake, check_request,
};
use bytes::{Bytes, BytesMut};
use http::{Extensions, HeaderMap, Method, Request, Response, Uri, Version, header};
use hyper::upgrade::OnUpgrade;

use super::{Acceptor, Offer};
use crate::{
    error::Error, metrics::HandshakeOutcome, socket::WebSocket, transport::PeerCertificate,
};

pub use handover::Handover;
pub use pending::PendingWebSocket;
pub use rejection::Rejection;
pub use stream::UpgradedStream;

impl Acceptor {
    /// Takes the offer out of a request that a hyper server read; [`Offer::from_request`] does so
    /// with the defaults.
    ///
    /// The head limits bind here too. The handshake timeout bounds the wait for the stream.
    ///
    /// # Errors
    /// [`Rejection`], which makes the response that answers the request; the request is untouched
    /// then.
    pub fn take_offer<B>(&self, request: &mut Request<B>) -> Result<Offer<Handover>, Rejection> {
        let head = self.check(&HttpHead {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
        });
        let offer = head.and_then(|head| self.hand_over(head, request.extensions_mut()));
        offer.map_err(|rejection| self.count_rejection(rejection))
    }

    /// Counts a request that is answered with a rejection.
    fn count_rejection(&self, rejection: Rejection) -> Rejection {
        let outcome = HandshakeOutcome::Refused {
            status: rejection.status().as_u16(),
            code: rejection.code(),
        };
        self.options.handshake_over(outcome, None);
        rejection
    }

    fn check(&self, http: &HttpHead<'_>) -> Result<CheckedHead, Rejection> {
        if !is_offered(http.headers) {
            return Err(Rejection::NotWebSocket);
        }
        let version = match http.version {
            Version::HTTP_11 => HttpVersion::Http11,
            Version::HTTP_10 => HttpVersion::Http10,
            _ => return Err(Refusal::new(RefusalDetail::HttpVersionUnsupported).into()),
        };
        let fields = http.headers.iter();
        let head = RequestHead::from_parts(
            http.method.as_str(),
            &http.uri.to_string(),
            version,
            fields.map(|(name, value)| (name.as_str(), value.as_bytes())),
            self.head_limits,
        )
        .map_err(Refusal::from)?;
        match check_request(&head)? {
            RequestCheck::Offer(handshake) => Ok((head, handshake)),
            RequestCheck::NotAnUpgrade => Err(Rejection::NotWebSocket),
        }
    }

    fn hand_over(
        &self,
        (head, handshake): CheckedHead,
        extensions: &mut Extensions,
    ) -> Result<Offer<Handover>, Rejection> {
        let on_upgrade = extensions
            .remove::<OnUpgrade>()
            .ok_or(Rejection::NotUpgradable)?;
        let certificate = extensions.get::<PeerCertificate>().cloned();
        let handover = Handover::new(on_upgrade, peer_addr(extensions), certificate);
        Ok(Offer::new(self, head, handshake, handover, BytesMut::new()))
    }
}

impl Offer<Handover> {
    /// Tells whether a request asks for a WebSocket, well formed or not.
    ///
    /// What it says yes to is for [`from_request`](Self::from_request), which refuses a malformed
    /// handshake with the status that fits; the rest is plain HTTP.
    pub fn is_offered<B>(request: &Request<B>) -> bool {
        is_offered(request.headers())
    }

    /// Takes the offer out of a request that a hyper server read, with the defaults of
    /// [`Acceptor`].
    ///
    /// It may be called anywhere between the server and the response: in a hyper service, a tower
    /// service, a handler of a framework. The server must serve its connections with upgrades.
    ///
    /// # Errors
    /// [`Rejection`], which makes the response that answers the request; the request is untouched
    /// then.
    pub fn from_request<B>(request: &mut Request<B>) -> Result<Self, Rejection> {
        Acceptor::default().take_offer(request)
    }

    /// Gives the peer's address, if the request knows it: `axum::extract::ConnectInfo` of a
    /// [`SocketAddr`], or a `SocketAddr` among the request's extensions, where a hyper service can
    /// put it.
    pub const fn peer_addr(&self) -> Option<SocketAddr> {
        self.stream().peer_addr()
    }

    /// Gives the certificate that the client has shown, if the request knows it: a
    /// [`PeerCertificate`] among the request's extensions, where the service that does TLS can put
    /// it ([`Stream::peer_certificate`](crate::Stream::peer_certificate) gives it).
    pub const fn peer_certificate(&self) -> Option<&PeerCertificate> {
        self.stream().peer_certificate()
    }

    /// Accepts: gives the answer 101, which the handler returns, and the WebSocket, which opens
    /// when the HTTP server has written it.
    ///
    /// Waiting for the WebSocket inside the handler would wait for ever, because the handler has
    /// not answered yet: give it to a task of its own, or use [`on_upgrade`](Self::on_upgrade).
    /// Dropping it ends the connection as soon as the answer is written.
    ///
    /// The answer has to reach the client. When a layer around the handler replaces it, hyper may
    /// still hand the stream over once HTTP is done with it, and a client that took the other
    /// answer gets frames or sends none. A layer that may say no belongs before the handler.
    ///
    /// `B` is any body that can be made of [`Bytes`]; that of 101 is empty.
    ///
    /// # Errors
    /// [`Rejection::Misuse`] for a subprotocol that was not offered or a header that cannot be
    /// sent.
    pub fn accept<B: From<Bytes>>(self) -> Result<(Response<B>, PendingWebSocket), Rejection> {
        let answered = self.answer().map_err(misuse)?;
        let response = answer::response(&answered.answer)?;
        Ok((response, PendingWebSocket::new(answered)))
    }

    /// Accepts, and calls `serve` in a new task once the WebSocket is open, or has failed to open:
    /// because the client is gone, or because the HTTP server does not do upgrades.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn on_upgrade<B, F, R>(self, serve: F) -> Result<Response<B>, Rejection>
    where
        B: From<Bytes>,
        F: FnOnce(Result<WebSocket<UpgradedStream>, Error>) -> R + Send + 'static,
        R: Future<Output: Send> + Send + 'static,
    {
        let (response, pending) = self.accept()?;
        tokio::spawn(async move { serve(pending.await).await });
        Ok(response)
    }

    /// Refuses: gives an answer of any status but 101, for the handler to return. Headers and
    /// cookies added before go with it, and the HTTP server closes the connection after it.
    ///
    /// # Errors
    /// [`Rejection::Misuse`] for a status outside 200-599, a body with a status that has none, or
    /// a header that cannot be sent.
    pub fn refuse<B: From<Bytes>>(
        self,
        status: u16,
        body: impl AsRef<[u8]>,
    ) -> Result<Response<B>, Rejection> {
        let answer = self.refusal(status, body.as_ref())?;
        self.count_refusal(status, 0);
        Ok(answer::response(&answer)?)
    }
}

/// The parts of a request that make its head.
struct HttpHead<'r> {
    method: &'r Method,
    uri: &'r Uri,
    version: Version,
    headers: &'r HeaderMap,
}

type CheckedHead = (RequestHead, ServerHandshake);

/// The rule of [`check_request`], on what hyper parsed: plain requests are told apart without
/// copying them.
fn is_offered(headers: &HeaderMap) -> bool {
    let names_websocket = |value: &http::HeaderValue| {
        let mut elements = value.as_bytes().split(|byte| *byte == b',');
        elements.any(|element| element.trim_ascii().eq_ignore_ascii_case(b"websocket"))
    };
    headers.contains_key(header::SEC_WEBSOCKET_KEY)
        || headers.contains_key(header::SEC_WEBSOCKET_VERSION)
        || headers.get_all(header::UPGRADE).iter().any(names_websocket)
}

/// Accepting checks nothing of the client's any more: what fails is the program's doing.
const fn misuse(error: HandshakeError) -> Rejection {
    Rejection::Misuse(match error {
        HandshakeError::Misuse(misuse) => misuse,
        HandshakeError::Violation(_) | HandshakeError::LimitExceeded(_) | HandshakeError::Eof => {
            HandshakeMisuse::Finished
        }
    })
}

fn peer_addr(extensions: &Extensions) -> Option<SocketAddr> {
    #[cfg(feature = "axum")]
    if let Some(info) = extensions.get::<axum::extract::ConnectInfo<SocketAddr>>() {
        return Some(info.0);
    }
    extensions.get::<SocketAddr>().copied()
}
