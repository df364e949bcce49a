//! What a commit writes of all tasks, and what their stores take meanwhile.

use super::TaskSet;
use crate::error::Result;
use crate::graph::NodeId;
use crate::processor::StoreId;
use crate::store::{AnyStore, Commit};
use crate::task::Task;
use crate::time::Timestamp;

impl TaskSet {
    /// Adds everything that changed since the last commit to the next one.
    ///
    /// # Errors
    ///
    /// Where a row cannot be encoded.
    pub(crate) fn freeze(&mut self, commit: &mut Commit) -> Result<()> {
        for task in &mut self.tasks {
            task.freeze(commit)?;
        }
        Ok(())
    }

    /// What was frozen is written.
    pub(crate) fn committed(&mut self) {
        for task in &mut self.tasks {
            task.committed();
        }
    }

    /// Where reading goes on: source, partition, offset, and the time reached.
    pub(crate) fn positions(&self) -> Vec<(NodeId, u32, i64, Timestamp)> {
        self.tasks.iter().flat_map(Task::positions).collect()
    }

    /// The stores of all tasks.
    pub(crate) fn stores(&mut self) -> impl Iterator<Item = (StoreId, &dyn AnyStore)> {
        self.tasks.iter_mut().flat_map(Task::stores)
    }

    /// About how many bytes the stores take in memory.
    pub(crate) fn memory(&mut self) -> usize {
        self.tasks.iter_mut().map(Task::memory).sum()
    }

    /// About how many more it takes to write what is not known to be written.
    pub(crate) fn write_memory(&mut self) -> usize {
        self.tasks.iter_mut().map(Task::write_memory).sum()
    }

    /// Has the stores shrink to `target` bytes in all, as far as they can.
    pub(crate) fn evict(&mut self, target: usize) {
        let all = self.memory();
        if all > target {
            for task in &mut self.tasks {
                let share = task.memory() as u128 * target as u128 / all as u128;
                task.evict(share as usize);
            }
        }
    }

    /// Calls something on every task that has any of these nodes, with those that it has.
    pub(crate) fn for_nodes(
        &mut self,
        ids: &[NodeId],
        mut call: impl FnMut(&mut Task, &[NodeId]) -> Result<()>,
    ) -> Result<()> {
        for at in 0..self.tasks.len() {
            let plan = self.plan.clone();
            let part = &plan.parts[self.tasks[at].part];
            let mine: Vec<NodeId> = ids
                .iter()
                .copied()
                .filter(|id| part.nodes.contains(id))
                .collect();
            if !mine.is_empty() {
                call(&mut self.tasks[at], &mine)?;
                self.send(at);
            }
        }
        Ok(())
    }
}
