//! Accepting connections on a plain thread.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::{Background, Request, WebSocket};
use crate::{
    error::{ConnectPhase, Error},
    server::Acceptor,
    transport::{Stream, tls::ServerTls},
};

/// Takes connections on a TCP port.
///
/// Any number of threads may wait on one listener. [`accept`](Self::accept) takes a connection and
/// makes its opening handshake; where a slow client must not hold up the others, one thread takes
/// connections with [`incoming`](Self::incoming) and gives each to a thread of its own:
///
/// ```no_run
/// use std::thread;
///
/// use bowline::{Error, blocking::Listener};
///
/// # fn main() -> Result<(), Error> {
/// let listener = Listener::bind("127.0.0.1:8080")?;
/// loop {
///     let incoming = listener.incoming()?;
///     thread::spawn(move || -> Result<(), Error> {
///         let mut ws = incoming.accept()?;
///         ws.send("hello")
///     });
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    background: Background,
    acceptor: Acceptor,
    tls: Option<ServerTls>,
}

/// A TCP connection of which nothing has been read.
#[derive(Debug)]
pub struct Incoming {
    stream: TcpStream,
    peer: SocketAddr,
    background: Background,
    acceptor: Acceptor,
    tls: Option<ServerTls>,
}

impl Listener {
    /// Listens on an address, with the defaults of [`Acceptor`].
    ///
    /// # Errors
    /// [`Error::Io`] if the address cannot be used.
    pub fn bind(address: impl ToSocketAddrs) -> Result<Self, Error> {
        Self::from_std(std::net::TcpListener::bind(address)?)
    }

    /// Takes over a listener that was made already.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be waited for.
    pub fn from_std(listener: std::net::TcpListener) -> Result<Self, Error> {
        let background = Background::get()?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            tcp: background.enter(|| TcpListener::from_std(listener))?,
            background,
            acceptor: Acceptor::default(),
            tls: None,
        })
    }

    /// Chooses how opening handshakes are made, and the options of the connections.
    #[must_use]
    pub fn with_acceptor(mut self, acceptor: Acceptor) -> Self {
        self.acceptor = acceptor;
        self
    }

    /// Listens for TLS.
    #[must_use]
    pub fn with_tls(mut self, tls: ServerTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Gives the address it listens on.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Waits for a connection and makes its opening handshake, see [`Incoming::accept`].
    ///
    /// # Errors
    /// As [`incoming`](Self::incoming) and [`Incoming::accept`]. The listener stays usable.
    pub fn accept(&self) -> Result<WebSocket, Error> {
        self.incoming()?.accept()
    }

    /// Waits for a TCP connection.
    ///
    /// # Errors
    /// [`Error::Io`] if there are no resources for another connection, for instance;
    /// [`Error::InsideRuntime`].
    pub fn incoming(&self) -> Result<Incoming, Error> {
        let (stream, peer) = self.background.wait(self.tcp.accept())??;
        Ok(self.make_incoming(stream, peer))
    }

    /// Waits for a TCP connection for so long at most; `None` if there was none.
    ///
    /// # Errors
    /// As [`incoming`](Self::incoming).
    pub fn incoming_timeout(&self, patience: Duration) -> Result<Option<Incoming>, Error> {
        let accepted = async { timeout(patience, self.tcp.accept()).await };
        match self.background.wait(accepted)? {
            Err(_) => Ok(None),
            Ok(accepted) => {
                let (stream, peer) = accepted?;
                Ok(Some(self.make_incoming(stream, peer)))
            }
        }
    }

    fn make_incoming(&self, stream: TcpStream, peer: SocketAddr) -> Incoming {
        Incoming {
            stream,
            peer,
            background: self.background.clone(),
            acceptor: self.acceptor.clone(),
            tls: self.tls.clone(),
        }
    }
}

impl Incoming {
    /// Gives the address of the other end.
    pub const fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// Makes the opening handshake: accepts a WebSocket at any path and with any origin, within
    /// the acceptor's deadline.
    ///
    /// # Errors
    /// As [`Acceptor::accept`]; [`Error::Tls`]; [`Error::InsideRuntime`].
    pub fn accept(self) -> Result<WebSocket, Error> {
        let background = self.background.clone();
        let accept = async {
            let (acceptor, stream) = self.into_stream().await?;
            acceptor.accept(stream).await
        };
        let socket = background.wait(accept)??;
        Ok(WebSocket::new(socket, background))
    }

    /// Reads the request, so that the program decides.
    ///
    /// # Errors
    /// As [`Acceptor::read_request`]; [`Error::Tls`]; [`Error::InsideRuntime`].
    pub fn read_request(self) -> Result<Request, Error> {
        let background = self.background.clone();
        let read = async {
            let (acceptor, stream) = self.into_stream().await?;
            let request = acceptor.read_request(stream).await?;
            Ok::<_, Error>((acceptor, request))
        };
        let (acceptor, request) = background.wait(read)??;
        Ok(Request::new(acceptor, request, background))
    }

    async fn into_stream(self) -> Result<(Acceptor, Stream), Error> {
        let Some(tls) = self.tls else {
            return Ok((self.acceptor, Stream::Tcp(self.stream)));
        };
        let handshake = tls.accept(self.stream);
        match timeout(self.acceptor.handshake_timeout, handshake).await {
            Ok(stream) => Ok((self.acceptor, stream?)),
            Err(_) => Err(Error::Timeout(ConnectPhase::Tls)),
        }
    }
}
