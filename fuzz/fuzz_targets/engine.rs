//! Any script of calls against an engine.
#![no_main]

use bowline_testkit::fuzz;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::engine(data));
