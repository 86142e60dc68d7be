//! The simulated node under a virtual clock.

use std::time::Duration;

use bowline_bus::simulator::Node;

const START: Duration = Duration::from_secs(1000);

fn after(milliseconds: u64) -> Duration {
    START + Duration::from_millis(milliseconds)
}

fn drain(node: &mut Node) -> Vec<(&'static str, String)> {
    std::iter::from_fn(|| node.poll_message())
        .map(|message| (message.topic, message.payload))
        .collect()
}

/// A node that has told its first values and publishes no temperature by itself.
fn quiet_node() -> Node {
    let mut node = Node::new(START, 1);
    node.handle_message(
        START,
        "thermometer/i2c0-48/config/set",
        r#"{"publish-interval": null}"#,
    );
    drain(&mut node);
    node
}

fn celsius(payload: &str) -> f64 {
    let payload: serde_json::Value = serde_json::from_str(payload).unwrap();
    assert_eq!(payload["temperature"][1], "\u{2103}");
    payload["temperature"][0].as_f64().unwrap()
}

#[test]
fn a_new_node_tells_its_relay_and_its_temperature_at_once() {
    let mut node = Node::new(START, 1);
    assert_eq!(node.poll_timeout(), Some(START));
    node.handle_timeout(START);
    let messages = drain(&mut node);
    assert_eq!(
        messages[0],
        ("relay/i2c0-3b", r#"{"state": null}"#.to_owned())
    );
    assert_eq!(messages[1].0, "thermometer/i2c0-48");
    assert_eq!(messages.len(), 2);
}

#[test]
fn the_temperature_changes_every_second_and_the_same_seed_repeats_it() {
    let walk = |seed| {
        let mut node = Node::new(START, seed);
        drain(&mut node);
        let mut values = Vec::new();
        for second in 0..1000 {
            assert_eq!(node.poll_timeout(), Some(after(second * 1000)));
            node.handle_timeout(after(second * 1000));
            values.extend(drain(&mut node).iter().map(|(_, payload)| celsius(payload)));
        }
        values
    };
    let values = walk(7);
    assert_eq!(values.len(), 1000);
    assert!(
        values
            .windows(2)
            .all(|pair| (pair[0] - pair[1]).abs() > 0.001)
    );
    assert!(values.iter().all(|value| (18.0..=29.0).contains(value)));
    assert_eq!(values, walk(7));
    assert_ne!(values, walk(8));
}

#[test]
fn an_early_timeout_does_nothing_and_a_late_one_does_not_catch_up() {
    let mut node = Node::new(START, 1);
    node.handle_timeout(START);
    drain(&mut node);
    node.handle_timeout(after(999));
    assert_eq!(drain(&mut node), []);
    node.handle_timeout(after(60_500));
    assert_eq!(drain(&mut node).len(), 1);
    assert_eq!(node.poll_timeout(), Some(after(61_500)));
}

#[test]
fn the_publish_interval_follows_legal_orders() {
    let mut node = Node::new(START, 1);
    drain(&mut node);
    for (payload, in_force, next) in [
        (r#"{"publish-interval": 5}"#, "5", Some(after(5000))),
        (r#"{"publish-interval": 0.5}"#, "0.5", Some(after(500))),
        (r#"{"publish-interval": 0}"#, "0.5", Some(after(500))),
        (r#"{"publish-interval": -1}"#, "0.5", Some(after(500))),
        (r#"{"publish-interval": 1e99}"#, "0.5", Some(after(500))),
        (r#"{"publish-interval": "x"}"#, "0.5", Some(after(500))),
        ("nonsense", "0.5", Some(after(500))),
        (r#"{"publish-interval": null}"#, "null", None),
    ] {
        for verb in ["set", "update"] {
            let topic = format!("thermometer/i2c0-48/config/{verb}");
            node.handle_message(START, &topic, payload);
            let answer = format!("{{\"publish-interval\": {in_force}}}");
            assert_eq!(
                drain(&mut node),
                [("thermometer/i2c0-48/config/ok", answer)]
            );
            assert_eq!(node.poll_timeout(), next, "{payload}");
        }
    }
    assert_eq!(node.ignored(), 10);
}

#[test]
fn the_relay_obeys_and_answers() {
    let mut node = quiet_node();
    let relay = |payload: &str| vec![("relay/i2c0-3b", payload.to_owned())];
    node.handle_message(START, "relay/i2c0-3b/get", "{}");
    assert_eq!(drain(&mut node), relay(r#"{"state": null}"#));
    node.handle_message(START, "relay/i2c0-3b/set", r#"{"state": true}"#);
    assert_eq!(drain(&mut node), relay(r#"{"state": true}"#));
    node.handle_message(after(100), "relay/i2c0-3b/set", r#"{"state": false}"#);
    assert_eq!(drain(&mut node), relay(r#"{"state": false}"#));
}

#[test]
fn the_relay_clicks_at_most_once_in_a_tenth_of_a_second() {
    let mut node = quiet_node();
    for state in [true, false, true, false] {
        node.handle_message(
            START,
            "relay/i2c0-3b/set",
            &format!("{{\"state\": {state}}}"),
        );
    }
    // The third order asks for what the relay already is, so it is answered at once.
    let told: Vec<_> = drain(&mut node)
        .into_iter()
        .map(|(_, payload)| payload)
        .collect();
    assert_eq!(told, [r#"{"state": true}"#, r#"{"state": true}"#]);
    assert_eq!(node.poll_timeout(), Some(after(100)));
    node.handle_timeout(after(99));
    assert_eq!(drain(&mut node), []);
    node.handle_timeout(after(100));
    assert_eq!(
        drain(&mut node),
        [("relay/i2c0-3b", r#"{"state": false}"#.to_owned())]
    );
    assert_eq!(node.poll_timeout(), None);
}

#[test]
fn the_node_lists_its_devices() {
    let mut node = quiet_node();
    node.handle_message(START, "-/-/config/list", "{}");
    let messages = drain(&mut node);
    assert_eq!(messages[0].0, "-/-/config/list/ok");
    let listed: serde_json::Value = serde_json::from_str(&messages[0].1).unwrap();
    assert_eq!(listed["sensors"][0], "thermometer/i2c0-48");
    assert_eq!(listed["actuators"][0], "relay/i2c0-3b");
}

#[test]
fn what_the_node_does_not_understand_is_counted() {
    let mut node = quiet_node();
    for (topic, payload) in [
        ("relay/i2c0-3b/set", "{}"),
        ("relay/i2c0-3b/set", "nonsense"),
        ("relay/i2c0-3b/set", r#"{"state": 1}"#),
        ("led/-/set", r#"{"state": "on"}"#),
        ("relay/i2c0-3b", r#"{"state": true}"#),
    ] {
        node.handle_message(START, topic, payload);
    }
    assert_eq!(node.ignored(), 5);
    assert_eq!(drain(&mut node), []);
}

#[test]
fn a_node_nobody_drains_keeps_a_bounded_number_of_messages() {
    let mut node = quiet_node();
    for _ in 0..1000 {
        node.handle_message(START, "relay/i2c0-3b/get", "{}");
    }
    assert_eq!(drain(&mut node).len(), 64);
    assert_eq!(node.dropped(), 936);
}
