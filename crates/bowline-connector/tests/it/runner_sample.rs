//! The sample connector, run: two links, one with a handshake of its own, and a hook.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bowline_connector::{
    Plan,
    element::LinkSettings,
    hooks::{HookCall, Hooks},
    machine::Value,
    plan::{
        Action, ActionId, ActionKind, GroupId, LinkId, PairId, ParameterId, QueueVerb, TimerId,
        TimerTime, Trigger, TriggerContent, TriggerId,
    },
    read,
    runner::RunnerOptions,
};

use crate::{
    runner_device::{Device, Habits},
    runner_fixture::{Element, options, put, settings, to},
};

const COMMAND: LinkId = LinkId(0);
const FEED: LinkId = LinkId(1);
const FEED_ENDPOINT: ParameterId = ParameterId(11);
const FEED_ENDPOINT_WRITE: ParameterId = ParameterId(12);
const RECONNECT: ParameterId = ParameterId(14);
const COMMAND_STATE: ParameterId = ParameterId(20);
const FEED_STATE: ParameterId = ParameterId(21);
const FEED_LOSS: ParameterId = ParameterId(22);
const FEED_EVENT: ParameterId = ParameterId(43);
const LEVEL_REPLY: ParameterId = ParameterId(41);
const SUBSCRIBE_REQUEST: ParameterId = ParameterId(42);
const ASK: &str = r#"{"op":"level","tank":3}"#;
const SUBSCRIBE: &str = r#"{"op":"subscribe","topic":"alarms"}"#;
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
    settings.links.insert(COMMAND, to(command.url()));
    settings.parameters.insert(FEED_ENDPOINT, feed.url());
    let count = Arc::default();
    let mut element = Element::of(plan(), settings, &counting(&count));
    assert_eq!(command.tells("opened").await["opened"], "/");
    let opened = feed.tells("opened").await;
    assert_eq!(opened["opened"], "/feed/v1/tanks");
    assert_eq!(opened["headers"].get("authorization"), None);
    assert_eq!(opened["extensions"][0], "PerMessageDeflate");
    assert_eq!(feed.tells("text").await["text"], SUBSCRIBE);
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
    assert_eq!(feed.tells("text").await["text"], SUBSCRIBE);
    let snapshot = element.snapshot().await;
    assert_eq!(snapshot.link(FEED).unwrap().opened, 2);
    let state = snapshot.parameter(COMMAND_STATE).unwrap();
    assert_eq!(state.label.as_deref(), Some("Open"));

    let mut other = device("/feed/v1/tanks").await;
    let moved = element.handle.set(FEED_ENDPOINT_WRITE, other.url()).await;
    moved.unwrap();
    assert_eq!(other.tells("text").await["text"], SUBSCRIBE);
    element.shutdown().await;
}

/// The sample, whose level is asked for at this pace, with a trigger 900 + n that queues group n.
fn callable(pace: Duration, reply_timeout: Duration) -> Plan {
    let mut plan = plan();
    plan.timers.get_mut(TimerId(1)).unwrap().time = TimerTime::Every(pace);
    plan.pairs.get_mut(PairId(1)).unwrap().timeout = Some(reply_timeout);
    for group in 1..=3 {
        let queue = Action {
            name: String::new(),
            kind: ActionKind::Queue(vec![GroupId(group)], QueueVerb::Execute),
            condition: None,
        };
        let trigger = Trigger {
            name: String::new(),
            on: None,
            condition: None,
            content: TriggerContent::Actions(vec![ActionId(900 + group)]),
            otherwise: TriggerContent::default(),
        };
        put(&mut plan.actions, ActionId(900 + group), queue);
        put(&mut plan.triggers, TriggerId(900 + group), trigger);
    }
    plan
}

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn the_timer_asks_a_device_for_the_level_only_while_its_link_is_open() {
    let mut command = device("/").await;
    let mut settings = settings(LinkSettings::default());
    settings.links.insert(COMMAND, to(command.url()));
    let plan = callable(Duration::from_millis(50), HOUR);
    let mut element = Element::of(plan, settings, &options());
    assert_eq!(command.tells("text").await["text"], ASK);
    command.push("71").await;
    element.becomes(LEVEL_REPLY, "71").await;
    assert_eq!(command.tells("text").await["text"], ASK);
    command.push("72").await;
    element.becomes(LEVEL_REPLY, "72").await;
    let close = serde_json::json!({"do": "close", "code": 1001});
    command.tell(close).await;
    element.becomes(COMMAND_STATE, 0.0).await;
    element.becomes(COMMAND_STATE, 1.0).await;
    assert_eq!(command.tells("text").await["text"], ASK);
    let counters = element.snapshot().await.counters;
    assert_eq!(counters.timeouts, 0);
    element.shutdown().await;
}

#[tokio::test]
async fn a_device_that_does_not_answer_is_asked_once_more_and_then_later() {
    let mut command = device("/").await;
    let mut settings = settings(LinkSettings::default());
    settings.links.insert(COMMAND, to(command.url()));
    let plan = callable(HOUR, Duration::from_millis(100));
    let mut element = Element::of(plan, settings, &options());
    element.becomes(COMMAND_STATE, 1.0).await;
    element.handle.fire(TriggerId(901)).await.unwrap();
    // At first, again, and as the trigger on the last timeout has it.
    for timeouts in 0..3 {
        assert_eq!(command.tells("text").await["text"], ASK);
        let counted = element.snapshot().await.counters.timeouts;
        assert!(counted >= timeouts, "{counted} timeouts of {timeouts}");
    }
    command.push("71").await;
    element.becomes(LEVEL_REPLY, "71").await;
    element.shutdown().await;
}

#[tokio::test]
async fn the_wake_command_reaches_a_device_as_three_binary_bytes() {
    let mut feed = device("/feed/v1/tanks").await;
    let mut settings = settings(LinkSettings::default());
    settings.parameters.insert(FEED_ENDPOINT, feed.url());
    let mut element = Element::of(callable(HOUR, HOUR), settings, &options());
    element.becomes(FEED_STATE, 1.0).await;
    element.handle.fire(TriggerId(903)).await.unwrap();
    assert_eq!(feed.tells("binary").await["binary"], "01027f");
    element.shutdown().await;
}

#[tokio::test]
async fn a_request_that_changes_after_it_was_queued_reaches_a_device_as_it_was() {
    let mut command = device("/").await;
    let mut feed = device("/feed/v1/tanks").await;
    let mut settings = settings(LinkSettings::default());
    settings.links.insert(COMMAND, to(command.url()));
    settings.parameters.insert(FEED_ENDPOINT, feed.url());
    let mut element = Element::of(callable(HOUR, HOUR), settings, &options());
    assert_eq!(feed.tells("text").await["text"], SUBSCRIBE);
    // The device sees the link open before the element does.
    element.becomes(COMMAND_STATE, 1.0).await;
    element.handle.fire(TriggerId(901)).await.unwrap();
    assert_eq!(command.tells("text").await["text"], ASK);
    // The level is being asked for, so that the subscription has to wait.
    element.handle.fire(TriggerId(902)).await.unwrap();
    let changed = element.handle.assign(SUBSCRIBE_REQUEST, "changed");
    changed.await.unwrap();
    command.push("71").await;
    assert_eq!(feed.tells("text").await["text"], SUBSCRIBE);
    element.handle.fire(TriggerId(902)).await.unwrap();
    assert_eq!(feed.tells("text").await["text"], "changed");
    element.shutdown().await;
}
