//! Frames as they are on the wire, legal or not.

use bowline_proto::{FrameHeader, MaskingKey, apply_mask};

/// Describes a frame bit by bit (RFC 6455 section 5.2). Any value can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The final bit.
    pub fin: bool,
    /// The three reserved bits: 4 is RSV1, 2 is RSV2, 1 is RSV3.
    pub rsv: u8,
    /// The four opcode bits.
    pub opcode: u8,
    /// The masking key.
    pub key: Option<[u8; 4]>,
    /// How the length is written.
    pub length_form: LengthForm,
    /// The length the header promises, if it is not the payload's.
    pub promised: Option<u64>,
    /// The payload before masking.
    pub payload: Vec<u8>,
}

/// Names how a length is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LengthForm {
    /// As the RFC wants it.
    #[default]
    Shortest,
    /// In 16 bits.
    Sixteen,
    /// In 64 bits.
    SixtyFour,
}

impl Frame {
    /// The opcode of a continuation.
    pub const CONTINUATION: u8 = 0;
    /// The opcode of a text frame.
    pub const TEXT: u8 = 1;
    /// The opcode of a binary frame.
    pub const BINARY: u8 = 2;
    /// The opcode of a close frame.
    pub const CLOSE: u8 = 8;
    /// The opcode of a ping.
    pub const PING: u8 = 9;
    /// The opcode of a pong.
    pub const PONG: u8 = 10;

    /// Makes a final frame without a mask.
    pub fn new(opcode: u8, payload: impl AsRef<[u8]>) -> Self {
        Self {
            fin: true,
            rsv: 0,
            opcode,
            key: None,
            length_form: LengthForm::Shortest,
            promised: None,
            payload: payload.as_ref().to_vec(),
        }
    }

    /// Makes a final text frame.
    pub fn text(text: &str) -> Self {
        Self::new(Self::TEXT, text)
    }

    /// Makes a final binary frame.
    pub fn binary(payload: impl AsRef<[u8]>) -> Self {
        Self::new(Self::BINARY, payload)
    }

    /// Makes a final continuation frame.
    pub fn continuation(payload: impl AsRef<[u8]>) -> Self {
        Self::new(Self::CONTINUATION, payload)
    }

    /// Makes a ping.
    pub fn ping(payload: impl AsRef<[u8]>) -> Self {
        Self::new(Self::PING, payload)
    }

    /// Makes a pong.
    pub fn pong(payload: impl AsRef<[u8]>) -> Self {
        Self::new(Self::PONG, payload)
    }

    /// Makes a close frame with any code.
    pub fn close(code: u16, reason: impl AsRef<[u8]>) -> Self {
        Self::new(Self::CLOSE, [&code.to_be_bytes(), reason.as_ref()].concat())
    }

    /// Clears the final bit.
    #[must_use]
    pub fn more(mut self) -> Self {
        self.fin = false;
        self
    }

    /// Sets reserved bits.
    #[must_use]
    pub fn rsv(mut self, bits: u8) -> Self {
        self.rsv = bits;
        self
    }

    /// Masks the frame.
    #[must_use]
    pub fn masked(mut self, key: [u8; 4]) -> Self {
        self.key = Some(key);
        self
    }

    /// Writes the length in another form.
    #[must_use]
    pub fn length_form(mut self, form: LengthForm) -> Self {
        self.length_form = form;
        self
    }

    /// Promises another length than the payload has.
    #[must_use]
    pub fn promising(mut self, len: u64) -> Self {
        self.promised = Some(len);
        self
    }

    /// Writes the frame.
    pub fn encode(&self) -> Vec<u8> {
        let len = self.promised.unwrap_or(self.payload.len() as u64);
        let mask = u8::from(self.key.is_some()) << 7;
        let mut bytes = vec![u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode];
        match (self.length_form, len) {
            (LengthForm::Shortest, 0..=125) => bytes.push(mask | low_byte(len)),
            (LengthForm::Shortest, 126..=0xFFFF) | (LengthForm::Sixteen, _) => {
                bytes.push(mask | 0x7E);
                bytes.extend_from_slice(&len.to_be_bytes()[6..]);
            }
            (LengthForm::Shortest | LengthForm::SixtyFour, _) => {
                bytes.push(mask | 0x7F);
                bytes.extend_from_slice(&len.to_be_bytes());
            }
        }
        let mut payload = self.payload.clone();
        if let Some(key) = self.key {
            bytes.extend_from_slice(&key);
            apply_mask(&mut payload, MaskingKey(key), 0);
        }
        bytes.extend_from_slice(&payload);
        bytes
    }

    /// Reads all frames of a stream that holds nothing else.
    ///
    /// # Panics
    /// If a header is illegal or a frame is cut off.
    pub fn parse_all(stream: &[u8]) -> Vec<Self> {
        let (frames, rest) = Self::parse_whole(stream);
        assert!(rest.is_empty(), "the stream ends within a frame: {rest:x?}");
        frames
    }

    /// Reads the whole frames of a stream; gives them and what is left.
    ///
    /// # Panics
    /// If a header is illegal.
    pub fn parse_whole(stream: &[u8]) -> (Vec<Self>, &[u8]) {
        let mut frames = Vec::new();
        let mut rest = stream;
        while let Some((header, header_len)) =
            FrameHeader::decode(rest).expect("the engine sends legal headers")
        {
            let len = usize::try_from(header.payload_len).expect("a frame that fits in memory");
            let Some((payload, after)) = rest[header_len..].split_at_checked(len) else {
                break;
            };
            let mut payload = payload.to_vec();
            if let Some(key) = header.masking_key {
                apply_mask(&mut payload, key, 0);
            }
            let bits = [(header.rsv1, 4), (header.rsv2, 2), (header.rsv3, 1)];
            frames.push(Self {
                fin: header.fin,
                rsv: bits
                    .iter()
                    .filter(|(set, _)| *set)
                    .map(|(_, bit)| bit)
                    .sum(),
                opcode: header.opcode.bits(),
                key: header.masking_key.map(|key| key.0),
                length_form: LengthForm::Shortest,
                promised: None,
                payload,
            });
            rest = after;
        }
        (frames, rest)
    }

    /// Gives the code of a close frame.
    pub fn close_code(&self) -> Option<u16> {
        let code = self.payload.first_chunk::<2>()?;
        (self.opcode == Self::CLOSE).then(|| u16::from_be_bytes(*code))
    }
}

fn low_byte(len: u64) -> u8 {
    len.to_be_bytes()[7]
}
