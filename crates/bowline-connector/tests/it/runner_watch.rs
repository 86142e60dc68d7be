//! Watching elements, large messages, and the end.

use std::time::Duration;

use bowline_connector::{
    element::LinkSettings,
    machine::Value,
    plan::LinkId,
    runner::{Direction, ElementError, ElementEvent, RunnerOptions, ViewLimits, WatchLimits},
};
use serde_json::json;
use tokio::time::sleep;

use crate::{
    runner_device::{Device, Habits, soon},
    runner_fixture::{
        EVENT, Element, LEVEL, LINK, LOSS, SEND_TEXT, STATE, TEXT, options, passed, settings, to,
    },
    runner_server::Server,
};

#[tokio::test]
async fn large_messages_pass_whole_both_ways() {
    let server = Server::echo().await;
    let mut element = Element::start(settings(to(server.url())), &options());
    element.becomes(STATE, 1.0).await;
    for length in [400_000, 16 << 20] {
        let text = "y".repeat(length);
        element.handle.assign(TEXT, text.as_str()).await.unwrap();
        element.handle.fire(SEND_TEXT).await.unwrap();
        let sent = element
            .event(|event| passed(event).filter(|message| message.direction == Direction::Out));
        let sent = sent.await;
        assert_eq!((sent.length, sent.payload.len()), (length, 64 << 10));
        element.becomes(EVENT, text).await;
    }
    element.shutdown().await;
}

#[tokio::test]
async fn a_message_beyond_the_bound_ends_the_link_with_1009() {
    let mut device = Device::start(Habits::default()).await;
    let mut options = options();
    let mut config = (*options.connector.options.config).clone();
    config.limits.message_size_max = 1000;
    options.connector.options.config = config.into();
    let mut element = Element::start(settings(to(device.url())), &options);
    element.becomes(STATE, 1.0).await;
    device
        .tell(json!({"do": "push_long", "length": 1000}))
        .await;
    element.becomes(EVENT, "x".repeat(1000)).await;
    device
        .tell(json!({"do": "push_long", "length": 1001}))
        .await;
    assert_eq!(device.tells("closed").await["closed"], 1009);
    element.becomes(LOSS, 1009.0).await;
    element.becomes(STATE, 1.0).await;
    element.shutdown().await;
}

#[tokio::test]
async fn a_slow_watcher_is_told_what_it_lost_and_nobody_waits_for_it() {
    let options = RunnerOptions {
        watch: WatchLimits {
            events_max: 10,
            ..WatchLimits::default()
        },
        ..options()
    };
    let element = Element::start(settings(LinkSettings::default()), &options);
    // What is told at start is over once this is answered.
    element.snapshot().await;
    let mut slow = element.handle.subscribe();
    for number in 0..100 {
        let value = Value::Number(f64::from(number));
        element.handle.assign(LEVEL, value).await.unwrap();
    }
    assert_eq!(soon(slow.recv()).await, Some(ElementEvent::Lost(90)));
    let next = soon(slow.recv()).await;
    let is_it = matches!(
        next,
        Some(ElementEvent::Changed {
            value: Value::Number(90.0),
            ..
        })
    );
    assert!(is_it, "{next:?}");
    element.shutdown().await;
}

#[tokio::test]
async fn payloads_in_the_stream_view_are_cut() {
    let mut device = Device::start(Habits::default()).await;
    let options = RunnerOptions {
        view: ViewLimits {
            payload_max: 5,
            messages_max: 2,
            bytes_max: 100,
        },
        ..options()
    };
    let mut element = Element::start(settings(to(device.url())), &options);
    element.becomes(STATE, 1.0).await;
    for text in ["first", "second one", "third"] {
        device.push(text).await;
        element.becomes(EVENT, text).await;
    }
    let messages = element.handle.messages().await.unwrap();
    let shown: Vec<_> = messages
        .iter()
        .map(|message| (&message.payload[..], message.length))
        .collect();
    assert_eq!(shown, [(&b"secon"[..], 10), (b"third", 5)]);
    element.shutdown().await;
}

#[tokio::test]
async fn an_element_that_was_shut_down_says_so() {
    let server = Server::echo().await;
    let mut element = Element::start(settings(to(server.url())), &options());
    element.becomes(STATE, 1.0).await;
    let other = element.handle.clone();
    let mut events = other.subscribe();
    soon(element.handle.shutdown()).await;
    soon(element.handle.shutdown()).await;
    let error = other.assign(LEVEL, 1.0).await.unwrap_err();
    assert!(matches!(error, ElementError::Stopped), "{error}");
    let error = other.reconnect(LinkId(9)).await.unwrap_err();
    assert!(matches!(error, ElementError::NoSuchLink(_)), "{error}");
    let mut is_closed = false;
    while let Some(event) = soon(events.recv()).await {
        if let ElementEvent::Changed {
            parameter: STATE,
            value,
            ..
        } = event
        {
            is_closed = value == Value::Number(0.0);
        }
    }
    assert!(is_closed, "the last news is that the link is closed");
    assert_eq!(soon(other.subscribe().recv()).await, None);
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_element() {
    let mut device = Device::start(Habits::default()).await;
    let mut element = Element::start(settings(to(device.url())), &options());
    element.becomes(STATE, 1.0).await;
    let Element { handle, mut events } = element;
    let second = handle.clone();
    drop(handle);
    assert!(second.snapshot().await.unwrap().link(LINK).is_some());
    drop(second);
    assert_eq!(device.tells("closed").await["closed"], 1000);
    while soon(events.recv()).await.is_some() {}
}

#[tokio::test]
async fn messages_that_nobody_reads_hold_the_server_back_in_bounds() {
    let server = Server::echo().await;
    let hooks = bowline_connector::hooks::Hooks::new();
    let hooks = hooks.on(EVENT, |_: &mut bowline_connector::hooks::HookCall<'_>| {
        std::thread::sleep(Duration::from_millis(1));
        Ok(())
    });
    let options = RunnerOptions { hooks, ..options() };
    let mut element = Element::start(settings(to(server.url())), &options);
    element.becomes(STATE, 1.0).await;
    for number in 0..500 {
        let text = format!("{number} {}", "z".repeat(10_000));
        element.handle.assign(TEXT, text).await.unwrap();
        element.handle.fire(SEND_TEXT).await.unwrap();
        if number % 50 == 0 {
            sleep(Duration::from_millis(1)).await;
        }
    }
    let last = format!("499 {}", "z".repeat(10_000));
    element.becomes(EVENT, last).await;
    element.shutdown().await;
}
