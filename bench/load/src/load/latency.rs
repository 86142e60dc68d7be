//! Latency in an open loop: messages are sent when they are due, whether or not replies are late.

use std::{
    collections::VecDeque,
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
    table::Round,
};

/// How an echo is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    pub len: usize,
    pub connections: usize,
    /// Messages a second, of all connections together.
    pub rate: u32,
}

/// Latencies of one subject.
#[derive(Debug)]
pub struct Percentiles {
    pub name: String,
    /// Half, 99 % and 99.9 % of the messages took at most so long.
    pub values: [Duration; 3],
}

struct Session {
    frames: Frames,
    connections: Vec<Connection>,
    /// When the messages without a reply were due.
    due: Vec<VecDeque<Instant>>,
    poll: Poll,
    buffer: Vec<u8>,
}

impl Latency {
    /// Measures every subject in turns. A message counts from when it was due, not from when it
    /// could be sent: a server that stops for a while pays for all that became due meanwhile.
    pub fn run(self, subjects: &[Subject], round: Round) -> Outcome<Vec<Percentiles>> {
        let mut sessions = Vec::new();
        for subject in subjects {
            let server = Server::start(&subject.command)?;
            let mut session = Session::new(self, server.address, subject.dialect)?;
            session
                .run(self, round.warm_up, Checking::Content)
                .map_err(|error| format!("{}: {error}", subject.name))?;
            sessions.push((server, session, Vec::new()));
        }
        for _ in 0..round.count {
            for (_, session, latencies) in &mut sessions {
                latencies.extend(session.run(self, round.length, Checking::Length)?);
            }
        }
        let all = subjects.iter().zip(sessions);
        Ok(all
            .map(|(subject, (_, _, mut latencies))| {
                latencies.sort_unstable();
                let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
                Percentiles {
                    name: subject.name.clone(),
                    values: [at(0.5), at(0.99), at(0.999)],
                }
            })
            .collect())
    }
}

impl Session {
    fn new(latency: Latency, address: SocketAddr, dialect: Dialect) -> Outcome<Self> {
        let poll = Poll::new()?;
        let mut connections = Vec::new();
        for number in 0..latency.connections {
            let connection = Connection::open(address, "/", dialect)?;
            poll.add(&connection.stream, number, EventFlags::IN)?;
            connections.push(connection);
        }
        Ok(Self {
            frames: Frames::new(latency.len, 1, dialect),
            due: connections.iter().map(|_| VecDeque::new()).collect(),
            connections,
            poll,
            buffer: vec![0; 64 << 10],
        })
    }

    fn run(
        &mut self,
        latency: Latency,
        length: Duration,
        checking: Checking,
    ) -> Outcome<Vec<Duration>> {
        let interval = Duration::from_secs(1) / latency.rate;
        let begin = Instant::now();
        let mut next = begin;
        let mut latencies = Vec::new();
        let mut open = 0_u64;
        let mut turn = 0;
        while next < begin + length || open > 0 {
            let now = Instant::now();
            if now > begin + length + PATIENCE {
                return Err("a reply is missing".into());
            }
            while next <= now && next < begin + length {
                let number = turn % self.connections.len();
                let connection = &mut self.connections[number];
                connection.push(1, &self.frames);
                if !connection.send(&self.frames)? {
                    return Err("a socket is full: the rate is too high".into());
                }
                self.due[number].push_back(next);
                open += 1;
                turn += 1;
                next += interval;
            }
            // The load has a processor of its own and does not sleep, so as not to be late.
            for (number, _) in self.poll.wait(Duration::ZERO)? {
                let connection = &mut self.connections[number];
                let replies = connection.receive(&self.frames, &mut self.buffer, checking)?;
                let now = Instant::now();
                let due = self.due[number].drain(..replies as usize);
                latencies.extend(due.map(|due| now - due));
                open -= replies;
            }
        }
        Ok(latencies)
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
