//! `Connection`: one client connection in a closed loop.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream},
    time::Duration,
};

use socket2::{Domain, Socket, Type};

use crate::{
    Outcome,
    frames::{Dialect, Frames},
};

/// A connection that sends a message for each reply it gets.
#[derive(Debug)]
pub struct Connection {
    pub stream: TcpStream,
    /// Bytes of replies received so far.
    received: u64,
    /// Whole replies received so far.
    replies: u64,
    /// Bytes that may be sent and are not yet.
    unsent: usize,
    /// Where in the burst the next byte to send is.
    sent_at: usize,
    /// Messages without a reply, or on their way to be sent.
    pub open: u64,
}

impl Connection {
    /// Connects and makes the opening handshake, if there is one.
    pub fn open(address: SocketAddr, path: &str, dialect: Dialect) -> Outcome<Self> {
        Self::begin(TcpStream::connect(address)?, path, dialect)
    }

    /// Does so from an address of this machine.
    pub fn open_from(
        source: IpAddr,
        address: SocketAddr,
        path: &str,
        dialect: Dialect,
    ) -> Outcome<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(source, 0).into())?;
        socket.connect(&address.into())?;
        Self::begin(socket.into(), path, dialect)
    }

    fn begin(mut stream: TcpStream, path: &str, dialect: Dialect) -> Outcome<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        if dialect != Dialect::Bytes {
            stream.write_all(request(path).as_bytes())?;
            drop(read_answer(&mut stream)?);
        }
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            received: 0,
            replies: 0,
            unsent: 0,
            sent_at: 0,
            open: 0,
        })
    }

    /// Has that many more messages sent.
    pub fn push(&mut self, count: u64, frames: &Frames) {
        self.unsent += count as usize * frames.frame_len;
        self.open += count;
    }

    /// Sends what the socket takes; false if something is left.
    pub fn send(&mut self, frames: &Frames) -> io::Result<bool> {
        let period = frames.burst * frames.frame_len;
        while self.unsent > 0 {
            let len = self.unsent.min(period);
            match self.stream.write(&frames.sent[self.sent_at..][..len]) {
                Ok(written) => {
                    self.unsent -= written;
                    self.sent_at = (self.sent_at + written) % period;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Reads once and gives the number of replies that are whole now.
    pub fn receive(
        &mut self,
        frames: &Frames,
        buffer: &mut [u8],
        checking: Checking,
    ) -> Outcome<u64> {
        let filled = match self.stream.read(buffer) {
            Ok(0) => return Err("the server closed a connection".into()),
            Ok(filled) => filled,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        if checking == Checking::Content {
            self.check(frames, &buffer[..filled])?;
        }
        self.received += filled as u64;
        let replies = self.received / frames.reply_len as u64;
        let new = replies - self.replies;
        self.replies = replies;
        // Those who subscribe have sent nothing.
        self.open = self.open.saturating_sub(new);
        Ok(new)
    }

    fn check(&self, frames: &Frames, mut bytes: &[u8]) -> Outcome<()> {
        let period = frames.burst * frames.reply_len;
        let mut at = (self.received % period as u64) as usize;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(period));
            if now != &frames.replies[at..][..now.len()] {
                return Err("a reply differs from its message".into());
            }
            at = (at + now.len()) % period;
            bytes = later;
        }
        Ok(())
    }
}

/// How closely replies are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checking {
    /// Byte by byte: before anything is measured.
    Content,
    /// By their length, which is known: cheap.
    Length,
}

/// A client's request, with what a browser sends at least.
pub fn request(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// Reads the answer to the handshake, byte by byte: a frame could follow.
pub fn read_answer(stream: &mut impl Read) -> Outcome<String> {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        answer.push(byte[0]);
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    if answer.starts_with("HTTP/1.1 101 ") {
        return Ok(answer);
    }
    Err(format!("no WebSocket: {answer}").into())
}

const PATIENCE: Duration = Duration::from_secs(10);
