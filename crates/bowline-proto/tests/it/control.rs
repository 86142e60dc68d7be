//! Pings and pongs: who answers, in which place, and how many.

use bowline_proto::{Config, Fin, Limits, Message, MessageKind, Misuse, Payload, PongMode, Role};
use bowline_testkit::{Chunks, Collected, End, Frame};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

fn plain_frames(end: &mut End) -> Vec<Frame> {
    unmasked(&end.write())
}

fn unmasked(stream: &[u8]) -> Vec<Frame> {
    let mut frames = Frame::parse_all(stream);
    for frame in &mut frames {
        frame.key = None;
    }
    frames
}

// RFC 6455 section 5.5.3: the pong carries what the ping did.
#[test]
fn each_ping_is_answered_with_its_payload() {
    for role in ROLES {
        for payload in [&b""[..], b"p", &[0xff; 125]] {
            let mut end = End::plain(role);
            end.reads = Chunks::of(50);
            end.read_frames(&[Frame::ping(payload)]);
            assert_eq!(end.take_events(), [Collected::Ping(payload.to_vec())]);
            assert_eq!(plain_frames(&mut end), [Frame::pong(payload)]);
        }
    }
}

// RFC 6455 section 5.5.3: a pong may come unasked and wants no answer.
#[test]
fn a_pong_is_reported_and_never_answered() {
    for role in ROLES {
        let mut end = End::plain(role);
        end.read_frames(&[Frame::pong("x"), Frame::pong("")]);
        let expected = [
            Collected::Pong(b"x".to_vec(), None),
            Collected::Pong(Vec::new(), None),
        ];
        assert_eq!(end.take_events(), expected);
        assert_eq!(plain_frames(&mut end), []);
    }
}

#[test]
fn in_manual_mode_the_application_answers() {
    for role in ROLES {
        let config = Config {
            pong: PongMode::Manual,
            ..Config::default()
        };
        let mut end = End::new(role, config, None);
        end.read_frames(&[Frame::ping("mine")]);
        assert_eq!(end.connection.queued_len(), 0);
        end.connection.pong(b"mine").unwrap();
        assert_eq!(plain_frames(&mut end), [Frame::pong("mine")]);
    }
}

// RFC 6455 section 5.5
#[test]
fn pings_and_pongs_of_ours_carry_at_most_125_bytes() {
    let mut end = End::plain(Role::Client);
    end.connection.ping(&[0; 125]).unwrap();
    end.connection.pong(&[0; 125]).unwrap();
    assert_eq!(end.connection.ping(&[0; 126]), Err(Misuse::ControlTooLong));
    assert_eq!(end.connection.pong(&[0; 126]), Err(Misuse::ControlTooLong));
    let frames = plain_frames(&mut end);
    assert_eq!(frames, [Frame::ping([0; 125]), Frame::pong([0; 125])]);
}

/// What the end queued before it was cut off after `written` bytes, and what it writes then.
fn interrupted(role: Role, written: usize) -> Vec<Frame> {
    let mut end = End::plain(role);
    queue_data(&mut end);
    let mut stream = Vec::new();
    while stream.len() < written {
        end.writes = Chunks::of(written - stream.len());
        assert!(end.write_once(0, &mut stream));
    }
    end.read_frames(&[Frame::ping("1"), Frame::ping("2")]);
    end.connection.send(Message::text("last")).unwrap();
    end.writes = Chunks::of(1);
    stream.extend_from_slice(&end.write());
    unmasked(&stream)
}

/// Frames of every way of queueing: flattened, shared, prepared, in pieces.
fn queue_data(end: &mut End) {
    let connection = &mut end.connection;
    connection.send_text("first").unwrap();
    connection.send(Message::binary(vec![1; 5000])).unwrap();
    connection.send_text("second").unwrap();
    let prepared = bowline_proto::PreparedMessage::new(Message::binary(vec![2; 4100]));
    connection.send_prepared(&prepared).unwrap();
    connection
        .begin_frame(MessageKind::Binary, 40, Fin::Last)
        .unwrap();
    for _ in 0..4 {
        let piece = Payload::Borrowed(&[3; 10]);
        connection.send_frame_payload(piece).unwrap();
    }
    connection.send_text("flattened").unwrap();
    connection.send_text("together").unwrap();
}

// RFC 6455 section 5.4: control frames pass between frames, never into one.
#[test]
fn pongs_pass_ahead_of_data_and_never_into_a_frame_wherever_a_write_stopped() {
    for role in ROLES {
        let mut end = End::plain(role);
        queue_data(&mut end);
        let total = end.connection.queued_len();
        let data = plain_frames(&mut end);
        let steps = (0..60)
            .chain((60..total - 60).step_by(97))
            .chain(total - 60..total);
        for written in steps {
            let frames = interrupted(role, written);
            let place = |payload: &str| {
                let pong = Frame::pong(payload);
                frames.iter().position(|frame| *frame == pong).unwrap()
            };
            let (first, second) = (place("1"), place("2"));
            assert_eq!(second, first + 1, "written {written}");
            let mut rest = frames.clone();
            rest.drain(first..=second);
            assert_eq!(rest[..data.len()], data[..], "written {written}");
            assert_eq!(rest[data.len()..], [Frame::text("last")]);
            // No more than what is flattened together, or one frame, goes first.
            let started: usize = frames[..first]
                .iter()
                .map(|frame| frame.encode().len() + if role == Role::Client { 4 } else { 0 })
                .sum();
            assert!(started <= written + 16 * 1024, "written {written}");
        }
    }
}

#[test]
fn a_ping_waits_for_the_end_of_a_frame_sent_in_pieces() {
    let mut end = End::plain(Role::Server);
    end.connection
        .begin_frame(MessageKind::Binary, 3, Fin::More)
        .unwrap();
    let mut stream = end.write();
    end.connection.ping(b"").unwrap();
    stream.extend(end.write());
    assert_eq!(stream.len(), 2, "the header only");
    for piece in [b"a", b"b", b"c"] {
        end.connection
            .send_frame_payload(Payload::Borrowed(piece))
            .unwrap();
        stream.extend(end.write());
    }
    assert_eq!(
        Frame::parse_all(&stream),
        [Frame::binary("abc").more(), Frame::ping("")]
    );
}

#[test]
fn control_frames_keep_their_order_while_nothing_is_written() {
    let mut end = End::plain(Role::Server);
    end.connection.send_text("data").unwrap();
    let mut nothing = Vec::new();
    for ping in ["1", "2", "3"] {
        end.connection.ping(ping.as_bytes()).unwrap();
        end.writes = Chunks::whole();
        let mut slices = [std::io::IoSlice::new(&[]); 8];
        assert!(end.connection.poll_transmit(&mut slices) > 0);
        end.connection.handle_transmitted(0);
    }
    assert!(end.write_once(0, &mut nothing));
    let frames = Frame::parse_all(&nothing);
    let expected = [
        Frame::ping("1"),
        Frame::ping("2"),
        Frame::ping("3"),
        Frame::text("data"),
    ];
    assert_eq!(frames, expected);
}

#[test]
fn a_ping_flood_by_a_peer_that_never_reads_queues_sixteen_pongs_and_then_the_newest() {
    for role in ROLES {
        let mut end = End::plain(role);
        end.connection
            .send(Message::binary(vec![0; 100_000]))
            .unwrap();
        let before = end.connection.queued_len();
        for number in 0..10_000_u32 {
            let mut payload = [0; 125];
            payload[..4].copy_from_slice(&number.to_be_bytes());
            end.read_frames(&[Frame::ping(payload)]);
            end.events.clear();
            assert!(end.connection.queued_len() <= before + 16 * (125 + 6));
        }
        let frames = plain_frames(&mut end);
        let numbers: Vec<u32> = frames
            .iter()
            .filter(|frame| frame.opcode == Frame::PONG)
            .map(|frame| u32::from_be_bytes(*frame.payload.first_chunk().unwrap()))
            .collect();
        let expected: Vec<u32> = (0..16).chain([9_999]).collect();
        assert_eq!(numbers, expected);
        assert_eq!(
            frames
                .iter()
                .filter(|frame| frame.opcode == Frame::BINARY)
                .count(),
            1
        );
    }
}

#[test]
fn pings_are_answered_for_good_by_a_connection_that_always_has_data_queued() {
    let mut end = End::plain(Role::Server);
    let mut stream = Vec::new();
    for number in 0..100_u32 {
        end.connection.send(Message::binary(vec![0; 5000])).unwrap();
        end.read_frames(&[Frame::ping(number.to_be_bytes())]);
        end.writes = Chunks::of(4000);
        assert!(end.write_once(0, &mut stream));
        assert!(end.connection.queued_len() > 0);
    }
    end.writes = Chunks::whole();
    stream.extend(end.write());
    let pongs = Frame::parse_all(&stream)
        .into_iter()
        .filter(|frame| frame.opcode == Frame::PONG)
        .count();
    assert_eq!(pongs, 100);
}

#[test]
fn pings_are_not_answered_once_the_connection_is_closing() {
    for role in ROLES {
        let mut end = End::plain(role);
        let now = end.now();
        end.connection.close(now, None).unwrap();
        end.read_frames(&[Frame::ping("late")]);
        assert_eq!(end.take_events(), [Collected::Ping(b"late".to_vec())]);
        assert_eq!(plain_frames(&mut end), [Frame::new(Frame::CLOSE, "")]);
    }
}

// RFC 6455 section 5.5.1: nothing follows a close frame.
#[test]
fn a_ping_queued_while_a_write_is_under_way_stays_ahead_of_the_close_frame() {
    let mut end = End::plain(Role::Server);
    end.connection.send_text("data").unwrap();
    let mut slices = [std::io::IoSlice::new(&[]); 8];
    let mut stream = Vec::new();
    assert_eq!(end.connection.poll_transmit(&mut slices), 1);
    stream.extend_from_slice(&slices[0][..3]);
    end.connection.ping(b"").unwrap();
    let now = end.now();
    end.connection.close(now, None).unwrap();
    end.connection.handle_transmitted(3);
    stream.extend(end.write());
    let expected = [
        Frame::text("data"),
        Frame::ping(""),
        Frame::new(Frame::CLOSE, ""),
    ];
    assert_eq!(Frame::parse_all(&stream), expected);
}

#[test]
fn limits_on_data_do_not_bind_control_frames() {
    let limits = Limits {
        message_size_max: 1,
        frame_size_max: 1,
        fragment_count_max: 1,
    };
    let config = Config {
        limits,
        ..Config::default()
    };
    let mut end = End::new(Role::Server, config, None);
    end.read_frames(&[Frame::ping([0; 125])]);
    assert_eq!(end.take_events(), [Collected::Ping(vec![0; 125])]);
}
