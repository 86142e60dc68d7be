//! Support for tests. For those of the engine: one end or a pair of them, a clock that stands still,
//! streams cut anywhere, and frames that break the rules. For those with other programs: where they
//! are.
#![forbid(unsafe_code)]

mod chunks;
mod clock;
mod collected;
mod deflate;
mod end;
mod frame;
pub mod fuzz;
mod masks;
mod pair;
mod tools;

pub use chunks::{Chunks, chunks};
pub use clock::Clock;
pub use collected::{Collected, joined};
pub use deflate::{Takeover, deflate_params};
pub use end::End;
pub use frame::{Frame, LengthForm};
pub use masks::CountingMasks;
pub use pair::Pair;
pub use tools::Tools;
