//! The ends of connections: by either end, and because a rule was broken.

use bowline::{Cause, CloseCode, EndedBy, proto::Role};
use serde_json::json;

use super::{
    message::to_hex,
    pair::Pair,
    peer::{Ability, Peer, deadline},
};

/// What a close frame says.
pub(super) struct Closing {
    code: Option<u16>,
    reason: String,
}

impl Closing {
    pub(super) fn normal() -> Self {
        Self {
            code: Some(1000),
            reason: String::new(),
        }
    }

    pub(super) fn all() -> Vec<Self> {
        let closing = |code, reason: &str| Self {
            code,
            reason: reason.to_owned(),
        };
        vec![
            closing(None, ""),
            Self::normal(),
            closing(Some(1001), "going away"),
            closing(Some(1008), "not like this"),
            closing(Some(3000), "žluťoučký kůň 漢字 🐎"),
            closing(Some(4999), &"x".repeat(123)),
        ]
    }

    /// Whether the peer's interface can send this.
    pub(super) fn is_possible(&self, peer: &Peer) -> bool {
        peer.can(Ability::AnyCloseCode) || matches!(self.code, None | Some(1000 | 3000..=4999))
    }

    /// Whether our interface can send this: it always names a code.
    pub(super) fn is_possible_for_us(&self) -> bool {
        self.code.is_some()
    }

    fn seen(&self) -> u16 {
        self.code.unwrap_or(CloseCode::NO_STATUS.0)
    }
}

/// Lets the peer close; both ends must agree on how.
pub(super) async fn peer_closes(mut pair: Pair<'_>, closing: &Closing) {
    let close = json!({ "do": "close", "code": closing.code, "reason": closing.reason });
    let seen = pair.ask(close).await;
    assert_eq!(seen["code"], closing.seen());
    let ending = pair.ending().await;
    assert_eq!(ending.by, EndedBy::Peer);
    assert_eq!(ending.cause, Cause::ClosingHandshake);
    assert_eq!(ending.code, CloseCode(closing.seen()));
    assert_eq!(&*ending.reason, closing.reason);
}

/// Closes; both ends must agree on how.
pub(super) async fn we_close(mut pair: Pair<'_>, closing: &Closing) {
    let code = closing.code.unwrap();
    let close = pair.ours.close(CloseCode(code), &closing.reason);
    let seen = pair.peer.ask(json!({ "do": "closed" }));
    let (seen, ending) = tokio::join!(seen, deadline("end", close));
    assert_eq!(
        (&seen["code"], &seen["reason"]),
        (&json!(code), &json!(closing.reason))
    );
    let ending = ending.unwrap();
    assert_eq!(
        (ending.by, ending.cause),
        (EndedBy::Local, Cause::ClosingHandshake)
    );
    assert_eq!(ending.code, CloseCode(code));
}

/// Bytes that break a rule, and the code that says so.
pub(super) struct Violation {
    name: &'static str,
    bytes: Vec<u8>,
    code: CloseCode,
}

impl Violation {
    /// A compressed message that does not inflate.
    pub(super) fn of_compression(role: Role) -> Self {
        Self {
            name: "compressed message",
            bytes: frame(0xC1, &[0xFF; 4], role.expects_masked()),
            code: CloseCode::INVALID_PAYLOAD,
        }
    }

    /// Everything a peer of our end may do wrong on a connection without compression whose
    /// messages have at most 1,000 bytes.
    pub(super) fn all(role: Role) -> Vec<Self> {
        use CloseCode as Code;
        let right = role.expects_masked();
        let bad = |name, bytes, code| Self { name, bytes, code };
        let row = |name, first, payload: &[u8], code| bad(name, frame(first, payload, right), code);
        vec![
            bad("mask", frame(0x81, b"hi", !right), Code::PROTOCOL_ERROR),
            row("first reserved bit", 0xC1, b"hi", Code::PROTOCOL_ERROR),
            row("second reserved bit", 0xA1, b"hi", Code::PROTOCOL_ERROR),
            row("reserved opcode", 0x83, b"hi", Code::PROTOCOL_ERROR),
            row("fragmented ping", 0x09, b"hi", Code::PROTOCOL_ERROR),
            row("long ping", 0x89, &[0; 126], Code::PROTOCOL_ERROR),
            row("continuation of nothing", 0x80, b"hi", Code::PROTOCOL_ERROR),
            row("close code 1005", 0x88, &[0x03, 0xED], Code::PROTOCOL_ERROR),
            row("half a close code", 0x88, &[0x03], Code::PROTOCOL_ERROR),
            row("reason", 0x88, b"\x03\xE8\xFF", Code::INVALID_PAYLOAD),
            row("text", 0x81, b"\xC3(", Code::INVALID_PAYLOAD),
            row(
                "text in an open message",
                0x01,
                b"a\xFF",
                Code::INVALID_PAYLOAD,
            ),
            row("message", 0x82, &[0; 1_001], Code::MESSAGE_TOO_BIG),
        ]
    }
}

/// Lets the peer break a rule; it must learn from our end which one.
pub(super) async fn peer_violates(mut pair: Pair<'_>, violation: &Violation) {
    pair.peer.label.push_str(violation.name);
    let raw = json!({ "do": "raw", "bytes_hex": to_hex(&violation.bytes) });
    let seen = pair.ask(raw).await;
    assert_eq!(seen["code"], violation.code.0, "{}", violation.name);
    let ending = pair.ending().await;
    assert_eq!(ending.by, EndedBy::Local, "{}", violation.name);
    assert!(matches!(
        ending.cause,
        Cause::Violation(_) | Cause::Limit(_)
    ));
    assert_eq!(ending.code, violation.code, "{}", violation.name);
}

/// Sends more than the peer takes; our end must learn its code.
pub(super) async fn we_send_too_much(mut pair: Pair<'_>) {
    let send = pair.ours.send(vec![0; 2_000]);
    deadline("room to send", send).await.unwrap();
    pair.ask(json!({ "do": "closed" })).await;
    let ending = pair.ending().await;
    assert_eq!(ending.by, EndedBy::Peer);
    assert_eq!(ending.code, CloseCode::MESSAGE_TOO_BIG);
}

/// Makes a frame. Its masking key is zero, which leaves the payload as it is.
fn frame(first: u8, payload: &[u8], is_masked: bool) -> Vec<u8> {
    let mask_bit = if is_masked { 0x80 } else { 0 };
    let mut bytes = vec![first];
    let len = u16::try_from(payload.len()).unwrap();
    if let Ok(len @ 0..=125) = u8::try_from(len) {
        bytes.push(mask_bit | len);
    } else {
        bytes.push(mask_bit | 0x7E);
        bytes.extend(len.to_be_bytes());
    }
    bytes.extend(vec![0; if is_masked { 4 } else { 0 }]);
    bytes.extend(payload);
    bytes
}
