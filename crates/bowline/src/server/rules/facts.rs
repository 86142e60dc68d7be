//! What rules are asked about.

use std::{fmt, net::IpAddr};

use bowline_proto::handshake::{RequestCheck, RequestHead, check_request};

/// What is known of a request when rules decide on it.
#[derive(Clone, Copy)]
pub struct RequestFacts<'r> {
    /// The method, as sent. An opening handshake by extended CONNECT (RFC 8441) counts as GET.
    pub method: &'r str,
    /// The path, as sent: not decoded and not normalised.
    pub path: &'r str,
    /// The query, as sent, without the question mark.
    pub query: Option<&'r str>,
    /// The host and port asked for; tells whether a redirect to an absolute URL stays here.
    pub host: Option<&'r str>,
    /// The user's name, once it is proven.
    pub user: Option<&'r str>,
    /// The groups that the user is in.
    pub groups: &'r [String],
    /// The client's address; behind a trusted proxy, the one that the proxy tells.
    pub peer: Option<IpAddr>,
    /// Whether the request is an opening handshake.
    pub is_upgrade: bool,
    /// Whether it came over TLS.
    pub tls: bool,
}

impl<'r> RequestFacts<'r> {
    /// Takes the facts from a request head: no user, no TLS; both are fields to set.
    ///
    /// Everything that [`check_request`] takes for an opening handshake is an upgrade, malformed
    /// ones too.
    pub fn new(head: &'r RequestHead, peer: Option<IpAddr>) -> Self {
        Self {
            method: head.method(),
            path: head.path(),
            query: head.query(),
            host: head.authority(),
            user: None,
            groups: &[],
            peer,
            is_upgrade: !matches!(check_request(head), Ok(RequestCheck::NotAnUpgrade)),
            tls: false,
        }
    }

    /// Tells whether a scheme and authority are those of this request.
    pub(super) fn is_same_host(&self, scheme: &str, authority: &str) -> bool {
        let is_secure = matches!(scheme, "https" | "wss");
        let default_port = if is_secure { ":443" } else { ":80" };
        let bare = |host: &'_ str| {
            let host = host.strip_suffix(default_port).unwrap_or(host);
            host.to_ascii_lowercase()
        };
        is_secure == self.tls && self.host.is_some_and(|host| bare(host) == bare(authority))
    }
}

/// Leaves out the query, which may hold passwords.
impl fmt::Debug for RequestFacts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestFacts")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("host", &self.host)
            .field("user", &self.user)
            .field("groups", &self.groups)
            .field("peer", &self.peer)
            .field("is_upgrade", &self.is_upgrade)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}
