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
//! Each connection is one task. It reads the request head itself: a WebSocket goes on from there,
//! anything else goes with its first byte to hyper. All sessions meet in one task, the shard, which
//! owns the [`Bus`](bowline_bus::Bus): connections send it commands through one bounded channel,
//! and it puts what is published into the bounded outbox of each recipient, encoded once for all
//! recipients with the same base topic. The shard never waits for a connection: one that does not
//! read what is sent to it is closed with 1013 when its outbox is full, and finds the retained
//! values again when it comes back.

#![forbid(unsafe_code)]

mod access;
mod config;
mod http;
mod hub;
mod outbox;
mod page;
mod participant;
mod server;
mod shard;
mod stop;
mod store;
mod talk;

pub use bowline_bus::{Publication, Retain};
pub use config::{Config, ConfigError, Limits};
pub use participant::{Heard, Participant, ParticipantError, Subscription};
pub use server::{RunError, Server, StartError};
pub use stop::Drained;
pub use store::StoreError;
