//! A small `BigClown` node without hardware: a thermometer that publishes and a relay that obeys.

mod relay;
mod thermometer;

use std::{collections::VecDeque, time::Duration};

use serde_json::Value;

use crate::simulator::{relay::Relay, thermometer::Thermometer};

/// One message of a node: a topic relative to the node, and JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeMessage {
    /// Where it is published.
    pub topic: &'static str,
    /// The value, as JSON text.
    pub payload: String,
}

/// A node, driven from outside.
///
/// Messages from the bus go in through [`handle_message`](Self::handle_message), the passing of time
/// through [`handle_timeout`](Self::handle_timeout). After each of them the caller drains
/// [`poll_message`](Self::poll_message) and asks [`poll_timeout`](Self::poll_timeout) for the next
/// deadline. Times are durations since any moment the caller likes.
#[derive(Debug)]
pub struct Node {
    thermometer: Thermometer,
    relay: Relay,
    outbox: VecDeque<NodeMessage>,
    ignored: u64,
    dropped: u64,
}

impl Node {
    /// Makes a node that publishes its temperature and its relay's unknown state at once.
    ///
    /// The same seed gives the same temperatures.
    pub fn new(now: Duration, seed: u64) -> Self {
        let mut node = Self {
            thermometer: Thermometer::new(now, seed),
            relay: Relay::default(),
            outbox: VecDeque::new(),
            ignored: 0,
            dropped: 0,
        };
        node.send(RELAY, node.relay.state_payload());
        node
    }

    /// Returns the number of messages the node did not understand.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Returns the number of messages lost because the caller did not drain the node in time.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes a message from the bus; what the node does not understand it counts and ignores.
    pub fn handle_message(&mut self, now: Duration, topic: &str, payload: &str) {
        match topic {
            "relay/i2c0-3b/set" => self.set_relay(now, payload),
            "relay/i2c0-3b/get" => self.send(RELAY, self.relay.state_payload()),
            "thermometer/i2c0-48/get" => self.send(THERMOMETER, self.thermometer.payload()),
            "thermometer/i2c0-48/config/get" => self.send_thermometer_config(),
            "thermometer/i2c0-48/config/set" | "thermometer/i2c0-48/config/update" => {
                self.configure_thermometer(now, payload);
            }
            "-/-/config/list" => self.send("-/-/config/list/ok", DEVICES.to_owned()),
            _ => self.ignored += 1,
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.thermometer.handle_timeout(now) {
            self.send(THERMOMETER, self.thermometer.payload());
        }
        if self.relay.handle_timeout(now) {
            self.send(RELAY, self.relay.state_payload());
        }
    }

    /// Returns the next message to publish.
    pub fn poll_message(&mut self) -> Option<NodeMessage> {
        self.outbox.pop_front()
    }

    /// Returns when [`handle_timeout`](Self::handle_timeout) is to be called next.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let deadlines = [self.thermometer.deadline(), self.relay.deadline()];
        deadlines.into_iter().flatten().min()
    }

    fn set_relay(&mut self, now: Duration, payload: &str) {
        let Some(closed) = member(payload, "state").and_then(|state| state.as_bool()) else {
            self.ignored += 1;
            return;
        };
        if self.relay.set(now, closed) {
            self.send(RELAY, self.relay.state_payload());
        }
    }

    /// Follows a new publish interval, if it is a legal one, and tells the one in force.
    fn configure_thermometer(&mut self, now: Duration, payload: &str) {
        let is_legal = match member(payload, "publish-interval") {
            Some(Value::Null) => self.thermometer.set_interval(now, None),
            Some(Value::Number(seconds)) => self.thermometer.set_interval(now, seconds.as_f64()),
            None | Some(Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
                false
            }
        };
        if !is_legal {
            self.ignored += 1;
        }
        self.send_thermometer_config();
    }

    fn send_thermometer_config(&mut self) {
        self.send(
            "thermometer/i2c0-48/config/ok",
            self.thermometer.config_payload(),
        );
    }

    /// Queues a message; when the queue is full the oldest one is dropped, since the newest state
    /// is the one that counts.
    fn send(&mut self, topic: &'static str, payload: String) {
        if self.outbox.len() >= OUTBOX_COUNT_MAX {
            self.outbox.pop_front();
            self.dropped += 1;
        }
        self.outbox.push_back(NodeMessage { topic, payload });
    }
}

/// Returns one member of a JSON object.
fn member(payload: &str, name: &str) -> Option<Value> {
    let mut value: Value = serde_json::from_str(payload).ok()?;
    value.get_mut(name).map(Value::take)
}

/// Messages a node keeps for a caller that does not drain it.
const OUTBOX_COUNT_MAX: usize = 64;

const RELAY: &str = "relay/i2c0-3b";
const THERMOMETER: &str = "thermometer/i2c0-48";

/// Answer to the question which devices there are.
const DEVICES: &str =
    r#"{"sensors": ["thermometer/i2c0-48"], "actuators": ["relay/i2c0-3b"], "notifications": []}"#;
