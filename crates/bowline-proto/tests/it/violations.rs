//! Every rule a peer can break: the cause reported and the close code on the wire.

use bowline_proto::{
    Cause, CloseCode, Config, ConnectionState, EndedBy, Phase, ProtocolViolation, Retry, Role,
    View,
    deflate::{ContextPool, Deflate, InflateError},
};
use bowline_testkit::{Chunks, Collected, End, Frame, LengthForm, Takeover, deflate_params};

use ProtocolViolation as V;

/// What a peer does wrong, without compression; frames are masked when the server reads them.
fn table() -> Vec<(Vec<Frame>, ProtocolViolation)> {
    let mut table = vec![
        // RFC 6455 section 5.2: bits that were not negotiated.
        (vec![Frame::text("a").rsv(4)], V::ReservedBits),
        (vec![Frame::text("a").rsv(2)], V::ReservedBits),
        (vec![Frame::text("a").rsv(1)], V::ReservedBits),
        (vec![Frame::ping("a").rsv(4)], V::ReservedBits),
        // RFC 6455 section 5.2: the shortest form of a length, with the top bit clear.
        (
            vec![Frame::binary([0; 125]).length_form(LengthForm::Sixteen)],
            V::LengthNotMinimal,
        ),
        (
            vec![Frame::binary([0; 125]).length_form(LengthForm::SixtyFour)],
            V::LengthNotMinimal,
        ),
        (
            vec![Frame::binary([0; 65_535]).length_form(LengthForm::SixtyFour)],
            V::LengthNotMinimal,
        ),
        (vec![Frame::binary([]).promising(1 << 63)], V::LengthTopBit),
        (vec![Frame::binary([]).promising(u64::MAX)], V::LengthTopBit),
        // RFC 6455 section 5.4: fragments.
        (vec![Frame::continuation("a")], V::ContinuationWithoutStart),
        (
            vec![Frame::text("a"), Frame::continuation("b").more()],
            V::ContinuationWithoutStart,
        ),
        (
            vec![Frame::text("a").more(), Frame::text("b")],
            V::MessageInterrupted,
        ),
        (
            vec![Frame::binary("").more(), Frame::binary("").more()],
            V::MessageInterrupted,
        ),
        // RFC 6455 section 5.5.1: the payload of a close frame.
        (vec![Frame::new(Frame::CLOSE, [3])], V::CloseLength),
        (vec![Frame::close(1000, b"\xff")], V::CloseReasonUtf8),
        (
            vec![Frame::close(1000, b"cut off \xe2\x9c")],
            V::CloseReasonUtf8,
        ),
        // RFC 6455 section 8.1: text.
        (
            vec![Frame::text("").more(), Frame::continuation(b"\xff")],
            V::TextUtf8,
        ),
        (vec![Frame::new(Frame::TEXT, b"\xed\xa0\x80")], V::TextUtf8),
        (vec![Frame::new(Frame::TEXT, b"ends \xe2\x9c")], V::TextUtf8),
    ];
    // RFC 6455 section 5.2: the ten reserved opcodes.
    for opcode in (3..8).chain(11..16) {
        table.push((vec![Frame::new(opcode, "")], V::ReservedOpcode(opcode)));
    }
    for opcode in [Frame::CLOSE, Frame::PING, Frame::PONG] {
        // RFC 6455 section 5.5: control frames.
        table.push((vec![Frame::new(opcode, "ab").more()], V::ControlFragmented));
        table.push((vec![Frame::new(opcode, [0; 126])], V::ControlTooLong));
        table.push((vec![Frame::new(opcode, [0; 70_000])], V::ControlTooLong));
    }
    // RFC 6455 section 7.4: codes that are not for the wire.
    for code in [
        0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535,
    ] {
        table.push((vec![Frame::close(code, "")], V::CloseCode(CloseCode(code))));
    }
    table
}

fn check(end: &mut End, frames: &[Frame], violation: ProtocolViolation) {
    end.read_frames(frames);
    let code = violation.close_code();
    assert_eq!(end.connection.state(), ConnectionState::Closing);
    let written = end.write_frames();
    assert_eq!(written.len(), 1, "{violation:?}");
    assert_eq!(written[0].close_code(), Some(code.0), "{violation:?}");
    assert!(end.connection.is_done_sending());
    let ending = end.ended();
    assert_eq!(ending.cause, Cause::Violation(violation));
    assert_eq!(ending.by, EndedBy::Local);
    assert_eq!(ending.phase, Phase::Open);
    assert_eq!(ending.code, code);
    assert_eq!(ending.retry(), Retry::No);
    assert!(!ending.is_clean());
}

// RFC 6455 section 7.1.7
#[test]
fn every_violation_ends_the_connection_with_its_code_in_both_roles() {
    for (frames, violation) in table() {
        for role in [Role::Client, Role::Server] {
            for cut in [Chunks::whole(), Chunks::of(1)] {
                for view in [View::Messages, View::Fragments] {
                    let mut end = End::plain(role);
                    end.connection.set_view(view);
                    end.reads = cut.clone();
                    check(&mut end, &frames, violation);
                }
            }
        }
    }
}

// RFC 6455 section 5.1
#[test]
fn masks_are_required_from_clients_and_refused_from_servers() {
    for opcode in [
        Frame::TEXT,
        Frame::BINARY,
        Frame::CLOSE,
        Frame::PING,
        Frame::PONG,
    ] {
        let mut server = End::plain(Role::Server);
        server.read(&Frame::new(opcode, "").encode());
        assert_eq!(server.write_frames()[0].close_code(), Some(1002));
        assert_eq!(server.ended().cause, Cause::Violation(V::UnmaskedFrame));

        let mut client = End::plain(Role::Client);
        check(
            &mut client,
            &[Frame::new(opcode, "").masked([0; 4])],
            V::MaskedFrame,
        );
    }
}

// RFC 7692 sections 6 and 7.2.3: RSV1 belongs to the first frame of a compressed message.
#[test]
fn compression_gives_rsv1_a_meaning_on_first_data_frames_only() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let compressed = |payload: &[u8]| Frame::new(Frame::TEXT, payload).rsv(4);
    let cases = [
        (vec![Frame::ping("").rsv(4)], V::ReservedBits),
        (vec![Frame::close(1000, "").rsv(4)], V::ReservedBits),
        (vec![compressed(&hello).rsv(6)], V::ReservedBits),
        (vec![Frame::binary("").rsv(1)], V::ReservedBits),
        (
            vec![Frame::text("a").more(), Frame::continuation("b").rsv(4)],
            V::ReservedBits,
        ),
        (
            vec![
                compressed(&hello[..2]).more(),
                Frame::continuation(&hello[2..]).rsv(4),
            ],
            V::ReservedBits,
        ),
        (
            vec![compressed(b"\xff\xff")],
            V::Inflate(InflateError::Corrupt),
        ),
        (
            vec![compressed(&hello[..5])],
            V::Inflate(InflateError::Truncated),
        ),
        // Stored blocks that hold a byte no text has, and a part of a character.
        (
            vec![compressed(b"\x00\x01\x00\xfe\xff\xe2\x00")],
            V::TextUtf8,
        ),
        (
            vec![compressed(b"\x00\x01\x00\xfe\xff\xff\x00")],
            V::TextUtf8,
        ),
    ];
    for (frames, violation) in cases {
        for role in [Role::Client, Role::Server] {
            for view in [View::Messages, View::Fragments] {
                let params = deflate_params(15, Takeover::Yes);
                let deflate = Deflate::new(params, ContextPool::default().into());
                let mut end = End::new(role, Config::default(), Some(deflate));
                end.connection.set_view(view);
                check(&mut end, &frames, violation);
            }
        }
    }
    assert_eq!(
        V::Inflate(InflateError::Corrupt).close_code(),
        CloseCode(1007)
    );
}

// RFC 6455 section 8.1: a server should not wait for the rest of a message that is wrong already.
#[test]
fn text_fails_at_the_first_impossible_byte_inside_an_unfinished_frame() {
    let impossible: [(&[u8], u8); 6] = [
        (b"ok \xce\xba", 0xff),
        (b"\xf4", 0x90),
        (b"\xe0", 0x9f),
        (b"\xed", 0xa0),
        (b"\xf0\x9f", b'a'),
        (b"", 0xc0),
    ];
    for (good, bad) in impossible {
        for role in [Role::Client, Role::Server] {
            let mut end = End::plain(role);
            let payload = [good, &[bad], b"and more to come"].concat();
            let stream = end.stream(&[Frame::new(Frame::TEXT, payload).promising(1_000_000)]);
            let header = stream.len() - good.len() - 1 - 16;
            end.read(&stream[..header + good.len()]);
            assert_eq!(end.connection.state(), ConnectionState::Open, "{good:x?}");
            end.read(&stream[header + good.len()..=header + good.len()]);
            assert_eq!(
                end.connection.state(),
                ConnectionState::Closing,
                "{good:x?}"
            );
            assert_eq!(end.write_frames()[0].close_code(), Some(1007));
        }
    }
}

#[test]
fn what_follows_a_violation_is_ignored_and_changes_nothing() {
    let mut end = End::plain(Role::Server);
    end.read_frames(&[
        Frame::continuation(""),
        Frame::text("late"),
        Frame::close(1000, ""),
    ]);
    end.read_frames(&[Frame::text("later"), Frame::new(5, "")]);
    assert_eq!(end.take_events(), []);
    assert_eq!(end.write_frames().len(), 1);
    let ending = end.ended();
    assert_eq!(ending.cause, Cause::Violation(V::ContinuationWithoutStart));
    assert_eq!(end.take_events(), [Collected::Closed(ending)]);
}

/// The rules that need no context are reported as soon as their byte is there.
#[test]
fn a_header_is_refused_before_it_is_complete() {
    let cases: [(&[u8], ProtocolViolation); 4] = [
        (&[0x83], V::ReservedOpcode(3)),
        (&[0x09, 0x80], V::ControlFragmented),
        (&[0x89, 0xfe], V::ControlTooLong),
        (&[0x82, 0xfe, 0, 125], V::LengthNotMinimal),
    ];
    for (start, violation) in cases {
        let mut end = End::plain(Role::Server);
        end.read(start);
        assert_eq!(end.connection.state(), ConnectionState::Closing);
        assert_eq!(end.ended().cause, Cause::Violation(violation));
    }
}
