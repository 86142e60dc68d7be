//! What connections keep in memory, counted by the allocator: a binary of its own for that.

#[cfg(test)]
mod allocator;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod streaming;
