//! What can go wrong in an opening handshake, and whose fault it is.

use thiserror::Error;

use super::extensions::ExtensionError;
use crate::deflate::negotiate::DeflateViolation;

/// An opening handshake that failed.
///
/// The variant names the party at fault. There is no close code: before the handshake is complete
/// no close frame can be sent (RFC 6455 section 7.1.7); a server answers with an HTTP status, see
/// [`Refusal`](super::Refusal), a client drops the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HandshakeError {
    /// The peer broke a rule.
    #[error("the peer broke a rule of the opening handshake: {0}")]
    Violation(#[from] HandshakeViolation),
    /// The peer sent more than a bound allows.
    #[error("the opening handshake passed a limit: {0}")]
    LimitExceeded(HandshakeLimit),
    /// The caller asked for something that cannot be done.
    #[error("the opening handshake was used wrongly: {0}")]
    Misuse(#[from] HandshakeMisuse),
    /// The connection ended before the peer had answered.
    #[error("the connection ended before the answer was complete")]
    Eof,
}

impl From<HeadError> for HandshakeError {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::SizeLimit => Self::LimitExceeded(HandshakeLimit::HeadSize),
            HeadError::HeaderCountLimit => Self::LimitExceeded(HandshakeLimit::HeaderCount),
            HeadError::NotHttp
            | HeadError::BareLf
            | HeadError::BareCr
            | HeadError::ControlByte
            | HeadError::FoldedLine
            | HeadError::StartLine
            | HeadError::Version
            | HeadError::HeaderName
            | HeadError::HeaderValue => Self::Violation(HandshakeViolation::Head(error)),
        }
    }
}

/// Why bytes are not an acceptable head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeadError {
    /// The first bytes cannot begin a head; TLS on a plain port looks like this.
    #[error("this is not HTTP")]
    NotHttp,
    /// A line feed without the carriage return before it.
    #[error("a line ends without a carriage return")]
    BareLf,
    /// A carriage return without the line feed after it.
    #[error("a carriage return without a line feed")]
    BareCr,
    /// A control byte other than the tab.
    #[error("a control byte in the head")]
    ControlByte,
    /// A line that begins with a blank: a folded header or one before the first.
    #[error("a header line begins with a blank")]
    FoldedLine,
    /// The request line or status line does not follow the grammar.
    #[error("the first line is malformed")]
    StartLine,
    /// An HTTP version other than 1.0 and 1.1.
    #[error("the HTTP version is not supported")]
    Version,
    /// A header name is not a token.
    #[error("a header name is malformed")]
    HeaderName,
    /// A header value holds a byte that may not stand there.
    #[error("a header value is malformed")]
    HeaderValue,
    /// The head is larger than [`HeadLimits::head_size_max`](super::HeadLimits).
    #[error("the head is too large")]
    SizeLimit,
    /// The head has more fields than [`HeadLimits::header_count_max`](super::HeadLimits).
    #[error("the head has too many headers")]
    HeaderCountLimit,
}

impl From<httparse::Error> for HeadError {
    fn from(error: httparse::Error) -> Self {
        match error {
            httparse::Error::HeaderName => Self::HeaderName,
            httparse::Error::HeaderValue => Self::HeaderValue,
            httparse::Error::NewLine | httparse::Error::Status | httparse::Error::Token => {
                Self::StartLine
            }
            httparse::Error::TooManyHeaders => Self::HeaderCountLimit,
            httparse::Error::Version => Self::Version,
        }
    }
}

/// A rule of the opening handshake that the server we connected to broke.
///
/// What a client can break is a [`RefusalDetail`](super::RefusalDetail), because it has an HTTP
/// status too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HandshakeViolation {
    /// The answer is no HTTP head.
    #[error("{0}")]
    Head(HeadError),
    /// The answer is 101 in an HTTP version that does not have it.
    #[error("the answer switches protocols in HTTP/1.0")]
    VersionTooOld,
    /// More interim answers (1xx) came than
    /// [`ClientLimits::interim_count_max`](super::ClientLimits).
    #[error("too many interim answers")]
    InterimAnswers,
    /// `Upgrade` is not exactly `websocket` (RFC 6455 section 4.1, answer item 2).
    #[error("the answer has no Upgrade header with the one value websocket")]
    Upgrade,
    /// `Connection` has no `Upgrade` token (RFC 6455 section 4.1, answer item 3).
    #[error("the answer has no Connection header with the token Upgrade")]
    Connection,
    /// `Sec-WebSocket-Accept` is absent.
    #[error("the answer has no Sec-WebSocket-Accept header")]
    AcceptMissing,
    /// `Sec-WebSocket-Accept` came more than once (RFC 6455 section 11.3.3).
    #[error("the answer repeats the Sec-WebSocket-Accept header")]
    AcceptRepeated,
    /// `Sec-WebSocket-Accept` does not fit the key (RFC 6455 section 4.1, answer item 4).
    #[error("the Sec-WebSocket-Accept header does not fit the key")]
    AcceptMismatch,
    /// `Sec-WebSocket-Protocol` came more than once (RFC 6455 section 11.3.4).
    #[error("the answer repeats the Sec-WebSocket-Protocol header")]
    SubprotocolRepeated,
    /// The subprotocol is not one of those offered (RFC 6455 section 4.1, answer item 6).
    #[error("the answer names a subprotocol that was not offered")]
    SubprotocolNotOffered,
    /// `Sec-WebSocket-Extensions` came more than once (RFC 6455 section 11.3.2).
    #[error("the answer repeats the Sec-WebSocket-Extensions header")]
    ExtensionsRepeated,
    /// `Sec-WebSocket-Extensions` does not follow the grammar.
    #[error("{0}")]
    Extensions(ExtensionError),
    /// An extension is not one of those offered (RFC 6455 section 4.1, answer item 5).
    #[error("the answer names an extension that was not offered")]
    ExtensionNotOffered,
    /// permessage-deflate was answered in a way that was not offered (RFC 7692 section 7.1).
    #[error("{0}")]
    Deflate(DeflateViolation),
}

/// A bound that the peer passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HandshakeLimit {
    /// [`HeadLimits::head_size_max`](super::HeadLimits).
    #[error("the head is too large")]
    HeadSize,
    /// [`HeadLimits::header_count_max`](super::HeadLimits).
    #[error("the head has too many headers")]
    HeaderCount,
}

/// A call that makes no sense, or a value that may not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HandshakeMisuse {
    /// The host is not `host[:port]`.
    #[error("the host is not a host with an optional port")]
    HostInvalid,
    /// The request target does not begin with a slash, or holds a blank, a control byte, a
    /// fragment or a byte beyond ASCII (RFC 6455 section 3).
    #[error("the request target is not an encoded path with an optional query")]
    TargetInvalid,
    /// The origin holds a blank, a control byte or a byte beyond ASCII.
    #[error("the origin is malformed")]
    OriginInvalid,
    /// A header name is not a token.
    #[error("a header name is not a token")]
    HeaderNameInvalid,
    /// A header value holds a control byte or begins or ends with a blank.
    #[error("a header value holds a control byte or an outer blank")]
    HeaderValueInvalid,
    /// A header that the handshake writes itself.
    #[error("a header is reserved for the handshake")]
    HeaderReserved,
    /// A subprotocol is not a token.
    #[error("a subprotocol is not a token")]
    SubprotocolInvalid,
    /// A subprotocol is offered twice, or more are offered than a server takes.
    #[error("a subprotocol is offered twice, or too many are offered")]
    SubprotocolRepeated,
    /// The chosen subprotocol is not one of those the client offered.
    #[error("the chosen subprotocol was not offered")]
    SubprotocolNotOffered,
    /// More permessage-deflate offers than a server takes extensions.
    #[error("too many extension offers")]
    TooManyOffers,
    /// A refusal needs a status from 200 to 599.
    #[error("the status cannot refuse a handshake")]
    StatusInvalid,
    /// A status that has no body was given one (RFC 9110 sections 15.3.5, 15.3.6, 15.4.5).
    #[error("an answer with this status has no body")]
    BodyNotAllowed,
    /// Bytes were given to a handshake that is over.
    #[error("the handshake is over")]
    Finished,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_small() {
        assert!(
            size_of::<HandshakeError>() <= 4,
            "{}",
            size_of::<HandshakeError>()
        );
        assert_eq!(size_of::<HeadError>(), 1);
    }

    #[test]
    fn a_passed_limit_is_told_from_a_broken_rule() {
        assert_eq!(
            HandshakeError::from(HeadError::SizeLimit),
            HandshakeError::LimitExceeded(HandshakeLimit::HeadSize)
        );
        assert_eq!(
            HandshakeError::from(HeadError::NotHttp),
            HandshakeError::Violation(HandshakeViolation::Head(HeadError::NotHttp))
        );
    }
}
