//! The graph of a topology: plain data, made by the typed handles, read by everything that runs it.
//!
//! Once built it does not change. It knows its nodes, stores and sinks by place, and computes what
//! the engine must know of them: the order of the nodes, which must handle records one by one, which
//! must send old values.

mod build;
mod describe;
mod node;
mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) use self::build::{GraphBuilder, NodeSpec};
pub(crate) use self::node::{
    Decoded, Decoder, Kind, MakeProcessor, Node, NodeEnv, NodeId, OldValues, OnRewrite, SinkSpec,
    SourceSpec, StoreSpec, TableSpec,
};
pub(crate) use self::plan::{Plan, SubTopology};
use crate::processor::{SinkId, StoreId};

/// What is computed, from where and to where: an immutable graph of sources, operators and sinks.
///
/// It is made by a [`StreamsBuilder`](crate::dsl::StreamsBuilder). Cloning shares it.
#[derive(Clone)]
pub struct Topology {
    pub(crate) graph: Arc<Graph>,
}

/// The parts of a topology.
#[derive(Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) stores: Vec<StoreSpec>,
    pub(crate) sinks: Vec<SinkSpec>,
    pub(crate) tables: BTreeMap<String, TableSpec>,
    /// All nodes, each behind those that it is fed by.
    pub(crate) order: Vec<NodeId>,
    /// For each node, whom it feeds and through which of their inputs.
    pub(crate) children: Vec<Vec<(NodeId, u8)>>,
    /// For each node, whether somebody downstream reads old values.
    pub(crate) send_old: Vec<bool>,
    /// The nodes that must be given records one by one.
    pub(crate) one_by_one: BTreeSet<NodeId>,
}

impl Graph {
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    pub(crate) fn store(&self, id: StoreId) -> &StoreSpec {
        &self.stores[id.0 as usize]
    }

    pub(crate) fn sink(&self, id: SinkId) -> &SinkSpec {
        &self.sinks[id.0 as usize]
    }

    /// The sources, in the order in which they were added.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (NodeId, &SourceSpec)> {
        self.ids().filter_map(|id| match &self.node(id).kind {
            Kind::Source(source) => Some((id, source)),
            _ => None,
        })
    }

    /// For each node, the number of the connected part of the graph that it is in.
    pub(crate) fn components(&self) -> Vec<usize> {
        plan::components(self)
    }

    /// True where all that comes to an exchange is where its key belongs, if that is so of the records
    /// of sources: where it still has the key that it came with.
    pub(crate) fn is_placed(&self, exchange: NodeId) -> bool {
        let mut open = self.node(exchange).inputs.clone();
        while let Some(id) = open.pop() {
            let node = self.node(id);
            match &node.kind {
                Kind::Source(source) if source.key_codec.is_some() && !self.is_local(id) => {}
                Kind::Exchange => open.extend(&node.inputs),
                Kind::Operator if node.keeps_key => open.extend(&node.inputs),
                _ => return false,
            }
        }
        true
    }

    /// True where a node is a source that is bound to something that is no topic.
    pub(crate) fn is_local(&self, id: NodeId) -> bool {
        match &self.node(id).kind {
            Kind::Source(source) => {
                let bound = source.binding.as_ref();
                bound.is_some_and(|bound| matches!(bound.topic(), Ok(None)))
            }
            _ => false,
        }
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }
}

impl Topology {
    /// The graph as text: its sub-topologies, and in each the nodes with what they feed.
    ///
    /// The same program gives the same bytes.
    pub fn describe(&self) -> String {
        describe::text(&self.graph)
    }

    /// The graph as a Mermaid flowchart.
    pub fn to_mermaid(&self) -> String {
        describe::mermaid(&self.graph)
    }

    /// The names of the sinks.
    pub fn sinks(&self) -> Vec<String> {
        self.graph
            .sinks
            .iter()
            .map(|sink| sink.name.to_string())
            .collect()
    }

    /// The names of the tables that can be read.
    pub fn tables(&self) -> Vec<String> {
        self.graph.tables.keys().cloned().collect()
    }
}

impl std::fmt::Debug for Topology {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.describe())
    }
}
