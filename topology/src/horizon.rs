//! How far the sources of a topology may be processed, while more of some of them is known to be there.
//!
//! A task waits for those of its inputs of which more is known to be there. Where a record goes on to
//! another task, that is too late: a commit has every task take what was sent to it, and a join would
//! take a record before the row that stands before it and is still to be read. So no source is
//! processed beyond the least place that any of them, in the same connected part of the graph, was
//! read up to.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use crate::graph::NodeId;
use crate::run::Stamp;

/// What is known of the partitions of all sources.
#[derive(Default)]
pub(crate) struct Horizon {
    /// By the connected part of the graph, the source and the partition.
    partitions: Mutex<BTreeMap<(usize, NodeId, u32), Partition>>,
}

#[derive(Debug, Clone, Copy)]
struct Partition {
    /// True where more is known to be there behind what was read.
    behind: bool,
    /// Nothing that is still to be read stands before this.
    reached: Stamp,
    /// True where something that was read is not known to be processed.
    waits: bool,
}

impl Horizon {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(usize, NodeId, u32), Partition>> {
        self.partitions.lock().expect("no panic while locked")
    }

    fn change(&self, key: (usize, NodeId, u32), change: impl FnOnce(&mut Partition)) {
        let unknown = Partition {
            behind: false,
            reached: Stamp::MIN,
            waits: false,
        };
        change(self.lock().entry(key).or_insert(unknown));
    }

    /// Notes whether more is known to be there of a partition.
    pub(crate) fn set_behind(&self, component: usize, node: NodeId, partition: u32, behind: bool) {
        self.change((component, node, partition), |it| it.behind = behind);
    }

    /// Notes the place up to which a partition was read.
    pub(crate) fn set_reached(
        &self,
        component: usize,
        node: NodeId,
        partition: u32,
        reached: Stamp,
    ) {
        self.change((component, node, partition), |it| {
            it.reached = it.reached.max(reached);
        });
    }

    /// Notes that something was read of a partition.
    pub(crate) fn set_waits(&self, component: usize, node: NodeId, partition: u32) {
        self.change((component, node, partition), |it| it.waits = true);
    }

    /// Notes that all that was read of a partition is processed; true where that is news.
    pub(crate) fn set_processed(&self, component: usize, node: NodeId, partition: u32) -> bool {
        let mut news = false;
        self.change((component, node, partition), |it| {
            news = std::mem::take(&mut it.waits);
        });
        news
    }

    /// The least place that a partition was read up to of which more is known to be there.
    pub(crate) fn of(&self, component: usize) -> Stamp {
        least(&self.lock(), component)
    }

    /// True where others wait for what is still to be read of a source.
    pub(crate) fn holds_back(&self, component: usize, node: NodeId) -> bool {
        let partitions = self.lock();
        let least = least(&partitions, component);
        let mut own = partitions.range((component, node, 0)..=(component, node, u32::MAX));
        own.any(|(_, it)| it.behind && !it.waits && it.reached == least)
    }

    /// Forgets a source, which is read anew or not any more.
    pub(crate) fn forget(&self, component: usize, node: NodeId) {
        self.lock()
            .retain(|(in_component, of_node, _), _| (*in_component, *of_node) != (component, node));
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }
}

fn least(partitions: &BTreeMap<(usize, NodeId, u32), Partition>, component: usize) -> Stamp {
    let all = (component, NodeId(0), 0)..=(component, NodeId(u32::MAX), u32::MAX);
    partitions
        .range(all)
        .filter(|(_, it)| it.behind)
        .map(|(_, it)| it.reached)
        .min()
        .unwrap_or(Stamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_that_is_furthest_behind_holds_all_back() {
        let horizon = Horizon::default();
        let (a, b) = (NodeId(0), NodeId(1));
        let at = |time| Stamp::new(time, 0, 0);
        assert_eq!(horizon.of(0), Stamp::MAX);
        horizon.set_reached(0, a, 0, at(5));
        horizon.set_behind(0, b, 3, true);
        assert_eq!(horizon.of(0), Stamp::MIN, "nothing is known of it");
        horizon.set_reached(0, b, 3, at(7));
        assert_eq!(horizon.of(0), at(7));
        horizon.set_behind(0, a, 0, true);
        assert_eq!(horizon.of(0), at(5));
        assert_eq!(horizon.of(1), Stamp::MAX, "another part of the graph");
        assert!(horizon.holds_back(0, a) && !horizon.holds_back(0, b));
        horizon.set_waits(0, a, 0);
        assert!(!horizon.holds_back(0, a), "it can be processed");
        assert!(horizon.set_processed(0, a, 0) && !horizon.set_processed(0, a, 0));
        assert!(horizon.holds_back(0, a));
        horizon.forget(0, a);
        assert!(horizon.holds_back(0, b));
        horizon.set_behind(0, b, 3, false);
        assert_eq!(horizon.of(0), Stamp::MAX);
    }
}
