//! Looking at what passes over a link.

use std::{
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Stream;
use crate::client::Endpoint;

/// Looks at the links a [`Connector`](crate::Connector) makes: for a trace, a recording, a test.
pub trait Wiretap: fmt::Debug + Send + Sync {
    /// Begins to look at one link, before the request of its opening handshake.
    ///
    /// Each redirect and each answer to a challenge has a link of its own. What a proxy is asked
    /// is not shown.
    fn begin(&self, endpoint: &Endpoint, stream: &Stream) -> Box<dyn Tap>;
}

/// Looks at the bytes of one link, those of the opening handshake first, without the TLS around
/// them. **They hold every secret that is sent**: credentials, cookies, messages.
///
/// It is called while the link is driven, so it must not block.
pub trait Tap: fmt::Debug + Send {
    /// Takes note of bytes that were handed to the stream.
    fn sent(&mut self, bytes: &[u8]);
    /// Takes note of bytes that arrived.
    fn received(&mut self, bytes: &[u8]);
}

/// A stream that is looked at.
#[derive(Debug)]
pub struct Tapped {
    stream: Stream,
    tap: Box<dyn Tap>,
}

impl Tapped {
    pub(crate) fn new(stream: Stream, tap: Box<dyn Tap>) -> Self {
        Self { stream, tap }
    }

    /// Gives the stream without its tap.
    pub const fn get_ref(&self) -> &Stream {
        &self.stream
    }
}

impl AsyncRead for Tapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let (_, bytes) = buffer.filled().split_at(before);
        if !bytes.is_empty() {
            self.tap.received(bytes);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.tap.sent(bytes.get(..written).unwrap_or(bytes));
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices))?;
        let mut left = written;
        for slice in slices {
            let len = left.min(slice.len());
            self.tap.sent(slice.get(..len).unwrap_or(slice));
            left -= len;
            if left == 0 {
                break;
            }
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
