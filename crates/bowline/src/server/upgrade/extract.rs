//! The extractor for axum.

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::request::Parts;

use super::{CheckedHead, Handover, HttpHead, Rejection};
use crate::server::{Acceptor, Offer};

/// Takes the offer out of the request. An [`Acceptor`] among the request's extensions, where
/// `axum::Extension` puts it as a layer, configures it.
impl<S: Sync> FromRequestParts<S> for Offer<Handover> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let acceptor = acceptor(parts);
        extract(&acceptor, parts).map_err(|rejection| acceptor.count_rejection(rejection))
    }
}

/// `Option<Offer>` is `None` for plain HTTP, so that one handler serves both; a malformed
/// handshake is still rejected.
impl<S: Sync> OptionalFromRequestParts<S> for Offer<Handover> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        let acceptor = acceptor(parts);
        match extract(&acceptor, parts) {
            Ok(offer) => Ok(Some(offer)),
            Err(Rejection::NotWebSocket) => Ok(None),
            Err(rejection) => Err(acceptor.count_rejection(rejection)),
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.response()
    }
}

fn acceptor(parts: &Parts) -> Acceptor {
    let acceptor = parts.extensions.get::<Acceptor>().cloned();
    acceptor.unwrap_or_default()
}

fn extract(acceptor: &Acceptor, parts: &mut Parts) -> Result<Offer<Handover>, Rejection> {
    let head: CheckedHead = acceptor.check(&HttpHead {
        method: &parts.method,
        uri: &parts.uri,
        version: parts.version,
        headers: &parts.headers,
    })?;
    acceptor.hand_over(head, &mut parts.extensions)
}
