//! Which sources of a topology are no topics, and who waits for which of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::connector::{Health, Source, Stats};
use crate::error::Result;
use crate::graph::{Graph, NodeId, Plan};
use crate::streams::bound::invalid;

/// How many tables may be loaded first: brokers keep 4096 bytes of words.
pub(super) const MOST_LOADED: usize = 200;

/// A source that is no topic.
pub(in crate::streams) struct LocalSource {
    pub(in crate::streams) node: NodeId,
    pub(in crate::streams) name: Arc<str>,
    pub(in crate::streams) source: Arc<dyn Source>,
    pub(in crate::streams) stats: Arc<Stats>,
    /// True for a table that is loaded before streams that meet it move.
    pub(in crate::streams) bootstrap: bool,
    /// The connected part of the graph that it is in.
    pub(in crate::streams) component: usize,
}

/// The sources of a topology that are no topics.
#[derive(Default)]
pub(in crate::streams) struct LocalSources {
    all: Vec<Arc<LocalSource>>,
    /// For each node of the graph, the connected part that it is in.
    components: Vec<usize>,
    /// The tables of each connected part that are loaded first.
    gates: BTreeMap<usize, BTreeSet<Arc<str>>>,
    /// The sources that wait for them, with the connected part that each is in.
    waiting: BTreeMap<NodeId, usize>,
}

impl LocalSources {
    /// Finds them in a graph.
    ///
    /// # Errors
    ///
    /// Where nobody else could go on where one was read up to.
    pub(in crate::streams) fn find(graph: &Graph) -> Result<Self> {
        let mut found = LocalSources {
            components: graph.components(),
            ..LocalSources::default()
        };
        for (node, source) in graph.sources() {
            let Some(bound) = source.binding.as_ref().filter(|_| graph.is_local(node)) else {
                continue;
            };
            let name = graph.node(node).name.clone();
            if !bound.is_resumable() {
                return Err(invalid(format!(
                    "source {name} is {}; an application on a cluster reads topics, and what another process \
                     can read on in: files, generated rows, rows that are written out",
                    bound.describe().location
                )));
            }
            let component = found.components[node.index()];
            if source.bootstrap {
                let gate = found.gates.entry(component).or_default();
                gate.insert(name.clone());
            }
            found.all.push(Arc::new(LocalSource {
                node,
                name,
                source: bound.clone(),
                stats: Stats::new(),
                bootstrap: source.bootstrap,
                component,
            }));
        }
        for (node, _) in graph.sources() {
            let component = found.components[node.index()];
            let mut all = found.all.iter();
            let first = all.any(|source| source.node == node && source.bootstrap);
            if !first && found.gates.contains_key(&component) {
                found.waiting.insert(node, component);
            }
        }
        let loaded = found.gates.values().map(BTreeSet::len).sum::<usize>();
        if loaded > MOST_LOADED {
            return Err(invalid(format!(
                "{loaded} tables are loaded first, and {MOST_LOADED} at most in an application"
            )));
        }
        Ok(found)
    }

    pub(in crate::streams) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them.
    pub(in crate::streams) fn all(&self) -> &[Arc<LocalSource>] {
        &self.all
    }

    /// Those that the tasks of a number read.
    pub(in crate::streams) fn of_lane(&self, lane: u16) -> &[Arc<LocalSource>] {
        if lane == 0 { &self.all } else { &[] }
    }

    /// The connected parts of the graph in which something is loaded first, each with what that is.
    pub(in crate::streams) fn gates(&self) -> &BTreeMap<usize, BTreeSet<Arc<str>>> {
        &self.gates
    }

    /// The connected part in which something must be loaded before a source is read, if there is any.
    pub(in crate::streams) fn gate_of(&self, node: NodeId) -> Option<usize> {
        self.waiting.get(&node).copied()
    }

    /// The connected part of the graph that a node is in, where there are any sources here.
    pub(in crate::streams) fn component(&self, node: NodeId) -> Option<usize> {
        self.components.get(node.index()).copied()
    }

    /// What is not there that this process needs to read them, in words.
    pub(in crate::streams) fn missing(&self) -> Option<String> {
        let missing: BTreeSet<String> = self
            .all
            .iter()
            .filter_map(|source| source.source.missing())
            .collect();
        if missing.is_empty() {
            return None;
        }
        Some(missing.into_iter().collect::<Vec<_>>().join(", "))
    }

    /// What is wrong with one that is read, if anything is.
    pub(in crate::streams) fn trouble(&self) -> Option<Health> {
        self.all.iter().find_map(|source| {
            let location = || source.source.describe().location;
            match source.stats.health() {
                Health::Healthy => None,
                Health::FileNotFound => Some(Health::Degraded(format!(
                    "{} is not there any more; what was read of it stays",
                    location()
                ))),
                health => Some(health),
            }
        })
    }

    /// True where what is built of a source whose content was replaced can be built anew.
    pub(in crate::streams) fn can_rebuild(&self, plan: &Plan, group: usize) -> bool {
        let group = &plan.rebuilds[group];
        let again = |node: &NodeId| {
            let mut all = self.all.iter();
            all.any(|source| source.node == *node && source.source.describe().rereadable)
        };
        let here = |node: &NodeId| plan.lanes_of(*node) == 1;
        group.sources.iter().all(again) && group.builders.iter().all(here)
    }
}
