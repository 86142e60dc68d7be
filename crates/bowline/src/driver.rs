//! The meeting of engine and stream: the only file that reads or writes one after its handshake.

use std::{
    future::Future as _,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use bowline_proto::{Connection, ConnectionState, Event};
use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep_until},
};

use crate::worker::with_read_buffer;

/// Drives an engine with a stream and a timer.
///
/// All progress lives here, none in a future: whoever polls next goes on where the last one left.
pub(crate) struct Driver<S> {
    connection: Connection,
    /// `None` once the connection is closed.
    stream: Option<S>,
    /// Received and not given to the engine yet. Empty while the connection is idle.
    input: BytesMut,
    received_at: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    /// Written to the stream but not flushed; matters for TLS.
    unflushed: bool,
    write_shut_down: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// Begins with the bytes that followed the opening handshake.
    pub(crate) fn new(connection: Connection, stream: S, input: BytesMut) -> Self {
        Self {
            connection,
            stream: Some(stream),
            input,
            received_at: now(),
            timer: None,
            unflushed: false,
            write_shut_down: false,
        }
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    pub(crate) fn stream(&self) -> Option<&S> {
        self.stream.as_ref()
    }

    /// Says whether received bytes wait, so that the next receive needs no read.
    pub(crate) fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// Gives the first event that `take` takes, from bytes that are here already.
    pub(crate) fn take_buffered<T>(
        &mut self,
        take: &mut impl FnMut(Event<'_>) -> Option<T>,
    ) -> Option<T> {
        loop {
            let (used, event) = self
                .connection
                .poll_event(self.received_at, &mut self.input);
            let found = event.map(&mut *take);
            self.input.advance(used);
            if self.input.is_empty() {
                self.input = BytesMut::new();
            }
            match found {
                None => return None,
                Some(None) => {}
                Some(taken) => return taken,
            }
        }
    }

    /// Gives the next event that `take` takes; `None` when the connection is over.
    pub(crate) fn poll_event<T>(
        &mut self,
        cx: &mut Context<'_>,
        take: &mut impl FnMut(Event<'_>) -> Option<T>,
    ) -> Poll<Option<T>> {
        loop {
            if let Some(taken) = self.take_buffered(take) {
                return Poll::Ready(Some(taken));
            }
            if self.connection.state() == ConnectionState::Closed {
                return Poll::Ready(self.end(take));
            }
            if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
                self.connection.handle_transport_error(error.kind());
                continue;
            }
            if self.connection.is_done_sending() {
                self.poll_shutdown(cx);
            }
            if self.poll_timer(cx).is_ready() {
                self.connection.handle_timeout(now());
                continue;
            }
            if let Some(taken) = ready!(self.poll_read(cx, take)) {
                return Poll::Ready(Some(taken));
            }
        }
    }

    /// Writes until nothing is queued.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drain(cx, 0)
    }

    /// Writes until at most `len` bytes are queued.
    pub(crate) fn poll_drain(&mut self, cx: &mut Context<'_>, len: usize) -> Poll<io::Result<()>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(Ok(()));
        };
        while self.connection.queued_len() > len {
            let mut slices = [IoSlice::new(&[]); WRITE_SLICES_MAX];
            let written = match self.connection.poll_transmit(&mut slices) {
                0 => break,
                1 => ready!(Pin::new(&mut *stream).poll_write(cx, &slices[0])),
                count => {
                    let slices = slices.get(..count).unwrap_or_default();
                    ready!(Pin::new(&mut *stream).poll_write_vectored(cx, slices))
                }
            }?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.connection.handle_transmitted(written);
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(Pin::new(&mut *stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Reads once and lets the engine have it; `None` says that there was no event to take.
    fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        take: &mut impl FnMut(Event<'_>) -> Option<T>,
    ) -> Poll<Option<T>> {
        with_read_buffer(|buffer| {
            let Some(stream) = &mut self.stream else {
                return Poll::Ready(None);
            };
            let mut buffer = ReadBuf::new(buffer);
            match ready!(Pin::new(stream).poll_read(cx, &mut buffer)) {
                Ok(()) if buffer.filled().is_empty() => self.connection.handle_eof(now()),
                Ok(()) => {
                    self.received_at = now();
                    return Poll::Ready(self.take_from(buffer.filled_mut(), take));
                }
                // A peer that leaves without saying goodbye to TLS just ends the stream.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.connection.handle_eof(now());
                }
                Err(error) => self.connection.handle_transport_error(error.kind()),
            }
            Poll::Ready(None)
        })
    }

    /// Takes the first event from the thread's buffer and keeps the bytes behind it.
    fn take_from<T>(
        &mut self,
        mut chunk: &mut [u8],
        take: &mut impl FnMut(Event<'_>) -> Option<T>,
    ) -> Option<T> {
        loop {
            let (used, event) = self.connection.poll_event(self.received_at, chunk);
            let found = event.map(&mut *take);
            let (_, rest) = std::mem::take(&mut chunk).split_at_mut(used);
            match found {
                None => return None,
                Some(None) => chunk = rest,
                Some(taken) => {
                    self.input.extend_from_slice(rest);
                    return taken;
                }
            }
        }
    }

    /// Waits for the engine's next deadline; ready when it has passed.
    ///
    /// The timer is moved lazily: a deadline that moved away is noticed when the old one fires.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.connection.poll_timeout() else {
            self.timer = None;
            return Poll::Pending;
        };
        let deadline = tokio::time::Instant::from_std(deadline);
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if deadline <= tokio::time::Instant::now() {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// Shuts the stream down for writing. Whether it works does not matter: it is read on until
    /// its end or the close deadline, so that the peer gets the close frame and not a reset.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) {
        if self.write_shut_down {
            return;
        }
        if let Some(stream) = &mut self.stream {
            self.write_shut_down = Pin::new(stream).poll_shutdown(cx).is_ready();
        }
    }

    /// Lets go of the stream and reports the end.
    fn end<T>(&mut self, take: &mut impl FnMut(Event<'_>) -> Option<T>) -> Option<T> {
        self.stream = None;
        self.timer = None;
        let (_, event) = self.connection.poll_event(self.received_at, &mut []);
        event.and_then(take)
    }
}

/// Reads the runtime's clock, which tests can pause.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// What one vectored write takes at most.
const WRITE_SLICES_MAX: usize = 16;
