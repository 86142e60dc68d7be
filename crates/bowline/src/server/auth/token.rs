//! A token in the place of a subprotocol, the one field that pages can set.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bowline_proto::handshake::RequestHead;

use super::{Credentials, Secret, authenticator::Found};

/// Begins a subprotocol that carries a token.
pub const TOKEN_PREFIX: &str = "bowline.token.";

/// Writes a token as a subprotocol: [`TOKEN_PREFIX`] and the token in Base64 for URLs without
/// padding (RFC 4648 section 5).
///
/// A page offers it besides the subprotocol it speaks. It must offer one: browsers give a
/// connection up when they offered subprotocols and the server has chosen none, and one that
/// carries a token is never chosen.
///
/// ```
/// assert_eq!(bowline::server::auth::token_subprotocol("a?b"), "bowline.token.YT9i");
/// ```
pub fn token_subprotocol(token: &str) -> String {
    format!("{TOKEN_PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(token))
}

/// Tells a carrier of a token from a subprotocol that may be chosen.
pub(in crate::server) fn is_token_subprotocol(subprotocol: &str) -> bool {
    subprotocol.starts_with(TOKEN_PREFIX)
}

/// Finds the first token among the subprotocols.
pub(super) fn token_in(request: &RequestHead) -> Option<Found> {
    let mut offered = request.headers().elements("sec-websocket-protocol");
    let encoded = offered.find_map(|offered| {
        let offered = str::from_utf8(offered).ok()?;
        offered.strip_prefix(TOKEN_PREFIX)
    })?;
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(encoded).ok();
    let token = decoded.and_then(|decoded| String::from_utf8(decoded).ok());
    let token = token.filter(|token| !token.is_empty()).map(Secret::new);
    Some(token.map(Credentials::Token).into())
}
