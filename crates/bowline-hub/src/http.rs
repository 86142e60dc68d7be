//! Everything on the port that is no WebSocket: the page and the health check, over hyper.

use std::{convert::Infallible, future::ready, io, pin::pin, sync::Arc, time::Duration};

use bowline::{Rewind, Transport};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HOST,
        IF_NONE_MATCH, REFERRER_POLICY, RETRY_AFTER, UPGRADE, X_CONTENT_TYPE_OPTIONS,
    },
};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::sleep;
use tracing::debug;

use crate::{
    access::Access,
    page::{self, Asset},
    stop::Stop,
};

/// Serves requests on a stream until the client is done, the time is over or the hub stops.
pub(crate) async fn serve<S: Transport>(
    stream: Rewind<S>,
    access: Arc<Access>,
    lifetime: Duration,
    mut stop: Stop,
) {
    let stopping = stop.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let response = answer(&request, &access, stopping.is_stopped());
        ready(Ok::<_, Infallible>(response))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => Some(served),
        () = stop.stopped() => None,
        () = sleep(lifetime) => None,
    };
    let served = if let Some(served) = served {
        served
    } else {
        // The answer under way is the last one.
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            served = connection => served,
            () = sleep(LAST_ANSWER_TIMEOUT) => Ok(()),
        }
    };
    if let Err(error) = served {
        debug!(%error, "the HTTP connection failed");
    }
}

/// Answers a client with 503 on a stream that serves nothing more.
pub(crate) async fn refuse_full<S: Transport>(stream: Rewind<S>) -> Result<(), bowline::Error> {
    let service = service_fn(|_: Request<Incoming>| {
        let mut response = text(StatusCode::SERVICE_UNAVAILABLE, HUB_FULL);
        insert(&mut response, RETRY_AFTER, "5");
        ready(Ok::<_, Infallible>(response))
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        served = connection => served.map_err(|error| io::Error::other(error).into()),
        () = sleep(LAST_ANSWER_TIMEOUT) => Ok(()),
    }
}

/// Answers one request.
fn answer<B>(request: &Request<B>, access: &Access, is_stopping: bool) -> Response<Full<Bytes>> {
    let authority = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request
            .headers()
            .get(HOST)
            .and_then(|host| host.to_str().ok()),
    };
    if !access.admits_host(authority) {
        return text(StatusCode::MISDIRECTED_REQUEST, UNKNOWN_HOST);
    }
    let path = request.uri().path();
    let asset = page::find(path);
    let is_known = asset.is_some() || path == HEALTH_PATH;
    if is_known && !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = text(
            StatusCode::METHOD_NOT_ALLOWED,
            "Only GET and HEAD work here.\n",
        );
        insert(&mut response, ALLOW, "GET, HEAD");
        return response;
    }
    if let Some(asset) = asset {
        return file(asset, request.headers());
    }
    match path {
        HEALTH_PATH if is_stopping => text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
        HEALTH_PATH => text(StatusCode::OK, "ok\n"),
        _ if path.starts_with(crate::accept::AUTH_PATH) => websocket_wanted(),
        _ => text(StatusCode::NOT_FOUND, NOT_FOUND),
    }
}

fn file(asset: &'static Asset, headers: &HeaderMap) -> Response<Full<Bytes>> {
    let is_fresh = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag == asset.etag);
    let mut response = if is_fresh {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(Full::new(asset.body.clone()));
        insert(&mut response, CONTENT_TYPE, asset.media_type);
        response
    };
    harden(&mut response);
    // Browsers keep the files and ask whether they are still the same.
    insert(&mut response, CACHE_CONTROL, "no-cache");
    if let Ok(etag) = HeaderValue::from_str(&asset.etag) {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

/// Answers a request for a WebSocket path that did not come as an opening handshake, or came on a
/// connection that served HTTP before.
fn websocket_wanted() -> Response<Full<Bytes>> {
    let mut response = text(StatusCode::UPGRADE_REQUIRED, WEBSOCKET_WANTED);
    insert(&mut response, UPGRADE, "websocket");
    insert(&mut response, CONNECTION, "Upgrade, close");
    response
}

fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    insert(&mut response, CONTENT_TYPE, "text/plain; charset=utf-8");
    insert(&mut response, CACHE_CONTROL, "no-store");
    harden(&mut response);
    response
}

/// Adds what tells browsers to be careful.
fn harden(response: &mut Response<Full<Bytes>>) {
    insert(response, CONTENT_SECURITY_POLICY, POLICY);
    insert(response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    insert(response, REFERRER_POLICY, "no-referrer");
}

fn insert(response: &mut Response<Full<Bytes>>, name: http::HeaderName, value: &'static str) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}

const HEALTH_PATH: &str = "/healthz";

/// The page loads nothing from elsewhere, talks to nobody else and cannot be framed.
const POLICY: &str = "default-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

const NOT_FOUND: &str = "There is nothing here. The page is at /, the health check at /healthz, \
     WebSockets at /auth/clown-talk-server and /auth/clown-talk-server_base_topic.\n";

pub(crate) const HUB_FULL: &str = "The hub is full. Come back later.\n";

const WEBSOCKET_WANTED: &str =
    "This path is for WebSockets: open one with ws:// or wss:// on a connection of its own.\n";

pub(crate) const UNKNOWN_HOST: &str = "This hub listens on loopback and does not answer to this name. Use localhost, or start it \
     with --allow-host.\n";

/// How long a request head may take, and how long a connection may wait for its next request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the last answer may take.
const LAST_ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
