//! What can go wrong between the URL and the opening handshake.

use std::{error::Error as StdError, fmt, io};

use bowline_proto::handshake::{ClientRefused, HeadError};

use crate::error::{TlsError, UrlError};

/// Says what went wrong with a proxy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The address of the proxy makes no sense. It is not shown: it may hold a password.
    #[error("the proxy{} is not a URL such as http://proxy:3128 or socks5://proxy: {reason}", from(.variable.as_deref()))]
    Url {
        /// The environment variable it came from.
        variable: Option<Box<str>>,
        /// What is wrong with it.
        reason: UrlError,
    },
    /// The scheme of the proxy is none of `http`, `https`, `socks5` and `socks5h`.
    #[error("the proxy{} has the scheme {scheme}; use http, https, socks5 or socks5h", from(.variable.as_deref()))]
    Scheme {
        /// The environment variable it came from.
        variable: Option<Box<str>>,
        /// The scheme.
        scheme: Box<str>,
    },
    /// A name or password is longer than SOCKS5 has room for (RFC 1929 section 2).
    #[error("the name and password for a SOCKS5 proxy are at most 255 bytes each")]
    Login,
    /// The name of the server is longer than SOCKS5 has room for (RFC 1928 section 4).
    #[error("the name of the server is longer than the 255 bytes a SOCKS5 proxy takes")]
    HostTooLong,
    /// The proxy cannot be reached.
    #[error("the proxy {proxy} cannot be reached: {source}")]
    Unreachable {
        /// Host and port of the proxy.
        proxy: Box<str>,
        /// [`Error::Resolve`](crate::Error::Resolve) or [`Error::Connect`](crate::Error::Connect).
        source: Box<crate::Error>,
    },
    /// TLS with the proxy could not be set up, or its handshake failed.
    #[error("TLS with the proxy {proxy}: {source}")]
    Tls {
        /// Host and port of the proxy.
        proxy: Box<str>,
        /// What failed.
        source: TlsError,
    },
    /// The stream to the proxy failed before the tunnel stood.
    #[error("the stream to the proxy {proxy} failed: {source}")]
    Io {
        /// Host and port of the proxy.
        proxy: Box<str>,
        /// What the system said.
        source: io::Error,
    },
    /// The proxy ended the stream before it had answered.
    #[error("the proxy {proxy} ended the stream before it had answered")]
    Eof {
        /// Host and port of the proxy.
        proxy: Box<str>,
    },
    /// The proxy did not open the tunnel; has its answer, with a bounded body. Status 407 asks for
    /// name and password.
    #[error("the proxy {proxy} refused: {}{}", status_line(.refused), login_hint(.refused))]
    Refused {
        /// Host and port of the proxy.
        proxy: Box<str>,
        /// The answer.
        refused: Box<ClientRefused>,
    },
    /// The answer of the proxy is not one of HTTP, or passes a limit.
    #[error("the answer of the proxy {proxy} is no answer to CONNECT: {reason}")]
    Head {
        /// Host and port of the proxy.
        proxy: Box<str>,
        /// What is wrong with it.
        reason: HeadError,
    },
    /// The proxy answered CONNECT with 101, or with more interim answers than
    /// [`ClientLimits::interim_count_max`](bowline_proto::handshake::ClientLimits).
    #[error("the proxy {proxy} gave an answer that CONNECT does not have")]
    Answer {
        /// Host and port of the proxy.
        proxy: Box<str>,
    },
    /// Bytes came out of the tunnel before anything was sent into it.
    #[error("the proxy {proxy} sent bytes before the server was asked anything")]
    EarlyBytes {
        /// Host and port of the proxy.
        proxy: Box<str>,
    },
    /// The proxy speaks something other than SOCKS5, or breaks its rules.
    #[error("the proxy {proxy} does not speak SOCKS5")]
    NotSocks {
        /// Host and port of the proxy.
        proxy: Box<str>,
    },
    /// The SOCKS5 proxy takes none of the ways to log in that were offered.
    #[error("the SOCKS5 proxy {proxy} wants another login{}", if *.has_login { "" } else { "; give it a name and password" })]
    LoginMethod {
        /// Host and port of the proxy.
        proxy: Box<str>,
        /// Whether a name and password were offered.
        has_login: bool,
    },
    /// The SOCKS5 proxy does not take the name and password.
    #[error("the SOCKS5 proxy {proxy} does not take this name and password")]
    LoginRefused {
        /// Host and port of the proxy.
        proxy: Box<str>,
    },
    /// The SOCKS5 proxy did not make the connection.
    #[error("the SOCKS5 proxy {proxy} made no connection: {reply}")]
    Socks {
        /// Host and port of the proxy.
        proxy: Box<str>,
        /// Its reason.
        reply: SocksReply,
    },
}

/// Why a SOCKS5 proxy made no connection (RFC 1928 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocksReply(pub u8);

impl SocksReply {
    /// The proxy failed.
    pub const FAILURE: Self = Self(1);
    /// Its rules do not allow the connection.
    pub const NOT_ALLOWED: Self = Self(2);
    /// The network cannot be reached.
    pub const NETWORK_UNREACHABLE: Self = Self(3);
    /// The host cannot be reached.
    pub const HOST_UNREACHABLE: Self = Self(4);
    /// Nothing listens there.
    pub const CONNECTION_REFUSED: Self = Self(5);
    /// It took too long.
    pub const TTL_EXPIRED: Self = Self(6);
    /// The proxy does not do CONNECT.
    pub const COMMAND_NOT_SUPPORTED: Self = Self(7);
    /// The proxy does not know this type of address.
    pub const ADDRESS_TYPE_NOT_SUPPORTED: Self = Self(8);
}

impl fmt::Display for SocksReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::FAILURE => f.write_str("the proxy failed"),
            Self::NOT_ALLOWED => f.write_str("its rules do not allow it"),
            Self::NETWORK_UNREACHABLE => f.write_str("the network cannot be reached"),
            Self::HOST_UNREACHABLE => f.write_str("the host cannot be reached"),
            Self::CONNECTION_REFUSED => f.write_str("nothing listens there"),
            Self::TTL_EXPIRED => f.write_str("it took too long"),
            Self::COMMAND_NOT_SUPPORTED => f.write_str("it does not do CONNECT"),
            Self::ADDRESS_TYPE_NOT_SUPPORTED => {
                f.write_str("it does not know this type of address")
            }
            Self(other) => write!(f, "reply {other}"),
        }
    }
}

/// Says why a redirect was not followed. Each has the answer that asked for it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectError {
    /// There were more than
    /// [`Connector::redirect_count_max`](crate::Connector::redirect_count_max).
    #[error("more than {redirect_count_max} redirects; the next goes to {target}")]
    TooMany {
        /// How many are allowed.
        redirect_count_max: usize,
        /// Where the last one went, without its query.
        target: Box<str>,
        /// The last answer.
        refused: Box<ClientRefused>,
    },
    /// The redirects lead back to where they have been.
    #[error("the redirects go in a circle: {target} was asked before")]
    Loop {
        /// Where the last one went, without its query.
        target: Box<str>,
        /// The last answer.
        refused: Box<ClientRefused>,
    },
    /// A server under TLS sent the client to one without.
    #[error("refused to be redirected from TLS to plain text: {target}")]
    LeavesTls {
        /// Where it went, without its query.
        target: Box<str>,
        /// The answer.
        refused: Box<ClientRefused>,
    },
    /// There is not exactly one `Location`, or it is not text.
    #[error("the server redirects without saying where to")]
    NoLocation {
        /// The answer.
        refused: Box<ClientRefused>,
    },
    /// The `Location` is not one of a WebSocket.
    #[error("the server redirects to something other than a WebSocket: {reason}")]
    Location {
        /// What is wrong with it.
        reason: UrlError,
        /// The answer.
        refused: Box<ClientRefused>,
    },
}

impl RedirectError {
    /// Gives the answer that asked for the redirect.
    pub const fn refused(&self) -> &ClientRefused {
        match self {
            Self::TooMany { refused, .. }
            | Self::Loop { refused, .. }
            | Self::LeavesTls { refused, .. }
            | Self::NoLocation { refused }
            | Self::Location { refused, .. } => refused,
        }
    }
}

/// Says why the credentials could not be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The hook of [`Credentials::bearer`](crate::Credentials::bearer) failed.
    #[error("no bearer token could be had: {0}")]
    Hook(#[source] Box<dyn StdError + Send + Sync>),
    /// The bearer token is empty, or has a byte that a token does not (RFC 6750 section 2.1).
    #[error("the bearer token is empty or malformed")]
    Token,
    /// The server wants Digest credentials in a way that this client does not have: an algorithm
    /// other than MD5 and SHA-256, or a quality of protection other than `auth`.
    #[error("the server wants Digest credentials of a kind that cannot be made")]
    Challenge(Box<ClientRefused>),
    /// A cookie's name is not a token, or its value has a byte that a cookie does not
    /// (RFC 6265 section 4.1.1).
    #[error("the cookie {0:?} is malformed")]
    Cookie(Box<str>),
}

pub(crate) fn status_line(refused: &ClientRefused) -> String {
    String::from_utf8_lossy(refused.response.status_line()).into_owned()
}

fn login_hint(refused: &ClientRefused) -> &'static str {
    if refused.response.status() == 407 {
        "; give the proxy a name and password"
    } else {
        ""
    }
}

fn from(variable: Option<&str>) -> String {
    variable
        .map(|name| format!(" in {name}"))
        .unwrap_or_default()
}
