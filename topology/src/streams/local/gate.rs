//! Streams wait until tables that are loaded first have been.
//!
//! Whoever reads such a table says with its offsets that it has read the first content of it. What came of
//! that is then on its way in repartition topics: others read their streams once they have processed these
//! up to where they end by then.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::source::LocalSources;
use crate::cluster::{CommittedOffset, Isolation, TopicPartition};
use crate::error::Result;
use crate::graph::NodeId;
use crate::streams::env::Env;
use crate::streams::names::fnv1a;
use crate::time::Timestamp;

/// How often it is asked whether tables are loaded.
const LOOK: Duration = Duration::from_millis(100);

/// What the group remembers of tables that were loaded.
pub(super) fn words<'a>(loaded: impl Iterator<Item = &'a str>) -> String {
    let marks: BTreeSet<String> = loaded.map(mark).collect();
    let marks: Vec<String> = marks.into_iter().collect();
    format!("loaded={}", marks.join(","))
}

fn mark(source: &str) -> String {
    format!("{:016x}", fnv1a(source.as_bytes()))
}

/// The marks of the tables that were loaded, by the words of the group.
fn marks(at: &CommittedOffset) -> BTreeSet<String> {
    let mut words = at.metadata.split(' ');
    let marks = words.find_map(|word| word.strip_prefix("loaded="));
    let marks = marks.unwrap_or_default().split(',');
    marks.map(str::to_owned).collect()
}

/// The tables among these that the group's words say to be loaded.
pub(super) fn loaded<'a>(
    at: &CommittedOffset,
    tables: impl Iterator<Item = &'a str>,
) -> BTreeSet<String> {
    let marks = marks(at);
    let loaded = tables.filter(|table| marks.contains(&mark(table)));
    loaded.map(str::to_owned).collect()
}

/// What is known of tables that are loaded first.
#[derive(Debug, Default)]
pub(in crate::streams) struct Loaded {
    /// The marks of those that were loaded.
    marks: BTreeSet<String>,
    /// Where what came of them ends, by the exchange that it travels through.
    ends: BTreeMap<NodeId, i64>,
}

impl Loaded {
    /// Asks for what is known, for the tasks of a number.
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be asked.
    pub(in crate::streams) fn ask(env: &Env, lane: u16) -> Result<Self> {
        let Some(place) = env.topics.position_place() else {
            return Ok(Loaded::default());
        };
        let committed = env.cluster.committed(&env.application, &[place])?;
        let Some(Some(committed)) = committed.into_iter().next() else {
            return Ok(Loaded::default());
        };
        // What was committed with these words may still lie before the end of a transaction that others
        // have open, so that all counts that is there.
        let moved = env.topics.repartitions.iter();
        let (nodes, places): (Vec<NodeId>, Vec<TopicPartition>) = moved
            .map(|(node, places)| (*node, places[usize::from(lane)].clone()))
            .unzip();
        let there = env
            .cluster
            .offsets_of(&places, Isolation::ReadUncommitted)?;
        Ok(Loaded {
            marks: marks(&committed),
            ends: nodes
                .into_iter()
                .zip(there.iter().map(|range| range.end))
                .collect(),
        })
    }
}

/// What the tasks of a number wait for.
#[derive(Debug, Default)]
pub(in crate::streams) struct Gate {
    /// The connected parts of the graph in which something is to be loaded first; and what is to be
    /// processed before, once it is known.
    closed: BTreeMap<usize, Option<BTreeMap<NodeId, i64>>>,
    asking: bool,
    asked: Option<Timestamp>,
}

impl Gate {
    /// The gate of tasks whose sources are these.
    pub(in crate::streams) fn new(
        sources: &LocalSources,
        nodes: impl Iterator<Item = NodeId>,
    ) -> Self {
        let parts = nodes.filter_map(|node| sources.gate_of(node));
        Gate {
            closed: parts.map(|part| (part, None)).collect(),
            asking: false,
            asked: None,
        }
    }

    /// True where a node is not to be read yet.
    pub(in crate::streams) fn holds(&self, sources: &LocalSources, node: NodeId) -> bool {
        let part = sources.gate_of(node).filter(|_| !self.closed.is_empty());
        part.is_some_and(|part| self.closed.contains_key(&part))
    }

    /// True where it is to be asked what is loaded, and is not yet; it is known then that it is asked.
    pub(in crate::streams) fn asks(&mut self, env: &Env) -> bool {
        let unknown = self.closed.values().any(Option::is_none);
        let rests = self.asked.is_some_and(|at| !env.has_passed(LOOK, at));
        if !unknown || self.asking || rests {
            return false;
        }
        self.asking = true;
        self.asked = Some(env.clock.now());
        true
    }

    /// Takes note of an answer, or that there is none; `here` says whether what this process has to load in
    /// a part of the graph is loaded.
    pub(in crate::streams) fn hear(
        &mut self,
        answer: Option<&Loaded>,
        sources: &LocalSources,
        here: impl Fn(usize) -> bool,
    ) {
        self.asking = false;
        let Some(answer) = answer else {
            return;
        };
        for (part, ends) in &mut self.closed {
            let tables = &sources.gates()[part];
            let all = tables
                .iter()
                .all(|table| answer.marks.contains(&mark(table)));
            if ends.is_none() && all && here(*part) {
                let own = answer.ends.iter();
                let own = own.filter(|(node, _)| sources.component(**node) == Some(*part));
                *ends = Some(own.map(|(node, end)| (*node, *end)).collect());
            }
        }
    }

    /// Opens what `done` says to be processed up to an end; true where anything was opened.
    pub(in crate::streams) fn open(&mut self, done: impl Fn(NodeId, i64) -> bool) -> bool {
        let before = self.closed.len();
        self.closed.retain(|_, ends| match ends {
            None => true,
            Some(ends) => !ends.iter().all(|(node, end)| done(*node, *end)),
        });
        self.closed.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_loaded_is_known_again() {
        let at = CommittedOffset {
            offset: 3,
            metadata: words(["users.source", "cities"].into_iter()),
        };
        let known = loaded(&at, ["cities", "others", "users.source"].into_iter());
        assert_eq!(known, ["cities", "users.source"].map(str::to_owned).into());
        let nothing = CommittedOffset {
            offset: 3,
            metadata: words([].into_iter()),
        };
        assert!(loaded(&nothing, ["cities"].into_iter()).is_empty());
        let all: Vec<String> = (0..super::super::source::MOST_LOADED)
            .map(|at| at.to_string())
            .collect();
        assert!(words(all.iter().map(|name| &**name)).len() < 4_096);
    }
}
