//! The hook that decides with all facts at hand.

use std::net::{IpAddr, SocketAddr};

use bowline_proto::handshake::RequestHead;

use super::{authority::Scheme, ledger::Counts, origin_policy::Reached};
use crate::server::{Answer, auth::is_token_subprotocol};

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

    /// Returns the subprotocols offered, most wanted first (RFC 6455 section 1.9), without those
    /// that carry a token.
    pub fn subprotocols(&self) -> impl Iterator<Item = &'a str> {
        let elements = self.head.headers().elements("sec-websocket-protocol");
        let texts = elements.filter_map(|element| str::from_utf8(element).ok());
        texts.filter(|text| !is_token_subprotocol(text))
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

/// What a hook or a request filter decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The request goes on.
    Admit,
    /// The request is answered and the connection closed.
    Refuse(Answer),
}

impl From<Answer> for Verdict {
    fn from(refusal: Answer) -> Self {
        Self::Refuse(refusal)
    }
}
