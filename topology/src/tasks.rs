//! All tasks of a topology that one thread runs, and what passes between them.
//!
//! A topology is cut into parts, and each part runs in as many tasks as there are lanes. Every lane
//! belongs to one [`TaskSet`]; a process that has one thread has one set with all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use crate::connector::{RawBatch, Waker};
use crate::error::Result;
use crate::graph::{Graph, Kind, NodeId, Plan};
use crate::horizon::Horizon;
use crate::processor::{Departure, Output, StoreId};
use crate::run::{Origin, Run, Stamp};
use crate::store::{AnyStore, Commit, State};
use crate::task::{Counts, Said, Task, TaskOptions};
use crate::time::{NO_TIMESTAMP, Timestamp};

/// What one set of tasks sends to another.
pub(crate) enum Mail {
    /// Records.
    Run {
        node: NodeId,
        from: u16,
        lane: u16,
        run: Run,
        origin: Origin,
    },
    /// Nothing before this place will still come.
    Frontier {
        node: NodeId,
        from: u16,
        lane: u16,
        frontier: Stamp,
    },
    /// What the time of a task is that sends, when all that it sent was said before.
    Time {
        node: NodeId,
        lane: u16,
        time: Timestamp,
    },
    /// A batch of a source.
    Batch {
        node: NodeId,
        rank: u32,
        batch: Arc<RawBatch>,
    },
    /// Whether more is known to be there of a partition of a source.
    Behind {
        node: NodeId,
        partition: u32,
        behind: bool,
    },
}

/// Where the sets of a process leave mail for one another.
pub(crate) struct PostOffice {
    boxes: Vec<(Mutex<Vec<Mail>>, Waker)>,
    /// How far sources may be processed.
    horizon: Horizon,
}

impl PostOffice {
    /// An office with a box for each set; a set is woken when mail comes.
    pub(crate) fn new(wakers: Vec<Waker>) -> Arc<Self> {
        Arc::new(PostOffice {
            boxes: wakers
                .into_iter()
                .map(|waker| (Mutex::default(), waker))
                .collect(),
            horizon: Horizon::default(),
        })
    }

    fn send(&self, to: usize, mail: Mail) {
        let (mails, waker) = &self.boxes[to];
        mails.lock().expect("no panic while locked").push(mail);
        waker.wake();
    }

    /// Throws all mail away, and forgets what is known of sources.
    pub(crate) fn clear(&self) {
        self.horizon.clear();
        for (mails, _) in &self.boxes {
            mails.lock().expect("no panic while locked").clear();
        }
    }

    fn take(&self, of: usize) -> Vec<Mail> {
        let mut mails = self.boxes[of].0.lock().expect("no panic while locked");
        std::mem::take(&mut mails)
    }
}

/// Which lanes a set has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Share {
    /// Those whose number leaves `index` when divided by `of`, the number of sets.
    Residue { index: usize, of: usize },
    /// One, of a set that sends nothing to others.
    Lane(u16),
}

impl Share {
    /// All lanes.
    pub(crate) const ALL: Share = Share::Residue { index: 0, of: 1 };

    fn has(self, lane: u16) -> bool {
        match self {
            Share::Residue { index, of } => usize::from(lane) % of == index,
            Share::Lane(own) => lane == own,
        }
    }

    /// The number of the set that has a lane.
    fn owner(self, lane: u16) -> usize {
        match self {
            Share::Residue { of, .. } => usize::from(lane) % of,
            Share::Lane(own) => {
                debug_assert_eq!(lane, own, "it sends nothing to others");
                0
            }
        }
    }

    /// The number of the set itself.
    fn own(self) -> usize {
        match self {
            Share::Residue { index, .. } => index,
            Share::Lane(_) => 0,
        }
    }
}

/// How many runs a task processes before the next one has its turn.
const RUNS_A_TURN: usize = 32;

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

    /// What left for other tasks through topics since this was asked last: the exchange, and a run.
    pub(crate) fn departures(&mut self) -> impl Iterator<Item = (NodeId, Run)> {
        let departures = std::mem::take(&mut self.departures).into_iter();
        departures.map(|departure| (NodeId(departure.node), departure.run))
    }

    /// Notes what was said of their time by tasks that feed one of these through a topic, each before the
    /// record of that index in the batch that is fed next.
    pub(crate) fn note_said(&mut self, node: NodeId, partition: u32, said: Vec<(u32, Said)>) {
        let lane = self.lane_of(node, partition);
        self.task_of(node, lane).note_said(node, partition, said);
    }

    /// What is to be said now to those that are fed through topics, and through which exchange.
    pub(crate) fn times_to_say(&mut self) -> Vec<(NodeId, Said)> {
        let mut all = Vec::new();
        for task in &mut self.tasks {
            let (exits, said) = task.time_to_say();
            all.extend(exits.iter().map(|exit| (*exit, said)));
        }
        all
    }

    /// The lane of a partition of a source.
    fn lane_of(&self, node: NodeId, partition: u32) -> u16 {
        (partition % u32::from(self.lanes[&node])) as u16
    }

    fn task_of(&mut self, node: NodeId, lane: u16) -> &mut Task {
        let at = self.entry[&(node, lane)];
        &mut self.tasks[at]
    }

    /// Queues a batch of a source. `rank` orders the partition among all of the process.
    pub(crate) fn enqueue(&mut self, node: NodeId, rank: u32, batch: &Arc<RawBatch>) {
        let lane = self.lane_of(node, batch.partition);
        self.task_of(node, lane).enqueue(node, rank, batch);
    }

    /// Queues records of a source whose types are the source's own.
    pub(crate) fn enqueue_run(&mut self, node: NodeId, rank: u32, batch: &Arc<RawBatch>, run: Run) {
        let lane = self.lane_of(node, batch.partition);
        self.task_of(node, lane)
            .enqueue_decoded(node, rank, batch, run);
    }

    /// Goes on behind what an earlier run of the process committed.
    pub(crate) fn resume(&mut self, node: NodeId, partition: u32, reached: Timestamp) {
        let lane = self.lane_of(node, partition);
        if self.share.has(lane) {
            self.task_of(node, lane).resume(node, partition, reached);
            self.say_reached(node, partition);
        }
    }

    /// Says how far a source was read of which a task here has the records.
    fn say_reached(&mut self, node: NodeId, partition: u32) {
        let lane = self.lane_of(node, partition);
        let reached = self.task_of(node, lane).reached(node, partition);
        let component = self.components[node.index()];
        self.office
            .horizon
            .set_reached(component, node, partition, reached);
    }

    /// Up to which place a task may take records of its sources.
    fn limit(&self, at: usize) -> Stamp {
        self.keeps_to[at].map_or(Stamp::MAX, |component| self.office.horizon.of(component))
    }

    /// Says which sources have nothing left to be processed; true where that is news.
    pub(crate) fn say_processed(&mut self) -> bool {
        let mut news = false;
        for task in &self.tasks {
            for (node, partition) in task.processed_sources() {
                let component = self.components[node.index()];
                let horizon = &self.office.horizon;
                news |= horizon.set_processed(component, node, partition);
            }
        }
        news
    }

    /// True where others wait for what is still to be read of a source.
    pub(crate) fn holds_back(&self, node: NodeId) -> bool {
        let component = self.components[node.index()];
        self.office.horizon.holds_back(component, node)
    }

    /// Has nobody wait for what is still to be read of a source.
    pub(crate) fn forget_behind(&self, node: NodeId) {
        let component = self.components[node.index()];
        self.office.horizon.forget(component, node);
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

    /// The stores of all tasks.
    pub(crate) fn stores(&mut self) -> impl Iterator<Item = (StoreId, &dyn AnyStore)> {
        self.tasks.iter_mut().flat_map(Task::stores)
    }

    /// True where something waits of a node that records come in through.
    pub(crate) fn waits_for(&self, node: NodeId) -> bool {
        self.tasks.iter().any(|task| task.waits_for(node))
    }

    /// The sources of which something waits.
    pub(crate) fn waiting_sources(&self) -> BTreeSet<NodeId> {
        self.tasks.iter().flat_map(Task::waiting_sources).collect()
    }

    /// Lets every task take runs that begin at or before `bound`, until none may or `runs` were
    /// taken; true where any was.
    ///
    /// # Errors
    ///
    /// As those of a task's step.
    pub(crate) fn work(&mut self, bound: Stamp, runs: usize) -> Result<bool> {
        let mut worked = false;
        for _ in 0..runs {
            self.receive();
            let mut any = false;
            for at in 0..self.tasks.len() {
                let bound = bound.min(self.limit(at));
                // What a task sends goes out for several runs together.
                for _ in 0..RUNS_A_TURN {
                    if !self.tasks[at].step(bound)? {
                        break;
                    }
                    any = true;
                }
                self.send(at);
            }
            worked |= any;
            if !any {
                break;
            }
        }
        Ok(worked)
    }

    /// Lets every task take one run that begins at or before `bound`, of `max_run` records at most; true
    /// where any could.
    ///
    /// # Errors
    ///
    /// As those of a task's step.
    pub(crate) fn step(&mut self, bound: Stamp, max_run: usize) -> Result<bool> {
        self.receive();
        let mut any = false;
        for at in 0..self.tasks.len() {
            let bound = bound.min(self.limit(at));
            any |= self.tasks[at].step_of(bound, max_run)?;
            self.send(at);
        }
        Ok(any)
    }

    /// Takes what other sets sent.
    pub(crate) fn receive(&mut self) {
        for mail in self.office.take(self.share.own()) {
            self.deliver(mail);
        }
    }

    fn deliver(&mut self, mail: Mail) {
        match mail {
            Mail::Run {
                node,
                from,
                lane,
                run,
                origin,
            } => self
                .task_of(node, lane)
                .enqueue_run(node, from, run, origin),
            Mail::Frontier {
                node,
                from,
                lane,
                frontier,
            } => self
                .task_of(node, lane)
                .set_frontier(node, u32::from(from), frontier),
            Mail::Time { node, lane, time } => self.task_of(node, lane).hear_time(time),
            Mail::Batch { node, rank, batch } => {
                let lane = self.lane_of(node, batch.partition);
                self.task_of(node, lane).enqueue(node, rank, &batch);
                self.say_reached(node, batch.partition);
            }
            Mail::Behind {
                node,
                partition,
                behind,
            } => {
                let lane = self.lane_of(node, partition);
                self.task_of(node, lane).set_behind(node, partition, behind);
            }
        }
    }

    /// Queues a batch of a source, here or at the set that has its task, and notes whether more is
    /// known to be there.
    pub(crate) fn feed(&mut self, node: NodeId, rank: u32, batch: &Arc<RawBatch>, behind: bool) {
        let lane = self.lane_of(node, batch.partition);
        let mail = Mail::Batch {
            node,
            rank,
            batch: batch.clone(),
        };
        let component = self.components[node.index()];
        let horizon = &self.office.horizon;
        horizon.set_waits(component, node, batch.partition);
        // Mail may be taken between the two, and nobody must think then that nothing is to come.
        if behind {
            self.tell_behind(node, batch.partition, true);
            self.post(lane, mail);
        } else {
            self.post(lane, mail);
            self.tell_behind(node, batch.partition, false);
        }
    }

    /// Notes whether more is known to be there of a partition of a source.
    pub(crate) fn tell_behind(&mut self, node: NodeId, partition: u32, behind: bool) {
        let component = self.components[node.index()];
        self.office
            .horizon
            .set_behind(component, node, partition, behind);
        let mail = Mail::Behind {
            node,
            partition,
            behind,
        };
        self.post(self.lane_of(node, partition), mail);
    }

    fn post(&mut self, lane: u16, mail: Mail) {
        if self.share.has(lane) {
            self.deliver(mail);
        } else {
            self.office.send(self.share.owner(lane), mail);
        }
    }

    /// Sends on what left a task, and how far it has come.
    fn send(&mut self, at: usize) {
        let from = self.tasks[at].lane;
        let exits = self.tasks[at].exits();
        self.outputs.append(&mut exits.sinks);
        if matches!(self.share, Share::Lane(_)) {
            self.departures.append(&mut exits.exchange);
            return;
        }
        let departures = std::mem::take(&mut exits.exchange);
        for Departure {
            node,
            lane,
            run,
            origin,
        } in departures
        {
            let mail = Mail::Run {
                node: NodeId(node),
                from,
                lane,
                run,
                origin,
            };
            self.post(lane, mail);
        }
        let frontier = self.tasks[at].frontier();
        if frontier != self.said[at] {
            self.said[at] = frontier;
            self.say_frontier(at, frontier);
        }
    }

    fn say_frontier(&mut self, at: usize, frontier: Stamp) {
        let plan = self.plan.clone();
        let part = &plan.parts[self.tasks[at].part];
        let from = self.tasks[at].lane;
        for &node in &part.exits {
            for lane in 0..part.lanes {
                let mail = Mail::Frontier {
                    node,
                    from,
                    lane,
                    frontier,
                };
                self.post(lane, mail);
            }
        }
    }

    /// The number of levels of the plan.
    pub(crate) fn levels(&self) -> u32 {
        self.plan
            .parts
            .iter()
            .map(|part| part.level + 1)
            .max()
            .unwrap_or(0)
    }

    /// Has the tasks of a level process all that was sent to them, and send what they held back.
    /// Everything of lower levels must have been sent.
    ///
    /// # Errors
    ///
    /// As those of a task's step.
    pub(crate) fn drain_level(&mut self, level: u32, bound: Stamp) -> Result<()> {
        self.receive();
        for at in 0..self.tasks.len() {
            if self.tasks[at].level == level {
                self.tasks[at].release();
                // What was sent is taken whole; what was read waits for what is still to be read.
                let own = bound.min(self.limit(at));
                loop {
                    let sent = self.tasks[at].has_been_sent();
                    if !self.tasks[at].step(if sent { bound } else { own })? {
                        break;
                    }
                    self.send(at);
                }
                self.tasks[at].go_by_heard_time()?;
                while self.tasks[at].flush()? {}
                self.send(at);
                self.say_time(at);
            }
        }
        Ok(())
    }

    /// Says to those that a task feeds what its time is, if anybody goes by it: all know then what is known
    /// of time, as a task of one lane would that has everything.
    fn say_time(&mut self, at: usize) {
        let time = self.tasks[at].stream_time();
        let Some(said) = &mut self.said_times else {
            return;
        };
        if std::mem::replace(&mut said[at], time) == time {
            return;
        }
        let plan = self.plan.clone();
        let part = &plan.parts[self.tasks[at].part];
        for &node in &part.exits {
            for lane in 0..part.lanes {
                self.post(lane, Mail::Time { node, lane, time });
            }
        }
    }

    /// Sends what is held back until a commit, or some of it: true where there is more. More may wait to
    /// be processed: this is for sets that send nothing to one another.
    ///
    /// # Errors
    ///
    /// As those of a task's step.
    pub(crate) fn flush(&mut self) -> Result<bool> {
        for at in 0..self.tasks.len() {
            let more = self.tasks[at].flush()?;
            self.send(at);
            if more {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets wall-clock time pass.
    ///
    /// # Errors
    ///
    /// As those of a task's step.
    pub(crate) fn tick(&mut self) -> Result<()> {
        for at in 0..self.tasks.len() {
            self.tasks[at].tick()?;
            self.send(at);
        }
        Ok(())
    }

    /// When wall-clock time next matters.
    pub(crate) fn next_tick(&self) -> Option<Timestamp> {
        self.tasks.iter().filter_map(Task::next_tick).min()
    }

    /// The greatest place of a record that any task took.
    pub(crate) fn latest(&self) -> Stamp {
        self.tasks
            .iter()
            .map(Task::latest)
            .max()
            .unwrap_or(Stamp::MIN)
    }

    /// Records that left for sinks since this was asked last; see [`in_order`](crate::processor::in_order).
    pub(crate) fn outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// True where records have left for sinks since they were asked for.
    pub(crate) fn has_outputs(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// Adds everything that changed since the last commit to the next one.
    ///
    /// # Errors
    ///
    /// Where a row cannot be encoded.
    pub(crate) fn freeze(&mut self, commit: &mut Commit) -> Result<()> {
        for task in &mut self.tasks {
            task.freeze(commit)?;
        }
        Ok(())
    }

    /// What was frozen is written.
    pub(crate) fn committed(&mut self) {
        for task in &mut self.tasks {
            task.committed();
        }
    }

    /// Where reading goes on: source, partition, offset, and the time reached.
    pub(crate) fn positions(&self) -> Vec<(NodeId, u32, i64, Timestamp)> {
        self.tasks.iter().flat_map(Task::positions).collect()
    }

    /// About how many bytes the stores take in memory.
    pub(crate) fn memory(&mut self) -> usize {
        self.tasks.iter_mut().map(Task::memory).sum()
    }

    /// About how many more it takes to write what is not known to be written.
    pub(crate) fn write_memory(&mut self) -> usize {
        self.tasks.iter_mut().map(Task::write_memory).sum()
    }

    /// Has the stores shrink to `target` bytes in all, as far as they can.
    pub(crate) fn evict(&mut self, target: usize) {
        let all = self.memory();
        if all > target {
            for task in &mut self.tasks {
                let share = task.memory() as u128 * target as u128 / all as u128;
                task.evict(share as usize);
            }
        }
    }

    /// Has all tasks wait again for one another, after a drain.
    pub(crate) fn rearm(&mut self) {
        for task in &mut self.tasks {
            task.await_again();
        }
        self.said.fill(Stamp::MIN);
    }

    /// Says anew how far every task has come.
    pub(crate) fn say_all(&mut self) {
        for at in 0..self.tasks.len() {
            self.send(at);
        }
    }

    /// Forgets what waits of a source, and where reading it goes on.
    pub(crate) fn clear_source(&mut self, node: NodeId) {
        self.forget_behind(node);
        for task in &mut self.tasks {
            task.clear_source(node);
        }
    }

    /// Calls something on every task that has any of these nodes, with those that it has.
    pub(crate) fn for_nodes(
        &mut self,
        ids: &[NodeId],
        mut call: impl FnMut(&mut Task, &[NodeId]) -> Result<()>,
    ) -> Result<()> {
        for at in 0..self.tasks.len() {
            let plan = self.plan.clone();
            let part = &plan.parts[self.tasks[at].part];
            let mine: Vec<NodeId> = ids
                .iter()
                .copied()
                .filter(|id| part.nodes.contains(id))
                .collect();
            if !mine.is_empty() {
                call(&mut self.tasks[at], &mine)?;
                self.send(at);
            }
        }
        Ok(())
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
