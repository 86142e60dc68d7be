//! Errors of the library, named by the party at fault.

use std::{error::Error as StdError, io, net::SocketAddr};

use bowline_proto::{
    Ending, Misuse,
    handshake::{ClientRefused, HandshakeError, Refusal},
};

use crate::client::error::status_line;
pub use crate::client::error::{CredentialsError, ProxyError, RedirectError, SocksReply};
use crate::{server::BodyError, text_codec::TextCodecError};

/// Says why a connection could not be made, or a call not be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL is not one of a WebSocket.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The name has no address, or looking it up failed.
    #[error("cannot find the address of {host}: {source}")]
    Resolve {
        /// The name that was looked up.
        host: Box<str>,
        /// What the resolver said.
        source: io::Error,
    },
    /// No address of the host took the connection.
    #[error("cannot connect to {host}: {source}{}", tried(.earlier))]
    Connect {
        /// The host and port.
        host: Box<str>,
        /// What the last attempt said.
        source: io::Error,
        /// What the other addresses said before.
        earlier: Vec<(SocketAddr, io::Error)>,
    },
    /// There is no way through the proxy.
    #[error(transparent)]
    Proxy(Box<ProxyError>),
    /// The credentials could not be sent.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The server redirects, and that was not followed.
    #[error(transparent)]
    Redirect(Box<RedirectError>),
    /// TLS could not be set up, or its handshake failed.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A phase took longer than its deadline.
    #[error("{0} took longer than its deadline")]
    Timeout(ConnectPhase),
    /// The opening handshake broke a rule, or was called wrongly.
    #[error("the opening handshake failed: {0}")]
    Handshake(#[from] HandshakeError),
    /// The server answered with something other than 101.
    #[error("the server refused the WebSocket: {}", status_line(.0))]
    Refused(Box<ClientRefused>),
    /// The client's request was refused, and it has been told so.
    #[error("refused an opening handshake: {}", .0.detail())]
    RefusedRequest(Refusal),
    /// A client sent a body that a listener does not take; it has been told so.
    #[error("refused a request: {0}")]
    RefusedBody(BodyError),
    /// The request was plain HTTP where only a WebSocket is served; it was answered with 426.
    #[error("the request is plain HTTP, not an opening handshake")]
    NotWebSocket,
    /// The HTTP server that ran the handler did not hand its stream over: the client was gone
    /// before the answer, the server does not do upgrades, or the stream is not of the type that
    /// was asked for.
    #[error("the HTTP server did not hand its stream over: {0}")]
    NotHandedOver(io::Error),
    /// A [`Dialer`](crate::managed::Dialer) of the application's own made no link, for a reason of
    /// its own.
    #[error(transparent)]
    Dialer(Box<dyn StdError + Send + Sync>),
    /// The stream failed during the opening handshake.
    #[error("the stream failed during the opening handshake: {0}")]
    Io(#[from] io::Error),
    /// The call does not fit the state of the connection or a rule of the protocol.
    #[error(transparent)]
    Misuse(Misuse),
    /// The queue of what is to be sent is full; nothing was queued.
    #[error("the queue of what is to be sent is full")]
    QueueFull,
    /// The text cannot be translated.
    #[error(transparent)]
    TextCodec(#[from] TextCodecError),
    /// A call of the [`blocking`](crate::blocking) module was made inside of an async runtime.
    #[error("a blocking call cannot be made inside of an async runtime: use a thread of its own")]
    InsideRuntime,
    /// Nothing was received within the receive timeout of the [`blocking`](crate::blocking)
    /// module.
    #[error("nothing was received in time")]
    RecvTimeout,
    /// The connection is closing or closed. Tells how, once that is known; a stream that failed
    /// for writing may still hold the peer's own words, so receive until `None` to know.
    #[error("the connection is closed{}", .0.as_deref().map(how).unwrap_or_default())]
    Closed(Option<Box<Ending>>),
}

impl From<ProxyError> for Error {
    fn from(error: ProxyError) -> Self {
        Self::Proxy(Box::new(error))
    }
}

impl From<RedirectError> for Error {
    fn from(error: RedirectError) -> Self {
        Self::Redirect(Box::new(error))
    }
}

/// Names a phase of making a connection, for its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectPhase {
    /// Asking for the bearer token.
    #[error("asking for the bearer token")]
    Credentials,
    /// Looking the name up.
    #[error("looking the name up")]
    Resolve,
    /// Making the TCP connection.
    #[error("connecting")]
    Connect,
    /// Agreeing with the proxy.
    #[error("the handshake with the proxy")]
    Proxy,
    /// The TLS handshake.
    #[error("the TLS handshake")]
    Tls,
    /// The opening handshake.
    #[error("the opening handshake")]
    Handshake,
    /// All phases together.
    #[error("making the connection")]
    Total,
}

/// Says why a URL is not one of a WebSocket (RFC 6455 section 3).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It does not follow the grammar of URLs.
    #[error("not a URL: {0} (write ws://host:port/path or wss://host/path)")]
    Syntax(#[from] url::ParseError),
    /// The scheme is neither `ws` nor `wss`.
    #[error("the scheme of a WebSocket URL is ws or wss, not {0}")]
    Scheme(Box<str>),
    /// There is no host.
    #[error("a WebSocket URL names a host")]
    Host,
    /// It has a fragment.
    #[error("a WebSocket URL has no fragment: write # as %23")]
    Fragment,
}

/// Says what is wrong with TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The parameters of the provider or the certificate do not fit.
    #[error("cannot set TLS up: {0}")]
    Setup(#[from] rustls::Error),
    /// PEM could not be read.
    #[error("cannot read {path}: {reason}")]
    Pem {
        /// The file, or what else holds it.
        path: Box<str>,
        /// What is wrong with it.
        reason: rustls_pki_types::pem::Error,
    },
    /// The host is no name a certificate can be checked against.
    #[error("{0} is not a name that a certificate can be for")]
    ServerName(Box<str>),
    /// The handshake failed.
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
}

fn tried(earlier: &[(SocketAddr, io::Error)]) -> String {
    earlier
        .iter()
        .map(|(address, error)| format!("; {address}: {error}"))
        .collect::<Vec<_>>()
        .concat()
}

fn how(ending: &Ending) -> String {
    format!(": {} ({})", ending.cause, ending.code)
}
