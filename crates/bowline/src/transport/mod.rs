//! The streams a connection can run over.

pub(crate) mod client_tls;
mod peer_certificate;
mod rewind;
mod server_certificates;
mod tap;
pub(crate) mod tls;

use std::{
    any::Any,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::TlsStream;

pub use client_tls::{ClientTls, ClientTlsBuilder, TlsVersion};
pub use peer_certificate::PeerCertificate;
pub use rewind::Rewind;
pub use server_certificates::ServerCertificates;
pub use tap::{Tap, Tapped, Wiretap};
pub use tls::{ServerTls, ServerTlsBuilder};

/// What a connection needs of its stream. Every tokio stream that can be sent between threads has
/// it.
pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for S {}

/// Lets small messages leave at once, on the streams known to be TCP.
pub(crate) fn set_nodelay<S: Transport>(stream: &S) {
    let stream: &dyn Any = stream;
    let tcp = stream
        .downcast_ref::<TcpStream>()
        .or_else(|| stream.downcast_ref::<Stream>().map(Stream::tcp));
    if let Some(tcp) = tcp {
        // A stream that is gone already shows with the first write.
        drop(tcp.set_nodelay(true));
    }
}

/// Says whether a stream is known to be plain TCP: then reading waits for nothing but bytes to read,
/// while under TLS it may have to write too.
pub(crate) fn is_plain_tcp<S: Transport>(stream: &S) -> bool {
    let stream: &dyn Any = stream;
    match stream.downcast_ref() {
        Some(stream) => matches!(stream, Stream::Tcp(_)),
        None => stream.is::<TcpStream>(),
    }
}

/// A TCP stream, plain or under TLS.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stream {
    /// Plain TCP.
    Tcp(TcpStream),
    /// TLS on TCP.
    Tls(Box<TlsStream<TcpStream>>),
    /// A plain stream in a tunnel of a proxy, where only the way to the proxy is under TLS.
    ToProxy(Box<TlsStream<TcpStream>>),
    /// TLS with the server in a tunnel of a proxy, under TLS with the proxy.
    TlsInTls(Box<TlsStream<TlsStream<TcpStream>>>),
    /// One of the others, looked at by [`Connector::wiretap`](crate::Connector::wiretap).
    Tapped(Box<Tapped>),
}

impl Stream {
    /// Gives the TCP stream at the bottom.
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Self::Tcp(stream) => stream,
            Self::Tls(stream) | Self::ToProxy(stream) => stream.get_ref().0,
            Self::TlsInTls(stream) => stream.get_ref().0.get_ref().0,
            Self::Tapped(stream) => stream.get_ref().tcp(),
        }
    }

    /// Says whether the stream is under TLS all the way to the peer.
    pub const fn is_tls(&self) -> bool {
        match self {
            Self::Tls(_) | Self::TlsInTls(_) => true,
            Self::Tcp(_) | Self::ToProxy(_) => false,
            Self::Tapped(stream) => stream.get_ref().is_tls(),
        }
    }

    /// Gives the certificate that the peer has shown and TLS has verified. A server has shown one
    /// to every client; a client only to a server that asks for it, and may have none.
    pub fn peer_certificate(&self) -> Option<PeerCertificate> {
        let chain = match self {
            Self::Tls(stream) => stream.get_ref().1.peer_certificates(),
            Self::TlsInTls(stream) => stream.get_ref().1.peer_certificates(),
            Self::Tcp(_) | Self::ToProxy(_) => None,
            Self::Tapped(stream) => return stream.get_ref().peer_certificate(),
        };
        PeerCertificate::from_chain(chain?)
    }
}

macro_rules! forward {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Tcp($stream) => {
                let $stream = Pin::new($stream);
                $call
            }
            Stream::Tls($stream) | Stream::ToProxy($stream) => {
                let $stream = Pin::new($stream.as_mut());
                $call
            }
            Stream::TlsInTls($stream) => {
                let $stream = Pin::new($stream.as_mut());
                $call
            }
            Stream::Tapped($stream) => {
                let $stream = Pin::new($stream.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        forward!(self, stream => stream.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        forward!(self, stream => stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        forward!(self, stream => stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Tls(stream) | Self::ToProxy(stream) => stream.is_write_vectored(),
            Self::TlsInTls(stream) => stream.is_write_vectored(),
            Self::Tapped(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self, stream => stream.poll_shutdown(cx))
    }
}
