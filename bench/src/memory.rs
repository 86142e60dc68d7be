//! `MemoryStream`: a connection without a network.

use std::{
    cell::RefCell,
    io::{self, IoSlice, Read, Write},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that is read from a burst of bytes and written to nowhere.
///
/// Clones are the same stream: a library owns one, the benchmark keeps the other.
#[derive(Clone, Debug, Default)]
pub struct MemoryStream(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    input: Bytes,
    at: usize,
    written: usize,
    record: Option<Vec<u8>>,
}

impl MemoryStream {
    /// Begins to keep what is written.
    pub fn record(&self) {
        self.0.borrow_mut().record = Some(Vec::new());
    }

    /// Takes what was written since [`record`](Self::record), and keeps no more.
    pub fn take_record(&self) -> Vec<u8> {
        self.0.borrow_mut().record.take().unwrap_or_default()
    }

    /// Sets what is read next.
    pub fn feed(&self, input: &Bytes) {
        let mut state = self.0.borrow_mut();
        state.input = input.clone();
        state.at = 0;
    }

    /// Takes bytes that are written.
    pub fn put(&self, bytes: &[u8]) {
        let mut state = self.0.borrow_mut();
        state.written = state
            .written
            .wrapping_add(std::hint::black_box(bytes).len());
        if let Some(record) = &mut state.record {
            record.extend_from_slice(bytes);
        }
    }

    fn next_read(&self, room: usize) -> Bytes {
        let mut state = self.0.borrow_mut();
        let end = state.input.len().min(state.at + room.min(READ_LEN));
        let bytes = state.input.slice(state.at..end);
        state.at = end;
        bytes
    }
}

impl Read for MemoryStream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = self.next_read(out.len());
        out[..bytes.len()].copy_from_slice(&bytes);
        if bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(bytes.len())
    }
}

impl Write for MemoryStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for MemoryStream {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let bytes = self.next_read(out.remaining());
        if bytes.is_empty() {
            return Poll::Pending;
        }
        out.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for MemoryStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.put(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut len = 0;
        for slice in slices {
            self.put(slice);
            len += slice.len();
        }
        Poll::Ready(Ok(len))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What one read gives at most, to every library.
pub const READ_LEN: usize = 64 << 10;
