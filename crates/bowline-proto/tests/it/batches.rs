//! Messages that are prepared and sent together.

use std::sync::Arc;

use bowline_proto::{
    Config, Message, Misuse, PreparedBatch, PreparedMessage, Role,
    deflate::{ContextPool, Deflate},
};
use bowline_testkit::{Chunks, Collected, End, Frame, Pair, Takeover, deflate_params};

fn batch(texts: &[String]) -> PreparedBatch {
    let prepare = |text: &String| PreparedMessage::new(Message::text(text.as_str()));
    texts.iter().map(prepare).collect()
}

/// Batches of none, one, short, mixed and long messages.
fn batches() -> Vec<(Vec<String>, PreparedBatch)> {
    let line = |n: usize| format!("{{\"thermometer\":{}}}", n * 37 % 100).repeat(1 + n);
    let texts = [
        Vec::new(),
        vec![line(9)],
        vec![String::new(), line(0), line(1)],
        (0..16).map(line).collect(),
        (0..3).map(|n| line(n + 1000)).collect(),
        vec![line(5000)],
    ];
    let prepared = texts.map(|texts| (texts.clone(), batch(&texts)));
    prepared.into()
}

// RFC 7692 section 7.1: what one prepared batch means to peers with every set of options.
#[test]
fn a_batch_is_read_like_its_messages_by_every_peer() {
    let batches = batches();
    let pool = Arc::new(ContextPool::default());
    let peers = (8..=15).flat_map(|bits| [(bits, Takeover::Yes), (bits, Takeover::No)]);
    let params = peers.map(|(bits, takeover)| Some(deflate_params(bits, takeover)));
    // The threshold of those that come later is not the one that the batch was encoded for.
    for (params, size_min) in params.chain([None]).flat_map(|p| [(p, 64), (p, 20)]) {
        for role in [Role::Server, Role::Client] {
            let make = |role| {
                let config = Config {
                    compression_size_min: size_min,
                    ..Config::default()
                };
                let deflate = params.map(|params| Deflate::new(params, Arc::clone(&pool)));
                End::new(role, config, deflate)
            };
            let mut pair = Pair::join(make(Role::Client), make(Role::Server));
            let (from, to) = match role {
                Role::Server => (&mut pair.server, Role::Client),
                Role::Client => (&mut pair.client, Role::Server),
            };
            let mut expected = Vec::new();
            for (texts, batch) in &batches {
                from.connection.send_prepared_batch(batch).unwrap();
                from.connection.send_text("a message in between").unwrap();
                expected.extend(texts.iter().map(|text| Collected::text(text)));
                expected.push(Collected::text("a message in between"));
            }
            let counters = from.connection.counters();
            assert_eq!(counters.messages_out, expected.len() as u64);
            pair.run();
            let to = match to {
                Role::Client => &mut pair.client,
                Role::Server => &mut pair.server,
            };
            assert_eq!(to.take_events(), expected, "{params:?}");
        }
    }
}

#[test]
fn a_batch_is_counted_by_its_messages_and_their_payload() {
    for (texts, batch) in batches() {
        let len = texts.iter().map(String::len).sum::<usize>();
        assert_eq!((batch.len(), batch.payload_len()), (texts.len(), len));
        assert_eq!(batch.is_empty(), texts.is_empty());
        let mut end = End::plain(Role::Server);
        end.connection.send_prepared_batch(&batch).unwrap();
        let counters = end.connection.counters();
        assert_eq!(counters.messages_out, texts.len() as u64);
        assert_eq!(counters.payload_bytes_out, len as u64);
    }
}

// RFC 6455 section 5.4: control frames pass between frames, never into one.
#[test]
fn pongs_pass_a_batch_never_into_a_frame_of_it_wherever_a_write_stopped() {
    let texts: Vec<_> = (0..16).map(|n| format!("{n}").repeat(n + 9)).collect();
    let batch = batch(&texts);
    let total = {
        let mut end = End::plain(Role::Server);
        end.connection.send_prepared_batch(&batch).unwrap();
        end.connection.queued_len()
    };
    for written in 0..total {
        let mut end = End::plain(Role::Server);
        end.connection.send_prepared_batch(&batch).unwrap();
        let mut stream = Vec::new();
        while stream.len() < written {
            end.writes = Chunks::of(written - stream.len());
            assert!(end.write_once(0, &mut stream));
        }
        end.writes = Chunks::whole();
        end.connection.pong(b"pong").unwrap();
        stream.extend(end.write());
        let mut frames = Frame::parse_all(&stream);
        let place = frames
            .iter()
            .position(|frame| *frame == Frame::pong("pong"));
        frames.remove(place.expect("a pong"));
        let payloads = frames.iter().map(|frame| frame.payload.as_slice());
        assert!(payloads.eq(texts.iter().map(String::as_bytes)), "{written}");
    }
}

#[test]
fn what_of_a_batch_is_written_at_once_is_not_queued_and_pongs_still_pass_between_frames() {
    let texts: Vec<_> = (0..4).map(|n| format!("{n}").repeat(n * 60)).collect();
    let batch = batch(&texts);
    let mut whole = End::plain(Role::Server);
    whole.connection.send_prepared_batch(&batch).unwrap();
    let whole = whole.write();
    for written in 0..=whole.len() {
        let mut end = End::plain(Role::Server);
        let mut stream = Vec::new();
        let write = |frames: &[u8]| {
            stream.extend_from_slice(&frames[..written]);
            written
        };
        end.connection.write_prepared_batch(&batch, write).unwrap();
        assert_eq!(end.connection.queued_len(), whole.len() - written);
        end.connection.pong(b"pong").unwrap();
        stream.extend(end.write());
        let counters = end.connection.counters();
        assert_eq!(counters.wire_bytes_out, stream.len() as u64);
        let mut frames = Frame::parse_all(&stream);
        let place = frames
            .iter()
            .position(|frame| *frame == Frame::pong("pong"));
        frames.remove(place.expect("a pong"));
        let payloads = frames.iter().map(|frame| frame.payload.as_slice());
        assert!(payloads.eq(texts.iter().map(String::as_bytes)), "{written}");
    }
}

#[test]
fn nothing_of_a_batch_is_written_ahead_of_what_is_queued() {
    let batch = batch(&["second".into()]);
    let mut end = End::plain(Role::Server);
    end.connection.send_text("first").unwrap();
    let write = |_: &[u8]| unreachable!("something is queued");
    end.connection.write_prepared_batch(&batch, write).unwrap();
    let frames = [Frame::text("first"), Frame::text("second")];
    assert_eq!(end.write_frames(), frames);
}

#[test]
fn a_batch_is_refused_whole_where_its_messages_would_be() {
    let batch = batch(&["a".into(), "b".into()]);
    let mut end = End::plain(Role::Server);
    let (kind, fin) = (bowline_proto::MessageKind::Binary, bowline_proto::Fin::Last);
    end.connection.begin_frame(kind, 1, fin).unwrap();
    let refused = end.connection.send_prepared_batch(&batch);
    assert_eq!(refused, Err(Misuse::FrameUnfinished));
    let mut end = End::plain(Role::Server);
    let now = end.now();
    end.connection.close(now, None).unwrap();
    let refused = end.connection.send_prepared_batch(&batch);
    assert_eq!(refused, Err(Misuse::SendAfterClose));
    assert_eq!(end.connection.counters().messages_out, 0);
}
