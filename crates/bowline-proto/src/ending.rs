//! How a connection ended, as one value.

use crate::{
    error::Cause,
    frame::{Close, CloseCode},
};

/// Tells how a connection ended: by whom, in which phase, why, and whether a retry makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Who began the end.
    pub by: EndedBy,
    /// The phase in which the end began.
    pub phase: Phase,
    /// The close code: the peer's if it sent one, else ours, else 1005 or 1006
    /// (RFC 6455 section 7.1.5).
    pub code: CloseCode,
    /// The reason that came with the code; ours if the peer only repeated our code (section 7.1.6).
    pub reason: Box<str>,
    /// What brought the end.
    pub cause: Cause,
}

impl Ending {
    /// Says whether both close frames were exchanged (RFC 6455 section 7.1.4 "cleanly").
    pub const fn is_clean(&self) -> bool {
        matches!(self.cause, Cause::ClosingHandshake)
    }

    /// Advises whether to connect again.
    pub const fn retry(&self) -> Retry {
        match (self.cause, self.by) {
            (Cause::Violation(_) | Cause::Limit(_), _) | (_, EndedBy::Local) => Retry::No,
            (_, EndedBy::Network) => Retry::Yes,
            (_, EndedBy::Peer) => match self.code {
                CloseCode::SERVICE_RESTART
                | CloseCode::TRY_AGAIN_LATER
                | CloseCode::BAD_GATEWAY => Retry::Later,
                CloseCode::NORMAL
                | CloseCode::PROTOCOL_ERROR
                | CloseCode::UNSUPPORTED_DATA
                | CloseCode::INVALID_PAYLOAD
                | CloseCode::POLICY_VIOLATION
                | CloseCode::MESSAGE_TOO_BIG
                | CloseCode::EXTENSION_REQUIRED => Retry::No,
                _ => Retry::Yes,
            },
        }
    }

    /// An end by closing handshake, begun by `by`; `close` is what it said. What the peer says
    /// later replaces it.
    pub(crate) fn clean(by: EndedBy, close: Option<&Close>) -> Self {
        Self {
            by,
            phase: Phase::Open,
            code: close.map_or(CloseCode::NO_STATUS, Close::code),
            reason: close.map(Close::reason).unwrap_or_default().into(),
            cause: Cause::ClosingHandshake,
        }
    }

    /// An end without a closing handshake.
    pub(crate) fn abnormal(by: EndedBy, phase: Phase, code: CloseCode, cause: Cause) -> Self {
        Self {
            by,
            phase,
            code,
            reason: Box::default(),
            cause,
        }
    }
}

/// Names who began the end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndedBy {
    /// This end: the application, a limit or a rule.
    Local,
    /// The peer, with a close frame.
    Peer,
    /// Neither: the stream ended, failed, or fell silent.
    Network,
}

/// Names the phase in which a connection's end began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Messages could flow.
    Open,
    /// The closing handshake was under way.
    Closing,
}

/// Advises whether to connect again after an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The same would happen again, or the end was wanted.
    No,
    /// A new attempt may succeed.
    Yes,
    /// The peer asked to come back after a while.
    Later,
}
