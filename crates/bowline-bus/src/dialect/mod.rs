//! Wire languages spoken to the bus, each a codec and the state of one session.

pub mod clown_talk;
