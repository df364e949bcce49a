//! All tasks of a topology that one thread runs, and what passes between them.
//!
//! A topology is cut into parts, and each part runs in as many tasks as there are lanes. Every lane
//! belongs to one [`TaskSet`]; a process that has one thread has one set with all of them.

mod post;
mod share;
mod incoming;
mod outgoing;
mod horizons;
mod work;
mod commit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) use self::post::PostOffice;
pub(crate) use self::share::Share;
use crate::error::Result;
use crate::graph::{Graph, Kind, NodeId, Plan};
use crate::processor::{Departure, Output};
use crate::run::Stamp;
use crate::store::State;
use crate::task::{Counts, Task, TaskOptions};
use crate::time::{NO_TIMESTAMP, Timestamp};

/// Tasks that one thread runs.
pub(crate) struct TaskSet {
    pub(crate) plan: Arc<Plan>,
    tasks: Vec<Task>,
    share: Share,
    office: Arc<PostOffice>,
    /// What each task last said of its frontier.
    said: Vec<Stamp>,
    /// The task that each node enters, by lane.
    entry: BTreeMap<(NodeId, u16), usize>,
    outputs: Vec<Output>,
    /// The number of lanes that each source is shared by.
    lanes: BTreeMap<NodeId, u16>,
    /// The connected part of the graph that each node is in.
    components: Vec<usize>,
    /// Of each task the connected part whose horizon it keeps to, if it does: where it reads sources,
    /// and not tables alone that are to be loaded before all else.
    keeps_to: Vec<Option<usize>>,
    /// What left for other tasks through topics.
    departures: Vec<Departure>,
    /// What each task last said of its time, where anybody goes by time.
    said_times: Option<Vec<Timestamp>>,
}

impl TaskSet {
    pub(crate) fn new(
        graph: &Arc<Graph>,
        plan: &Arc<Plan>,
        share: Share,
        office: &Arc<PostOffice>,
        state: &State,
        options: &TaskOptions,
    ) -> Result<Self> {
        let mut set = TaskSet {
            plan: plan.clone(),
            tasks: Vec::new(),
            share,
            office: office.clone(),
            said: Vec::new(),
            entry: BTreeMap::new(),
            outputs: Vec::new(),
            lanes: graph
                .sources()
                .map(|(id, _)| (id, plan.lanes_of(id)))
                .collect(),
            components: graph.components(),
            keeps_to: Vec::new(),
            departures: Vec::new(),
            said_times: (graph.nodes.iter())
                .any(|node| node.goes_by_time)
                .then(Vec::new),
        };
        if options.over_topics {
            set.know_topics();
            // All that is no topic is read by the first lane, whoever takes part of the work behind it.
            let local = graph.ids().filter(|id| graph.is_local(*id));
            set.lanes.extend(local.map(|id| (id, 1)));
        }
        for part in &plan.parts {
            for lane in (0..part.lanes).filter(|lane| share.has(*lane)) {
                let mut task = Task::new(graph, plan, part, lane, state, options)?;
                for &node in &part.inputs {
                    set.entry.insert((node, lane), set.tasks.len());
                    if matches!(graph.node(node).kind, Kind::Exchange) && !options.over_topics {
                        for from in 0..part.lanes {
                            task.set_frontier(node, u32::from(from), Stamp::MIN);
                        }
                    }
                }
                if let Some(said) = &mut set.said_times {
                    said.push(task.stream_time());
                }
                set.tasks.push(task);
                set.said.push(Stamp::MIN);
                let waits = part.inputs.iter().any(|id| match &graph.node(*id).kind {
                    Kind::Source(source) => !source.bootstrap,
                    _ => options.over_topics,
                });
                let component = set.components[part.nodes[0].index()];
                set.keeps_to.push(waits.then_some(component));
            }
        }
        Ok(set)
    }

    /// Has exchanges that are cut be read as sources are, and parts wait for nothing but their own inputs.
    fn know_topics(&mut self) {
        let plan = self.plan.clone();
        for (number, part) in plan.parts.iter().enumerate() {
            for input in &part.inputs {
                self.lanes.insert(*input, part.lanes);
            }
            // An exchange that is cut is in the part that it enters, and in that which it leaves as an exit.
            for node in &part.nodes {
                self.components[node.index()] = number;
            }
        }
    }

    /// How many records wait in each connected part of the graph, by its number.
    pub(crate) fn waiting(&self) -> Vec<u64> {
        let mut waiting = vec![0; self.components.len()];
        for task in &self.tasks {
            let node = self.plan.parts[task.part].nodes[0];
            waiting[self.components[node.index()]] += task.waiting() as u64;
        }
        waiting
    }

    /// What the tasks have counted since they were opened.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for task in &self.tasks {
            counts += task.counts();
        }
        counts
    }

    /// True where something waits of a node that records come in through.
    pub(crate) fn waits_for(&self, node: NodeId) -> bool {
        self.tasks.iter().any(|task| task.waits_for(node))
    }

    /// The sources of which something waits.
    pub(crate) fn waiting_sources(&self) -> BTreeSet<NodeId> {
        self.tasks.iter().flat_map(Task::waiting_sources).collect()
    }

    /// The greatest place of a record that any task took.
    pub(crate) fn latest(&self) -> Stamp {
        self.tasks
            .iter()
            .map(Task::latest)
            .max()
            .unwrap_or(Stamp::MIN)
    }

    /// The greatest timestamp that any task has processed.
    pub(crate) fn stream_time(&self) -> Timestamp {
        self.tasks
            .iter()
            .map(Task::stream_time)
            .max()
            .unwrap_or(NO_TIMESTAMP)
    }

    /// The node that is, or was last, at work in the task that failed last.
    pub(crate) fn at_work(&self) -> Option<NodeId> {
        self.tasks
            .iter()
            .find(|task| task.is_working())
            .map(Task::at_work)
    }
}
