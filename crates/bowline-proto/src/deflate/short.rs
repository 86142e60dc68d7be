//! Short messages that refer to earlier ones, compressed without a context of zlib.
//!
//! To clear a context and show it what went before costs several times what such a message does.
//! Here the tables are as small as the message, and on the stack. The codes are the fixed ones,
//! which suit what consists of repetitions mostly: up to about 600 bytes of similar JSON the result
//! is as short as that of zlib, or shorter.

use bytes::{BufMut as _, BytesMut};

/// Compresses a message of at most [`MESSAGE_MAX`] bytes, as far as the end of a flush without its
/// last four bytes (RFC 7692, section 7.2.1), and appends the result to `output`.
///
/// It may refer to `history`, what the peer saw last, oldest first and [`HISTORY_MAX`] bytes at
/// most, but to nothing more than `distance_max` bytes back.
pub(super) fn compress_short(
    history: [&[u8]; 2],
    payload: &[u8],
    distance_max: usize,
    output: &mut BytesMut,
) {
    let mut text = Text::new(history, payload, distance_max);
    let mut bits = Bits::new(output);
    bits.put(FIXED_BLOCK, 3);
    let mut place = text.begin;
    let mut found = text.find(place);
    while place < text.len {
        let Some(repeat) = found else {
            bits.literal(text.byte(place));
            place += 1;
            found = text.find(place);
            continue;
        };
        let mut known = place + 1;
        if repeat.len < LAZY_MAX {
            let next = text.find(known);
            known += 1;
            if next.is_some_and(|next| next.len > repeat.len) {
                // A longer one begins at the next byte.
                bits.literal(text.byte(place));
                place += 1;
                found = next;
                continue;
            }
        }
        bits.repeat(repeat);
        place += repeat.len;
        for skipped in known..place {
            text.insert(skipped);
        }
        found = text.find(place);
    }
    bits.finish();
}

/// A repetition of earlier bytes.
#[derive(Clone, Copy, Debug)]
struct Repeat {
    /// [`REPEAT_MIN`] to [`REPEAT_MAX`].
    len: usize,
    /// 1 to 32,768.
    distance: usize,
}

/// What is searched: the end of the history, then the message.
struct Text {
    bytes: [u8; TEXT_MAX],
    /// Where the message begins.
    begin: usize,
    len: usize,
    distance_max: usize,
    /// By the hash of some bytes, one more than the place where they were last; 0 for nowhere.
    latest: [u16; HASHES],
    /// By place, what was in `latest` before.
    earlier: [u16; TEXT_MAX],
}

impl Text {
    fn new(history: [&[u8]; 2], payload: &[u8], distance_max: usize) -> Self {
        let mut text = Self {
            bytes: [0; TEXT_MAX],
            begin: 0,
            len: 0,
            distance_max,
            latest: [0; HASHES],
            earlier: [0; TEXT_MAX],
        };
        for part in history {
            text.append(part);
        }
        text.begin = text.len;
        text.append(payload);
        text.know_history();
        text
    }

    fn append(&mut self, part: &[u8]) {
        let end = self.len + part.len();
        let room = self.bytes.get_mut(self.len..end);
        let room = room.expect("history and message are as short as was asked for");
        room.copy_from_slice(part);
        self.len = end;
    }

    /// Makes all places of the history known.
    fn know_history(&mut self) {
        let text = self.bytes.get(..self.len).unwrap_or_default();
        let places = text.windows(HASHED).take(self.begin).zip(1..);
        for ((bytes, place), earlier) in places.zip(&mut self.earlier) {
            if let Some(latest) = self.latest.get_mut(hash(bytes)) {
                *earlier = *latest;
                *latest = place;
            }
        }
    }

    /// Makes a place known; gives one more than the place before it with the same hash, or 0.
    fn insert(&mut self, place: usize) -> u16 {
        let bytes = self.bytes.get(place..place + HASHED);
        let (Some(bytes), Ok(known)) = (bytes, u16::try_from(place + 1)) else {
            return 0;
        };
        let latest = self.latest.get_mut(hash(bytes));
        let (Some(latest), Some(earlier)) = (latest, self.earlier.get_mut(place)) else {
            return 0;
        };
        *earlier = *latest;
        *latest = known;
        *earlier
    }

    /// Finds the longest repetition that begins here, and makes the place known.
    fn find(&mut self, place: usize) -> Option<Repeat> {
        let mut candidate = self.insert(place);
        let rest = self.bytes.get(place..self.len)?;
        let rest = rest.get(..REPEAT_MAX).unwrap_or(rest);
        let (mut found, mut len_min) = (None, REPEAT_MIN);
        for _ in 0..CANDIDATES_MAX {
            let Some(start) = usize::from(candidate).checked_sub(1) else {
                break;
            };
            let distance = place - start;
            let last = rest.get(len_min - 1);
            if distance > self.distance_max || last.is_none() {
                break;
            }
            let earlier = self.bytes.get(start..)?;
            // Most that are too short are told by one byte.
            if earlier.get(len_min - 1) == last {
                let len = same(earlier, rest);
                if len >= len_min {
                    found = Some(Repeat { len, distance });
                    len_min = len + 1;
                }
            }
            candidate = self.earlier.get(start).copied().unwrap_or_default();
        }
        found
    }

    fn byte(&self, place: usize) -> u8 {
        self.bytes.get(place).copied().unwrap_or_default()
    }
}

/// Writes bits, the lowest first (RFC 1951, section 3.1.1), with the fixed codes (section 3.2.6).
struct Bits<'a> {
    output: &'a mut BytesMut,
    waiting: u64,
    /// Bits in `waiting`, fewer than 32 between calls.
    count: u32,
}

impl<'a> Bits<'a> {
    const fn new(output: &'a mut BytesMut) -> Self {
        Self {
            output,
            waiting: 0,
            count: 0,
        }
    }

    /// Writes the lowest bits, at most 32.
    fn put(&mut self, bits: usize, count: u32) {
        self.waiting |= (bits as u64) << self.count;
        self.count += count;
        if self.count >= 32 {
            let [a, b, c, d, ..] = self.waiting.to_le_bytes();
            self.output.put_slice(&[a, b, c, d]);
            self.waiting >>= 32;
            self.count -= 32;
        }
    }

    /// Writes a code, which has its highest bit first.
    fn code(&mut self, code: usize, count: u32) {
        self.put(code.reverse_bits() >> (usize::BITS - count), count);
    }

    fn literal(&mut self, byte: u8) {
        match usize::from(byte) {
            byte @ ..144 => self.code(0x30 + byte, 8),
            byte => self.code(0x190 + byte - 144, 9),
        }
    }

    fn repeat(&mut self, repeat: Repeat) {
        let (symbol, extra, count) = length_code(repeat.len);
        match symbol {
            ..280 => self.code(symbol - 256, 7),
            _ => self.code(0xc0 + symbol - 280, 8),
        }
        self.put(extra, count);
        let (symbol, extra, count) = distance_code(repeat.distance);
        self.code(symbol, 5);
        self.put(extra, count);
    }

    /// Ends the block, begins an empty stored one, and fills the last byte.
    fn finish(mut self) {
        self.put(END_OF_BLOCK, 7);
        self.put(STORED_BLOCK, 3);
        let whole = self.count.div_ceil(8) as usize;
        let bytes = self.waiting.to_le_bytes();
        self.output
            .put_slice(bytes.get(..whole).unwrap_or_default());
    }
}

/// Gives the symbol of a length, its extra bits and their number (RFC 1951, section 3.2.5).
const fn length_code(len: usize) -> (usize, usize, u32) {
    match len - 3 {
        255 => (285, 0, 0),
        offset @ ..8 => (257 + offset, 0, 0),
        offset => {
            let count = offset.ilog2() - 2;
            let symbol = 257 + 4 * count as usize + (offset >> count);
            (symbol, offset & ((1 << count) - 1), count)
        }
    }
}

/// Gives the symbol of a distance, its extra bits and their number (RFC 1951, section 3.2.5).
const fn distance_code(distance: usize) -> (usize, usize, u32) {
    match distance - 1 {
        offset @ ..4 => (offset, 0, 0),
        offset => {
            let count = offset.ilog2() - 1;
            let symbol = 2 * count as usize + (offset >> count);
            (symbol, offset & ((1 << count) - 1), count)
        }
    }
}

fn hash(bytes: &[u8]) -> usize {
    let word = bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let product = word.unwrap_or_default().wrapping_mul(HASH_FACTOR);
    (product >> (u32::BITS - HASH_BITS)) as usize
}

/// Tells how many bytes are the same from the beginning on, at most all of `rest`.
fn same(earlier: &[u8], rest: &[u8]) -> usize {
    let mut len = 0;
    for (left, right) in earlier.chunks_exact(8).zip(rest.chunks_exact(8)) {
        let differing = word(left) ^ word(right);
        if differing != 0 {
            return len + differing.trailing_zeros() as usize / 8;
        }
        len += 8;
    }
    let left = earlier.get(len..).unwrap_or_default();
    let right = rest.get(len..).unwrap_or_default();
    let pairs = left.iter().zip(right);
    len + pairs.take_while(|(left, right)| left == right).count()
}

fn word(bytes: &[u8]) -> u64 {
    let bytes = bytes.first_chunk();
    bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The longest message that is compressed here, in bytes.
pub(super) const MESSAGE_MAX: usize = 512;

/// The most history that is used, in bytes.
pub(super) const HISTORY_MAX: usize = 2 * 1024;

const TEXT_MAX: usize = HISTORY_MAX + MESSAGE_MAX;

/// Bytes that are hashed together.
const HASHED: usize = 4;

const HASH_BITS: u32 = 11;
const HASHES: usize = 1 << HASH_BITS;

/// An odd number whose product with a word spreads it over the highest bits.
const HASH_FACTOR: u32 = 0x9E37_79B1;

/// Earlier places that are looked at for one repetition.
const CANDIDATES_MAX: usize = 16;

/// A repetition of so many bytes is taken without a look at the next byte.
const LAZY_MAX: usize = 32;

/// Shorter repetitions are not looked for.
const REPEAT_MIN: usize = HASHED;

/// The longest repetition that there is a code for.
const REPEAT_MAX: usize = 258;

/// The header of a block with fixed codes that is not the last: 0, then 01.
const FIXED_BLOCK: usize = 0b010;

/// The header of a stored block that is not the last.
const STORED_BLOCK: usize = 0;

/// The code of symbol 256.
const END_OF_BLOCK: usize = 0;

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};
    use zlib_rs::{Inflate, InflateFlush};

    use super::*;

    /// Compresses, has zlib decompress it in a window of so many bits, and gives the length.
    fn checked(history: &[u8], cut: usize, payload: &[u8], window_bits: u8) -> usize {
        let mut output = BytesMut::from("before");
        let parts = history.split_at(cut.min(history.len()));
        compress_short(parts.into(), payload, 1 << window_bits, &mut output);
        let mut stream = output.split_off(6);
        assert_eq!(output, "before");
        let len = stream.len();
        stream.put_slice(&[0x00, 0x00, 0xff, 0xff]);
        let mut inflate = Inflate::new(false, window_bits);
        if !history.is_empty() {
            let seen = history.len().saturating_sub(1 << window_bits);
            inflate.set_dictionary(&history[seen..]).unwrap();
        }
        let mut plain = vec![0; payload.len() + 1];
        inflate
            .decompress(&stream, &mut plain, InflateFlush::NoFlush)
            .unwrap();
        let counts = [inflate.total_in(), inflate.total_out()];
        assert_eq!(counts, [stream.len() as u64, payload.len() as u64]);
        assert_eq!(&plain[..payload.len()], payload);
        // What follows begins a block.
        let end = inflate.decompress(&[0x03, 0x00], &mut [0], InflateFlush::NoFlush);
        assert_eq!(end, Ok(zlib_rs::Status::StreamEnd));
        len
    }

    #[test]
    fn every_length_and_distance_has_the_code_that_the_standard_gives_it() {
        let base = |symbol: usize| match symbol {
            ..265 => symbol - 254,
            285 => 258,
            _ => ((4 + (symbol - 261) % 4) << ((symbol - 261) / 4)) + 3,
        };
        for len in 3..=258 {
            let (symbol, extra, count) = length_code(len);
            assert!(extra < 1 << count && (257..=285).contains(&symbol));
            assert_eq!(base(symbol) + extra, len);
        }
        let base = |symbol: usize| match symbol {
            ..4 => symbol + 1,
            _ => ((2 + symbol % 2) << (symbol / 2 - 1)) + 1,
        };
        for distance in 1..=32_768 {
            let (symbol, extra, count) = distance_code(distance);
            assert!(extra < 1 << count && symbol < 30);
            assert_eq!(base(symbol) + extra, distance);
        }
    }

    #[test]
    fn repetitions_of_every_length_and_distance_are_read_back() {
        let letters: Vec<u8> = (0..HISTORY_MAX)
            .map(|n| (n * n / 7 % 251).to_le_bytes()[0])
            .collect();
        for len in 1..=MESSAGE_MAX {
            checked(&[], 0, &vec![b'a'; len], 9);
            let start = len * 3;
            checked(&letters, len, &letters[start..start + len], 15);
        }
        assert!(checked(&letters, 0, &letters[..MESSAGE_MAX], 15) < 16);
    }

    #[test]
    fn nothing_is_referred_to_that_is_further_back_than_the_window() {
        let mut history = b"the beginning of the history".to_vec();
        history.resize(600, b'.');
        let near = checked(&history, 0, b"the beginning of the history", 10);
        let far = checked(&history, 0, b"the beginning of the history", 9);
        assert!(near < 10 && far > 20, "{near} {far}");
    }

    proptest! {
        #[test]
        fn zlib_reads_back_whatever_was_compressed(
            history in vec(select(b"abcde{\"\xff".as_slice()), 0..=HISTORY_MAX),
            cut in 0..HISTORY_MAX,
            payload in prop_oneof![
                vec(select(b"abcde{\"\xff".as_slice()), 0..=MESSAGE_MAX),
                vec(select(b"ab".as_slice()), 0..=MESSAGE_MAX),
                vec(any::<u8>(), 0..=MESSAGE_MAX),
            ],
            window_bits in 9..=15_u8,
        ) {
            checked(&history, cut, &payload, window_bits);
        }
    }
}
