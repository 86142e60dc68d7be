//! Ways around `poll_event`: payloads that are appended to, messages that are taken ahead.

use bowline_proto::{Cause, ProtocolViolation, Role, View};
use bowline_testkit::{Chunks, Collected, End, Frame};
use bytes::BytesMut;

/// An end that has received the first `arrived` bytes of a stream, by appending where it can.
fn appending(role: Role, frames: &[Frame], cut: usize) -> End {
    let mut end = End::plain(role);
    end.lends = true;
    end.reads = Chunks::of(cut);
    end.read_frames(frames);
    end
}

#[test]
fn what_is_appended_to_a_payload_is_the_message_that_was_sent_and_is_counted() {
    let text = "\u{20ac}5 \u{10348} ".repeat(100);
    let frames = [
        Frame::new(Frame::TEXT, &text.as_bytes()[..500]).more(),
        Frame::continuation(&text.as_bytes()[500..]),
        Frame::binary([7; 400]),
    ];
    for role in [Role::Client, Role::Server] {
        for cut in [3, 7, 100, 450, 5000] {
            let mut end = appending(role, &frames, cut);
            let expected = [Collected::text(&text), Collected::binary(&[7; 400])];
            assert_eq!(end.take_events(), expected, "{role:?} {cut}");
            let counters = end.connection.counters();
            assert_eq!(counters.messages_in, 2);
            assert_eq!(counters.payload_bytes_in, text.len() as u64 + 400);
            let stream = end.stream(&frames);
            assert_eq!(counters.wire_bytes_in, stream.len() as u64);
        }
    }
}

#[test]
fn text_that_is_not_utf8_is_noticed_when_it_is_appended() {
    let mut end = End::plain(Role::Server);
    let stream = end.stream(&[Frame::new(Frame::TEXT, [0xFF; 300])]);
    end.read_piece(&mut stream[..8].to_vec());
    let mut payload = end
        .connection
        .lend_payload(0, 0)
        .expect("a payload arrives");
    payload.storage().extend_from_slice(&stream[8..20]);
    let now = end.now();
    end.connection.take_payload_back(now, payload);
    let cause = end.ended().cause;
    assert_eq!(cause, Cause::Violation(ProtocolViolation::TextUtf8));
}

#[test]
fn nothing_is_lent_that_cannot_just_be_appended_to() {
    let begun = |frame: Frame, view| {
        let mut end = End::plain(Role::Server);
        end.connection.set_view(view);
        let stream = end.stream(&[frame]);
        end.read_piece(&mut stream[..20].to_vec());
        end
    };
    let long = || Frame::binary([7; 300]);
    let mut end = begun(long(), View::Messages);
    let (arrived, missing) = (20 - 8, 300 - (20 - 8));
    assert!(end.connection.lend_payload(arrived + 1, 0).is_none());
    assert!(end.connection.lend_payload(0, missing + 1).is_none());
    let payload = end.connection.lend_payload(arrived, missing).unwrap();
    assert_eq!(
        payload.room(),
        missing - 1,
        "the last byte ends the message"
    );
    for (frame, view) in [
        (long(), View::Fragments),
        (long(), View::Frames),
        (Frame::ping([7; 100]), View::Messages),
    ] {
        let mut end = begun(frame, view);
        assert!(end.connection.lend_payload(0, 0).is_none());
    }
    let mut idle = End::plain(Role::Server);
    assert!(idle.connection.lend_payload(0, 0).is_none());
}

#[test]
fn asking_again_behind_what_breaks_a_rule_takes_nothing() {
    let mut end = End::plain(Role::Server);
    // On the wire, and so when its mask is taken off twice, it is ASCII.
    let wrong = Frame::new(Frame::TEXT, [0xFF; 3]).masked([0x80; 4]);
    let stream = end.stream(&[Frame::text("fine"), wrong, Frame::text("never read")]);
    let mut input = BytesMut::from(&stream[..]);
    let mut ahead = end.connection.read_ahead(&mut input, 0).unwrap();
    assert_eq!(ahead.take().unwrap().as_text(), Some("fine"));
    for _ in 0..3 {
        assert_eq!(ahead.take(), None);
    }
    let now = end.now();
    let mut rest = end.connection.end_read_ahead(now, ahead);
    end.read_piece(&mut rest);
    let cause = end.ended().cause;
    assert_eq!(cause, Cause::Violation(ProtocolViolation::TextUtf8));
}
