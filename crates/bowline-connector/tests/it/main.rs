//! Connectors from outside.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test, as the tests do"
)]

mod condition;
mod diagnostics;
mod excerpts;
mod machine;
mod parts;
mod promises;
mod properties;
mod reference;
mod replay;
mod runner_device;
mod runner_fixture;
mod runner_handshake;
mod runner_hooks;
mod runner_links;
mod runner_reconnect;
mod runner_sample;
mod runner_saved;
mod runner_seeds;
mod runner_server;
mod runner_watch;
mod sample;
mod tools;
