//! The part of an LZ77 sliding window that outlives a message.

use std::collections::VecDeque;

/// The base-2 logarithm of an LZ77 sliding window size, 8 to 15 (RFC 7692, section 7.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowBits(u8);

impl WindowBits {
    /// The smallest window: 256 bytes.
    pub const MIN: Self = Self(8);

    /// The largest window and the one in use when nothing else was negotiated: 32,768 bytes.
    pub const MAX: Self = Self(15);

    /// Creates a window size, or returns `None` outside of 8 to 15.
    pub const fn new(bits: u8) -> Option<Self> {
        match bits {
            8..=15 => Some(Self(bits)),
            _ => None,
        }
    }

    /// Returns the number of bits, 8 to 15.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Returns the size of the window in bytes, 256 to 32,768.
    pub const fn size(self) -> usize {
        1 << self.0
    }

    /// Returns the bits a zlib context works with.
    ///
    /// zlib has no raw window of 8 bits. Its 9-bit contexts never reach further back than 250
    /// bytes when compressing, so that their output suits a peer with 8 bits; peers built on zlib
    /// that agreed on 8 bits send what a 9-bit context makes.
    pub(super) const fn for_context(self) -> Self {
        match self.0 {
            8 => Self(9),
            bits => Self(bits),
        }
    }
}

impl Default for WindowBits {
    fn default() -> Self {
        Self::MAX
    }
}

/// The last bytes of one direction's plain data; allocates what was seen, up to its size.
#[derive(Debug, Default)]
pub(super) struct Window {
    bytes: VecDeque<u8>,
    size_max: usize,
}

impl Window {
    pub(super) const fn new(bits: WindowBits) -> Self {
        Self {
            bytes: VecDeque::new(),
            size_max: bits.size(),
        }
    }

    /// Empties the window for other data and keeps its allocation.
    pub(super) fn restart(&mut self, bits: WindowBits) {
        self.bytes.clear();
        self.size_max = bits.size();
    }

    /// Takes in what follows, dropping what is then more than the window's size back.
    pub(super) fn append(&mut self, data: &[u8]) {
        let skipped = data.len().saturating_sub(self.size_max);
        let tail = data.get(skipped..).unwrap_or_default();
        let seen = self.bytes.len() + tail.len();
        let overflow = seen.saturating_sub(self.size_max);
        self.bytes.drain(..overflow.min(self.bytes.len()));
        self.reserve(tail.len());
        self.bytes.extend(tail);
        debug_assert!(
            self.bytes.len() <= self.size_max,
            "a window never outgrows its size"
        );
    }

    /// Returns how far back a message may refer, in bytes.
    pub(super) const fn size_max(&self) -> usize {
        self.size_max
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns the last bytes, at most so many, oldest first, in two parts.
    pub(super) fn last(&self, count: usize) -> [&[u8]; 2] {
        let (older, newer) = self.bytes.as_slices();
        let older_count = count.saturating_sub(newer.len());
        [last(older, older_count), last(newer, count)]
    }

    fn reserve(&mut self, additional: usize) {
        let needed = self.bytes.len() + additional;
        if needed > self.bytes.capacity() {
            let target = needed
                .next_power_of_two()
                .clamp(ALLOCATION_MIN, self.size_max);
            self.bytes
                .reserve_exact(target.saturating_sub(self.bytes.len()));
        }
    }
}

fn last(bytes: &[u8], count: usize) -> &[u8] {
    let start = bytes.len().saturating_sub(count);
    bytes.get(start..).unwrap_or_default()
}

/// The first allocation of a window; small messages should not cause one after the other.
const ALLOCATION_MIN: usize = 64;

const _: () = assert!(ALLOCATION_MIN <= WindowBits::MIN.size());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_keeps_the_last_bytes_only() {
        let mut window = Window::new(WindowBits::MIN);
        let data: Vec<u8> = (0..1000_u32).map(|n| n.to_le_bytes()[0]).collect();
        for step in [1, 7, 255, 256, 257, 1000] {
            window.restart(WindowBits::MIN);
            for chunk in data.chunks(step) {
                window.append(chunk);
            }
            for count in [0, 1, 100, 255, 256, 257, usize::MAX] {
                let tail = &data[1000 - count.min(256)..];
                assert_eq!(window.last(count).concat(), tail, "step {step}");
            }
        }
    }

    #[test]
    fn a_window_allocates_what_was_seen_up_to_its_size() {
        let mut window = Window::new(WindowBits::MAX);
        assert_eq!(window.bytes.capacity(), 0);
        window.append(&[1; 10]);
        assert_eq!(window.bytes.capacity(), ALLOCATION_MIN);
        window.append(&[2; 100]);
        assert_eq!(window.bytes.capacity(), 128);
        for _ in 0..100 {
            window.append(&[3; 1000]);
        }
        assert_eq!(window.bytes.capacity(), WindowBits::MAX.size());
    }
}
