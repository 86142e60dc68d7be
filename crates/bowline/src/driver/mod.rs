//! The meeting of engine and stream: the only folder that reads or writes one after its handshake.

mod deadlines;
mod incoming;
mod observe;
mod outgoing;
mod reading;
mod round;
mod unread;

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use bowline_proto::{Connection, ConnectionState, Event};
use bytes::BytesMut;
use tokio::{task::coop::poll_proceed, time::Sleep};

use outgoing::Writers;

use crate::{
    metrics::Observer,
    outbox::Outbox,
    round::Joined,
    transport::{self, Transport},
};

/// Drives an engine with a stream and a timer.
///
/// All progress lives here, none in a future: whoever polls next goes on where the last one left.
pub(crate) struct Driver<S> {
    connection: Connection,
    /// `None` once the connection is closed.
    stream: Option<S>,
    /// Received bytes that were not given to the engine. Empty while the connection is idle.
    input: BytesMut,
    /// How much arrived together, of which `input` is the rest; more, if the storage is larger.
    burst_len: u32,
    /// How much the next read will bring, if it pays to read into storage of its own; else zero.
    expected_len: u32,
    handing: Handing,
    received_at: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    /// Written to the stream but not flushed; matters for TLS.
    unflushed: bool,
    reading: Reading,
    writing: Writing,
    read_wakes: ReadWakes,
    /// Since when the connection is driven towards its end.
    ending_since: Option<Box<Instant>>,
    /// Events taken since the last one that counted as work of the task.
    taken_count: u8,
    /// What waits for a peer that does not keep up; `None` while there is nothing.
    outbox: Option<Box<Outbox>>,
    /// The outbox was drained since this was last asked.
    outbox_drained: bool,
    /// Messages dropped since the application last asked.
    lost: u64,
    writers: Writers,
    /// Its part in what a batch broadcasts to it and others.
    round: Option<Box<Joined>>,
    /// Who watches the connection; `None` if nobody does.
    observer: Option<Box<Observer>>,
    /// The outbox was full, which is not reported yet.
    slow_episode: bool,
}

/// How messages are handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handing {
    /// The application has those it asked for.
    AsAsked,
    /// It was given more than it asked for yet.
    Ahead,
}

/// How far the stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Open,
    /// A deadline had passed before the last read.
    Late,
    /// The peer's last byte was read. What is queued may still be written.
    Ended,
}

/// Who is woken when the stream becomes readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadWakes {
    /// Nobody else waits for that.
    Receiver,
    /// A read may have to write, for which others wait too.
    All,
}

/// Whether the stream takes bytes.
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

impl<S: Transport> Driver<S> {
    /// Begins with the bytes that followed the opening handshake.
    pub(crate) fn new(connection: Connection, stream: S, input: BytesMut) -> Self {
        let mut driver = Self {
            connection,
            input: BytesMut::new(),
            burst_len: 0,
            expected_len: 0,
            handing: Handing::AsAsked,
            received_at: now(),
            timer: None,
            unflushed: false,
            reading: Reading::Open,
            writing: Writing::Open,
            read_wakes: if transport::is_plain_tcp(&stream) {
                ReadWakes::Receiver
            } else {
                ReadWakes::All
            },
            stream: Some(stream),
            ending_since: None,
            taken_count: 0,
            outbox: None,
            outbox_drained: false,
            lost: 0,
            writers: Writers::default(),
            round: None,
            observer: None,
            slow_episode: false,
        };
        // An empty one may still hold the storage of what came before it.
        if !input.is_empty() {
            let len = input.capacity();
            driver.set_input(input, len);
        }
        driver
    }

    /// Gives other tasks of the thread their turn after so many events that needed no read.
    pub(crate) fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.taken_count >= EVENTS_PER_TURN {
            ready!(poll_proceed(cx)).made_progress();
            self.taken_count = 0;
        }
        self.taken_count += 1;
        Poll::Ready(())
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    pub(crate) fn stream(&self) -> Option<&S> {
        self.stream.as_ref()
    }

    /// Gives received bytes to the engine, see [`Connection::poll_event`].
    pub(crate) fn next_event<'a>(&mut self, chunk: &'a mut [u8]) -> (usize, Option<Event<'a>>) {
        self.connection.poll_event(self.received_at, chunk)
    }

    /// Says whether the connection is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.connection.state() == ConnectionState::Closed
    }

    /// Writes until nothing is queued.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CutOff>> {
        self.poll_drain(cx, 0)
    }

    /// Writes until at most `len` bytes are queued.
    ///
    /// A stream that fails for writing is read on: the peer may have said why it left.
    fn poll_drain(&mut self, cx: &mut Context<'_>, len: usize) -> Poll<Result<(), CutOff>> {
        if matches!(self.writing, Writing::Failed(_) | Writing::CutOff) {
            return Poll::Ready(Err(CutOff));
        }
        let written = self.poll_write(cx, len);
        self.tally();
        let written = ready!(written);
        Poll::Ready(written.map_err(|error| {
            self.writing = Writing::Failed(error.kind());
            CutOff
        }))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, len: usize) -> Poll<io::Result<()>> {
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
            if let Some(observer) = &self.observer {
                observer.written(written);
            }
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

    /// Writes until another message may be queued.
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CutOff>> {
        self.poll_drain(cx, QUEUED_LEN_MAX - 1)
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
}

impl<S> Driver<S> {
    /// Ends the connection at once and lets go of the stream.
    pub(crate) fn abort(&mut self) {
        self.act(Connection::abort);
    }

    /// Lets the engine act on something that may end the connection; if it does, lets go of the
    /// stream.
    fn act(&mut self, act: impl FnOnce(&mut Connection)) {
        let is_unsent = self.has_unsent();
        act(&mut self.connection);
        if self.connection.state() == ConnectionState::Closed && self.stream.is_some() {
            if is_unsent {
                self.writing = Writing::CutOff;
            }
            self.stream = None;
            self.timer = None;
            self.drop_input();
            self.drop_outbox();
            self.tell_end();
        }
    }

    /// Says whether what is queued can still reach the peer.
    pub(crate) fn is_writable(&self) -> bool {
        self.stream.is_some() && self.write_failure().is_none()
    }

    /// Says whether anything waits to be written.
    pub(crate) fn has_unsent(&self) -> bool {
        self.connection.queued_len() > 0 || self.unflushed || self.outbox.is_some()
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

/// What the engine may have queued before messages wait in front of it.
const QUEUED_LEN_MAX: usize = 64 << 10;
/// What one vectored write takes at most.
const WRITE_SLICES_MAX: usize = 16;
/// How many events that need no read count as one unit of a task's work.
const EVENTS_PER_TURN: u8 = 32;
