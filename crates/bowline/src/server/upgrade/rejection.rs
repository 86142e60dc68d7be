//! Why a request inside a handler did not become a WebSocket.

use bowline_proto::handshake::{HandshakeMisuse, Refusal, RefusalResponse, write_refusal};
use bytes::{Bytes, BytesMut};
use http::{Response, StatusCode};

use super::answer;

/// Says why a request was not accepted, and makes the response for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The request is plain HTTP where only a WebSocket is served.
    #[error("the request is plain HTTP, not an opening handshake")]
    NotWebSocket,
    /// The handshake is in order, but the request holds nothing to take the stream over with: it
    /// did not come from a hyper server, or the offer was taken out of it before.
    #[error("the HTTP server cannot hand the stream of this request over")]
    NotUpgradable,
    /// The client's handshake breaks a rule.
    #[error("refused an opening handshake: {0}")]
    Refused(#[from] Refusal),
    /// The program answered with something that cannot be sent.
    #[error("the answer to an opening handshake cannot be sent: {0}")]
    Misuse(#[from] HandshakeMisuse),
}

impl Rejection {
    /// Gives a number for logs and counters that stays the same from version to version.
    ///
    /// | code | what | status |
    /// |---|---|---|
    /// | 1 | [`NotWebSocket`](Self::NotWebSocket) | 426 |
    /// | 2 | [`NotUpgradable`](Self::NotUpgradable) | 501 |
    /// | 10-81 | [`Refused`](Self::Refused): the codes of [`RefusalDetail`] | 400, 405, 426, 431, 505 |
    /// | 100 | a subprotocol was chosen that was not offered | 500 |
    /// | 101 | the name of a header is not a token | 500 |
    /// | 102 | the value of a header holds what it may not | 500 |
    /// | 103 | a header that the handshake writes itself | 500 |
    /// | 104 | a refusal with a status outside 200-599 | 500 |
    /// | 105 | a body with a status that has none | 500 |
    /// | 199 | another [`Misuse`](Self::Misuse) | 500 |
    ///
    /// [`RefusalDetail`]: bowline_proto::handshake::RefusalDetail
    pub const fn code(self) -> u16 {
        match self {
            Self::NotWebSocket => 1,
            Self::NotUpgradable => 2,
            Self::Refused(refusal) => refusal.detail().code(),
            Self::Misuse(misuse) => match misuse {
                HandshakeMisuse::SubprotocolNotOffered => 100,
                HandshakeMisuse::HeaderNameInvalid => 101,
                HandshakeMisuse::HeaderValueInvalid => 102,
                HandshakeMisuse::HeaderReserved => 103,
                HandshakeMisuse::StatusInvalid => 104,
                HandshakeMisuse::BodyNotAllowed => 105,
                HandshakeMisuse::HostInvalid
                | HandshakeMisuse::TargetInvalid
                | HandshakeMisuse::OriginInvalid
                | HandshakeMisuse::SubprotocolInvalid
                | HandshakeMisuse::SubprotocolRepeated
                | HandshakeMisuse::TooManyOffers
                | HandshakeMisuse::Finished => 199,
            },
        }
    }

    /// Gives the HTTP status that answers it.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::NotWebSocket => StatusCode::UPGRADE_REQUIRED,
            Self::NotUpgradable => StatusCode::NOT_IMPLEMENTED,
            Self::Refused(refusal) => match StatusCode::from_u16(refusal.status()) {
                Ok(status) => status,
                Err(_) => StatusCode::BAD_REQUEST,
            },
            Self::Misuse(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Makes the response that answers the request: the status, the headers it needs, and one line
    /// of text. What the program did wrong is not told to the client.
    ///
    /// `B` is any body that can be made of [`Bytes`].
    ///
    /// # Panics
    /// Never: the responses are fixed.
    pub fn response<B: From<Bytes>>(self) -> Response<B> {
        let mut answer = BytesMut::new();
        let body: &[u8] = match self {
            Self::Refused(_) => b"",
            Self::NotWebSocket => b"This address serves WebSocket only.\n",
            Self::NotUpgradable => b"WebSocket is not available here.\n",
            Self::Misuse(_) => b"The server failed to answer.\n",
        };
        if let Self::Refused(refusal) = self {
            refusal.write(&mut answer);
        } else {
            let refusal = RefusalResponse {
                status: self.status().as_u16(),
                headers: &[("Content-Type", b"text/plain; charset=utf-8")],
                body,
            };
            write_refusal(&refusal, &mut answer).expect("our own refusal is well formed");
        }
        answer::response(&answer).expect("our own refusal is well formed")
    }
}
