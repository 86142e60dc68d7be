//! The head of an HTTP/1.x response.

use std::fmt;

use bytes::Bytes;

use super::error::HeadError;
use super::headers::{Headers, Span};
use super::request::HttpVersion;

/// A checked response head that owns its bytes.
#[derive(Clone)]
pub struct ResponseHead {
    status: u16,
    version: HttpVersion,
    reason: Span,
    headers: Headers,
}

impl ResponseHead {
    /// Returns the status, 100 to 999.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns the text after the status, which may be empty and need not be UTF-8.
    pub fn reason(&self) -> &[u8] {
        self.reason.of(self.headers.bytes())
    }

    /// Returns the first line, without its line end.
    pub fn status_line(&self) -> &[u8] {
        status_line(self.headers.bytes())
    }

    /// Returns the HTTP version.
    pub const fn version(&self) -> HttpVersion {
        self.version
    }

    /// Returns the header fields.
    pub const fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Returns the head as it came, with the empty line that ends it.
    pub const fn as_bytes(&self) -> &Bytes {
        self.headers.bytes()
    }

    /// Parses a whole head, with room for exactly its header fields.
    pub(crate) fn parse_with<'b>(
        bytes: &'b Bytes,
        fields: &mut [httparse::Header<'b>],
    ) -> Result<Self, HeadError> {
        let mut response = httparse::Response::new(fields);
        if response.parse(bytes)?.is_partial() {
            return Err(HeadError::StartLine);
        }
        let status = response
            .code
            .filter(|code| *code >= 100)
            .ok_or(HeadError::StartLine)?;
        // The parser hides a reason beyond ASCII, so it is taken from the line itself.
        let reason = status_line(bytes).get(REASON_OFFSET..).unwrap_or_default();
        Ok(Self {
            status,
            version: HttpVersion::from_minor(response.version)?,
            reason: Span::locate(reason, bytes),
            headers: Headers::locate(bytes, response.headers),
        })
    }
}

impl fmt::Debug for ResponseHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseHead")
            .field("status", &self.status)
            .field(
                "reason",
                &format_args!("\"{}\"", self.reason().escape_ascii()),
            )
            .field("version", &self.version)
            .field("headers", &self.headers)
            .finish()
    }
}

fn status_line(bytes: &[u8]) -> &[u8] {
    bytes
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default()
}

/// Where the reason begins in a line such as `HTTP/1.1 404 Not Found`.
const REASON_OFFSET: usize = "HTTP/1.1 404 ".len();

#[cfg(test)]
mod tests {
    use super::super::{HeadLimits, HeadParser};
    use super::*;

    #[test]
    fn status_line_is_kept() {
        for (line, status, reason) in [
            (
                &b"HTTP/1.1 101 Switching Protocols"[..],
                101,
                &b"Switching Protocols"[..],
            ),
            (b"HTTP/1.0 200 OK", 200, b"OK"),
            (b"HTTP/1.1 404 ", 404, b""),
            (b"HTTP/1.1 404", 404, b""),
            (b"HTTP/1.1 599 d\xc3\xa9fendu", 599, b"d\xc3\xa9fendu"),
        ] {
            let mut bytes = line.to_vec();
            bytes.extend_from_slice(b"\r\nA: b\r\n\r\n");
            let mut parser = HeadParser::<ResponseHead>::new(HeadLimits::default());
            let head = parser.handle_input(&bytes).unwrap().unwrap().head;
            assert_eq!(head.status(), status);
            assert_eq!(head.reason(), reason);
            assert_eq!(head.status_line(), line);
            assert_eq!(head.headers().text("a"), Some("b"));
        }
    }
}
