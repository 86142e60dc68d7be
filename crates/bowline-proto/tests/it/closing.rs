//! Every way a connection ends, and what is said of it.

use std::{io, time::Duration};

use bowline_proto::{
    Cause, Close, CloseCode, Compress, Config, ConnectionState, EndedBy, Ending, Fin, Keepalive,
    Message, MessageKind, Misuse, Payload, Phase, PreparedMessage, ProtocolViolation, Retry, Role,
};
use bowline_testkit::{Collected, End, Frame, Pair};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

fn close(code: u16, reason: &str) -> Close {
    Close::new(CloseCode(code), reason).unwrap()
}

fn initiator(pair: &mut Pair, role: Role) -> (&mut End, &mut End) {
    match role {
        Role::Client => (&mut pair.client, &mut pair.server),
        Role::Server => (&mut pair.server, &mut pair.client),
    }
}

fn begin_close(end: &mut End, close: Option<&Close>) {
    let now = end.now();
    end.connection.close(now, close).unwrap();
}

fn ending(by: EndedBy, close: Option<&Close>) -> Ending {
    Ending {
        by,
        phase: Phase::Open,
        code: close.map_or(CloseCode::NO_STATUS, Close::code),
        reason: close.map(Close::reason).unwrap_or_default().into(),
        cause: Cause::ClosingHandshake,
    }
}

// RFC 6455 sections 7.1.1 to 7.1.6
#[test]
fn either_end_may_begin_and_both_learn_how_it_ended() {
    let codes = (1000..=1003)
        .chain(1007..=1014)
        .chain([3000, 3999, 4000, 4999]);
    let closes = codes.map(|code| Some(close(code, "why"))).chain([None]);
    for said in closes {
        for role in ROLES {
            let mut pair = Pair::new(&Config::default());
            let (begins, _) = initiator(&mut pair, role);
            begin_close(begins, said.as_ref());
            assert_eq!(begins.connection.state(), ConnectionState::Closing);
            pair.run();
            let (begins, answers) = initiator(&mut pair, role);
            // The answer repeats the code without the reason, which takes nothing from ours.
            let answer = said.as_ref().map(|said| close(said.code().0, ""));
            let ours = ending(EndedBy::Local, said.as_ref());
            let theirs = ending(EndedBy::Peer, said.as_ref());
            assert!(ours.is_clean() && theirs.is_clean());
            assert_eq!(
                begins.events,
                [Collected::Close(answer), Collected::Closed(ours)]
            );
            assert_eq!(
                answers.events,
                [Collected::Close(said.clone()), Collected::Closed(theirs)]
            );
            assert_eq!(begins.connection.state(), ConnectionState::Closed);
            assert_eq!(answers.connection.state(), ConnectionState::Closed);
        }
    }
}

// RFC 6455 section 7.1.5: the code is the one received, also when both begin at once.
#[test]
fn a_simultaneous_close_is_clean_and_tells_each_end_what_the_other_said() {
    let mut pair = Pair::new(&Config::default());
    begin_close(&mut pair.client, Some(&close(1001, "client")));
    begin_close(&mut pair.server, Some(&close(1000, "server")));
    pair.run();
    let heard_by_client = close(1000, "server");
    let heard_by_server = close(1001, "client");
    assert_eq!(
        pair.client.connection.ending(),
        Some(&ending(EndedBy::Local, Some(&heard_by_client)))
    );
    assert_eq!(
        pair.server.connection.ending(),
        Some(&ending(EndedBy::Local, Some(&heard_by_server)))
    );
    // Neither answers the other's frame with a second one.
    assert_eq!(Frame::parse_all(&pair.upstream).len(), 1);
    assert_eq!(Frame::parse_all(&pair.downstream).len(), 1);
}

#[test]
fn an_answer_without_a_code_leaves_the_code_that_was_sent() {
    let mut end = End::plain(Role::Client);
    begin_close(&mut end, Some(&close(3001, "mine")));
    end.read_frames(&[Frame::new(Frame::CLOSE, "")]);
    assert_eq!(
        end.ended(),
        ending(EndedBy::Local, Some(&close(3001, "mine")))
    );
}

// RFC 6455 sections 5.5 and 7.4
#[test]
fn a_reason_has_at_most_123_bytes() {
    let longest = "\u{e9}".repeat(61) + "x";
    assert_eq!(longest.len(), 123);
    let mut pair = Pair::new(&Config::default());
    begin_close(&mut pair.client, Some(&close(1000, &longest)));
    pair.run();
    assert_eq!(
        pair.server.events[0],
        Collected::Close(Some(close(1000, &longest)))
    );
    let longer = "x".repeat(124);
    assert_eq!(
        Close::new(CloseCode::NORMAL, &longer),
        Err(Misuse::CloseReasonTooLong)
    );
    let mut end = End::plain(Role::Server);
    end.read_frames(&[Frame::close(1000, &longer)]);
    assert_eq!(
        end.ended().cause,
        Cause::Violation(ProtocolViolation::ControlTooLong)
    );
}

// RFC 6455 section 7.1.1: the server ends the stream first, the client waits for that.
#[test]
fn the_server_ends_its_stream_once_its_close_frame_is_written() {
    for role in ROLES {
        for begins in [true, false] {
            let mut end = End::plain(role);
            if begins {
                begin_close(&mut end, None);
                assert!(!end.connection.is_done_sending());
                end.write();
                assert!(!end.connection.is_done_sending());
            }
            end.read_frames(&[Frame::new(Frame::CLOSE, "")]);
            if !begins {
                assert!(
                    !end.connection.is_done_sending(),
                    "the answer is not written"
                );
                end.write();
            }
            assert_eq!(end.connection.is_done_sending(), role == Role::Server);
            end.ended();
            assert!(end.connection.is_done_sending());
        }
    }
}

// RFC 6455 section 5.5.1: no data after the close frame.
#[test]
fn nothing_can_be_sent_once_the_closing_handshake_began() {
    for begins in [true, false] {
        let mut end = End::plain(Role::Server);
        if begins {
            begin_close(&mut end, None);
        } else {
            end.read_frames(&[Frame::new(Frame::CLOSE, "")]);
        }
        let now = end.now();
        let connection = &mut end.connection;
        let late = || Payload::Borrowed(&b"late"[..]);
        let refused = [
            connection.send(Message::text("late")),
            connection.send_with(&Message::text("late"), Compress::Never),
            connection.send_text("late"),
            connection.send_binary(b"late"),
            connection.send_prepared(&PreparedMessage::new(Message::text("late"))),
            connection.send_fragment(MessageKind::Text, late(), Fin::Last, Compress::Auto),
            connection.begin_frame(MessageKind::Text, 4, Fin::Last),
            connection.send_frame_payload(late()),
            connection.ping(b"late"),
            connection.pong(b"late"),
        ];
        assert_eq!(refused, [Err(Misuse::SendAfterClose); 10]);
        assert_eq!(connection.close(now, Some(&close(1001, ""))), Ok(()));
        assert_eq!(end.write_frames(), [Frame::new(Frame::CLOSE, "")]);
    }
}

#[test]
fn the_close_frame_follows_what_was_queued_and_the_peers_data_still_arrives() {
    let mut pair = Pair::new(&Config::default());
    pair.client
        .connection
        .send(Message::text("before"))
        .unwrap();
    begin_close(&mut pair.client, None);
    let closing = pair.client.write();
    pair.server
        .connection
        .send(Message::text("crossing"))
        .unwrap();
    let crossing = pair.server.write();
    pair.client.read(&crossing);
    assert_eq!(pair.client.take_events(), [Collected::text("crossing")]);
    pair.server.read(&closing);
    assert_eq!(
        pair.server.take_events(),
        [Collected::text("before"), Collected::Close(None)]
    );
    pair.run();
    assert_eq!(pair.client.connection.state(), ConnectionState::Closed);
}

#[test]
fn what_the_peer_sends_after_its_close_frame_is_ignored() {
    for role in ROLES {
        let mut end = End::plain(role);
        end.read_frames(&[
            Frame::close(1000, ""),
            Frame::text("late"),
            Frame::new(3, ""),
        ]);
        end.read(b"\xff\xff\xff garbage");
        assert_eq!(end.take_events(), [Collected::Close(Some(close(1000, "")))]);
        assert_eq!(end.write_frames().len(), 1);
        assert!(end.ended().is_clean());
    }
}

#[test]
fn a_violation_while_closing_is_the_cause_and_sends_no_second_close_frame() {
    for role in ROLES {
        let mut end = End::plain(role);
        begin_close(&mut end, None);
        end.read_frames(&[Frame::continuation("")]);
        assert_eq!(end.write_frames().len(), 1);
        assert!(end.connection.is_done_sending());
        let ending = end.ended();
        assert_eq!(
            ending.cause,
            Cause::Violation(ProtocolViolation::ContinuationWithoutStart)
        );
        assert_eq!((ending.by, ending.phase), (EndedBy::Local, Phase::Closing));
    }
}

fn prepare(end: &mut End, state: &str) {
    match state {
        "open" => {}
        "close sent" => begin_close(end, None),
        "closes exchanged" => end.read_frames(&[Frame::close(1001, "bye")]),
        "failing" => end.read_frames(&[Frame::continuation("")]),
        other => panic!("{other}"),
    }
}

type Stop = fn(&mut End);

/// Ends the connection in a state and gives by, phase, code and cause.
fn stopped(role: Role, state: &str, stop: Stop) -> (EndedBy, Phase, u16, Cause) {
    let mut end = End::plain(role);
    prepare(&mut end, state);
    end.take_events();
    stop(&mut end);
    assert_eq!(end.connection.state(), ConnectionState::Closed);
    assert!(end.connection.is_done_sending());
    assert_eq!(end.connection.queued_len(), 0, "nothing more is written");
    let ending = end.ended();
    assert_eq!(end.take_events().len(), 1);
    (ending.by, ending.phase, ending.code.0, ending.cause)
}

const EOF: Stop = |end| end.connection.handle_eof(end.clock.now());
const RESET: Stop = |end| {
    let kind = io::ErrorKind::ConnectionReset;
    end.connection.handle_transport_error(kind);
};
const ABORT: Stop = |end| end.connection.abort();

#[test]
fn a_stream_that_ends_early_is_the_cause() {
    let reset = Cause::Transport(io::ErrorKind::ConnectionReset);
    let rows = [
        (EOF, EndedBy::Network, Cause::Eof),
        (RESET, EndedBy::Network, reset),
        (ABORT, EndedBy::Local, Cause::Aborted),
    ];
    for (stop, by, cause) in rows {
        for role in ROLES {
            let open = (by, Phase::Open, 1006, cause);
            assert_eq!(stopped(role, "open", stop), open);
            let closing = (by, Phase::Closing, 1006, cause);
            assert_eq!(stopped(role, "close sent", stop), closing);
        }
    }
}

#[test]
fn an_ending_that_is_decided_stays_whatever_ends_the_stream() {
    let violation = Cause::Violation(ProtocolViolation::ContinuationWithoutStart);
    let handshake = Cause::ClosingHandshake;
    for stop in [EOF, RESET, ABORT] {
        for role in ROLES {
            let clean = (EndedBy::Peer, Phase::Open, 1001, handshake);
            assert_eq!(stopped(role, "closes exchanged", stop), clean);
            let failed = (EndedBy::Local, Phase::Open, 1002, violation);
            assert_eq!(stopped(role, "failing", stop), failed);
        }
    }
}

#[test]
fn a_network_failure_advises_to_retry_and_an_end_of_ours_does_not() {
    for (stop, retry) in [(EOF, Retry::Yes), (RESET, Retry::Yes), (ABORT, Retry::No)] {
        let mut end = End::plain(Role::Client);
        stop(&mut end);
        assert_eq!(end.ended().retry(), retry);
    }
}

#[test]
fn the_end_is_reported_once_and_nothing_changes_it() {
    let mut end = End::plain(Role::Client);
    end.eof();
    let first = end.take_events();
    assert!(matches!(first[..], [Collected::Closed(_)]));
    let before = end.connection.ending().cloned();
    end.connection.abort();
    end.connection
        .handle_transport_error(io::ErrorKind::BrokenPipe);
    end.eof();
    end.read_frames(&[Frame::text("late")]);
    let now = end.now();
    assert_eq!(end.connection.close(now, None), Ok(()));
    assert_eq!(end.take_events(), []);
    assert_eq!(end.connection.ending().cloned(), before);
    assert_eq!(end.write(), []);
}

// RFC 6455 section 7.1.1: no end waits for the other for ever.
#[test]
fn the_closing_handshake_has_a_deadline_from_its_first_close_frame() {
    let timeout = Config::default().close_timeout;
    let cases = [
        ("close sent", 1006, Cause::CloseTimeout),
        ("closes exchanged", 1001, Cause::ClosingHandshake),
        (
            "failing",
            1002,
            Cause::Violation(ProtocolViolation::ContinuationWithoutStart),
        ),
    ];
    for (state, code, cause) in cases {
        for role in ROLES {
            let mut end = End::plain(role);
            prepare(&mut end, state);
            let tick = Duration::from_millis(1);
            end.pass(timeout.checked_sub(tick).unwrap());
            assert_eq!(end.connection.state(), ConnectionState::Closing);
            end.pass(tick);
            assert_eq!(end.connection.state(), ConnectionState::Closed, "{state}");
            end.read(&[]);
            let Some(Collected::Closed(ending)) = end.events.last() else {
                panic!("the end is reported");
            };
            assert_eq!((ending.code.0, ending.cause), (code, cause), "{state}");
        }
    }
}

#[test]
fn the_deadline_is_not_moved_by_the_peers_answer() {
    let mut end = End::plain(Role::Client);
    begin_close(&mut end, None);
    let deadline = end.connection.poll_timeout();
    end.pass(Duration::from_secs(1));
    end.read_frames(&[Frame::new(Frame::CLOSE, "")]);
    assert_eq!(end.connection.poll_timeout(), deadline);
}

#[test]
fn a_close_frame_between_fragments_ends_an_unfinished_message() {
    let mut pair = Pair::new(&Config::default());
    let payload = Payload::Borrowed(&b"never finished"[..]);
    pair.client
        .connection
        .send_fragment(MessageKind::Text, payload, Fin::More, Compress::Auto)
        .unwrap();
    begin_close(&mut pair.client, None);
    pair.run();
    assert!(matches!(
        pair.server.events[..],
        [Collected::Close(None), Collected::Closed(_)]
    ));
}

/// There is no place for a close frame inside a frame, so the stream is what ends.
#[test]
fn inside_a_frame_sent_in_pieces_the_stream_ends_without_a_close_frame() {
    for role in ROLES {
        let mut end = End::plain(role);
        end.connection
            .begin_frame(MessageKind::Binary, 9, Fin::Last)
            .unwrap();
        let header = end.write();
        let now = end.now();
        assert_eq!(
            end.connection.close(now, None),
            Err(Misuse::FrameUnfinished)
        );
        end.read_frames(&[
            Frame::ping("waits for the frame"),
            Frame::close(1012, "restart"),
        ]);
        assert_eq!(end.connection.state(), ConnectionState::Closing);
        assert_eq!(end.write(), [], "after {header:x?}");
        assert!(end.connection.is_done_sending());
        let ending = end.ended();
        assert_eq!(
            (ending.by, ending.code.0, ending.cause),
            (EndedBy::Peer, 1012, Cause::Aborted)
        );
        assert_eq!(ending.retry(), Retry::Later);
        assert!(!ending.is_clean());

        let mut end = End::plain(role);
        end.connection
            .begin_frame(MessageKind::Binary, 9, Fin::Last)
            .unwrap();
        end.write();
        end.read_frames(&[Frame::ping("waits for the frame"), Frame::continuation("")]);
        assert_eq!(end.write(), []);
        assert!(end.connection.is_done_sending());
    }
}

#[test]
fn retry_advice_follows_the_code_of_the_peer() {
    let advice = |code| {
        let mut end = End::plain(Role::Client);
        end.read_frames(&[Frame::close(code, "")]);
        end.ended().retry()
    };
    for code in [1000, 1002, 1003, 1007, 1008, 1009, 1010] {
        assert_eq!(advice(code), Retry::No, "{code}");
    }
    for code in [1001, 1011, 3000, 4999] {
        assert_eq!(advice(code), Retry::Yes, "{code}");
    }
    for code in [1012, 1013, 1014] {
        assert_eq!(advice(code), Retry::Later, "{code}");
    }
}

#[test]
fn a_keepalive_deadline_does_not_end_a_connection_twice() {
    let config = Config {
        keepalive: Some(Keepalive {
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
        }),
        ..Config::default()
    };
    let mut end = End::new(Role::Server, config, None);
    end.pass(Duration::from_mins(1));
    end.read(&[]);
    assert_eq!(end.take_events().len(), 1);
    end.pass(Duration::from_mins(1));
    end.read(&[]);
    assert_eq!(end.take_events(), []);
}
