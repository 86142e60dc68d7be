//! The stream that an HTTP server handed over.

use std::{
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::{rt::TokioIo, server::conn::auto};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsStream, server};

use crate::transport::{Stream, Transport, set_nodelay};

/// The stream of a connection whose handshake an HTTP server read.
///
/// TCP, and TLS of rustls on TCP, are taken out of what the server wrapped them in, so that
/// nothing of HTTP stands in the way of the connection; `TCP_NODELAY` is turned on. Any other
/// stream stays wrapped.
pub struct UpgradedStream(Inner);

enum Inner {
    Recovered(Stream),
    Wrapped(TokioIo<Upgraded>),
}

impl UpgradedStream {
    /// Gives the stream if it could be taken out of what the server wrapped it in.
    pub const fn recovered(&self) -> Option<&Stream> {
        match &self.0 {
            Inner::Recovered(stream) => Some(stream),
            Inner::Wrapped(_) => None,
        }
    }

    /// Takes the stream apart from what the HTTP server read ahead.
    pub(super) fn recover(upgraded: Upgraded) -> (Self, Bytes) {
        find(upgraded).map_or_else(
            |upgraded| (Self(Inner::Wrapped(TokioIo::new(upgraded))), Bytes::new()),
            |(stream, input)| {
                set_nodelay(&stream);
                (Self(Inner::Recovered(stream)), input)
            },
        )
    }
}

/// Takes a stream of a known type out of what hyper, alone or under hyper-util, wrapped it in;
/// gives also what was read ahead.
pub(super) fn take<T: Transport>(upgraded: Upgraded) -> Result<(T, Bytes), Upgraded> {
    let upgraded = match upgraded.downcast::<TokioIo<T>>() {
        Ok(parts) => return Ok((parts.io.into_inner(), parts.read_buf)),
        Err(upgraded) => upgraded,
    };
    let parts = auto::upgrade::downcast::<TokioIo<T>>(upgraded)?;
    Ok((parts.io.into_inner(), parts.read_buf))
}

/// Tries the types a program is likely to serve.
fn find(upgraded: Upgraded) -> Result<(Stream, Bytes), Upgraded> {
    let upgraded = match take::<TcpStream>(upgraded) {
        Ok((stream, input)) => return Ok((Stream::Tcp(stream), input)),
        Err(upgraded) => upgraded,
    };
    let upgraded = match take::<server::TlsStream<TcpStream>>(upgraded) {
        Ok((stream, input)) => return Ok((Stream::Tls(Box::new(stream.into())), input)),
        Err(upgraded) => upgraded,
    };
    let upgraded = match take::<TlsStream<TcpStream>>(upgraded) {
        Ok((stream, input)) => return Ok((Stream::Tls(Box::new(stream)), input)),
        Err(upgraded) => upgraded,
    };
    take::<Stream>(upgraded)
}

macro_rules! forward {
    ($self:ident, $stream:ident => $call:expr) => {
        match &mut $self.get_mut().0 {
            Inner::Recovered($stream) => {
                let $stream = Pin::new($stream);
                $call
            }
            Inner::Wrapped($stream) => {
                let $stream = Pin::new($stream);
                $call
            }
        }
    };
}

impl AsyncRead for UpgradedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        forward!(self, stream => stream.poll_read(cx, buffer))
    }
}

impl AsyncWrite for UpgradedStream {
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
        match &self.0 {
            Inner::Recovered(stream) => stream.is_write_vectored(),
            Inner::Wrapped(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self, stream => stream.poll_shutdown(cx))
    }
}

impl fmt::Debug for UpgradedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UpgradedStream")
            .field(&self.recovered())
            .finish()
    }
}
