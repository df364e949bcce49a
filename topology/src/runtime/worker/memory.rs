//! A worker keeps the memory that its rows take within what they may.

use super::Worker;

impl Worker {
    /// Has everybody commit where rows take too much memory here: what is not written cannot be
    /// forgotten. While a commit is being written its rows count as well, and the next one waits.
    pub(super) fn limit_memory(&mut self) {
        if self.takes_eighths_of_budget(9) && !self.is_writing() {
            self.shared.request(self.rounds);
        }
    }

    /// True where rows take so much memory here that no more are to come before those are known to be written
    /// that the disk is busy with.
    pub(super) fn waits_for_memory(&mut self) -> bool {
        self.takes_eighths_of_budget(10) && self.is_writing()
    }

    /// True where rows, and what it takes to write them, need more memory than so many eighths of what they may.
    fn takes_eighths_of_budget(&mut self, eighths: usize) -> bool {
        let limit = (self.budget() / 8).saturating_mul(eighths);
        self.set.memory() + self.set.write_memory() > limit
    }

    /// True while a commit is on its way to the disk.
    fn is_writing(&self) -> bool {
        self.shared.status().handed != self.acknowledged
    }

    /// Bytes that the rows of this worker may take in memory.
    fn budget(&self) -> usize {
        self.shared.state.rows_budget() / self.shared.workers()
    }

    /// Keeps rows in memory within their budget.
    pub(super) fn shrink(&mut self) {
        let budget = self.budget();
        if self.set.memory() > budget {
            self.set.evict(budget / 8 * 7);
        }
    }
}
