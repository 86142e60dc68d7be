//! Topic bus as a pure state machine, and the dialects spoken over it.
//!
//! Nothing here opens a socket, reads a clock or draws a random number: bytes, time and seeds are
//! arguments, so the whole crate runs the same way in a test as in a server.
//!
//! # The bus
//!
//! A [`Bus`] holds sessions, their subscriptions and the retained last value of each topic. The
//! caller attaches a session for each connection, subscribes it to [`TopicFilter`]s and publishes
//! [`Publication`]s. One publication gives one [`Delivery`] for the whole fan-out: the publication
//! itself and the sessions it goes to, each once. The caller encodes it once and queues it many
//! times.
//!
//! ```
//! use bowline_bus::{Bus, Limits, Publication, PublishOptions, Topic, TopicFilter};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let limits = Limits::default();
//! let mut bus = Bus::new(limits);
//! let page = bus.attach()?;
//! bus.subscribe(page, TopicFilter::parse("nodes/+/relay/#", &limits.topic)?)?;
//!
//! let publication = Publication {
//!     topic: Topic::parse("nodes/0/relay/a", &limits.topic)?,
//!     payload: "true".into(),
//! };
//! let delivery = bus.publish(publication, PublishOptions::default())?;
//! assert_eq!(delivery.recipients, [page]);
//! # Ok(())
//! # }
//! ```
//!
//! # Dialects
//!
//! A dialect is one wire language spoken to the bus: a codec and the state of one session.
//! [`dialect::clown_talk`] speaks `["topic", payload]` lines.
//!
//! # Simulator
//!
//! [`simulator`] models a small `BigClown` node, for demonstrations and tests without hardware.

#![forbid(unsafe_code)]

pub mod bus;
pub mod dialect;
mod error;
mod filter;
mod limits;
pub mod simulator;
mod topic;

pub use bus::{
    Bus, Counters, Delivery, Echo, Publication, PublishOptions, Retain, Retention, SessionId,
    Storage,
};
pub use error::BusError;
pub use filter::{FilterLevel, TopicFilter};
pub use limits::{Limits, TopicLimits};
pub use topic::{Topic, TopicError};
