//! The on-open hook.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bowline::{
    Error, Message,
    managed::{ClientEvent, ClientState, Failure, OpenLink},
};

use super::{Lab, Outcome, next, record, text};
use crate::ends::{settle, soon};

#[tokio::test(start_paused = true)]
async fn each_link_is_greeted_before_anything_that_waits_is_sent() {
    let (lab, mut peers) = Lab::new(&[Outcome::Fail], Outcome::Link);
    let greet = async |mut link: OpenLink| {
        link.send("hello").await?;
        let answer = link.recv().await;
        link.send(format!("subscribe with {answer:?}")).await
    };
    let (client, mut events) = lab.builder().on_open(greet).start();
    client.send("1");
    client.send("2");
    for round in 0..3 {
        let mut peer = next(&mut peers).await;
        assert_eq!(text(&mut peer).await, "hello");
        settle().await;
        assert_ne!(
            client.state(),
            ClientState::Open,
            "not before the hook is done"
        );
        peer.send("token").await.unwrap();
        assert!(
            text(&mut peer)
                .await
                .starts_with("subscribe with Some(Text(\"token\"))")
        );
        if round == 0 {
            assert_eq!(text(&mut peer).await, "1");
            assert_eq!(text(&mut peer).await, "2");
        }
        soon(client.opened()).await.unwrap();
        peer.send("news").await.unwrap();
        let message = loop {
            if let Some(ClientEvent::Message(message)) = soon(events.recv()).await {
                break message;
            }
        };
        assert_eq!(message, Message::text("news"), "the answer was the hook's");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_has_the_link_closed_and_another_made() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let count = Arc::new(AtomicUsize::new(0));
    let greet = move |_link| {
        let round = count.fetch_add(1, Ordering::SeqCst);
        async move {
            if round < 2 {
                Err("the token is old")
            } else {
                Ok(())
            }
        }
    };
    let (client, mut events) = lab.builder().on_open(greet).start();
    let log = record(&client);
    for _ in 0..2 {
        let mut peer = next(&mut peers).await;
        assert_eq!(soon(peer.recv()).await, None);
        assert!(peer.ending().unwrap().is_clean());
        let failure = loop {
            if let Some(ClientEvent::Failed(failure)) = soon(events.recv()).await {
                break failure;
            }
        };
        assert_eq!(
            failure.to_string(),
            "the on-open hook failed: the token is old"
        );
    }
    let _peer = next(&mut peers).await;
    soon(client.opened()).await.unwrap();
    settle().await;
    let expected = [
        "connecting 1",
        "connecting 2",
        "waiting",
        "connecting 3",
        "open",
    ];
    assert_eq!(*log.lock().unwrap(), expected);
    assert_eq!(lab.most_open(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hook_has_a_deadline() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let greet = async |mut link: OpenLink| {
        while link.recv().await.is_some() {}
        Ok::<_, Error>(())
    };
    let builder = lab.builder().on_open(greet);
    let (_client, mut events) = builder.with_on_open_timeout(Duration::from_secs(3)).start();
    let mut peer = next(&mut peers).await;
    assert_eq!(soon(peer.recv()).await, None);
    let event = soon(events.recv()).await;
    let Some(ClientEvent::Failed(failure)) = event else {
        panic!("{event:?}")
    };
    assert!(matches!(*failure, Failure::HookTimeout));
    drop(next(&mut peers).await);
    assert!((3.0..3.2).contains(&lab.times()[1]));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_ends_in_the_hook_is_judged_by_how_it_ended() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let greet = async |mut link: OpenLink| match link.recv().await {
        Some(_) => Ok(()),
        None => Err("no answer"),
    };
    let (client, _events) = lab.builder().on_open(greet).start();
    let mut peer = next(&mut peers).await;
    peer.close(bowline::CloseCode::POLICY_VIOLATION, "who are you?")
        .await
        .unwrap();
    let why = soon(client.opened()).await.unwrap_err();
    assert!(why.to_string().contains("1008"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn moving_gives_the_hook_up_and_closes_its_link_gracefully() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let greet = |link: OpenLink| async move {
        if link.info().endpoint.host() == "a" {
            std::future::pending::<()>().await;
        }
        Ok::<_, Error>(())
    };
    let (client, _events) = lab.builder().on_open(greet).start();
    let mut old = next(&mut peers).await;
    settle().await;
    client.set_endpoint("ws://b/").unwrap();
    assert_eq!(soon(old.recv()).await, None);
    assert!(old.ending().unwrap().is_clean());
    let _peer = next(&mut peers).await;
    soon(client.opened()).await.unwrap();
    assert_eq!((lab.attempts(), lab.most_open()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_a_hook_kept_is_of_no_use_afterwards() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let greet = move |link: OpenLink| {
        *keep.lock().unwrap() = Some(link);
        async { Ok::<_, Error>(()) }
    };
    let (client, _events) = lab.builder().on_open(greet).start();
    let mut peer = next(&mut peers).await;
    soon(client.opened()).await.unwrap();
    let mut link = kept.lock().unwrap().take().unwrap();
    assert!(link.send("stolen").await.is_err());
    assert_eq!(link.recv().await, None);
    client.send("mine");
    assert_eq!(text(&mut peer).await, "mine");
}
