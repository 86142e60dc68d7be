//! Any stream, whole and in pieces, both roles.
#![no_main]

use bowline_testkit::fuzz;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::frames(data));
