//! How a server says no to an opening handshake.

use bytes::{BufMut as _, BytesMut};
use thiserror::Error;

use super::error::{HandshakeMisuse, HeadError};
use super::field::{check_extra_header, write_field};

/// A request that cannot become a WebSocket connection: the client's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{detail}")]
pub struct Refusal {
    detail: RefusalDetail,
}

impl Refusal {
    /// Creates a refusal for a reason.
    pub const fn new(detail: RefusalDetail) -> Self {
        Self { detail }
    }

    /// Returns the reason.
    pub const fn detail(self) -> RefusalDetail {
        self.detail
    }

    /// Returns the HTTP status that answers it.
    pub const fn status(self) -> u16 {
        match self.detail {
            RefusalDetail::MethodNotGet => 405,
            RefusalDetail::VersionUnsupported => 426,
            RefusalDetail::HeadTooLarge | RefusalDetail::TooManyHeaders => 431,
            RefusalDetail::HttpVersionUnsupported => 505,
            RefusalDetail::HeadMalformed
            | RefusalDetail::HttpVersionTooOld
            | RefusalDetail::TargetInvalid
            | RefusalDetail::HostMissing
            | RefusalDetail::HostRepeated
            | RefusalDetail::HostInvalid
            | RefusalDetail::BodyPresent
            | RefusalDetail::UpgradeMissing
            | RefusalDetail::ConnectionUpgradeMissing
            | RefusalDetail::KeyMissing
            | RefusalDetail::KeyRepeated
            | RefusalDetail::KeyInvalid
            | RefusalDetail::VersionMissing
            | RefusalDetail::VersionRepeated
            | RefusalDetail::SubprotocolInvalid
            | RefusalDetail::SubprotocolRepeated
            | RefusalDetail::TooManySubprotocols
            | RefusalDetail::ExtensionsInvalid
            | RefusalDetail::TooManyExtensions
            | RefusalDetail::OriginRepeated
            | RefusalDetail::OriginInvalid => 400,
        }
    }

    /// Writes the whole HTTP answer: the status, the headers it needs and one line of text that
    /// names the reason. The connection is to be closed after it.
    pub fn write(self, out: &mut BytesMut) {
        let text = format!("{}\n", self.detail);
        // A HEAD request ends here too, and its answer has no body.
        let has_body = self.detail != RefusalDetail::MethodNotGet;
        let response = RefusalResponse {
            status: self.status(),
            headers: if has_body { PLAIN_TEXT } else { &[] },
            body: if has_body { text.as_bytes() } else { b"" },
        };
        let written = write_refusal(&response, out);
        debug_assert_eq!(written, Ok(()), "our own refusal is well formed");
    }
}

impl From<RefusalDetail> for Refusal {
    fn from(detail: RefusalDetail) -> Self {
        Self::new(detail)
    }
}

/// A head that the parser refused is answered too.
impl From<HeadError> for Refusal {
    fn from(error: HeadError) -> Self {
        Self::new(match error {
            HeadError::SizeLimit => RefusalDetail::HeadTooLarge,
            HeadError::HeaderCountLimit => RefusalDetail::TooManyHeaders,
            HeadError::Version => RefusalDetail::HttpVersionUnsupported,
            HeadError::NotHttp
            | HeadError::BareLf
            | HeadError::BareCr
            | HeadError::ControlByte
            | HeadError::FoldedLine
            | HeadError::StartLine
            | HeadError::HeaderName
            | HeadError::HeaderValue => RefusalDetail::HeadMalformed,
        })
    }
}

/// Why a request was refused, as a number that stays the same from version to version.
///
/// The numbers are for logs and counters: [`code`](Self::code).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[repr(u16)]
#[non_exhaustive]
pub enum RefusalDetail {
    /// 10: the head does not follow the grammar; status 400.
    #[error("the request head is malformed")]
    HeadMalformed = 10,
    /// 11: the head is too large; status 431.
    #[error("the request head is too large")]
    HeadTooLarge = 11,
    /// 12: the head has too many fields; status 431.
    #[error("the request has too many headers")]
    TooManyHeaders = 12,
    /// 13: not HTTP/1.x; status 505.
    #[error("the HTTP version is not supported")]
    HttpVersionUnsupported = 13,
    /// 20: the method is not GET; status 405 (RFC 6455 section 4.1, request item 2).
    #[error("the method is not GET")]
    MethodNotGet = 20,
    /// 21: HTTP/1.0; status 400 (RFC 6455 section 4.2.1, item 1).
    #[error("the HTTP version is older than 1.1")]
    HttpVersionTooOld = 21,
    /// 22: the target is no path or absolute URL, or it has a fragment; status 400
    /// (RFC 6455 sections 3 and 4.1).
    #[error("the request target is malformed")]
    TargetInvalid = 22,
    /// 23: no `Host`; status 400 (RFC 6455 section 4.2.1, item 2).
    #[error("the Host header is missing")]
    HostMissing = 23,
    /// 24: several `Host`; status 400 (RFC 9112 section 3.2).
    #[error("the Host header is repeated")]
    HostRepeated = 24,
    /// 25: `Host` is not `host[:port]`; status 400 (RFC 9112 section 3.2).
    #[error("the Host header is malformed")]
    HostInvalid = 25,
    /// 26: the request has a body, whose bytes would be taken for frames; status 400.
    #[error("the request has a body")]
    BodyPresent = 26,
    /// 30: `Upgrade` without `websocket`; status 400 (RFC 6455 section 4.2.1, item 3).
    #[error("the Upgrade header does not name websocket")]
    UpgradeMissing = 30,
    /// 31: `Connection` without `Upgrade`; status 400 (RFC 6455 section 4.2.1, item 4).
    #[error("the Connection header does not name Upgrade")]
    ConnectionUpgradeMissing = 31,
    /// 40: no `Sec-WebSocket-Key`; status 400 (RFC 6455 section 4.2.1, item 5).
    #[error("the Sec-WebSocket-Key header is missing")]
    KeyMissing = 40,
    /// 41: several `Sec-WebSocket-Key`; status 400 (RFC 6455 section 11.3.1).
    #[error("the Sec-WebSocket-Key header is repeated")]
    KeyRepeated = 41,
    /// 42: the key is not base64 of 16 bytes; status 400 (RFC 6455 section 4.2.1, item 5).
    #[error("the Sec-WebSocket-Key header is not base64 of 16 bytes")]
    KeyInvalid = 42,
    /// 50: no `Sec-WebSocket-Version`; status 400 (RFC 6455 section 4.2.1, item 6).
    #[error("the Sec-WebSocket-Version header is missing")]
    VersionMissing = 50,
    /// 51: several `Sec-WebSocket-Version`; status 400 (RFC 6455 section 11.3.5).
    #[error("the Sec-WebSocket-Version header is repeated")]
    VersionRepeated = 51,
    /// 52: a version other than 13; status 426 (RFC 6455 section 4.4).
    #[error("the WebSocket version is not 13")]
    VersionUnsupported = 52,
    /// 60: a subprotocol is not a token, or none is named; status 400
    /// (RFC 6455 section 4.1, request item 10).
    #[error("the Sec-WebSocket-Protocol header is malformed")]
    SubprotocolInvalid = 60,
    /// 61: a subprotocol comes twice; status 400 (RFC 6455 section 4.1, request item 10).
    #[error("a subprotocol is offered twice")]
    SubprotocolRepeated = 61,
    /// 62: more subprotocols than [`SUBPROTOCOL_COUNT_MAX`](super::SUBPROTOCOL_COUNT_MAX);
    /// status 400.
    #[error("too many subprotocols are offered")]
    TooManySubprotocols = 62,
    /// 70: `Sec-WebSocket-Extensions` is malformed; status 400 (RFC 6455 section 9.1).
    #[error("the Sec-WebSocket-Extensions header is malformed")]
    ExtensionsInvalid = 70,
    /// 71: too many extensions or parameters; status 400.
    #[error("too many extensions are offered")]
    TooManyExtensions = 71,
    /// 80: several `Origin`; status 400 (RFC 6454 section 7.3).
    #[error("the Origin header is repeated")]
    OriginRepeated = 80,
    /// 81: `Origin` is empty or holds a blank or a byte beyond ASCII; status 400
    /// (RFC 6454 section 7.1).
    #[error("the Origin header is malformed")]
    OriginInvalid = 81,
}

impl RefusalDetail {
    /// Returns the number.
    pub const fn code(self) -> u16 {
        self as u16
    }
}

/// An HTTP answer that is not a handshake, written by [`write_refusal`].
#[derive(Clone, Copy, Debug)]
pub struct RefusalResponse<'a> {
    /// The status, 200 to 599.
    pub status: u16,
    /// Headers besides `Connection` and `Content-Length`, which are written for the caller.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body; empty for 204, 205 and 304, which have none.
    pub body: &'a [u8],
}

/// Writes a whole HTTP answer that refuses a handshake; the connection is to be closed after it.
///
/// 405 gets `Allow: GET` unless the caller says otherwise (RFC 9110 section 15.5.6), 426 gets
/// `Upgrade` and `Sec-WebSocket-Version` (RFC 9110 section 15.5.22, RFC 6455 section 4.4).
///
/// # Errors
///
/// [`HandshakeMisuse`] when the status, a header or the body cannot be sent. Nothing is written
/// then.
pub fn write_refusal(
    response: &RefusalResponse<'_>,
    out: &mut BytesMut,
) -> Result<(), HandshakeMisuse> {
    let RefusalResponse {
        status,
        headers,
        body,
    } = *response;
    if !(200..=599).contains(&status) {
        return Err(HandshakeMisuse::StatusInvalid);
    }
    if !body.is_empty() && matches!(status, 204 | 205 | 304) {
        return Err(HandshakeMisuse::BodyNotAllowed);
    }
    for (name, value) in headers {
        check_extra_header(name, value, &[])?;
    }
    out.put_slice(format!("HTTP/1.1 {status} {}\r\n", reason_phrase(status)).as_bytes());
    if status == 426 {
        out.put_slice(b"Connection: Upgrade, close\r\nUpgrade: websocket\r\n");
        out.put_slice(b"Sec-WebSocket-Version: 13\r\n");
    } else {
        out.put_slice(b"Connection: close\r\n");
    }
    let has_allow = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("allow"));
    if status == 405 && !has_allow {
        write_field(out, "Allow", b"GET");
    }
    for (name, value) in headers {
        write_field(out, name, value);
    }
    // RFC 9110 section 8.6: no length with 204.
    if status != 204 {
        write_field(out, "Content-Length", body.len().to_string().as_bytes());
    }
    out.put_slice(b"\r\n");
    out.put_slice(body);
    Ok(())
}

/// Returns the usual text for a status, empty for one without.
const fn reason_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        413 => "Content Too Large",
        414 => "URI Too Long",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

const PLAIN_TEXT: &[(&str, &[u8])] = &[("Content-Type", b"text/plain; charset=utf-8")];
