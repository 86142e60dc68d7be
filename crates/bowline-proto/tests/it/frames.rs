//! One frame at a time: by opcode, whole, in both directions.

use bowline_proto::{
    Cause, CloseCode, Config, ConnectionState, Event, Fin, LimitExceeded, Limits, MessageKind,
    Misuse, Opcode, Payload, ProtocolViolation, Role, View,
};
use bowline_testkit::{Chunks, Collected, End, Frame, Pair, Takeover, deflate_params};

fn send(end: &mut End, opcode: Opcode, payload: &[u8], fin: Fin) -> Result<(), Misuse> {
    let now = end.now();
    let payload = Payload::Borrowed(payload);
    end.connection.send_frame(now, opcode, payload, fin)
}

/// Makes a piece of a text message: its bytes, and whether it is the first and the last.
fn text(payload: &str, (start, end): (bool, bool)) -> Collected {
    Collected::Fragment {
        kind: MessageKind::Text,
        payload: payload.as_bytes().to_vec(),
        start,
        end,
    }
}

/// Gives the payloads of a stream's pieces and whether each ends its frame.
fn frame_ends(view: View, stream: &[u8], cut: usize) -> Vec<(Vec<u8>, bool)> {
    let mut end = End::plain(Role::Client);
    end.connection.set_view(view);
    let mut pieces = Vec::new();
    for part in stream.chunks(cut) {
        let mut part = part.to_vec();
        let mut at = 0;
        loop {
            let now = end.now();
            let (used, event) = end.connection.poll_event(now, &mut part[at..]);
            at += used;
            match event {
                None => break,
                Some(Event::Fragment(piece)) => {
                    pieces.push((piece.payload.to_vec(), piece.frame_end));
                }
                Some(event) => panic!("{event:?}"),
            }
        }
    }
    pieces
}

#[test]
fn frames_arrive_whole_however_the_stream_is_cut() {
    for role in [Role::Client, Role::Server] {
        for cut in [Chunks::whole(), Chunks::of(1), Chunks::of(3)] {
            let mut end = End::plain(role);
            end.connection.set_view(View::Frames);
            let stream = end.stream(&[
                Frame::text("a\u{e9}").more(),
                Frame::ping("p"),
                Frame::continuation("").more(),
                Frame::continuation("bc"),
                Frame::text(""),
            ]);
            end.reads = cut;
            end.read(&stream);
            let expected = [
                text("a\u{e9}", (true, false)),
                Collected::Ping(b"p".to_vec()),
                text("", (false, false)),
                text("bc", (false, true)),
                text("", (true, true)),
            ];
            assert_eq!(end.take_events(), expected);
        }
    }
}

#[test]
fn a_piece_says_whether_it_ends_its_frame() {
    let stream = [Frame::binary("abc").more(), Frame::continuation("de")];
    let stream = End::plain(Role::Client).stream(&stream);
    let piece = |payload: &[u8], ends| (payload.to_vec(), ends);
    assert_eq!(
        frame_ends(View::Fragments, &stream, 4),
        [
            piece(b"ab", false),
            piece(b"c", true),
            piece(b"d", false),
            piece(b"e", true)
        ]
    );
    let whole = [piece(b"abc", true), piece(b"de", true)];
    assert_eq!(frame_ends(View::Fragments, &stream, 99), whole);
    assert_eq!(frame_ends(View::Frames, &stream, 4), whole);
}

#[test]
fn a_compressed_message_comes_as_one() {
    let mut pair = Pair::compressed(&Config::default(), deflate_params(15, Takeover::Yes));
    pair.server.connection.set_view(View::Frames);
    for (part, fin) in [("ab", Fin::More), ("cd", Fin::Last)] {
        let sent = pair.client.connection.send_fragment(
            MessageKind::Text,
            Payload::Borrowed(part.as_bytes()),
            fin,
            bowline_proto::Compress::Auto,
        );
        sent.unwrap();
    }
    pair.run();
    assert_eq!(pair.server.take_events(), [Collected::text("abcd")]);
}

#[test]
fn text_is_checked_across_frames() {
    for (last, state) in [
        (&b"\xa9"[..], ConnectionState::Open),
        (b"", ConnectionState::Closing),
        (b"\xff", ConnectionState::Closing),
    ] {
        let mut end = End::plain(Role::Client);
        end.connection.set_view(View::Frames);
        let first = Frame::new(Frame::TEXT, b"\xc3").more();
        end.read_frames(&[first, Frame::continuation(last)]);
        assert_eq!(end.connection.state(), state, "{last:x?}");
    }
}

#[test]
fn every_frame_is_bounded_before_its_payload_arrives() {
    let small = Limits {
        message_size_max: 10,
        ..Limits::default()
    };
    let narrow = Limits {
        frame_size_max: 10,
        ..Limits::default()
    };
    for (limits, limit) in [
        (small, LimitExceeded::MessageSize),
        (narrow, LimitExceeded::FrameSize),
    ] {
        let config = Config {
            limits,
            ..Config::default()
        };
        let mut end = End::new(Role::Client, config, None);
        end.connection.set_view(View::Frames);
        end.read_frames(&[
            Frame::binary(vec![1; 10]).more(),
            Frame::continuation(vec![1; 10]).more(),
        ]);
        assert_eq!(
            end.connection.state(),
            ConnectionState::Open,
            "20 bytes so far"
        );
        end.read_frames(&[Frame::continuation("").promising(11)]);
        assert_eq!(end.write_frames()[0].close_code(), Some(1009));
        let ending = end.connection.ending().unwrap();
        assert_eq!(
            (ending.code, ending.cause),
            (CloseCode::MESSAGE_TOO_BIG, Cause::Limit(limit))
        );
    }
}

#[test]
fn a_wrong_order_of_frames_is_a_violation() {
    for (frames, violation) in [
        (
            vec![Frame::continuation("a")],
            ProtocolViolation::ContinuationWithoutStart,
        ),
        (
            vec![Frame::text("a").more(), Frame::text("b")],
            ProtocolViolation::MessageInterrupted,
        ),
        (
            vec![Frame::new(3, "a")],
            ProtocolViolation::ReservedOpcode(3),
        ),
    ] {
        let mut end = End::plain(Role::Client);
        end.connection.set_view(View::Frames);
        end.read_frames(&frames);
        let ending = end.connection.ending().unwrap();
        assert_eq!(ending.cause, Cause::Violation(violation));
    }
}

#[test]
fn frames_leave_as_they_are_sent() {
    for role in [Role::Client, Role::Server] {
        let mut end = End::plain(role);
        for (opcode, payload, fin) in [
            (Opcode::Text, &b"a\xc3"[..], Fin::More),
            (Opcode::Continuation, b"\xa9", Fin::More),
            (Opcode::Continuation, b"", Fin::Last),
            (Opcode::Binary, b"\xff", Fin::Last),
        ] {
            send(&mut end, opcode, payload, fin).unwrap();
        }
        let sent: Vec<_> = end.write_frames();
        let seen: Vec<_> = sent
            .iter()
            .map(|frame| (frame.opcode, frame.fin, frame.payload.as_slice()))
            .collect();
        assert_eq!(
            seen,
            [
                (1, false, &b"a\xc3"[..]),
                (0, false, b"\xa9"),
                (0, true, b""),
                (2, true, b"\xff")
            ]
        );
        let is_masked = |frame: &Frame| frame.key.is_some();
        assert!(
            sent.iter()
                .all(|frame| is_masked(frame) == (role == Role::Client))
        );
    }
}

#[test]
fn frames_out_of_order_are_refused_and_harm_nothing() {
    use Fin::{Last, More};
    use Opcode::{Binary, Close, Continuation, Ping, Pong, Text};

    let nothing_before: [Refused<'_>; 6] = [
        (Continuation, b"x", Last, Misuse::ContinuationWithoutStart),
        (Text, b"\xff", Last, Misuse::TextUtf8),
        (Ping, b"", More, Misuse::ControlFragmented),
        (Pong, &[0; 126], Last, Misuse::ControlTooLong),
        (Close, b"", More, Misuse::ControlFragmented),
        (Close, b"\x03", Last, Misuse::ClosePayload),
    ];
    for (opcode, payload, fin, misuse) in nothing_before {
        let mut end = End::plain(Role::Server);
        assert_eq!(send(&mut end, opcode, payload, fin), Err(misuse));
        send(&mut end, Text, b"y", Last).unwrap();
        assert_eq!(end.write_frames().len(), 1);
    }
    let inside_a_text: [Refused<'_>; 4] = [
        (Text, b"x", Last, Misuse::MessageUnfinished),
        (Binary, b"x", More, Misuse::MessageUnfinished),
        (Continuation, b"\xff", More, Misuse::TextUtf8),
        (Ping, b"", More, Misuse::ControlFragmented),
    ];
    for (opcode, payload, fin, misuse) in inside_a_text {
        let mut end = End::plain(Role::Server);
        send(&mut end, Text, b"x", More).unwrap();
        assert_eq!(send(&mut end, opcode, payload, fin), Err(misuse));
        send(&mut end, Continuation, b"y", Last).unwrap();
        assert_eq!(end.write_frames().len(), 2);
    }
}

/// A frame and why it cannot be sent.
type Refused<'a> = (Opcode, &'a [u8], Fin, Misuse);

#[test]
fn control_frames_pass_ahead_of_data_and_between_its_frames() {
    let mut end = End::plain(Role::Server);
    send(&mut end, Opcode::Binary, b"a", Fin::More).unwrap();
    send(&mut end, Opcode::Ping, b"p", Fin::Last).unwrap();
    send(&mut end, Opcode::Continuation, b"b", Fin::Last).unwrap();
    let opcodes: Vec<_> = end
        .write_frames()
        .iter()
        .map(|frame| frame.opcode)
        .collect();
    assert_eq!(opcodes, [Frame::PING, Frame::BINARY, Frame::CONTINUATION]);
}

#[test]
fn answering_a_close_that_is_answered_already_does_nothing() {
    let mut end = End::plain(Role::Server);
    end.connection.set_view(View::Frames);
    end.read_frames(&[Frame::close(1001, "bye")]);
    send(&mut end, Opcode::Close, b"\x03\xe9", Fin::Last).unwrap();
    let frames = end.write_frames();
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].close_code(), Some(1001));
    assert_eq!(
        send(&mut end, Opcode::Ping, b"", Fin::Last),
        Err(Misuse::SendAfterClose)
    );
}
