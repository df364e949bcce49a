//! All tasks of a topology on the thread of the caller, with the state that they commit to.
//!
//! Nothing here waits, starts a thread or knows of anything outside: records are handed in, worked
//! through and committed by whoever drives it. The [`Host`](crate::host::Host) of somebody else's
//! loop and the test driver do, each in its own way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::connector::{RawBatch, Waker};
use crate::error::Result;
use crate::graph::{Graph, NodeId, Plan};
use crate::position::{self, Position};
use crate::processor::{Output, in_order};
use crate::query::{Pulse, Readers, all_lanes};
use crate::run::{Run, Stamp};
use crate::store::{Commit, State};
use crate::task::TaskOptions;
use crate::tasks::{PostOffice, Share, TaskSet};
use crate::time::Timestamp;

/// How many turns the tasks have before what they did is looked at.
const TURNS: usize = 64;

/// Offsets by source and partition.
pub(crate) type Offsets = BTreeMap<(NodeId, u32), i64>;

/// All tasks of a topology.
pub(crate) struct Engine {
    graph: Arc<Graph>,
    plan: Arc<Plan>,
    state: State,
    options: TaskOptions,
    set: TaskSet,
    /// Behind the last record that was handed in.
    next: Offsets,
    /// Where reading goes on, as the last commit says.
    committed: Offsets,
    pulse: Arc<Pulse>,
}

impl Engine {
    /// The tasks of a topology, each part shared by so many, as the last commit left them.
    ///
    /// # Errors
    ///
    /// Where a store cannot be opened, or the state cannot be read.
    pub(crate) fn open(
        graph: &Arc<Graph>,
        state: State,
        lanes: u16,
        options: TaskOptions,
    ) -> Result<Self> {
        let plan = Arc::new(Plan::new(graph, lanes));
        let mut engine = Engine {
            set: open(graph, &plan, &state, &options)?,
            graph: graph.clone(),
            plan,
            state,
            options,
            next: Offsets::new(),
            committed: Offsets::new(),
            pulse: Arc::default(),
        };
        engine.resume()?;
        Ok(engine)
    }

    /// Forgets everything that is not committed, and goes on from what is.
    ///
    /// # Errors
    ///
    /// As those of [`open`](Engine::open).
    pub(crate) fn reopen(&mut self) -> Result<()> {
        self.set = open(&self.graph, &self.plan, &self.state, &self.options)?;
        self.resume()
    }

    fn resume(&mut self) -> Result<()> {
        self.committed.clear();
        for (node, _) in self.graph.sources() {
            for (partition, position) in position::read(&self.state, &self.graph, node)? {
                self.set.resume(node, partition, position.reached);
                self.committed.insert((node, partition), position.offset);
            }
        }
        self.next = self.committed.clone();
        Ok(())
    }

    /// The offset behind the last record of a partition that was handed in, if any ever was.
    pub(crate) fn next(&self, node: NodeId, partition: u32) -> Option<i64> {
        self.next.get(&(node, partition)).copied()
    }

    /// The same of all partitions.
    pub(crate) fn all_next(&self) -> &Offsets {
        &self.next
    }

    /// Where reading goes on, as the last commit says.
    pub(crate) fn committed(&self) -> &Offsets {
        &self.committed
    }

    /// Queues a batch of a source.
    pub(crate) fn feed(&mut self, node: NodeId, batch: &Arc<RawBatch>) {
        self.next.insert((node, batch.partition), batch.end);
        self.set.enqueue(node, rank(node, batch.partition), batch);
    }

    /// Queues records of a source whose types are the source's own.
    pub(crate) fn feed_run(&mut self, node: NodeId, batch: &Arc<RawBatch>, run: Run) {
        self.next.insert((node, batch.partition), batch.end);
        self.set
            .enqueue_run(node, rank(node, batch.partition), batch, run);
    }

    /// Processes everything that waits.
    ///
    /// # Errors
    ///
    /// Where a query fails or the state cannot be read; nothing that is not committed may be used then.
    pub(crate) fn process(&mut self) -> Result<()> {
        while self.set.work(Stamp::MAX, TURNS)? {}
        Ok(())
    }

    /// Sends what is held back until a commit.
    ///
    /// # Errors
    ///
    /// As those of [`process`](Engine::process).
    pub(crate) fn release(&mut self) -> Result<()> {
        for level in 0..self.set.levels() {
            self.set.drain_level(level, Stamp::MAX)?;
        }
        Ok(())
    }

    /// Lets wall-clock time pass.
    ///
    /// # Errors
    ///
    /// As those of [`process`](Engine::process).
    pub(crate) fn tick(&mut self) -> Result<()> {
        self.set.tick()?;
        self.process()
    }

    /// When wall-clock time next matters.
    pub(crate) fn next_tick(&self) -> Option<Timestamp> {
        self.set.next_tick()
    }

    /// Takes the records that were sent to sinks, in the order in which they were.
    pub(crate) fn outputs(&mut self) -> Vec<Output> {
        let mut outputs = self.set.outputs();
        in_order(&mut outputs);
        outputs
    }

    /// Writes everything that changed since the last commit, and where reading goes on, as one.
    /// Nothing may be held back any more. With `sync` it outlives a power cut.
    ///
    /// # Errors
    ///
    /// Where a row cannot be encoded or the state cannot be written; the tasks must be
    /// [reopened](Engine::reopen) then.
    pub(crate) fn commit(&mut self, mut commit: Commit, sync: bool) -> Result<()> {
        self.set.freeze(&mut commit)?;
        let mut moved = Offsets::new();
        for (node, partition, offset, reached) in self.set.positions() {
            if self.committed.get(&(node, partition)) == Some(&offset) {
                continue;
            }
            let position = Position {
                reached,
                offset,
                token: offset.to_be_bytes().to_vec(),
            };
            let key = position::key(&self.graph, node, partition);
            commit.put_meta(&key, &position.to_bytes());
            moved.insert((node, partition), offset);
        }
        self.state.commit(commit, sync)?;
        self.set.committed();
        self.committed.append(&mut moved);
        let now = self.options.clock.now();
        self.pulse.last_update.store(now, Ordering::Release);
        self.shrink();
        Ok(())
    }

    /// Keeps rows in memory within their budget.
    fn shrink(&mut self) {
        let budget = self.state.rows_budget();
        if budget != usize::MAX && self.set.memory() > budget {
            self.set.evict(budget / 8 * 7);
        }
    }

    /// What is needed to read the tables.
    pub(crate) fn readers(&self) -> Readers {
        Readers {
            graph: self.graph.clone(),
            state: self.state.clone(),
            lanes: all_lanes(self.plan.lanes),
            pulse: self.pulse.clone(),
        }
    }

    /// Says whether somebody drives the tasks.
    pub(crate) fn set_running(&self, running: bool) {
        self.pulse.running.store(running, Ordering::Release);
    }

    /// The greatest timestamp that any task has processed.
    pub(crate) fn stream_time(&self) -> Timestamp {
        self.set.stream_time()
    }

    /// The topology.
    pub(crate) fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    /// The state.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }
}

fn open(
    graph: &Arc<Graph>,
    plan: &Arc<Plan>,
    state: &State,
    options: &TaskOptions,
) -> Result<TaskSet> {
    let office = PostOffice::new(vec![Waker::new()]);
    TaskSet::new(graph, plan, Share::ALL, &office, state, options)
}

/// Inputs are ordered by their nodes, then by their partitions.
fn rank(node: NodeId, partition: u32) -> u32 {
    (node.0 << 16) | (partition & 0xffff)
}
