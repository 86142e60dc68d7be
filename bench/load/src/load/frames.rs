//! `Frames`: what a client sends and gets back, encoded once.

/// A burst of masked frames in wire form, and the replies to it.
#[derive(Debug)]
pub struct Frames {
    /// The burst twice in a row, so that any part of it is contiguous.
    pub sent: Vec<u8>,
    /// The replies, twice in a row.
    pub replies: Vec<u8>,
    pub frame_len: usize,
    pub reply_len: usize,
    pub burst: usize,
}

impl Frames {
    /// Makes `burst` binary messages of `len` bytes, each with a payload and a mask of its own.
    pub fn new(len: usize, burst: usize, dialect: Dialect) -> Self {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let (mut sent, mut replies) = (Vec::new(), Vec::new());
        for _ in 0..burst {
            let payload: Vec<u8> = (0..len).map(|_| random.byte()).collect();
            let key = std::array::from_fn(|_| random.byte());
            let frame = masked(&payload, key);
            match dialect {
                Dialect::WebSocket => replies.extend(unmasked(&payload)),
                Dialect::Bytes => replies.extend(&frame),
            }
            sent.extend(frame);
        }
        let (frame_len, reply_len) = (sent.len() / burst, replies.len() / burst);
        sent.extend_from_within(..);
        replies.extend_from_within(..);
        Self {
            sent,
            replies,
            frame_len,
            reply_len,
            burst,
        }
    }
}

/// What a server understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    WebSocket,
    /// No handshake, and bytes back as they came: a floor.
    Bytes,
}

fn masked(payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    let mut frame = header(payload.len(), 0x80);
    frame.extend(key);
    frame.extend(
        payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

fn unmasked(payload: &[u8]) -> Vec<u8> {
    let mut frame = header(payload.len(), 0);
    frame.extend(payload);
    frame
}

/// A header of a whole binary message (RFC 6455 section 5.2).
fn header(len: usize, mask_bit: u8) -> Vec<u8> {
    let mut header = vec![0x82];
    if let Ok(short @ 0..=125) = u8::try_from(len) {
        header.push(mask_bit | short);
    } else if let Ok(middle) = u16::try_from(len) {
        header.push(mask_bit | 126);
        header.extend(middle.to_be_bytes());
    } else {
        header.push(mask_bit | 127);
        header.extend((len as u64).to_be_bytes());
    }
    header
}

/// A generator of bytes that only have to differ (xorshift).
struct Random(u64);

impl Random {
    fn byte(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u8
    }
}
