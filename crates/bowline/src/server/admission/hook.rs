//! The hook that decides with all facts at hand.

use std::net::{IpAddr, SocketAddr};

use bowline_proto::handshake::RequestHead;

use super::{authority::Scheme, ledger::Counts, origin_policy::Reached};

/// Decides whether a request is admitted, after every limit and the origin policy let it pass.
///
/// Every `Fn(&Facts<'_>) -> Verdict` is one. It is called on the task that accepts, so it must
/// not block.
pub trait AdmissionHook: Send + Sync {
    /// Decides about one request.
    fn decide(&self, facts: &Facts<'_>) -> Verdict;
}

impl<F: Fn(&Facts<'_>) -> Verdict + Send + Sync> AdmissionHook for F {
    fn decide(&self, facts: &Facts<'_>) -> Verdict {
        self(facts)
    }
}

/// What is known of a request before it is admitted.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The other end of the TCP connection, or the source that the PROXY protocol gave.
    pub peer: SocketAddr,
    /// The client, behind however many trusted proxies.
    pub client: IpAddr,
    /// How many trusted proxies the request came through.
    pub hop_count: u8,
    /// Whether the connection to this server uses TLS.
    pub is_tls: bool,
    /// The address under which the client reached the server, as far as known.
    pub reached: Reached<'a>,
    /// The request: method, path, query, headers.
    pub head: &'a RequestHead,
    /// What is in use now, this connection included.
    pub counts: Counts,
}

impl<'a> Facts<'a> {
    /// Returns the scheme under which the client reached the server, if known.
    pub const fn scheme(&self) -> Option<Scheme> {
        self.reached.scheme
    }

    /// Returns the origin that browsers send (RFC 6455 section 10.2).
    pub fn origin(&self) -> Option<&'a str> {
        self.head.headers().text("origin")
    }

    /// Returns the subprotocols offered, most wanted first (RFC 6455 section 1.9).
    pub fn subprotocols(&self) -> impl Iterator<Item = &'a str> {
        let elements = self.head.headers().elements("sec-websocket-protocol");
        elements.filter_map(|element| str::from_utf8(element).ok())
    }

    /// Returns the cookies as name and value.
    pub fn cookies(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.head.headers().cookies()
    }

    /// Returns the first cookie of a name.
    pub fn cookie(&self, name: &str) -> Option<&'a [u8]> {
        self.cookies()
            .find_map(|(found, value)| (found == name.as_bytes()).then_some(value))
    }
}

/// What a hook decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The request goes on.
    Admit,
    /// The request is answered and the connection closed.
    Refuse(HookRefusal),
}

/// The answer with which a hook refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookRefusal {
    /// The HTTP status, 200 to 599.
    pub status: u16,
    /// Headers besides `Connection` and `Content-Length`, which are written for the hook.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body; empty for 204, 205 and 304, which have none.
    pub body: String,
}

impl HookRefusal {
    /// Creates an answer of a status, without headers or body.
    pub const fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref().to_vec();
        self.headers.push((name.to_owned(), value));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }
}

impl From<HookRefusal> for Verdict {
    fn from(refusal: HookRefusal) -> Self {
        Self::Refuse(refusal)
    }
}
