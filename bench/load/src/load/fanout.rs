//! Fan-out: a publisher for each topic, many subscribers, a burst under way at a time.

use std::{
    collections::BTreeMap,
    ffi::OsString,
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
    /// More than one works with a hub only.
    pub topics: usize,
    /// For each topic.
    pub subscribers: usize,
    pub burst: usize,
}

struct Session {
    frames: Frames,
    /// By topic.
    publishers: Vec<Connection>,
    /// By topic too, some for each.
    subscribers: Vec<Connection>,
    /// What subscribers of each topic have not got yet.
    missing: Vec<u64>,
    poll: Poll,
    buffer: Vec<u8>,
}

impl Fanout {
    /// Measures every subject in turns; counts what subscribers get.
    pub fn run(self, subjects: &[Subject], round: Round) -> Outcome<Samples> {
        let mut samples = Samples::default();
        let mut sessions: Vec<Option<_>> = subjects.iter().map(|_| None).collect();
        let has_room_for_all = self.topics * self.subscribers <= SUBSCRIBERS_KEPT_MAX;
        for _ in 0..round.count {
            for (subject, kept) in subjects.iter().zip(&mut sessions) {
                let (server, session) = match kept {
                    Some(running) => running,
                    None => kept.insert(self.start(subject, round)?),
                };
                let (wall, before) = (Instant::now(), server.thread_times()?);
                let received = session.run(round.length, Checking::Length)?;
                let wall = wall.elapsed();
                let spent = spent_since(&before, &server.thread_times()?);
                samples.add(subject, received, wall, spent.iter().sum());
                let busiest = spent.into_iter().max().unwrap_or_default();
                samples.add_busiest(subject, received, busiest);
                kept.take_if(|_| !has_room_for_all);
            }
        }
        Ok(samples)
    }

    /// Starts a server, subscribes, and checks what comes.
    fn start(self, subject: &Subject, round: Round) -> Outcome<(Server, Session)> {
        let server = Server::start_on(subject.processors, &subject.command)?;
        let mut session = Session::new(self, server.address, subject.dialect)?;
        session
            .run(round.warm_up, Checking::Content)
            .map_err(|error| format!("{}: {error}", subject.name))?;
        Ok((server, session))
    }
}

/// The processor time that each thread has spent since.
fn spent_since(
    before: &BTreeMap<OsString, Duration>,
    after: &BTreeMap<OsString, Duration>,
) -> Vec<Duration> {
    let since =
        |(thread, now): (_, &Duration)| *now - before.get(thread).copied().unwrap_or_default();
    after.iter().map(since).collect()
}

impl Session {
    fn new(fanout: Fanout, address: SocketAddr, dialect: Dialect) -> Outcome<Self> {
        let poll = Poll::new()?;
        let mut publishers = Vec::new();
        let mut subscribers = Vec::new();
        for topic in 0..fanout.topics {
            let path = |end: &str| match dialect {
                Dialect::Talk => format!("/auth/clown-talk-server_topic_{topic}"),
                Dialect::WebSocket | Dialect::Bytes => end.to_owned(),
            };
            publishers.push(Connection::open(address, &path("/pub"), dialect)?);
            for _ in 0..fanout.subscribers {
                let subscriber = Connection::open(address, &path("/sub"), dialect)?;
                poll.add(&subscriber.stream, subscribers.len(), EventFlags::IN)?;
                subscribers.push(subscriber);
            }
        }
        // A server may answer the handshake before it subscribes.
        sleep(Duration::from_millis(100));
        Ok(Self {
            frames: Frames::new(fanout.len, fanout.burst, dialect),
            missing: vec![0; publishers.len()],
            publishers,
            subscribers,
            poll,
            buffer: vec![0; 64 << 10],
        })
    }

    /// Publishes the next burst on each topic when every subscriber has the last one.
    fn run(&mut self, length: Duration, checking: Checking) -> Outcome<u64> {
        let mut received = 0;
        let begin = Instant::now();
        let per_topic = self.subscribers.len() / self.publishers.len();
        let mut open = self.publishers.len();
        for topic in 0..open {
            self.publish(topic)?;
        }
        while open > 0 {
            let ready = self.poll.wait(PATIENCE)?;
            if ready.is_empty() {
                return Err(format!("missing after {received}: {:?}", self.missing).into());
            }
            for (number, _) in ready {
                let subscriber = &mut self.subscribers[number];
                let new = subscriber.receive(&self.frames, &mut self.buffer, checking)?;
                received += new;
                let topic = number / per_topic;
                self.missing[topic] -= new;
                if new == 0 || self.missing[topic] > 0 {
                    continue;
                }
                if begin.elapsed() < length {
                    self.publish(topic)?;
                } else {
                    open -= 1;
                }
            }
        }
        Ok(received)
    }

    fn publish(&mut self, topic: usize) -> Outcome<()> {
        let burst = self.frames.burst as u64;
        let publisher = &mut self.publishers[topic];
        publisher.push(burst, &self.frames);
        if !publisher.send(&self.frames)? {
            return Err("the publisher's socket is full".into());
        }
        let per_topic = self.subscribers.len() / self.publishers.len();
        self.missing[topic] = burst * per_topic as u64;
        Ok(())
    }
}

/// With more subscribers each round has a server of its own: a process has only so many files.
const SUBSCRIBERS_KEPT_MAX: usize = 2000;
const PATIENCE: Duration = Duration::from_secs(10);
