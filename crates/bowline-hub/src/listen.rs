//! The sockets on which the workers accept connections.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    num::NonZeroUsize,
};

use tokio::net::TcpSocket;

/// Makes a listener for each worker at one address, and gives the address with its port.
///
/// The system spreads the connections over the listeners where it knows how; elsewhere the workers
/// take them from one listener.
pub(crate) fn listen(
    address: SocketAddr,
    workers: NonZeroUsize,
) -> io::Result<(SocketAddr, Vec<TcpListener>)> {
    let is_spread = workers > NonZeroUsize::MIN && IS_SPREAD;
    // Shared ports would let a second hub start here unnoticed and take half of the connections.
    if is_spread && address.port() != 0 {
        drop(bind(address, Port::Own)?);
    }
    let port = if is_spread { Port::Shared } else { Port::Own };
    let first = bind(address, port)?;
    let address = first.local_addr()?;
    let mut listeners = Vec::new();
    for _ in 1..workers.get() {
        listeners.push(if is_spread {
            bind(address, port)?
        } else {
            first.try_clone()?
        });
    }
    listeners.push(first);
    Ok((address, listeners))
}

/// Whether other sockets may have the same port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Port {
    Own,
    Shared,
}

fn bind(address: SocketAddr, port: Port) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // On Windows it would mean that another program may take the port over.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    if port == Port::Shared {
        share_port(&socket)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn share_port(socket: &TcpSocket) -> io::Result<()> {
    socket.set_reuseport(true)
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn share_port(_: &TcpSocket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether the system spreads connections over the sockets that share a port.
const IS_SPREAD: bool = cfg!(any(target_os = "android", target_os = "linux"));

/// Connections that wait to be accepted on one socket.
const BACKLOG: u32 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_workers_listen_on_the_port_that_one_was_given() {
        let workers = NonZeroUsize::new(3).unwrap();
        let (address, listeners) = listen(([127, 0, 0, 1], 0).into(), workers).unwrap();
        assert_ne!(address.port(), 0);
        assert_eq!(listeners.len(), 3);
        for listener in listeners {
            assert_eq!(listener.local_addr().unwrap(), address);
        }
    }

    #[tokio::test]
    async fn a_port_in_use_is_refused_however_many_workers_there_are() {
        let two = NonZeroUsize::new(2).unwrap();
        for (first, second) in [
            (two, two),
            (two, NonZeroUsize::MIN),
            (NonZeroUsize::MIN, two),
        ] {
            let (address, _kept) = listen(([127, 0, 0, 1], 0).into(), first).unwrap();
            let error = listen(address, second).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        }
    }
}
