//! Numbers the bus keeps.

/// Counts what a [`Bus`](crate::Bus) did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Publications accepted.
    pub published: u64,
    /// Recipients of all accepted publications together.
    pub delivered: u64,
    /// Deliveries the caller could not queue, as told to [`Bus::record_dropped`](crate::Bus::record_dropped).
    pub dropped: u64,
    /// Publications refused with an error.
    pub refused: u64,
    /// Values not retained because the store was full.
    pub retain_refused: u64,
    /// Nodes of the subscription tree visited by all publications together; the cost of matching.
    pub nodes_visited: u64,
}
