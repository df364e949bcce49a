//! Putting a graph together, and checking that it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::node::{Kind, Node, NodeId, OldValues, OnRewrite, SinkSpec, StoreSpec, TableSpec};
use super::{Graph, MakeProcessor, SourceSpec, Topology};
use crate::connector::Sink;
use crate::error::{Error, Result};
use crate::policy::{ErrorPolicy, NodeStats};
use crate::processor::{SinkId, StoreId};

/// A graph that is being put together.
pub(crate) struct GraphBuilder {
    graph: Graph,
    names: BTreeSet<Arc<str>>,
    store_names: BTreeMap<Arc<str>, StoreId>,
    sink_names: BTreeMap<Arc<str>, SinkId>,
    query: Arc<str>,
    policy: ErrorPolicy,
    errors: Vec<String>,
}

/// A node that is to be added.
pub(crate) struct NodeSpec {
    pub(crate) name: String,
    pub(crate) label: &'static str,
    pub(crate) inputs: Vec<NodeId>,
    pub(crate) make: MakeProcessor,
}

impl GraphBuilder {
    pub(crate) fn new() -> Self {
        GraphBuilder {
            graph: Graph::default(),
            names: BTreeSet::new(),
            store_names: BTreeMap::new(),
            sink_names: BTreeMap::new(),
            query: "topology".into(),
            policy: ErrorPolicy::default(),
            errors: Vec::new(),
        }
    }

    /// Everything added from now on is part of this query, and follows its policy.
    pub(crate) fn set_query(&mut self, query: &str, policy: ErrorPolicy) {
        self.query = query.into();
        self.policy = policy;
    }

    /// Notes a mistake, to be told when the topology is built.
    pub(crate) fn mistake(&mut self, message: String) {
        self.errors.push(message);
    }

    /// A name for a step that has none of its own: that of what feeds it, and what it does.
    pub(crate) fn derived_name(&self, parent: NodeId, label: &str) -> String {
        let base = format!("{}.{label}", self.graph.node(parent).name);
        let mut name = base.clone();
        let mut n = 1;
        while self.names.contains(&name[..]) {
            n += 1;
            name = format!("{base}-{n}");
        }
        name
    }

    /// Adds a stateless operator; its other properties can be set on what is returned.
    pub(crate) fn add(&mut self, spec: NodeSpec) -> NodeId {
        let name: Arc<str> = spec.name.into();
        if !self.names.insert(name.clone()) {
            self.mistake(format!("two steps have the name {name}"));
        }
        let id = NodeId(self.graph.nodes.len() as u32);
        self.graph.nodes.push(Node {
            name,
            label: spec.label,
            kind: Kind::Operator,
            inputs: spec.inputs,
            make: spec.make,
            writes: Vec::new(),
            reads: Vec::new(),
            old_values: OldValues::Ignores,
            on_rewrite: OnRewrite::Passes,
            sends_changes: false,
            stateless: true,
            pure: false,
            keeps_key: false,
            scattered: false,
            wire: None,
            may_collapse: false,
            before_sink: false,
            starts_once: false,
            goes_by_time: false,
            policy: self.policy.clone(),
            stats: Arc::new(NodeStats::default()),
            query: self.query.clone(),
        });
        id
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.graph.nodes[id.index()]
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        self.graph.node(id)
    }

    /// True where what `node` sends depends on a step that writes one of these stores.
    pub(crate) fn depends_on(&self, node: NodeId, stores: &[StoreId]) -> bool {
        let mut open = vec![node];
        let mut seen = BTreeSet::from([node]);
        while let Some(at) = open.pop() {
            let spec = self.node(at);
            if spec.writes.iter().any(|store| stores.contains(store)) {
                return true;
            }
            open.extend(
                spec.inputs
                    .iter()
                    .copied()
                    .filter(|input| seen.insert(*input)),
            );
        }
        false
    }

    /// Makes a node a source.
    pub(crate) fn set_source(&mut self, id: NodeId, source: SourceSpec, policy: ErrorPolicy) {
        let node = self.node_mut(id);
        node.kind = Kind::Source(source);
        node.policy = policy;
        self.letters_for(id);
    }

    /// Has the sink for dead letters of a node's policy exist.
    fn letters_for(&mut self, id: NodeId) {
        if let ErrorPolicy::DeadLetter(sink) = &self.node(id).policy {
            let sink = sink.clone();
            self.sink(&sink, None);
        }
    }

    /// Adds a store, which must have a name of its own.
    pub(crate) fn add_store(&mut self, spec: StoreSpec) -> StoreId {
        let id = StoreId(self.graph.stores.len() as u32);
        if spec.name.is_empty() {
            self.mistake("a store needs a name".to_owned());
        }
        if self.store_names.insert(spec.name.clone(), id).is_some() {
            self.mistake(format!("two stores have the name {}", spec.name));
        }
        self.graph.stores.push(spec);
        id
    }

    /// The sink of this name, made if it is not there.
    pub(crate) fn sink(&mut self, name: &str, binding: Option<Arc<dyn Sink>>) -> SinkId {
        if let Some(&id) = self.sink_names.get(name) {
            let sink = &mut self.graph.sinks[id.0 as usize];
            if sink.binding.is_none() {
                sink.binding = binding;
            }
            return id;
        }
        let id = SinkId(self.graph.sinks.len() as u32);
        let name: Arc<str> = name.into();
        self.sink_names.insert(name.clone(), id);
        self.graph.sinks.push(SinkSpec { name, binding });
        id
    }

    /// Lets a table be read from outside under a name.
    pub(crate) fn add_table(&mut self, name: &str, table: TableSpec) {
        if self.graph.tables.insert(name.to_owned(), table).is_some() {
            self.mistake(format!("two tables have the name {name}"));
        }
    }

    /// Ends the building: the graph, or everything that is wrong with it.
    pub(crate) fn build(mut self) -> Result<Topology> {
        let ids: Vec<NodeId> = self.graph.ids().collect();
        for &id in &ids {
            if matches!(self.node(id).policy, ErrorPolicy::DeadLetter(_)) {
                self.letters_for(id);
            }
        }
        if self.graph.nodes.is_empty() {
            self.mistake("the topology is empty".to_owned());
        }
        let graph = &mut self.graph;
        graph.children = vec![Vec::new(); graph.nodes.len()];
        for id in ids {
            for (port, &input) in graph.nodes[id.index()].inputs.iter().enumerate() {
                graph.children[input.index()].push((id, port as u8));
            }
        }
        match topological_order(graph) {
            Ok(order) => graph.order = order,
            Err(name) => self
                .errors
                .push(format!("the topology has a cycle through {name}")),
        }
        if !self.errors.is_empty() {
            return Err(Error::invalid(self.errors.join("; ")).context("cannot build the topology"));
        }
        forget_unused(&mut self.graph);
        let to_sinks = only_to_sinks(&self.graph);
        for (node, to_sinks) in self.graph.nodes.iter_mut().zip(to_sinks) {
            node.may_collapse &= to_sinks || !node.before_sink;
        }
        self.graph.send_old = old_values(&self.graph);
        self.graph.one_by_one = super::plan::one_by_one(&self.graph);
        Ok(Topology {
            graph: Arc::new(self.graph),
        })
    }
}

/// Nodes in an order in which each comes behind its inputs, as early as it was added allows; or the
/// name of a node on a cycle.
fn topological_order(graph: &Graph) -> std::result::Result<Vec<NodeId>, Arc<str>> {
    let mut missing: Vec<usize> = graph.nodes.iter().map(|node| node.inputs.len()).collect();
    let mut ready: BTreeSet<NodeId> = graph.ids().filter(|id| missing[id.index()] == 0).collect();
    let mut order = Vec::with_capacity(graph.nodes.len());
    while let Some(id) = ready.pop_first() {
        order.push(id);
        for (child, _) in &graph.children[id.index()] {
            missing[child.index()] -= 1;
            if missing[child.index()] == 0 {
                ready.insert(*child);
            }
        }
    }
    match missing.iter().position(|&n| n > 0) {
        None => Ok(order),
        Some(at) => Err(graph.nodes[at].name.clone()),
    }
}

/// Sends nothing to steps that are pure and that nobody reads: what they would compute is computed when
/// a table is read.
fn forget_unused(graph: &mut Graph) {
    let mut used = vec![true; graph.nodes.len()];
    for &id in graph.order.iter().rev() {
        let (children, used_now) = (&mut graph.children[id.index()], &used);
        children.retain(|(child, _)| used_now[child.index()]);
        used[id.index()] = !children.is_empty() || !graph.nodes[id.index()].pure;
    }
}

/// For each node, whether what it sends reaches sinks and nothing else, through stateless steps.
fn only_to_sinks(graph: &Graph) -> Vec<bool> {
    let mut only = vec![false; graph.nodes.len()];
    for &id in graph.order.iter().rev() {
        let children = &graph.children[id.index()];
        only[id.index()] = !children.is_empty()
            && children.iter().all(|(child, _)| {
                let node = graph.node(*child);
                matches!(node.kind, Kind::Sink(_)) || (node.stateless && only[child.index()])
            });
    }
    only
}

/// For each node, whether anybody downstream reads the old values that it sends.
fn old_values(graph: &Graph) -> Vec<bool> {
    let mut send = vec![false; graph.nodes.len()];
    for &id in graph.order.iter().rev() {
        send[id.index()] = graph.children[id.index()].iter().any(|(child, _)| {
            match graph.node(*child).old_values {
                OldValues::Ignores => false,
                OldValues::Reads => true,
                OldValues::Passes => send[child.index()],
            }
        });
    }
    send
}
