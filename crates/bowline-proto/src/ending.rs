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

    /// Tells the kind of loss, for counters and for people.
    pub const fn loss_class(&self) -> LossClass {
        match self.cause {
            Cause::KeepaliveTimeout => LossClass::PingTimeout,
            Cause::Transport(_) | Cause::CloseTimeout => LossClass::Network,
            Cause::Limit(_) => LossClass::Policy,
            Cause::Violation(_) | Cause::Eof | Cause::Aborted => LossClass::Abnormal,
            Cause::ClosingHandshake => match self.code {
                // Codes of applications say in their own words that the end was meant.
                CloseCode::NORMAL | CloseCode::NO_STATUS | CloseCode(3000..=4999) => {
                    LossClass::Normal
                }
                CloseCode::GOING_AWAY | CloseCode::SERVICE_RESTART => LossClass::EndpointGone,
                CloseCode::POLICY_VIOLATION
                | CloseCode::MESSAGE_TOO_BIG
                | CloseCode::TRY_AGAIN_LATER => LossClass::Policy,
                _ => LossClass::Abnormal,
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

/// Names the kind of a loss of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossClass {
    /// A closing handshake that fulfilled its purpose: 1000, no code, or a code of an application.
    Normal,
    /// A fault of either end: a broken rule, a code for an error, or an end without a closing
    /// handshake.
    Abnormal,
    /// An endpoint went away or restarts: 1001 or 1012.
    EndpointGone,
    /// The peer fell silent: no sign of life before the pong deadline.
    PingTimeout,
    /// A rule of an application or a bound: 1008, 1009 or 1013.
    Policy,
    /// The stream failed, or the peer did not finish the closing handshake in time.
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

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::error::{LimitExceeded, ProtocolViolation};

    #[test]
    fn every_ending_has_one_loss_class() {
        let closed = |code| Ending {
            code: CloseCode(code),
            ..Ending::clean(EndedBy::Peer, None)
        };
        let by_code = [
            (1000, LossClass::Normal),
            (1001, LossClass::EndpointGone),
            (1002, LossClass::Abnormal),
            (1003, LossClass::Abnormal),
            (1005, LossClass::Normal),
            (1007, LossClass::Abnormal),
            (1008, LossClass::Policy),
            (1009, LossClass::Policy),
            (1010, LossClass::Abnormal),
            (1011, LossClass::Abnormal),
            (1012, LossClass::EndpointGone),
            (1013, LossClass::Policy),
            (1014, LossClass::Abnormal),
            (3000, LossClass::Normal),
            (4999, LossClass::Normal),
        ];
        for (code, class) in by_code {
            assert_eq!(closed(code).loss_class(), class, "{code}");
        }
        let by_cause = [
            (
                Cause::Violation(ProtocolViolation::TextUtf8),
                LossClass::Abnormal,
            ),
            (Cause::Limit(LimitExceeded::FrameSize), LossClass::Policy),
            (Cause::Eof, LossClass::Abnormal),
            (Cause::KeepaliveTimeout, LossClass::PingTimeout),
            (Cause::CloseTimeout, LossClass::Network),
            (Cause::Aborted, LossClass::Abnormal),
            (
                Cause::Transport(io::ErrorKind::ConnectionReset),
                LossClass::Network,
            ),
        ];
        for (cause, class) in by_cause {
            let code = CloseCode::ABNORMAL;
            let ending = Ending::abnormal(EndedBy::Network, Phase::Open, code, cause);
            assert_eq!(ending.loss_class(), class, "{cause}");
        }
    }
}
