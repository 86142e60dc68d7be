//! `bowline echo`: sends back what arrives.

use std::{
    net::SocketAddr,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use bowline::{
    Acceptor, CloseCode, Config, Connector, DeflateNegotiation, Limits, Options, Request,
    ServerTls, Stream, WebSocket,
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tracing::{debug, info, warn};

use crate::{
    args::EchoArgs,
    command::{
        current_thread,
        fanout::{Fanout, Member},
        stop::Stop,
        trust,
    },
    exit::{Failure, check_ending},
    output,
    signals::stop_requested,
};

/// Echoes as a server or as a client.
pub(crate) fn run(args: &EchoArgs) -> Result<(), Failure> {
    match (args.listen, &args.connect) {
        (Some(address), _) => serve(address, args),
        (None, Some(url)) => current_thread()?.block_on(connect(url, args)),
        (None, None) => Ok(()),
    }
}

/// The echo itself.
async fn echo(ws: &mut WebSocket) -> Result<(), bowline::Error> {
    while let Some(message) = ws.recv().await {
        ws.send(message).await?;
    }
    Ok(())
}

async fn connect(url: &str, args: &EchoArgs) -> Result<(), Failure> {
    let stop = stop_requested()?;
    let connector = Connector {
        options: options(args),
        tls: trust(args.ca.as_deref())?,
        ..Connector::default()
    };
    let opening = connector.connect(url);
    let mut ws = opening.await.map_err(|error| Failure::Connect {
        url: url.to_owned(),
        error,
    })?;
    let echoed = tokio::select! {
        echoed = echo(&mut ws) => echoed,
        () = stop => {
            ws.close(CloseCode::GOING_AWAY, "").await?;
            return Ok(());
        }
    };
    // A send that comes too late says only that the connection is closing; how shows its ending.
    if echoed.is_err() {
        while ws.recv().await.is_some() {}
    }
    match ws.ending() {
        Some(ending) if ending.is_clean() => Ok(()),
        ending => check_ending(ending, CloseCode::NORMAL),
    }
}

fn options(args: &EchoArgs) -> Options {
    let limits = if args.no_limits {
        Limits::NONE
    } else {
        Limits::default()
    };
    let deflate = if args.no_deflate {
        DeflateNegotiation::DISABLED
    } else {
        DeflateNegotiation::default()
    };
    Options {
        config: Arc::new(Config {
            limits,
            ..Config::default()
        }),
        deflate,
        ..Options::default()
    }
}

/// What the workers share.
#[derive(Clone)]
struct Service {
    acceptor: Acceptor,
    tls: Option<ServerTls>,
    fanout: Option<Fanout>,
    places: Arc<Semaphore>,
    places_max: usize,
    stop: Stop,
}

fn serve(address: SocketAddr, args: &EchoArgs) -> Result<(), Failure> {
    let runtime = current_thread()?;
    let stop_signal = runtime.block_on(async { stop_requested() })?;
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificates), Some(key)) => Some(ServerTls::from_files(certificates, key)?),
        _ => None,
    };
    let count = match args.workers {
        Some(count) => usize::from(count),
        None => thread::available_parallelism().map_or(1, usize::from),
    };
    let (address, listeners) = listen(address, count)?;
    let scheme = if tls.is_some() { "wss" } else { "ws" };
    let fanout = args.fanout.then(Fanout::new);
    let stop = Stop::default();
    let service = Service {
        acceptor: Acceptor {
            options: options(args),
            ..Acceptor::default()
        },
        tls,
        fanout,
        places: Arc::new(Semaphore::new(args.connections_max as usize)),
        places_max: args.connections_max as usize,
        stop: stop.clone(),
    };
    let mut workers = Vec::new();
    for (index, listener) in listeners.into_iter().enumerate() {
        workers.push(start_worker(index, listener, service.clone())?);
    }
    drop(service);
    output::line(format_args!("listening on {scheme}://{address}/"))?;
    runtime.block_on(stop_signal);
    info!("stopping");
    stop.request();
    for worker in workers {
        worker.join().map_err(|_| Failure::Panic)??;
    }
    Ok(())
}

/// Binds one listener for each worker to one address; port 0 becomes the same port for all.
fn listen(
    address: SocketAddr,
    count: usize,
) -> Result<(SocketAddr, Vec<std::net::TcpListener>), Failure> {
    let bind = |address: SocketAddr, count: usize| {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(count > 1)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(std::net::TcpListener::from(socket))
    };
    let failure = |source| Failure::Listen { address, source };
    // Shared ports would let a second server start here unnoticed and take half the connections.
    if count > 1 && address.port() != 0 {
        drop(bind(address, 1).map_err(failure)?);
    }
    let first = bind(address, count).map_err(failure)?;
    let bound = first.local_addr().map_err(failure)?;
    let mut listeners = vec![first];
    for _ in 1..count {
        listeners.push(bind(bound, count).map_err(failure)?);
    }
    Ok((bound, listeners))
}

/// Starts a thread with its own runtime and listener.
fn start_worker(
    index: usize,
    listener: std::net::TcpListener,
    service: Service,
) -> Result<JoinHandle<Result<(), Failure>>, Failure> {
    let work = move || {
        current_thread()?.block_on(async {
            let listener = TcpListener::from_std(listener).map_err(|source| Failure::System {
                what: "use the listener",
                source,
            })?;
            accept(listener, service).await;
            Ok(())
        })
    };
    thread::Builder::new()
        .name(format!("worker-{index}"))
        .spawn(work)
        .map_err(|source| Failure::System {
            what: "start a thread",
            source,
        })
}

/// Accepts connections until it is time to stop, then waits for all to end.
async fn accept(listener: TcpListener, service: Service) {
    let places = Arc::clone(&service.places);
    let stop = service.stop.clone();
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        match stop.cut(accepted).await {
            Some((place, Ok((stream, peer)))) => {
                tokio::spawn(serve_one(stream, peer, service.clone(), place.ok()));
            }
            Some((_, Err(error))) => {
                warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
            None => break,
        }
    }
    drop(listener);
    let all = u32::try_from(service.places_max).unwrap_or(u32::MAX);
    if timeout(DRAIN_TIMEOUT, places.acquire_many(all))
        .await
        .is_err()
    {
        let cut_off = service.places_max - places.available_permits();
        warn!(cut_off, "connections did not end in time");
    }
}

/// Serves one connection from its first byte to its end.
///
/// What comes after the handshake is a task of its own, so that it is as small as that.
async fn serve_one(
    stream: TcpStream,
    peer: SocketAddr,
    service: Service,
    place: Option<OwnedSemaphorePermit>,
) {
    match open(stream, &service).await {
        Ok(Some(Role::Echo(ws))) => {
            tokio::spawn(echo_or_stop(ws, service.stop, place));
        }
        Ok(Some(Role::Fanout(member))) => {
            let stop = service.stop;
            tokio::spawn(async move {
                let ended = member.run(&stop).await;
                debug!(%peer, ?ended, "the connection ended");
                drop(place);
            });
        }
        Ok(None) => {}
        Err(error) => debug!(%peer, %error, "no connection"),
    }
}

/// Echoes to the connection's end, or closes it when the server stops.
#[expect(
    clippy::manual_async_fn,
    reason = "an async function holds its arguments twice, in every idle connection"
)]
fn echo_or_stop(
    mut ws: WebSocket,
    stop: Stop,
    place: Option<OwnedSemaphorePermit>,
) -> impl Future<Output = ()> + Send {
    async move {
        let ended = match stop.cut(echo(&mut ws)).await {
            Some(echoed) => echoed,
            // Boxed, because the task is to be as small as its echo.
            None => Box::pin(ws.close(CloseCode::GOING_AWAY, "the server stops"))
                .await
                .map(drop),
        };
        if let Err(error) = ended {
            debug!(%error, "the connection ended early");
        }
        drop(place);
    }
}

/// Makes the handshakes; `None` if the request was answered and that is all, or the server stops.
async fn open(stream: TcpStream, service: &Service) -> Result<Option<Role>, bowline::Error> {
    stream.set_nodelay(true)?;
    let opened = service.stop.cut(shake_hands(stream, service)).await;
    opened.unwrap_or(Ok(None))
}

async fn shake_hands(stream: TcpStream, service: &Service) -> Result<Option<Role>, bowline::Error> {
    let stream = match &service.tls {
        None => Stream::Tcp(stream),
        Some(tls) => timeout(TLS_TIMEOUT, tls.accept(stream))
            .await
            .unwrap_or(Err(bowline::TlsError::Handshake(
                std::io::ErrorKind::TimedOut.into(),
            )))?,
    };
    let Some(fanout) = service.fanout.clone() else {
        return Ok(Some(Role::Echo(service.acceptor.accept(stream).await?)));
    };
    let member = match service.acceptor.read_request(stream).await? {
        Request::WebSocket(offer) => fanout.open(offer).await?,
        // Reads the request once more and answers that only WebSocket is served.
        Request::Http(_, stream) => {
            service.acceptor.accept(stream).await?;
            None
        }
    };
    Ok(member.map(Role::Fanout))
}

/// What a connection is there for.
enum Role {
    Echo(WebSocket),
    Fanout(Member),
}

/// Connections that wait to be accepted by one listener.
const BACKLOG: i32 = 1024;
const TLS_TIMEOUT: Duration = Duration::from_secs(10);
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long no connection is accepted after one could not be.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
