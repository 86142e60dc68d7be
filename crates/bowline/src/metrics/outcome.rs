//! How opening handshakes and connections end, as names to count by.

use bowline_proto::{Cause, CloseCode, EndedBy, Ending};

use crate::error::{CredentialsError, Error, ProxyError};

/// Names how an opening handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HandshakeOutcome {
    /// It led to a connection.
    Accepted,
    /// The server answered with another status than 101.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Why: 1 for plain HTTP where only a WebSocket is served, 10 to 81 a
        /// [`RefusalDetail`](crate::proto::handshake::RefusalDetail), 110 to 141 an
        /// [`AdmissionReason`](crate::server::admission::AdmissionReason), 150 a request filter, 160
        /// to 163 a [`BodyError`](crate::server::BodyError), from 200 on a
        /// [`RuleRefusal`](crate::server::rules::RuleRefusal); 0 if the application decided, or on
        /// the client's side, which is not told.
        code: u16,
    },
    /// A deadline passed.
    TimedOut,
    /// The stream failed or ended.
    Io,
    /// The server broke a rule, the proxy opened no way, TLS failed, or what was to be sent could
    /// not be.
    Failed,
}

impl HandshakeOutcome {
    /// Gives the name that stands for it in labels and events.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused { .. } => "refused",
            Self::TimedOut => "timed_out",
            Self::Io => "io",
            Self::Failed => "failed",
        }
    }
}

impl HandshakeOutcome {
    fn through(error: &ProxyError) -> Self {
        if let ProxyError::Unreachable { source, .. } = error {
            Self::from(&**source)
        } else if matches!(error, ProxyError::Io { .. } | ProxyError::Eof { .. }) {
            Self::Io
        } else {
            Self::Failed
        }
    }
}

impl From<&Error> for HandshakeOutcome {
    fn from(error: &Error) -> Self {
        match error {
            Error::RefusedRequest(refusal) => Self::Refused {
                status: refusal.status(),
                code: refusal.detail().code(),
            },
            Error::RefusedBody(error) => Self::Refused {
                status: error.status(),
                code: error.code(),
            },
            Error::NotWebSocket => Self::Refused {
                status: 426,
                code: 1,
            },
            Error::Refused(refused) | Error::Credentials(CredentialsError::Challenge(refused)) => {
                Self::Refused {
                    status: refused.response.status(),
                    code: 0,
                }
            }
            Error::Redirect(error) => Self::Refused {
                status: error.refused().response.status(),
                code: 0,
            },
            Error::Proxy(error) => Self::through(error),
            Error::Timeout(_) => Self::TimedOut,
            Error::Io(_)
            | Error::NotHandedOver(_)
            | Error::Resolve { .. }
            | Error::Connect { .. } => Self::Io,
            Error::Url(_)
            | Error::Credentials(_)
            | Error::Tls(_)
            | Error::Handshake(_)
            | Error::Misuse(_)
            | Error::QueueFull
            | Error::TextCodec(_)
            | Error::InsideRuntime
            | Error::RecvTimeout
            | Error::Dialer(_)
            | Error::Closed(_) => Self::Failed,
        }
    }
}

/// Names how a connection ended: the parts of an [`Ending`] that are bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndingKind {
    /// Who began the end.
    pub by: EndedBy,
    /// What brought it.
    pub cause: EndingCause,
}

impl EndingKind {
    /// Gives the kind of an ending.
    pub const fn of(ending: &Ending) -> Self {
        Self {
            by: ending.by,
            cause: EndingCause::of(ending.cause),
        }
    }

    /// Gives the name that stands for the side in labels and events.
    pub const fn by_label(self) -> &'static str {
        match self.by {
            EndedBy::Local => "local",
            EndedBy::Peer => "peer",
            EndedBy::Network => "network",
        }
    }
}

/// Names what brought a connection to its end: a [`Cause`] without its details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EndingCause {
    /// [`Cause::ClosingHandshake`].
    ClosingHandshake,
    /// [`Cause::Violation`].
    Violation,
    /// [`Cause::Limit`].
    Limit,
    /// [`Cause::Eof`].
    Eof,
    /// [`Cause::KeepaliveTimeout`].
    KeepaliveTimeout,
    /// [`Cause::CloseTimeout`].
    CloseTimeout,
    /// [`Cause::Aborted`].
    Aborted,
    /// [`Cause::Transport`].
    Transport,
    /// A cause that has no name here yet.
    Other,
}

impl EndingCause {
    const fn of(cause: Cause) -> Self {
        match cause {
            Cause::ClosingHandshake => Self::ClosingHandshake,
            Cause::Violation(_) => Self::Violation,
            Cause::Limit(_) => Self::Limit,
            Cause::Eof => Self::Eof,
            Cause::KeepaliveTimeout => Self::KeepaliveTimeout,
            Cause::CloseTimeout => Self::CloseTimeout,
            Cause::Aborted => Self::Aborted,
            Cause::Transport(_) => Self::Transport,
            _ => Self::Other,
        }
    }

    /// Gives the name that stands for it in labels and events.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ClosingHandshake => "closing_handshake",
            Self::Violation => "violation",
            Self::Limit => "limit",
            Self::Eof => "eof",
            Self::KeepaliveTimeout => "keepalive_timeout",
            Self::CloseTimeout => "close_timeout",
            Self::Aborted => "aborted",
            Self::Transport => "transport",
            Self::Other => "other",
        }
    }
}

/// Groups close codes, so that a peer cannot make up any number of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseCodeClass {
    /// One of 1000 to 1015 (RFC 6455 section 7.4.1).
    Standard(u16),
    /// 3000 to 3999: for libraries and frameworks, registered.
    Registered,
    /// 4000 to 4999: for applications.
    Private,
    /// Any other.
    Other,
}

impl CloseCodeClass {
    /// Gives the class of a code.
    pub const fn of(code: CloseCode) -> Self {
        match code.0 {
            1000..=1015 => Self::Standard(code.0),
            3000..=3999 => Self::Registered,
            4000..=4999 => Self::Private,
            _ => Self::Other,
        }
    }
}
