//! A whole answer to a request that is not accepted.

use std::fmt;

use bowline_proto::handshake::{HandshakeMisuse, RefusalResponse, RequestHead, write_refusal};
use bytes::BytesMut;

/// A whole HTTP answer to a request that does not become a WebSocket: status, headers, body.
///
/// ```
/// use bowline::server::Answer;
///
/// let answer = Answer::new(503)
///     .with_header("Retry-After", "30")
///     .with_body("We are back in half a minute.\n");
/// assert_eq!(answer.header("retry-after"), Some(&b"30"[..]));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status, 200 to 599.
    pub status: u16,
    /// Headers besides `Connection` and `Content-Length`, which are written with the answer.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body; empty for 204, 205 and 304, which have none.
    pub body: String,
}

impl Answer {
    /// Creates an answer of a status, without headers or body.
    pub const fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref().to_vec();
        self.headers.push((name.to_owned(), value));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }

    /// Gives the value of the first header of a name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let mut headers = self.headers.iter();
        headers.find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(&**value))
    }

    /// Gives the headers as the engine takes them.
    pub(super) fn borrowed_headers(&self) -> Vec<(&str, &[u8])> {
        let headers = self.headers.iter();
        headers
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect()
    }

    /// Writes the answer; the connection is to be closed after it.
    pub(super) fn write(&self, out: &mut BytesMut) -> Result<(), HandshakeMisuse> {
        let response = RefusalResponse {
            status: self.status,
            headers: &self.borrowed_headers(),
            body: self.body.as_bytes(),
        };
        write_refusal(&response, out)
    }

    /// Tells whether it can be sent.
    pub(super) fn check(&self) -> Result<(), HandshakeMisuse> {
        self.write(&mut BytesMut::new())
    }
}

/// Leaves out the values of headers, which may be cookies, and the body.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

/// Writes an answer to a request; without the body if the request is HEAD (RFC 9110 section
/// 9.3.2).
pub(super) fn write_answer(
    head: &RequestHead,
    response: &RefusalResponse<'_>,
    out: &mut BytesMut,
) -> Result<(), HandshakeMisuse> {
    write_refusal(response, out)?;
    if head.method() == "HEAD" {
        out.truncate(out.len().saturating_sub(response.body.len()));
    }
    Ok(())
}
