//! The task: a sub-topology at work on its share of the partitions.
//!
//! A task does no input and no output. It is given raw batches and runs of other tasks; it chooses
//! which input goes on, has its nodes process, and collects what leaves; at a commit it says what to
//! write. Whoever hosts it does the rest: the runtime, the test driver, a user's own loop.

mod channels;
mod counts;
mod herald;
mod input;
mod nodes;
mod generation;
mod opening;
mod intake;
mod clock;
mod step;
mod commit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::channels::Channels;
pub(crate) use self::channels::{Feeders, Said};
pub(crate) use self::counts::Counts;
pub(crate) use self::generation::generation_key;
use self::herald::Herald;
use self::input::Input;
use self::nodes::{Instance, Shared, deliver, node};
use crate::error::Result;
use crate::graph::{Decoder, Graph, NodeId};
use crate::processor::{Context, Exits, Processor};
use crate::run::{Origin, Stamp};
use crate::time::{Clock, Timestamp};

/// How tasks are to work.
#[derive(Debug, Clone)]
pub(crate) struct TaskOptions {
    pub(crate) clock: Clock,
    /// The most records that a run has.
    pub(crate) max_run: usize,
    /// True where changes collapse until the commit where they leave.
    pub(crate) collapse: bool,
    /// True where records travel between tasks through topics.
    pub(crate) over_topics: bool,
    /// Who feeds tasks through topics, where somebody's work depends on time.
    pub(crate) feeders: Arc<Feeders>,
    /// Nodes that are given nothing any more.
    pub(crate) disabled: Arc<BTreeSet<NodeId>>,
}

impl Default for TaskOptions {
    fn default() -> Self {
        TaskOptions {
            clock: Clock::system(),
            max_run: 4_096,
            collapse: true,
            over_topics: false,
            feeders: Arc::default(),
            disabled: Arc::default(),
        }
    }
}

/// A sub-topology at work.
pub(crate) struct Task {
    graph: Arc<Graph>,
    name: String,
    inputs: Vec<Input>,
    decoders: BTreeMap<NodeId, Box<dyn Decoder>>,
    nodes: Vec<Option<Instance>>,
    /// The nodes of the task, each behind those that feed it.
    order: Vec<NodeId>,
    shared: Shared,
    options: TaskOptions,
    /// The place of the task's part in the plan.
    pub(crate) part: usize,
    pub(crate) lane: u16,
    pub(crate) level: u32,
    written_time: Timestamp,
    punctuates: Vec<NodeId>,
    /// Of a task that others feed through topics, what they have said.
    channels: Option<Channels>,
    herald: Herald,
    /// The greatest time of tasks that feed this one in memory, as they have said it.
    heard: Timestamp,
    /// How many records were taken so far.
    taken: u64,
}

impl Task {
    /// What the task has counted since it was opened.
    pub(crate) fn counts(&self) -> Counts {
        let lost = self.shared.exits.lost;
        Counts {
            processed: self.taken,
            dropped: lost.dropped,
            failed: lost.failed,
            given_up: self.channels.as_ref().map_or(0, Channels::given_up),
        }
    }

    /// The greatest place of a record that was taken.
    pub(crate) fn latest(&self) -> Stamp {
        self.shared.latest
    }

    /// What left the task since this was asked last.
    pub(crate) fn exits(&mut self) -> &mut Exits {
        &mut self.shared.exits
    }

    /// True where a call into the task has not returned well: it failed or panicked.
    pub(crate) fn is_working(&self) -> bool {
        self.shared.working
    }

    /// The node that is, or was last, at work.
    pub(crate) fn at_work(&self) -> NodeId {
        self.shared.at_work
    }

    fn time_key(&self) -> String {
        format!("time/{}/{}", self.lane, self.name)
    }

    /// Calls a processor and forwards what it forwards.
    fn with_processor(
        &mut self,
        id: NodeId,
        origin: &Origin,
        call: impl FnOnce(&mut dyn Processor, &mut Context<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut forwarded = self.shared.spare.pop().unwrap_or_default();
        let instance = node(&mut self.nodes, id);
        if let Some(processor) = &mut instance.processor {
            let mut cx = self
                .shared
                .context(&instance.facts, origin, &mut forwarded, id);
            call(&mut **processor, &mut cx)?;
        }
        deliver(&mut self.nodes, &mut self.shared, origin, id, forwarded)
    }
}
