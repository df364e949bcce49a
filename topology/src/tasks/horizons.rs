//! How far sources may be processed, as what is still to be read of others may come before it.

use super::TaskSet;
use crate::graph::NodeId;
use crate::run::Stamp;

impl TaskSet {
    /// Says how far a source was read of which a task here has the records.
    pub(super) fn say_reached(&mut self, node: NodeId, partition: u32) {
        let lane = self.lane_of(node, partition);
        let reached = self.task_of(node, lane).reached(node, partition);
        let component = self.components[node.index()];
        self.office
            .horizon
            .set_reached(component, node, partition, reached);
    }

    /// Up to which place a task may take records of its sources.
    pub(super) fn limit(&self, at: usize) -> Stamp {
        self.keeps_to[at].map_or(Stamp::MAX, |component| self.office.horizon.of(component))
    }

    /// Says which sources have nothing left to be processed; true where that is news.
    pub(crate) fn say_processed(&mut self) -> bool {
        let mut news = false;
        for task in &self.tasks {
            for (node, partition) in task.processed_sources() {
                let component = self.components[node.index()];
                let horizon = &self.office.horizon;
                news |= horizon.set_processed(component, node, partition);
            }
        }
        news
    }

    /// True where others wait for what is still to be read of a source.
    pub(crate) fn holds_back(&self, node: NodeId) -> bool {
        let component = self.components[node.index()];
        self.office.horizon.holds_back(component, node)
    }

    /// Has nobody wait for what is still to be read of a source.
    pub(crate) fn forget_behind(&self, node: NodeId) {
        let component = self.components[node.index()];
        self.office.horizon.forget(component, node);
    }
}
