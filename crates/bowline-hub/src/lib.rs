//! Hub server that joins browsers, devices and services in one topic space.
//!
//! One port serves HTTP and WebSocket: the page at `/`, and Clown.Talk over WebSocket at
//! `/auth/clown-talk-server` and `/auth/clown-talk-server_base_topic`. A [`Server`] is bound with
//! a [`Config`], then [runs](Server::run) until it is told to stop:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use bowline_hub::{Config, Server};
//!
//! let server = Server::bind(Config::default()).await?;
//! for url in server.urls() {
//!     println!("listening on {url}");
//! }
//! let stop = std::future::pending();
//! server.run(stop).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # How it works
//!
//! The hub has [`Config::workers`] threads, each a runtime with listeners, connections and a copy of
//! the bus of its own; the system spreads the connections over them. Each connection is one task.
//! It reads the request head itself: a WebSocket goes on from there, anything else goes with its
//! first byte to hyper. The sessions of a worker meet in one task, the shard, which owns the
//! worker's [`Bus`](bowline_bus::Bus): connections send it commands through one bounded channel.
//!
//! What sessions publish, the shard hands to the exchange, all of one turn together. The exchange
//! puts it into one order for all workers, and every shard carries it out in that order. So
//! subscribers of all workers hear the same publications of a topic in the same order, and all
//! shards retain the same values: one that subscribes finds them in its own. While a shard is too
//! far behind, the others hand over nothing more, and those who publish wait.
//!
//! A shard writes what is published to the connections of its subscribers, encoded once for all
//! with the same base topic, and once to each connection for all that came in one turn. It never
//! waits for a connection: one that does not read what is sent to it is closed with 1013 when its
//! outbox is full, and finds the retained values again when it comes back.

#![forbid(unsafe_code)]

mod accept;
mod access;
mod command;
mod config;
mod exchange;
mod fan_out;
mod http;
mod hub;
mod listen;
mod members;
#[cfg(test)]
mod model;
mod outbox;
mod page;
mod participant;
mod server;
mod serving;
mod shard;
mod stop;
mod store;
mod talk;
mod worker;

pub use bowline_bus::{Publication, Retain};
pub use config::{Config, ConfigError, Limits};
pub use participant::{Heard, Participant, ParticipantError, Subscription};
pub use server::{RunError, Server, StartError};
pub use stop::Drained;
pub use store::StoreError;
