//! What tasks count.

use std::ops::AddAssign;

/// What a task has counted since it was opened, or several have together.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Records that were taken from inputs.
    pub(crate) processed: u64,
    /// Records that were dropped as they had no key where one is needed.
    pub(crate) dropped: u64,
    /// Records that could not be read, or for which something failed.
    pub(crate) failed: u64,
    /// How often one that feeds the task and said nothing was waited for no longer.
    pub(crate) given_up: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.processed += other.processed;
        self.dropped += other.dropped;
        self.failed += other.failed;
        self.given_up += other.given_up;
    }
}
