//! Which web pages may open a WebSocket.

use bowline_proto::handshake::{Headers, RequestHead};

use super::{
    authority::{Authority, Scheme},
    origin::{Origin, OriginPattern, Tuple, default_port},
};

/// Says which origins may open a WebSocket (RFC 6455 section 10.2).
///
/// Browsers send the origin of the page with every handshake, and cookies with it, whatever page
/// it is. A request without an `Origin` field comes from another program and is allowed by every
/// policy; an admission hook can refuse it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OriginPolicy {
    /// Every page, even one with a malformed origin. For services without cookies or other
    /// standing rights.
    Any,
    /// Pages of the server itself: scheme, host and port of the origin are those of the request.
    #[default]
    SameOrigin,
    /// Pages of the listed origins. The server's own is allowed only if it is listed.
    Listed(Vec<OriginPattern>),
}

impl OriginPolicy {
    /// Creates a list from patterns; [`OriginPattern`] tells how they are written.
    ///
    /// # Errors
    /// [`OriginPatternError`](super::OriginPatternError) for the first pattern that is malformed.
    pub fn listed<'p>(
        patterns: impl IntoIterator<Item = &'p str>,
    ) -> Result<Self, super::OriginPatternError> {
        let patterns: Result<_, _> = patterns.into_iter().map(str::parse).collect();
        Ok(Self::Listed(patterns?))
    }

    /// Checks the origin of a request.
    ///
    /// # Errors
    /// [`OriginError`] when the policy does not allow it.
    pub fn check(&self, head: &RequestHead, reached: Reached<'_>) -> Result<(), OriginError> {
        if *self == Self::Any {
            return Ok(());
        }
        let Some(text) = origin_text(head.headers())? else {
            return Ok(());
        };
        let origin = Origin::parse(text).ok_or(OriginError::Malformed)?;
        let is_allowed = match self {
            Self::Any => true,
            Self::SameOrigin => is_same(&origin, reached),
            Self::Listed(patterns) => patterns.iter().any(|pattern| pattern.matches(&origin)),
        };
        if is_allowed {
            Ok(())
        } else {
            Err(OriginError::Foreign)
        }
    }
}

/// The address under which the client reached the server, to compare an origin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached<'a> {
    /// The scheme, if known. A server without TLS does not know whether a proxy before it has;
    /// the scheme is not compared then, and a port left out is the default of the origin's.
    pub scheme: Option<Scheme>,
    /// The host and the port, as in the `Host` field. Without it no origin is the same.
    pub authority: Option<&'a str>,
}

/// Says why an origin is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// The field is repeated or does not follow the grammar (RFC 6454 section 7).
    #[error("the Origin header is malformed")]
    Malformed,
    /// The page is of an origin that the policy does not allow.
    #[error("pages of this origin may not connect")]
    Foreign,
}

/// Returns the only `Origin` field as text.
fn origin_text(headers: &Headers) -> Result<Option<&str>, OriginError> {
    let mut fields = headers.all("origin");
    match (fields.next(), fields.next()) {
        (None, _) => Ok(None),
        (Some(origin), None) => match str::from_utf8(origin) {
            Ok(origin) => Ok(Some(origin)),
            Err(_) => Err(OriginError::Malformed),
        },
        (Some(_), Some(_)) => Err(OriginError::Malformed),
    }
}

fn is_same(origin: &Origin, reached: Reached<'_>) -> bool {
    let Origin::Tuple(Tuple { scheme, host, port }) = origin else {
        return false;
    };
    let Some(own) = reached.authority.and_then(Authority::parse) else {
        return false;
    };
    // Only pages that come over HTTP have the server's origin.
    let is_same_scheme = match reached.scheme {
        Some(known) => **scheme == *known.as_str(),
        None => matches!(&**scheme, "http" | "https"),
    };
    let own_port = own.port.or_else(|| default_port(scheme));
    is_same_scheme && *host == own.host && *port == own_port
}
