//! Links of elements to a device on Python's websockets.

use bowline_connector::{
    machine::Level,
    plan::MessageKind,
    runner::{Direction, ElementError, ElementEvent, LinkState},
};
use serde_json::json;

use crate::{
    runner_device::{Device, Habits},
    runner_fixture::{
        BODY, BUTTON, BYTES, ENDPOINT, ENDPOINT_WRITE, EVENT, Element, LINK, LOSS, SEND_BYTES,
        SEND_TEXT, STATE, STATUS_LINE, TEXT, options, passed, settings, to,
    },
};

#[tokio::test]
async fn a_link_opens_with_its_own_handshake_and_messages_pass_both_ways() {
    let mut device = Device::start(Habits::default()).await;
    let mut element = Element::start(settings(to(device.url())), &options());
    let opened = device.tells("opened").await;
    assert_eq!(opened["opened"], "/x-nmos/events/ws");
    assert_eq!(
        opened["headers"]["sec-websocket-extensions"],
        "permessage-deflate; client_max_window_bits"
    );
    element.becomes(STATE, 1.0).await;
    device.push("{\"hello\":1}").await;
    element.becomes(EVENT, "{\"hello\":1}").await;

    element.handle.assign(TEXT, "ask what").await.unwrap();
    element.handle.fire(SEND_TEXT).await.unwrap();
    assert_eq!(device.tells("text").await["text"], "ask what");
    element.becomes(EVENT, "answer what").await;
    element.handle.assign(BYTES, "\u{1}\u{2}").await.unwrap();
    element.handle.fire(SEND_BYTES).await.unwrap();
    assert_eq!(device.tells("binary").await["binary"], "0102");

    element.shutdown().await;
    assert_eq!(device.tells("closed").await["closed"], 1000);
}

#[tokio::test]
async fn a_device_that_dies_is_noticed_and_found_again_when_it_is_back() {
    let device = Device::start(Habits::default()).await;
    let mut element = Element::start(settings(to(device.url())), &options());
    element.becomes(STATE, 1.0).await;
    let port = device.kill().await;
    element.becomes(LOSS, 1006.0).await;
    element.becomes(STATE, 0.0).await;
    let habits = Habits {
        port,
        ..Habits::default()
    };
    let _device = Device::start(habits).await;
    element.becomes(STATE, 1.0).await;
    let link = element.snapshot().await.link(LINK).unwrap().clone();
    assert_eq!((link.state, link.opened), (LinkState::Open, 2));
    element.shutdown().await;
}

#[tokio::test]
async fn setting_the_endpoint_moves_the_link() {
    let mut first = Device::start(Habits::default()).await;
    let mut second = Device::start(Habits::default()).await;
    let mut element = Element::start(settings(to(first.url())), &options());
    element.becomes(STATE, 1.0).await;
    let moved = element.handle.set(ENDPOINT_WRITE, second.url()).await;
    moved.unwrap();
    assert_eq!(first.tells("closed").await["closed"], 1000);
    second.tells("opened").await;
    element.becomes(STATE, 0.0).await;
    element.becomes(STATE, 1.0).await;
    assert_eq!(element.text(ENDPOINT).await, second.url());
    element.shutdown().await;
}

#[tokio::test]
async fn the_button_makes_the_link_anew() {
    let mut device = Device::start(Habits::default()).await;
    let mut element = Element::start(settings(to("ws://127.0.0.1:1")), &options());
    let set = element.handle.set(ENDPOINT_WRITE, device.url()).await;
    set.unwrap();
    device.tells("opened").await;
    element.becomes(STATE, 1.0).await;
    element.handle.press(BUTTON).await.unwrap();
    assert_eq!(device.tells("closed").await["closed"], 1000);
    device.tells("opened").await;
    element.becomes(LOSS, 1000.0).await;
    element.becomes(STATE, 0.0).await;
    element.becomes(STATE, 1.0).await;
    let error = element.handle.press(ENDPOINT_WRITE).await.unwrap_err();
    assert!(matches!(error, ElementError::NotAButton(_)), "{error}");
    element.shutdown().await;
}

#[tokio::test]
async fn the_button_of_the_program_makes_the_link_anew() {
    let mut device = Device::start(Habits::default()).await;
    let mut element = Element::start(settings(to(device.url())), &options());
    element.becomes(STATE, 1.0).await;
    element.handle.reconnect(LINK).await.unwrap();
    assert_eq!(device.tells("closed").await["closed"], 1000);
    element.becomes(STATE, 0.0).await;
    element.becomes(STATE, 1.0).await;
    element.shutdown().await;
}

#[tokio::test]
async fn the_close_code_of_the_device_is_told() {
    let mut device = Device::start(Habits::default()).await;
    let mut element = Element::start(settings(to(device.url())), &options());
    element.becomes(STATE, 1.0).await;
    let close = json!({"do": "close", "code": 4001, "reason": "bye"});
    device.tell(close).await;
    element.becomes(LOSS, 4001.0).await;
    let link = element.snapshot().await.link(LINK).unwrap().clone();
    let loss = link.last_loss.unwrap();
    assert_eq!(loss.code, Some(4001));
    assert!(loss.text.contains("bye"), "{}", loss.text);
    element.becomes(STATE, 1.0).await;
    element.shutdown().await;
}

#[tokio::test]
async fn every_message_is_in_the_stream_view() {
    let mut device = Device::start(Habits::default()).await;
    let mut element = Element::start(settings(to(device.url())), &options());
    element.handle.assign(TEXT, "ask 1").await.unwrap();
    element.handle.fire(SEND_TEXT).await.unwrap();
    element.becomes(STATE, 1.0).await;
    element.handle.fire(SEND_TEXT).await.unwrap();
    element.becomes(EVENT, "answer 1").await;
    device
        .tell(json!({"do": "push_bytes", "hex": "ff00"}))
        .await;
    let binary =
        element.event(|event| passed(event).filter(|message| message.kind == MessageKind::Binary));
    assert_eq!(&binary.await.payload[..], b"\xff\0");
    let messages = element.handle.messages().await.unwrap();
    let seen: Vec<_> = messages
        .iter()
        .map(|message| (message.direction, message.kind, &message.payload[..]))
        .collect();
    let expected = [
        (Direction::Out, MessageKind::Text, &b"ask 1"[..]),
        (Direction::In, MessageKind::Text, b"answer 1"),
        (Direction::In, MessageKind::Binary, b"\xff\0"),
    ];
    assert_eq!(seen, expected);
    element.shutdown().await;
}

#[tokio::test]
async fn a_refusal_is_stored_and_tried_again() {
    let habits = Habits {
        refusal: Some(503),
        ..Habits::default()
    };
    let device = Device::start(habits).await;
    let mut element = Element::start(settings(to(device.url())), &options());
    element
        .becomes(STATUS_LINE, "HTTP/1.1 503 Service Unavailable")
        .await;
    element.becomes(BODY, "go away\n").await;
    element.becomes(STATE, 0.0).await;
    let port = device.kill().await;
    let habits = Habits {
        port,
        ..Habits::default()
    };
    let _device = Device::start(habits).await;
    element
        .becomes(STATUS_LINE, "HTTP/1.1 101 Switching Protocols")
        .await;
    element.becomes(STATE, 1.0).await;
    element.shutdown().await;
}

#[tokio::test]
async fn the_health_follows_the_link() {
    let device = Device::start(Habits::default()).await;
    let mut element = Element::start(settings(to(device.url())), &options());
    element
        .event(|event| {
            let ElementEvent::Health { link, level, .. } = event else {
                return None;
            };
            (link.is_none() && *level == Level::Ok).then_some(())
        })
        .await;
    let snapshot = element.snapshot().await;
    assert_eq!(snapshot.health, Level::Ok);
    assert_eq!(snapshot.link(LINK).unwrap().health, Level::Ok);
    element.shutdown().await;
}
