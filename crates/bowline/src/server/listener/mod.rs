//! A named address that lets in what its rules and limits allow.

mod arrival;
mod bind;
mod body;
mod config;
mod entrance;
mod http;
mod judge;
mod source;

use std::{
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream, ToSocketAddrs},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

pub use arrival::{Arrival, WebSocketArrival};
pub use body::BodyError;
pub use config::{
    HttpOptions, ListenerConfig, ListenerName, ListenerNameError, OnRefused, ProxyHeaderUse,
};
use entrance::Entrance;
pub use http::{HttpArrival, HttpExchange};

use super::admission::Permit;

/// Accepts connections on one address and hands those that are let in to a handler.
///
/// For each connection, in this order: limits on connections and their rate, a PROXY header, TLS,
/// the request head within its bounds and deadline. For each request on it: the bounds of its body,
/// the client behind proxies, the origin, the application's hook, the user, the request filters,
/// the rules, the limits of the user. What is refused on the way is answered with the status that
/// fits, changed by the response filters, and never reaches the handler. One port serves HTTP and
/// WebSocket.
pub struct Listener {
    /// Never empty.
    sockets: Vec<Arc<TcpListener>>,
    address: SocketAddr,
    entrance: Arc<Entrance>,
}

impl Listener {
    /// Binds an address, once for each of [`ListenerConfig::workers`].
    ///
    /// Where the system lets several sockets share a port (`SO_REUSEPORT`), it spreads the
    /// connections over them. Elsewhere, and with one worker, there is one socket.
    ///
    /// # Errors
    /// What the operating system says.
    pub async fn bind(address: impl ToSocketAddrs, config: ListenerConfig) -> io::Result<Self> {
        let sockets = bind::bind(address, config.workers).await?;
        Self::from_sockets(sockets, config)
    }

    /// Takes a socket that is bound already. If there are several workers, they share it.
    ///
    /// # Errors
    /// What the operating system says when asked for the socket's address.
    pub fn from_tcp(tcp: TcpListener, config: ListenerConfig) -> io::Result<Self> {
        Self::from_sockets(vec![Arc::new(tcp)], config)
    }

    /// Gives the name.
    pub fn name(&self) -> &ListenerName {
        self.entrance.name()
    }

    /// Gives the address it is bound to.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Gives the URL of WebSocket connections to it.
    pub fn url(&self) -> String {
        let scheme = if self.entrance.is_tls() { "wss" } else { "ws" };
        format!("{scheme}://{}/", self.address)
    }

    /// Accepts connections until `stop` is ready; calls `handler` in a task of its own for each
    /// request that is let in. On one connection the next request is read once the one before it is
    /// answered and its handler is ready.
    ///
    /// When it stops, connections that wait for another plain request end. WebSocket connections
    /// that are open stay open: drain their registry. Not cancel-safe in that a connection being
    /// accepted may be lost; dropping the future stops accepting.
    pub async fn serve<H, F>(self, handler: H, stop: impl Future<Output = ()>)
    where
        H: Fn(Arrival) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        // What waits for another request sees this end go.
        let (_running, stopped) = watch::channel(());
        let worker = Arc::new(Worker {
            entrance: self.entrance,
            handler,
            stopped,
        });
        let count = worker.entrance.config.workers;
        // Their tasks end with this value, if this future is dropped.
        let mut workers = JoinSet::new();
        for tcp in self.sockets.iter().cycle().take(count.get()) {
            workers.spawn(Arc::clone(&worker).run(Arc::clone(tcp)));
        }
        stop.await;
        // The port is free when this is over.
        workers.shutdown().await;
    }

    fn from_sockets(sockets: Vec<Arc<TcpListener>>, config: ListenerConfig) -> io::Result<Self> {
        let first = sockets.first().ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self {
            address: first.local_addr()?,
            sockets,
            entrance: Arc::new(Entrance::new(config)),
        })
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("name", self.name())
            .field("address", &self.address)
            .field("socket_count", &self.sockets.len())
            .finish_non_exhaustive()
    }
}

/// What accepts, and serves what was accepted.
struct Worker<H> {
    entrance: Arc<Entrance>,
    handler: H,
    /// Ends with the listener.
    stopped: watch::Receiver<()>,
}

impl<H, F> Worker<H>
where
    H: Fn(Arrival) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    /// Accepts for ever.
    #[expect(
        clippy::infinite_loop,
        reason = "its task is aborted when the listener stops"
    )]
    async fn run(self: Arc<Self>, tcp: Arc<TcpListener>) {
        loop {
            match tcp.accept().await {
                Ok((tcp, peer)) => self.admit(tcp, peer),
                // The peer is gone already, or the process has no file descriptor left: the next
                // accept may work, but not at once.
                Err(_) => sleep(ACCEPT_RETRY).await,
            }
        }
    }

    /// Begins with a connection, or refuses it before a byte of it is read.
    fn admit(self: &Arc<Self>, tcp: TcpStream, peer: SocketAddr) {
        match self.entrance.admit(peer) {
            Ok(permit) => drop(tokio::spawn(Arc::clone(self).serve(tcp, peer, permit))),
            // Behind TLS nothing can be said before its handshake, which is what is refused.
            Err(_) if self.entrance.is_tls() => {}
            Err(refusal) => {
                let mut answer = BytesMut::new();
                let written = refusal.write(&mut answer);
                debug_assert_eq!(written, Ok(()), "the answer was checked");
                tokio::spawn(timeout(REFUSAL_TIMEOUT, tell(tcp, answer)));
            }
        }
    }

    /// Serves the requests on one connection.
    async fn serve(self: Arc<Self>, tcp: TcpStream, peer: SocketAddr, permit: Permit) {
        // On the heap for as long as they take: a task is as large as the largest future it ever
        // waits for, as long as it lives.
        let mut entered = Box::pin(self.entrance.enter(tcp, peer, permit)).await;
        while let Ok(Some((arrival, next))) = entered {
            (self.handler)(arrival).await;
            let Some(next) = next else { return };
            // It does not come back if it is to end after the answer.
            let Ok(kept) = next.await else { return };
            let mut stopped = self.stopped.clone();
            entered = Box::pin(self.entrance.next(kept, &mut stopped)).await;
        }
    }
}

/// Writes a refusal and ends the stream.
async fn tell(mut tcp: TcpStream, answer: BytesMut) -> io::Result<()> {
    tcp.write_all(&answer).await?;
    tcp.shutdown().await
}

/// Gives the time for limits and rates.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The pause after a failed accept.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);
/// How long a client that is refused at the door may take to be told.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(2);
