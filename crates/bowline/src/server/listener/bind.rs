//! The sockets a listener accepts on.

use std::{io, net::SocketAddr, num::NonZeroUsize, sync::Arc};

use tokio::net::{TcpListener, TcpSocket, ToSocketAddrs, lookup_host};

/// Binds one socket for each worker, where they can share a port.
pub(super) async fn bind(
    address: impl ToSocketAddrs,
    workers: NonZeroUsize,
) -> io::Result<Vec<Arc<TcpListener>>> {
    if workers == NonZeroUsize::MIN || !IS_PORT_SHARED {
        return Ok(vec![Arc::new(TcpListener::bind(address).await?)]);
    }
    let mut failed = io::ErrorKind::AddrNotAvailable.into();
    for address in lookup_host(address).await? {
        match bind_shared(address, workers) {
            Ok(sockets) => return Ok(sockets),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn bind_shared(address: SocketAddr, workers: NonZeroUsize) -> io::Result<Vec<Arc<TcpListener>>> {
    let first = listen(address)?;
    // Port 0 is a free one, and the others take the same.
    let address = first.local_addr()?;
    let mut sockets = vec![Arc::new(first)];
    for _ in 1..workers.get() {
        sockets.push(Arc::new(listen(address)?));
    }
    Ok(sockets)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    share_port(&socket)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(all(
    unix,
    not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))
))]
fn share_port(socket: &TcpSocket) -> io::Result<()> {
    socket.set_reuseport(true)
}

#[cfg(not(all(
    unix,
    not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))
)))]
fn share_port(_: &TcpSocket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether several sockets can have one port.
const IS_PORT_SHARED: bool = cfg!(all(
    unix,
    not(any(
        target_os = "solaris",
        target_os = "illumos",
        target_os = "cygwin"
    ))
));
/// Connections that wait to be accepted on one socket, as many as tokio itself has.
const BACKLOG: u32 = 1024;
