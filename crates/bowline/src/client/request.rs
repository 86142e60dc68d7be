//! What an opening handshake asks with.

use bowline_proto::{deflate::DeflateNegotiation, handshake::ClientRequest};

use super::{Connector, Endpoint, error::CredentialsError, timeouts::within};
use crate::error::{ConnectPhase, Error};

/// Why a request is made.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked<'a> {
    /// It is the first to this endpoint, whose origin the user has named.
    AtFirst,
    /// The server wanted these credentials.
    Again { authorization: &'a [u8] },
    /// A redirect led to another origin, which gets nothing that may be secret.
    Elsewhere,
}

/// Puts a request together; asks the hook for a bearer token, if there is one.
pub(super) async fn request(
    connector: &Connector,
    endpoint: &Endpoint,
    asked: Asked<'_>,
) -> Result<ClientRequest, Error> {
    let host = match (asked, &connector.host) {
        (Asked::AtFirst | Asked::Again { .. }, Some(host)) => host,
        (_, _) => &endpoint.authority,
    };
    let mut request = ClientRequest::new(host, &endpoint.target)?;
    if let Some(origin) = &connector.origin {
        request.set_origin(origin)?;
    }
    if let Some(user_agent) = &connector.user_agent {
        request.add_header("User-Agent", user_agent.as_bytes())?;
    }
    for subprotocol in &connector.subprotocols {
        request.add_subprotocol(subprotocol)?;
    }
    request.set_deflate(connector.options.deflate);
    if !connector.deflate_offers.is_empty() {
        request.set_deflate(DeflateNegotiation::DISABLED);
    }
    for offer in &connector.deflate_offers {
        request.add_deflate_offer(*offer)?;
    }
    let authorization = match asked {
        Asked::Elsewhere => return Ok(request),
        Asked::Again { authorization } => Some(authorization.to_vec()),
        Asked::AtFirst => authorization(connector, endpoint).await?,
    };
    let is_set_elsewhere = |name: &str| {
        name.eq_ignore_ascii_case("cookie")
            || name.eq_ignore_ascii_case("authorization") && authorization.is_some()
            || name.eq_ignore_ascii_case("user-agent") && connector.user_agent.is_some()
    };
    for (name, value) in &connector.headers {
        if !is_set_elsewhere(name) {
            request.add_header(name, value)?;
        }
    }
    if let Some(authorization) = &authorization {
        request.add_header("Authorization", authorization)?;
    }
    if let Some(cookies) = cookies(connector)? {
        request.add_header("Cookie", &cookies)?;
    }
    Ok(request)
}

/// Gives the credentials that are sent unasked; `None` also if a header has them.
async fn authorization(
    connector: &Connector,
    endpoint: &Endpoint,
) -> Result<Option<Vec<u8>>, Error> {
    let credentials = &connector.credentials;
    let has_header = has_authorization_header(connector);
    if has_header && !credentials.is_set() {
        return Ok(None);
    }
    let unasked = async { Ok(credentials.unasked(endpoint).await?) };
    let deadline = connector.timeouts.credentials;
    within(deadline, ConnectPhase::Credentials, unasked).await
}

/// Tells whether the user wrote the header `Authorization`.
pub(super) fn has_authorization_header(connector: &Connector) -> bool {
    let mut names = connector.headers.iter().map(|(name, _)| name);
    names.any(|name| name.eq_ignore_ascii_case("authorization"))
}

/// Joins the cookies, and those in headers, to the one field a request may have
/// (RFC 6265 section 5.4).
fn cookies(connector: &Connector) -> Result<Option<Vec<u8>>, CredentialsError> {
    let mut joined: Vec<u8> = Vec::new();
    let mut add = |parts: [&[u8]; 3]| {
        if !joined.is_empty() {
            joined.extend_from_slice(b"; ");
        }
        joined.extend(parts.concat());
    };
    for (name, value) in &connector.headers {
        if name.eq_ignore_ascii_case("cookie") {
            add([value, b"", b""]);
        }
    }
    for (name, value) in &connector.cookies {
        if !is_cookie_name(name) || !is_cookie_value(value) {
            return Err(CredentialsError::Cookie(name.as_str().into()));
        }
        add([name.as_bytes(), b"=", value.as_bytes()]);
    }
    Ok(Some(joined).filter(|joined| !joined.is_empty()))
}

/// A token (RFC 9110 section 5.6.2).
fn is_cookie_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

/// RFC 6265 section 4.1.1; the value may stand in quotes.
fn is_cookie_value(value: &str) -> bool {
    let bare = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value);
    bare.bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte))
}
