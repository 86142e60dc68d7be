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
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};
use tracing::{debug, info, warn};

use crate::{
    args::EchoArgs,
    command::{
        current_thread,
        fanout::{Fanout, Member},
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
    stop: watch::Receiver<bool>,
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
    let (stopper, stop) = watch::channel(false);
    let service = Service {
        acceptor: Acceptor {
            options: options(args),
            ..Acceptor::default()
        },
        tls,
        fanout,
        places: Arc::new(Semaphore::new(args.connections_max as usize)),
        stop,
    };
    let mut workers = Vec::new();
    for (index, listener) in listeners.into_iter().enumerate() {
        workers.push(start_worker(index, listener, service.clone())?);
    }
    drop(service);
    output::line(format_args!("listening on {scheme}://{address}/"))?;
    runtime.block_on(stop_signal);
    info!("stopping");
    stopper.send_replace(true);
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

/// Accepts connections until it is time to stop, then waits for them to end.
async fn accept(listener: TcpListener, service: Service) {
    let mut stop = service.stop.clone();
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let place = Arc::clone(&service.places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            (place, accepted) = accepted => match accepted {
                Ok((stream, peer)) => {
                    let service = service.clone();
                    connections.spawn(async move {
                        if let Err(error) = serve_one(stream, service).await {
                            debug!(%peer, %error, "no connection");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = stop.wait_for(|stopped| *stopped) => break,
        }
    }
    drop(listener);
    let deadline = Instant::now() + DRAIN_TIMEOUT;
    while let Ok(Some(_)) = timeout_at(deadline, connections.join_next()).await {}
    if !connections.is_empty() {
        warn!(aborted = connections.len(), "cut connections off");
    }
    connections.shutdown().await;
}

/// Serves one connection from its first byte to its end.
async fn serve_one(stream: TcpStream, service: Service) -> Result<(), bowline::Error> {
    stream.set_nodelay(true)?;
    let mut stop = service.stop.clone();
    let role = tokio::select! {
        role = open(stream, &service) => role?,
        _ = stop.wait_for(|stopped| *stopped) => return Ok(()),
    };
    match role {
        None => {}
        Some(Role::Fanout(member)) => member.run(stop).await?,
        Some(Role::Echo(mut ws)) => {
            let stopped = tokio::select! {
                echoed = echo(&mut ws) => return echoed,
                stopped = stop.wait_for(|stopped| *stopped) => stopped.is_ok(),
            };
            debug!(stopped, "closing");
            ws.close(CloseCode::GOING_AWAY, "the server stops").await?;
        }
    }
    Ok(())
}

/// Makes the handshakes; `None` if the request was answered and that is all.
async fn open(stream: TcpStream, service: &Service) -> Result<Option<Role>, bowline::Error> {
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
