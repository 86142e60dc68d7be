//! The stream to a server: resolver, TCP, proxy and TLS.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::net::TcpStream;

use super::{
    Connector, Endpoint, Proxy, Resolver,
    endpoint::host_and_port,
    proxy::Tunnel,
    race::race,
    resolver::{SystemResolver, interleave},
    timeouts::within,
};
use crate::{
    error::{ConnectPhase, Error, ProxyError},
    transport::{ClientTls, Stream},
};

/// Connects to a server, through the proxy that is chosen for it. `tls` is for `wss://`.
pub(super) async fn dial(
    connector: &Connector,
    endpoint: &Endpoint,
    tls: Option<&ClientTls>,
) -> Result<Stream, Error> {
    let tunnel = match connector.proxy.choose(endpoint)? {
        None => Tunnel::Tcp(connect_tcp(connector, &endpoint.host, endpoint.port).await?),
        Some(proxy) => {
            let tcp = connect_tcp(connector, proxy.host(), proxy.port()).await;
            let tcp = tcp.map_err(|error| proxy_failure(error, &proxy))?;
            let deadline = connector.timeouts.proxy;
            proxy
                .open(tcp, endpoint, connector.limits, deadline)
                .await?
        }
    };
    let Some(tls) = tls else {
        return Ok(match tunnel {
            Tunnel::Tcp(tcp) => Stream::Tcp(tcp),
            Tunnel::Tls(stream) => Stream::ToProxy(stream),
        });
    };
    let handshake = async {
        Ok(match tunnel {
            Tunnel::Tcp(tcp) => tls.connect(&endpoint.host, tcp).await?,
            Tunnel::Tls(stream) => {
                let stream = tls.handshake(&endpoint.host, *stream).await?;
                Stream::TlsInTls(Box::new(stream))
            }
        })
    };
    within(connector.timeouts.tls, ConnectPhase::Tls, handshake).await
}

/// Looks a name up and races its addresses.
async fn connect_tcp(connector: &Connector, host: &str, port: u16) -> Result<TcpStream, Error> {
    let tcp = &connector.tcp;
    let mut addresses = addresses(connector, host, port).await?;
    addresses.retain(|address| tcp.suits(address));
    let racing = async {
        let addresses = interleave(addresses);
        let raced = race(addresses, tcp.attempt_delay, |address| tcp.dial(address)).await;
        raced.map_err(|failures| failure(host_and_port(host, port), failures))
    };
    within(connector.timeouts.connect, ConnectPhase::Connect, racing).await
}

/// Gives the addresses of a host; there is one at least.
async fn addresses(connector: &Connector, host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let resolver = connector.resolver.as_deref();
    let resolver = resolver.unwrap_or(&SystemResolver as &dyn Resolver);
    let asking = async {
        let found = resolver.resolve(host, port).await;
        found
            .and_then(some_address)
            .map_err(|source| Error::Resolve {
                host: host_and_port(host, port),
                source,
            })
    };
    within(connector.timeouts.resolve, ConnectPhase::Resolve, asking).await
}

fn some_address(addresses: Vec<SocketAddr>) -> io::Result<Vec<SocketAddr>> {
    if addresses.is_empty() {
        let told = "the name has no address";
        return Err(io::Error::new(io::ErrorKind::NotFound, told));
    }
    Ok(addresses)
}

/// Says that it was the proxy that could not be reached; a deadline names its phase.
fn proxy_failure(error: Error, proxy: &Proxy) -> Error {
    if let Error::Timeout(_) = error {
        return error;
    }
    let unreachable = ProxyError::Unreachable {
        proxy: proxy.authority(),
        source: Box::new(error),
    };
    unreachable.into()
}

fn failure(host: Box<str>, mut failures: Vec<(SocketAddr, io::Error)>) -> Error {
    let source = match failures.pop() {
        Some((_, error)) => error,
        None => io::Error::new(
            io::ErrorKind::AddrNotAvailable,
            "it has no address of the family of the local address",
        ),
    };
    Error::Connect {
        host,
        source,
        earlier: failures,
    }
}
