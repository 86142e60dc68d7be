//! Errors, named by the party at fault.

use std::io;

use crate::{deflate::InflateError, frame::CloseCode};

/// Names the rule the peer broke. Each has a close code; none holds text to parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolViolation {
    /// One of the ten reserved opcodes (RFC 6455 section 5.2).
    #[error("the peer sent a frame with the reserved opcode {0:#x}")]
    ReservedOpcode(u8),
    /// A reserved bit no negotiated extension gives a meaning (section 5.2).
    #[error("the peer set a reserved bit that was not negotiated")]
    ReservedBits,
    /// A client's frame without a mask (section 5.1).
    #[error("the client sent a frame that is not masked")]
    UnmaskedFrame,
    /// A server's frame with a mask (section 5.1).
    #[error("the server sent a masked frame")]
    MaskedFrame,
    /// A length in a longer form than it needs (section 5.2).
    #[error("the peer sent a frame length that is not in its shortest form")]
    LengthNotMinimal,
    /// A 64-bit length with its top bit set (section 5.2).
    #[error("the peer sent a frame length with its top bit set")]
    LengthTopBit,
    /// A control frame of more than 125 bytes (section 5.5).
    #[error("the peer sent a control frame of more than 125 bytes")]
    ControlTooLong,
    /// A control frame without the final bit (section 5.5).
    #[error("the peer sent a fragmented control frame")]
    ControlFragmented,
    /// A continuation frame with nothing to continue (section 5.4).
    #[error("the peer continued a message that was not begun")]
    ContinuationWithoutStart,
    /// A new data frame before the last message was finished (section 5.4).
    #[error("the peer began a message before finishing the last one")]
    MessageInterrupted,
    /// Text that is not UTF-8 (section 8.1).
    #[error("the peer sent text that is not UTF-8")]
    TextUtf8,
    /// A close frame with a payload of one byte (section 5.5.1).
    #[error("the peer sent a close frame with a payload of one byte")]
    CloseLength,
    /// A close code that must not be on the wire (section 7.4).
    #[error("the peer sent the close code {}, which is not for the wire", .0.0)]
    CloseCode(CloseCode),
    /// A close reason that is not UTF-8 (section 5.5.1).
    #[error("the peer sent a close reason that is not UTF-8")]
    CloseReasonUtf8,
    /// A compressed message that does not inflate (RFC 7692 section 7.2.2).
    #[error("the peer sent a compressed message that does not inflate: {0}")]
    Inflate(InflateError),
}

impl ProtocolViolation {
    /// Gives the code that tells the peer (RFC 6455 section 7.4.1).
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::TextUtf8 | Self::CloseReasonUtf8 | Self::Inflate(_) => CloseCode::INVALID_PAYLOAD,
            Self::ReservedOpcode(_)
            | Self::ReservedBits
            | Self::UnmaskedFrame
            | Self::MaskedFrame
            | Self::LengthNotMinimal
            | Self::LengthTopBit
            | Self::ControlTooLong
            | Self::ControlFragmented
            | Self::ContinuationWithoutStart
            | Self::MessageInterrupted
            | Self::CloseLength
            | Self::CloseCode(_) => CloseCode::PROTOCOL_ERROR,
        }
    }
}

/// Names the bound that what the peer sent would exceed. The close code is 1009.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitExceeded {
    /// A frame longer than `Limits::frame_size_max`.
    #[error("the peer sent a frame longer than the limit")]
    FrameSize,
    /// A message longer than `Limits::message_size_max`, after inflating.
    #[error("the peer sent a message longer than the limit")]
    MessageSize,
    /// More frames in one message than `Limits::fragment_count_max`.
    #[error("the peer sent a message in more fragments than the limit")]
    FragmentCount,
}

/// Names a call that the state of the connection or a rule of the protocol does not allow.
///
/// The connection is unharmed; nothing of the refused call was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// Data or a ping after the closing handshake began (RFC 6455 section 5.5.1).
    #[error("the connection is closing: nothing can be sent any more")]
    SendAfterClose,
    /// A message while a fragmented one is unfinished (section 5.4).
    #[error("a fragmented message is unfinished: finish it before the next one")]
    MessageUnfinished,
    /// A fragment of the other kind than its message began with (section 5.4).
    #[error("a fragment must be of the kind its message began with")]
    FragmentKind,
    /// Payload for a frame that was not begun, or more than the frame announced.
    #[error("the payload does not fit the frame that was begun")]
    FramePayload,
    /// A message or fragment while a frame sent in pieces is unfinished.
    #[error("a frame sent in pieces is unfinished: finish it before the next one")]
    FrameUnfinished,
    /// Text that is not UTF-8 (section 8.1).
    #[error("text must be UTF-8")]
    TextUtf8,
    /// A ping or pong payload of more than 125 bytes (section 5.5).
    #[error("a ping or pong carries at most 125 bytes")]
    ControlTooLong,
    /// A continuation frame with nothing to continue (section 5.4).
    #[error("a continuation frame needs a message that was begun and is unfinished")]
    ContinuationWithoutStart,
    /// A ping, pong or close frame with more to follow (section 5.5).
    #[error("a control frame cannot be fragmented")]
    ControlFragmented,
    /// A close payload of one byte, or with a reason that is not UTF-8 (section 5.5.1).
    #[error("a close payload is empty, or a code in two bytes and a reason in UTF-8")]
    ClosePayload,
    /// A close code that must not be on the wire (section 7.4).
    #[error("the close code {} is not for the wire: use 1000-1003, 1007-1014 or 3000-4999", .0.0)]
    CloseCode(CloseCode),
    /// A close reason of more than 123 bytes (section 5.5).
    #[error("a close reason has at most 123 bytes")]
    CloseReasonTooLong,
}

/// Says what the receive path found wrong: the peer broke a rule or a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Violation(ProtocolViolation),
    Limit(LimitExceeded),
}

impl Fault {
    pub(crate) const fn close_code(self) -> CloseCode {
        match self {
            Self::Violation(violation) => violation.close_code(),
            Self::Limit(_) => CloseCode::MESSAGE_TOO_BIG,
        }
    }

    pub(crate) const fn cause(self) -> Cause {
        match self {
            Self::Violation(violation) => Cause::Violation(violation),
            Self::Limit(limit) => Cause::Limit(limit),
        }
    }
}

impl From<ProtocolViolation> for Fault {
    fn from(violation: ProtocolViolation) -> Self {
        Self::Violation(violation)
    }
}

impl From<LimitExceeded> for Fault {
    fn from(limit: LimitExceeded) -> Self {
        Self::Limit(limit)
    }
}

impl From<InflateError> for Fault {
    fn from(error: InflateError) -> Self {
        Self::Violation(ProtocolViolation::Inflate(error))
    }
}

/// Says what brought a connection to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// Both close frames were exchanged.
    #[error("the closing handshake was completed")]
    ClosingHandshake,
    /// The peer broke a rule.
    #[error(transparent)]
    Violation(ProtocolViolation),
    /// The peer exceeded a bound.
    #[error(transparent)]
    Limit(LimitExceeded),
    /// The stream ended without a closing handshake.
    #[error("the stream ended without a closing handshake")]
    Eof,
    /// Nothing arrived within the pong deadline.
    #[error("the peer gave no sign of life before the pong deadline")]
    KeepaliveTimeout,
    /// The peer did not answer the close frame in time.
    #[error("the peer did not finish the closing handshake before its deadline")]
    CloseTimeout,
    /// This end gave up without a closing handshake, or was inside a frame sent in pieces and could
    /// not answer the peer's.
    #[error("the connection was aborted")]
    Aborted,
    /// The stream failed.
    #[error("the stream failed: {0}")]
    Transport(io::ErrorKind),
}
