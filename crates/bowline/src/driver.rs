//! The meeting of engine and stream: the only file that reads or writes one after its handshake.

use std::{
    future::Future as _,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use bowline_proto::{Close, Connection, ConnectionState, Event, Misuse};
use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep_until},
};

use crate::{
    outbox::{Key, LastFrame, Outbox, OutboxLimits, Outgoing, Refused, Sent, SlowPeer},
    worker::with_read_buffer,
};

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
    /// What waits for a peer that does not keep up; `None` while there is nothing.
    outbox: Option<Box<Outbox>>,
    /// The outbox was drained since this was last asked.
    outbox_drained: bool,
    /// Messages dropped since the application last asked.
    lost: u64,
    writers: Writers,
}

/// Who will write what is queued, besides whoever receives.
#[derive(Default)]
struct Writers {
    /// A task of its own.
    task: bool,
    /// The batch in which it was queued.
    batch: bool,
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
            outbox: None,
            outbox_drained: false,
            lost: 0,
            writers: Writers::default(),
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
            if self.is_closed() {
                return Poll::Ready(None);
            }
            let taken = with_read_buffer(|buffer| {
                let filled = ready!(self.poll_fill(cx, buffer));
                let chunk = buffer.get_mut(..filled).unwrap_or_default();
                Poll::Ready(self.take_from(chunk, take))
            });
            if let Some(taken) = ready!(taken) {
                return Poll::Ready(Some(taken));
            }
        }
    }

    /// Takes care of everything that is due, then reads once; zero says that the connection is
    /// closed.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<usize> {
        loop {
            if self.is_closed() {
                return Poll::Ready(0);
            }
            if let Poll::Ready(Err(error)) = self.poll_drain(cx, 0) {
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
            let filled = ready!(self.poll_read(cx, buffer));
            if filled > 0 {
                return Poll::Ready(filled);
            }
        }
    }

    /// Takes the bytes that were received and not given to the engine.
    pub(crate) fn take_input(&mut self) -> BytesMut {
        std::mem::take(&mut self.input)
    }

    /// Gives received bytes to the engine, see [`Connection::poll_event`].
    pub(crate) fn next_event<'a>(&mut self, chunk: &'a mut [u8]) -> (usize, Option<Event<'a>>) {
        self.connection.poll_event(self.received_at, chunk)
    }

    /// Says whether the connection is closed, and lets go of the stream if so.
    pub(crate) fn is_closed(&mut self) -> bool {
        let closed = self.connection.state() == ConnectionState::Closed;
        if closed {
            self.stream = None;
            self.timer = None;
            self.outbox_drained |= self.outbox.take().is_some();
        }
        closed
    }

    /// Writes until nothing is queued.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drain(cx, 0)
    }

    /// Writes until at most `len` bytes are queued.
    pub(crate) fn poll_drain(&mut self, cx: &mut Context<'_>, len: usize) -> Poll<io::Result<()>> {
        loop {
            self.refill();
            let Some(stream) = &mut self.stream else {
                return Poll::Ready(Ok(()));
            };
            if self.connection.queued_len() <= len {
                break;
            }
            let mut slices = [IoSlice::new(&[]); WRITE_SLICES_MAX];
            let written = match self.connection.poll_transmit(&mut slices) {
                0 => break,
                1 => ready!(Pin::new(stream).poll_write(cx, &slices[0])),
                count => {
                    let slices = slices.get(..count).unwrap_or_default();
                    ready!(Pin::new(stream).poll_write_vectored(cx, slices))
                }
            }?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.connection.handle_transmitted(written);
            self.unflushed = true;
        }
        if self.unflushed
            && let Some(stream) = &mut self.stream
        {
            ready!(Pin::new(stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Gives a message to the engine, or to the outbox while the engine has enough.
    pub(crate) fn push(
        &mut self,
        message: Outgoing,
        key: Option<Key>,
        limits: &OutboxLimits,
    ) -> Result<Sent, Refused> {
        let waits = self
            .outbox
            .as_ref()
            .is_some_and(|outbox| !outbox.is_empty());
        if !waits && self.connection.queued_len() < QUEUED_LEN_MAX {
            return message
                .send_on(&mut self.connection)
                .map(|()| Sent::Queued)
                .map_err(Refused::of_misuse);
        }
        if self.connection.state() != ConnectionState::Open {
            return Err(Refused::Closing);
        }
        let outbox = self.outbox.get_or_insert_default();
        let pushed = outbox.push(message, key, limits);
        self.lost += outbox.take_lost();
        if let (Err(Refused::TooSlow), SlowPeer::Close(code, reason)) = (&pushed, &limits.policy) {
            self.outbox = None;
            let close = Close::new(*code, reason).ok();
            let begun = self.connection.close(now(), close.as_ref());
            debug_assert!(begun.is_ok(), "messages in an outbox are whole");
        }
        pushed
    }

    /// Begins the closing handshake behind everything that waits.
    pub(crate) fn close(&mut self, close: Option<Close>) -> Result<(), Misuse> {
        match &mut self.outbox {
            Some(outbox) if !outbox.is_empty() => {
                outbox.push_close(close);
                Ok(())
            }
            _ => self.connection.close(now(), close.as_ref()),
        }
    }

    /// Looks at what waits for the peer beyond the engine's queue.
    pub(crate) fn outbox(&mut self) -> Option<&mut Outbox> {
        self.outbox.as_deref_mut()
    }

    /// Writes until another message may be queued.
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drain(cx, QUEUED_LEN_MAX - 1)
    }

    /// Says whether the outbox was drained since this was last asked.
    pub(crate) fn take_outbox_drained(&mut self) -> bool {
        std::mem::take(&mut self.outbox_drained)
    }

    /// Notes that a task will write what is queued; false if one does already.
    pub(crate) fn begin_flush_task(&mut self) -> bool {
        !std::mem::replace(&mut self.writers.task, true)
    }

    /// Notes that the task has written everything.
    pub(crate) fn end_flush_task(&mut self) {
        self.writers.task = false;
    }

    /// Notes that a batch will write what is queued; false if one does already.
    pub(crate) fn join_batch(&mut self) -> bool {
        !std::mem::replace(&mut self.writers.batch, true)
    }

    pub(crate) fn leave_batch(&mut self) {
        self.writers.batch = false;
    }

    /// Takes the number of messages dropped since this was last asked.
    pub(crate) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Says whether another message may be queued without making anything wait.
    pub(crate) fn has_room(&self) -> bool {
        self.outbox.is_none() && self.connection.queued_len() < QUEUED_LEN_MAX
    }

    /// Moves messages from the outbox to the engine while it has room.
    fn refill(&mut self) {
        while let Some(outbox) = &mut self.outbox
            && self.connection.queued_len() < QUEUED_LEN_MAX
        {
            if let Some(message) = outbox.pop() {
                // A connection that is closing takes nothing more; what waits goes with it.
                if message.send_on(&mut self.connection).is_err() {
                    self.outbox = None;
                }
            } else {
                let close = outbox.pop_close();
                self.outbox = None;
                self.outbox_drained = true;
                if let Some(LastFrame(close)) = close {
                    let begun = self.connection.close(now(), close.as_ref());
                    debug_assert!(begun.is_ok(), "messages in an outbox are whole");
                }
            }
        }
    }

    /// Reads once; zero says that nothing was received.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<usize> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(0);
        };
        let mut buffer = ReadBuf::new(buffer);
        match ready!(Pin::new(stream).poll_read(cx, &mut buffer)) {
            Ok(()) if buffer.filled().is_empty() => self.connection.handle_eof(now()),
            Ok(()) => self.received_at = now(),
            // A peer that leaves without saying goodbye to TLS just ends the stream.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.connection.handle_eof(now());
            }
            Err(error) => self.connection.handle_transport_error(error.kind()),
        }
        Poll::Ready(buffer.filled().len())
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
}

/// Reads the runtime's clock, which tests can pause.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// What the engine may have queued before messages wait in front of it.
const QUEUED_LEN_MAX: usize = 64 << 10;
/// What one vectored write takes at most.
const WRITE_SLICES_MAX: usize = 16;
