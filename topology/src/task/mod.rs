//! The task: a sub-topology at work on its share of the partitions.
//!
//! A task does no input and no output. It is given raw batches and runs of other tasks; it chooses
//! which input goes on, has its nodes process, and collects what leaves; at a commit it says what to
//! write. Whoever hosts it does the rest: the runtime, the test driver, a user's own loop.

mod channels;
mod counts;
mod herald;
mod input;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::channels::Channels;
pub(crate) use self::channels::{Feeders, Said};
pub(crate) use self::counts::Counts;
use self::herald::Herald;
use self::input::{Input, Taken};
use crate::connector::RawBatch;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Decoded, Decoder, Graph, Kind, Node, NodeEnv, NodeId, Plan, SubTopology};
use crate::policy::ErrorPolicy;
use crate::processor::{
    Child, Context, Exits, NextPunctuation, NodeFacts, Processor, SinkId, StoreId, Stores,
};
use crate::run::{Origin, Run, Stamp};
use crate::store::{AnyStore, Commit, Generations, State};
use crate::time::{Clock, NO_TIMESTAMP, Timestamp};

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

/// What all nodes of a task share.
struct Shared {
    stores: Stores,
    exits: Exits,
    stream_time: Timestamp,
    now: Timestamp,
    /// The greatest place of a record that was taken.
    latest: Stamp,
    /// The node that is at work, for the case that it panics.
    at_work: NodeId,
    /// True while a call into the task has not returned well.
    working: bool,
    spare: Vec<Vec<(Child, Run)>>,
}

/// A node of a task.
struct Instance {
    processor: Option<Box<dyn Processor>>,
    facts: NodeFacts,
    children: Vec<(NodeId, u8)>,
    one_by_one: bool,
    /// True where the node's query has failed: it is given nothing any more.
    disabled: bool,
}

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

    fn time_key(&self) -> String {
        format!("time/{}/{}", self.lane, self.name)
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

    /// The input of a partition, made if it is new.
    fn input(&mut self, node: NodeId, partition: u32) -> &mut Input {
        let at = self
            .inputs
            .iter()
            .position(|input| input.node == node && input.partition == partition);
        let at = at.unwrap_or_else(|| {
            // Inputs stand in the order of their nodes and partitions, whenever they came.
            let at = self
                .inputs
                .partition_point(|input| (input.node, input.partition) < (node, partition));
            self.inputs.insert(at, Input::new(node, partition));
            at
        });
        &mut self.inputs[at]
    }

    /// Goes on behind what an earlier run of the process committed.
    pub(crate) fn resume(&mut self, node: NodeId, partition: u32, reached: Timestamp) {
        self.input(node, partition).resume(reached);
        if let Some(channels) = &mut self.channels {
            channels.processed(reached);
        }
    }

    /// Notes what was said of their time by tasks that feed this one, each before the record of that
    /// index in the batch that is queued next.
    pub(crate) fn note_said(&mut self, node: NodeId, partition: u32, said: Vec<(u32, Said)>) {
        self.input(node, partition).note_said(said);
    }

    /// Queues a batch of a source. `rank` orders the partition among all of the process.
    pub(crate) fn enqueue(&mut self, node: NodeId, rank: u32, batch: &Arc<RawBatch>) {
        let decoder = self
            .decoders
            .get_mut(&node)
            .expect("the source belongs to the task");
        self.shared.at_work = node;
        self.shared.working = true;
        let mut decoded = decoder.decode(batch);
        self.shared.working = false;
        let facts = &self.nodes[node.index()]
            .as_ref()
            .expect("it is there")
            .facts;
        if decoded.rounded > 0 {
            facts.stats.count_rounded(decoded.rounded);
            tell_rounded(facts);
        }
        if facts.policy == ErrorPolicy::Fail {
            cut_at_first_bad(&mut decoded.bad, &mut decoded.run);
        }
        let source = facts.name.clone();
        let came = self.channels.as_ref().map_or(0, Channels::elapsed);
        self.input(node, batch.partition)
            .push_source(source, rank, batch.clone(), decoded, came);
    }

    /// Queues records of a source whose types are the source's own; each is its own cause.
    pub(crate) fn enqueue_decoded(
        &mut self,
        node: NodeId,
        rank: u32,
        batch: &Arc<RawBatch>,
        mut run: Run,
    ) {
        run.set_causes();
        let decoded = Decoded {
            run,
            bad: Vec::new(),
            times: None,
            rounded: 0,
        };
        let source = self.graph.node(node).name.clone();
        self.input(node, batch.partition)
            .push_source(source, rank, batch.clone(), decoded, 0);
    }

    /// Has the task wait for nothing that is not there: neither for what other tasks may still send,
    /// nor for what is still to be read.
    pub(crate) fn release(&mut self) {
        for input in &mut self.inputs {
            input.released = true;
            input.frontier = Stamp::MAX;
        }
    }

    /// Queues a run that the task of lane `from` sent through exchange `node`.
    pub(crate) fn enqueue_run(&mut self, node: NodeId, from: u16, run: Run, origin: Origin) {
        self.input(node, u32::from(from)).push_exchange(run, origin);
    }

    /// Notes that nothing before `frontier` is still to come from an input.
    pub(crate) fn set_frontier(&mut self, node: NodeId, partition: u32, frontier: Stamp) {
        self.input(node, partition).frontier = frontier;
    }

    /// Notes whether more is known to be there of a partition, so that others wait for it.
    pub(crate) fn set_behind(&mut self, node: NodeId, partition: u32, behind: bool) {
        self.input(node, partition).behind = behind;
    }

    /// The place up to which a partition was read.
    pub(crate) fn reached(&mut self, node: NodeId, partition: u32) -> Stamp {
        self.input(node, partition).reached()
    }

    /// The partitions of sources of which nothing waits.
    pub(crate) fn processed_sources(&self) -> impl Iterator<Item = (NodeId, u32)> {
        let processed = self.inputs.iter().filter(|input| input.is_empty());
        processed
            .map(|input| (input.node, input.partition))
            .filter(|(id, _)| matches!(self.graph.node(*id).kind, Kind::Source(_)))
    }

    /// True where something waits of a node that records come in through.
    pub(crate) fn waits_for(&self, node: NodeId) -> bool {
        let mut of_node = self.inputs.iter().filter(|input| input.node == node);
        of_node.any(|input| !input.is_empty())
    }

    /// True where something waits that other tasks sent.
    pub(crate) fn has_been_sent(&self) -> bool {
        let mut waiting = self.inputs.iter().filter(|input| !input.is_empty());
        waiting.any(|input| matches!(self.graph.node(input.node).kind, Kind::Exchange))
    }

    /// How many records wait, of all inputs.
    pub(crate) fn waiting(&self) -> usize {
        self.inputs.iter().map(Input::len).sum()
    }

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

    /// The sources of which something waits.
    pub(crate) fn waiting_sources(&self) -> impl Iterator<Item = NodeId> {
        let waiting = self.inputs.iter().filter(|input| !input.is_empty());
        waiting
            .map(|input| input.node)
            .filter(|id| matches!(self.graph.node(*id).kind, Kind::Source(_)))
    }

    /// Nothing that the task will still send stands before this place.
    pub(crate) fn frontier(&self) -> Stamp {
        self.inputs
            .iter()
            .map(Input::next)
            .min()
            .unwrap_or(Stamp::MAX)
    }

    /// The greatest place of a record that was taken.
    pub(crate) fn latest(&self) -> Stamp {
        self.shared.latest
    }

    /// Processes one run, if one may be taken that begins at or before `bound`; false where none may.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read, or a record failed whose policy is to stop. What the run had
    /// done must be rolled back then.
    pub(crate) fn step(&mut self, bound: Stamp) -> Result<bool> {
        self.step_of(bound, self.options.max_run)
    }

    /// The same, with a run of `max_run` records at most.
    ///
    /// # Errors
    ///
    /// As those of [`step`](Task::step).
    pub(crate) fn step_of(&mut self, bound: Stamp, max_run: usize) -> Result<bool> {
        let Some((at, limit)) = self.choose(bound) else {
            return Ok(false);
        };
        self.shared.working = true;
        // Where others are waited for, no record of a run is what has the time come.
        let waits = self.channels.as_ref().is_some_and(Channels::wait);
        let until = self.next_stream_punctuation().filter(|_| !waits);
        let node_id = self.inputs[at].node;
        let taken = self.inputs[at].take(max_run, |stamp| limit.admits(stamp, at, bound), until);
        if !taken.run.is_empty() {
            let last = taken.origin.stamp(taken.run.cause(taken.run.len() - 1));
            self.shared.latest = self.shared.latest.max(last);
        }
        self.process(node_id, taken)?;
        self.shared.working = false;
        Ok(true)
    }

    fn process(&mut self, id: NodeId, taken: Taken) -> Result<()> {
        self.shared.now = self.options.clock.now();
        self.herald.work();
        let Taken {
            run,
            origin,
            bad,
            said,
            came,
            reached,
        } = taken;
        let instance = node(&mut self.nodes, id);
        instance.facts.stats.count_records(run.len());
        self.taken += run.len() as u64;
        let mut forwarded = self.shared.spare.pop().unwrap_or_default();
        // What failed may stand before everything else, or be all there is.
        let first_bad = bad.first().map(|(cause, _)| *cause);
        let first_good = (!run.is_empty()).then(|| run.cause(0));
        if let Some(first) = first_bad.into_iter().chain(first_good).min() {
            self.shared.exits.begin_run(first);
        }
        if !run.is_empty() {
            forwarded.push((Child::All, run));
        }
        deliver(&mut self.nodes, &mut self.shared, &origin, id, forwarded)?;
        // What fails from here on is the source's, and not that of the last who got a record.
        self.shared.at_work = id;
        let facts = &node(&mut self.nodes, id).facts;
        for (cause, error) in bad {
            facts.report(&origin, cause, &error.to_string(), &mut self.shared.exits)?;
        }
        let time = match &mut self.channels {
            None => reached,
            Some(channels) => {
                channels.pass(self.shared.now);
                channels.processed(reached);
                channels.hear(id, came, &said);
                channels.time()
            }
        };
        self.shared.stream_time = self.shared.stream_time.max(time);
        self.punctuate()
    }

    /// The input whose head is earliest, if it may go on, and what its run must not pass.
    fn choose(&self, bound: Stamp) -> Option<(usize, Limit)> {
        let mut best: Option<(Stamp, usize)> = None;
        for (at, input) in self.inputs.iter().enumerate() {
            if let Some(head) = input.head() {
                best = Some(best.map_or((head, at), |best| best.min((head, at))));
            }
        }
        let (head, at) = best?;
        let mut limit = Limit(Stamp::MAX, usize::MAX);
        for (other, input) in self.inputs.iter().enumerate() {
            if other != at {
                let next = input.next();
                if (next, other) < (limit.0, limit.1) {
                    limit = Limit(next, other);
                }
            }
        }
        limit.admits(head, at, bound).then_some((at, limit))
    }

    fn next_of(&self, id: NodeId) -> NextPunctuation {
        self.nodes[id.index()]
            .as_ref()
            .and_then(|node| node.processor.as_ref())
            .map(|processor| processor.next_punctuation())
            .unwrap_or_default()
    }

    fn next_stream_punctuation(&self) -> Option<Timestamp> {
        self.punctuates
            .iter()
            .filter_map(|id| self.next_of(*id).stream_time)
            .min()
    }

    /// Calls the processors whose time has come.
    pub(crate) fn punctuate(&mut self) -> Result<()> {
        for i in 0..self.punctuates.len() {
            let id = self.punctuates[i];
            let next = self.next_of(id);
            let due = |next: Option<Timestamp>, now: Timestamp| next.is_some_and(|at| at <= now);
            if due(next.stream_time, self.shared.stream_time)
                || due(next.wall_clock, self.shared.now)
            {
                self.with_processor(id, &Origin::Engine, |processor, cx| processor.punctuate(cx))?;
            }
        }
        Ok(())
    }

    /// Lets wall-clock time pass.
    pub(crate) fn tick(&mut self) -> Result<()> {
        self.shared.now = self.options.clock.now();
        if let Some(channels) = &mut self.channels {
            channels.pass(self.shared.now);
            for input in self.inputs.iter().filter(|input| input.is_caught_up()) {
                channels.caught_up(input.node);
            }
            self.shared.stream_time = self.shared.stream_time.max(channels.time());
        }
        self.punctuate()
    }

    /// Notes what the time of a task is that feeds this one in memory. All that it sent was queued before.
    pub(crate) fn hear_time(&mut self, time: Timestamp) {
        self.heard = self.heard.max(time);
    }

    /// Has the time come that was heard: when all that was sent is processed.
    pub(crate) fn go_by_heard_time(&mut self) -> Result<()> {
        if self.heard <= self.shared.stream_time {
            return Ok(());
        }
        self.shared.working = true;
        self.shared.stream_time = self.heard;
        self.punctuate()?;
        self.shared.working = false;
        Ok(())
    }

    /// The time of the task, and the exchanges through which it is to be said now to those that it feeds.
    /// It counts as said.
    pub(crate) fn time_to_say(&mut self) -> (&[NodeId], Said) {
        let said = Said {
            from: self.lane,
            time: self.shared.stream_time,
        };
        let now = self.options.clock.now();
        (self.herald.call(said.time, now), said)
    }

    /// When wall-clock time next matters.
    pub(crate) fn next_tick(&self) -> Option<Timestamp> {
        self.punctuates
            .iter()
            .filter_map(|id| self.next_of(*id).wall_clock)
            .min()
    }

    /// Forwards what was held back until the commit, or some of it: true where there is more, so that what
    /// left is taken in pieces. A node holds nothing back any more when those behind it begin.
    pub(crate) fn flush(&mut self) -> Result<bool> {
        self.shared.working = true;
        let mut more = false;
        for i in 0..self.order.len() {
            let id = self.order[i];
            if self.graph.node(id).may_collapse {
                self.with_processor(id, &Origin::Engine, |processor, cx| {
                    more = processor.flush(cx)?;
                    Ok(())
                })?;
            }
            if more {
                break;
            }
        }
        self.shared.working = false;
        Ok(more)
    }

    /// What left the task since this was asked last.
    pub(crate) fn exits(&mut self) -> &mut Exits {
        &mut self.shared.exits
    }

    /// The time of the task: the greatest timestamp that it processed, or of one that others feed through
    /// topics the least of their times.
    pub(crate) fn stream_time(&self) -> Timestamp {
        self.shared.stream_time
    }

    /// True where a call into the task has not returned well: it failed or panicked.
    pub(crate) fn is_working(&self) -> bool {
        self.shared.working
    }

    /// The node that is, or was last, at work.
    pub(crate) fn at_work(&self) -> NodeId {
        self.shared.at_work
    }

    /// Adds everything that changed since the last commit to the next one.
    pub(crate) fn freeze(&mut self, commit: &mut Commit) -> Result<()> {
        for (_, store) in self.shared.stores.iter_mut() {
            store.freeze(commit)?;
        }
        for &id in &self.order {
            let facts = &mut node(&mut self.nodes, id).facts;
            if std::mem::take(&mut facts.first_start) {
                commit.put_meta(&facts.start_key(), &[1]);
            }
        }
        if self.shared.stream_time != self.written_time {
            commit.put_meta(&self.time_key(), &self.shared.stream_time.to_be_bytes());
            self.written_time = self.shared.stream_time;
        }
        if let Some(channels) = &mut self.channels {
            channels.freeze(commit);
        }
        Ok(())
    }

    /// What was frozen is written.
    pub(crate) fn committed(&mut self) {
        for (_, store) in self.shared.stores.iter_mut() {
            store.committed();
        }
    }

    /// Where reading goes on: node, partition, offset, and the time reached.
    pub(crate) fn positions(&self) -> impl Iterator<Item = (NodeId, u32, i64, Timestamp)> {
        self.inputs.iter().filter_map(|input| {
            let (offset, reached) = input.position()?;
            Some((input.node, input.partition, offset, reached))
        })
    }

    /// The stores of the task.
    pub(crate) fn stores(&mut self) -> impl Iterator<Item = (StoreId, &dyn AnyStore)> {
        let stores = self.shared.stores.iter_mut();
        stores.map(|(id, store)| (id, &**store))
    }

    /// About how many bytes the stores take in memory.
    pub(crate) fn memory(&mut self) -> usize {
        self.shared
            .stores
            .iter_mut()
            .map(|(_, store)| store.memory())
            .sum()
    }

    /// About how many more it takes to write what is not known to be written.
    pub(crate) fn write_memory(&mut self) -> usize {
        self.shared
            .stores
            .iter_mut()
            .map(|(_, store)| store.write_memory())
            .sum()
    }

    /// Has the stores shrink to `target` bytes in all, as far as they can.
    pub(crate) fn evict(&mut self, target: usize) {
        let all = self.memory();
        if all <= target {
            return;
        }
        for (_, store) in self.shared.stores.iter_mut() {
            let share = (store.memory() as u128 * target as u128 / all as u128) as usize;
            store.evict(share);
        }
    }

    /// Begins to build the state of nodes anew: their source is read again from the start.
    pub(crate) fn begin_generation(&mut self, ids: &[NodeId], commit: &mut Commit) -> Result<()> {
        self.shared.working = true;
        for store in self.written_by(ids) {
            self.begin_store(store, commit)?;
        }
        for &id in ids {
            self.with_processor(id, &Origin::Engine, |processor, cx| {
                processor.begin_generation(cx, commit)
            })?;
        }
        self.shared.working = false;
        Ok(())
    }

    fn begin_store(&mut self, id: StoreId, commit: &mut Commit) -> Result<()> {
        let key = generation_key(&self.graph, id, self.lane);
        if let Some(store) = self.shared.stores.get(id) {
            let generations = store.begin_generation(commit)?;
            commit.put_meta(&key, &generations.to_bytes());
        }
        Ok(())
    }

    /// Puts the state that was built in place of the present one, and forwards how it differs.
    /// Everything must be committed.
    pub(crate) fn end_generation(&mut self, ids: &[NodeId], commit: &mut Commit) -> Result<()> {
        self.shared.working = true;
        for store in self.written_by(ids) {
            if let Some(store) = self.shared.stores.get(store) {
                store.switch_generation();
            }
        }
        for &id in ids {
            self.with_processor(id, &Origin::Engine, |processor, cx| {
                processor.end_generation(cx)
            })?;
        }
        for id in self.written_by(ids) {
            let key = generation_key(&self.graph, id, self.lane);
            if let Some(store) = self.shared.stores.get(id) {
                let generations = store.end_generation(commit);
                commit.put_meta(&key, &generations.to_bytes());
            }
        }
        self.shared.working = false;
        Ok(())
    }

    fn written_by(&self, ids: &[NodeId]) -> Vec<StoreId> {
        ids.iter()
            .flat_map(|id| self.graph.node(*id).writes.clone())
            .collect()
    }

    /// Forgets what waits of a source, and where reading it goes on.
    pub(crate) fn clear_source(&mut self, node: NodeId) {
        self.inputs.retain(|input| input.node != node);
    }

    /// Has the task wait again for what other tasks may still send and for what is to be read, after
    /// it was released.
    pub(crate) fn await_again(&mut self) {
        for input in &mut self.inputs {
            input.released = false;
            if matches!(self.graph.node(input.node).kind, Kind::Exchange) {
                input.frontier = Stamp::MIN;
            }
        }
    }
}

/// What an input must not pass: the place of the head of another, and which that is.
#[derive(Debug, Clone, Copy)]
struct Limit(Stamp, usize);

impl Limit {
    /// True where a record of input `at` may be taken before the other input goes on.
    fn admits(self, stamp: Stamp, at: usize, bound: Stamp) -> bool {
        (stamp, at) < (self.0, self.1) && stamp <= bound
    }
}

/// The key under which the generations of a store are remembered.
pub(crate) fn generation_key(graph: &Graph, store: StoreId, lane: u16) -> String {
    format!("generation/{lane}/{}", graph.store(store).name)
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

#[cold]
fn tell_rounded(facts: &NodeFacts) {
    if facts.stats.may_tell() {
        tracing::warn!(
            node = %facts.name,
            rounded_so_far = facts.stats.rounded(),
            "numbers have more digits behind the point than their columns keep, and are rounded"
        );
    }
}

/// With the policy to stop, nothing behind a record that cannot be read is processed.
fn cut_at_first_bad(bad: &mut Vec<(u32, Error)>, run: &mut Run) {
    if let Some((first, _)) = bad.first() {
        let keep = (0..run.len())
            .take_while(|i| run.cause(*i) < *first)
            .count();
        run.split_off(keep);
        bad.truncate(1);
    }
}

fn node(nodes: &mut [Option<Instance>], id: NodeId) -> &mut Instance {
    nodes[id.index()]
        .as_mut()
        .expect("the node belongs to the task")
}

impl Shared {
    fn context<'a>(
        &'a mut self,
        facts: &'a NodeFacts,
        origin: &'a Origin,
        forwarded: &'a mut Vec<(Child, Run)>,
        id: NodeId,
    ) -> Context<'a> {
        self.at_work = id;
        Context {
            stores: &mut self.stores,
            exits: &mut self.exits,
            origin,
            now: self.now,
            stream_time: self.stream_time,
            latest: self.latest,
            node: facts,
            forwarded,
        }
    }
}

/// Gives what a node forwarded to its children, depth first.
fn deliver(
    nodes: &mut [Option<Instance>],
    shared: &mut Shared,
    origin: &Origin,
    from: NodeId,
    mut forwarded: Vec<(Child, Run)>,
) -> Result<()> {
    for (child, run) in forwarded.drain(..) {
        let instance = node(nodes, from);
        if instance.one_by_one && run.len() > 1 {
            for record in singles(run) {
                deliver_run(nodes, shared, origin, from, child, record)?;
            }
        } else {
            deliver_run(nodes, shared, origin, from, child, run)?;
        }
    }
    shared.spare.push(forwarded);
    Ok(())
}

fn deliver_run(
    nodes: &mut [Option<Instance>],
    shared: &mut Shared,
    origin: &Origin,
    from: NodeId,
    child: Child,
    run: Run,
) -> Result<()> {
    let count = node(nodes, from).children.len();
    let (first, end) = match child {
        Child::All => (0, count),
        Child::One(at) if at < count => (at, at + 1),
        Child::One(_) => return Ok(()),
    };
    let mut run = Some(run);
    for at in first..end {
        let (to, port) = node(nodes, from).children[at];
        let part = if at + 1 == end {
            run.take()
        } else {
            run.as_ref().map(Run::duplicate)
        };
        if let Some(part) = part {
            process(nodes, shared, origin, to, port, part)?;
        }
    }
    Ok(())
}

fn process(
    nodes: &mut [Option<Instance>],
    shared: &mut Shared,
    origin: &Origin,
    id: NodeId,
    port: u8,
    run: Run,
) -> Result<()> {
    if node(nodes, id).disabled {
        return Ok(());
    }
    if node(nodes, id).one_by_one && run.len() > 1 {
        for record in singles(run) {
            process(nodes, shared, origin, id, port, record)?;
        }
        return Ok(());
    }
    let mut forwarded = shared.spare.pop().unwrap_or_default();
    let instance = node(nodes, id);
    instance.facts.stats.count_records(run.len());
    let processor = instance
        .processor
        .as_mut()
        .ok_or_else(|| Error::new(ErrorKind::Invalid, "a run was sent to a source"))?;
    let mut cx = shared.context(&instance.facts, origin, &mut forwarded, id);
    processor.process(port, run, &mut cx)?;
    deliver(nodes, shared, origin, id, forwarded)
}

/// A run as runs of one record.
fn singles(mut run: Run) -> impl Iterator<Item = Run> {
    let mut last_first = Vec::with_capacity(run.len());
    while run.len() > 1 {
        last_first.push(run.split_off(run.len() - 1));
    }
    last_first.push(run);
    last_first.into_iter().rev()
}
