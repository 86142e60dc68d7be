//! What came of playing a conversation.

use std::fmt;

use crate::exit::Failure;

/// What came of playing a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// Messages that came as recorded.
    pub(super) alike: u64,
    pub(super) differences: u64,
}

impl Report {
    pub(super) const fn add(&mut self, other: &Self) {
        self.alike += other.alike;
        self.differences += other.differences;
    }

    /// # Errors
    /// If there are differences.
    pub(super) const fn check(&self) -> Result<(), Failure> {
        match self.differences {
            0 => Ok(()),
            differences => Err(Failure::Differences(differences)),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} messages came as recorded, {} differences",
            self.alike, self.differences
        )
    }
}
