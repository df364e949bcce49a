//! Where the consumers of a host's sources go on.

use std::collections::BTreeMap;

use crate::engine::Offsets;
use crate::graph::Graph;

/// Where the consumer of each partition goes on: the offset of the record that it reads next.
///
/// A partition of which nothing was ever taken is not in here; its consumer begins where it likes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions(BTreeMap<String, BTreeMap<u32, i64>>);

impl Positions {
    pub(super) fn new(graph: &Graph, offsets: &Offsets) -> Self {
        let mut positions = Positions::default();
        for ((node, partition), offset) in offsets {
            let source = graph.node(*node).name.to_string();
            positions
                .0
                .entry(source)
                .or_default()
                .insert(*partition, *offset);
        }
        positions
    }

    /// Where a partition of a source goes on.
    pub fn get(&self, source: &str, partition: u32) -> Option<i64> {
        self.0.get(source)?.get(&partition).copied()
    }

    /// Where the partitions of a source go on: partition and offset.
    pub fn of<'a>(&'a self, source: &str) -> impl Iterator<Item = (u32, i64)> + use<'a> {
        let partitions = self.0.get(source).into_iter().flatten();
        partitions.map(|(partition, offset)| (*partition, *offset))
    }

    /// Where all go on: source, partition and offset.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32, i64)> {
        self.0.iter().flat_map(|(source, partitions)| {
            let partitions = partitions.iter();
            partitions.map(|(partition, offset)| (source.as_str(), *partition, *offset))
        })
    }

    /// True where no partition has a position.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
