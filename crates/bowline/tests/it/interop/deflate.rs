//! What our end and each peer wish of compression, and what comes out.

use bowline::{DeflateNegotiation, proto::deflate::WindowBits};
use serde_json::{Value, json};

use super::pair::Deflate;

/// Peers without permessage-deflate.
pub(super) fn unsupported() -> Vec<Deflate> {
    vec![row(TAKEOVER, Value::Null, "")]
}

/// Chromium and Node's own client, which offer what they always offer.
pub(super) fn whatwg() -> Vec<Deflate> {
    usual(&Value::Null, ASKED_FOR_8)
}

/// Clients of ws, which name no size.
pub(super) fn ws_clients() -> Vec<Deflate> {
    usual(&ws(), ASKED_FOR_8)
}

/// Servers of ws.
pub(super) fn ws_servers() -> Vec<Deflate> {
    usual(&ws(), AGREED_ON_8)
}

/// Without the threshold ws would leave short messages uncompressed.
fn ws() -> Value {
    json!({ "threshold": 0 })
}

/// Clients of websockets. They cannot compress with a window of 8 bits, and refuse an answer that
/// asks it of them.
pub(super) fn websockets_clients() -> Vec<Deflate> {
    vec![
        row(DeflateNegotiation::DISABLED, json!("default"), ""),
        row(TAKEOVER, json!("default"), "permessage-deflate"),
        row(DeflateNegotiation::default(), json!({}), NO_TAKEOVER),
        row(window(9), json!({}), WINDOW_9),
        row(
            window(12),
            json!({ "server_max_window_bits": 8 }),
            "permessage-deflate; server_max_window_bits=8; client_max_window_bits=12",
        ),
        row(
            TAKEOVER,
            json!({ "client_max_window_bits": 9, "server_no_context_takeover": true }),
            "permessage-deflate; server_no_context_takeover; client_max_window_bits=9",
        ),
    ]
}

/// Servers of websockets. They cannot compress with a window of 8 bits, and decline offers that
/// ask it of them.
pub(super) fn websockets_servers() -> Vec<Deflate> {
    vec![
        row(DeflateNegotiation::DISABLED, json!("default"), ""),
        row(
            TAKEOVER,
            json!("default"),
            "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
        ),
        row(TAKEOVER, Value::Null, ""),
        row(TAKEOVER, json!({}), "permessage-deflate"),
        row(DeflateNegotiation::default(), json!({}), NO_TAKEOVER),
        row(window(8), json!({}), ""),
        row(window(9), json!({}), WINDOW_9),
        row(
            TAKEOVER,
            json!({ "server_max_window_bits": 9, "client_max_window_bits": 8 }),
            "permessage-deflate; server_max_window_bits=9; client_max_window_bits=8",
        ),
    ]
}

/// What a peer that goes along with everything is asked for.
fn usual(peer: &Value, window_8: &'static str) -> Vec<Deflate> {
    vec![
        row(DeflateNegotiation::DISABLED, peer.clone(), ""),
        row(TAKEOVER, peer.clone(), "permessage-deflate"),
        row(DeflateNegotiation::default(), peer.clone(), NO_TAKEOVER),
        row(window(8), peer.clone(), window_8),
        row(window(9), peer.clone(), WINDOW_9),
        row(
            window(12),
            peer.clone(),
            "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
        ),
    ]
}

fn row(ours: DeflateNegotiation, peer: Value, agreed: &'static str) -> Deflate {
    Deflate { ours, peer, agreed }
}

/// Takeover with windows of `bits`.
fn window(bits: u8) -> DeflateNegotiation {
    let bits = WindowBits::new(bits).unwrap();
    DeflateNegotiation {
        send_window_bits_max: bits,
        receive_window_bits_max: bits,
        ..TAKEOVER
    }
}

const TAKEOVER: DeflateNegotiation = DeflateNegotiation {
    enabled: true,
    send_context_takeover: true,
    receive_context_takeover: true,
    send_window_bits_max: WindowBits::MAX,
    receive_window_bits_max: WindowBits::MAX,
};

const NO_TAKEOVER: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
/// What our server answers to a client that names no size, with a window of 8 bits.
const ASKED_FOR_8: &str = "permessage-deflate; server_max_window_bits=8; client_max_window_bits=9";
/// What a server answers to our client that asks for windows of 8 bits.
const AGREED_ON_8: &str = "permessage-deflate; server_max_window_bits=8; client_max_window_bits=8";
const WINDOW_9: &str = "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9";
