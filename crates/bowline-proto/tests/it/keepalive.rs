//! Pings into silence, and when a silent peer is given up.

use std::time::Duration;

use bowline_proto::{
    Cause, CloseCode, Config, ConnectionState, EndedBy, Fin, Keepalive, Message, MessageKind,
    Payload, Phase, Retry, Role,
};
use bowline_testkit::{Chunks, Collected, End, Frame, Pair};

const SECOND: Duration = Duration::from_secs(1);
const INTERVAL: Duration = Duration::from_secs(20);
const TIMEOUT: Duration = Duration::from_secs(10);

fn config() -> Config {
    Config {
        keepalive: Some(Keepalive {
            interval: INTERVAL,
            timeout: TIMEOUT,
        }),
        ..Config::default()
    }
}

fn kept_alive(role: Role) -> End {
    End::new(role, config(), None)
}

fn pings(end: &mut End) -> usize {
    let frames = end.write_frames();
    assert!(frames.iter().all(|frame| frame.opcode == Frame::PING));
    frames.len()
}

#[test]
fn silence_is_broken_by_a_ping_after_the_interval_and_ended_after_the_timeout() {
    for role in [Role::Client, Role::Server] {
        let mut end = kept_alive(role);
        assert_eq!(end.connection.poll_timeout(), Some(end.now() + INTERVAL));
        end.pass(INTERVAL.checked_sub(SECOND).unwrap());
        assert_eq!(pings(&mut end), 0);
        end.pass(SECOND);
        assert_eq!(pings(&mut end), 1);
        assert_eq!(end.connection.poll_timeout(), Some(end.now() + TIMEOUT));
        end.pass(TIMEOUT.checked_sub(SECOND).unwrap());
        assert_eq!(end.connection.state(), ConnectionState::Open);
        end.pass(SECOND);
        assert_eq!(end.connection.state(), ConnectionState::Closed);
        assert_eq!(end.connection.poll_timeout(), None);
        end.read(&[]);
        let Some(Collected::Closed(ending)) = end.events.pop() else {
            panic!("the end is reported");
        };
        assert_eq!(ending.by, EndedBy::Network);
        assert_eq!(ending.phase, Phase::Open);
        assert_eq!(ending.code, CloseCode::ABNORMAL);
        assert_eq!(ending.cause, Cause::KeepaliveTimeout);
        assert_eq!(ending.retry(), Retry::Yes);
    }
}

#[test]
fn any_byte_is_a_sign_of_life_even_a_part_of_a_frame() {
    let mut end = kept_alive(Role::Server);
    let stream = end.stream(&[Frame::binary([0; 100])]);
    for byte in &stream[..50] {
        end.pass(INTERVAL);
        assert_eq!(pings(&mut end), 1);
        end.pass(TIMEOUT.checked_sub(SECOND).unwrap());
        end.read(&[*byte]);
        assert_eq!(end.connection.state(), ConnectionState::Open);
        assert_eq!(end.connection.poll_timeout(), Some(end.now() + INTERVAL));
    }
    assert_eq!(end.take_events(), []);
}

#[test]
fn a_connection_that_hears_enough_sends_no_ping() {
    let mut end = kept_alive(Role::Client);
    for _ in 0..20 {
        end.pass(INTERVAL / 2);
        end.read_frames(&[Frame::text("data")]);
    }
    assert_eq!(pings(&mut end), 0);
}

#[test]
fn the_pong_of_a_keepalive_ping_measures_the_round_trip() {
    let mut pair = Pair::join(kept_alive(Role::Client), End::plain(Role::Server));
    assert_eq!(pair.client.connection.round_trip(), None);
    pair.client.pass(INTERVAL);
    let ping = pair.client.write();
    pair.client.pass(SECOND * 3);
    pair.server.read(&ping);
    pair.run();
    let Some(Collected::Pong(payload, round_trip)) = pair.client.events.pop() else {
        panic!("a pong arrived");
    };
    assert_eq!(round_trip, Some(SECOND * 3));
    assert_eq!(pair.client.connection.round_trip(), Some(SECOND * 3));
    // The same pong again answers nothing, and neither does one that was not asked for.
    for payload in [&payload, &Vec::new(), &b"12345678".to_vec()] {
        pair.client.read_frames(&[Frame::pong(payload)]);
        let expected = Collected::Pong(payload.clone(), None);
        assert_eq!(pair.client.take_events(), [expected]);
    }
    assert_eq!(pair.client.connection.round_trip(), Some(SECOND * 3));
}

#[test]
fn each_keepalive_ping_is_numbered() {
    let mut pair = Pair::join(kept_alive(Role::Client), End::plain(Role::Server));
    for _ in 0..3 {
        pair.pass(INTERVAL);
    }
    let pings = pair.server.take_events();
    let expected = [0_u64, 1, 2].map(|number| Collected::Ping(number.to_be_bytes().to_vec()));
    assert_eq!(pings, expected);
}

/// A peer that sends now and then but reads nothing must not make the queue grow.
#[test]
fn one_ping_waits_at_most() {
    let mut end = kept_alive(Role::Server);
    let stream = end.stream(&[Frame::binary([0; 1000])]);
    for byte in &stream[..500] {
        end.pass(INTERVAL + SECOND);
        end.read(&[*byte]);
    }
    assert_eq!(end.connection.queued_len(), 10);
    assert_eq!(pings(&mut end), 1);
}

#[test]
fn a_peer_that_takes_in_a_long_frame_is_alive_and_one_that_does_not_is_given_up() {
    let mut end = kept_alive(Role::Server);
    end.connection
        .send(Message::binary(vec![0; 100_000]))
        .unwrap();
    let mut written = Vec::new();
    end.writes = Chunks::of(100);
    assert!(end.write_once(0, &mut written));
    end.pass(INTERVAL);
    for _ in 0..20 {
        assert!(end.write_once(0, &mut written));
        end.pass(TIMEOUT);
        assert_eq!(end.connection.state(), ConnectionState::Open);
    }
    end.pass(TIMEOUT);
    assert_eq!(end.connection.state(), ConnectionState::Closed);
}

#[test]
fn a_ping_that_cannot_enter_a_frame_sent_in_pieces_has_its_full_deadline_afterwards() {
    let mut end = kept_alive(Role::Server);
    let connection = &mut end.connection;
    connection
        .begin_frame(MessageKind::Binary, 31, Fin::Last)
        .unwrap();
    for _ in 0..30 {
        let piece = Payload::Borrowed(b"x");
        end.connection.send_frame_payload(piece).unwrap();
        assert!(!end.write().is_empty());
        end.pass(TIMEOUT.checked_sub(SECOND).unwrap());
        assert_eq!(end.connection.state(), ConnectionState::Open);
    }
    let piece = Payload::Borrowed(b"x");
    end.connection.send_frame_payload(piece).unwrap();
    let written = end.write();
    assert_eq!(Frame::parse_all(&written[1..])[0].opcode, Frame::PING);
    end.pass(TIMEOUT.checked_sub(SECOND).unwrap());
    assert_eq!(end.connection.state(), ConnectionState::Open);
    end.pass(TIMEOUT * 2);
    assert_eq!(end.connection.state(), ConnectionState::Closed);
}

#[test]
fn without_keepalive_there_is_no_deadline() {
    let mut end = End::plain(Role::Server);
    assert_eq!(end.connection.poll_timeout(), None);
    end.pass(Duration::from_secs(1_000_000));
    assert_eq!(end.connection.state(), ConnectionState::Open);
    assert_eq!(end.write(), []);
}

#[test]
fn a_closing_connection_has_its_own_deadline_and_sends_no_ping() {
    let mut end = kept_alive(Role::Client);
    end.pass(INTERVAL.checked_sub(SECOND).unwrap());
    let now = end.now();
    end.connection.close(now, None).unwrap();
    let deadline = now + Config::default().close_timeout;
    assert_eq!(end.connection.poll_timeout(), Some(deadline));
    end.pass(SECOND * 2);
    assert_eq!(
        end.write_frames(),
        [Frame::new(Frame::CLOSE, "").masked([0, 0, 0, 1])]
    );
}

#[test]
fn a_peer_that_sends_no_message_is_told_goodbye_and_pings_are_no_messages() {
    for role in [Role::Server, Role::Client] {
        let config = Config {
            idle_timeout: Some(60 * SECOND),
            keepalive: Some(Keepalive {
                interval: 10 * SECOND,
                timeout: 5 * SECOND,
            }),
            ..Config::default()
        };
        let mut end = End::new(role, config, None);
        let message = end.stream(&[Frame::binary(vec![1])]);
        end.pass(9 * SECOND);
        end.read(&message);
        for _ in 0..59 {
            end.pass(SECOND);
            let pong = end.stream(&[Frame::pong(vec![])]);
            end.read(&pong);
            assert_eq!(end.connection.state(), ConnectionState::Open);
        }
        end.write();
        end.pass(SECOND);
        assert_eq!(end.connection.state(), ConnectionState::Closing);
        let frames = end.write_frames();
        assert_eq!(frames.last().and_then(Frame::close_code), Some(1001));
    }
}
