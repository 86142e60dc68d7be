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
    runtime::Handle,
    task::coop::poll_proceed,
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
    writing: Writing,
    /// The peer's last byte was read. What is queued may still be written.
    read_ended: bool,
    /// Since when the connection is driven towards its end.
    ending_since: Option<Instant>,
    /// Events taken since the last one that counted as work of the task.
    taken_count: u8,
}

/// Whether the stream still takes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    Open,
    /// All was written.
    ShutDown,
    /// It failed. What the peer sent may still be read.
    Failed(io::ErrorKind),
    /// The connection ended before everything queued was written.
    CutOff,
}

/// Says that what is queued will never be written.
#[derive(Debug)]
pub(crate) struct CutOff;

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
            writing: Writing::Open,
            read_ended: false,
            ending_since: None,
            taken_count: 0,
        }
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    pub(crate) fn stream(&self) -> Option<&S> {
        self.stream.as_ref()
    }

    /// Says whether what is queued can still reach the peer.
    pub(crate) fn is_writable(&self) -> bool {
        self.stream.is_some() && self.write_failure().is_none()
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

    /// Gives other tasks of the thread their turn after so many events that needed no read.
    pub(crate) fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.taken_count = (self.taken_count + 1) % EVENTS_PER_TURN;
        if self.taken_count == 0 {
            ready!(poll_proceed(cx)).made_progress();
        }
        Poll::Ready(())
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
                return Poll::Ready(None);
            }
            let written = self.poll_flush(cx);
            if self.read_ended && written.is_ready() {
                self.act(|connection| connection.handle_eof(now()));
                continue;
            }
            if self.connection.is_done_sending() {
                self.poll_shutdown(cx);
            }
            // What arrived in time counts even if nobody looked for it in time, so a deadline that
            // has passed is acted on after one read.
            let is_due = self.poll_timer(cx).is_ready();
            let read = self.poll_read(cx, take);
            if is_due {
                self.handle_timeout();
            }
            match read {
                Poll::Ready(Some(taken)) => return Poll::Ready(Some(taken)),
                Poll::Pending if !is_due => return Poll::Pending,
                Poll::Ready(None) | Poll::Pending => {}
            }
        }
    }

    /// Writes until nothing is queued.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CutOff>> {
        self.poll_drain(cx, 0)
    }

    /// Writes until at most `len` bytes are queued.
    ///
    /// A stream that fails for writing is read on: the peer may have said why it left.
    pub(crate) fn poll_drain(
        &mut self,
        cx: &mut Context<'_>,
        len: usize,
    ) -> Poll<Result<(), CutOff>> {
        if matches!(self.writing, Writing::Failed(_) | Writing::CutOff) {
            return Poll::Ready(Err(CutOff));
        }
        let written = ready!(self.poll_write(cx, len));
        Poll::Ready(written.map_err(|error| {
            self.writing = Writing::Failed(error.kind());
            CutOff
        }))
    }

    /// Ends the connection at once.
    pub(crate) fn abort(&mut self) {
        self.act(Connection::abort);
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, len: usize) -> Poll<io::Result<()>> {
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
        if self.read_ended {
            return Poll::Pending;
        }
        with_read_buffer(|buffer| {
            let Some(stream) = &mut self.stream else {
                return Poll::Ready(None);
            };
            let mut buffer = ReadBuf::new(buffer);
            match ready!(Pin::new(stream).poll_read(cx, &mut buffer)) {
                Ok(()) if buffer.filled().is_empty() => self.handle_read_end(),
                Ok(()) => {
                    self.received_at = now();
                    return Poll::Ready(self.take_from(buffer.filled_mut(), take));
                }
                // A peer that leaves without saying goodbye to TLS just ends the stream.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.handle_read_end();
                }
                Err(error) => {
                    self.act(|connection| connection.handle_transport_error(error.kind()));
                }
            }
            Poll::Ready(None)
        })
    }

    /// Acts on the end of the stream. What is queued still has time to be written: the peer may
    /// have ended its direction only.
    fn handle_read_end(&mut self) {
        self.read_ended = true;
        if let Some(kind) = self.write_failure() {
            self.act(|connection| connection.handle_transport_error(kind));
        }
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
    /// Outside a tokio runtime there is no timer; then a deadline is noticed by the next call.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline() else {
            self.timer = None;
            return Poll::Pending;
        };
        if self.timer.is_none() && Handle::try_current().is_err() {
            return if deadline <= now() {
                Poll::Ready(())
            } else {
                Poll::Pending
            };
        }
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

    /// Gives the next deadline. The peer's time to take part in the end begins when this end is
    /// there to notice: not while the application does something else.
    fn deadline(&mut self) -> Option<Instant> {
        let is_ending = self.connection.state() == ConnectionState::Closing
            || self.read_ended
            || self.write_failure().is_some();
        if !is_ending {
            return self.connection.poll_timeout();
        }
        let since = *self.ending_since.get_or_insert_with(now);
        since.checked_add(self.connection.config().close_timeout)
    }

    fn handle_timeout(&mut self) {
        let now = now();
        self.act(|connection| connection.handle_timeout(now));
        if self.ending_since.is_some() {
            let failed = self.write_failure();
            self.act(|connection| match failed {
                Some(kind) => connection.handle_transport_error(kind),
                None => connection.handle_eof(now),
            });
        }
    }

    /// Lets the engine act on something that may end the connection; if so, lets go of the stream.
    fn act(&mut self, act: impl FnOnce(&mut Connection)) {
        let is_unsent = self.connection.queued_len() > 0 || self.unflushed;
        act(&mut self.connection);
        if self.connection.state() == ConnectionState::Closed && self.stream.is_some() {
            if is_unsent {
                self.writing = Writing::CutOff;
            }
            self.stream = None;
            self.timer = None;
            self.input = BytesMut::new();
        }
    }

    /// Shuts the stream down for writing. Whether it works does not matter: it is read on until
    /// its end or the close deadline, so that the peer gets the close frame and not a reset.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) {
        if self.writing != Writing::Open {
            return;
        }
        if let Some(stream) = &mut self.stream
            && Pin::new(stream).poll_shutdown(cx).is_ready()
        {
            self.writing = Writing::ShutDown;
        }
    }

    fn write_failure(&self) -> Option<io::ErrorKind> {
        match self.writing {
            Writing::Failed(kind) => Some(kind),
            Writing::Open | Writing::ShutDown | Writing::CutOff => None,
        }
    }
}

/// Reads the runtime's clock, which tests can pause.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// What one vectored write takes at most.
const WRITE_SLICES_MAX: usize = 16;
/// How many events that need no read count as one unit of a task's work.
const EVENTS_PER_TURN: u8 = 32;
