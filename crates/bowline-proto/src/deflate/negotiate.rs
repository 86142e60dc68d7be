//! The negotiation of permessage-deflate (RFC 7692 section 7.1).

use bytes::{BufMut as _, BytesMut};
use thiserror::Error;

use super::WindowBits;
use crate::handshake::Extension;

/// What one end wishes of permessage-deflate; works for both roles.
///
/// "Send" and "receive" are seen from the end that holds this value. What it costs: with context
/// takeover a connection keeps a window of `2^bits` bytes in that direction for as long as it
/// lives, 32 KiB at 15 bits and 4 KiB at 12; without takeover it keeps nothing between messages,
/// which is the default. Compression and decompression contexts (about 380 KiB and 48 KiB) are
/// held only while a message passes and are shared between connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateNegotiation {
    /// Whether permessage-deflate is offered or accepted at all. Default yes.
    pub enabled: bool,
    /// Whether what we send may refer to earlier messages. Default no.
    pub send_context_takeover: bool,
    /// Whether what we receive may refer to earlier messages. Default no.
    pub receive_context_takeover: bool,
    /// Largest window we compress with. Default 15.
    pub send_window_bits_max: WindowBits,
    /// Largest window the peer may compress with. Default 15. A server never asks a client for 8
    /// that did not name a size, but for 9. A server with a smaller value than 15
    /// declines offers of clients that cannot limit their window (RFC 7692 section 7.1.2.2).
    pub receive_window_bits_max: WindowBits,
}

impl DeflateNegotiation {
    /// The wish for no compression.
    pub const DISABLED: Self = Self {
        enabled: false,
        send_context_takeover: false,
        receive_context_takeover: false,
        send_window_bits_max: WindowBits::MAX,
        receive_window_bits_max: WindowBits::MAX,
    };

    /// Returns what a client with this wish offers; `None` when it is disabled.
    pub fn offer(self) -> Option<DeflateOffer> {
        self.enabled.then(|| DeflateOffer {
            server_no_context_takeover: !self.receive_context_takeover,
            client_no_context_takeover: !self.send_context_takeover,
            server_max_window_bits: (self.receive_window_bits_max < WindowBits::MAX)
                .then_some(self.receive_window_bits_max),
            client_max_window_bits: match self.send_window_bits_max {
                WindowBits::MAX => ClientWindowBits::Any,
                bits => ClientWindowBits::AtMost(bits),
            },
        })
    }

    /// Chooses, as a server, the answer to the first offer that can be accepted
    /// (RFC 7692 sections 5 and 7.1).
    ///
    /// The answer never allows more than the offer does.
    pub fn answer(self, offers: &[DeflateOffer]) -> Option<DeflateAnswer> {
        if !self.enabled {
            return None;
        }
        offers.iter().find_map(|offer| self.answer_one(*offer))
    }

    fn answer_one(self, offer: DeflateOffer) -> Option<DeflateAnswer> {
        // Section 7.1.2.1: the same or a smaller value, or a value of our own.
        let server_bits = match offer.server_max_window_bits {
            Some(offered) => offered.min(self.send_window_bits_max),
            None => self.send_window_bits_max,
        };
        // Section 7.1.2.2: without the parameter in the offer the answer cannot hold it.
        let client_bits = match offer.client_max_window_bits {
            ClientWindowBits::AtMost(offered) => offered.min(self.receive_window_bits_max),
            // Clients on stock zlib cannot compress with 8 bits, and some fail the handshake when
            // they are told to; 9 costs us 256 bytes.
            ClientWindowBits::Any => self.receive_window_bits_max.max(NINE_BITS),
            ClientWindowBits::Absent if self.receive_window_bits_max < WindowBits::MAX => {
                return None;
            }
            ClientWindowBits::Absent => WindowBits::MAX,
        };
        let params = DeflateParams {
            server_no_context_takeover: offer.server_no_context_takeover
                || !self.send_context_takeover,
            client_no_context_takeover: offer.client_no_context_takeover
                || !self.receive_context_takeover,
            server_max_window_bits: server_bits,
            client_max_window_bits: client_bits,
        };
        let names_server_bits =
            offer.server_max_window_bits.is_some() || server_bits < WindowBits::MAX;
        Some(DeflateAnswer {
            params,
            names_server_bits,
        })
    }
}

impl Default for DeflateNegotiation {
    fn default() -> Self {
        Self {
            enabled: true,
            ..Self::DISABLED
        }
    }
}

/// What both ends agreed on for one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateParams {
    /// The server starts each message with an empty window (RFC 7692 section 7.1.1.1).
    pub server_no_context_takeover: bool,
    /// The client starts each message with an empty window (RFC 7692 section 7.1.1.2).
    pub client_no_context_takeover: bool,
    /// Largest window of the server's compressor in bits, 8 to 15 (RFC 7692 section 7.1.2.1).
    pub server_max_window_bits: WindowBits,
    /// Largest window of the client's compressor in bits, 8 to 15 (RFC 7692 section 7.1.2.2).
    pub client_max_window_bits: WindowBits,
}

/// One permessage-deflate offer of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateOffer {
    /// The client asks the server not to take over context.
    pub server_no_context_takeover: bool,
    /// The client says that it will not take over context.
    pub client_no_context_takeover: bool,
    /// The client asks the server to limit its window.
    pub server_max_window_bits: Option<WindowBits>,
    /// The client says that it can limit its window.
    pub client_max_window_bits: ClientWindowBits,
}

impl DeflateOffer {
    /// Reads an offer from a parsed extension (RFC 7692 section 7.1).
    ///
    /// # Errors
    ///
    /// [`DeflateViolation`] when it is another extension, or a parameter is unknown, comes twice,
    /// or has a value it may not have. A server then declines this offer, not the handshake.
    pub fn from_extension(extension: &Extension<'_>) -> Result<Self, DeflateViolation> {
        let raw = RawParameters::read(extension)?;
        Ok(Self {
            server_no_context_takeover: raw.server_no_context_takeover,
            client_no_context_takeover: raw.client_no_context_takeover,
            server_max_window_bits: match raw.server_max_window_bits {
                ClientWindowBits::Absent => None,
                // Section 7.1.2.1: the parameter has a value in an offer.
                ClientWindowBits::Any => return Err(DeflateViolation::ValueInvalid),
                ClientWindowBits::AtMost(bits) => Some(bits),
            },
            client_max_window_bits: raw.client_max_window_bits,
        })
    }

    /// Writes the offer as one element of `Sec-WebSocket-Extensions`.
    pub fn write(self, out: &mut BytesMut) {
        out.put_slice(NAME.as_bytes());
        if self.server_no_context_takeover {
            write_flag(out, SERVER_NO_CONTEXT_TAKEOVER);
        }
        if self.client_no_context_takeover {
            write_flag(out, CLIENT_NO_CONTEXT_TAKEOVER);
        }
        if let Some(bits) = self.server_max_window_bits {
            write_bits(out, SERVER_MAX_WINDOW_BITS, bits);
        }
        match self.client_max_window_bits {
            ClientWindowBits::Absent => {}
            ClientWindowBits::Any => write_flag(out, CLIENT_MAX_WINDOW_BITS),
            ClientWindowBits::AtMost(bits) => write_bits(out, CLIENT_MAX_WINDOW_BITS, bits),
        }
    }

    /// Checks an answer against this offer (RFC 7692 sections 7.1.1 and 7.1.2).
    fn check(self, answer: &RawParameters) -> Result<DeflateParams, DeflateViolation> {
        if self.server_no_context_takeover && !answer.server_no_context_takeover {
            return Err(DeflateViolation::TakeoverNotRuledOut);
        }
        let server_bits = match (self.server_max_window_bits, answer.server_max_window_bits) {
            (None, ClientWindowBits::Absent) => WindowBits::MAX,
            (None, ClientWindowBits::AtMost(bits)) => bits,
            (Some(offered), ClientWindowBits::AtMost(bits)) if bits <= offered => bits,
            (_, ClientWindowBits::Any) => return Err(DeflateViolation::ValueInvalid),
            (Some(_), _) => return Err(DeflateViolation::WindowTooLarge),
        };
        let client_bits = match (self.client_max_window_bits, answer.client_max_window_bits) {
            (_, ClientWindowBits::Any) => return Err(DeflateViolation::ValueInvalid),
            (ClientWindowBits::Absent, ClientWindowBits::AtMost(_)) => {
                return Err(DeflateViolation::WindowNotOffered);
            }
            (ClientWindowBits::Any, ClientWindowBits::AtMost(bits)) => bits,
            (ClientWindowBits::AtMost(offered), ClientWindowBits::AtMost(bits)) => {
                if bits > offered {
                    return Err(DeflateViolation::WindowTooLarge);
                }
                bits
            }
            // The client keeps to what it said even when the server does not repeat it.
            (ClientWindowBits::AtMost(offered), ClientWindowBits::Absent) => offered,
            (ClientWindowBits::Any | ClientWindowBits::Absent, ClientWindowBits::Absent) => {
                WindowBits::MAX
            }
        };
        Ok(DeflateParams {
            server_no_context_takeover: answer.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover
                || answer.client_no_context_takeover,
            server_max_window_bits: server_bits,
            client_max_window_bits: client_bits,
        })
    }
}

/// The answer of a server to one offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateAnswer {
    params: DeflateParams,
    names_server_bits: bool,
}

impl DeflateAnswer {
    /// Returns what is agreed once the answer is sent.
    pub const fn params(self) -> DeflateParams {
        self.params
    }

    /// Writes the answer as the value of `Sec-WebSocket-Extensions`.
    pub fn write(self, out: &mut BytesMut) {
        let params = self.params;
        out.put_slice(NAME.as_bytes());
        if params.server_no_context_takeover {
            write_flag(out, SERVER_NO_CONTEXT_TAKEOVER);
        }
        if params.client_no_context_takeover {
            write_flag(out, CLIENT_NO_CONTEXT_TAKEOVER);
        }
        if self.names_server_bits {
            write_bits(out, SERVER_MAX_WINDOW_BITS, params.server_max_window_bits);
        }
        // Smaller than 15 only when the client offered the parameter.
        if params.client_max_window_bits < WindowBits::MAX {
            write_bits(out, CLIENT_MAX_WINDOW_BITS, params.client_max_window_bits);
        }
    }
}

/// Checks, as a client, the answer of a server against the offers made (RFC 7692 section 7.1).
///
/// An answer does not say which offer it belongs to: it is good when it fits one of them.
///
/// # Errors
///
/// [`DeflateViolation`] of the last offer when it fits none.
pub fn check_answer(
    offers: &[DeflateOffer],
    answer: &Extension<'_>,
) -> Result<DeflateParams, DeflateViolation> {
    let raw = RawParameters::read(answer)?;
    let mut violation = DeflateViolation::NotOffered;
    for offer in offers {
        match offer.check(&raw) {
            Ok(params) => return Ok(params),
            Err(found) => violation = found,
        }
    }
    Err(violation)
}

/// Reads a window size: a decimal number without leading zeros.
fn parse_bits(text: &str) -> Option<WindowBits> {
    let bits = match text.as_bytes() {
        [digit @ b'8'..=b'9'] => digit - b'0',
        [b'1', digit @ b'0'..=b'5'] => 10 + digit - b'0',
        _ => return None,
    };
    WindowBits::new(bits)
}

/// What an offer says about the client's window (RFC 7692 section 7.1.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientWindowBits {
    /// The parameter is absent: the client cannot limit its window.
    Absent,
    /// The parameter has no value: the client can use any window it is told.
    Any,
    /// The client will not use a larger window than this, and can use a smaller one.
    AtMost(WindowBits),
}

/// Why an offer or an answer of permessage-deflate is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DeflateViolation {
    /// The extension is not permessage-deflate, or it was not offered.
    #[error("permessage-deflate was not offered")]
    NotOffered,
    /// permessage-deflate is answered more than once.
    #[error("permessage-deflate is answered twice")]
    AnsweredTwice,
    /// A parameter that RFC 7692 does not define.
    #[error("permessage-deflate has an unknown parameter")]
    UnknownParameter,
    /// A parameter came twice.
    #[error("permessage-deflate repeats a parameter")]
    RepeatedParameter,
    /// A value where none may be, none where one must be, or not 8 to 15 without leading zeros.
    #[error("a permessage-deflate parameter has an invalid value")]
    ValueInvalid,
    /// The answer lacks `server_no_context_takeover`, which was offered.
    #[error("the answer lacks server_no_context_takeover")]
    TakeoverNotRuledOut,
    /// The answer has a larger window than the offer, or none where the offer had a limit.
    #[error("the answer does not keep to an offered window size")]
    WindowTooLarge,
    /// The answer has `client_max_window_bits`, which was not offered.
    #[error("the answer limits the client's window, which was not offered")]
    WindowNotOffered,
}

/// The parameters as they stand in an offer or an answer, before the rules of either.
struct RawParameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: ClientWindowBits,
    client_max_window_bits: ClientWindowBits,
}

impl RawParameters {
    fn read(extension: &Extension<'_>) -> Result<Self, DeflateViolation> {
        if extension.name != NAME {
            return Err(DeflateViolation::NotOffered);
        }
        let mut raw = Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: ClientWindowBits::Absent,
            client_max_window_bits: ClientWindowBits::Absent,
        };
        for parameter in &extension.parameters {
            let value = parameter.value.as_deref();
            match parameter.name {
                SERVER_NO_CONTEXT_TAKEOVER => set_flag(&mut raw.server_no_context_takeover, value),
                CLIENT_NO_CONTEXT_TAKEOVER => set_flag(&mut raw.client_no_context_takeover, value),
                SERVER_MAX_WINDOW_BITS => set_bits(&mut raw.server_max_window_bits, value),
                CLIENT_MAX_WINDOW_BITS => set_bits(&mut raw.client_max_window_bits, value),
                _ => Err(DeflateViolation::UnknownParameter),
            }?;
        }
        Ok(raw)
    }
}

fn set_flag(flag: &mut bool, value: Option<&str>) -> Result<(), DeflateViolation> {
    if value.is_some() {
        return Err(DeflateViolation::ValueInvalid);
    }
    if std::mem::replace(flag, true) {
        return Err(DeflateViolation::RepeatedParameter);
    }
    Ok(())
}

fn set_bits(bits: &mut ClientWindowBits, value: Option<&str>) -> Result<(), DeflateViolation> {
    if *bits != ClientWindowBits::Absent {
        return Err(DeflateViolation::RepeatedParameter);
    }
    *bits = match value {
        None => ClientWindowBits::Any,
        Some(text) => {
            ClientWindowBits::AtMost(parse_bits(text).ok_or(DeflateViolation::ValueInvalid)?)
        }
    };
    Ok(())
}

fn write_flag(out: &mut BytesMut, name: &str) {
    out.put_slice(b"; ");
    out.put_slice(name.as_bytes());
}

/// Writes a parameter with a value of 8 to 15.
fn write_bits(out: &mut BytesMut, name: &str, bits: WindowBits) {
    let bits = bits.get();
    write_flag(out, name);
    out.put_u8(b'=');
    if bits >= 10 {
        out.put_u8(b'1');
    }
    out.put_u8(b'0' + bits % 10);
}

const NAME: &str = "permessage-deflate";
const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
/// The smallest window every compressor has.
const NINE_BITS: WindowBits = match WindowBits::new(9) {
    Some(bits) => bits,
    None => WindowBits::MAX,
};
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";
