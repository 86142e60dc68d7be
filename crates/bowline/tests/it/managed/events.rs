//! What arrives, and how much of it waits.

use bowline::{
    Message, ReceiveLimits, ReceiveMark,
    managed::{ClientEvent, ClientEvents},
};

use super::{Lab, Outcome, next};
use crate::ends::{poll_times, settle, soon};

fn limits() -> ReceiveLimits {
    let mark = |messages| ReceiveMark {
        messages,
        bytes: 1 << 20,
    };
    ReceiveLimits {
        warn: mark(5),
        stop: mark(10),
    }
}

#[tokio::test(start_paused = true)]
async fn an_application_that_does_not_take_messages_holds_the_server_up() {
    let (lab, mut peers) = Lab::with_room(&[], Outcome::Link, 1000);
    let (client, mut events) = lab.builder().with_receive_limits(limits()).start();
    let mut peer = next(&mut peers).await;
    client.opened().await.unwrap();
    let sending = tokio::spawn(async move {
        for number in 0..1000 {
            peer.send(format!("{number:0>100}")).await.unwrap();
        }
        peer
    });
    settle().await;
    assert!(!sending.is_finished(), "the server waits");
    let waiting = events.waiting();
    assert_eq!(
        (waiting.messages, waiting.warnings, waiting.stops),
        (10, 1, 1)
    );
    let mut expected = 0;
    while expected < 1000 {
        if let ClientEvent::Message(message) = soon(events.recv()).await.unwrap() {
            assert_eq!(message, Message::text(format!("{expected:0>100}")));
            expected += 1;
        }
    }
    drop(sending.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn bytes_bind_as_well_as_messages() {
    let (lab, mut peers) = Lab::with_room(&[], Outcome::Link, 1 << 20);
    let mark = ReceiveMark {
        messages: 1000,
        bytes: 5000,
    };
    let limits = ReceiveLimits {
        warn: mark,
        stop: mark,
    };
    let (client, events) = lab.builder().with_receive_limits(limits).start();
    let mut peer = next(&mut peers).await;
    client.opened().await.unwrap();
    for _ in 0..100 {
        peer.feed(vec![0; 1000]).await.unwrap();
    }
    peer.flush().await.unwrap();
    settle().await;
    drop(peer);
    settle().await;
    assert_eq!(lab.attempts(), 1, "the end comes behind what was not taken");
    drop(events);
    let _peer = next(&mut peers).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_listening_means_that_everything_is_discarded_and_the_link_lives() {
    let (lab, mut peers) = Lab::with_room(&[], Outcome::Link, 1000);
    let (client, events) = lab.builder().with_receive_limits(limits()).start();
    drop(events);
    let mut peer = next(&mut peers).await;
    for _ in 0..1000 {
        soon(peer.send(vec![0; 100])).await.unwrap();
    }
    client.opened().await.unwrap();
    client.send("still here");
    assert_eq!(super::text(&mut peer).await, "still here");
}

#[tokio::test(start_paused = true)]
async fn messages_are_never_pushed_out_by_transitions_and_those_are_bounded() {
    let (lab, mut peers) = Lab::new(&[Outcome::Link], Outcome::Fail);
    let (_client, mut events) = lab.start();
    let mut peer = next(&mut peers).await;
    peer.send("kept").await.unwrap();
    drop(peer);
    tokio::time::sleep(std::time::Duration::from_hours(10)).await;
    assert!(lab.attempts() > 100);
    let mut transitions = 0;
    let mut messages = Vec::new();
    while let Some(event) = poll_times(1, events.recv()).await.flatten() {
        match event {
            ClientEvent::Message(message) => messages.push(message),
            ClientEvent::Open(_) | ClientEvent::LinkClosed(_) => panic!("the oldest give way"),
            ClientEvent::Failed(_) | ClientEvent::Waiting { .. } => transitions += 1,
        }
    }
    assert_eq!(messages, [Message::text("kept")]);
    assert_eq!(transitions, ClientEvents::TRANSITIONS_MAX);
}
