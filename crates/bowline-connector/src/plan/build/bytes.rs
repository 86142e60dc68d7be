//! Fixed values: text, or bytes in hex.

/// Decodes a fixed value: `0x` and two digits is a byte, anything else stands for itself.
pub(super) fn fixed_bytes(text: &str) -> Vec<u8> {
    // Where the value is all hex, blanks around it are the file's.
    let trimmed = text.trim();
    let text = if hex_byte(trimmed.as_bytes()).is_some() && hex_byte(tail(trimmed)).is_some() {
        trimmed
    } else {
        text
    };
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if let Some(byte) = hex_byte(rest) {
            bytes.push(byte);
            rest = rest.get(HEX_LENGTH..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    bytes
}

/// Reads `0x` and two digits.
fn hex_byte(text: &[u8]) -> Option<u8> {
    let [b'0', b'x' | b'X', high, low, ..] = text else {
        return None;
    };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn tail(text: &str) -> &[u8] {
    let bytes = text.as_bytes();
    bytes
        .get(bytes.len().saturating_sub(HEX_LENGTH)..)
        .unwrap_or_default()
}

const HEX_LENGTH: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_runs_are_bytes_and_the_rest_stands_for_itself() {
        for (text, bytes) in [
            ("0x0D0x0A", &b"\r\n"[..]),
            (" 0x01 0x02\n", b"\x01 \x02"),
            ("abc", b"abc"),
            (" a ", b" a "),
            ("a0x41z", b"aAz"),
            ("0x", b"0x"),
            ("0xG1", b"0xG1"),
            ("0X7f", b"\x7f"),
            ("", b""),
        ] {
            assert_eq!(fixed_bytes(text), bytes, "{text:?}");
        }
    }
}
