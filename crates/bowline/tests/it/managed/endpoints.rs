//! Where links lead: fail-over, and moving at run time.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bowline::{
    CloseCode, Endpoint, Error, UrlError,
    managed::{
        Client, ClientEvent, ClientState, DeliveryStatus, DropReason, OpenLink, OutboxOptions,
        Unsent,
    },
};
use tokio::time::sleep;

use super::{Lab, Outcome, next, record, text, texts, word};
use crate::ends::{settle, soon};

fn three(lab: &Lab) -> bowline::managed::ClientBuilder {
    let builder = lab.builder().with_fail_over("ws://b/").unwrap();
    builder.with_fail_over("ws://c/").unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_failure_moves_on_to_the_next_endpoint() {
    let (lab, mut peers) = Lab::new(&vec![Outcome::Fail; 4], Outcome::Link);
    let (client, mut events) = three(&lab).start();
    let peer = next(&mut peers).await;
    assert_eq!(lab.hosts(), "a b c a b");
    let info = loop {
        if let Some(ClientEvent::Open(info)) = soon(events.recv()).await {
            break info;
        }
    };
    assert_eq!((info.endpoint.host(), info.attempt), ("b", 5));
    sleep(Duration::from_secs(11)).await;
    drop(peer);
    drop(next(&mut peers).await);
    assert_eq!(
        lab.hosts(),
        "a b c a b a",
        "after a stable link the first one is preferred"
    );
    drop(next(&mut peers).await);
    assert_eq!(
        lab.hosts(),
        "a b c a b a b",
        "after a short one it is the next one's turn"
    );
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_fatal_failure_of_one_endpoint_leaves_the_others() {
    let refused = || Outcome::Answer("HTTP/1.1 403 No\r\n\r\n".into());
    let (lab, mut peers) = Lab::new(&[refused(), Outcome::Link], Outcome::Hang);
    let (client, _events) = three(&lab).start();
    let _peer = next(&mut peers).await;
    assert_eq!(lab.hosts(), "a b");
    drop(client);
    let script = [
        refused(),
        refused(),
        Outcome::Fail,
        refused(),
        refused(),
        refused(),
    ];
    let (lab, _peers) = Lab::new(&script, Outcome::Hang);
    let (client, _events) = three(&lab).start();
    assert!(soon(client.opened()).await.is_err());
    assert_eq!(word(&client.state()), "fatal");
    assert_eq!(
        lab.hosts(),
        "a b c a b c",
        "all of them failed so, one after the other"
    );
}

#[tokio::test(start_paused = true)]
async fn setting_an_endpoint_closes_the_old_link_before_it_makes_the_new_one() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let (client, mut events) = lab.start();
    let mut old = next(&mut peers).await;
    client.opened().await.unwrap();
    for (url, host) in [("ws://b/", "b"), ("ws://b/", "b"), ("ws://a/", "a")] {
        let log = record(&client);
        client.set_endpoint(url).unwrap();
        assert_eq!(client.state(), ClientState::Connecting { attempt: 1 });
        settle().await;
        assert_eq!(lab.open(), 1, "the old one is still closing");
        let attempts = lab.attempts();
        assert_eq!(soon(old.recv()).await, None);
        let ending = old.ending().unwrap();
        assert!(ending.is_clean());
        assert_eq!(ending.code, CloseCode::NORMAL);
        old = next(&mut peers).await;
        soon(client.opened()).await.unwrap();
        assert_eq!(lab.attempts(), attempts + 1);
        assert_eq!(client.endpoints()[0].host(), host);
        settle().await;
        assert_eq!(*log.lock().unwrap(), ["open", "connecting 1", "open"]);
    }
    assert_eq!(lab.hosts(), "a b b a");
    assert_eq!(lab.most_open(), 1);
    let mut words = Vec::new();
    while words.len() < 7 {
        let event = soon(events.recv()).await.unwrap();
        words.push(match &event {
            ClientEvent::Open(info) => format!("open {}", info.endpoint.host()),
            ClientEvent::LinkClosed(ending) => format!("closed {}", ending.code.0),
            ClientEvent::Message(_) | ClientEvent::Failed(_) | ClientEvent::Waiting { .. } => {
                panic!("{event:?}")
            }
        });
    }
    let expected = "open a, closed 1000, open b, closed 1000, open b, closed 1000, open a";
    assert_eq!(words.join(", "), expected);
}

#[tokio::test(start_paused = true)]
async fn an_old_server_that_does_not_answer_holds_a_move_up_no_longer_than_its_deadline() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let (client, _events) = lab.start();
    let _silent = next(&mut peers).await;
    client.opened().await.unwrap();
    let start = tokio::time::Instant::now();
    client.set_endpoint("ws://b/").unwrap();
    client.opened().await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!((lab.open(), lab.most_open()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn fifty_changes_at_once_are_one_move_to_the_last() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let (client, _events) = lab.start();
    let old = next(&mut peers).await;
    client.opened().await.unwrap();
    for number in 0..50 {
        client.set_endpoint(&format!("ws://e{number}/")).unwrap();
    }
    let serving = tokio::spawn(texts(old));
    let mut peer = next(&mut peers).await;
    soon(client.opened()).await.unwrap();
    client.send("here");
    assert_eq!(text(&mut peer).await, "here");
    assert_eq!(lab.hosts(), "a e49");
    assert_eq!(lab.most_open(), 1);
    assert!(serving.await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_change_while_connecting_gives_that_attempt_up() {
    let (lab, mut peers) = Lab::new(&vec![Outcome::Hang; 50], Outcome::Link);
    let (client, _events) = lab.start();
    for _ in 0..50 {
        settle().await;
        assert_eq!(lab.open(), 1);
        client.set_endpoint("ws://a/").unwrap();
    }
    let _peer = next(&mut peers).await;
    assert_eq!((lab.attempts(), lab.open(), lab.most_open()), (51, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_url_that_is_wrong_changes_nothing() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let (client, _events) = lab.start();
    let _peer = next(&mut peers).await;
    client.opened().await.unwrap();
    assert!(matches!(
        client.set_endpoint("http://b/"),
        Err(UrlError::Scheme(_))
    ));
    assert_eq!(client.state(), ClientState::Open);
    settle().await;
    assert_eq!(lab.attempts(), 1);
    client.set_endpoints(Vec::<Endpoint>::new());
    assert_eq!(client.endpoints().len(), 1, "none keeps those there are");
}

#[tokio::test(start_paused = true)]
async fn a_new_endpoint_opens_a_client_that_gave_up() {
    let refused = Outcome::Answer("HTTP/1.1 404 Gone\r\n\r\n".into());
    let (lab, mut peers) = Lab::new(&[refused], Outcome::Link);
    let (client, _events) = lab.start();
    assert!(soon(client.opened()).await.is_err());
    let refused = DeliveryStatus::Dropped(DropReason::Closed);
    assert_eq!(client.send("a").status(), refused);
    client.set_endpoint("ws://b/").unwrap();
    let sent = client.send("b");
    let mut peer = next(&mut peers).await;
    assert_eq!(text(&mut peer).await, "b");
    assert_eq!(soon(sent).await, DeliveryStatus::Sent);
}

#[tokio::test(start_paused = true)]
async fn what_was_meant_for_one_endpoint_reaches_the_next_only_if_wanted() {
    let drops = OutboxOptions {
        unsent: Unsent::Drop,
        ..OutboxOptions::default()
    };
    for (options, expected) in [
        (OutboxOptions::default(), DeliveryStatus::Sent),
        (drops, DeliveryStatus::Dropped(DropReason::LinkEnded)),
    ] {
        let (lab, mut peers) = Lab::with_room(&[], Outcome::Link, 1000);
        let (client, _events) = lab.builder().with_outbox(options).start();
        let mut old = next(&mut peers).await;
        client.opened().await.unwrap();
        let big = client.send(vec![0; 100_000]);
        settle().await;
        let waiting = client.send("waiting");
        client.set_endpoint("ws://b/").unwrap();
        settle().await;
        let received = soon(old.recv()).await.expect("what was begun is finished");
        assert_eq!(received.len(), 100_000);
        assert_eq!(soon(big).await, DeliveryStatus::Sent);
        assert_eq!(soon(old.recv()).await, None, "the rest is not for this one");
        let peer = next(&mut peers).await;
        assert_eq!(soon(waiting).await, expected);
        drop(client);
        let texts = texts(peer).await;
        assert_eq!(texts.is_empty(), expected != DeliveryStatus::Sent);
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_unwanted_by_the_time_it_is_made_is_never_reported_as_open() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let handle: Arc<OnceLock<Client>> = Arc::default();
    let mover = Arc::clone(&handle);
    let greet = move |link: OpenLink| {
        let mover = Arc::clone(&mover);
        async move {
            if link.info().endpoint.host() == "a" {
                mover.get().unwrap().set_endpoint("ws://b/").unwrap();
            }
            Ok::<_, Error>(())
        }
    };
    let (client, _events) = lab.builder().on_open(greet).start();
    handle.set(client.clone()).unwrap();
    let log = record(&client);
    drop(texts(next(&mut peers).await).await);
    let _peer = next(&mut peers).await;
    client.opened().await.unwrap();
    settle().await;
    assert_eq!(*log.lock().unwrap(), ["connecting 1", "open"]);
    assert_eq!(lab.hosts(), "a b");
}
