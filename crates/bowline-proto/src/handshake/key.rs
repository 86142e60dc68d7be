//! The proof that the server read the client's key (RFC 6455 section 4.2.2, item 5.4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

/// The value of a `Sec-WebSocket-Accept` header: the base64 form of a SHA-1 digest.
pub type AcceptKey = [u8; 28];

/// Computes the `Sec-WebSocket-Accept` value that answers a `Sec-WebSocket-Key` value
/// (RFC 6455 section 4.2.2).
///
/// The key is hashed as it stands in the header, without decoding it.
pub fn accept_key(key: &[u8]) -> AcceptKey {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let mut accept = [0; 28];
    let written = STANDARD.encode_slice(digest, &mut accept);
    debug_assert_eq!(written, Ok(28), "20 bytes are 28 characters of base64");
    accept
}

/// Writes 16 random bytes as the value of a `Sec-WebSocket-Key` header.
pub(crate) fn encode_key(nonce: [u8; 16]) -> [u8; 24] {
    let mut key = [0; 24];
    let written = STANDARD.encode_slice(nonce, &mut key);
    debug_assert_eq!(written, Ok(24), "16 bytes are 24 characters of base64");
    key
}

/// Checks that a `Sec-WebSocket-Key` value is canonical base64 of exactly 16 bytes
/// (RFC 6455 section 4.2.1, item 5).
pub(crate) fn checked_key(value: &[u8]) -> Option<[u8; 24]> {
    let key: [u8; 24] = value.try_into().ok()?;
    let mut nonce = [0; 18];
    (STANDARD.decode_slice(key, &mut nonce) == Ok(16)).then_some(key)
}

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_key_matches_the_example_of_section_1_3() {
        assert_eq!(
            &accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="),
            b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn encoded_key_is_accepted_again() {
        let key = encode_key(*b"the sample nonce");
        assert_eq!(&key, b"dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(checked_key(&key), Some(key));
    }

    #[test]
    fn key_that_is_not_16_bytes_of_canonical_base64_is_refused() {
        for key in [
            &b""[..],
            b"dGhlIHNhbXBsZSBub25jZQ",
            b"dGhlIHNhbXBsZSBub25jZQ=",
            b"dGhlIHNhbXBsZSBub25jZR==", // unused bits set
            b"dGhlIHNhbXBsZSBub25jZSE=", // 17 bytes
            b"dGhlIHNhbXBsZSBub25jZSEh", // 18 bytes
            b"dGhlIHNhbXBsZSBub25j Q==",
            b"dGhlIHNhbXBsZSBub25j_Q==",
            b"====dGhlIHNhbXBsZSBub25j",
        ] {
            assert_eq!(checked_key(key), None, "{}", key.escape_ascii());
        }
    }
}
