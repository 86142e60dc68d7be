//! `Link`: a client connection that sends prepared messages and counts what comes back, whatever
//! its length.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use flate2::{Decompress, FlushDecompress};

use crate::{
    Outcome,
    connection::read_answer,
    deflated::{Agreed, Deflated, TAIL},
};

/// A connection that sends a message for each reply it gets.
#[derive(Debug)]
pub struct Link {
    pub stream: TcpStream,
    pub agreed: Agreed,
    /// Messages without a reply, or on their way to be sent.
    pub open: u64,
    /// Bytes of data received.
    pub wire: u64,
    /// The next message to send, counted over both times around.
    next: usize,
    /// Where in the wire form the next byte to send is.
    sent_at: usize,
    /// Bytes that may be sent and are not yet.
    unsent: usize,
    frame: Frame,
}

/// What is known of the frame that arrives.
#[derive(Debug, Default)]
struct Frame {
    header: [u8; 10],
    /// Bytes of the header so far.
    filled: usize,
    /// Bytes of the payload that are missing, once the header is whole.
    missing: usize,
}

/// Inflates what a link receives and compares it with what was sent.
#[derive(Debug)]
pub struct Check {
    stream: Decompress,
    payload: Vec<u8>,
    pub next: usize,
}

impl Link {
    /// Connects and asks for `wanted`; what the server agreed to is for the caller to look at.
    pub fn open(address: SocketAddr, path: &str, wanted: Agreed) -> Outcome<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let offer = match wanted {
            Agreed::Plain => String::new(),
            _ => format!("Sec-WebSocket-Extensions: {}\r\n", wanted.offer()),
        };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offer}\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let agreed = Agreed::of_answer(&read_answer(&mut stream)?)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            agreed,
            open: 0,
            wire: 0,
            next: 0,
            sent_at: 0,
            unsent: 0,
            frame: Frame::default(),
        })
    }

    /// Has that many more messages sent.
    pub fn push(&mut self, count: u64, messages: &Deflated) {
        for _ in 0..count {
            let begin = match self.next {
                0 => 0,
                next => messages.ends[next - 1],
            };
            self.unsent += messages.ends[self.next] - begin;
            self.next += 1;
            if self.next == messages.ends.len() {
                self.next = messages.messages.len();
            }
        }
        self.open += count;
    }

    /// Sends what the socket takes; false if something is left.
    pub fn send(&mut self, messages: &Deflated) -> io::Result<bool> {
        while self.unsent > 0 {
            let rest = &messages.wire[self.sent_at..];
            match self.stream.write(&rest[..rest.len().min(self.unsent)]) {
                Ok(written) => {
                    self.unsent -= written;
                    self.sent_at += written;
                    if self.sent_at == messages.wire.len() {
                        self.sent_at = messages.ends[messages.messages.len() - 1];
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Reads once and gives the number of messages that are whole now.
    pub fn receive(
        &mut self,
        buffer: &mut [u8],
        mut check: Option<(&mut Check, &Deflated)>,
    ) -> Outcome<u64> {
        let filled = match self.stream.read(buffer) {
            Ok(0) => return Err("the server closed a connection".into()),
            Ok(filled) => filled,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        self.wire += filled as u64;
        let (mut bytes, mut whole) = (&buffer[..filled], 0);
        while !bytes.is_empty() {
            let (payload, is_last) = self.frame.take(&mut bytes)?;
            if let Some((check, _)) = &mut check {
                check.payload.extend(payload);
            }
            if is_last {
                whole += 1;
                if let Some((check, messages)) = &mut check {
                    check.compare(self.frame.header[0], messages)?;
                }
                self.frame.filled = 0;
            }
        }
        // Those who subscribe have sent nothing.
        self.open = self.open.saturating_sub(whole);
        Ok(whole)
    }
}

impl Frame {
    /// Takes bytes of one frame; gives those of its payload, and whether it is whole.
    fn take<'a>(&mut self, bytes: &mut &'a [u8]) -> Outcome<(&'a [u8], bool)> {
        while self.filled < self.header_len() {
            let Some((first, rest)) = bytes.split_first() else {
                return Ok((&[], false));
            };
            self.header[self.filled] = *first;
            self.filled += 1;
            *bytes = rest;
            if self.filled == self.header_len() {
                self.missing = self.payload_len();
                if !matches!(self.header[0], 0x81 | 0x82 | 0xc1 | 0xc2)
                    || self.header[1] & 0x80 != 0
                {
                    return Err(format!("no message: {:x?}", self.header).into());
                }
            }
        }
        let (payload, rest) = bytes.split_at(bytes.len().min(self.missing));
        self.missing -= payload.len();
        *bytes = rest;
        Ok((payload, self.missing == 0))
    }

    fn header_len(&self) -> usize {
        match (self.filled, self.header[1]) {
            (2.., 126) => 4,
            (2.., 127) => 10,
            _ => 2,
        }
    }

    fn payload_len(&self) -> usize {
        let bytes = match self.header_len() {
            2 => &self.header[1..2],
            len => &self.header[2..len],
        };
        bytes
            .iter()
            .fold(0, |len, byte| len << 8 | usize::from(*byte))
    }
}

impl Check {
    pub fn new() -> Self {
        Self {
            stream: Decompress::new(false),
            payload: Vec::new(),
            next: 0,
        }
    }

    fn compare(&mut self, first: u8, messages: &Deflated) -> Outcome<()> {
        let expected = &messages.messages[self.next % messages.messages.len()];
        self.next += 1;
        let mut plain = Vec::with_capacity(expected.len() + 64);
        if first & 0x40 == 0 {
            plain.append(&mut self.payload);
        } else {
            // With or without takeover one stream reads both.
            self.payload.extend(TAIL);
            self.stream
                .decompress_vec(&self.payload, &mut plain, FlushDecompress::Sync)?;
            self.payload.clear();
        }
        if plain == *expected {
            return Ok(());
        }
        Err(format!("message {} differs", self.next - 1).into())
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
