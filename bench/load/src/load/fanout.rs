//! Fan-out: one publisher, many subscribers, a burst under way at a time.

use std::{
    net::SocketAddr,
    thread::sleep,
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

/// How a fan-out is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Fanout {
    pub len: usize,
    pub subscribers: usize,
    pub burst: usize,
}

struct Session {
    frames: Frames,
    publisher: Connection,
    subscribers: Vec<Connection>,
    poll: Poll,
    buffer: Vec<u8>,
}

impl Fanout {
    /// Measures every subject in turns; counts what subscribers get.
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
                let received = session.run(round.length, Checking::Length)?;
                let cpu = server.processor_time()? - cpu;
                samples.add(subject, received, wall.elapsed(), cpu);
            }
        }
        Ok(samples)
    }
}

impl Session {
    fn new(fanout: Fanout, address: SocketAddr, dialect: Dialect) -> Outcome<Self> {
        let poll = Poll::new()?;
        let publisher = Connection::open(address, "/pub", dialect)?;
        let mut subscribers = Vec::new();
        for number in 0..fanout.subscribers {
            let subscriber = Connection::open(address, "/sub", dialect)?;
            poll.add(&subscriber.stream, number, EventFlags::IN)?;
            subscribers.push(subscriber);
        }
        // A server may answer the handshake before it subscribes.
        sleep(Duration::from_millis(100));
        Ok(Self {
            frames: Frames::new(fanout.len, fanout.burst, dialect),
            publisher,
            subscribers,
            poll,
            buffer: vec![0; 64 << 10],
        })
    }

    fn run(&mut self, length: Duration, checking: Checking) -> Outcome<u64> {
        let mut received = 0;
        let begin = Instant::now();
        while begin.elapsed() < length {
            self.publisher.push(self.frames.burst as u64, &self.frames);
            if !self.publisher.send(&self.frames)? {
                return Err("the publisher's socket is full".into());
            }
            received += self.collect(checking)?;
        }
        Ok(received)
    }

    /// Waits until every subscriber has the burst.
    fn collect(&mut self, checking: Checking) -> Outcome<u64> {
        let expected = (self.frames.burst * self.subscribers.len()) as u64;
        let mut received = 0;
        while received < expected {
            let ready = self.poll.wait(PATIENCE)?;
            if ready.is_empty() {
                return Err(format!("{received} of {expected} messages arrived").into());
            }
            for (number, _) in ready {
                let subscriber = &mut self.subscribers[number];
                received += subscriber.receive(&self.frames, &mut self.buffer, checking)?;
            }
        }
        Ok(received)
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
