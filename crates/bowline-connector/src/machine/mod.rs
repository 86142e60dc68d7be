//! One element: its values, its queue and the rules of the format, without sockets and clocks.
//!
//! Time and what arrived go in; [`Effect`]s come out. After each call that goes in, take every
//! effect before the next one: their order is the order in which the format has things happen.

mod effect;
mod loss;
mod value;

pub use effect::{Answer, Attempt, Effect, HeaderList, Level, ProxyUse};
pub use loss::{Loss, LossClass};
pub use value::Value;
