//! `Deflated`: messages of JSON, compressed as a client would, before anything is measured.

use flate2::{Compress, Compression, FlushCompress};

use crate::{
    Outcome,
    frames::{Random, masked_from},
    json::Json,
};

/// What client and server agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreed {
    /// No permessage-deflate.
    Plain,
    /// Every message by itself.
    Deflate,
    /// Messages refer to earlier ones, both ways.
    Takeover,
}

impl Agreed {
    /// What a client offers that wishes for it.
    pub const fn offer(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Deflate => {
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
            }
            Self::Takeover => "permessage-deflate",
        }
    }

    /// Reads the head of an answer.
    pub fn of_answer(head: &str) -> Outcome<Self> {
        if !head.contains("permessage-deflate") {
            return Ok(Self::Plain);
        }
        if head.contains("max_window_bits") {
            return Err("the server asks for a smaller window".into());
        }
        let flags = ["server_no_context_takeover", "client_no_context_takeover"];
        match flags.map(|flag| head.contains(flag)) {
            [true, true] => Ok(Self::Deflate),
            [false, false] => Ok(Self::Takeover),
            _ => Err("context takeover in one direction only".into()),
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Deflate => "deflate",
            Self::Takeover => "takeover",
        }
    }
}

/// What messages consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text of JSON.
    Json,
    /// Bytes of which nothing can be saved, as pictures or archives are.
    Noise,
}

/// A sequence of messages that a connection sends round and round.
///
/// It is longer than the largest window: no message is found again in it.
#[derive(Debug)]
pub struct Deflated {
    pub messages: Vec<Vec<u8>>,
    /// All frames in wire form: the first time around, then the later ones. With takeover these
    /// differ, since the first message refers to nothing or to the last.
    pub wire: Vec<u8>,
    /// Where the frame of each message ends, for both times around.
    pub ends: Vec<usize>,
    /// Plain bytes of a message, on average.
    pub plain_len: f64,
}

impl Deflated {
    pub fn new(len: usize, content: Content, agreed: Agreed) -> Outcome<Self> {
        let (mut json, mut random) = (Json::new(len), Random::default());
        let (opcode, mut message): (u8, Box<dyn FnMut() -> Vec<u8>>) = match content {
            Content::Json => (1, Box::new(|| json.message())),
            Content::Noise => (2, Box::new(|| (0..len).map(|_| random.byte()).collect())),
        };
        let count = (2 * WINDOW).div_ceil(len).max(4);
        let messages: Vec<_> = (0..count).map(|_| message()).collect();
        drop(message);
        let plain = messages.iter().map(Vec::len).sum::<usize>();
        let (mut wire, mut ends) = (Vec::new(), Vec::new());
        let mut stream = Compress::new(Compression::new(6), false);
        for (number, message) in messages.iter().chain(&messages).enumerate() {
            let key = [number as u8, 0x5a, 0xc3, (number >> 8) as u8];
            let frame = match agreed {
                Agreed::Plain => masked_from(0x80 | opcode, message, key),
                Agreed::Deflate | Agreed::Takeover => {
                    if agreed == Agreed::Deflate {
                        stream.reset();
                    }
                    masked_from(0xc0 | opcode, &compress(&mut stream, message)?, key)
                }
            };
            wire.extend(frame);
            ends.push(wire.len());
        }
        Ok(Self {
            plain_len: plain as f64 / count as f64,
            messages,
            wire,
            ends,
        })
    }
}

fn compress(stream: &mut Compress, message: &[u8]) -> Outcome<Vec<u8>> {
    let mut payload = Vec::with_capacity(message.len() + 64);
    let before = stream.total_in();
    stream.compress_vec(message, &mut payload, FlushCompress::Sync)?;
    if stream.total_in() - before != message.len() as u64 || !payload.ends_with(&TAIL) {
        return Err("a message was not compressed whole".into());
    }
    payload.truncate(payload.len() - TAIL.len());
    Ok(payload)
}

/// What each message ends with and does not send (RFC 7692 section 7.2.1).
pub const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
const WINDOW: usize = 32 << 10;
