//! permessage-deflate as a connection uses it: when, what is flagged, what peers can read.

use std::sync::Arc;

use bowline_proto::{
    Compress, Config, Fin, Message, MessageKind, Payload, PreparedMessage, Role, View,
    deflate::{
        ContextPool, Deflate, DeflateParams, Level, PoolLimits, WindowBits, compress_standalone,
    },
};
use bowline_testkit::{Chunks, Collected, End, Frame, Pair, Takeover, deflate_params};
use bytes::BytesMut;

fn with_pool(role: Role, params: DeflateParams, pool: &Arc<ContextPool>) -> End {
    let config = Config {
        compression_size_min: 64,
        ..Config::default()
    };
    End::new(role, config, Some(Deflate::new(params, Arc::clone(pool))))
}

fn end(role: Role, bits: u8, takeover: Takeover) -> End {
    with_pool(role, deflate_params(bits, takeover), &Arc::default())
}

fn rsv(end: &mut End) -> Vec<u8> {
    end.write_frames().iter().map(|frame| frame.rsv).collect()
}

// RFC 7692 section 6: RSV1 says per message whether it is compressed.
#[test]
fn messages_are_compressed_from_the_threshold_on_unless_they_opt_out_or_grow() {
    for role in [Role::Client, Role::Server] {
        let mut end = end(role, 15, Takeover::Yes);
        let connection = &mut end.connection;
        connection.send_binary(&[1; 63]).unwrap();
        connection.send_binary(&[1; 64]).unwrap();
        connection
            .send_with(&Message::binary(&[1; 64]), Compress::Never)
            .unwrap();
        let noise: Vec<u8> = (0..100_u8)
            .map(|n| n.wrapping_mul(n).rotate_left(3) ^ n)
            .collect();
        connection.send_binary(&noise).unwrap();
        assert_eq!(rsv(&mut end), [0, 4, 0, 0]);

        // The choice for a message in fragments is made with the first.
        let fragment = |end: &mut End, compress, fin| {
            let payload = Payload::Borrowed(b"aaaaaaaaaa");
            end.connection
                .send_fragment(MessageKind::Text, payload, fin, compress)
                .unwrap();
        };
        fragment(&mut end, Compress::Auto, Fin::More);
        fragment(&mut end, Compress::Never, Fin::Last);
        fragment(&mut end, Compress::Never, Fin::More);
        fragment(&mut end, Compress::Auto, Fin::Last);
        assert_eq!(rsv(&mut end), [4, 0, 0, 0]);
    }
}

// RFC 7692 section 7.2.3.6
#[test]
fn an_empty_compressed_message_is_empty() {
    for payload in [&[0x00][..], &[], &[0x01, 0x00, 0x00, 0xff, 0xff, 0x00]] {
        for view in [View::Messages, View::Fragments, View::Frames] {
            let mut end = end(Role::Client, 15, Takeover::Yes);
            end.connection.set_view(view);
            end.read_frames(&[Frame::binary(payload).rsv(4), Frame::binary("next")]);
            let next = b"next".to_vec();
            let piece = |payload| Collected::Fragment {
                kind: MessageKind::Binary,
                payload,
                start: true,
                end: true,
            };
            let expected = match view {
                View::Messages => [Collected::binary(b""), Collected::binary(&next)],
                View::Fragments => [piece(Vec::new()), piece(next)],
                // A compressed message counts as one frame.
                View::Frames => [Collected::binary(b""), piece(next)],
            };
            assert_eq!(end.take_events(), expected, "{payload:x?}");
        }
    }
}

#[test]
fn an_empty_message_may_be_sent_compressed() {
    let config = Config {
        compression_size_min: 0,
        ..Config::default()
    };
    let mut pair = Pair::compressed(&config, deflate_params(15, Takeover::Yes));
    let prepared = PreparedMessage::new(Message::text(""));
    pair.server.connection.send_prepared(&prepared).unwrap();
    pair.server.connection.send_text("").unwrap();
    let empty = Payload::Borrowed(&[]);
    let kind = MessageKind::Text;
    pair.server
        .connection
        .send_fragment(kind, empty, Fin::Last, Compress::Auto)
        .unwrap();
    pair.run();
    let flags: Vec<u8> = Frame::parse_all(&pair.downstream)
        .iter()
        .map(|frame| frame.rsv)
        .collect();
    assert_eq!(
        flags,
        [0, 0, 4],
        "compressing makes a whole one longer, a fragment may have to say that it is the last"
    );
    assert_eq!(
        pair.client.take_events(),
        [const { Collected::Message(MessageKind::Text, Vec::new()) }; 3]
    );
}

/// Each fragment can be read at once: nothing is held back in either engine.
#[test]
fn what_a_compressed_fragment_holds_is_reported_when_it_arrives() {
    let mut sender = end(Role::Client, 15, Takeover::Yes);
    let mut receiver = end(Role::Server, 15, Takeover::Yes);
    receiver.connection.set_view(View::Fragments);
    let pieces = ["first ", "second ", "", "third"];
    for (at, piece) in pieces.iter().enumerate() {
        let fin = if at == 3 { Fin::Last } else { Fin::More };
        let payload = Payload::Borrowed(piece.as_bytes());
        sender
            .connection
            .send_fragment(MessageKind::Text, payload, fin, Compress::Auto)
            .unwrap();
        receiver.read(&sender.write());
        let mut read = Vec::new();
        for event in receiver.take_events() {
            let Collected::Fragment { payload, .. } = event else {
                panic!("{event:?}");
            };
            read.extend_from_slice(&payload);
        }
        assert_eq!(read, piece.as_bytes());
    }
}

fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut output = BytesMut::new();
    let pool = ContextPool::default();
    compress_standalone(&pool, WindowBits::MAX, Level::DEFAULT, payload, &mut output);
    output.to_vec()
}

/// A piece is at most 16 KiB: these lengths end just before, at and after one.
#[test]
fn messages_that_fill_pieces_exactly_lose_nothing_of_what_follows() {
    let piece = 16 << 10;
    let sizes = [256, 1024, 4096, piece, 2 * piece, 4 * piece];
    for len in sizes.into_iter().flat_map(|len| [len - 1, len, len + 1]) {
        let payload = compressed(&vec![b'a'; len]);
        for cut in [Chunks::whole(), Chunks::of(1), Chunks::of(64)] {
            for split in [0, payload.len() / 2, payload.len() - 1, payload.len()] {
                let read = piecewise(&payload, split, &cut);
                assert_eq!(read, [len, 1, b"after".len()], "split {split}");
            }
        }
    }
}

/// Reads a compressed text in two frames, a ping between them and a message after; gives the bytes
/// of the text, the number of pings and the bytes of the message.
fn piecewise(payload: &[u8], split: usize, cut: &Chunks) -> [usize; 3] {
    let mut end = end(Role::Server, 15, Takeover::Yes);
    end.reads = cut.clone();
    end.connection.set_view(View::Fragments);
    end.read_frames(&[
        Frame::text("").rsv(4).more(),
        Frame::continuation(&payload[..split]).more(),
        Frame::ping("between"),
        Frame::continuation(&payload[split..]),
        Frame::binary("after"),
    ]);
    let mut read = [0; 3];
    for event in end.take_events() {
        if let Collected::Fragment { payload, kind, .. } = event {
            let place = if kind == MessageKind::Text { 0 } else { 2 };
            read[place] += payload.len();
        } else {
            assert_eq!(event, Collected::Ping(b"between".to_vec()));
            read[1] += 1;
        }
    }
    read
}

fn pieces_len(events: &[Collected]) -> usize {
    let len = |event: &Collected| {
        if let Collected::Fragment { payload, .. } = event {
            payload.len()
        } else {
            panic!("{event:?}")
        }
    };
    events.iter().map(len).sum()
}

/// What the bytes so far hold is reported before more of them arrive.
#[test]
fn a_part_of_a_compressed_frame_is_reported_as_far_as_it_goes() {
    let payload = compressed(&vec![b'a'; 200_000]);
    let ends = [Chunks::whole(), Chunks::of(1), Chunks::of(20)];
    let stream = Frame::text("").rsv(4).more().encode();
    let frame = Frame::continuation(&payload).encode();
    for part in 0..frame.len() {
        let reported = ends.clone().map(|cut| {
            let mut end = end(Role::Client, 15, Takeover::Yes);
            end.connection.set_view(View::Fragments);
            end.reads = cut;
            end.read(&stream);
            end.read(&frame[..part]);
            pieces_len(&end.events)
        });
        assert_eq!(reported, [reported[0]; 3], "{part} of {}", frame.len());
    }
}

/// A driver may append what it reads to the rest it still holds.
#[test]
fn bytes_may_be_appended_to_the_rest_of_a_masked_frame() {
    let payload = compressed(&vec![b'a'; 200_000]);
    let mut end = end(Role::Server, 15, Takeover::Yes);
    let stream = end.stream(&[Frame::text("").rsv(4).more(), Frame::continuation(&payload)]);
    end.connection.set_view(View::Fragments);
    let now = end.now();
    let mut rest = Vec::new();
    let mut read = 0;
    for byte in stream.chunks(7) {
        rest.extend_from_slice(byte);
        let (used, event) = end.connection.poll_event(now, &mut rest);
        read += event.map_or(0, |event| pieces_len(&[Collected::from(event)]));
        rest.drain(..used);
    }
    end.read_piece(&mut rest);
    assert_eq!(read + pieces_len(&end.events), 200_000);
}

fn texts() -> Vec<String> {
    let line = |n: usize| {
        format!(
            "{{\"topic\":\"node/{n}/thermometer\",\"value\":{}}}",
            n * 37 % 100
        )
    };
    (0..12)
        .map(|n| line(n).repeat(1 + n * n * 20 % 1000))
        .collect()
}

// RFC 7692 section 7.1: what one prepared message means to peers with every set of options.
#[test]
fn a_prepared_message_is_read_like_an_ordinary_one_by_every_peer() {
    let prepared: Vec<_> = texts()
        .iter()
        .map(|text| PreparedMessage::new(Message::text(text.as_str())))
        .collect();
    let pool = Arc::new(ContextPool::default());
    let peers = (8..=15).flat_map(|bits| [(bits, Takeover::Yes), (bits, Takeover::No)]);
    let params = peers.map(|(bits, takeover)| Some(deflate_params(bits, takeover)));
    for params in params.chain([None]) {
        for sender in [Role::Server, Role::Client] {
            let make = |role| match params {
                Some(params) => with_pool(role, params, &pool),
                None => End::plain(role),
            };
            let mut pair = Pair::join(make(Role::Client), make(Role::Server));
            let from = match sender {
                Role::Server => &mut pair.server,
                Role::Client => &mut pair.client,
            };
            let mut expected = Vec::new();
            for (text, prepared) in texts().iter().zip(&prepared) {
                from.connection.send_prepared(prepared).unwrap();
                from.connection.send_text(text).unwrap();
                from.connection
                    .send_with(&Message::text(text.as_str()), Compress::Never)
                    .unwrap();
                from.connection.send_prepared(prepared).unwrap();
                let (first, last) = text.split_at(text.len() / 2);
                for (piece, fin) in [(first, Fin::More), (last, Fin::Last)] {
                    let payload = Payload::Borrowed(piece.as_bytes());
                    from.connection
                        .send_fragment(MessageKind::Text, payload, fin, Compress::Auto)
                        .unwrap();
                }
                expected.extend(std::iter::repeat_n(Collected::text(text), 5));
            }
            pair.run();
            let (to, stream) = match sender {
                Role::Server => (&mut pair.client, &pair.downstream),
                Role::Client => (&mut pair.server, &pair.upstream),
            };
            assert_eq!(to.take_events(), expected, "{params:?}");
            let flagged = Frame::parse_all(stream).iter().any(|frame| frame.rsv == 4);
            assert_eq!(flagged, params.is_some());
        }
    }
}

#[test]
fn a_prepared_message_below_the_threshold_is_plain() {
    let mut end = end(Role::Server, 15, Takeover::Yes);
    for (len, bits) in [(63, 0), (64, 4)] {
        let prepared = PreparedMessage::new(Message::binary(vec![1; len]));
        end.connection.send_prepared(&prepared).unwrap();
        assert_eq!(rsv(&mut end), [bits]);
    }
}

#[test]
fn contexts_are_held_only_while_a_message_is_under_way() {
    let pool = Arc::new(ContextPool::default());
    let params = deflate_params(15, Takeover::Yes);
    let mut ends: Vec<_> = (0..50)
        .map(|_| with_pool(Role::Server, params, &pool))
        .collect();
    let idle = |pool: &ContextPool| (pool.idle_inflaters(), pool.idle_deflaters());
    assert_eq!(
        idle(&pool),
        (0, 0),
        "none before the first compressed message"
    );
    let frame = Frame::binary(compressed(&[7; 1000])).rsv(4);
    for end in &mut ends {
        end.connection.send_binary(&[7; 1000]).unwrap();
        end.read_frames(std::slice::from_ref(&frame));
        assert_eq!(pool.idle_inflaters(), 1, "all share one");
    }
    let bound = PoolLimits::IDLE_DEFLATERS_DEFAULT;
    assert_eq!(pool.idle_deflaters(), bound, "as many as may be idle");
    let payload = Payload::Borrowed(&[7; 1000]);
    ends[0]
        .connection
        .send_fragment(MessageKind::Binary, payload, Fin::More, Compress::Auto)
        .unwrap();
    let stream = ends[1].stream(std::slice::from_ref(&frame));
    ends[1].read(&stream[..stream.len() - 1]);
    assert_eq!(idle(&pool), (0, bound - 1));
    ends[0].connection.abort();
    ends[1].eof();
    assert_eq!(idle(&pool), (1, bound), "an end gives them back");
}
