//! What a peer sends and what is reported of it.

use bowline_proto::{Event, MessageKind, Payload, Role, View};
use bowline_testkit::{Chunks, Collected, End, Frame};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

// RFC 6455 section 5.4: control frames may be sent in the middle of a fragmented message.
#[test]
fn control_frames_between_fragments_are_reported_in_their_place() {
    for role in ROLES {
        for cut in [Chunks::whole(), Chunks::of(1), Chunks::of(3)] {
            let mut end = End::plain(role);
            end.reads = cut;
            end.read_frames(&[
                Frame::text("h\u{e9}").more(),
                Frame::ping("1"),
                Frame::continuation("").more(),
                Frame::pong("2"),
                Frame::continuation("llo"),
                Frame::binary(""),
            ]);
            let expected = [
                Collected::Ping(b"1".to_vec()),
                Collected::Pong(b"2".to_vec(), None),
                Collected::text("h\u{e9}llo"),
                Collected::binary(b""),
            ];
            assert_eq!(end.take_events(), expected);
        }
    }
}

#[test]
fn a_character_may_be_split_between_fragments() {
    let text = "\u{20ac}\u{10348}".as_bytes();
    for cut in 0..=text.len() {
        let mut end = End::plain(Role::Client);
        end.read_frames(&[
            Frame::new(Frame::TEXT, &text[..cut]).more(),
            Frame::continuation(&text[cut..]),
        ]);
        let expected = Collected::Message(MessageKind::Text, text.to_vec());
        assert_eq!(end.take_events(), [expected]);
    }
}

#[test]
fn a_message_that_arrives_whole_is_borrowed_from_the_input() {
    for role in ROLES {
        let mut end = End::plain(role);
        let mut input = end.stream(&[Frame::text("whole"), Frame::ping("too")]);
        let range = input.as_ptr_range();
        let now = end.now();
        let (used, event) = end.connection.poll_event(now, &mut input);
        let Some(Event::Message(message)) = event else {
            panic!("{event:?}");
        };
        assert!(
            matches!(message.payload(), Payload::Borrowed(bytes) if range.contains(&bytes.as_ptr()))
        );
        let (_, event) = end.connection.poll_event(now, &mut input[used..]);
        assert_eq!(event, Some(Event::Ping(Payload::Borrowed(b"too"))));
    }
}

#[test]
fn the_view_changes_with_the_next_message() {
    let mut end = End::plain(Role::Client);
    end.read_frames(&[Frame::text("a").more()]);
    end.connection.set_view(View::Fragments);
    end.read_frames(&[Frame::continuation("b"), Frame::text("c").more()]);
    end.connection.set_view(View::Messages);
    end.read_frames(&[Frame::continuation("d"), Frame::text("e")]);
    let piece = |payload: &[u8], start, end| Collected::Fragment {
        kind: MessageKind::Text,
        payload: payload.to_vec(),
        start,
        end,
    };
    let expected = [
        Collected::text("ab"),
        piece(b"c", true, false),
        piece(b"d", false, true),
        Collected::text("e"),
    ];
    assert_eq!(end.take_events(), expected);
}

#[test]
fn pieces_of_a_frame_are_handed_out_as_they_arrive() {
    let mut end = End::plain(Role::Server);
    end.connection.set_view(View::Fragments);
    let stream = end.stream(&[
        Frame::binary("").more(),
        Frame::continuation("abc"),
        Frame::binary(""),
    ]);
    end.reads = Chunks::of(1);
    end.read(&stream);
    let piece = |payload: &[u8], start, end| Collected::Fragment {
        kind: MessageKind::Binary,
        payload: payload.to_vec(),
        start,
        end,
    };
    let expected = [
        piece(b"a", true, false),
        piece(b"b", false, false),
        piece(b"c", false, true),
        piece(b"", true, true),
    ];
    assert_eq!(end.take_events(), expected);
}

#[test]
fn an_empty_input_reports_nothing_and_changes_nothing() {
    for role in ROLES {
        let mut end = End::plain(role);
        let stream = end.stream(&[Frame::text("abc").more(), Frame::continuation("d")]);
        for byte in stream {
            end.read(&[]);
            end.read(&[byte]);
        }
        assert_eq!(end.take_events(), [Collected::text("abcd")]);
    }
}
