//! How a graph is cut into tasks, and what must hold inside each.

use std::collections::BTreeSet;

use super::{Graph, Kind, NodeId, OnRewrite};
use crate::processor::StoreId;

/// How a topology runs: its parts, in an order in which each is fed by earlier ones alone.
pub(crate) struct Plan {
    pub(crate) lanes: u16,
    pub(crate) parts: Vec<SubTopology>,
    pub(crate) rebuilds: Vec<RebuildGroup>,
}

/// Nodes that are connected without an exchange, and so run in one task.
pub(crate) struct SubTopology {
    /// The nodes, each behind those that feed it. An exchange that cuts is in the part that it
    /// leaves and in the part that it enters.
    pub(crate) nodes: Vec<NodeId>,
    /// The nodes through which records come in: sources, and exchanges that enter.
    pub(crate) inputs: Vec<NodeId>,
    /// The exchanges through which records leave.
    pub(crate) exits: Vec<NodeId>,
    /// The nodes that must be given records one by one.
    pub(crate) one_by_one: BTreeSet<NodeId>,
    /// The stores that its nodes write or read.
    pub(crate) stores: BTreeSet<StoreId>,
    /// Every part that feeds this one has a lower level.
    pub(crate) level: u32,
    /// The number of tasks that share its work.
    pub(crate) lanes: u16,
}

/// Sources that must be read again together when the content of one of them is replaced, since
/// what they feed is built from all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RebuildGroup {
    /// The sources.
    pub(crate) sources: BTreeSet<NodeId>,
    /// The nodes that build their state anew.
    pub(crate) builders: BTreeSet<NodeId>,
}

/// Nodes that are connected, by an edge or by a store that both use, without an exchange that cuts.
fn connect(graph: &Graph, cuts: &dyn Fn(NodeId) -> bool) -> Union {
    let mut joined = Union::new(graph.nodes.len());
    for id in graph.ids() {
        for (child, _) in &graph.children[id.index()] {
            // An exchange that cuts is represented by the side that it enters.
            if !cuts(*child) {
                joined.join(id.index(), child.index());
            }
        }
    }
    for store in 0..graph.stores.len() as u32 {
        let users: Vec<NodeId> = graph
            .ids()
            .filter(|id| uses(graph, *id, StoreId(store)))
            .collect();
        for pair in users.windows(2) {
            joined.join(pair[0].index(), pair[1].index());
        }
    }
    joined
}

/// For each node, the number of the connected part of the graph that it is in.
pub(super) fn components(graph: &Graph) -> Vec<usize> {
    let mut joined = connect(graph, &|_| false);
    graph.ids().map(|id| joined.find(id.index())).collect()
}

impl Plan {
    /// The plan of a graph for so many lanes.
    ///
    /// Parts that feed one another in a circle could only wait for one another; the connected part of
    /// the graph that they make up runs as one, in one lane.
    pub(crate) fn new(graph: &Graph, lanes: u16) -> Self {
        let whole = components(graph);
        let mut in_one: BTreeSet<usize> = BTreeSet::new();
        loop {
            let cuts = |id: NodeId| {
                lanes > 1
                    && matches!(graph.node(id).kind, Kind::Exchange)
                    && !in_one.contains(&whole[id.index()])
            };
            let mut parts = parts(graph, &cuts);
            let circular = set_levels(&mut parts);
            if circular.is_empty() {
                for part in &mut parts {
                    let one = lanes > 1 && in_one.contains(&whole[part.nodes[0].index()]);
                    part.lanes = if one { 1 } else { lanes };
                }
                parts.sort_by_key(|part| (part.level, part.nodes[0]));
                return Plan {
                    lanes,
                    rebuilds: rebuild_groups(graph),
                    parts,
                };
            }
            in_one.extend(circular.iter().map(|id| whole[id.index()]));
        }
    }

    /// The plan of a graph whose sources have their records where their keys belong, as topics have, and
    /// whose other records travel between tasks through topics. Parts may feed one another in a circle.
    ///
    /// What comes of nothing but sources that are no topics stays in the one lane that reads these: there
    /// are all keys together, and what is built of a source whose content is replaced can be built anew.
    pub(crate) fn of_topics(graph: &Graph, lanes: u16) -> Self {
        let cuts = |id: NodeId| {
            lanes > 1 && matches!(graph.node(id).kind, Kind::Exchange) && !graph.is_placed(id)
        };
        let inside = inside_local(graph, &cuts);
        let mut parts = parts(graph, &|id| cuts(id) && !inside.contains(&id));
        set_levels(&mut parts);
        for part in &mut parts {
            let reads = |input: &NodeId| graph.is_local(*input);
            let local = !part.inputs.is_empty() && part.inputs.iter().all(reads);
            part.lanes = if local { 1 } else { lanes };
        }
        parts.sort_by_key(|part| (part.level, part.nodes[0]));
        Plan {
            lanes,
            rebuilds: rebuild_groups(graph),
            parts,
        }
    }

    /// The exchanges at which it is cut.
    pub(crate) fn cuts(&self) -> BTreeSet<NodeId> {
        let exits = self.parts.iter().flat_map(|part| &part.exits);
        exits.copied().collect()
    }

    /// The number of lanes that a node's work is shared by.
    pub(crate) fn lanes_of(&self, node: NodeId) -> u16 {
        let part = self.parts.iter().find(|part| part.nodes.contains(&node));
        part.map_or(1, |part| part.lanes)
    }
}

/// The parts that the graph falls into where exchanges cut.
fn parts(graph: &Graph, cuts: &dyn Fn(NodeId) -> bool) -> Vec<SubTopology> {
    let mut joined = connect(graph, cuts);
    let mut roots: Vec<usize> = Vec::new();
    for id in graph.ids() {
        let root = joined.find(id.index());
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    roots
        .iter()
        .map(|&root| {
            let inside = graph.order.iter().copied();
            let inside = inside
                .filter(|id| joined.find(id.index()) == root)
                .collect();
            part(graph, inside, cuts)
        })
        .collect()
}

impl Plan {
    /// The place of one of its parts.
    pub(crate) fn place_of(&self, part: &SubTopology) -> usize {
        let place = self
            .parts
            .iter()
            .position(|other| std::ptr::eq(other, part));
        place.expect("the part is one of the plan's")
    }
}

/// The exchanges that neither take nor give what comes of a topic.
fn inside_local(graph: &Graph, cuts: &dyn Fn(NodeId) -> bool) -> BTreeSet<NodeId> {
    let parts = parts(graph, cuts);
    let mut local: BTreeSet<usize> = (0..parts.len())
        .filter(|at| !parts[*at].inputs.is_empty())
        .collect();
    loop {
        let sent_from = |exchange: NodeId| {
            let senders = parts.iter().enumerate();
            senders.filter(move |(_, part)| part.exits.contains(&exchange))
        };
        let known = |input: &NodeId| {
            graph.is_local(*input)
                || (cuts(*input) && sent_from(*input).all(|(at, _)| local.contains(&at)))
        };
        let stays = |at: &usize| parts[*at].inputs.iter().all(known);
        let left: BTreeSet<usize> = local.iter().copied().filter(stays).collect();
        if left.len() == local.len() {
            let inputs = left.iter().flat_map(|at| &parts[*at].inputs);
            return inputs.copied().filter(|id| cuts(*id)).collect();
        }
        local = left;
    }
}

fn uses(graph: &Graph, id: NodeId, store: StoreId) -> bool {
    let node = graph.node(id);
    node.writes.contains(&store) || node.reads.contains(&store)
}

fn part(graph: &Graph, inside: Vec<NodeId>, cuts: &dyn Fn(NodeId) -> bool) -> SubTopology {
    let inputs: Vec<NodeId> = inside
        .iter()
        .copied()
        .filter(|id| cuts(*id) || matches!(graph.node(*id).kind, Kind::Source(_)))
        .collect();
    let mut exits: Vec<NodeId> = inside
        .iter()
        .flat_map(|id| &graph.children[id.index()])
        .map(|(child, _)| *child)
        .filter(|child| cuts(*child))
        .collect();
    exits.sort();
    exits.dedup();
    let stores = inside
        .iter()
        .flat_map(|id| {
            let node = graph.node(*id);
            node.writes.iter().chain(&node.reads)
        })
        .copied()
        .collect();
    let one_by_one = graph
        .one_by_one
        .intersection(&inside.iter().copied().collect())
        .copied()
        .collect();
    SubTopology {
        nodes: inside,
        inputs,
        exits,
        one_by_one,
        stores,
        level: 0,
        lanes: 1,
    }
}

/// The nodes at which paths part that meet again: at a node, at a sink, or at a store that one of
/// them writes and the other reads.
///
/// A batch that goes down one path as a whole before the other would show; records one by one do not.
/// Exchanges are looked through, so that the order is the same whether they cut or not.
pub(super) fn one_by_one(graph: &Graph) -> BTreeSet<NodeId> {
    let n = graph.nodes.len();
    let mut reach: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); n];
    let mut parting = BTreeSet::new();
    for &id in graph.order.iter().rev() {
        let mut ways: Vec<usize> = graph.children[id.index()]
            .iter()
            .map(|(child, _)| child.index())
            .collect();
        let writes = &graph.node(id).writes;
        ways.extend(
            graph
                .ids()
                .filter(|other| *other != id)
                .filter_map(|other| {
                    let reads = &graph.node(other).reads;
                    reads
                        .iter()
                        .any(|store| writes.contains(store))
                        .then_some(other.index())
                }),
        );
        let mut seen: BTreeSet<usize> = BTreeSet::new();
        for way in ways {
            let mut reached = reach[way].clone();
            reached.insert(way);
            if let Kind::Sink(sink) = graph.nodes[way].kind {
                reached.insert(n + sink.0 as usize);
            }
            if !seen.is_disjoint(&reached) {
                parting.insert(id);
            }
            seen.extend(reached);
        }
        reach[id.index()] = seen;
    }
    parting
}

/// Sets levels; the answer has nodes of the parts that feed one another in a circle.
fn set_levels(parts: &mut [SubTopology]) -> Vec<NodeId> {
    let feeds: Vec<Vec<usize>> = parts
        .iter()
        .map(|part| {
            (0..parts.len())
                .filter(|other| {
                    part.exits
                        .iter()
                        .any(|exit| parts[*other].inputs.contains(exit))
                })
                .collect()
        })
        .collect();
    let mut missing = vec![0; parts.len()];
    for fed in feeds.iter().flatten() {
        missing[*fed] += 1;
    }
    let mut ready: Vec<usize> = (0..parts.len()).filter(|at| missing[*at] == 0).collect();
    while let Some(from) = ready.pop() {
        for &to in &feeds[from] {
            parts[to].level = parts[to].level.max(parts[from].level + 1);
            missing[to] -= 1;
            if missing[to] == 0 {
                ready.push(to);
            }
        }
    }
    let circular = (0..parts.len()).filter(|at| missing[*at] > 0);
    circular.map(|at| parts[at].nodes[0]).collect()
}

/// The sources that are read again together, and what is built anew from them.
fn rebuild_groups(graph: &Graph) -> Vec<RebuildGroup> {
    let mut groups: Vec<RebuildGroup> = Vec::new();
    for id in graph.ids() {
        if !matches!(graph.node(id).kind, Kind::Source(_)) {
            continue;
        }
        let mut group = RebuildGroup {
            sources: BTreeSet::from([id]),
            builders: BTreeSet::new(),
        };
        let mut open = vec![id];
        let mut seen = BTreeSet::from([id]);
        while let Some(at) = open.pop() {
            for (child, port) in &graph.children[at.index()] {
                let node = graph.node(*child);
                match node.on_rewrite {
                    OnRewrite::Rebuilds if *port == 0 => {
                        group.builders.insert(*child);
                    }
                    _ if graph.node(at).sends_changes => {}
                    _ => {
                        if seen.insert(*child) {
                            open.push(*child);
                        }
                    }
                }
            }
        }
        let (joined, apart): (Vec<_>, Vec<_>) = groups
            .into_iter()
            .partition(|other| !other.builders.is_disjoint(&group.builders));
        groups = apart;
        for other in joined {
            group.sources.extend(other.sources);
            group.builders.extend(other.builders);
        }
        groups.push(group);
    }
    groups.sort_by_key(|group| group.sources.first().copied());
    groups
}

/// Sets that are joined until no more are.
struct Union {
    parent: Vec<usize>,
}

impl Union {
    fn new(n: usize) -> Self {
        Union {
            parent: (0..n).collect(),
        }
    }

    fn find(&mut self, mut at: usize) -> usize {
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.parent[a.max(b)] = a.min(b);
    }
}
