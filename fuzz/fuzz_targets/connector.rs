//! Any bytes as a connector file.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/bowline-connector/tests/it/promises.rs"]
mod promises;

fuzz_target!(|data: &[u8]| promises::check(data));
