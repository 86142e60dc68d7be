//! `hold ADDRESS DIALECT COUNT NUMBER`: a process that opens connections, has one message answered on
//! each, and then only answers pings.
//!
//! Processes of their own, because each may have only so many files. It writes a line when all
//! are open, and for each line it is given one with the number of pings answered.

use std::{
    env,
    io::{self, BufRead, Read, Write, stdin},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    Outcome,
    connection::{Checking, Connection},
    frames::{Dialect, Frames},
    idle::talk,
    poll::{EventFlags, Poll},
};

/// The parent's side of such a process.
#[derive(Debug)]
pub struct Holder {
    child: Child,
    orders: ChildStdin,
    answers: io::BufReader<ChildStdout>,
}

impl Holder {
    /// Starts to open connections.
    ///
    /// Each such process has a number of its own: from one address of this machine, which stands
    /// for it, only so many ports lead away.
    pub fn start(
        number: usize,
        address: SocketAddr,
        dialect: Dialect,
        count: usize,
    ) -> Outcome<Self> {
        let mut child = Command::new(env::current_exe()?)
            .arg("hold")
            .arg(address.to_string())
            .arg(if dialect == Dialect::Talk {
                "talk"
            } else {
                "websocket"
            })
            .arg(count.to_string())
            .arg(number.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take().ok_or("the holder has no input")?;
        let answers = child.stdout.take().ok_or("the holder has no output")?;
        Ok(Self {
            child,
            orders,
            answers: io::BufReader::new(answers),
        })
    }

    /// Waits until all are open.
    pub fn opened(&mut self) -> Outcome<()> {
        self.number().map(drop)
    }

    /// Gives how many pings were answered so far.
    pub fn pings(&mut self) -> Outcome<u64> {
        self.orders.write_all(b"\n")?;
        self.number()
    }

    fn number(&mut self) -> Outcome<u64> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim().parse()?)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // One that is gone already cannot be killed; waiting collects it.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The process itself.
pub fn run(words: &[String]) -> Outcome<()> {
    let [address, dialect, count, holder] = words else {
        return Err("hold ADDRESS DIALECT COUNT NUMBER".into());
    };
    let (address, count, holder) = (address.parse()?, count.parse()?, holder.parse::<u8>()?);
    let dialect = match dialect.as_str() {
        "talk" => Dialect::Talk,
        _ => Dialect::WebSocket,
    };
    let frames = match dialect {
        Dialect::Talk => talk(address)?,
        _ => Frames::new(16, 1, dialect),
    };
    let mut poll = Poll::new()?;
    let mut streams = Vec::with_capacity(count);
    let mut answered_at = Instant::now();
    for number in 0..count {
        let path = match dialect {
            Dialect::Talk => format!("/auth/clown-talk-server_node_{number}"),
            Dialect::WebSocket | Dialect::Bytes => "/".to_owned(),
        };
        let source = Ipv4Addr::new(127, 0, holder + 1, (number / PER_SOURCE) as u8 + 1);
        let connection = Connection::open_from(source.into(), address, &path, dialect)?;
        let stream = prove(connection, &frames)?;
        poll.add(&stream, number, EventFlags::IN)?;
        streams.push(stream);
        // Those opened first are pinged before the last is open, and opening one can take long:
        // the system looks for a free port among those of connections that were just closed.
        if number % OPENED_PER_TURN == 0 || answered_at.elapsed() >= ANSWERED_WITHIN {
            answer_pings(&mut poll, &mut streams, Duration::ZERO)?;
            answered_at = Instant::now();
        }
    }
    poll.add(stdin(), ORDERS, EventFlags::IN)?;
    say(0)?;
    let mut pings = 0;
    loop {
        let answered = answer_pings(&mut poll, &mut streams, PATIENCE)?;
        pings += answered.pings;
        if answered.is_asked {
            if stdin().lock().read_line(&mut String::new())? == 0 {
                return Ok(());
            }
            say(pings)?;
        }
    }
}

/// What a turn of answering brought.
#[derive(Debug, Default)]
struct Answered {
    pings: u64,
    /// The parent wants something.
    is_asked: bool,
}

/// Has one message answered on a connection.
fn prove(mut connection: Connection, frames: &Frames) -> Outcome<TcpStream> {
    connection.push(1, frames);
    connection.send(frames)?;
    connection.stream.set_nonblocking(false)?;
    let mut buffer = [0; 256];
    while connection.open > 0 {
        connection.receive(frames, &mut buffer, Checking::Content)?;
    }
    connection.stream.set_nonblocking(true)?;
    Ok(connection.stream)
}

/// Answers the pings that have arrived.
fn answer_pings(
    poll: &mut Poll,
    streams: &mut [TcpStream],
    patience: Duration,
) -> Outcome<Answered> {
    let mut answered = Answered::default();
    let mut buffer = [0; 256];
    for (number, _) in poll.wait(patience)? {
        let Some(stream) = streams.get_mut(number) else {
            answered.is_asked = true;
            continue;
        };
        let filled = stream.read(&mut buffer)?;
        let mut received = &buffer[..filled];
        if received.is_empty() {
            return Err("the server closed a connection".into());
        }
        // Small frames of an idle server come whole.
        while let [0x89, len, rest @ ..] = received {
            let (payload, rest) = rest.split_at(usize::from(*len));
            let mut pong = vec![0x8A, 0x80 | len, 0, 0, 0, 0];
            pong.extend(payload);
            stream.write_all(&pong)?;
            answered.pings += 1;
            received = rest;
        }
        if !received.is_empty() {
            return Err(format!("something else than a ping: {received:x?}").into());
        }
    }
    Ok(answered)
}

fn say(number: u64) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{number}")?;
    out.flush()
}

/// The system looks for free ports in one half of them first, and then ever longer.
const PER_SOURCE: usize = 10_000;
/// Pings are looked for so often while connections are opened.
const ANSWERED_WITHIN: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(600);
/// No connection has this number.
const ORDERS: usize = usize::MAX;
/// As many events as one look at the poll gives, and fewer.
const OPENED_PER_TURN: usize = 256;
