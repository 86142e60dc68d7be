//! One end of a connection with its driver.

use std::{
    io::IoSlice,
    sync::Arc,
    time::{Duration, Instant},
};

use bowline_proto::{Config, Connection, Ending, Event, Role, deflate::Deflate};
use bytes::{Buf as _, BytesMut};

use crate::{Chunks, Clock, Collected, CountingMasks, Frame};

/// Drives an engine as its contract says, keeps what it reports, and checks that every call makes
/// progress.
#[derive(Debug)]
pub struct End {
    /// The engine.
    pub connection: Connection,
    /// Its time.
    pub clock: Clock,
    /// How many bytes each read brings.
    pub reads: Chunks,
    /// Messages are also taken and read by the ways around `poll_event`.
    pub lends: bool,
    /// How many bytes each write takes.
    pub writes: Chunks,
    /// Everything reported and not taken yet.
    pub events: Vec<Collected>,
    /// The number of calls of `poll_event`.
    pub polls: usize,
}

impl End {
    /// Makes an end that cuts nothing.
    pub fn new(role: Role, config: Config, deflate: Option<Deflate>) -> Self {
        let clock = Clock::new();
        let config = Arc::new(config);
        let connection = match role {
            Role::Server => {
                // The same as `server`, unless the configuration says otherwise.
                let masks = Box::new(CountingMasks::default());
                Connection::server_masking(config, deflate, masks, clock.now())
            }
            Role::Client => {
                let masks = Box::new(CountingMasks::default());
                Connection::client(config, deflate, masks, clock.now())
            }
        };
        Self {
            connection,
            clock,
            reads: Chunks::whole(),
            lends: false,
            writes: Chunks::whole(),
            events: Vec::new(),
            polls: 0,
        }
    }

    /// Makes an end with the default configuration.
    pub fn plain(role: Role) -> Self {
        Self::new(role, Config::default(), None)
    }

    /// Gives the time.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Lets the engine read bytes, cut as `reads` says, and then the events that wait.
    ///
    /// # Panics
    /// If a call neither uses bytes nor reports an event, or bytes are left.
    pub fn read(&mut self, bytes: &[u8]) {
        let reads = self.reads.clone();
        for piece in reads.cut(bytes) {
            if self.lends {
                self.read_lent(piece);
            } else {
                self.read_piece(&mut piece.to_vec());
            }
        }
        self.read_piece(&mut []);
    }

    /// Lets the engine read one piece, and all events of it.
    ///
    /// # Panics
    /// As [`read`](Self::read).
    pub fn read_piece(&mut self, mut piece: &mut [u8]) {
        let now = self.now();
        loop {
            let len = piece.len();
            self.polls += 1;
            let (used, event) = self.connection.poll_event(now, piece);
            let reported = event.is_some();
            self.events.extend(event.map(Collected::from));
            piece = piece
                .get_mut(used..)
                .expect("no more is used than there is");
            if !reported {
                assert!(
                    piece.is_empty(),
                    "no event, but {} of {len} left",
                    piece.len()
                );
                return;
            }
        }
    }

    /// As [`read_piece`](Self::read_piece), but what can be appended to a payload is, and messages
    /// are taken ahead where they lie whole.
    fn read_lent(&mut self, mut piece: &[u8]) {
        let now = self.now();
        if let Some(mut payload) = self.connection.lend_payload(0, 0) {
            let (appended, rest) = piece.split_at(piece.len().min(payload.room()));
            payload.storage().extend_from_slice(appended);
            self.connection.take_payload_back(now, payload);
            piece = rest;
        }
        let mut input = BytesMut::from(piece);
        while let Some(mut ahead) = self.connection.read_ahead(&mut input, SHARED_LEN_MIN) {
            while let Some(message) = ahead.take() {
                self.events.push(Collected::from(Event::Message(message)));
            }
            input = self.connection.end_read_ahead(now, ahead);
            let (used, event) = self.connection.poll_event(now, &mut input);
            self.events.extend(event.map(Collected::from));
            input.advance(used);
        }
        self.read_piece(&mut input);
    }

    /// Lets the engine read frames, masked as its role wants them.
    pub fn read_frames(&mut self, frames: &[Frame]) {
        let stream = self.stream(frames);
        self.read(&stream);
    }

    /// Encodes frames for this end: masked for a server unless they have a key, else as they are.
    pub fn stream(&self, frames: &[Frame]) -> Vec<u8> {
        let mut stream = Vec::new();
        for (number, frame) in frames.iter().enumerate() {
            let mut frame = frame.clone();
            if self.connection.role() == Role::Server && frame.key.is_none() {
                let number = u32::try_from(number).unwrap_or_default();
                frame.key = Some((0x9E37_79B9_u32 ^ number).to_be_bytes());
            }
            stream.extend_from_slice(&frame.encode());
        }
        stream
    }

    /// Takes everything the engine wants to write, in writes as `writes` says.
    pub fn write(&mut self) -> Vec<u8> {
        let mut written = Vec::new();
        let mut turn = 0;
        while self.write_once(turn, &mut written) {
            turn += 1;
        }
        written
    }

    /// Takes what one write takes; says whether there was anything.
    pub fn write_once(&mut self, turn: usize, written: &mut Vec<u8>) -> bool {
        let mut slices = [IoSlice::new(&[]); 4];
        let filled = self.connection.poll_transmit(&mut slices);
        let offered: usize = slices[..filled].iter().map(|slice| slice.len()).sum();
        let len = self.writes.len_at(turn, offered);
        let mut left = len;
        for slice in &slices[..filled] {
            let taken = left.min(slice.len());
            written.extend_from_slice(&slice[..taken]);
            left -= taken;
        }
        self.connection.handle_transmitted(len);
        filled > 0
    }

    /// Takes what the engine wants to write, as frames.
    pub fn write_frames(&mut self) -> Vec<Frame> {
        Frame::parse_all(&self.write())
    }

    /// Takes the events reported so far.
    pub fn take_events(&mut self) -> Vec<Collected> {
        std::mem::take(&mut self.events)
    }

    /// Moves the clock and acts on the deadlines passed, one after the other.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now() + time;
        while let Some(deadline) = self.connection.poll_timeout().filter(|at| *at <= end) {
            let wait = deadline.saturating_duration_since(self.now());
            self.clock.advance(wait);
            self.connection.handle_timeout(self.now());
        }
        let wait = end.saturating_duration_since(self.now());
        self.clock.advance(wait);
        self.connection.handle_timeout(self.now());
    }

    /// Ends the stream the engine reads from and takes the last events.
    pub fn eof(&mut self) {
        self.connection.handle_eof(self.now());
        self.read_piece(&mut []);
    }

    /// Ends the stream and gives how the connection ended.
    ///
    /// # Panics
    /// If the last event is not the end, or it is reported twice.
    pub fn ended(&mut self) -> Ending {
        self.eof();
        let is_closed = |event: &&Collected| matches!(event, Collected::Closed(_));
        assert_eq!(self.events.iter().filter(is_closed).count(), 1);
        let Some(Collected::Closed(ending)) = self.events.last() else {
            panic!("the last event is the end: {:?}", self.events);
        };
        assert_eq!(self.connection.ending(), Some(ending));
        ending.clone()
    }
}

/// Payloads from here on share the storage of what they came in.
const SHARED_LEN_MIN: usize = 64;
