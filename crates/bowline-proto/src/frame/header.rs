//! The first bytes of a frame (RFC 6455 section 5.2).

use super::{MaskingKey, Opcode};
use crate::{error::ProtocolViolation, message::MessageKind};

/// Describes one frame: everything before its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the four bits of RFC 6455 section 5.2"
)]
pub struct FrameHeader {
    /// The final fragment of a message carries it.
    pub fin: bool,
    /// Marks a compressed message when permessage-deflate is negotiated (RFC 7692 section 6).
    pub rsv1: bool,
    /// Reserved; no extension here uses it.
    pub rsv2: bool,
    /// Reserved; no extension here uses it.
    pub rsv3: bool,
    /// What the payload means.
    pub opcode: Opcode,
    /// The length of the payload in bytes, below 2^63.
    pub payload_len: u64,
    /// The masking key, on frames from a client.
    pub masking_key: Option<MaskingKey>,
}

impl FrameHeader {
    /// The longest header in bytes.
    pub const LEN_MAX: usize = 14;

    /// Reads a header from the front of `input`.
    ///
    /// Gives the header and its length in bytes, or `None` while `input` holds only part of it.
    /// A violation is reported as soon as the byte that shows it is there.
    ///
    /// # Errors
    /// The rules that need no context: reserved opcodes, lengths in their shortest form with the
    /// top bit clear, control frames of at most 125 bytes and never fragmented
    /// (RFC 6455 sections 5.2 and 5.5). Masks and reserved bits depend on role and negotiation and
    /// are checked by the receive path.
    #[inline]
    pub fn decode(input: &[u8]) -> Result<Option<(Self, usize)>, ProtocolViolation> {
        let Some((&[first, second], rest)) = input.split_first_chunk::<2>() else {
            if let Some(first) = input.first() {
                opcode(*first)?;
            }
            return Ok(None);
        };
        let opcode = opcode(first)?;
        let fin = first & FIN != 0;
        let short_len = second & LEN_BITS;
        if opcode.is_control() {
            check_control(fin, short_len)?;
        }
        let Some((payload_len, rest)) = payload_len(short_len, rest)? else {
            return Ok(None);
        };
        let (masking_key, rest) = if second & MASK == 0 {
            (None, rest)
        } else {
            let Some((key, rest)) = rest.split_first_chunk::<4>() else {
                return Ok(None);
            };
            (Some(MaskingKey(*key)), rest)
        };
        let header = Self {
            fin,
            rsv1: first & RSV1 != 0,
            rsv2: first & RSV2 != 0,
            rsv3: first & RSV3 != 0,
            opcode,
            payload_len,
            masking_key,
        };
        Ok(Some((header, input.len() - rest.len())))
    }

    /// Writes the header in its shortest form.
    #[inline]
    pub fn encode(&self) -> EncodedHeader {
        debug_assert!(
            self.payload_len < 1 << 63,
            "lengths have their top bit clear"
        );
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let first = flag(self.fin, FIN)
            | flag(self.rsv1, RSV1)
            | flag(self.rsv2, RSV2)
            | flag(self.rsv3, RSV3)
            | self.opcode.bits();
        let mask = flag(self.masking_key.is_some(), MASK);
        let start = |second: u8| u128::from(u16::from_le_bytes([first, mask | second]));
        let (mut bytes, mut len) = match self.payload_len {
            len @ 0..=125 => (start(len.to_le_bytes()[0]), 2),
            len => match u16::try_from(len) {
                Ok(len) => (start(LEN_16) | u128::from(len.swap_bytes()) << 16, 4),
                Err(_) => (start(LEN_64) | u128::from(len.swap_bytes()) << 16, 10),
            },
        };
        if let Some(key) = self.masking_key {
            bytes |= u128::from(u32::from_le_bytes(key.0)) << (8 * len);
            len += 4;
        }
        EncodedHeader {
            bytes: bytes.to_le_bytes(),
            len,
        }
    }
}

/// The header of an unfragmented message without reserved bits, which is nearly every one.
#[derive(Clone, Copy)]
pub(crate) struct SoleHeader {
    pub(crate) kind: MessageKind,
    pub(crate) payload_len: u64,
    pub(crate) masking_key: Option<MaskingKey>,
    /// The length of the header in bytes.
    pub(crate) len: usize,
}

impl SoleHeader {
    /// Says whether such a header begins with this byte.
    #[inline]
    pub(crate) const fn begins(first: u8) -> bool {
        matches!(first, SOLE_TEXT | SOLE_BINARY)
    }

    /// Reads such a header, masked or not as it is said; `None` for anything else, also for what is
    /// against the rules or incomplete.
    #[inline]
    pub(crate) fn decode(input: &[u8], is_masked: bool) -> Option<Self> {
        let (&[first, second], rest) = input.split_first_chunk::<2>()?;
        let kind = match first {
            SOLE_TEXT => MessageKind::Text,
            SOLE_BINARY => MessageKind::Binary,
            _ => return None,
        };
        if (second & MASK != 0) != is_masked {
            return None;
        }
        let Ok(Some((payload_len, rest))) = payload_len(second & LEN_BITS, rest) else {
            return None;
        };
        let (masking_key, rest) = if is_masked {
            let (key, rest) = rest.split_first_chunk::<4>()?;
            (Some(MaskingKey(*key)), rest)
        } else {
            (None, rest)
        };
        Some(Self {
            kind,
            payload_len,
            masking_key,
            len: input.len() - rest.len(),
        })
    }
}

/// Holds the bytes of an encoded header.
#[derive(Clone, Copy, Debug)]
pub struct EncodedHeader {
    /// Gathered in one number and stored at once: loads that follow would wait for single bytes.
    bytes: [u8; 16],
    len: u8,
}

const _: () = assert!(FrameHeader::LEN_MAX <= 16);

impl EncodedHeader {
    /// Gives the bytes to send.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

#[inline]
fn opcode(first: u8) -> Result<Opcode, ProtocolViolation> {
    let bits = first & OPCODE_BITS;
    Opcode::from_bits(bits).ok_or(ProtocolViolation::ReservedOpcode(bits))
}

/// RFC 6455 section 5.5: at most 125 bytes, never fragmented.
#[inline]
fn check_control(fin: bool, short_len: u8) -> Result<(), ProtocolViolation> {
    if !fin {
        return Err(ProtocolViolation::ControlFragmented);
    }
    if short_len > 125 {
        return Err(ProtocolViolation::ControlTooLong);
    }
    Ok(())
}

/// RFC 6455 section 5.2: the shortest form only, and the top bit of 64 clear.
#[inline]
fn payload_len(short_len: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, ProtocolViolation> {
    match short_len {
        LEN_16 => {
            let Some((len, rest)) = rest.split_first_chunk::<2>() else {
                return Ok(None);
            };
            let len = u64::from(u16::from_be_bytes(*len));
            if len < 126 {
                return Err(ProtocolViolation::LengthNotMinimal);
            }
            Ok(Some((len, rest)))
        }
        LEN_64 => {
            let Some((len, rest)) = rest.split_first_chunk::<8>() else {
                return Ok(None);
            };
            let len = u64::from_be_bytes(*len);
            if len >> 63 != 0 {
                return Err(ProtocolViolation::LengthTopBit);
            }
            if len <= 0xFFFF {
                return Err(ProtocolViolation::LengthNotMinimal);
            }
            Ok(Some((len, rest)))
        }
        len => Ok(Some((u64::from(len), rest))),
    }
}

/// The first byte of a message that is a single frame.
const SOLE_TEXT: u8 = FIN | 0x1;
const SOLE_BINARY: u8 = FIN | 0x2;
const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2: u8 = 0x20;
const RSV3: u8 = 0x10;
const OPCODE_BITS: u8 = 0x0F;
const MASK: u8 = 0x80;
const LEN_BITS: u8 = 0x7F;
const LEN_16: u8 = 126;
const LEN_64: u8 = 127;
