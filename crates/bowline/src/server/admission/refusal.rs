//! Why a connection was not admitted, and the answer to it.

use std::time::Duration;

use bytes::BytesMut;

use super::origin_policy::OriginError;
use crate::server::Answer;

/// A connection that was not admitted. [`write`](Self::write) answers it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct AdmissionRefusal {
    reason: AdmissionReason,
    retry_after: Option<Duration>,
    /// What the hook answers.
    answer: Option<Box<Answer>>,
}

impl AdmissionRefusal {
    pub(super) const fn later(reason: AdmissionReason, retry_after: Duration) -> Self {
        Self {
            reason,
            retry_after: Some(retry_after),
            answer: None,
        }
    }

    /// Checks the hook's answer: what cannot be sent becomes
    /// [`HookAnswerInvalid`](AdmissionReason::HookAnswerInvalid).
    pub(super) fn by_hook(answer: Answer) -> Self {
        match answer.check() {
            Ok(()) => Self {
                reason: AdmissionReason::Hook,
                retry_after: None,
                answer: Some(Box::new(answer)),
            },
            Err(_) => AdmissionReason::HookAnswerInvalid.into(),
        }
    }

    /// Returns the reason.
    pub const fn reason(&self) -> AdmissionReason {
        self.reason
    }

    /// Returns the HTTP status that answers it.
    pub fn status(&self) -> u16 {
        match &self.answer {
            Some(answer) => answer.status,
            None => self.reason.status(),
        }
    }

    /// Returns when the client may come back, if that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns the value of the `Retry-After` field: whole seconds, rounded up
    /// (RFC 9110 section 10.2.3).
    pub fn retry_after_secs(&self) -> Option<u64> {
        let wait = self.retry_after?;
        Some(
            wait.as_secs()
                .saturating_add(u64::from(wait.subsec_nanos() > 0)),
        )
    }

    /// Returns the headers of the answer, `Retry-After` included.
    pub fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let mut headers = Vec::new();
        if let Some(secs) = self.retry_after_secs() {
            headers.push(("Retry-After".to_owned(), secs.to_string().into_bytes()));
        }
        if let Some(answer) = &self.answer {
            headers.extend(answer.headers.iter().cloned());
        } else {
            let plain = b"text/plain; charset=utf-8";
            headers.push(("Content-Type".to_owned(), plain.to_vec()));
        }
        headers
    }

    /// Returns the body of the answer.
    pub fn body(&self) -> String {
        match &self.answer {
            Some(answer) => answer.body.clone(),
            None => format!("{}\n", self.reason),
        }
    }

    /// Returns the whole answer.
    pub fn answer(&self) -> Answer {
        Answer {
            status: self.status(),
            headers: self.headers(),
            body: self.body(),
        }
    }

    /// Writes the whole HTTP answer. The connection is to be closed after it.
    pub fn write(&self, out: &mut BytesMut) {
        let written = self.answer().write(out);
        debug_assert_eq!(written, Ok(()), "the answer was checked");
    }
}

impl From<AdmissionReason> for AdmissionRefusal {
    fn from(reason: AdmissionReason) -> Self {
        Self {
            reason,
            retry_after: None,
            answer: None,
        }
    }
}

impl From<OriginError> for AdmissionRefusal {
    fn from(error: OriginError) -> Self {
        match error {
            OriginError::Malformed => AdmissionReason::OriginMalformed.into(),
            OriginError::Foreign => AdmissionReason::OriginForeign.into(),
        }
    }
}

/// Why a connection was not admitted, as a number that stays the same from version to version.
///
/// The numbers continue those of [`RefusalDetail`](bowline_proto::handshake::RefusalDetail).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[repr(u16)]
#[non_exhaustive]
pub enum AdmissionReason {
    /// 110: the server has all the connections it takes; status 503.
    #[error("the server is full")]
    ConnectionCount = 110,
    /// 111: too many handshakes are going on; status 503.
    #[error("the server is busy with other handshakes")]
    HandshakeCount = 111,
    /// 120: the address has all the connections it may have; status 429.
    #[error("too many connections from this address")]
    AddressConnectionCount = 120,
    /// 121: the prefix has all the connections it may have; status 429.
    #[error("too many connections from this network")]
    PrefixConnectionCount = 121,
    /// 122: the address connects too often; status 429.
    #[error("too many new connections from this address")]
    AddressRate = 122,
    /// 123: the prefix connects too often; status 429.
    #[error("too many new connections from this network")]
    PrefixRate = 123,
    /// 124: the user has all the connections one may have; status 429.
    #[error("too many connections of this user")]
    UserConnectionCount = 124,
    /// 125: the user connects too often; status 429.
    #[error("too many new connections of this user")]
    UserRate = 125,
    /// 130: the origin is not allowed; status 403.
    #[error("pages of this origin may not connect")]
    OriginForeign = 130,
    /// 131: the origin is malformed; status 400.
    #[error("the Origin header is malformed")]
    OriginMalformed = 131,
    /// 140: the hook refused, with a status of its own.
    #[error("the request was refused")]
    Hook = 140,
    /// 141: the hook refused with an answer that cannot be sent; status 500.
    #[error("the request was refused, and the answer to it is malformed")]
    HookAnswerInvalid = 141,
}

impl AdmissionReason {
    /// Every reason, in the order of the numbers.
    pub const ALL: [Self; 12] = [
        Self::ConnectionCount,
        Self::HandshakeCount,
        Self::AddressConnectionCount,
        Self::PrefixConnectionCount,
        Self::AddressRate,
        Self::PrefixRate,
        Self::UserConnectionCount,
        Self::UserRate,
        Self::OriginForeign,
        Self::OriginMalformed,
        Self::Hook,
        Self::HookAnswerInvalid,
    ];

    /// Returns the number.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Returns the HTTP status; a hook has its own, 403 stands here for it.
    pub const fn status(self) -> u16 {
        match self {
            Self::ConnectionCount | Self::HandshakeCount => 503,
            Self::AddressConnectionCount
            | Self::PrefixConnectionCount
            | Self::AddressRate
            | Self::PrefixRate
            | Self::UserConnectionCount
            | Self::UserRate => 429,
            Self::OriginForeign | Self::Hook => 403,
            Self::OriginMalformed => 400,
            Self::HookAnswerInvalid => 500,
        }
    }
}
