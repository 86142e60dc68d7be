//! The payload of a close frame (RFC 6455 sections 5.5.1 and 7.4).

use std::fmt;

use crate::error::{Misuse, ProtocolViolation};

/// Says why a connection ends (RFC 6455 section 7.4; later codes from the IANA registry).
///
/// The type is open: it holds any number, and [`is_valid_on_wire`](Self::is_valid_on_wire) tells
/// which of them a close frame may carry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// An endpoint goes away: a server stops, a page is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// The peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// The peer sent a kind of data this endpoint cannot accept.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// Stands for a close frame without a code. Never on the wire.
    pub const NO_STATUS: Self = Self(1005);
    /// Stands for an end without a close frame. Never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    /// The data does not fit its type, such as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// The peer broke a rule of the application.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// The message is too big to process.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// The server did not negotiate an extension the client needs.
    pub const EXTENSION_REQUIRED: Self = Self(1010);
    /// The server met a condition it did not expect.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// The server restarts; come back after a moment.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// The server is overloaded; come back later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// A gateway got an invalid answer from the server behind it.
    pub const BAD_GATEWAY: Self = Self(1014);
    /// Stands for a failed TLS handshake. Never on the wire.
    pub const TLS_HANDSHAKE: Self = Self(1015);

    /// [`GOING_AWAY`](Self::GOING_AWAY), under the name `WS_CLOSE_GOING_DOWN` of older servers.
    pub const GOING_DOWN: Self = Self::GOING_AWAY;
    /// [`UNSUPPORTED_DATA`](Self::UNSUPPORTED_DATA), under the name `WS_CLOSE_CANT_ACCEPT_DATA` of
    /// older servers.
    pub const CANT_ACCEPT_DATA: Self = Self::UNSUPPORTED_DATA;
    /// [`INVALID_PAYLOAD`](Self::INVALID_PAYLOAD), under the name `WS_CLOSE_WRONG_DATA_TYPE` of
    /// older servers.
    pub const WRONG_DATA_TYPE: Self = Self::INVALID_PAYLOAD;
    /// [`POLICY_VIOLATION`](Self::POLICY_VIOLATION), under the name `WS_CLOSE_POLICY_VIOLATED` of
    /// older servers.
    pub const POLICY_VIOLATED: Self = Self::POLICY_VIOLATION;
    /// [`INTERNAL_ERROR`](Self::INTERNAL_ERROR), under the name `WS_CLOSE_UNEXPECTED_CONDITION` of
    /// older servers.
    pub const UNEXPECTED_CONDITION: Self = Self::INTERNAL_ERROR;

    /// Says whether a close frame may carry this code: 1000-1003, 1007-1014 and 3000-4999.
    pub const fn is_valid_on_wire(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// Gives the registered name, or `None` for a code without one.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            1000 => "normal closure",
            1001 => "going away",
            1002 => "protocol error",
            1003 => "unsupported data",
            1005 => "no status received",
            1006 => "abnormal closure",
            1007 => "invalid payload data",
            1008 => "policy violation",
            1009 => "message too big",
            1010 => "mandatory extension",
            1011 => "internal error",
            1012 => "service restart",
            1013 => "try again later",
            1014 => "bad gateway",
            1015 => "TLS handshake",
            _ => return None,
        })
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} ({name})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

/// Carries the code and reason of a close frame, checked to be legal on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    code: CloseCode,
    reason: Box<str>,
}

impl Close {
    /// The longest reason, in bytes: 125 of a control frame less two of the code.
    pub const REASON_BYTES_MAX: usize = 123;

    /// Makes a close payload.
    ///
    /// # Errors
    /// [`Misuse::CloseCode`] for a code that must not be on the wire (RFC 6455 section 7.4),
    /// [`Misuse::CloseReasonTooLong`] for a reason of more than 123 bytes (section 5.5).
    pub fn new(code: CloseCode, reason: &str) -> Result<Self, Misuse> {
        if !code.is_valid_on_wire() {
            return Err(Misuse::CloseCode(code));
        }
        if reason.len() > Self::REASON_BYTES_MAX {
            return Err(Misuse::CloseReasonTooLong);
        }
        Ok(Self {
            code,
            reason: reason.into(),
        })
    }

    /// Makes a close payload of as much of the reason as fits, cut at the border of a character: for
    /// reasons that others have written.
    ///
    /// # Errors
    /// [`Misuse::CloseCode`] for a code that must not be on the wire (RFC 6455 section 7.4).
    pub fn with_reason_cut(code: CloseCode, reason: &str) -> Result<Self, Misuse> {
        let end = reason.floor_char_boundary(Self::REASON_BYTES_MAX);
        Self::new(code, reason.get(..end).unwrap_or_default())
    }

    /// Reads the payload of a close frame to send; `None` when it is empty.
    ///
    /// # Errors
    /// [`Misuse::ClosePayload`] for one byte or a reason that is not UTF-8 (RFC 6455 section
    /// 5.5.1), and as [`new`](Self::new).
    pub fn from_payload(payload: &[u8]) -> Result<Option<Self>, Misuse> {
        match (payload, payload.split_first_chunk::<2>()) {
            ([], _) => Ok(None),
            (_, None) => Err(Misuse::ClosePayload),
            (_, Some((code, reason))) => {
                let reason = std::str::from_utf8(reason).map_err(|_| Misuse::ClosePayload)?;
                Self::new(CloseCode(u16::from_be_bytes(*code)), reason).map(Some)
            }
        }
    }

    /// Gives the payload as it is on the wire: the code in two bytes, big end first, and the
    /// reason.
    pub fn to_payload(&self) -> Vec<u8> {
        let mut payload = self.code.0.to_be_bytes().to_vec();
        payload.extend_from_slice(self.reason.as_bytes());
        payload
    }

    /// Gives the code.
    pub const fn code(&self) -> CloseCode {
        self.code
    }

    /// Gives the reason, which may be empty.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Reads a close frame's payload; `None` when it is empty (RFC 6455 section 7.1.5).
    pub(crate) fn decode(payload: &[u8]) -> Result<Option<Self>, ProtocolViolation> {
        let Some((code, reason)) = payload.split_first_chunk::<2>() else {
            return match payload {
                [] => Ok(None),
                _ => Err(ProtocolViolation::CloseLength),
            };
        };
        let code = CloseCode(u16::from_be_bytes(*code));
        if !code.is_valid_on_wire() {
            return Err(ProtocolViolation::CloseCode(code));
        }
        let reason = std::str::from_utf8(reason).map_err(|_| ProtocolViolation::CloseReasonUtf8)?;
        Ok(Some(Self {
            code,
            reason: reason.into(),
        }))
    }

    /// Makes the close frame that answers a fault of the peer; codes are wire codes by construction.
    pub(crate) fn of_fault(code: CloseCode) -> Self {
        debug_assert!(code.is_valid_on_wire(), "fault codes are wire codes");
        Self {
            code,
            reason: Box::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 6455 section 7.4: the codes a close frame may carry.
    #[test]
    fn wire_codes_are_exactly_the_registered_and_private_ranges() {
        for code in 0..=u16::MAX {
            let legal = (1000..=1003).contains(&code)
                || (1007..=1014).contains(&code)
                || (3000..=4999).contains(&code);
            assert_eq!(CloseCode(code).is_valid_on_wire(), legal, "{code}");
            assert_eq!(Close::new(CloseCode(code), "").is_ok(), legal, "{code}");
        }
    }

    #[test]
    fn older_names_stand_for_the_same_numbers() {
        let aliases = [
            (CloseCode::NORMAL, 1000),
            (CloseCode::GOING_DOWN, 1001),
            (CloseCode::PROTOCOL_ERROR, 1002),
            (CloseCode::CANT_ACCEPT_DATA, 1003),
            (CloseCode::WRONG_DATA_TYPE, 1007),
            (CloseCode::POLICY_VIOLATED, 1008),
            (CloseCode::MESSAGE_TOO_BIG, 1009),
            (CloseCode::UNEXPECTED_CONDITION, 1011),
        ];
        for (code, number) in aliases {
            assert_eq!(code, CloseCode(number));
        }
    }

    #[test]
    fn reason_is_bounded_at_123_bytes() {
        assert!(Close::new(CloseCode::NORMAL, &"x".repeat(123)).is_ok());
        assert_eq!(
            Close::new(CloseCode::NORMAL, &"x".repeat(124)),
            Err(Misuse::CloseReasonTooLong)
        );
    }

    #[test]
    fn a_reason_is_cut_at_the_border_of_a_character() {
        for (reason, kept) in [("bye".to_owned(), 3), ("x".repeat(200), 123)] {
            let close = Close::with_reason_cut(CloseCode::NORMAL, &reason).unwrap();
            assert_eq!(Some(close.reason()), reason.get(..kept));
        }
        // Three bytes each, the last of which would begin at byte 122.
        let euros = format!("ab{}", "\u{20ac}".repeat(50));
        let close = Close::with_reason_cut(CloseCode::NORMAL, &euros).unwrap();
        assert_eq!(Some(close.reason()), euros.get(..122));
        let code = CloseCode::NO_STATUS;
        let refused = Close::with_reason_cut(code, "");
        assert_eq!(refused, Err(Misuse::CloseCode(code)));
    }

    #[test]
    fn payloads_to_send_are_checked_and_come_back() {
        for (payload, misuse) in [
            (&b"\x03"[..], Misuse::ClosePayload),
            (b"\x03\xe8\xff", Misuse::ClosePayload),
            (b"\x03\xed", Misuse::CloseCode(CloseCode::NO_STATUS)),
            (
                &[&[3, 232][..], &[b'x'; 124]].concat(),
                Misuse::CloseReasonTooLong,
            ),
        ] {
            assert_eq!(Close::from_payload(payload), Err(misuse));
        }
        assert_eq!(Close::from_payload(b""), Ok(None));
        let close = Close::from_payload(b"\x03\xe9bye").unwrap().unwrap();
        assert_eq!(
            (close.code(), close.reason()),
            (CloseCode::GOING_AWAY, "bye")
        );
        assert_eq!(close.to_payload(), b"\x03\xe9bye");
    }

    #[test]
    fn payload_of_one_byte_is_a_violation() {
        assert_eq!(Close::decode(&[3]), Err(ProtocolViolation::CloseLength));
        assert_eq!(Close::decode(&[]), Ok(None));
    }
}
