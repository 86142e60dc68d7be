//! Behaviour of the bus, its dialect and the simulated node, seen from outside.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test, as the tests do"
)]

mod bus;
mod clown_talk;
mod model;
mod simulator;
mod topics;
