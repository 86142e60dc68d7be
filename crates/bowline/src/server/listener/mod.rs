//! A named address that lets in what its rules and limits allow.

mod arrival;
mod config;
mod entrance;

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
    time::{sleep, timeout},
};

pub use arrival::{Arrival, HttpArrival, WebSocketArrival};
pub use config::{
    Identify, Identity, ListenerConfig, ListenerName, ListenerNameError, OnRefused, ProxyHeaderUse,
};
use entrance::Entrance;

use super::admission::Permit;

/// Accepts connections on one address and hands those that are let in to a handler.
///
/// For each connection, in this order: limits on connections and their rate, a PROXY header, TLS,
/// the request head within its bounds and deadline, the user, the rules, the client behind
/// proxies, the origin, the application's hook. What is refused on the way is answered with the
/// status that fits and never reaches the handler. One port serves HTTP and WebSocket.
pub struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    entrance: Arc<Entrance>,
}

impl Listener {
    /// Binds an address.
    ///
    /// # Errors
    /// What the operating system says.
    pub async fn bind(address: impl ToSocketAddrs, config: ListenerConfig) -> io::Result<Self> {
        Self::from_tcp(TcpListener::bind(address).await?, config)
    }

    /// Takes a socket that is bound already.
    ///
    /// # Errors
    /// What the operating system says when asked for the socket's address.
    pub fn from_tcp(tcp: TcpListener, config: ListenerConfig) -> io::Result<Self> {
        let address = tcp.local_addr()?;
        Ok(Self {
            tcp,
            address,
            entrance: Arc::new(Entrance::new(config)),
        })
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
    /// request that is let in.
    ///
    /// Connections that are open when it stops stay open: drain their registry. Not cancel-safe
    /// in that a connection being accepted may be lost; dropping the future stops accepting.
    pub async fn serve<H, F>(self, handler: H, stop: impl Future<Output = ()>)
    where
        H: Fn(Arrival) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => return,
                accepted = self.tcp.accept() => accepted,
            };
            match accepted {
                Ok((tcp, peer)) => self.admit(tcp, peer, &handler),
                // The peer is gone already, or the process has no file descriptor left: the next
                // accept may work, but not at once.
                Err(_) => sleep(ACCEPT_RETRY).await,
            }
        }
    }

    /// Begins with a connection, or refuses it before a byte of it is read.
    fn admit<H, F>(&self, tcp: TcpStream, peer: SocketAddr, handler: &Arc<H>)
    where
        H: Fn(Arrival) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        match self.entrance.admit(peer) {
            Ok(permit) => {
                let (entrance, handler) = (Arc::clone(&self.entrance), Arc::clone(handler));
                tokio::spawn(async move {
                    if let Some(arrival) = enter(&entrance, tcp, peer, permit).await {
                        handler(arrival).await;
                    }
                });
            }
            // Behind TLS nothing can be said before its handshake, which is what is refused.
            Err(_) if self.entrance.is_tls() => {}
            Err(refusal) => {
                let mut answer = BytesMut::new();
                refusal.write(&mut answer);
                tokio::spawn(timeout(REFUSAL_TIMEOUT, tell(tcp, answer)));
            }
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("name", self.name())
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Takes a connection through the entrance; `None` if it was refused or gave up.
async fn enter(
    entrance: &Entrance,
    tcp: TcpStream,
    peer: SocketAddr,
    permit: Permit,
) -> Option<Arrival> {
    entrance.enter(tcp, peer, permit).await.ok().flatten()
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
