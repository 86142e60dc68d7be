//! What may stand in the head of a request.

/// Says whether a text is a name of a header: a token of RFC 9110, section 5.6.2.
pub(super) fn is_token(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_letter)
}

/// Says whether a header belongs to the handshake or the framing, so that a template has no say.
pub(super) fn is_forbidden(name: &str) -> bool {
    FORBIDDEN
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// Finds a character that cannot stand in the value of a header.
pub(super) fn bad_in_value(value: &str) -> Option<char> {
    value
        .chars()
        .find(|c| matches!(c, '\r' | '\n' | '\0') || (c.is_control() && *c != '\t'))
}

/// Finds a character that cannot stand in a path.
pub(super) fn bad_in_path(path: &str) -> Option<char> {
    path.chars().find(|c| c.is_control() || c.is_whitespace())
}

/// Shows a character, also one that cannot be seen.
pub(super) fn shown(c: char) -> String {
    match c {
        ' ' => "a blank".to_owned(),
        '\r' => "CR".to_owned(),
        '\n' => "LF".to_owned(),
        '\0' => "NUL".to_owned(),
        c if c.is_control() || c.is_whitespace() => format!("U+{:04X}", u32::from(c)),
        c => format!("`{c}`"),
    }
}

const FORBIDDEN: [&str; 6] = [
    "Connection",
    "Content-Length",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Transfer-Encoding",
    "Upgrade",
];
