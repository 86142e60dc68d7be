//! What one session has said and may do.

use std::sync::Arc;

use serde_json::json;

use crate::{
    bus::{Publication, Retain},
    dialect::clown_talk::{
        Window,
        message::{Line, Malformed, Message, ParseLimits, encode, parse},
        retain::RetainPolicy,
        window::WindowError,
    },
    limits::TopicLimits,
};

/// Knobs of a [`Session`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which payloads are understood, and the bounds of a line.
    pub parse: ParseLimits,
    /// Whether the session talks before the init message.
    pub start: StartMode,
    /// Which values are retained.
    pub retain: RetainPolicy,
    /// What the answer to the init message tells.
    pub device: Device,
}

/// Says when a session begins to talk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StartMode {
    /// At once.
    #[default]
    Relaxed,
    /// After the init message; messages before it are ignored.
    Strict,
}

/// What the answer to the init message tells about this end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Kind of device. Default `bridge`.
    pub name: String,
    /// Version of the capabilities. Default 1.
    pub capabilities: u32,
    /// Date and time of the firmware, as text. Default empty.
    pub firmware_datetime: String,
    /// Release of the firmware. Default the version of this crate.
    pub firmware_release: String,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            name: "bridge".to_owned(),
            capabilities: 1,
            firmware_datetime: String::new(),
            firmware_release: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Counts what a session received. Each line is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages to publish.
    pub messages: u64,
    /// Init messages.
    pub inits: u64,
    /// Log lines.
    pub log_lines: u64,
    /// Lines that were not understood.
    pub malformed: u64,
}

/// What the caller does about one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Publishes this, in the name of the session.
    Publish {
        /// The value, under its full topic.
        publication: Publication,
        /// What becomes of the retained value.
        retain: Retain,
    },
    /// Sends this answer to an init message.
    ///
    /// When the session was strict and silent, it now [talks](Session::is_talking): the caller
    /// subscribes it and sends the retained values after the answer.
    Init {
        /// The line to send.
        reply: String,
    },
    /// Nothing: the line was empty or a log line.
    Skipped,
    /// Nothing: the line was not understood. It may be logged.
    Malformed(Malformed),
}

/// One peer that speaks Clown.Talk.
#[derive(Clone, Debug)]
pub struct Session {
    window: Window,
    limits: TopicLimits,
    options: Arc<Options>,
    initialised: bool,
    counters: Counters,
}

impl Session {
    /// Makes the session of a peer that has said nothing yet. Sessions may share their options.
    pub fn new(window: Window, limits: TopicLimits, options: impl Into<Arc<Options>>) -> Self {
        Self {
            window,
            limits,
            options: options.into(),
            initialised: false,
            counters: Counters::default(),
        }
    }

    /// Returns the part of the bus the peer sees.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Returns what the session has counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Says whether publications go to the peer: always when relaxed, else after the init message.
    pub fn is_talking(&self) -> bool {
        self.initialised || self.options.start == StartMode::Relaxed
    }

    /// Takes one line from the peer and says what to do about it.
    pub fn receive(&mut self, line: &str) -> Received {
        let message = match parse(line, &self.options.parse) {
            Ok(Line::Empty) => return Received::Skipped,
            Ok(Line::Log(_)) => {
                self.counters.log_lines += 1;
                return Received::Skipped;
            }
            Ok(Line::Message(message)) => message,
            Err(malformed) => return self.refuse(malformed),
        };
        if let Some((_, topic)) = INITS.iter().find(|(init, _)| *init == message.topic) {
            self.counters.inits += 1;
            self.initialised = true;
            return Received::Init {
                reply: self.init_reply(topic),
            };
        }
        if !self.is_talking() {
            return self.refuse(Malformed::BeforeInit);
        }
        self.publish(&message)
    }

    /// Counts a message that could not even be split into lines, for instance because it is not
    /// UTF-8.
    pub fn refuse(&mut self, malformed: Malformed) -> Received {
        self.counters.malformed += 1;
        Received::Malformed(malformed)
    }

    fn publish(&mut self, message: &Message<'_>) -> Received {
        let topic = match self.window.inward(&message.topic, &self.limits) {
            Ok(topic) => topic,
            Err(WindowError::Topic(error)) => return self.refuse(error.into()),
            Err(WindowError::Reserved | WindowError::OtherProgram) => {
                return self.refuse(Malformed::Reserved);
            }
        };
        self.counters.messages += 1;
        Received::Publish {
            retain: self.options.retain.decide(&message.topic, message.payload),
            publication: Publication {
                topic,
                payload: message.payload.to_owned().into(),
            },
        }
    }

    fn init_reply(&self, topic: &str) -> String {
        let device = &self.options.device;
        let payload = json!({
            "ack": false,
            "device": device.name,
            "capabilities": device.capabilities,
            "firmware-datetime": device.firmware_datetime,
            "firmware-release": device.firmware_release,
        });
        encode(topic, payload.to_string().as_bytes()).expect("a JSON value written as text is JSON")
    }
}

/// Topics of init messages, each with the topic of its answer; the second is the older form.
const INITS: [(&str, &str); 2] = [
    ("clown.talk/-/config/set", "clown.talk/-/config/ok"),
    ("$config/clown.talk/-/create", "$config/clown.talk/-"),
];
