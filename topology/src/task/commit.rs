//! What a commit writes of a task, and what its stores take meanwhile.

use super::Task;
use super::nodes::node;
use crate::error::Result;
use crate::graph::NodeId;
use crate::processor::StoreId;
use crate::run::Origin;
use crate::store::{AnyStore, Commit};
use crate::time::Timestamp;

impl Task {
    /// Forwards what was held back until the commit, or some of it: true where there is more, so that what
    /// left is taken in pieces. A node holds nothing back any more when those behind it begin.
    pub(crate) fn flush(&mut self) -> Result<bool> {
        self.shared.working = true;
        let mut more = false;
        for i in 0..self.order.len() {
            let id = self.order[i];
            if self.graph.node(id).may_collapse {
                self.with_processor(id, &Origin::Engine, |processor, cx| {
                    more = processor.flush(cx)?;
                    Ok(())
                })?;
            }
            if more {
                break;
            }
        }
        self.shared.working = false;
        Ok(more)
    }

    /// Adds everything that changed since the last commit to the next one.
    pub(crate) fn freeze(&mut self, commit: &mut Commit) -> Result<()> {
        for (_, store) in self.shared.stores.iter_mut() {
            store.freeze(commit)?;
        }
        for &id in &self.order {
            let facts = &mut node(&mut self.nodes, id).facts;
            if std::mem::take(&mut facts.first_start) {
                commit.put_meta(&facts.start_key(), &[1]);
            }
        }
        if self.shared.stream_time != self.written_time {
            commit.put_meta(&self.time_key(), &self.shared.stream_time.to_be_bytes());
            self.written_time = self.shared.stream_time;
        }
        if let Some(channels) = &mut self.channels {
            channels.freeze(commit);
        }
        Ok(())
    }

    /// What was frozen is written.
    pub(crate) fn committed(&mut self) {
        for (_, store) in self.shared.stores.iter_mut() {
            store.committed();
        }
    }

    /// Where reading goes on: node, partition, offset, and the time reached.
    pub(crate) fn positions(&self) -> impl Iterator<Item = (NodeId, u32, i64, Timestamp)> {
        self.inputs.iter().filter_map(|input| {
            let (offset, reached) = input.position()?;
            Some((input.node, input.partition, offset, reached))
        })
    }

    /// The stores of the task.
    pub(crate) fn stores(&mut self) -> impl Iterator<Item = (StoreId, &dyn AnyStore)> {
        let stores = self.shared.stores.iter_mut();
        stores.map(|(id, store)| (id, &**store))
    }

    /// About how many bytes the stores take in memory.
    pub(crate) fn memory(&mut self) -> usize {
        self.shared
            .stores
            .iter_mut()
            .map(|(_, store)| store.memory())
            .sum()
    }

    /// About how many more it takes to write what is not known to be written.
    pub(crate) fn write_memory(&mut self) -> usize {
        self.shared
            .stores
            .iter_mut()
            .map(|(_, store)| store.write_memory())
            .sum()
    }

    /// Has the stores shrink to `target` bytes in all, as far as they can.
    pub(crate) fn evict(&mut self, target: usize) {
        let all = self.memory();
        if all <= target {
            return;
        }
        for (_, store) in self.shared.stores.iter_mut() {
            let share = (store.memory() as u128 * target as u128 / all as u128) as usize;
            store.evict(share);
        }
    }
}
