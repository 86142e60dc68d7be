//! Masking of payloads (RFC 6455 section 5.3).

/// Holds the 32-bit key that masks one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaskingKey(pub [u8; 4]);

/// Supplies a fresh masking key for every frame a client sends.
///
/// RFC 6455 section 10.3 wants keys that cannot be predicted: an implementation must draw from a
/// cryptographically secure source.
pub trait MaskingKeySource: Send {
    /// Gives the key of the next frame.
    fn masking_key(&mut self) -> MaskingKey;
}

impl<F: FnMut() -> MaskingKey + Send> MaskingKeySource for F {
    fn masking_key(&mut self) -> MaskingKey {
        self()
    }
}

/// Masks or unmasks `payload` in place; the two are the same operation.
///
/// `offset` is the place of `payload`'s first byte within the frame's payload, so that a frame can
/// be unmasked in pieces.
#[inline]
pub fn apply_mask(payload: &mut [u8], key: MaskingKey, offset: u64) {
    xor(payload, key.repeated(offset));
}

/// Unmasks a whole payload in place and says whether it is ASCII, in the same pass.
#[inline]
pub(crate) fn unmask_to_ascii(payload: &mut [u8], key: MaskingKey) -> bool {
    xor(payload, key.repeated(0)) & NOT_ASCII == 0
}

/// Gives all bits that are set somewhere in the result; a caller without use for them pays nothing.
#[inline]
fn xor(payload: &mut [u8], word: u64) -> u64 {
    let mut seen = 0;
    let (words, rest) = payload.as_chunks_mut::<8>();
    for eight in words {
        let result = u64::from_ne_bytes(*eight) ^ word;
        seen |= result;
        *eight = result.to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(word.to_ne_bytes()) {
        *byte ^= key;
        seen |= u64::from(*byte);
    }
    seen
}

impl MaskingKey {
    /// Repeats the key over eight bytes, starting `offset` bytes into the payload.
    #[inline]
    fn repeated(self, offset: u64) -> u64 {
        let turn = (offset % 4) as u32 * 8;
        let once = u32::from_le_bytes(self.0).rotate_right(turn);
        let twice = u64::from(once) << 32 | u64::from(once);
        u64::from_ne_bytes(twice.to_le_bytes())
    }
}

/// The bits no byte of ASCII has.
const NOT_ASCII: u64 = 0x8080_8080_8080_8080;

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(payload: &mut [u8], key: [u8; 4], offset: usize) {
        for (i, byte) in payload.iter_mut().enumerate() {
            *byte ^= key[(i + offset) % 4];
        }
    }

    #[test]
    fn matches_the_byte_by_byte_definition_at_every_length_and_offset() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for len in 0..70_u8 {
            for offset in 0..9_usize {
                let mut fast: Vec<u8> = (0..len).collect();
                let mut slow = fast.clone();
                apply_mask(&mut fast, MaskingKey(key), offset as u64);
                naive(&mut slow, key, offset);
                assert_eq!(fast, slow, "len {len} offset {offset}");
            }
        }
    }
    #[test]
    fn finds_the_one_byte_that_is_not_ascii_at_every_place() {
        let key = MaskingKey([0x37, 0xfa, 0x21, 0xbd]);
        for len in 0..40_usize {
            let mut text = vec![b'~'; len];
            apply_mask(&mut text, key, 0);
            assert!(unmask_to_ascii(&mut text.clone(), key), "len {len}");
            for at in 0..len {
                let mut spoilt = text.clone();
                spoilt[at] ^= 0x80;
                assert!(!unmask_to_ascii(&mut spoilt, key), "len {len} at {at}");
            }
        }
    }
}
