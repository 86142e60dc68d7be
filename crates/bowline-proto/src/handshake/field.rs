//! The grammar of HTTP header fields as far as the handshake needs it (RFC 9110 section 5).

use bytes::{BufMut as _, BytesMut};

use super::error::HandshakeMisuse;

/// Tells whether a byte may stand in a token (RFC 9110 section 5.6.2).
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    matches!(byte,
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9'
        | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+'
        | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// Tells whether the bytes are a token: one or more token bytes.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().copied().all(is_token_byte)
}

/// Returns the bytes as text when they are a token.
pub(crate) fn token(bytes: &[u8]) -> Option<&str> {
    if is_token(bytes) {
        str::from_utf8(bytes).ok()
    } else {
        None
    }
}

/// Tells whether the bytes may be a header value: no control byte but the tab.
pub(crate) fn is_field_value(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|byte| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..))
}

/// Tells whether the bytes are one or more visible ASCII characters, without a space.
pub(crate) fn is_visible(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic)
}

/// Removes spaces and tabs at both ends.
pub(crate) fn trim_blanks(mut bytes: &[u8]) -> &[u8] {
    while let Some((b' ' | b'\t', rest)) = bytes.split_first() {
        bytes = rest;
    }
    while let Some((b' ' | b'\t', rest)) = bytes.split_last() {
        bytes = rest;
    }
    bytes
}

/// Splits a comma-separated value; empty elements are skipped (RFC 9110 section 5.6.1.2).
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|byte| *byte == b',')
        .map(trim_blanks)
        .filter(|element| !element.is_empty())
}

/// Splits `host[:port]` and checks both parts (RFC 3986 sections 3.2.2 and 3.2.3).
///
/// The host keeps the brackets of an IPv6 literal. A port is 1 to 65535.
pub(crate) fn split_authority(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (literal, after) = rest.split_once(']')?;
            let is_literal = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
            if literal.is_empty() || !literal.bytes().all(is_literal) {
                return None;
            }
            let host = authority.get(..literal.len() + 2)?;
            (
                host,
                if after.is_empty() {
                    None
                } else {
                    Some(after.strip_prefix(':')?)
                },
            )
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let is_name = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'.'
                    | b'_'
                    | b'~'
                    | b'%'
                    | b'!'
                    | b'$'
                    | b'&'
                    | b'\''
                    | b'('
                    | b')'
                    | b'*'
                    | b'+'
                    | b','
                    | b';'
                    | b'='
            )
    };
    if host.is_empty() || !(host.starts_with('[') || host.bytes().all(is_name)) {
        return None;
    }
    match port {
        None => Some((host, None)),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let port = digits.parse().ok().filter(|port| *port != 0)?;
            Some((host, Some(port)))
        }
        Some(_) => None,
    }
}

/// Writes one header line.
pub(crate) fn write_field(out: &mut BytesMut, name: &str, value: &[u8]) {
    out.reserve(name.len() + value.len() + 4);
    out.put_slice(name.as_bytes());
    out.put_slice(b": ");
    out.put_slice(value);
    out.put_slice(b"\r\n");
}

/// Checks a header that the caller adds to a request or an answer.
///
/// The name must be a token that the handshake does not write itself, the value must hold no
/// control byte: with this no header can be smuggled in (RFC 9110 section 5.5).
pub(crate) fn check_extra_header(
    name: &str,
    value: &[u8],
    also_reserved: &[&str],
) -> Result<(), HandshakeMisuse> {
    if !is_token(name.as_bytes()) {
        return Err(HandshakeMisuse::HeaderNameInvalid);
    }
    if !is_field_value(value) || trim_blanks(value).len() != value.len() {
        return Err(HandshakeMisuse::HeaderValueInvalid);
    }
    let is_handshake = name
        .as_bytes()
        .get(..RESERVED_PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_PREFIX));
    let is_listed = |list: &[&str]| list.iter().any(|listed| name.eq_ignore_ascii_case(listed));
    if is_handshake || is_listed(RESERVED) || is_listed(also_reserved) {
        return Err(HandshakeMisuse::HeaderReserved);
    }
    Ok(())
}

/// Names that only the handshake writes: they would change what the message means or where it
/// ends.
const RESERVED: &[&str] = &[
    "connection",
    "upgrade",
    "content-length",
    "transfer-encoding",
    "trailer",
    "te",
];
const RESERVED_PREFIX: &[u8] = b"sec-websocket-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_elements_are_trimmed_and_empty_ones_skipped() {
        let list: Vec<&[u8]> = elements(b" ,a ,\t b,, c").collect();
        assert_eq!(list, [b"a", b"b", b"c"]);
        assert_eq!(elements(b" , ,").count(), 0);
    }

    #[test]
    fn authority_is_split_and_checked() {
        for (text, parts) in [
            ("example.com", Some(("example.com", None))),
            ("example.com:8080", Some(("example.com", Some(8080)))),
            ("10.0.0.1:1", Some(("10.0.0.1", Some(1)))),
            ("[::1]", Some(("[::1]", None))),
            (
                "[::ffff:1.2.3.4]:65535",
                Some(("[::ffff:1.2.3.4]", Some(65535))),
            ),
            ("", None),
            (":80", None),
            ("a:", None),
            ("a:0", None),
            ("a:65536", None),
            ("a:+1", None),
            ("a b", None),
            ("a/b", None),
            ("user@a", None),
            ("a\r\nb", None),
            ("[::1", None),
            ("[]", None),
            ("[::1]80", None),
            ("[g::1]", None),
            ("::1", None),
            ("m\u{fc}nchen", None),
        ] {
            assert_eq!(split_authority(text), parts, "{text:?}");
        }
    }

    #[test]
    fn extra_header_cannot_inject_or_override() {
        use HandshakeMisuse::{HeaderNameInvalid, HeaderReserved, HeaderValueInvalid};
        for (name, value, result) in [
            ("X-Trace", &b"1 2\t3"[..], Ok(())),
            ("X-Empty", b"", Ok(())),
            ("X-Latin", b"caf\xe9", Ok(())),
            ("", b"1", Err(HeaderNameInvalid)),
            ("X Y", b"1", Err(HeaderNameInvalid)),
            ("X:", b"1", Err(HeaderNameInvalid)),
            ("X\r\nY", b"1", Err(HeaderNameInvalid)),
            ("X", b"1\r\nY: 2", Err(HeaderValueInvalid)),
            ("X", b"1\n", Err(HeaderValueInvalid)),
            ("X", b"1\r", Err(HeaderValueInvalid)),
            ("X", b"\0", Err(HeaderValueInvalid)),
            ("X", b"\x7f", Err(HeaderValueInvalid)),
            ("X", b" 1", Err(HeaderValueInvalid)),
            ("upgrade", b"x", Err(HeaderReserved)),
            ("CONNECTION", b"x", Err(HeaderReserved)),
            ("Content-Length", b"1", Err(HeaderReserved)),
            ("Sec-WebSocket-Accept", b"x", Err(HeaderReserved)),
            ("sec-websocket-anything", b"x", Err(HeaderReserved)),
            ("Host", b"x", Err(HeaderReserved)),
        ] {
            assert_eq!(
                check_extra_header(name, value, &["host"]),
                result,
                "{name:?}"
            );
        }
    }
}
