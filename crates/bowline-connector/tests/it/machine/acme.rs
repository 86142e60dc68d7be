//! The sample connector, read from its file and driven by hand: what it must show.

use std::time::Duration;

use bowline_connector::{
    machine::{AlarmLevel, Effect, Value},
    plan::{ActionId, GroupId, LinkId, MessageKind, ParameterId, Plan, TriggerId},
};
use bytes::Bytes;

use super::sketch::{Bench, settings, words};

const COMMAND: u32 = 0;
const FEED: u32 = 1;
const LEVEL_REQUEST: &str = r#"{"op":"level","tank":3}"#;
const SUBSCRIBE: &str = r#"{"op":"subscribe","topic":"alarms"}"#;

fn plan() -> Plan {
    let file = include_bytes!("../../data/acme-tank.xml");
    let reading = bowline_connector::read("acme-tank.xml", file);
    reading.plan.expect("the sample is without errors")
}

/// Starts the sample against 127.0.0.1, without settings for the feed.
fn start_with(adjust: impl Fn(&mut Plan)) -> Bench {
    let mut plan = plan();
    adjust(&mut plan);
    let mut settings = settings(&plan);
    settings.links.remove(&LinkId(FEED));
    let command = settings.links.get_mut(&LinkId(COMMAND)).unwrap();
    command.endpoints = vec!["ws://127.0.0.1".to_owned()];
    let mut bench = Bench::new(plan, settings, []);
    bench.machine.start(bench.now);
    bench
}

fn start() -> Bench {
    start_with(|_| {})
}

/// What the code of the connector was meant to do: it fires trigger 53.
fn run_code(bench: &mut Bench, parameter: ParameterId) {
    if parameter == ParameterId(43) {
        assert!(
            matches!(bench.value(43), Value::Bytes(_)),
            "it is given raw bytes"
        );
        bench.machine.fire(TriggerId(53), bench.now).unwrap();
    }
}

#[test]
fn it_asks_for_both_links_by_the_values_of_the_start() {
    let mut bench = start();
    let effects = bench.effects();
    let opened: Vec<_> = effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Open(_)))
        .collect();
    assert_eq!(
        opened,
        [&Effect::Open(LinkId(COMMAND)), &Effect::Open(LinkId(FEED))]
    );
    let command = bench.machine.attempt(LinkId(COMMAND)).unwrap();
    assert_eq!(command.url, "ws://127.0.0.1:9001/");
    assert_eq!(command.headers, []);
    let feed = bench.machine.attempt(LinkId(FEED)).unwrap();
    assert_eq!(feed.url, "ws://192.0.2.40:9002/feed/v1/tanks");
    let offer = b"permessage-deflate; client_max_window_bits".to_vec();
    let extensions = ("Sec-WebSocket-Extensions".to_owned(), offer);
    assert_eq!(
        feed.headers,
        [extensions],
        "no Authorization without a value"
    );
}

#[test]
fn the_feed_is_subscribed_to_when_it_opens_and_its_messages_reach_the_code_raw() {
    let mut bench = start();
    bench.effects();
    bench.open(FEED);
    assert_eq!(bench.value(21), &Value::Number(1.0));
    let sent = bench.sent();
    assert_eq!(sent, [(FEED, MessageKind::Text, Bytes::from(SUBSCRIBE))]);
    let raw = Bytes::from_static(&[0x7B, 0xC3, 0xBC, 0xFF]);
    let kind = MessageKind::Binary;
    bench
        .machine
        .handle_message(LinkId(FEED), kind, raw.clone(), bench.now);
    assert_eq!(bench.value(43), &Value::Bytes(raw));
    assert_eq!(bench.hooks(), [43]);
}

#[test]
fn the_level_is_asked_for_every_ten_seconds_while_the_link_is_open() {
    let mut bench = start();
    bench.effects();
    bench.pass(25_000);
    assert_eq!(
        bench.payloads(),
        Vec::<String>::new(),
        "parameter 20 is not 1"
    );
    bench.open(COMMAND);
    bench.pass(5_000);
    assert_eq!(
        bench.sent(),
        [(COMMAND, MessageKind::Text, Bytes::from(LEVEL_REQUEST))]
    );
    bench.receive(COMMAND, r#"{"level":71}"#);
    assert_eq!(bench.value(41), &words(r#"{"level":71}"#));
    bench.pass(9_999);
    assert_eq!(bench.payloads(), Vec::<String>::new());
    bench.pass(1);
    assert_eq!(bench.payloads(), [LEVEL_REQUEST]);
    bench.pass(2_999);
    assert_eq!(bench.payloads(), Vec::<String>::new());
    bench.pass(1);
    assert_eq!(bench.payloads(), [LEVEL_REQUEST], "one resend");
    assert_eq!(bench.machine.queue_len(), 0);
    bench.pass(3_000);
    assert_eq!(bench.payloads(), Vec::<String>::new());
    bench.pass(75);
    assert_eq!(
        bench.payloads(),
        [LEVEL_REQUEST],
        "trigger 55 queued it again"
    );
    assert_eq!(bench.machine.counters().timeouts, 2);
    bench.close(COMMAND, None);
    assert_eq!(
        bench.machine.alarm(ParameterId(20)),
        Some(AlarmLevel::Critical)
    );
    assert_eq!(bench.machine.display(ParameterId(20)), "Closed");
    bench.pass(60_000);
    assert_eq!(bench.payloads(), Vec::<String>::new());
}

#[test]
fn two_equal_pushes_both_reach_the_code_because_both_memories_are_cleared() {
    for (clears_parameter, clears_response, expected) in
        [(true, true, 2), (true, false, 1), (false, true, 1)]
    {
        let mut bench = start_with(|plan| {
            let trigger = |id| TriggerId(if id == 53 { 53 } else { 56 });
            for (id, is_kept) in [(53, clears_parameter), (56, clears_response)] {
                if !is_kept && let Some(trigger) = plan.triggers.get_mut(trigger(id)) {
                    trigger.content = bowline_connector::plan::TriggerContent::Actions(Vec::new());
                }
            }
        });
        bench.code = run_code;
        bench.open(FEED);
        bench.effects();
        bench.receive(FEED, "alarm");
        bench.receive(FEED, "alarm");
        assert_eq!(
            bench.hooks(),
            vec![43; expected],
            "{clears_parameter} {clears_response}"
        );
    }
}

#[test]
fn the_button_closes_the_feed_and_opens_it_again() {
    let mut bench = start();
    bench.open(FEED);
    bench.effects();
    bench
        .machine
        .set_by_person(ParameterId(14), "Reconnect", bench.now)
        .unwrap();
    assert_eq!(bench.value(13), &words("ws://192.0.2.40:9002"));
    let effects = bench.effects();
    let reopened = effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Reopen(LinkId(FEED))));
    assert_eq!(reopened.count(), 1, "{effects:?}");
    bench.close(FEED, Some(1000));
    assert_eq!(bench.value(22), &Value::Number(1000.0));
    assert_eq!(bench.changes(21), [Value::Number(0.0)]);
    bench.open(FEED);
    assert_eq!(bench.changes(21), [Value::Number(1.0)]);
}

#[test]
fn the_wake_command_leaves_as_three_binary_bytes() {
    use bowline_connector::plan::{Action, ActionKind, QueueVerb, Trigger, TriggerContent};
    let mut bench = start_with(|plan| {
        let queue = Action {
            name: String::new(),
            kind: ActionKind::Queue(vec![GroupId(3)], QueueVerb::Execute),
            condition: None,
        };
        let call = Trigger {
            name: String::new(),
            on: None,
            condition: None,
            content: TriggerContent::Actions(vec![ActionId(900)]),
            otherwise: TriggerContent::default(),
        };
        plan.actions.insert(ActionId(900), queue).unwrap();
        plan.triggers.insert(TriggerId(900), call).unwrap();
    });
    bench.open(FEED);
    bench.effects();
    bench.fire(900);
    let wake = Bytes::from_static(&[1, 2, 0x7F]);
    assert_eq!(bench.sent(), [(FEED, MessageKind::Binary, wake)]);
}

#[test]
fn a_request_that_changes_after_it_was_queued_leaves_as_it_was() {
    let mut bench = start();
    bench.open(COMMAND);
    bench.pass(10_000);
    // The level is being asked for, so that the subscription has to wait.
    bench.effects();
    bench.open(FEED);
    assert_eq!(bench.machine.queued().collect::<Vec<_>>(), [GroupId(2)]);
    bench.set(42, words("changed"));
    assert_eq!(bench.payloads(), Vec::<String>::new());
    bench.receive(COMMAND, "71");
    bench.pass(75);
    assert_eq!(bench.payloads(), [SUBSCRIBE]);
}

#[test]
fn a_set_of_the_write_parameter_becomes_the_endpoint_and_is_saved() {
    let mut bench = start();
    bench.open(FEED);
    bench.effects();
    let there = "ws://192.0.2.41:9002";
    for _ in 0..2 {
        bench
            .machine
            .set_by_person(ParameterId(12), there, bench.now)
            .unwrap();
        let effects = bench.effects();
        let reopen = Effect::Reopen(LinkId(FEED));
        let save = Effect::Save(ParameterId(11), words(there));
        assert!(
            effects.contains(&reopen) && effects.contains(&save),
            "{effects:?}"
        );
    }
    let attempt = bench.machine.attempt(LinkId(FEED)).unwrap();
    assert_eq!(attempt.url, "ws://192.0.2.41:9002/feed/v1/tanks");
}

#[test]
fn the_sample_has_the_times_that_its_file_says() {
    let plan = plan();
    let pair = plan.pairs.get(bowline_connector::plan::PairId(1)).unwrap();
    assert_eq!(pair.timeout, Some(Duration::from_secs(3)));
    assert_eq!(pair.retries, Some(1));
}
