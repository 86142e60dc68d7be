//! Origins and patterns of origins.

use std::{fmt, str::FromStr};

use super::authority::{Authority, Host};

/// A parsed `Origin` field (RFC 6454 section 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The origin of a page that has none, a sandboxed frame for instance.
    Null,
    /// Scheme, host and port.
    Tuple(Tuple),
}

/// The three parts of an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tuple {
    /// In lower case.
    pub(super) scheme: Box<str>,
    pub(super) host: Host,
    /// `None` where the scheme has no default port and none is written.
    pub(super) port: Option<u16>,
}

impl Origin {
    /// Reads one origin. A path, a user, a blank or a second origin make it malformed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == NULL {
            return Some(Self::Null);
        }
        let (scheme, rest) = split_scheme(text)?;
        let Authority { host, port } = Authority::parse(rest)?;
        Some(Self::Tuple(Tuple {
            port: port.or_else(|| default_port(&scheme)),
            scheme,
            host,
        }))
    }
}

/// An origin, or a family of origins, that may open a WebSocket.
///
/// Written `https://example.com`, `http://localhost:8080`, `https://*.example.com` for every name
/// that ends with `.example.com` (at any depth, but not `example.com` itself), or `null`. Scheme
/// and host are compared without regard to case; a port left out is the default of the scheme, 80
/// for `http` and 443 for `https`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginPattern(Pattern);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Exact(Origin),
    Below {
        scheme: Box<str>,
        /// Begins with a dot.
        suffix: Box<str>,
        port: Option<u16>,
    },
}

impl OriginPattern {
    pub(super) fn matches(&self, origin: &Origin) -> bool {
        match (&self.0, origin) {
            (Pattern::Exact(listed), _) => listed == origin,
            (Pattern::Below { .. }, Origin::Null) => false,
            (
                Pattern::Below {
                    scheme,
                    suffix,
                    port,
                },
                Origin::Tuple(tuple),
            ) => {
                let is_below = match &tuple.host {
                    Host::Name(name) => name
                        .strip_suffix(&**suffix)
                        .is_some_and(|before| before.split('.').all(|label| !label.is_empty())),
                    Host::Ipv6(_) => false,
                };
                is_below && *scheme == tuple.scheme && *port == tuple.port
            }
        }
    }
}

impl FromStr for OriginPattern {
    type Err = OriginPatternError;

    fn from_str(text: &str) -> Result<Self, OriginPatternError> {
        let Some((scheme, rest)) = split_scheme(text) else {
            return match text {
                NULL => Ok(Self(Pattern::Exact(Origin::Null))),
                _ => Err(OriginPatternError::Scheme),
            };
        };
        let Some(below) = rest.strip_prefix('*') else {
            let origin = Origin::parse(text).ok_or_else(|| malformed(rest))?;
            return Ok(Self(Pattern::Exact(origin)));
        };
        let name = below
            .strip_prefix('.')
            .ok_or(OriginPatternError::Wildcard)?;
        let authority = Authority::parse(name).ok_or_else(|| malformed(name))?;
        let Host::Name(name) = authority.host else {
            return Err(OriginPatternError::Wildcard);
        };
        let is_address = name
            .rsplit('.')
            .next()
            .is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
        if is_address || name.split('.').any(str::is_empty) {
            return Err(OriginPatternError::Wildcard);
        }
        Ok(Self(Pattern::Below {
            suffix: format!(".{name}").into(),
            port: authority.port.or_else(|| default_port(&scheme)),
            scheme,
        }))
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, port) = match &self.0 {
            Pattern::Exact(Origin::Null) => return f.write_str(NULL),
            Pattern::Exact(Origin::Tuple(tuple)) => {
                write!(f, "{}://{}", tuple.scheme, tuple.host)?;
                (&tuple.scheme, tuple.port)
            }
            Pattern::Below {
                scheme,
                suffix,
                port,
            } => {
                write!(f, "{scheme}://*{suffix}")?;
                (scheme, *port)
            }
        };
        match port {
            Some(port) if default_port(scheme) != Some(port) => write!(f, ":{port}"),
            Some(_) | None => Ok(()),
        }
    }
}

/// Says why a text is no pattern of origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginPatternError {
    /// It does not begin with a scheme and `://`, and is not `null`.
    #[error("an origin begins with its scheme, as in https://example.com")]
    Scheme,
    /// What follows the scheme is no host with an optional port.
    #[error("an origin is a scheme and a host with an optional port, and nothing after them")]
    Host,
    /// The star is not the whole first part of a name.
    #[error("a star stands for the first parts of a name only, as in https://*.example.com")]
    Wildcard,
}

/// Says what is wrong with a host.
fn malformed(host: &str) -> OriginPatternError {
    if host.contains('*') {
        OriginPatternError::Wildcard
    } else {
        OriginPatternError::Host
    }
}

/// Splits a scheme off and writes it in lower case (RFC 3986 section 3.1).
fn split_scheme(text: &str) -> Option<(Box<str>, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let begins_well = scheme.as_bytes().first()?.is_ascii_alphabetic();
    let is_scheme = begins_well && scheme.bytes().all(is_scheme_byte);
    is_scheme.then(|| (scheme.to_ascii_lowercase().into(), rest))
}

pub(super) fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

/// How a browser writes the absence of an origin (RFC 6454 section 6.2).
const NULL: &str = "null";
