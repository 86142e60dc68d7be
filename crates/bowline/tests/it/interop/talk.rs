//! Messages and pings in both directions over an open connection.

use bowline::{Event, Fin, Message, MessageKind, proto::Role};
use serde_json::json;

use super::{
    closing::{self, Closing},
    message::{Repeated, noise, to_hex},
    pair::{Deflate, Pair},
    peer::{Ability, deadline},
};

/// A message and the form in which our end sends it.
struct Case {
    what: Repeated,
    form: Form,
}

enum Form {
    Whole,
    /// In fragments that end here; peers that can, do the same and send a ping after the first.
    Fragments(Vec<usize>),
    /// In one frame, whose payload comes in pieces of this length; received as fragments.
    Pieces(usize),
}

/// Exchanges every kind of message, of up to `len_max` bytes, in both directions.
pub(super) async fn exchange_messages(pair: &mut Pair<'_>, len_max: usize) {
    for case in cases() {
        if case.what.len() <= len_max {
            exchange(pair, &case).await;
        }
    }
}

/// Pings from either end bring their payload back.
pub(super) async fn exchange_pings(pair: &mut Pair<'_>) {
    for payload in [&b""[..], b"are you there", &[0xFF; 125]] {
        deadline("ping", pair.ours.ping(payload)).await.unwrap();
        let take = |event| {
            let Event::Pong { payload, .. } = event else {
                return None;
            };
            Some(payload.to_vec())
        };
        assert_eq!(pair.event("pong", take).await, payload);
    }
    if !pair.peer.can(Ability::Ping) {
        return;
    }
    for payload in [&b"marco"[..], &[0xFF; 125]] {
        let payload_hex = to_hex(payload);
        let ping = json!({ "do": "ping", "payload": payload_hex });
        assert_eq!(pair.ask(ping).await["payload"], payload_hex);
        assert_eq!(pair.ping_payload().await, payload);
    }
}

/// A keepalive ping is answered, and the round trip measured.
pub(super) async fn stay_alive(mut pair: Pair<'_>) {
    let take = |event| {
        let Event::Pong { round_trip, .. } = event else {
            return None;
        };
        round_trip
    };
    let measured = pair.event("pong of a keepalive ping", take).await;
    assert_eq!(pair.ours.round_trip(), Some(measured));
    closing::we_close(pair, &Closing::normal()).await;
}

/// The bytes on the wire show what was agreed: compression, and messages that refer to the last
/// one exactly where a context is taken over.
pub(super) async fn check_wire(pair: &mut Pair<'_>, deflate: &Deflate, role: Role) {
    let long = Repeated::text("compress me! ", 10_000);
    let is_compressed = !deflate.agreed.is_empty();
    let peer_compresses = is_compressed && pair.peer.can(Ability::Compress);
    let [sent, received] = cost(pair, &long).await;
    assert_eq!(sent < 10_000, is_compressed, "{sent} bytes");
    assert_eq!(received < 10_000, peer_compresses, "{received} bytes");
    if !is_compressed {
        return;
    }
    let short = Repeated::text(&to_hex(&noise(80)), 1);
    let first = cost(pair, &short).await;
    let second = cost(pair, &short).await;
    let senders = match role {
        Role::Client => ["client", "server"],
        Role::Server => ["server", "client"],
    };
    for (index, prefix) in senders.into_iter().enumerate() {
        if index == 1 && !peer_compresses {
            break;
        }
        let takeover = !deflate
            .agreed
            .contains(&format!("{prefix}_no_context_takeover"));
        assert_eq!(
            second[index] * 2 < first[index],
            takeover,
            "{prefix}: {} bytes, then {}",
            first[index],
            second[index]
        );
    }
}

/// Exchanges a message and gives what it took on the wire: to the peer, and back.
async fn cost(pair: &mut Pair<'_>, what: &Repeated) -> [usize; 2] {
    let (read, written) = pair.counts();
    exchange(pair, &Case::whole(what.clone())).await;
    let (read_then, written_then) = pair.counts();
    [written_then - written, read_then - read]
}

async fn exchange(pair: &mut Pair<'_>, case: &Case) {
    send(pair, case).await;
    let cuts = match &case.form {
        Form::Fragments(cuts) if pair.peer.can(Ability::Fragment) => &cuts[..],
        Form::Whole | Form::Fragments(_) | Form::Pieces(_) => &[],
    };
    let command = case.what.command("send", cuts);
    let message = if matches!(case.form, Form::Pieces(_)) {
        let (sent, message) =
            tokio::join!(pair.peer.ask(command), receive_fragments(&mut pair.ours));
        assert_eq!(sent, json!({}));
        message
    } else {
        assert_eq!(pair.ask(command).await, json!({}));
        if !cuts.is_empty() {
            assert_eq!(pair.ping_payload().await, b"between");
        }
        pair.message().await
    };
    let is_equal = message == case.what.message();
    assert!(
        is_equal,
        "sent {}, received {} bytes",
        case.what,
        message.len()
    );
}

/// Sends the message to the peer, which must receive what was meant.
async fn send(pair: &mut Pair<'_>, case: &Case) {
    let payload = case.what.payload();
    let ours = &mut pair.ours;
    let send = async {
        match &case.form {
            Form::Whole => ours.send(case.what.message()).await,
            Form::Fragments(cuts) => {
                let kind = case.what.kind();
                let mut start = 0;
                for cut in cuts {
                    let fragment = &payload[start..*cut];
                    ours.send_fragment(kind, fragment, Fin::More).await?;
                    ours.ping(b"between").await?;
                    start = *cut;
                }
                ours.send_fragment(kind, &payload[start..], Fin::Last).await
            }
            Form::Pieces(len) => {
                let payload_len = payload.len() as u64;
                ours.begin_frame(case.what.kind(), payload_len, Fin::Last)
                    .await?;
                for piece in payload.chunks(*len) {
                    ours.send_frame_payload(piece).await?;
                }
                Ok(())
            }
        }
    };
    let received = pair.peer.ask(case.what.command("receive", &[]));
    let (received, outcome) = tokio::join!(received, deadline("room to send", send));
    outcome.unwrap();
    let expected = json!({
        "kind": case.what.kind_name(),
        "len": payload.len(),
        "equal": true,
    });
    assert_eq!(received, expected, "{}", case.what);
}

async fn receive_fragments(ours: &mut bowline::WebSocket<super::counted::Counted>) -> Message {
    let mut payload = Vec::new();
    loop {
        let fragment = deadline("fragment", ours.recv_fragment()).await.unwrap();
        assert_eq!(fragment.message_start, payload.is_empty());
        payload.extend_from_slice(&fragment.payload);
        if fragment.message_end {
            return match fragment.kind {
                MessageKind::Text => Message::text(String::from_utf8(payload).unwrap()),
                MessageKind::Binary => Message::binary(payload),
            };
        }
    }
}

impl Case {
    fn whole(what: Repeated) -> Self {
        Self {
            what,
            form: Form::Whole,
        }
    }

    fn fragments(what: Repeated, cuts: impl Into<Vec<usize>>) -> Self {
        Self {
            what,
            form: Form::Fragments(cuts.into()),
        }
    }
}

fn cases() -> Vec<Case> {
    // Characters of one to four bytes.
    let unicode = "aé漢🐎";
    let all_bytes: Vec<u8> = (0..=u8::MAX).collect();
    vec![
        Case::whole(Repeated::text("", 0)),
        Case::whole(Repeated::binary("", 0)),
        Case::whole(Repeated::text("hello", 1)),
        Case::whole(Repeated::text(unicode, 40)),
        Case::whole(Repeated::text("\0\u{FEFF}\u{10FFFF}\r\n", 1)),
        Case::whole(Repeated::binary(all_bytes.clone(), 1)),
        // Lengths at the borders of the forms of a frame's length.
        Case::whole(Repeated::binary("x", 125)),
        Case::whole(Repeated::binary("x", 126)),
        Case::whole(Repeated::binary("x", 65_535)),
        Case::whole(Repeated::binary("x", 65_536)),
        Case::fragments(Repeated::text(unicode, 1), (1..10).collect::<Vec<_>>()),
        Case::fragments(Repeated::text(unicode, 200), [2, 1_001, 1_001, 1_999]),
        Case::fragments(
            Repeated::binary(all_bytes.clone(), 500),
            [1, 1, 127, 66_000],
        ),
        Case {
            what: Repeated::binary(all_bytes.clone(), 500),
            form: Form::Pieces(10_007),
        },
        Case {
            what: Repeated::text(unicode, 10_000),
            form: Form::Pieces(777),
        },
        // Repeats that only large windows reach, so that one that is too large shows.
        Case::whole(Repeated::binary(noise(700), 250)),
        Case::whole(Repeated::binary(noise(5_000), 30)),
        Case::whole(Repeated::text(unicode, MIB / 10)),
        Case::whole(Repeated::binary(all_bytes, MIB / 256)),
        Case::whole(Repeated::binary(noise(1_024), 16 * MIB / 1_024)),
    ]
}

pub(super) const MIB: usize = 1 << 20;
