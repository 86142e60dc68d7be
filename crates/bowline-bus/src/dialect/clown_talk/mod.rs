//! Clown.Talk: one `["topic", payload]` array a line.
//!
//! A session sees the bus through a [`Window`]: the topics under one base topic, told relative to
//! it. The caller splits each message into [`lines`], gives every line to [`Session::receive`] and
//! does what [`Received`] says; publications of the bus go out through [`Window::outward`] and
//! [`encode`], once for all sessions with the same window.
//!
//! A line that is not understood is counted and ignored. It never ends the session.
//!
//! ```
//! use bowline_bus::{TopicLimits, dialect::clown_talk::{self, Options, Received, Session, Window}};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let limits = TopicLimits::default();
//! let window = Window::from_program("clown-talk-server_nodes_bridge_0", &limits)?;
//! let mut session = Session::new(window, limits, Options::default());
//!
//! for line in clown_talk::lines("[\"relay/i2c0-3b/set\", {\"state\": true}]\n") {
//!     let Received::Publish { publication, .. } = session.receive(line) else {
//!         continue;
//!     };
//!     assert_eq!(publication.topic.as_str(), "nodes/bridge/0/relay/i2c0-3b/set");
//! }
//! # Ok(())
//! # }
//! ```

mod message;
mod retain;
mod session;
mod window;

pub use message::{
    EncodeError, Line, Malformed, Message, ParseLimits, PayloadMode, encode, lines, parse,
};
pub use retain::{RetainPolicy, is_state_topic};
pub use session::{Counters, Device, Options, Received, Session, StartMode};
pub use window::{Window, WindowError};
