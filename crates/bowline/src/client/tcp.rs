//! The TCP connection.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream};

/// How TCP connections are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpOptions {
    /// Whether small messages leave at once (`TCP_NODELAY`). Default true.
    pub nodelay: bool,
    /// After how long without traffic the system asks whether the peer is still there, and how
    /// often then. Default `None`: the keepalive of the WebSocket tells more, as a proxy answers
    /// this one itself.
    pub keepalive: Option<Duration>,
    /// After how long without acknowledgement the system gives the connection up
    /// (`TCP_USER_TIMEOUT`, on Linux). Default `None`: what the system has.
    pub user_timeout: Option<Duration>,
    /// The local address to connect from; only addresses of its family are tried.
    pub bind_address: Option<IpAddr>,
    /// The network interface to connect through, such as `eth1` (`SO_BINDTODEVICE`, on Linux).
    pub bind_interface: Option<String>,
    /// How long one address has before the next is tried beside it (RFC 8305 section 5).
    /// Default 250 ms.
    pub attempt_delay: Duration,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self {
            nodelay: true,
            keepalive: None,
            user_timeout: None,
            bind_address: None,
            bind_interface: None,
            attempt_delay: Duration::from_millis(250),
        }
    }
}

impl TcpOptions {
    /// Tells whether an address can be reached from where the socket is bound to.
    pub(super) fn suits(&self, address: &SocketAddr) -> bool {
        self.bind_address
            .is_none_or(|bound| bound.is_ipv4() == address.is_ipv4())
    }

    /// Connects to one address.
    pub(super) async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        self.prepare(&socket)?;
        socket.connect(address).await
    }

    fn prepare(&self, socket: &TcpSocket) -> io::Result<()> {
        socket.set_nodelay(self.nodelay)?;
        if let Some(idle) = self.keepalive {
            let keepalive = TcpKeepalive::new().with_time(idle).with_interval(idle);
            SockRef::from(socket).set_tcp_keepalive(&keepalive)?;
        }
        if let Some(timeout) = self.user_timeout {
            set_user_timeout(socket, timeout)?;
        }
        if let Some(interface) = &self.bind_interface {
            bind_interface(socket, interface)?;
        }
        if let Some(address) = self.bind_address {
            socket.bind(SocketAddr::new(address, 0))?;
        }
        Ok(())
    }
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn set_user_timeout(socket: &TcpSocket, timeout: Duration) -> io::Result<()> {
    SockRef::from(socket).set_tcp_user_timeout(Some(timeout))
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn set_user_timeout(_: &TcpSocket, _: Duration) -> io::Result<()> {
    Err(unsupported("a TCP user timeout"))
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn bind_interface(socket: &TcpSocket, interface: &str) -> io::Result<()> {
    let bound = socket.bind_device(Some(interface.as_bytes()));
    bound.map_err(|error| {
        let told = format!("cannot connect through the interface {interface}: {error}");
        io::Error::new(error.kind(), told)
    })
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn bind_interface(_: &TcpSocket, _: &str) -> io::Result<()> {
    Err(unsupported("binding to an interface"))
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn unsupported(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("this system does not have {what}"),
    )
}
