//! What a client says it is doing.

use std::time::Duration;

use bowline::{
    CloseCode, EndedBy,
    managed::{Backoff, Client, ClientState, ClosedWhy, ReconnectPolicy},
};
use tokio::time::sleep;

use super::{Lab, Outcome, next, record, word};
use crate::ends::{poll_times, settle, soon};

#[tokio::test(start_paused = true)]
async fn only_transitions_are_reported_and_in_order() {
    let script = [Outcome::Link, Outcome::Fail, Outcome::Link];
    let (lab, mut peers) = Lab::new(&script, Outcome::Hang);
    let policy = ReconnectPolicy::Automatic(Backoff::default());
    let (client, _events) = lab.builder().with_policy(policy).start();
    let log = record(&client);
    let first = next(&mut peers).await;
    sleep(Duration::from_secs(20)).await;
    drop(first);
    let mut second = next(&mut peers).await;
    let closing = tokio::spawn(async move { second.recv().await });
    settle().await;
    client.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(closing.await.unwrap(), None);
    settle().await;
    drop(client);
    settle().await;
    let expected = [
        "connecting 1",
        "open",
        "waiting",
        "connecting 1",
        "waiting",
        "connecting 2",
        "open",
        "closed",
        "stopped",
    ];
    assert_eq!(*log.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_was_told_is_not_told_again() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let (client, _events) = lab.start();
    let _peer = next(&mut peers).await;
    client.opened().await.unwrap();
    let mut states = client.states();
    assert_eq!(states.current(), ClientState::Open);
    assert_eq!(poll_times(5, states.changed()).await, None);
    client.send("a");
    settle().await;
    assert_eq!(poll_times(5, states.changed()).await, None);
}

#[tokio::test(start_paused = true)]
async fn closing_while_connecting_gives_the_attempt_up_at_once() {
    let (lab, _peers) = Lab::new(&[], Outcome::Hang);
    let (client, mut events) = lab.start();
    settle().await;
    assert_eq!(lab.open(), 1);
    let kept = client.send("a");
    soon(client.close(CloseCode::NORMAL, "")).await.unwrap();
    assert_eq!(lab.open(), 0, "the socket is let go of");
    assert_eq!(word(&client.state()), "closed");
    assert!(format!("{:?}", kept.await).contains("Dropped(Closed)"));
    assert!(events.recv().await.is_none());
    sleep(Duration::from_hours(1)).await;
    assert_eq!(lab.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn closing_while_waiting_ends_the_attempts() {
    let (lab, _peers) = Lab::new(&[], Outcome::Fail);
    let (client, _events) = lab.start();
    let mut states = client.states();
    let is_waiting = |state: &ClientState| matches!(state, ClientState::Waiting { .. });
    soon(states.wait_for(is_waiting)).await.unwrap();
    soon(client.close(CloseCode::NORMAL, "")).await.unwrap();
    let attempts = lab.attempts();
    sleep(Duration::from_hours(1)).await;
    assert_eq!(lab.attempts(), attempts);
}

#[tokio::test(start_paused = true)]
async fn closing_tells_the_server_and_may_be_taken_back_by_the_button() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let (client, mut events) = lab.start();
    for round in 0..3 {
        let mut peer = next(&mut peers).await;
        soon(client.opened()).await.unwrap();
        let serving = tokio::spawn(async move {
            while peer.recv().await.is_some() {}
            peer.ending().unwrap()
        });
        soon(client.close(CloseCode(4000 + round), "bye"))
            .await
            .unwrap();
        let ending = serving.await.unwrap();
        assert_eq!(
            (ending.by, ending.code),
            (EndedBy::Peer, CloseCode(4000 + round))
        );
        assert_eq!(&*ending.reason, "bye");
        assert_eq!(lab.open(), 0);
        while soon(events.recv()).await.is_some() {}
        client.reconnect();
    }
    assert_eq!(lab.most_open(), 1);
}

#[tokio::test(start_paused = true)]
async fn closing_is_bounded_although_the_server_says_nothing() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let (client, _events) = lab.start();
    let _silent = next(&mut peers).await;
    client.opened().await.unwrap();
    let start = tokio::time::Instant::now();
    client.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 5, "the close timeout");
    assert_eq!(lab.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_code_that_cannot_be_sent_is_refused_and_changes_nothing() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let (client, _events) = lab.start();
    let _peer = next(&mut peers).await;
    client.opened().await.unwrap();
    assert!(client.close(CloseCode(1006), "").await.is_err());
    assert!(
        client
            .begin_close(CloseCode::NORMAL, &"a".repeat(124))
            .is_err()
    );
    settle().await;
    assert_eq!(client.state(), ClientState::Open);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_closes_gracefully_and_ends_the_events() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let (client, mut events) = lab.start();
    let peer = next(&mut peers).await;
    client.opened().await.unwrap();
    let clone = client.clone();
    drop(client);
    let sent = clone.send("last words");
    settle().await;
    assert_eq!(clone.state(), ClientState::Open);
    let second = clone.send("really");
    drop(clone);
    assert_eq!(super::texts(peer).await, ["last words", "really"]);
    while soon(events.recv()).await.is_some() {}
    assert_eq!(word(&events.state()), "stopped");
    assert_eq!((sent.status(), second.status()), {
        let sent = bowline::managed::DeliveryStatus::Sent;
        (sent, sent)
    });
    assert!(!events.revived().await, "never again");
    assert_eq!(lab.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn dropping_futures_of_a_client_loses_nothing() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let (client, mut events) = lab.start();
    let mut peer = next(&mut peers).await;
    for round in 0..20 {
        assert!(
            poll_times(round % 3, client.opened())
                .await
                .is_none_or(|opened| opened.is_ok())
        );
        drop(poll_times(1, client.send_with_room(format!("{round}"))).await);
        drop(poll_times(1, events.recv()).await);
    }
    let mut count = 0;
    while count < 20 {
        assert_eq!(super::text(&mut peer).await, count.to_string());
        count += 1;
    }
    assert!(
        poll_times(1, client.close(CloseCode::NORMAL, ""))
            .await
            .is_none()
    );
    assert_eq!(
        soon(peer.recv()).await,
        None,
        "a close that was begun goes on"
    );
    settle().await;
    assert_eq!(word(&client.state()), "closed");
}

#[test]
fn a_runtime_that_ends_ends_the_client() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (client, kept) = runtime.block_on(async {
        let (lab, _peers) = Lab::new(&[], Outcome::Hang);
        let (client, _events) = lab.start();
        let kept = client.send("a");
        tokio::task::yield_now().await;
        (client, kept)
    });
    drop(runtime);
    let why = ClosedWhy::Stopped;
    assert_eq!(client.state(), ClientState::Closed { why });
    assert!(kept.status().is_final());
    client.reconnect();
    assert!(client.state().is_closed());
    assert!(client.send("b").status().is_final());
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_closes_the_client_for_good() {
    let (lab, _peers) = Lab::new(&[], Outcome::Link);
    let greet = async |_| -> Result<(), bowline::Error> { panic!("a test of a panic") };
    let (client, _events): (Client, _) = lab.builder().on_open(greet).start();
    let why = soon(client.opened()).await.unwrap_err();
    assert_eq!(why, ClosedWhy::Stopped);
    assert_eq!(lab.open(), 0);
}
