//! What the benchmarks share: payloads, a stream in memory, the libraries, the table of ratios.

pub mod clock;
pub mod memory;
pub mod payload;
pub mod peer;
pub mod primitives;
pub mod table;
pub mod timing;
pub mod wire;
