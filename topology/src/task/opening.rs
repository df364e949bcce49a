//! How a task is made of a part of the graph, and of what the state has of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::channels::Channels;
use super::generation::generation_key;
use super::herald::Herald;
use super::nodes::{Instance, Shared, node};
use super::{Task, TaskOptions};
use crate::error::Result;
use crate::graph::{Graph, Kind, Node, NodeEnv, NodeId, Plan, SubTopology};
use crate::policy::ErrorPolicy;
use crate::processor::{Exits, NextPunctuation, NodeFacts, SinkId, Stores};
use crate::run::{Origin, Stamp};
use crate::store::{Generations, State};
use crate::time::NO_TIMESTAMP;

impl Task {
    pub(crate) fn new(
        graph: &Arc<Graph>,
        plan: &Plan,
        part: &SubTopology,
        lane: u16,
        state: &State,
        options: &TaskOptions,
    ) -> Result<Self> {
        let mut task = Task {
            graph: graph.clone(),
            name: graph.node(part.nodes[0]).name.to_string(),
            inputs: Vec::new(),
            decoders: BTreeMap::new(),
            nodes: Vec::new(),
            order: part.nodes.clone(),
            shared: Shared {
                stores: open_stores(graph, part, lane, state)?,
                exits: Exits::default(),
                stream_time: NO_TIMESTAMP,
                now: options.clock.now(),
                latest: Stamp::MIN,
                at_work: part.nodes[0],
                working: false,
                spare: Vec::new(),
            },
            options: options.clone(),
            part: plan.place_of(part),
            lane,
            level: part.level,
            written_time: NO_TIMESTAMP,
            punctuates: Vec::new(),
            channels: Channels::open(
                graph,
                part,
                lane,
                state,
                &options.feeders,
                options.clock.now(),
            )?,
            herald: Herald::new(part, &options.feeders),
            heard: NO_TIMESTAMP,
            taken: 0,
        };
        task.order.extend(&part.exits);
        task.nodes.resize_with(graph.nodes.len(), || None);
        for &id in &task.order {
            let instance = instance(graph, plan, part, lane, id, options);
            task.nodes[id.index()] = Some(instance);
        }
        for &id in &part.inputs {
            let decoder = match &graph.node(id).kind {
                Kind::Source(source) => Some((source.decoder)()),
                _ if options.over_topics => {
                    let wire = graph.node(id).wire.as_ref();
                    wire.map(|wire| wire.decoder())
                }
                _ => None,
            };
            if let Some(decoder) = decoder {
                task.decoders.insert(id, decoder);
            }
        }
        for &id in &task.order {
            let facts = &mut node(&mut task.nodes, id).facts;
            facts.first_start = facts.first_start && state.meta(&facts.start_key())?.is_none();
        }
        if let Some(bytes) = state.meta(&task.time_key())? {
            let time = bytes.try_into().map_or(NO_TIMESTAMP, i64::from_be_bytes);
            (task.shared.stream_time, task.written_time) = (time, time);
        }
        task.start()?;
        Ok(task)
    }

    fn start(&mut self) -> Result<()> {
        for id in self.order.clone() {
            self.with_processor(id, &Origin::Engine, |processor, cx| processor.start(cx))?;
        }
        self.punctuates = self
            .order
            .iter()
            .copied()
            .filter(|id| self.next_of(*id) != NextPunctuation::default())
            .collect();
        Ok(())
    }
}

fn open_stores(graph: &Graph, part: &SubTopology, lane: u16, state: &State) -> Result<Stores> {
    let mut stores = Stores::default();
    for &id in &part.stores {
        let generations = state
            .meta(&generation_key(graph, id, lane))?
            .and_then(|bytes| Generations::from_bytes(&bytes))
            .unwrap_or_default();
        stores.insert(id, (graph.store(id).make)(state, lane, generations)?);
    }
    Ok(stores)
}

fn instance(
    graph: &Graph,
    plan: &Plan,
    part: &SubTopology,
    lane: u16,
    id: NodeId,
    options: &TaskOptions,
) -> Instance {
    let spec = graph.node(id);
    let enters = part.inputs.contains(&id);
    let env = NodeEnv {
        lanes: part.lanes,
        send_old: graph.send_old[id.index()],
        has_children: !graph.children[id.index()].is_empty(),
        collapse: options.collapse && spec.may_collapse,
        over_topics: options.over_topics,
    };
    let leaves = part.exits.contains(&id);
    Instance {
        processor: (!enters).then(|| (spec.make)(&env)),
        facts: NodeFacts {
            index: id.0,
            name: spec.name.clone(),
            stats: spec.stats.clone(),
            policy: spec.policy.clone(),
            dead_letters: dead_letters(graph, &spec.policy),
            lane,
            // An exchange inside a task has nobody else to send to.
            lanes: if leaves {
                plan.lanes
            } else if enters {
                part.lanes
            } else {
                within(spec, part)
            },
            first_start: spec.starts_once,
        },
        children: if leaves {
            Vec::new()
        } else {
            graph.children[id.index()].clone()
        },
        one_by_one: part.one_by_one.contains(&id),
        disabled: options.disabled.contains(&id),
    }
}

/// The number of tasks that a node inside a task shares its work with.
fn within(spec: &Node, part: &SubTopology) -> u16 {
    if matches!(spec.kind, Kind::Exchange) {
        1
    } else {
        part.lanes
    }
}

fn dead_letters(graph: &Graph, policy: &ErrorPolicy) -> Option<SinkId> {
    match policy {
        ErrorPolicy::DeadLetter(name) => graph
            .sinks
            .iter()
            .position(|sink| *sink.name == **name)
            .map(|at| SinkId(at as u32)),
        _ => None,
    }
}
