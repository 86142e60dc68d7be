//! What holds for every stream, however it is cut.

use bowline_proto::{
    Compress, Config, Fin, FrameHeader, Limits, MaskingKey, Message, MessageKind, Opcode, Payload,
    Role, View,
    deflate::{ContextPool, Deflate},
};
use bowline_testkit::{Chunks, Collected, End, Pair, Takeover, chunks, deflate_params, joined};
use proptest::{collection::vec, prelude::*, sample::select};

/// One thing an application does.
#[derive(Clone, Debug)]
enum Act {
    Message(MessageKind, Vec<u8>, Compress),
    Fragments(MessageKind, Vec<Vec<u8>>, Compress),
    Frame(Vec<u8>, usize),
    Ping(Vec<u8>),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let compress = || select(vec![Compress::Auto, Compress::Never]);
    let text = || "(abc|\\PC){0,200}".prop_map(String::into_bytes);
    let bytes = || {
        prop_oneof![
            4 => vec(any::<u8>(), 0..200),
            1 => vec(select(b"ab".as_slice()), 0..70_000),
            1 => vec(any::<u8>(), 4000..5000),
        ]
    };
    let kinds = || {
        prop_oneof![
            text().prop_map(|text| (MessageKind::Text, text)),
            bytes().prop_map(|bytes| (MessageKind::Binary, bytes)),
        ]
    };
    let act = prop_oneof![
        4 => (kinds(), compress())
            .prop_map(|((kind, payload), compress)| Act::Message(kind, payload, compress)),
        3 => (kinds(), chunks(), compress()).prop_map(|((kind, payload), cut, compress)| {
            let pieces = cut.cut(&payload).into_iter().map(<[u8]>::to_vec).collect();
            Act::Fragments(kind, pieces, compress)
        }),
        1 => (bytes(), 1..9_usize).prop_map(|(payload, count)| Act::Frame(payload, count)),
        2 => vec(any::<u8>(), 0..=125).prop_map(Act::Ping),
    ];
    vec(act, 0..8)
}

/// Does what the acts say and gives what the other end has to report.
fn perform(end: &mut End, acts: &[Act]) -> Vec<Collected> {
    let connection = &mut end.connection;
    let mut expected = Vec::new();
    for act in acts {
        match act {
            Act::Message(kind, payload, compress) => {
                let message = match kind {
                    MessageKind::Text => Message::text(std::str::from_utf8(payload).unwrap()),
                    MessageKind::Binary => Message::binary(payload.as_slice()),
                };
                connection.send_with(&message, *compress).unwrap();
                expected.push(Collected::Message(*kind, payload.clone()));
            }
            Act::Fragments(kind, pieces, compress) => {
                for piece in pieces {
                    let payload = Payload::Borrowed(piece);
                    connection
                        .send_fragment(*kind, payload, Fin::More, *compress)
                        .unwrap();
                }
                connection
                    .send_fragment(*kind, Payload::Borrowed(&[]), Fin::Last, *compress)
                    .unwrap();
                expected.push(Collected::Message(*kind, pieces.concat()));
            }
            Act::Frame(payload, count) => {
                let kind = MessageKind::Binary;
                connection
                    .begin_frame(kind, payload.len() as u64, Fin::Last)
                    .unwrap();
                for piece in payload.chunks(payload.len() / count + 1) {
                    connection
                        .send_frame_payload(Payload::Borrowed(piece))
                        .unwrap();
                }
                expected.push(Collected::Message(kind, payload.clone()));
            }
            // Control frames pass ahead of data: the test writes before and after each.
            Act::Ping(_) => {}
        }
    }
    expected
}

/// Writes the acts one by one, pings between them, and gives the stream.
fn stream(end: &mut End, acts: &[Act]) -> (Vec<u8>, Vec<Collected>) {
    let mut stream = Vec::new();
    let mut expected = Vec::new();
    for act in acts {
        if let Act::Ping(payload) = act {
            end.connection.ping(payload).unwrap();
            expected.push(Collected::Ping(payload.clone()));
        }
        expected.extend(perform(end, std::slice::from_ref(act)));
        stream.extend_from_slice(&end.write());
    }
    (stream, expected)
}

fn other(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}

fn roles() -> impl Strategy<Value = Role> {
    select(vec![Role::Client, Role::Server])
}

/// No compression, or window bits and takeover.
fn deflates() -> impl Strategy<Value = Option<(u8, Takeover)>> {
    let takeover = select(vec![Takeover::Yes, Takeover::No]);
    proptest::option::of((8..=15_u8, takeover))
}

fn end(role: Role, deflate: Option<(u8, Takeover)>) -> End {
    let deflate = deflate.map(|(bits, takeover)| {
        let pool = ContextPool::default();
        Deflate::new(deflate_params(bits, takeover), pool.into())
    });
    let config = Config {
        compression_size_min: 8,
        ..Config::default()
    };
    End::new(role, config, deflate)
}

/// The bytes of each message of the fragment view, whatever the pieces; checks their flags.
fn messages(events: &[Collected]) -> Vec<Collected> {
    let mut open: Option<(MessageKind, Vec<u8>)> = None;
    let mut messages = Vec::new();
    for event in events {
        let Collected::Fragment {
            kind,
            payload,
            start,
            end,
        } = event
        else {
            messages.push(event.clone());
            continue;
        };
        assert_eq!(*start, open.is_none(), "the first piece begins the message");
        let (kind, mut whole) = open.take().unwrap_or((*kind, Vec::new()));
        whole.extend_from_slice(payload);
        if *end {
            messages.push(Collected::Message(kind, whole));
        } else {
            open = Some((kind, whole));
        }
    }
    assert_eq!(open, None, "the last piece ends the message");
    messages
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_chunking_gives_the_messages_that_were_sent(
        acts in acts(),
        role in roles(),
        deflate in deflates(),
        cut in chunks(),
        lends in any::<bool>(),
        writes in chunks(),
    ) {
        let mut sender = end(role, deflate);
        sender.writes = writes;
        let (stream, expected) = stream(&mut sender, &acts);
        let mut receiver = end(other(role), deflate);
        receiver.reads = cut;
        receiver.lends = lends;
        receiver.read(&stream);
        prop_assert_eq!(receiver.take_events(), expected);
    }

    #[test]
    fn any_chunking_gives_the_same_pieces_joined_and_all_bytes_of_each_message(
        acts in acts(),
        role in roles(),
        deflate in deflates(),
        cut in chunks(),
    ) {
        let (stream, expected) = stream(&mut end(role, deflate), &acts);
        let mut receivers = [Chunks::whole(), Chunks::of(1), cut].map(|cut| {
            let mut receiver = end(other(role), deflate);
            receiver.connection.set_view(View::Fragments);
            receiver.reads = cut;
            receiver.read(&stream);
            receiver.take_events()
        });
        for events in &mut receivers {
            prop_assert_eq!(&messages(events), &expected);
            *events = joined(events);
        }
        prop_assert_eq!(&receivers[0], &receivers[1]);
        prop_assert_eq!(&receivers[0], &receivers[2]);
    }

    #[test]
    fn any_chunking_gives_the_same_frames(
        acts in acts(),
        role in roles(),
        deflate in deflates(),
        cut in chunks(),
    ) {
        let (stream, expected) = stream(&mut end(role, deflate), &acts);
        let receivers = [Chunks::whole(), Chunks::of(1), cut].map(|cut| {
            let mut receiver = end(other(role), deflate);
            receiver.connection.set_view(View::Frames);
            receiver.reads = cut;
            receiver.read(&stream);
            receiver.take_events()
        });
        prop_assert_eq!(&messages(&receivers[0]), &expected);
        prop_assert_eq!(&receivers[0], &receivers[1]);
        prop_assert_eq!(&receivers[0], &receivers[2]);
    }

    #[test]
    fn a_pair_carries_messages_both_ways_in_order(
        upward in acts(),
        downward in acts(),
        deflate in deflates(),
        cuts in [chunks(), chunks(), chunks(), chunks()],
    ) {
        let mut pair = Pair::join(end(Role::Client, deflate), end(Role::Server, deflate));
        let [a, b, c, d] = cuts;
        (pair.client.reads, pair.client.writes) = (a, b);
        (pair.server.reads, pair.server.writes) = (c, d);
        let up = perform(&mut pair.client, &upward);
        let down = perform(&mut pair.server, &downward);
        pair.run();
        prop_assert_eq!(pair.server.take_events(), up);
        prop_assert_eq!(pair.client.take_events(), down);
        prop_assert_eq!(pair.client.connection.queued_len(), 0);
        prop_assert_eq!(pair.server.connection.queued_len(), 0);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_each_call_moves_on(
        bytes in vec(any::<u8>(), 0..600),
        options in 0..8_u8,
        cut in 0..32_u8,
    ) {
        let mut data = vec![options, cut];
        data.extend_from_slice(&bytes);
        bowline_testkit::fuzz::frames(&data);
    }

    #[test]
    fn arbitrary_scripts_of_calls_keep_the_promises(bytes in vec(any::<u8>(), 0..400)) {
        bowline_testkit::fuzz::engine(&bytes);
    }

    #[test]
    fn a_header_is_read_as_it_was_written(
        bits in any::<[bool; 4]>(),
        opcode in select(vec![
            Opcode::Continuation, Opcode::Text, Opcode::Binary,
            Opcode::Close, Opcode::Ping, Opcode::Pong,
        ]),
        len in prop_oneof![0..=130_u64, 65_000..66_000_u64, 0..1_u64 << 63],
        key in proptest::option::of(any::<[u8; 4]>()),
    ) {
        let control = opcode.is_control();
        let [fin, rsv1, rsv2, rsv3] = bits;
        let header = FrameHeader {
            fin: fin || control,
            rsv1,
            rsv2,
            rsv3,
            opcode,
            payload_len: if control { len % 126 } else { len },
            masking_key: key.map(MaskingKey),
        };
        let encoded = header.encode();
        let bytes = encoded.as_slice();
        prop_assert_eq!(FrameHeader::decode(bytes), Ok(Some((header, bytes.len()))));
        for part in 0..bytes.len() {
            prop_assert_eq!(FrameHeader::decode(&bytes[..part]), Ok(None));
        }
    }
}

/// The calls needed grow with the bytes: one for each piece and event, not for each byte twice.
#[test]
fn one_byte_reads_cost_one_call_each_and_one_more_for_each_event() {
    for role in [Role::Client, Role::Server] {
        let mut sender = end(role, None);
        for len in [0, 1, 125, 126, 70_000] {
            sender.connection.send_binary(&vec![7; len]).unwrap();
        }
        let stream = sender.write();
        let mut receiver = end(other(role), None);
        receiver.reads = Chunks::of(1);
        receiver.read(&stream);
        assert_eq!(receiver.events.len(), 5);
        assert_eq!(receiver.polls, stream.len() + 5 + 1);
    }
}

#[test]
fn a_stream_with_a_fault_ends_alike_however_it_is_cut() {
    let limits = Limits {
        message_size_max: 64,
        ..Limits::default()
    };
    let config = Config {
        limits,
        ..Config::default()
    };
    let frames = [
        bowline_testkit::Frame::text("fine"),
        bowline_testkit::Frame::ping("p"),
        bowline_testkit::Frame::binary([0; 65]),
        bowline_testkit::Frame::text("never read"),
    ];
    let run = |cut, lends| {
        let mut end = End::new(Role::Server, config.clone(), None);
        end.reads = cut;
        end.lends = lends;
        end.read_frames(&frames);
        let written = end.write();
        end.ended();
        (end.take_events(), written)
    };
    let whole = run(Chunks::whole(), false);
    assert_eq!(whole.0.len(), 3, "text, ping, the end: {:?}", whole.0);
    assert_eq!(run(Chunks::whole(), true), whole);
    for len in 1..20 {
        assert_eq!(run(Chunks::of(len), false), whole);
        assert_eq!(run(Chunks::of(len), true), whole);
    }
}
