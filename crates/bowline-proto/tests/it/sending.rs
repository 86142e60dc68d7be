//! What calls of ours put on the wire, and which calls are refused.

use bowline_proto::{
    Compress, Config, Fin, Message, MessageKind, Misuse, Payload, Role, Text,
    deflate::{ContextPool, Deflate},
};
use bowline_testkit::{Collected, End, Frame, Pair, Takeover, deflate_params};

fn fragment(end: &mut End, kind: MessageKind, payload: &[u8], fin: Fin) -> Result<(), Misuse> {
    let payload = Payload::Borrowed(payload);
    end.connection
        .send_fragment(kind, payload, fin, Compress::Auto)
}

fn piece(end: &mut End, payload: &[u8]) -> Result<(), Misuse> {
    end.connection
        .send_frame_payload(Payload::Borrowed(payload))
}

fn compressed(role: Role) -> End {
    let params = deflate_params(15, Takeover::Yes);
    let deflate = Deflate::new(params, ContextPool::default().into());
    End::new(role, Config::default(), Some(deflate))
}

// RFC 6455 sections 5.1 and 5.3: a fresh key for every frame of a client, none for a server's.
#[test]
fn every_frame_of_a_client_has_a_key_of_its_own_and_a_servers_has_none() {
    let send_all = |end: &mut End| {
        end.connection.send_text("a").unwrap();
        end.connection
            .send(Message::binary(vec![1; 10_000]))
            .unwrap();
        fragment(end, MessageKind::Binary, b"b", Fin::More).unwrap();
        fragment(end, MessageKind::Binary, b"c", Fin::Last).unwrap();
        end.connection
            .begin_frame(MessageKind::Binary, 2, Fin::Last)
            .unwrap();
        piece(end, b"d").unwrap();
        piece(end, b"e").unwrap();
        let prepared = bowline_proto::PreparedMessage::new(Message::text("f"));
        end.connection.send_prepared(&prepared).unwrap();
        let mut stream = end.write();
        end.connection.ping(b"g").unwrap();
        stream.extend(end.write());
        end.connection.pong(b"h").unwrap();
        stream.extend(end.write());
        let now = end.now();
        end.connection.close(now, None).unwrap();
        stream.extend(end.write());
        Frame::parse_all(&stream)
    };
    let keys: Vec<_> = send_all(&mut End::plain(Role::Client))
        .iter()
        .map(|frame| u32::from_be_bytes(frame.key.unwrap()))
        .collect();
    assert_eq!(keys, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let frames = send_all(&mut End::plain(Role::Server));
    assert!(frames.iter().all(|frame| frame.key.is_none()));
}

/// A shared payload is queued as it is, and a masked copy leaves it alone.
#[test]
fn sending_never_changes_the_callers_bytes() {
    for role in [Role::Client, Role::Server] {
        let payload = bytes::Bytes::from(vec![7; 10_000]);
        let mut end = End::plain(role);
        end.connection.send(Message::from(payload.clone())).unwrap();
        end.connection
            .begin_frame(MessageKind::Binary, 10_000, Fin::Last)
            .unwrap();
        end.connection
            .send_frame_payload(Payload::Shared(payload.clone()))
            .unwrap();
        let frames = end.write_frames();
        assert!(frames.iter().all(|frame| frame.payload == payload));
        assert_eq!(payload, vec![7; 10_000]);
    }
}

// RFC 6455 section 5.4
#[test]
fn fragments_make_one_message_of_frames() {
    for mut end in [End::plain(Role::Server), compressed(Role::Server)] {
        let none = Compress::Never;
        let pieces: [(&[u8], Fin); 4] = [
            (b"a", Fin::More),
            (b"", Fin::More),
            (b"b", Fin::More),
            (b"", Fin::Last),
        ];
        for (payload, fin) in pieces {
            let payload = Payload::Borrowed(payload);
            end.connection
                .send_fragment(MessageKind::Text, payload, fin, none)
                .unwrap();
        }
        end.connection
            .begin_frame(MessageKind::Binary, 0, Fin::More)
            .unwrap();
        fragment(&mut end, MessageKind::Binary, b"c", Fin::More).unwrap();
        end.connection
            .begin_frame(MessageKind::Binary, 1, Fin::Last)
            .unwrap();
        piece(&mut end, b"").unwrap();
        piece(&mut end, b"d").unwrap();
        let expected = [
            Frame::text("a").more(),
            Frame::continuation("").more(),
            Frame::continuation("b").more(),
            Frame::continuation(""),
            Frame::binary("").more(),
            Frame::continuation("c").more(),
            Frame::continuation("d"),
        ];
        assert_eq!(end.write_frames(), expected);
    }
}

// RFC 6455 section 5.4: messages do not interleave.
#[test]
fn inside_a_fragmented_message_only_its_fragments_and_control_frames_can_be_sent() {
    let mut end = End::plain(Role::Server);
    fragment(&mut end, MessageKind::Binary, b"a", Fin::More).unwrap();
    let prepared = bowline_proto::PreparedMessage::new(Message::text("x"));
    let unfinished = Err(Misuse::MessageUnfinished);
    assert_eq!(end.connection.send_text("x"), unfinished);
    assert_eq!(end.connection.send_binary(b"x"), unfinished);
    assert_eq!(end.connection.send_prepared(&prepared), unfinished);
    let text = MessageKind::Text;
    assert_eq!(
        fragment(&mut end, text, b"x", Fin::Last),
        Err(Misuse::FragmentKind)
    );
    assert_eq!(
        end.connection.begin_frame(text, 1, Fin::Last),
        Err(Misuse::FragmentKind)
    );
    assert_eq!(piece(&mut end, b"x"), Err(Misuse::FramePayload));
    fragment(&mut end, MessageKind::Binary, b"b", Fin::Last).unwrap();
    end.connection.send_text("c").unwrap();
    let expected = [
        Frame::binary("a").more(),
        Frame::continuation("b"),
        Frame::text("c"),
    ];
    assert_eq!(end.write_frames(), expected, "refused calls left no trace");
}

#[test]
fn inside_a_frame_sent_in_pieces_only_its_payload_can_be_sent() {
    for role in [Role::Client, Role::Server] {
        let mut end = End::plain(role);
        let binary = MessageKind::Binary;
        end.connection.begin_frame(binary, 3, Fin::More).unwrap();
        let prepared = bowline_proto::PreparedMessage::new(Message::text("x"));
        let unfinished = Err(Misuse::FrameUnfinished);
        assert_eq!(end.connection.send_text("x"), unfinished);
        assert_eq!(end.connection.send_prepared(&prepared), unfinished);
        assert_eq!(fragment(&mut end, binary, b"x", Fin::Last), unfinished);
        assert_eq!(end.connection.begin_frame(binary, 1, Fin::Last), unfinished);
        let now = end.now();
        assert_eq!(end.connection.close(now, None), unfinished);
        assert_eq!(piece(&mut end, b"four"), Err(Misuse::FramePayload));
        piece(&mut end, b"abc").unwrap();
        assert_eq!(piece(&mut end, b"d"), Err(Misuse::FramePayload));
        assert_eq!(
            end.connection.send_text("x"),
            Err(Misuse::MessageUnfinished)
        );
        end.connection.begin_frame(binary, 0, Fin::Last).unwrap();
        end.connection.send_text("x").unwrap();
        let frames = end.write_frames();
        let opcodes: Vec<u8> = frames.iter().map(|frame| frame.opcode).collect();
        assert_eq!(opcodes, [Frame::BINARY, Frame::CONTINUATION, Frame::TEXT]);
        assert_eq!(frames[0].payload, b"abc");
    }
}

#[test]
fn a_frame_cannot_be_longer_than_63_bits_say() {
    let mut end = End::plain(Role::Server);
    let refused = end
        .connection
        .begin_frame(MessageKind::Binary, 1 << 63, Fin::Last);
    assert_eq!(refused, Err(Misuse::FramePayload));
    assert_eq!(end.connection.queued_len(), 0);
    end.connection
        .begin_frame(MessageKind::Binary, (1 << 63) - 1, Fin::Last)
        .unwrap();
    assert_eq!(end.write(), [&[0x82, 0x7f, 0x7f][..], &[0xff; 7]].concat());
}

#[test]
fn compressed_messages_take_no_frames_in_pieces() {
    let mut end = compressed(Role::Server);
    fragment(&mut end, MessageKind::Text, b"a", Fin::More).unwrap();
    let refused = end.connection.begin_frame(MessageKind::Text, 1, Fin::Last);
    assert_eq!(refused, Err(Misuse::MessageUnfinished));
    fragment(&mut end, MessageKind::Text, b"b", Fin::Last).unwrap();
}

// RFC 6455 section 5.6: text is UTF-8 as a whole; a fragment may split a character.
#[test]
fn text_in_pieces_must_be_utf8_across_them() {
    let euro = "\u{20ac}".as_bytes();
    let text = MessageKind::Text;
    for mut end in [End::plain(Role::Server), compressed(Role::Server)] {
        let refused = Err(Misuse::TextUtf8);
        assert_eq!(fragment(&mut end, text, b"\xff", Fin::More), refused);
        assert_eq!(fragment(&mut end, text, &euro[..2], Fin::Last), refused);
        assert_eq!(end.connection.queued_len(), 0);
        fragment(&mut end, text, &euro[..2], Fin::More).unwrap();
        assert_eq!(fragment(&mut end, text, b"x", Fin::More), refused);
        assert_eq!(fragment(&mut end, text, b"", Fin::Last), refused);
        fragment(&mut end, text, &euro[2..], Fin::Last).unwrap();
        assert_eq!(end.write_frames().len(), 2);

        let connection = &mut end.connection;
        let never = Compress::Never;
        let start = Payload::Borrowed(&euro[..1]);
        connection
            .send_fragment(text, start, Fin::More, never)
            .unwrap();
        assert_eq!(connection.begin_frame(text, 0, Fin::Last), refused);
        connection.begin_frame(text, 3, Fin::Last).unwrap();
        assert_eq!(piece(&mut end, b"x"), refused);
        piece(&mut end, &euro[1..]).unwrap();
        assert_eq!(
            piece(&mut end, b"\xe2"),
            refused,
            "the text would end within a character"
        );
        piece(&mut end, b"!").unwrap();
        assert_eq!(end.write_frames()[1].payload, b"\x82\xac!");
    }
}

/// Small frames are written together, large payloads without a copy.
#[test]
fn small_messages_leave_in_one_slice_and_a_large_shared_payload_as_it_is() {
    let mut end = End::plain(Role::Server);
    for _ in 0..10 {
        end.connection.send_text("small").unwrap();
    }
    let payload = bytes::Bytes::from(vec![7; 100_000]);
    end.connection.send(Message::from(payload.clone())).unwrap();
    let mut slices = [std::io::IoSlice::new(&[]); 4];
    assert_eq!(end.connection.poll_transmit(&mut slices), 2);
    assert_eq!(slices[0].len(), 10 * 7 + 10);
    assert_eq!(slices[1].as_ptr(), payload.as_ptr());
}

#[test]
fn the_queue_counts_its_bytes() {
    for role in [Role::Client, Role::Server] {
        let mut end = End::plain(role);
        end.connection.send_text("text").unwrap();
        end.connection.ping(b"ping").unwrap();
        end.connection.send(Message::binary(vec![0; 9000])).unwrap();
        end.connection
            .begin_frame(MessageKind::Binary, 5, Fin::Last)
            .unwrap();
        piece(&mut end, b"piece").unwrap();
        let queued = end.connection.queued_len();
        let mut written = Vec::new();
        end.writes = bowline_testkit::Chunks::of(1000);
        while end.write_once(0, &mut written) {
            assert_eq!(end.connection.queued_len(), queued - written.len());
        }
        assert_eq!(written.len(), queued);
    }
}

#[test]
fn every_length_form_passes_between_the_roles() {
    let mut pair = Pair::new(&Config::default());
    let lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20];
    for len in lengths {
        pair.client.connection.send_binary(&vec![1; len]).unwrap();
        pair.server.connection.send_binary(&vec![2; len]).unwrap();
    }
    pair.run();
    let expected = |byte| lengths.map(|len| Collected::binary(&vec![byte; len]));
    assert_eq!(pair.server.take_events(), expected(1));
    assert_eq!(pair.client.take_events(), expected(2));
    let header = |stream: &[u8]| stream[..4].to_vec();
    assert_eq!(header(&pair.downstream), [0x82, 0, 0x82, 1]);
}

#[test]
fn fragments_are_made_of_text_as_well_as_of_bytes() {
    let mut server = End::plain(Role::Server);
    let pieces: [Payload<'_>; 4] = [
        "borrowed ".into(),
        String::from("owned ").into(),
        Text::from("checked ").into(),
        b"bytes".into(),
    ];
    let last = pieces.len() - 1;
    for (at, piece) in pieces.into_iter().enumerate() {
        let fin = if at == last { Fin::Last } else { Fin::More };
        let sent = server
            .connection
            .send_fragment(MessageKind::Text, piece, fin, Compress::Auto);
        sent.unwrap();
    }
    let mut client = End::plain(Role::Client);
    client.read(&server.write());
    let text = b"borrowed owned checked bytes".to_vec();
    assert_eq!(
        client.take_events(),
        [Collected::Message(MessageKind::Text, text)]
    );
}
