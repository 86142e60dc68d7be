//! The same client as a stream and sink, and by handlers.

use std::sync::{Arc, Mutex};

use bowline::{
    CloseCode, Message,
    managed::{DeliveryStatus, DropReason, Handlers, NotSent, OutboxOptions},
};
use futures_util::{SinkExt, StreamExt};

use super::{Lab, Outcome, next, text};
use crate::ends::{poll_times, settle, soon};

#[tokio::test(start_paused = true)]
async fn messages_come_as_a_stream_over_all_links() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let (client, events) = lab.start();
    let mut messages = events.messages();
    for round in 0..3 {
        let mut peer = next(&mut peers).await;
        peer.send(format!("{round}")).await.unwrap();
        let message = soon(messages.next()).await.unwrap();
        assert_eq!(message, Message::text(round.to_string()));
    }
    soon(client.close(CloseCode::NORMAL, "")).await.unwrap();
    assert_eq!(soon(messages.next()).await, None);
    assert_eq!(soon(messages.recv()).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_sink_waits_for_room_and_flushes_to_the_stream() {
    let (lab, mut peers) = Lab::new(&[Outcome::Hang], Outcome::Link);
    let options = OutboxOptions {
        messages_max: 2,
        ..OutboxOptions::default()
    };
    let (client, _events) = lab.builder().with_outbox(options).start();
    let mut sink = client.sink();
    sink.feed(Message::text("1")).await.unwrap();
    sink.feed(Message::text("2")).await.unwrap();
    assert!(poll_times(3, sink.feed(Message::text("3"))).await.is_none());
    assert!(poll_times(3, sink.flush()).await.is_none());
    settle().await;
    client.reconnect();
    let mut peer = next(&mut peers).await;
    soon(sink.send(Message::text("4"))).await.unwrap();
    for number in ["1", "2", "4"] {
        assert_eq!(text(&mut peer).await, number);
    }
    client.begin_close(CloseCode::NORMAL, "").unwrap();
    let refused = soon(sink.send(Message::text("5"))).await;
    let closed = DeliveryStatus::Dropped(DropReason::Closed);
    assert_eq!(refused, Err(NotSent(closed)));
}

#[tokio::test(start_paused = true)]
async fn handlers_are_called_for_the_four_events_and_can_send() {
    let (lab, mut peers) = Lab::new(&[Outcome::Fail], Outcome::Link);
    let log = Arc::new(Mutex::new(Vec::new()));
    let note = |log: &Arc<Mutex<Vec<String>>>| {
        let log = Arc::clone(log);
        move |word: String| log.lock().unwrap().push(word)
    };
    let (open, message, error, close) = (note(&log), note(&log), note(&log), note(&log));
    let handlers = Handlers::new()
        .on_open(move |client, info| {
            open(format!("open {}", info.attempt));
            client.send("hello");
        })
        .on_message(move |client, received| {
            message(format!("message {}", received.as_text().unwrap()));
            client.send(received);
        })
        .on_error(move |_, failure| error(failure.to_string()))
        .on_close(move |_, ending| close(format!("close {}", ending.code.0)));
    let client = lab.builder().start_with(handlers);
    for round in 0..2 {
        let mut peer = next(&mut peers).await;
        assert_eq!(text(&mut peer).await, "hello");
        peer.send(format!("{round}")).await.unwrap();
        assert_eq!(text(&mut peer).await, round.to_string());
        peer.close(CloseCode::GOING_AWAY, "").await.unwrap();
    }
    let peer = next(&mut peers).await;
    settle().await;
    drop(client);
    assert_eq!(super::texts(peer).await, ["hello"]);
    settle().await;
    let log = log.lock().unwrap();
    assert!(log[0].starts_with("cannot connect"), "{log:?}");
    let expected =
        "open 2, message 0, close 1001, open 3, message 1, close 1001, open 4, close 1000";
    assert_eq!(log[1..].join(", "), expected);
}

#[tokio::test(start_paused = true)]
async fn a_handler_can_close_and_the_button_wakes_the_handlers_again() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let handlers = Handlers::new().on_message(|client, _| {
        client.begin_close(CloseCode::NORMAL, "enough").unwrap();
    });
    let client = lab.builder().start_with(handlers);
    for _ in 0..2 {
        let mut peer = next(&mut peers).await;
        soon(client.opened()).await.unwrap();
        peer.send("stop").await.unwrap();
        assert_eq!(soon(peer.recv()).await, None);
        assert_eq!(&*peer.ending().unwrap().reason, "enough");
        settle().await;
        assert!(client.state().is_closed());
        client.reconnect();
    }
}
