//! What connections keep in memory, counted by the allocator: a binary of its own for that.

mod allocator;
mod bounds;
mod streaming;
