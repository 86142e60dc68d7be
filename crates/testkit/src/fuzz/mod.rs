//! The bodies of the fuzz targets. Each takes any bytes and panics where a promise is broken.
//!
//! They are functions here so that the fuzzer and the test that replays its corpus call the same.

mod engine;
mod frames;
mod heads;
mod inflate;
mod script;

pub use engine::engine;
pub use frames::frames;
pub use heads::heads;
pub use inflate::inflate;
use script::Script;
