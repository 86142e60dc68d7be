//! The scheme, host and port of a request.

use std::{fmt, net::Ipv6Addr};

/// How the client reached the server: with TLS or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Without TLS: `http` or `ws`.
    Http,
    /// With TLS: `https` or `wss`.
    Https,
}

impl Scheme {
    /// Returns `http` or `https`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// Reads `http`, `https`, `ws` or `wss` in any case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_one_of = |names: [&str; 2]| names.iter().any(|name| text.eq_ignore_ascii_case(name));
        if is_one_of(["http", "ws"]) {
            Some(Self::Http)
        } else if is_one_of(["https", "wss"]) {
            Some(Self::Https)
        } else {
            None
        }
    }
}

/// A checked host with an optional port, in a form that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) host: Host,
    pub(super) port: Option<u16>,
}

impl Authority {
    /// Reads `host[:port]` (RFC 3986 sections 3.2.2 and 3.2.3). A port is 1 to 65535.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (literal, rest) = rest.split_once(']')?;
                let port = match rest.strip_prefix(':') {
                    None if rest.is_empty() => None,
                    port => Some(port?),
                };
                (Host::Ipv6(literal.parse().ok()?), port)
            }
            None => match text.split_once(':') {
                Some((name, port)) => (Host::name(name)?, Some(port)),
                None => (Host::name(text)?, None),
            },
        };
        let port = match port {
            None => None,
            Some(digits) => Some(parse_port(digits)?),
        };
        Some(Self { host, port })
    }
}

/// A host that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// A name or IPv4 address, in lower case.
    Name(Box<str>),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
}

impl Host {
    /// Checks a name and writes it in lower case (RFC 3986 section 6.2.2.1).
    pub(super) fn name(text: &str) -> Option<Self> {
        let is_name_byte =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()+;=".contains(&byte);
        if text.is_empty() || !text.bytes().all(is_name_byte) {
            return None;
        }
        Some(Self::Name(text.to_ascii_lowercase().into()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ipv6(address) => write!(f, "[{address}]"),
        }
    }
}

/// Reads a port from 1 to 65535.
pub(super) fn parse_port(digits: &str) -> Option<u16> {
    if digits.len() > 5 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|port| *port != 0)
}
