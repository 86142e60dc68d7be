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
    /// Makes `burst` messages of `len` bytes, each with a payload and a mask of its own.
    pub fn new(len: usize, burst: usize, dialect: Dialect) -> Self {
        let mut random = Random::default();
        let (mut sent, mut replies) = (Vec::new(), Vec::new());
        for _ in 0..burst {
            let payload = payload(len, dialect, &mut random);
            let key = std::array::from_fn(|_| random.byte());
            let frame = masked(&payload, dialect.opcode(), key);
            match dialect {
                Dialect::WebSocket | Dialect::Talk => {
                    replies.extend(unmasked(&payload, dialect.opcode()));
                }
                Dialect::Bytes => replies.extend(&frame),
            }
            sent.extend(frame);
        }
        Self::twice(sent, replies, burst)
    }

    /// Makes one message of text whose reply is known.
    pub fn of_text(text: &str, reply: &[u8]) -> Self {
        let opcode = Dialect::Talk.opcode();
        let sent = masked(text.as_bytes(), opcode, [1, 2, 3, 4]);
        Self::twice(sent, reply.to_vec(), 1)
    }

    fn twice(mut sent: Vec<u8>, mut replies: Vec<u8>, burst: usize) -> Self {
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
    /// The same, with lines of Clown.Talk in the form in which a hub writes them.
    Talk,
    /// No handshake, and bytes back as they came: a floor.
    Bytes,
}

impl Dialect {
    const fn opcode(self) -> u8 {
        match self {
            Self::Talk => 1,
            Self::WebSocket | Self::Bytes => 2,
        }
    }
}

fn payload(len: usize, dialect: Dialect, random: &mut Random) -> Vec<u8> {
    if dialect != Dialect::Talk {
        return (0..len).map(|_| random.byte()).collect();
    }
    let letters = len - TALK.concat().len();
    let letters = (0..letters).map(|_| b'a' + random.byte() % 26);
    let [before, after] = TALK.map(str::as_bytes);
    before
        .iter()
        .copied()
        .chain(letters)
        .chain(after.iter().copied())
        .collect()
}

fn masked(payload: &[u8], opcode: u8, key: [u8; 4]) -> Vec<u8> {
    masked_from(0x80 | opcode, payload, key)
}

/// Makes a masked frame that begins with this byte.
pub fn masked_from(first: u8, payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    let mut frame = header(payload.len(), first, 0x80);
    frame.extend(key);
    frame.extend(
        payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

fn unmasked(payload: &[u8], opcode: u8) -> Vec<u8> {
    let mut frame = header(payload.len(), 0x80 | opcode, 0);
    frame.extend(payload);
    frame
}

/// A header of a whole message (RFC 6455 section 5.2).
fn header(len: usize, first: u8, mask_bit: u8) -> Vec<u8> {
    let mut header = vec![first];
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
#[derive(Debug)]
pub struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }
}

impl Random {
    pub fn byte(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u8
    }
}

/// What stands around the value in a line: a topic that is retained.
const TALK: [&str; 2] = ["[\"v\", \"", "\"]\n"];
