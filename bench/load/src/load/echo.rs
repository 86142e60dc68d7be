//! Echo in a closed loop: a number of messages under way on each connection.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    Outcome,
    connection::{Checking, Connection},
    frames::{Dialect, Frames},
    poll::{EventFlags, Poll},
    server::Server,
    subject::Subject,
    table::{Round, Samples},
};

/// How an echo is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Echo {
    pub len: usize,
    pub connections: usize,
    pub in_flight: usize,
}

/// Open connections to one server.
struct Session {
    frames: Frames,
    connections: Vec<Connection>,
    /// Whether a connection waits until its socket takes more.
    blocked: Vec<bool>,
    poll: Poll,
    buffer: Vec<u8>,
}

impl Echo {
    /// Measures every subject in turns.
    pub fn run(self, subjects: &[Subject], round: Round) -> Outcome<Samples> {
        let mut samples = Samples::default();
        let mut sessions = Vec::new();
        for subject in subjects {
            let server = Server::start(&subject.command)?;
            let mut session = Session::new(self, server.address, subject.dialect)?;
            session
                .run(round.warm_up, Checking::Content)
                .map_err(|error| format!("{}: {error}", subject.name))?;
            sessions.push((server, session));
        }
        for _ in 0..round.count {
            for (subject, (server, session)) in subjects.iter().zip(&mut sessions) {
                let (wall, cpu) = (Instant::now(), server.processor_time()?);
                let replies = session.run(round.length, Checking::Length)?;
                let cpu = server.processor_time()? - cpu;
                samples.add(subject, replies, wall.elapsed(), cpu);
            }
        }
        Ok(samples)
    }
}

impl Session {
    fn new(echo: Echo, address: SocketAddr, dialect: Dialect) -> Outcome<Self> {
        let poll = Poll::new()?;
        let mut connections = Vec::new();
        for number in 0..echo.connections {
            let connection = Connection::open(address, "/", dialect)?;
            poll.add(&connection.stream, number, EventFlags::IN)?;
            connections.push(connection);
        }
        Ok(Self {
            frames: Frames::new(echo.len, echo.in_flight, dialect),
            blocked: vec![false; connections.len()],
            connections,
            poll,
            buffer: vec![0; 256 << 10],
        })
    }

    /// Runs for a time, then until every reply is here; gives the number of replies.
    fn run(&mut self, length: Duration, checking: Checking) -> Outcome<u64> {
        let mut replies = 0;
        for number in 0..self.connections.len() {
            let burst = self.frames.burst as u64;
            self.connections[number].push(burst, &self.frames);
            self.send(number)?;
        }
        let mut open = self.connections.len();
        let begin = Instant::now();
        while open > 0 {
            let is_over = begin.elapsed() >= length;
            if begin.elapsed() >= length + PATIENCE {
                return Err("a reply is missing".into());
            }
            for (number, flags) in self.poll.wait(Duration::ZERO)? {
                if flags.contains(EventFlags::OUT) {
                    self.send(number)?;
                }
                if !flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                    continue;
                }
                let connection = &mut self.connections[number];
                let new = connection.receive(&self.frames, &mut self.buffer, checking)?;
                replies += new;
                if !is_over && new > 0 {
                    connection.push(new, &self.frames);
                    self.send(number)?;
                } else if new > 0 && connection.open == 0 {
                    open -= 1;
                }
            }
        }
        Ok(replies)
    }

    fn send(&mut self, number: usize) -> Outcome<()> {
        let connection = &mut self.connections[number];
        let is_blocked = !connection.send(&self.frames)?;
        if is_blocked != self.blocked[number] {
            self.blocked[number] = is_blocked;
            let mut flags = EventFlags::IN;
            flags.set(EventFlags::OUT, is_blocked);
            self.poll.change(&connection.stream, number, flags)?;
        }
        Ok(())
    }
}

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(10);
