//! Compressed messages: echo in a closed loop, fan-out, and idle memory.

use std::{
    net::SocketAddr,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    Outcome,
    deflated::{Agreed, Content, Deflated},
    link::{Check, Link},
    poll::{EventFlags, Poll},
    server::Server,
    subject::Subject,
    table::{Round, Samples},
};

/// How servers that compress are loaded.
#[derive(Clone, Copy, Debug)]
pub struct Compress {
    pub wanted: Agreed,
    pub content: Content,
    /// About the length of a message, in bytes.
    pub len: usize,
    pub connections: usize,
    /// Messages under way: on each connection, or those of the publisher.
    pub in_flight: usize,
    pub pattern: Pattern,
}

/// Who gets an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// The one who sent.
    Echo,
    /// Everybody, from one who publishes.
    Fanout,
}

/// Open connections to one server.
struct Session {
    messages: Deflated,
    publisher: Option<Link>,
    links: Vec<Link>,
    checks: Vec<Check>,
    /// Whether a link waits until its socket takes more.
    blocked: Vec<bool>,
    poll: Poll,
    buffer: Vec<u8>,
    in_flight: u64,
}

impl Compress {
    /// Measures every subject in turns.
    pub fn run(self, subjects: &[Subject], round: Round) -> Outcome<Samples> {
        let mut samples = Samples::default();
        let mut sessions = Vec::new();
        for subject in subjects {
            let named = |error| format!("{}: {error}", subject.name);
            let server = Server::start(&subject.command)?;
            self.verify(server.address).map_err(named)?;
            let mut session = Session::new(self, self.connections, server.address)?;
            session.run(Until::Time(round.warm_up)).map_err(named)?;
            sessions.push((server, session));
        }
        for _ in 0..round.count {
            for (subject, (server, session)) in subjects.iter().zip(&mut sessions) {
                let (wall, cpu) = (Instant::now(), server.processor_time()?);
                let before = session.wire();
                let replies = session.run(Until::Time(round.length))?;
                let cpu = server.processor_time()? - cpu;
                samples.add(subject, replies, wall.elapsed(), cpu);
                let wire = (session.wire() - before) as f64 / replies as f64;
                let agreed = session.links[0].agreed.name();
                samples.add_wire(subject, agreed, wire, session.messages.plain_len);
            }
        }
        Ok(samples)
    }

    /// Gives the bytes of process memory that each connection adds which had one message echoed.
    pub fn idle(self, subject: &Subject) -> Outcome<f64> {
        let server = Server::start(&subject.command)?;
        // What is made once, for the first connections, does not count.
        let mut warm = Session::new(self, WARM, server.address)?;
        warm.run(Until::Replies(1))?;
        sleep(SETTLING);
        let before = server.memory()?;
        let mut idle = Session::new(self, self.connections, server.address)?;
        idle.run(Until::Replies(1))?;
        sleep(SETTLING);
        let after = server.memory()?;
        Ok((after as f64 - before as f64) / self.connections as f64)
    }

    /// Runs all messages through a few connections and inflates what comes back.
    fn verify(self, address: SocketAddr) -> Outcome<()> {
        let mut session = Session::new(self, 3, address)?;
        session.checks = session.links.iter().map(|_| Check::new()).collect();
        let count = session.messages.messages.len() as u64 + 1;
        session.run(Until::Replies(count))?;
        let is_whole = |check: &Check| check.next as u64 >= count;
        if session.checks.iter().all(is_whole) {
            return Ok(());
        }
        Err("a message is missing".into())
    }
}

impl Session {
    fn new(compress: Compress, connections: usize, address: SocketAddr) -> Outcome<Self> {
        let (wanted, poll) = (compress.wanted, Poll::new()?);
        let (path, publisher) = match compress.pattern {
            Pattern::Echo => ("/", None),
            Pattern::Fanout => ("/sub", Some(Link::open(address, "/pub", wanted)?)),
        };
        let mut links = Vec::new();
        for number in 0..connections {
            let link = Link::open(address, path, wanted)?;
            poll.add(&link.stream, number, EventFlags::IN)?;
            links.push(link);
        }
        if publisher.is_some() {
            // A server may answer the handshake before it subscribes.
            sleep(Duration::from_millis(100));
        }
        let agreed = links.first().map_or(wanted, |link| link.agreed);
        Ok(Self {
            messages: Deflated::new(compress.len, compress.content, agreed)?,
            publisher,
            blocked: vec![false; links.len()],
            links,
            checks: Vec::new(),
            poll,
            buffer: vec![0; 256 << 10],
            in_flight: compress.in_flight as u64,
        })
    }

    fn wire(&self) -> u64 {
        self.links.iter().map(|link| link.wire).sum()
    }

    /// Runs until it is enough, then until every reply is here; gives the number of replies.
    fn run(&mut self, until: Until) -> Outcome<u64> {
        match self.publisher {
            Some(_) => self.fan_out(until),
            None => self.echo(until),
        }
    }

    fn echo(&mut self, until: Until) -> Outcome<u64> {
        let (mut replies, begin) = (0, Instant::now());
        let mut left = vec![until.replies(); self.links.len()];
        for (number, left) in left.iter_mut().enumerate() {
            let first = self.in_flight.min(*left);
            *left -= first;
            self.links[number].push(first, &self.messages);
            self.send(number)?;
        }
        let mut open = self.links.len();
        while open > 0 {
            if begin.elapsed() >= until.time() + PATIENCE {
                return Err("a reply is missing".into());
            }
            for (number, flags) in self.poll.wait(Duration::ZERO)? {
                if flags.contains(EventFlags::OUT) {
                    self.send(number)?;
                }
                if !flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                    continue;
                }
                let new = self.receive(number)?;
                replies += new;
                let more = if begin.elapsed() >= until.time() {
                    0
                } else {
                    new.min(left[number])
                };
                if more > 0 {
                    left[number] -= more;
                    self.links[number].push(more, &self.messages);
                    self.send(number)?;
                } else if new > 0 && self.links[number].open == 0 {
                    open -= 1;
                }
            }
        }
        Ok(replies)
    }

    /// Publishes the next burst when every subscriber has the last one.
    fn fan_out(&mut self, until: Until) -> Outcome<u64> {
        let (mut received, begin) = (0, Instant::now());
        let enough = until.replies().saturating_mul(self.links.len() as u64);
        while begin.elapsed() < until.time() && received < enough {
            let publisher = self.publisher.as_mut().ok_or("nobody publishes")?;
            publisher.push(self.in_flight, &self.messages);
            if !publisher.send(&self.messages)? {
                return Err("the publisher's socket is full".into());
            }
            let mut missing = self.in_flight * self.links.len() as u64;
            while missing > 0 {
                let ready = self.poll.wait(PATIENCE)?;
                if ready.is_empty() {
                    return Err(format!("{missing} messages are missing").into());
                }
                for (number, _) in ready {
                    let new = self.receive(number)?;
                    missing -= new;
                    received += new;
                }
            }
        }
        Ok(received)
    }

    fn receive(&mut self, number: usize) -> Outcome<u64> {
        let check = self.checks.get_mut(number);
        let check = check.map(|check| (check, &self.messages));
        self.links[number].receive(&mut self.buffer, check)
    }

    fn send(&mut self, number: usize) -> Outcome<()> {
        let link = &mut self.links[number];
        let is_blocked = !link.send(&self.messages)?;
        if is_blocked != self.blocked[number] {
            self.blocked[number] = is_blocked;
            let mut flags = EventFlags::IN;
            flags.set(EventFlags::OUT, is_blocked);
            self.poll.change(&link.stream, number, flags)?;
        }
        Ok(())
    }
}

/// When it is enough.
#[derive(Clone, Copy, Debug)]
enum Until {
    Time(Duration),
    /// On each connection.
    Replies(u64),
}

impl Until {
    const fn replies(self) -> u64 {
        match self {
            Self::Time(_) => u64::MAX,
            Self::Replies(replies) => replies,
        }
    }

    const fn time(self) -> Duration {
        match self {
            Self::Time(time) => time,
            Self::Replies(_) => Duration::from_secs(60),
        }
    }
}

const WARM: usize = 50;
const PATIENCE: Duration = Duration::from_secs(10);
const SETTLING: Duration = Duration::from_millis(300);
