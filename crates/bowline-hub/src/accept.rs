//! The way of a connection from the socket to its session.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bowline::{Offer, Request};
use bowline_bus::dialect::clown_talk::Window;
use percent_encoding::percent_decode_str;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::OwnedSemaphorePermit,
    task::{JoinError, JoinSet},
    time::{Instant, sleep, timeout_at},
};
use tracing::{Instrument, Span, debug, debug_span, error, info, warn};

use crate::{
    access::Access,
    http,
    hub::Hub,
    serving::Serving,
    stop::{Drained, Stop},
    talk::{self, Talk},
};

/// Accepts connections until the hub stops, then waits for them to end.
pub(crate) async fn accept(
    listener: TcpListener,
    access: Arc<Access>,
    hub: Arc<Hub>,
    mut stop: Stop,
) -> Drained {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => admit(stream, peer, &access, &hub, (&stop, &mut connections)),
                Err(error) => {
                    // Out of file handles, for instance: it passes when connections end.
                    warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(ended) = connections.join_next() => report_panic(ended),
            () = stop.stopped() => break,
        }
    }
    drop(listener);
    let deadline = Instant::now() + hub.common.config.drain_timeout;
    let before = connections.len();
    while let Ok(Some(ended)) = timeout_at(deadline, connections.join_next()).await {
        report_panic(ended);
    }
    let aborted = connections.len();
    connections.shutdown().await;
    Drained {
        closed: before - aborted,
        aborted,
    }
}

/// Gives a new connection a task: to be served, or to be refused when the hub is full.
fn admit(
    stream: TcpStream,
    peer: SocketAddr,
    access: &Arc<Access>,
    hub: &Arc<Hub>,
    (stop, connections): (&Stop, &mut JoinSet<()>),
) {
    let span = debug_span!("connection", %peer);
    if let Ok(place) = Arc::clone(&hub.common.places).try_acquire_owned() {
        // What the handshake needs, and plain HTTP, is given back when a session begins.
        let (access, hub, stop) = (Arc::clone(access), Arc::clone(hub), stop.clone());
        let opening = open(stream, access, hub, (stop, place));
        let opening = Box::pin(async move {
            opening.await.unwrap_or_else(|error| {
                debug!(%error, "no connection");
                None
            })
        });
        spawn_in(connections, span, Serving::Working(opening));
    } else if let Ok(refusal) = Arc::clone(&hub.common.refusals).try_acquire_owned() {
        let hub = Arc::clone(hub);
        let refusing = async move {
            refuse_full(stream, &hub).await;
            drop(refusal);
        };
        spawn_in(connections, span, refusing);
    } else {
        debug!(%peer, "dropped a connection: too many are being refused");
    }
}

/// Spawns a task, inside of a span if somebody wants to see it.
fn spawn_in(
    connections: &mut JoinSet<()>,
    span: Span,
    connection: impl Future<Output = ()> + Send + 'static,
) {
    if span.is_disabled() {
        connections.spawn(connection);
    } else {
        connections.spawn(connection.instrument(span));
    }
}

/// Reads the first request and answers it; gives the session, if it begins one.
async fn open(
    stream: TcpStream,
    access: Arc<Access>,
    hub: Arc<Hub>,
    (mut stop, place): (Stop, OwnedSemaphorePermit),
) -> Result<Option<Box<Talk<TcpStream>>>, bowline::Error> {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "cannot switch the delay of small packets off");
    }
    let request = tokio::select! {
        request = hub.common.acceptor.read_request(stream) => request?,
        () = stop.stopped() => return Ok(None),
    };
    match request {
        Request::WebSocket(offer) => open_session(offer, &access, hub, (&stop, place)).await,
        Request::Http(_, stream) => {
            http::serve(stream, access, hub.common.config.http_lifetime, stop).await;
            Ok(None)
        }
    }
}

/// Answers an opening handshake.
async fn open_session(
    offer: Offer<TcpStream>,
    access: &Access,
    hub: Arc<Hub>,
    (stop, place): (&Stop, OwnedSemaphorePermit),
) -> Result<Option<Box<Talk<TcpStream>>>, bowline::Error> {
    let head = offer.request();
    if !access.admits_host(head.authority()) {
        return refuse(offer, 421, http::UNKNOWN_HOST).await;
    }
    if !access.admits_origin(head) {
        info!(
            origin = offer.origin(),
            "refused a page of a foreign origin"
        );
        return refuse(offer, 403, FOREIGN_ORIGIN).await;
    }
    let Some(name) = head.path().strip_prefix(AUTH_PATH) else {
        return refuse(offer, 404, NO_SUCH_PATH).await;
    };
    let window = percent_decode_str(name)
        .decode_utf8()
        .map_err(|_| "the name is not UTF-8".to_owned())
        .and_then(|name| {
            Window::from_program(&name, &hub.common.config.limits.bus.topic)
                .map_err(|error| error.to_string())
        });
    match window {
        Ok(window) => talk::open(offer, window, hub, (stop, place)).await,
        Err(reason) => {
            let body = format!("{NO_SUCH_PATH}Here {reason}.\n");
            refuse(offer, 404, &body).await
        }
    }
}

async fn refuse(
    offer: Offer<TcpStream>,
    status: u16,
    body: &str,
) -> Result<Option<Box<Talk<TcpStream>>>, bowline::Error> {
    offer.refuse(status, body).await.map(|()| None)
}

/// Tells a client that the hub is full.
async fn refuse_full(stream: TcpStream, hub: &Hub) {
    let refused = match hub.common.acceptor.read_request(stream).await {
        Ok(Request::WebSocket(offer)) => {
            let offer = offer.with_header("Retry-After", "5");
            offer.refuse(503, http::HUB_FULL).await
        }
        Ok(Request::Http(_, stream)) => http::refuse_full(stream).await,
        Err(error) => Err(error),
    };
    match refused {
        Ok(()) => info!("refused a connection: the hub is full"),
        Err(error) => debug!(%error, "cannot tell a client that the hub is full"),
    }
}

fn report_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        error!(%error, "a connection's task failed");
    }
}

/// What the path of every WebSocket begins with.
pub(crate) const AUTH_PATH: &str = "/auth/";

const NO_SUCH_PATH: &str =
    "WebSockets are at /auth/clown-talk-server and /auth/clown-talk-server_base_topic.\n";
const FOREIGN_ORIGIN: &str =
    "A page of another origin may not use this hub. Start it with --origin to let it in.\n";

/// How long no connection is accepted after one could not be.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
