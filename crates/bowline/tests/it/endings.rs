//! Every way to end: `recv` gives `None`, and the ending says how it was.

use std::io::ErrorKind;

use bowline::{
    Cause, CloseCode, Config, EndedBy, Error, Event, Keepalive, Limits, Message, Phase,
    ProtocolViolation, Retry,
};
use bowline_testkit::Frame;

use crate::{
    ends::{client, server, wired_server, wired_server_with},
    wire::Far,
};

struct Case {
    name: &'static str,
    act: fn(&Far),
    ending: (EndedBy, Phase, u16, Cause, Retry),
    /// The code of the close frame we sent.
    sent: Option<u16>,
}

fn case(
    name: &'static str,
    act: fn(&Far),
    ending: (EndedBy, Phase, u16, Cause, Retry),
    sent: Option<u16>,
) -> Case {
    Case {
        name,
        act,
        ending,
        sent,
    }
}

fn cases() -> Vec<Case> {
    let mut cases = closes();
    cases.extend(failures());
    cases
}

fn closes() -> Vec<Case> {
    vec![
        case(
            "the peer closes",
            |far| {
                far.push_masked(Frame::close(1000, "why"));
                far.end();
            },
            (
                EndedBy::Peer,
                Phase::Open,
                1000,
                Cause::ClosingHandshake,
                Retry::No,
            ),
            Some(1000),
        ),
        case(
            "the peer asks to come back later",
            |far| {
                far.push_masked(Frame::close(1013, ""));
                far.end();
            },
            (
                EndedBy::Peer,
                Phase::Open,
                1013,
                Cause::ClosingHandshake,
                Retry::Later,
            ),
            Some(1013),
        ),
        case(
            "the peer closes without a code",
            |far| {
                far.push_masked(Frame::new(Frame::CLOSE, ""));
                far.end();
            },
            (
                EndedBy::Peer,
                Phase::Open,
                1005,
                Cause::ClosingHandshake,
                Retry::Yes,
            ),
            None,
        ),
    ]
}

fn failures() -> Vec<Case> {
    vec![
        case(
            "the stream ends",
            Far::end,
            (EndedBy::Network, Phase::Open, 1006, Cause::Eof, Retry::Yes),
            None,
        ),
        case(
            "the stream fails",
            |far| far.fail_reads(ErrorKind::ConnectionReset),
            (
                EndedBy::Network,
                Phase::Open,
                1006,
                Cause::Transport(ErrorKind::ConnectionReset),
                Retry::Yes,
            ),
            None,
        ),
        case(
            "the peer breaks a rule",
            |far| far.push(&Frame::text("no mask").encode()),
            (
                EndedBy::Local,
                Phase::Open,
                1002,
                Cause::Violation(ProtocolViolation::UnmaskedFrame),
                Retry::No,
            ),
            Some(1002),
        ),
        case(
            "the peer exceeds a limit",
            |far| far.push_masked(Frame::binary([0; 2000])),
            (
                EndedBy::Local,
                Phase::Open,
                1009,
                Cause::Limit(bowline::proto::LimitExceeded::FrameSize),
                Retry::No,
            ),
            Some(1009),
        ),
        case(
            "the peer falls silent",
            |_| (),
            (
                EndedBy::Network,
                Phase::Open,
                1006,
                Cause::KeepaliveTimeout,
                Retry::Yes,
            ),
            None,
        ),
    ]
}

fn config() -> Config {
    Config {
        limits: Limits {
            frame_size_max: 1000,
            ..Limits::default()
        },
        keepalive: Some(Keepalive {
            interval: std::time::Duration::from_mins(1),
            timeout: std::time::Duration::from_mins(1),
        }),
        ..Config::default()
    }
}

#[tokio::test(start_paused = true)]
async fn every_end_is_told_after_the_last_message() {
    for case in cases() {
        let (mut ws, far) = wired_server_with(config());
        far.push_masked(Frame::text("before"));
        (case.act)(&far);
        assert_eq!(
            ws.recv().await,
            Some(Message::text("before")),
            "{}",
            case.name
        );
        assert_eq!(ws.recv().await, None, "{}", case.name);
        assert_eq!(ws.recv().await, None, "the end stays: {}", case.name);
        let ending = ws.ending().unwrap();
        let told = (
            ending.by,
            ending.phase,
            ending.code.0,
            ending.cause,
            ending.retry(),
        );
        assert_eq!(told, case.ending, "{}", case.name);
        let mut frames = far.frames();
        let is_close = |frame: &Frame| frame.opcode == Frame::CLOSE;
        let close = frames
            .pop()
            .filter(is_close)
            .and_then(|close| close.close_code());
        assert_eq!(close, case.sent, "{}", case.name);
        assert!(far.is_dropped(), "{}", case.name);
        assert!(matches!(ws.send("late").await, Err(Error::Closed(Some(_)))));
        let again = ws.close(CloseCode::NORMAL, "").await.unwrap();
        assert_eq!(
            again, ending,
            "closing a closed connection tells how it ended"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn closed_is_the_last_event() {
    for case in cases() {
        let (mut ws, far) = wired_server_with(config());
        (case.act)(&far);
        let mut last = None;
        while let Some(event) = ws.recv_event().await {
            assert!(!matches!(last, Some(Event::Closed(_))), "{}", case.name);
            last = Some(event);
        }
        let Some(Event::Closed(ending)) = last else {
            panic!("{}: {last:?}", case.name);
        };
        assert_eq!(Some(ending), ws.ending(), "{}", case.name);
    }
}

#[tokio::test(start_paused = true)]
async fn both_ends_agree_on_a_close_and_the_server_ends_the_stream_first() {
    let (a, b) = tokio::io::duplex(1024);
    let mut client = client(a, Config::default());
    let mut server = server(b, Config::default());
    let (ending, received) = tokio::join!(client.close(CloseCode(3001), "done"), server.recv());
    assert_eq!(received, None);
    let (mine, theirs) = (ending.unwrap(), server.ending().unwrap());
    assert_eq!((mine.by, theirs.by), (EndedBy::Local, EndedBy::Peer));
    for ending in [mine, theirs] {
        assert!(ending.is_clean());
        assert_eq!((ending.code.0, &*ending.reason), (3001, "done"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_at_the_same_time_is_clean_for_both() {
    let (a, b) = tokio::io::duplex(1024);
    let mut client = client(a, Config::default());
    let mut server = server(b, Config::default());
    let (a, b) = tokio::join!(
        client.close(CloseCode::NORMAL, "a"),
        server.close(CloseCode::NORMAL, "b")
    );
    assert!(a.unwrap().is_clean() && b.unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_closes_does_not_wait_for_ever_for_a_peer_that_takes_nothing() {
    let (near, _far) = tokio::io::duplex(16);
    let (mut sender, receiver) = server(near, Config::default()).split();
    sender.feed("more than the stream holds").await.unwrap();
    let before = tokio::time::Instant::now();
    let closed = sender.close(CloseCode::NORMAL, "").await;
    assert!(matches!(closed, Err(Error::Closed(_))), "{closed:?}");
    assert_eq!(before.elapsed(), 2 * Config::default().close_timeout);
    assert!(sender.ending().is_some());
    drop(receiver);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_websocket_is_an_end_of_stream_for_the_peer() {
    let (a, b) = tokio::io::duplex(1024);
    let mut client = client(a, Config::default());
    drop(server(b, Config::default()));
    assert_eq!(client.recv().await, None);
    let ending = client.ending().unwrap();
    assert_eq!((ending.by, ending.cause), (EndedBy::Network, Cause::Eof));
}

#[tokio::test(start_paused = true)]
async fn an_abort_is_our_own_end() {
    let (mut ws, far) = wired_server();
    ws.abort();
    assert!(far.is_dropped());
    let ending = ws.ending().unwrap();
    assert_eq!(
        (ending.by, ending.code, ending.cause),
        (EndedBy::Local, CloseCode::ABNORMAL, Cause::Aborted)
    );
    assert!(matches!(ws.recv_event().await, Some(Event::Closed(_))));
    assert_eq!(ws.recv_event().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_why_and_leaves_is_heard_although_our_writes_fail() {
    let (mut ws, far) = wired_server();
    far.push_masked(Frame::text("by the way"));
    far.push_masked(Frame::close(1008, "not allowed"));
    far.fail_writes(ErrorKind::BrokenPipe);
    let failed = ws.send("a message").await;
    assert!(
        matches!(failed, Err(Error::Closed(None))),
        "not known yet: {failed:?}"
    );
    far.fail_reads(ErrorKind::ConnectionReset);
    assert_eq!(ws.recv().await, Some(Message::text("by the way")));
    assert_eq!(ws.recv().await, None);
    let ending = ws.ending().unwrap();
    assert_eq!(
        (ending.by, ending.code, &*ending.reason, ending.retry()),
        (
            EndedBy::Peer,
            CloseCode::POLICY_VIOLATION,
            "not allowed",
            Retry::No
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_for_writing_alone_ends_with_the_close_timeout() {
    let (mut ws, far) = wired_server();
    far.fail_writes(ErrorKind::BrokenPipe);
    assert!(ws.send("a message").await.is_err());
    let start = tokio::time::Instant::now();
    assert_eq!(ws.recv().await, None);
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(
        ws.ending().unwrap().cause,
        Cause::Transport(ErrorKind::BrokenPipe)
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_as_a_close_is_refused_and_harms_nothing() {
    let (mut ws, far) = wired_server();
    assert!(matches!(
        ws.close(CloseCode(1006), "").await,
        Err(Error::Misuse(_))
    ));
    let long = "x".repeat(124);
    assert!(matches!(
        ws.begin_close(CloseCode::NORMAL, &long),
        Err(Error::Misuse(_))
    ));
    ws.send("still open").await.unwrap();
    assert_eq!(far.frames(), [Frame::text("still open")]);
}

#[tokio::test(start_paused = true)]
async fn a_close_without_a_code_sends_none() {
    let (mut ws, far) = wired_server();
    ws.begin_close(CloseCode::NO_STATUS, "").unwrap();
    far.push_masked(Frame::new(Frame::CLOSE, ""));
    far.end();
    assert_eq!(ws.recv().await, None);
    assert!(ws.ending().unwrap().is_clean());
    assert_eq!(far.frames(), [Frame::new(Frame::CLOSE, "")]);
}
