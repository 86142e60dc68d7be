//! One WebSocket connection: both paths, the state and the clocks.

mod arriving;
mod counters;
mod outgoing;
mod taking;

use std::{
    io::{self, IoSlice},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;

pub use arriving::ArrivingPayload;
pub use counters::Counters;
pub use taking::ReadAhead;

use crate::{
    config::{Config, PongMode},
    deflate::Deflate,
    ending::{EndedBy, Ending, Phase},
    error::{Cause, Fault},
    event::{Event, Fragment},
    frame::{Close, CloseCode, MaskingKeySource},
    keepalive::{Due, Keepalive},
    message::{Message, Payload},
    receive::{Place, ReceivePath, Received, View},
    role::Role,
    send::SendPath,
    state::{Change, ConnectionState, State},
};

/// The engine of one connection, after its opening handshake.
///
/// It does no I/O and reads no clock. The caller, called *driver*:
///
/// 1. gives received bytes to [`poll_event`](Self::poll_event) until it reports no event; by then
///    all of them are used and the buffer is free for another connection;
/// 2. after any call, writes what [`poll_transmit`](Self::poll_transmit) offers and reports it to
///    [`handle_transmitted`](Self::handle_transmitted);
/// 3. calls [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) is
///    reached, re-reading it after any call;
/// 4. shuts the stream down for writing when [`is_done_sending`](Self::is_done_sending), reads on
///    until its end, and reports that to [`handle_eof`](Self::handle_eof);
/// 5. drops the stream when the [`state`](Self::state) is `Closed`.
///
/// The last event is always [`Event::Closed`]. A peer that breaks a rule is no error of a call: it
/// is one way for the connection to end.
///
/// ```text
///             close()                    peer's close
///   Open ------------------> CloseSent ----------------+
///    | \                        |                      v
///    |  \ peer's close          | violation      CloseExchanged
///    |   +----------------------|--------------------> |
///    | violation                v                      | end of stream,
///    +---------------------> Failing ----------------->+ or deadline
///                                                      v
///                  end of stream, abort, deadline -> Closed
/// ```
#[derive(Debug)]
pub struct Connection {
    role: Role,
    state: State,
    config: Arc<Config>,
    receive: ReceivePath,
    send: SendPath,
    keepalive: Keepalive,
    /// While the connection is open, when the peer's last message arrived, kept up only with an
    /// idle timeout; then, when the closing handshake began.
    since: Instant,
    /// How it ends, once that is decided.
    ending: Option<Box<Ending>>,
    ending_reported: bool,
    /// What is left to write of the answer to the opening handshake.
    opening_len: u32,
    counters: Counters,
}

impl Connection {
    /// Makes the engine of an accepted connection.
    pub fn server(config: Arc<Config>, deflate: Option<Deflate>, now: Instant) -> Self {
        Self::new(Role::Server, None, config, deflate, now)
    }

    /// Makes the engine of an accepted connection that masks what it sends, **against** RFC 6455
    /// section 5.1, if [`Nonstandard::mask_server_frames`](crate::Nonstandard::mask_server_frames)
    /// says so too; otherwise the same as [`server`](Self::server).
    pub fn server_masking(
        config: Arc<Config>,
        deflate: Option<Deflate>,
        masks: Box<dyn MaskingKeySource>,
        now: Instant,
    ) -> Self {
        let masks = config.nonstandard.mask_server_frames.then_some(masks);
        Self::new(Role::Server, masks, config, deflate, now)
    }

    /// Makes the engine of a connection this end opened.
    ///
    /// `masks` must be cryptographically secure (RFC 6455 section 10.3).
    pub fn client(
        config: Arc<Config>,
        deflate: Option<Deflate>,
        masks: Box<dyn MaskingKeySource>,
        now: Instant,
    ) -> Self {
        Self::new(Role::Client, Some(masks), config, deflate, now)
    }

    fn new(
        role: Role,
        masks: Option<Box<dyn MaskingKeySource>>,
        config: Arc<Config>,
        deflate: Option<Deflate>,
        now: Instant,
    ) -> Self {
        let (inflater, compression) = match deflate {
            Some(deflate) => {
                let (inflater, compression) = deflate.split(role, config.compression_size_min);
                (Some(inflater), Some(compression))
            }
            None => (None, None),
        };
        Self {
            role,
            state: State::Open,
            receive: ReceivePath::new(role, config.nonstandard, inflater),
            send: SendPath::new(masks, compression),
            keepalive: Keepalive::new(now),
            since: now,
            ending: None,
            ending_reported: false,
            opening_len: 0,
            counters: Counters::default(),
            config,
        }
    }

    /// Queues the answer to the opening handshake, so that it leaves before every frame.
    ///
    /// The connection must be new: nothing was queued yet.
    pub fn queue_opening(&mut self, answer: Bytes) {
        self.opening_len = u32::try_from(answer.len()).unwrap_or(u32::MAX);
        self.send.opening(answer);
    }

    /// Gives the role this end plays.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Gives the state in the words of RFC 6455.
    pub const fn state(&self) -> ConnectionState {
        self.state.public()
    }

    /// Gives the configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Gives how the connection ended, or will end once the stream is closed.
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_deref()
    }

    /// Gives the last round-trip time a keepalive ping measured.
    pub fn round_trip(&self) -> Option<Duration> {
        self.keepalive.round_trip()
    }

    /// Gives how much passed through the connection so far. Costs a copy.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Gives the number of bytes that wait to be written.
    ///
    /// The queue takes in whatever is sent; the driver bounds it by asking here first.
    #[inline]
    pub fn queued_len(&self) -> usize {
        self.send.queued_len()
    }

    /// Chooses whether messages are assembled or handed out in pieces.
    ///
    /// Takes effect with the next message that begins.
    #[inline]
    pub fn set_view(&mut self, view: View) {
        self.receive.set_view(view);
    }

    /// Takes in received bytes and reports the next event.
    ///
    /// Gives how many bytes of `input` were used and at most one event, which may borrow them.
    /// Call again with the rest, unchanged, until there is no event; then all of `input` was used.
    /// An empty `input` asks for events that wait.
    ///
    /// Frames are unmasked in place. Work is linear in the bytes received, however they are cut.
    #[inline]
    pub fn poll_event<'a>(
        &mut self,
        now: Instant,
        input: &'a mut [u8],
    ) -> (usize, Option<Event<'a>>) {
        if !self.state.is_reading() {
            return (input.len(), self.closed_event());
        }
        if !input.is_empty() {
            self.keepalive.heard(now);
        }
        let (used, received) = self.receive.poll(&self.config.limits, input);
        self.counters.wire_bytes_in = self.counters.wire_bytes_in.wrapping_add(used as u64);
        match received {
            Ok(None) => (used, None),
            Ok(Some(Received::Message(kind, place))) => {
                self.note_message(place.len(), true, now);
                let message = Message::validated(kind, resolve(place, input));
                (used, Some(Event::Message(message)))
            }
            Ok(Some(received)) => (used, Some(self.report(received, input, now))),
            Err(fault) => {
                self.fail_with(fault, now);
                (used, None)
            }
        }
    }

    /// Says whether [`poll_event`](Self::poll_event) may report something without more input.
    #[inline]
    pub fn has_event(&self) -> bool {
        !self.state.is_reading() || self.receive.is_waiting()
    }

    /// Notes that the stream ended: the peer will send nothing more.
    pub fn handle_eof(&mut self, _now: Instant) {
        self.end(EndedBy::Network, Cause::Eof);
    }

    /// Notes that the stream failed.
    pub fn handle_transport_error(&mut self, kind: io::ErrorKind) {
        self.end(EndedBy::Network, Cause::Transport(kind));
    }

    /// Acts on deadlines that have passed. Calling it early does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self
            .close_deadline()
            .is_some_and(|deadline| deadline <= now)
        {
            self.end(EndedBy::Network, Cause::CloseTimeout);
        }
        if self.idle_deadline().is_some_and(|deadline| deadline <= now) {
            self.close_idle(now);
        }
        let Some(keepalive) = self.config.keepalive.filter(|_| self.state == State::Open) else {
            return;
        };
        match self.keepalive.due(&keepalive, now) {
            Due::Nothing => {}
            Due::Ping => self.keepalive_ping(now),
            Due::GiveUp if self.send.excuses_silence() => self.keepalive.await_life(now),
            Due::GiveUp => self.end(EndedBy::Network, Cause::KeepaliveTimeout),
        }
    }

    /// Notes that the first `len` bytes of what [`poll_transmit`](Self::poll_transmit) offered
    /// were written.
    #[inline]
    pub fn handle_transmitted(&mut self, len: usize) {
        // The answer to the opening handshake is not counted.
        let opening = self.opening_len.min(u32::try_from(len).unwrap_or(u32::MAX));
        self.opening_len -= opening;
        let frames = len as u64 - u64::from(opening);
        self.counters.wire_bytes_out = self.counters.wire_bytes_out.wrapping_add(frames);
        self.send.advance(len);
    }

    /// Offers bytes to write, as slices for one vectored write; gives the number filled.
    ///
    /// Zero says that there is nothing to write.
    #[inline]
    pub fn poll_transmit<'a>(&'a mut self, slices: &mut [IoSlice<'a>]) -> usize {
        self.send.slices(slices)
    }

    /// Gives the next time [`handle_timeout`](Self::handle_timeout) has to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Open => {
                let keepalive = self.config.keepalive;
                let keepalive = keepalive.and_then(|config| self.keepalive.deadline(&config));
                keepalive.into_iter().chain(self.idle_deadline()).min()
            }
            State::CloseSent | State::CloseExchanged | State::Failing | State::Closed => {
                self.close_deadline()
            }
        }
    }

    /// Says whether the stream is to be shut down for writing: all is written and nothing more
    /// will be.
    ///
    /// The server does so as soon as both close frames are exchanged; the client leaves it the
    /// first move (RFC 6455 section 7.1.1).
    pub fn is_done_sending(&self) -> bool {
        match self.state {
            State::Open | State::CloseSent => false,
            State::CloseExchanged => self.role == Role::Server && self.send.queued_len() == 0,
            State::Failing => self.send.queued_len() == 0,
            State::Closed => true,
        }
    }

    /// Asks for a sign of life; a ping that still waits to be written asks for this one too.
    fn keepalive_ping(&mut self, now: Instant) {
        self.keepalive.await_life(now);
        let keepalive = &mut self.keepalive;
        self.send.keepalive_ping(|| keepalive.ping_payload(now));
    }

    /// Notes payload of a message; `ends` with its last.
    #[inline]
    fn note_message(&mut self, len: usize, ends: bool, now: Instant) {
        self.counters.receive(len, ends);
        self.note_life(now);
    }

    /// Notes when the peer's last message arrived.
    #[inline]
    fn note_life(&mut self, now: Instant) {
        if self.config.idle_timeout.is_some() && self.state == State::Open {
            self.since = now;
        }
    }

    /// When an open connection has been idle for too long.
    fn idle_deadline(&self) -> Option<Instant> {
        let timeout = self
            .config
            .idle_timeout
            .filter(|_| self.state == State::Open)?;
        self.since.checked_add(timeout)
    }

    /// When the closing handshake has to be over.
    fn close_deadline(&self) -> Option<Instant> {
        match self.state {
            State::Open | State::Closed => None,
            State::CloseSent | State::CloseExchanged | State::Failing => {
                self.since.checked_add(self.config.close_timeout)
            }
        }
    }

    /// Closes a connection whose peer has sent no message for too long.
    fn close_idle(&mut self, now: Instant) {
        let close = Close::of_fault(CloseCode::GOING_AWAY);
        if self.close(now, Some(&close)).is_err() {
            // Inside a frame sent in pieces there is no place for a close frame.
            self.abort();
        }
    }

    fn report<'a>(&mut self, received: Received, input: &'a [u8], now: Instant) -> Event<'a> {
        match received {
            Received::Message(kind, place) => {
                self.note_message(place.len(), true, now);
                Event::Message(Message::validated(kind, resolve(place, input)))
            }
            Received::Fragment(piece) => {
                self.note_message(piece.payload.len(), piece.message_end, now);
                Event::Fragment(Fragment {
                    kind: piece.kind,
                    payload: resolve(piece.payload, input),
                    message_start: piece.message_start,
                    message_end: piece.message_end,
                    frame_end: piece.frame_end,
                })
            }
            Received::Ping(place) => {
                self.counters.pings_in = self.counters.pings_in.saturating_add(1);
                let payload = resolve(place, input);
                if self.config.pong == PongMode::Automatic && self.state == State::Open {
                    self.send.answer_ping(&payload);
                }
                Event::Ping(payload)
            }
            Received::Pong(place) => {
                let payload = resolve(place, input);
                let round_trip = self.keepalive.pong(&payload, now);
                let count = u32::from(round_trip.is_some());
                self.counters.round_trips = self.counters.round_trips.saturating_add(count);
                Event::Pong {
                    payload,
                    round_trip,
                }
            }
            Received::Close(close) => {
                self.handle_close(close.as_ref(), now);
                Event::Close(close)
            }
        }
    }

    /// RFC 6455 section 5.5.1: a close frame is answered by one with the same code.
    ///
    /// Inside a frame sent in pieces it cannot be; then the stream is ended instead.
    fn handle_close(&mut self, close: Option<&Close>, now: Instant) {
        self.receive.clear();
        if self.state == State::Open {
            let mut ending = Ending::clean(EndedBy::Peer, close);
            let answer = close.map(|close| Close::of_fault(close.code()));
            if !self.send.close(answer.as_ref()) {
                ending.cause = Cause::Aborted;
                self.ending = Some(Box::new(ending));
                return self.change(Change::Fail, now);
            }
            self.ending = Some(Box::new(ending));
        } else if let Some(ending) = &mut self.ending {
            ending.cause = Cause::ClosingHandshake;
            // A bare echo of our code takes nothing away from our reason.
            if let Some(close) = close
                && (close.code() != ending.code || !close.reason().is_empty())
            {
                ending.code = close.code();
                ending.reason = close.reason().into();
            }
        }
        self.change(Change::ReceiveClose, now);
    }

    /// RFC 6455 section 7.1.7: tells the peer what it did and stops reading.
    fn fail_with(&mut self, fault: Fault, now: Instant) {
        let code = fault.close_code();
        if self.state == State::Open {
            self.send.close(Some(&Close::of_fault(code)));
        }
        let phase = self.phase();
        let ending = Ending::abnormal(EndedBy::Local, phase, code, fault.cause());
        self.ending = Some(Box::new(ending));
        self.receive.clear();
        self.change(Change::Fail, now);
    }

    /// Ends the connection, keeping an ending that is decided already.
    fn end(&mut self, by: EndedBy, cause: Cause) {
        let decided = match self.state {
            State::CloseExchanged | State::Failing | State::Closed => self.ending.is_some(),
            State::Open | State::CloseSent => false,
        };
        if !decided {
            let phase = self.phase();
            let ending = Ending::abnormal(by, phase, CloseCode::ABNORMAL, cause);
            self.ending = Some(Box::new(ending));
        }
        self.state = self.state.after(Change::End);
        self.receive.clear();
        self.send.clear();
    }

    fn change(&mut self, change: Change, now: Instant) {
        if self.state == State::Open {
            self.since = now;
        }
        self.state = self.state.after(change);
    }

    const fn phase(&self) -> Phase {
        match self.state {
            State::Open => Phase::Open,
            State::CloseSent | State::CloseExchanged | State::Failing | State::Closed => {
                Phase::Closing
            }
        }
    }

    /// Reports the end, once.
    fn closed_event(&mut self) -> Option<Event<'static>> {
        if self.state != State::Closed || self.ending_reported {
            return None;
        }
        self.ending_reported = true;
        self.ending.as_deref().cloned().map(Event::Closed)
    }
}

/// Borrows a payload from where it is.
#[inline]
fn resolve(place: Place, input: &[u8]) -> Payload<'_> {
    match place {
        Place::Input(range) => Payload::Borrowed(input.get(range).unwrap_or_default()),
        Place::Own(bytes) => Payload::Shared(bytes),
    }
}
