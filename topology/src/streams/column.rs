//! The tasks of one number, of all parts of a topology: they read the partitions of that number.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::env::Env;
use super::restore::InputStart;
use crate::cluster::{CommittedOffset, TopicPartition};
use crate::connector::{RawBatch, Waker};
use crate::error::Result;
use crate::graph::NodeId;
use crate::processor::{Output, in_order};
use crate::run::{Run, Stamp};
use crate::store::Commit;
use crate::tasks::{PostOffice, Share, TaskSet};
use crate::time::{NO_TIMESTAMP, Timestamp};

/// The tasks of one number at work.
pub(super) struct Column {
    set: TaskSet,
    inputs: BTreeMap<NodeId, Input>,
}

struct Input {
    partition: TopicPartition,
    /// What the group has committed.
    committed: CommittedOffset,
    /// Where reading goes on behind what was handed in.
    next: i64,
}

impl Column {
    /// Opens the tasks as the state has them, behind the offsets that go with it.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub(super) fn open(env: &Env, lane: u16, starts: &[InputStart]) -> Result<Self> {
        let office = PostOffice::new(vec![Waker::new()]);
        let share = Share::Lane(lane);
        let mut set = TaskSet::new(
            &env.graph, &env.plan, share, &office, &env.state, &env.tasks,
        )?;
        let mut inputs = BTreeMap::new();
        for start in starts {
            let reached = reached(&start.at);
            if reached != NO_TIMESTAMP {
                set.resume(start.node, u32::from(lane), reached);
            }
            set.tell_behind(start.node, u32::from(lane), start.behind);
            inputs.insert(
                start.node,
                Input {
                    partition: start.partition.clone(),
                    committed: start.at.clone(),
                    next: start.at.offset,
                },
            );
        }
        Ok(Column { set, inputs })
    }

    /// The partitions that are read, and from where on.
    pub(super) fn inputs(&self) -> impl Iterator<Item = (&TopicPartition, i64)> {
        self.inputs
            .values()
            .map(|input| (&input.partition, input.next))
    }

    /// Queues records of a partition, for each source that reads it, and notes whether more is known to
    /// be there.
    pub(super) fn feed(&mut self, from: &TopicPartition, batch: RawBatch, behind: bool) {
        let batch = Arc::new(batch);
        for (node, input) in &mut self.inputs {
            if input.partition == *from {
                input.next = batch.end;
                self.set.feed(*node, node.0, &batch, behind);
            }
        }
    }

    /// How many records wait.
    pub(super) fn waiting(&self) -> u64 {
        self.set.waiting().iter().sum()
    }

    /// Has each of the tasks take a run of so many records at most; true where any did.
    ///
    /// # Errors
    ///
    /// Where a query fails, or the state cannot be read.
    pub(super) fn step(&mut self, max_run: usize) -> Result<bool> {
        let worked = self.set.step(Stamp::MAX, max_run)?;
        self.set.say_processed();
        Ok(worked)
    }

    /// Lets wall-clock time pass.
    ///
    /// # Errors
    ///
    /// As those of [`step`](Column::step).
    pub(super) fn tick(&mut self) -> Result<()> {
        self.set.tick()
    }

    /// When wall-clock time next matters.
    pub(super) fn next_tick(&self) -> Option<Timestamp> {
        self.set.next_tick()
    }

    /// Sends what is held back until a commit.
    ///
    /// # Errors
    ///
    /// As those of [`step`](Column::step).
    pub(super) fn flush(&mut self) -> Result<()> {
        self.set.flush()
    }

    /// Takes what was sent to sinks, in the order in which it was.
    pub(super) fn outputs(&mut self) -> Vec<Output> {
        let mut outputs = self.set.outputs();
        in_order(&mut outputs);
        outputs
    }

    /// Takes what leaves for other tasks: the exchange, and a run.
    pub(super) fn departures(&mut self) -> impl Iterator<Item = (NodeId, Run)> {
        self.set.departures()
    }

    /// The offsets that are committed.
    pub(super) fn committed_offsets(&self) -> impl Iterator<Item = (&TopicPartition, i64)> {
        let inputs = self.inputs.values();
        inputs.map(|input| (&input.partition, input.committed.offset))
    }

    /// Adds everything that changed since the last commit to the next one.
    ///
    /// # Errors
    ///
    /// Where a row cannot be encoded.
    pub(super) fn freeze(&mut self, commit: &mut Commit) -> Result<()> {
        self.set.freeze(commit)
    }

    /// The offsets to be committed: those that have moved, or with `all` every one that is known.
    pub(super) fn offsets(&self, all: bool) -> Vec<(TopicPartition, CommittedOffset)> {
        let mut offsets = BTreeMap::new();
        for (node, _, offset, reached) in self.set.positions() {
            let input = &self.inputs[&node];
            let at = CommittedOffset {
                offset,
                metadata: metadata(reached),
            };
            if at != input.committed {
                offsets.insert(input.partition.clone(), at);
            }
        }
        if all {
            for input in self.inputs.values() {
                let known = input.committed.clone();
                offsets.entry(input.partition.clone()).or_insert(known);
            }
        }
        offsets.into_iter().collect()
    }

    /// What was frozen is committed, and these offsets.
    pub(super) fn committed(&mut self, offsets: &[(TopicPartition, CommittedOffset)]) {
        self.set.committed();
        for input in self.inputs.values_mut() {
            let found = offsets.iter().find(|(of, _)| *of == input.partition);
            if let Some((_, at)) = found {
                input.committed = at.clone();
            }
        }
    }

    /// About how many bytes the rows take in memory.
    pub(super) fn memory(&mut self) -> usize {
        self.set.memory()
    }

    /// Has the rows shrink to so many bytes, as far as they can.
    pub(super) fn evict(&mut self, target: usize) {
        self.set.evict(target);
    }
}

/// The time that a partition has reached, in words that go with its offset.
fn metadata(reached: Timestamp) -> String {
    format!("time={reached}")
}

fn reached(at: &CommittedOffset) -> Timestamp {
    let time = at.metadata.strip_prefix("time=");
    time.and_then(|time| time.parse().ok())
        .unwrap_or(NO_TIMESTAMP)
}
