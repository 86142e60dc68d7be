//! The sample connector, run: two links, one with a handshake of its own, and a hook.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bowline_connector::{
    Plan,
    element::LinkSettings,
    hooks::{HookCall, Hooks},
    machine::Value,
    plan::{LinkId, ParameterId, TriggerId},
    read,
    runner::RunnerOptions,
};

use crate::{
    runner_device::{Device, Habits},
    runner_fixture::{Element, options, settings, to},
};

const FEED: LinkId = LinkId(1);
const FEED_ENDPOINT: ParameterId = ParameterId(11);
const FEED_ENDPOINT_WRITE: ParameterId = ParameterId(12);
const RECONNECT: ParameterId = ParameterId(14);
const COMMAND_STATE: ParameterId = ParameterId(20);
const FEED_STATE: ParameterId = ParameterId(21);
const FEED_LOSS: ParameterId = ParameterId(22);
const FEED_EVENT: ParameterId = ParameterId(43);
const FORGET_EVENT: TriggerId = TriggerId(53);

fn plan() -> Plan {
    let sample = include_bytes!("../data/acme-tank.xml");
    read("acme-tank.xml", sample).plan.unwrap()
}

async fn device(path: &'static str) -> Device {
    let habits = Habits {
        path,
        ..Habits::default()
    };
    Device::start(habits).await
}

/// Counts the events, and lets the next equal one count, as the sample's own code does.
fn counting(count: &Arc<AtomicUsize>) -> RunnerOptions {
    let count = Arc::clone(count);
    let hooks = Hooks::new().on(FEED_EVENT, move |call: &mut HookCall<'_>| {
        if !call.bytes(FEED_EVENT)?.is_empty() {
            count.fetch_add(1, Ordering::SeqCst);
            call.fire(FORGET_EVENT)?;
        }
        Ok(())
    });
    RunnerOptions { hooks, ..options() }
}

#[tokio::test]
async fn the_sample_does_with_two_devices_what_it_says() {
    let mut command = device("/").await;
    let mut feed = device("/feed/v1/tanks").await;
    let mut settings = settings(LinkSettings::default());
    settings.links.insert(LinkId(0), to(command.url()));
    settings.parameters.insert(FEED_ENDPOINT, feed.url());
    let count = Arc::default();
    let mut element = Element::of(plan(), settings, &counting(&count));
    assert_eq!(command.tells("opened").await["opened"], "/");
    let opened = feed.tells("opened").await;
    assert_eq!(opened["opened"], "/feed/v1/tanks");
    assert_eq!(opened["headers"].get("authorization"), None);
    assert_eq!(opened["extensions"][0], "PerMessageDeflate");
    let subscribe = r#"{"op":"subscribe","topic":"alarms"}"#;
    assert_eq!(feed.tells("text").await["text"], subscribe);
    element.becomes(FEED_STATE, 1.0).await;

    for _ in 0..2 {
        feed.push("{\"alarm\":7}").await;
        // The hook clears it before it is told.
        element.becomes(FEED_EVENT, Value::Empty).await;
    }
    assert_eq!(count.load(Ordering::SeqCst), 2, "equal events both arrive");

    element.handle.press(RECONNECT).await.unwrap();
    assert_eq!(feed.tells("closed").await["closed"], 1000);
    element.becomes(FEED_LOSS, 1000.0).await;
    element.becomes(FEED_STATE, 0.0).await;
    element.becomes(FEED_STATE, 1.0).await;
    assert_eq!(feed.tells("text").await["text"], subscribe);
    let snapshot = element.snapshot().await;
    assert_eq!(snapshot.link(FEED).unwrap().opened, 2);
    let state = snapshot.parameter(COMMAND_STATE).unwrap();
    assert_eq!(state.label.as_deref(), Some("Open"));

    let mut other = device("/feed/v1/tanks").await;
    let moved = element.handle.set(FEED_ENDPOINT_WRITE, other.url()).await;
    moved.unwrap();
    assert_eq!(other.tells("text").await["text"], subscribe);
    element.shutdown().await;
}
