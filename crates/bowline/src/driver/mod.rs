//! The meeting of engine and stream: the only file that reads or writes one after its handshake.

mod deadlines;
mod incoming;
mod observe;
mod outgoing;
mod round;
mod unread;

use std::{
    io::{self, IoSlice},
    ops::ControlFlow,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use bowline_proto::{ArrivingPayload, Connection, ConnectionState, Event};
use bytes::BytesMut;
use tokio::{task::coop::poll_proceed, time::Sleep};

use outgoing::Writers;

use crate::{
    metrics::Observer,
    outbox::Outbox,
    round::Joined,
    transport::{self, Transport},
    wakers::Waiting,
    worker::{READ_BUFFER_LEN, Target, return_own_buffer, take_own_buffer, with_read_buffer},
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
    ending_since: Option<Instant>,
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
            read_wakes: if transport::reads_alone(&stream) {
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

    /// Gives the next event that `take` takes; `None` when the connection is over.
    pub(crate) fn poll_event<T>(
        &mut self,
        cx: Waiting<'_>,
        take: &mut impl FnMut(Event<'_>) -> Option<T>,
    ) -> Poll<Option<T>> {
        loop {
            if let Some(taken) = self.take_buffered(take) {
                return Poll::Ready(Some(taken));
            }
            if self.is_closed() {
                return Poll::Ready(None);
            }
            let arriving = self
                .connection
                .lend_payload(READ_BUFFER_LEN, MISSING_LEN_MIN);
            let taken = if let Some(payload) = arriving {
                ready!(self.poll_arriving(cx, payload));
                None
            } else if self.expected_len > 0 {
                ready!(self.poll_burst(cx));
                None
            } else {
                ready!(with_read_buffer(|buffer| {
                    let filled = ready!(self.poll_fill(cx, Target::Lent(buffer)));
                    let chunk = buffer.get_mut(..filled).unwrap_or_default();
                    Poll::Ready(self.take_from(chunk, take))
                }))
            };
            if taken.is_some() {
                return Poll::Ready(taken);
            }
        }
    }

    /// Reads to where a long message is assembled. Its storage grows with what has arrived.
    fn poll_arriving(&mut self, cx: Waiting<'_>, mut payload: ArrivingPayload) -> Poll<()> {
        let room = payload.room();
        let storage = payload.storage();
        storage.reserve((ARRIVING_GROWTH * storage.len()).min(room + 1));
        let polled = self.poll_fill(cx, Target::Own(storage, room.min(ARRIVING_READ_MAX)));
        self.connection.take_payload_back(self.received_at, payload);
        polled.map(drop)
    }

    /// Reads into storage that the messages can share: as many are expected as came the last time.
    fn poll_burst(&mut self, cx: Waiting<'_>) -> Poll<()> {
        let mut input = take_own_buffer(self.expected_len as usize);
        let Poll::Ready(filled) = self.poll_fill(cx, Target::Own(&mut input, usize::MAX)) else {
            return_own_buffer(input);
            return Poll::Pending;
        };
        self.expect_burst(filled);
        if filled > 0 {
            let storage_len = input.capacity();
            self.set_input(input, storage_len);
        }
        Poll::Ready(())
    }

    /// Takes care of everything that is due, then reads once; zero says that the connection is
    /// closed.
    pub(crate) fn poll_fill(&mut self, cx: Waiting<'_>, mut target: Target<'_>) -> Poll<usize> {
        self.tally();
        loop {
            if !self.is_at_rest() && self.act_on_end(&mut cx.all()).is_break() {
                if self.is_closed() {
                    return Poll::Ready(0);
                }
                continue;
            }
            // What arrived in time counts even if nobody looked for it in time, so a deadline that
            // has passed is acted on after one more read.
            let read = self.poll_read(cx, &mut target);
            let is_due = match read {
                Poll::Ready(filled) if filled > 0 => {
                    if self.may_be_due() && self.poll_timer(&mut cx.own()).is_ready() {
                        self.reading = Reading::Late;
                    }
                    return Poll::Ready(filled);
                }
                Poll::Ready(_) | Poll::Pending => self.poll_timer(&mut cx.own()).is_ready(),
            };
            if is_due {
                self.handle_timeout();
            } else if read.is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Says whether there is nothing to do but to read.
    #[inline]
    fn is_at_rest(&self) -> bool {
        self.connection.state() == ConnectionState::Open
            && self.reading == Reading::Open
            && self.writing == Writing::Open
            && !self.has_unsent()
    }

    /// Writes, and acts on an end that has come; breaks off if that may have changed what is to be
    /// done.
    fn act_on_end(&mut self, cx: &mut Context<'_>) -> ControlFlow<()> {
        if self.is_closed() {
            return ControlFlow::Break(());
        }
        let written = self.poll_flush(cx);
        if self.reading == Reading::Ended && written.is_ready() {
            self.act(|connection| connection.handle_eof(now()));
            return ControlFlow::Break(());
        }
        if self.connection.is_done_sending() {
            self.poll_shutdown(cx);
        }
        if self.reading == Reading::Late {
            self.reading = Reading::Open;
            self.handle_timeout();
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
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

    /// Reads once; zero says that nothing was received.
    fn poll_read(&mut self, cx: Waiting<'_>, target: &mut Target<'_>) -> Poll<usize> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(0);
        };
        if self.reading == Reading::Ended {
            return Poll::Pending;
        }
        let mut cx = match self.read_wakes {
            ReadWakes::Receiver => cx.own(),
            ReadWakes::All => cx.all(),
        };
        let filled = match ready!(target.poll_read(stream, &mut cx)) {
            Ok(0) => {
                self.handle_read_end();
                0
            }
            Ok(filled) => {
                self.received_at = now();
                if let Some(observer) = &self.observer {
                    observer.read(filled);
                }
                filled
            }
            // A peer that leaves without saying goodbye to TLS just ends the stream.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.handle_read_end();
                0
            }
            Err(error) => {
                self.act(|connection| connection.handle_transport_error(error.kind()));
                0
            }
        };
        Poll::Ready(filled)
    }

    /// Acts on the end of the stream. What is queued may still be written: only one direction ended.
    fn handle_read_end(&mut self) {
        self.reading = Reading::Ended;
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
        let chunk_len = chunk.len();
        loop {
            if chunk.is_empty() && !self.connection.has_event() {
                return None;
            }
            let (used, event) = self.connection.poll_event(self.received_at, chunk);
            let found = event.map(&mut *take);
            let (_, rest) = std::mem::take(&mut chunk).split_at_mut(used);
            match found {
                None => return None,
                Some(None) => chunk = rest,
                Some(taken) => {
                    if !rest.is_empty() {
                        self.set_input(BytesMut::from(&*rest), chunk_len);
                        self.expect_burst(chunk_len);
                    }
                    self.tally();
                    return taken;
                }
            }
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
/// With less missing of a payload, the bytes behind it most likely come with the next read.
const MISSING_LEN_MIN: usize = 2 * READ_BUFFER_LEN;
/// Storage of a long payload grows by so many times what has arrived: growing costs a copy.
const ARRIVING_GROWTH: usize = 3;
/// What one read of a long payload takes in at most.
const ARRIVING_READ_MAX: usize = 256 << 10;
/// How many events that need no read count as one unit of a task's work.
const EVENTS_PER_TURN: u8 = 32;
