//! Which partitions a host may be fed: those whose state is here.
//!
//! The state of a partition does not move between hosts. Once a host was assigned partitions of a
//! source, its state remembers them: it is what these partitions made of it, all of them and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Graph, NodeId};
use crate::store::{Commit, State};

/// The partitions of each source.
#[derive(Default)]
pub(super) struct Partitions {
    /// Those that the state remembers; a source that is not in here was never assigned any.
    kept: BTreeMap<NodeId, BTreeSet<u32>>,
    /// Those that are fed now; a source that is not in here is fed what is kept.
    assigned: BTreeMap<NodeId, BTreeSet<u32>>,
}

fn prefix(graph: &Graph, node: NodeId) -> String {
    format!("assigned/{}/", graph.node(node).name)
}

impl Partitions {
    /// What the state remembers.
    pub(super) fn read(state: &State, graph: &Graph) -> Result<Self> {
        let mut partitions = Partitions::default();
        for (node, _) in graph.sources() {
            for (rest, _) in state.meta_with_prefix(&prefix(graph, node))? {
                if let Ok(partition) = rest.parse() {
                    partitions.kept.entry(node).or_default().insert(partition);
                }
            }
        }
        Ok(partitions)
    }

    /// Takes over partitions of a source, instead of those before.
    pub(super) fn assign(&mut self, name: &str, node: NodeId, wanted: BTreeSet<u32>) -> Result<()> {
        if let Some(kept) = self.kept.get(&node) {
            let foreign: Vec<u32> = wanted.difference(kept).copied().collect();
            if !foreign.is_empty() {
                return Err(Error::state(format!(
                    "cannot take over partition {} of {name}: the state here is that of partition {}",
                    list(&foreign),
                    list(kept)
                )));
            }
        }
        self.assigned.insert(node, wanted);
        Ok(())
    }

    /// Checks that a partition of a source may be fed.
    pub(super) fn check(&self, name: &str, node: NodeId, partition: u32) -> Result<()> {
        let Some(mine) = self.assigned.get(&node).or_else(|| self.kept.get(&node)) else {
            return Ok(());
        };
        if mine.contains(&partition) {
            return Ok(());
        }
        let mine = if mine.is_empty() {
            "none".to_owned()
        } else {
            list(mine)
        };
        Err(Error::new(
            ErrorKind::Invalid,
            format!("cannot take partition {partition} of {name}: assigned here is {mine}"),
        ))
    }

    /// Has a commit remember what was assigned.
    pub(super) fn write(&self, graph: &Graph, commit: &mut Commit) {
        for (&node, assigned) in &self.assigned {
            if !self.kept.contains_key(&node) {
                for partition in assigned {
                    commit.put_meta(&format!("{}{partition}", prefix(graph, node)), &[]);
                }
            }
        }
    }

    /// That commit is written.
    pub(super) fn written(&mut self) {
        for (node, assigned) in &self.assigned {
            if !assigned.is_empty() && !self.kept.contains_key(node) {
                self.kept.insert(*node, assigned.clone());
            }
        }
    }
}

fn list<'a>(numbers: impl IntoIterator<Item = &'a u32>) -> String {
    let mut text = String::new();
    for number in numbers {
        let comma = if text.is_empty() { "" } else { ", " };
        write!(text, "{comma}{number}").expect("writing to a string");
    }
    text
}
