//! Keepalive and the closing handshake against the clock.

use std::time::Duration;

use bowline::{Cause, CloseCode, Config, EndedBy, Error, Keepalive, Message, Phase};
use bowline_testkit::Frame;
use tokio::time::{Instant, sleep, timeout};

use crate::ends::{settle, soon, wired_server, wired_server_with};

fn kept_alive() -> Config {
    Config {
        keepalive: Some(Keepalive {
            interval: Duration::from_secs(20),
            timeout: Duration::from_secs(10),
        }),
        ..Config::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_pinged_and_then_given_up() {
    let (mut ws, far) = wired_server_with(kept_alive());
    let start = Instant::now();
    assert_eq!(ws.recv().await, None);
    assert_eq!(start.elapsed().as_secs(), 30);
    let ending = ws.ending().unwrap();
    assert_eq!(
        (ending.by, ending.phase, ending.cause),
        (EndedBy::Network, Phase::Open, Cause::KeepaliveTimeout)
    );
    assert_eq!(far.frames()[0].opcode, Frame::PING);
    assert!(far.is_dropped());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_lives_and_its_round_trip_is_measured() {
    let (mut ws, far) = wired_server_with(kept_alive());
    let peer = tokio::spawn(async move {
        for round in 0..100 {
            while far.frames().len() <= round {
                sleep(Duration::from_millis(250)).await;
            }
            far.push_masked(Frame::pong(far.frames()[round].payload.clone()));
        }
        far.push_masked(Frame::text("alive"));
        far
    });
    assert_eq!(ws.recv().await, Some(Message::text("alive")));
    let round_trip = ws.round_trip().unwrap();
    assert!(round_trip <= Duration::from_millis(500), "{round_trip:?}");
    drop(peer.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_link_that_dies_within_a_message_is_noticed() {
    let (mut ws, far) = wired_server_with(kept_alive());
    let message = Frame::binary(vec![1; 1 << 20]).masked([1; 4]).encode();
    far.push(&message[..message.len() / 2]);
    assert_eq!(soon(ws.recv()).await, None);
    assert_eq!(ws.ending().unwrap().cause, Cause::KeepaliveTimeout);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_dies_while_a_message_is_written_is_noticed() {
    let (ws, far) = wired_server_with(kept_alive());
    let (mut sender, mut receiver) = ws.split();
    far.limit(1000);
    let sending = tokio::spawn(async move { sender.send(vec![1; 1 << 20]).await });
    assert_eq!(
        timeout(Duration::from_mins(2), receiver.recv()).await,
        Ok(None)
    );
    assert_eq!(receiver.ending().unwrap().cause, Cause::KeepaliveTimeout);
    assert!(matches!(
        sending.await.unwrap(),
        Err(Error::Closed(Some(_)))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_pong_that_came_in_time_counts_although_the_application_was_busy() {
    let (mut ws, far) = wired_server_with(kept_alive());
    assert!(timeout(Duration::from_secs(21), ws.recv()).await.is_err());
    far.push_masked(Frame::pong(far.frames()[0].payload.clone()));
    sleep(Duration::from_mins(10)).await;
    assert!(timeout(Duration::from_secs(9), ws.recv()).await.is_err());
    assert_eq!(ws.ending(), None);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_answers_close_ends_with_its_deadline() {
    let (mut ws, far) = wired_server();
    let start = Instant::now();
    let ending = ws.close(CloseCode::NORMAL, "bye").await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(
        (ending.by, ending.phase, ending.cause),
        (EndedBy::Network, Phase::Closing, Cause::CloseTimeout)
    );
    assert_eq!(far.frames(), [Frame::close(1000, "bye")]);
    assert!(far.is_dropped());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_floods_instead_of_closing_ends_with_the_same_deadline() {
    for closes in [true, false] {
        let (mut ws, far) = wired_server();
        let start = Instant::now();
        if closes {
            ws.begin_close(CloseCode::NORMAL, "").unwrap();
        } else {
            far.push(b"garbage");
        }
        let flood = tokio::spawn(async move {
            while !far.is_dropped() {
                far.push(&Frame::text("more").masked([1; 4]).encode());
                sleep(Duration::from_millis(10)).await;
            }
        });
        let mut received = 0;
        while ws.recv().await.is_some() {
            received += 1;
        }
        assert_eq!(
            received > 0,
            closes,
            "messages count until the peer's close frame"
        );
        assert_eq!(start.elapsed().as_secs(), 5);
        flood.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_close_binds_although_there_is_always_something_to_read() {
    let (mut ws, far) = wired_server();
    ws.begin_close(CloseCode::NORMAL, "").unwrap();
    for number in 0..20 {
        far.push_masked(Frame::text("more"));
        if ws.recv().await.is_none() {
            assert!(number >= 5, "the peer had 5 s");
            assert_eq!(ws.ending().unwrap().cause, Cause::CloseTimeout);
            return;
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    panic!("the peer sent for 20 s");
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_close_that_came_in_time_counts_although_nobody_looked() {
    let (mut ws, far) = wired_server();
    ws.begin_close(CloseCode::NORMAL, "").unwrap();
    assert!(timeout(Duration::from_secs(1), ws.recv()).await.is_err());
    far.push_masked(Frame::close(1000, ""));
    far.end();
    sleep(Duration::from_mins(10)).await;
    assert_eq!(ws.recv().await, None);
    assert!(ws.ending().unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_close_that_waited_in_the_buffer_gets_its_whole_time() {
    let (mut ws, far) = wired_server();
    far.push(
        &[Frame::text("a"), Frame::close(1000, "")]
            .map(|f| f.masked([1; 4]).encode())
            .concat(),
    );
    assert_eq!(ws.recv().await, Some(Message::text("a")));
    sleep(Duration::from_mins(10)).await;
    far.limit(0);
    let far_later = far.clone();
    tokio::spawn(async move {
        sleep(Duration::from_secs(2)).await;
        far_later.unlimit();
        sleep(Duration::from_secs(2)).await;
        far_later.end();
    });
    assert_eq!(ws.recv().await, None);
    assert_eq!(far.frames(), [Frame::close(1000, "")]);
    assert!(far.is_shut_down(), "the server ends the stream first");
    assert!(ws.ending().unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_close_behind_a_full_outbox_has_deadlines_too() {
    use bowline::server::{
        Attributes, ConnectionGroup, GroupOptions, GroupTable, GroupTableLimits, Registry,
    };
    let (ws, far) = wired_server();
    far.limit(0);
    let groups = GroupTable::new(Registry::new(), GroupTableLimits::default());
    let group: ConnectionGroup = groups.create("slow", GroupOptions::default()).unwrap();
    let handle = group.adopt(ws, Attributes::default()).unwrap();
    for _ in 0..3 {
        handle.try_send(vec![0; 100_000]).unwrap();
    }
    handle.close(CloseCode::GOING_AWAY, "").unwrap();
    settle().await;
    assert!(!far.is_dropped());
    sleep(Duration::from_secs(11)).await;
    assert!(
        far.is_dropped(),
        "the peer had 5 s for the messages and 5 s for the close frame"
    );
}

#[tokio::test(start_paused = true)]
async fn a_send_that_waits_for_room_is_told_of_the_end() {
    use bowline::server::{
        Attributes, GroupOptions, GroupTable, GroupTableLimits, Registry, SendError,
    };
    for aborts in [true, false] {
        let (ws, far) = wired_server();
        far.limit(0);
        let groups = GroupTable::new(Registry::new(), GroupTableLimits::default());
        let group = groups.create("slow", GroupOptions::default()).unwrap();
        let handle = group.adopt(ws, Attributes::default()).unwrap();
        while handle.try_send(vec![0; 50_000]).is_ok() {}
        let waiting = handle.clone();
        let waiting = tokio::spawn(async move { waiting.send(vec![0; 50_000]).await });
        settle().await;
        if aborts {
            handle.abort();
        } else {
            far.push_masked(Frame::close(1000, ""));
        }
        assert_eq!(soon(waiting).await.unwrap(), Err(SendError::Closed));
    }
}
