//! Connectors from outside.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test, as the tests do"
)]

mod condition;
mod runner_device;
mod runner_fixture;
mod runner_links;
mod tools;
