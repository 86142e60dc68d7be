//! What went wrong, counted.

/// What went wrong so far, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Values that the type of their parameter did not let in.
    pub refused: u64,
    /// Messages that no response took.
    pub unmatched: u64,
    /// Messages equal to the one before, which are not handled again.
    pub repeated: u64,
    /// Replies that did not come in time, every try counted.
    pub timeouts: u64,
    /// Commands that were not sent because their link was not open.
    pub unsent: u64,
    /// Groups that found no place in the queue.
    pub groups_dropped: u64,
    /// Effects that were dropped because nobody took those before them.
    pub effects_dropped: u64,
}
