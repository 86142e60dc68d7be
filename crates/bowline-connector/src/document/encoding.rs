//! Bytes of a file to text.

use crate::diagnostic::{Code, Diagnostic, Span};

/// Decodes a file: UTF-8, or UTF-16 of either order, told by its byte order mark. The mark is left
/// out.
///
/// # Errors
/// The text as far as it could be read, and what is wrong with the rest.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, (String, Box<Diagnostic>)> {
    let decoded = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [b'<', 0, ..] => utf16(bytes, u16::from_le_bytes),
        [0, b'<', ..] => utf16(bytes, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        _ => utf8(bytes),
    }?;
    match declared_encoding(&decoded) {
        Some((name, span)) if !is_known(name) => {
            let diagnostic = Diagnostic::error(
                Code::Encoding,
                span,
                format!("the file says it is in the encoding `{name}`"),
            )
            .label("not one of UTF-8 and UTF-16")
            .help("save the file as UTF-8 and write encoding=\"utf-8\"");
            Err((decoded, Box::new(diagnostic)))
        }
        Some(_) | None => Ok(decoded),
    }
}

type Decoded = Result<String, (String, Box<Diagnostic>)>;

fn utf8(bytes: &[u8]) -> Decoded {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let text = String::from_utf8_lossy(valid).into_owned();
            let bad = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
            Err(refused(text, &format!("the byte 0x{bad:02X} is not UTF-8")))
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Decoded {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut text = String::new();
    for decoded in char::decode_utf16(units) {
        match decoded {
            Ok(c) => text.push(c),
            Err(error) => {
                let bad = error.unpaired_surrogate();
                return Err(refused(text, &format!("0x{bad:04X} is not UTF-16")));
            }
        }
    }
    if rest.is_empty() {
        Ok(text)
    } else {
        Err(refused(text, "the file ends within a character of UTF-16"))
    }
}

fn refused(text: String, message: &str) -> (String, Box<Diagnostic>) {
    let end = Span::at(text.len());
    let diagnostic = Diagnostic::error(Code::Encoding, end, message)
        .label("after this")
        .help("save the file as UTF-8");
    (text, Box::new(diagnostic))
}

/// Finds the encoding an XML declaration names, and where.
fn declared_encoding(text: &str) -> Option<(&str, Span)> {
    let (declaration, _) = text.strip_prefix("<?xml")?.split_once("?>")?;
    let (before, after) = declaration.split_once("encoding")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let name = value.strip_prefix(quote)?.split_once(quote)?.0;
    let skipped = after.len() - value.len() + quote.len_utf8();
    let start = "<?xml".len() + before.len() + "encoding".len() + skipped;
    Some((name, Span::new(start, start + name.len())))
}

fn is_known(name: &str) -> bool {
    const KNOWN: [&str; 8] = [
        "utf-8", "utf8", "utf-16", "utf16", "utf-16le", "utf-16be", "us-ascii", "ascii",
    ];
    KNOWN.iter().any(|known| name.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_of(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn utf_8_and_utf_16_are_read_with_and_without_a_mark() {
        let text = "<A>\u{e9}\u{1f6a2}</A>";
        let marked = format!("\u{feff}{text}");
        for bytes in [
            text.as_bytes().to_vec(),
            marked.as_bytes().to_vec(),
            utf16_of(text, u16::to_le_bytes),
            utf16_of(text, u16::to_be_bytes),
            utf16_of(&marked, u16::to_le_bytes),
            utf16_of(&marked, u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes).unwrap(), text, "{bytes:?}");
        }
    }

    #[test]
    fn what_was_readable_is_given_with_what_is_wrong() {
        let (text, wrong) = decode(b"<A>caf\xe9</A>").unwrap_err();
        assert_eq!(text, "<A>caf");
        assert_eq!(wrong.message, "the byte 0xE9 is not UTF-8");
        assert!(decode(&[0xff, 0xfe, 0x3c]).is_err());
        assert!(decode(&[0xff, 0xfe, 0x00, 0xd8]).is_err());
    }
}
