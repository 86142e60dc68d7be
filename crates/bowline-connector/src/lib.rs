//! Connectors: a device's WebSocket API, declared in XML, running without code.
//!
//! A connector goes through three forms, each checked before the next:
//!
//! ```text
//! XML text --> Document --> Plan --> Machine (pure)  --> Runner (tokio, links, files, hooks)
//!              positions    typed    time and bytes in,
//!                           ids      effects out
//! ```
//!
//! * A [`Plan`] is what the XML says, with every reference resolved and every number in range.
//! * A [`machine`] holds the values of one element (a running connector) and the rules of its
//!   format. It opens no socket and reads no clock.
//! * The runner gives a machine its links, its time, its saved values and its code hooks.

#![forbid(unsafe_code)]

mod document;
mod turn;

pub mod diagnostic;
pub mod element;
pub mod hooks;
pub mod machine;
pub mod plan;
pub mod record;
pub mod replay;
pub mod runner;
pub mod store;
pub mod vocabulary;

pub use document::ReadLimits;
pub use element::ElementSettings;
pub use plan::{Plan, Reading, read, read_with};
pub use runner::Runner;
pub use store::Store;
