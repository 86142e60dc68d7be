//! The source of a connection that a load balancer names.

use std::{io, net::SocketAddr};

use tokio::{io::AsyncReadExt as _, net::TcpStream};

use crate::{
    error::Error,
    server::admission::proxy_protocol::{HEADER_LEN_MAX_V1, ProxyHeaderParser},
};

/// Reads a PROXY header and nothing behind it; gives the source it names.
pub(super) async fn read_proxy_header(tcp: &mut TcpStream) -> Result<Option<SocketAddr>, Error> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    let mut parser = ProxyHeaderParser::new();
    let mut chunk = [0; HEADER_LEN_MAX_V1];
    loop {
        let seen = tcp.peek(&mut chunk).await?;
        if seen == 0 {
            return Err(Error::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        let input = chunk.get(..seen).unwrap_or_default();
        let parsed = parser.handle_input(input).map_err(|_| invalid())?;
        // All of what is seen belongs to a header that is not complete.
        let taken = parsed.map_or(seen, |parsed| parsed.consumed);
        tcp.read_exact(chunk.get_mut(..taken).unwrap_or_default())
            .await?;
        if let Some(parsed) = parsed {
            return Ok(parsed.header.source());
        }
    }
}
