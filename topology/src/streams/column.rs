//! The tasks of one number, of all parts of a topology: they read the partitions of that number.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::env::Env;
use super::made;
use super::positions::{self, Position};
use super::restore::InputStart;
use super::times;
use super::topics::Topics;
use crate::cluster::{CommittedOffset, TopicPartition};
use crate::connector::{RawBatch, RawRecord, Waker};
use crate::error::Result;
use crate::graph::NodeId;
use crate::processor::{Output, in_order};
use crate::run::{Run, Stamp};
use crate::store::Commit;
use crate::task::Said;
use crate::tasks::{PostOffice, Share, TaskSet};
use crate::time::{NO_TIMESTAMP, Timestamp};

/// The tasks of one number at work.
pub(super) struct Column {
    set: TaskSet,
    inputs: BTreeMap<NodeId, Input>,
    /// Keys and words that are to be remembered with the next commit.
    unsaid: Vec<(String, String)>,
}

struct Input {
    partition: TopicPartition,
    /// The name of the step that reads it.
    step: Arc<str>,
    /// True where other steps may read the partition too.
    shared: bool,
    /// True where records without a time are left out.
    skips_untimed: bool,
    /// True where other tasks send the records.
    moved: bool,
    /// What the group has committed.
    committed: CommittedOffset,
    /// Where it began.
    from: Position,
    /// How far the tasks have come with it since.
    processed: Option<Position>,
    /// Where reading goes on behind what was handed in.
    next: i64,
}

impl Column {
    /// Opens the tasks as the state has them, behind the offsets that go with it.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read, or its rows were made by another program.
    pub(super) fn open(env: &Env, lane: u16, starts: &[InputStart]) -> Result<Self> {
        let unsaid = made::missing(env, lane)?;
        let office = PostOffice::new(vec![Waker::new()]);
        let share = Share::Lane(lane);
        let mut set = TaskSet::new(
            &env.graph, &env.plan, share, &office, &env.state, &env.tasks,
        )?;
        let mut inputs = BTreeMap::new();
        for start in starts {
            if start.from.reached != NO_TIMESTAMP {
                set.resume(start.node, u32::from(lane), start.from.reached);
            }
            set.tell_behind(start.node, u32::from(lane), start.behind);
            let source = env.topics.sources.get(&start.node);
            inputs.insert(
                start.node,
                Input {
                    partition: start.partition.clone(),
                    step: env.graph.node(start.node).name.clone(),
                    shared: source.is_some_and(|source| source.shared),
                    skips_untimed: source.is_some_and(|source| source.skips_untimed),
                    moved: source.is_none(),
                    committed: start.at.clone(),
                    from: start.from,
                    processed: None,
                    next: start.from.offset,
                },
            );
        }
        Ok(Column {
            set,
            inputs,
            unsaid,
        })
    }

    /// The partitions that are read, and from where on.
    pub(super) fn inputs(&self) -> BTreeMap<&TopicPartition, i64> {
        let mut from = BTreeMap::new();
        for input in self.inputs.values() {
            let least = from.entry(&input.partition).or_insert(input.next);
            *least = input.next.min(*least);
        }
        from
    }

    /// Queues records of a partition, for each source that reads it, and notes whether more is known to
    /// be there.
    pub(super) fn feed(&mut self, from: &TopicPartition, mut batch: RawBatch, behind: bool) {
        let mut readers = self.inputs.iter();
        let moved = readers.find(|(_, input)| input.moved && input.partition == *from);
        if let Some((node, _)) = moved {
            let said = times::take_out(&mut batch);
            if !said.is_empty() {
                self.set.note_said(*node, from.partition, said);
            }
        }
        let batch = Arc::new(batch);
        for (node, input) in &mut self.inputs {
            if input.partition != *from {
                continue;
            }
            if batch.end <= input.next {
                // It has come further than others of the same partition.
                self.set.tell_behind(*node, from.partition, behind);
                continue;
            }
            let own = input.wanted(&batch);
            input.next = batch.end;
            self.set.feed(*node, node.0, &own, behind);
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

    /// Sends what is held back until a commit, or some of it: true where there is more.
    ///
    /// # Errors
    ///
    /// As those of [`step`](Column::step).
    pub(super) fn flush(&mut self) -> Result<bool> {
        self.set.flush()
    }

    /// Takes what was sent to sinks, in the order in which it was.
    ///
    /// # Errors
    ///
    /// Where a sink cannot make its own form of a record.
    pub(super) fn outputs(&mut self, topics: &Topics) -> Result<Vec<Output>> {
        let mut outputs = self.set.outputs();
        in_order(&mut outputs);
        if topics.rewrites.is_empty() {
            return Ok(outputs);
        }
        let rewritten = outputs.into_iter().map(|output| {
            Ok(Output {
                record: match topics.rewrites.get(&output.sink) {
                    Some(rewrite) => rewrite.rewrite(output.record)?,
                    None => output.record,
                },
                ..output
            })
        });
        rewritten.collect()
    }

    /// Takes what leaves for other tasks: the exchange, and a run.
    pub(super) fn departures(&mut self) -> impl Iterator<Item = (NodeId, Run)> {
        self.set.departures()
    }

    /// What is to be said now to tasks that are fed through topics, and through which exchange.
    pub(super) fn times_to_say(&mut self) -> Vec<(NodeId, Said)> {
        self.set.times_to_say()
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
        for (key, words) in &self.unsaid {
            commit.put_meta(key, words.as_bytes());
        }
        self.set.freeze(commit)
    }

    /// The offsets to be committed: those that have moved, or with `all` every one that is known.
    pub(super) fn offsets(&mut self, all: bool) -> Vec<(TopicPartition, CommittedOffset)> {
        for (node, _, offset, reached) in self.set.positions() {
            if let Some(input) = self.inputs.get_mut(&node) {
                input.processed = Some(Position { offset, reached });
            }
        }
        let mut offsets = BTreeMap::new();
        for input in self.inputs.values() {
            let at = match input.processed {
                _ if input.shared => self.of_steps(&input.partition),
                Some(processed) => positions::committed(processed),
                None => input.committed.clone(),
            };
            if all || at != input.committed {
                offsets.insert(input.partition.clone(), at);
            }
        }
        offsets.into_iter().collect()
    }

    /// What is committed of a partition that several steps may read.
    fn of_steps(&self, partition: &TopicPartition) -> CommittedOffset {
        let steps = self.inputs.values();
        let steps = steps.filter(|input| input.partition == *partition);
        let steps = steps.map(|input| (&*input.step, input.processed.unwrap_or(input.from)));
        positions::committed_of_steps(steps).expect("some step reads the partition")
    }

    /// What was frozen is committed, and these offsets.
    pub(super) fn committed(&mut self, offsets: &[(TopicPartition, CommittedOffset)]) {
        self.set.committed();
        self.unsaid.clear();
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

impl Input {
    /// The records of a batch that are still to be processed here.
    fn wanted(&self, batch: &Arc<RawBatch>) -> Arc<RawBatch> {
        let is_early = !batch.is_empty() && batch.offset(0) < self.next;
        let is_untimed =
            self.skips_untimed && (0..batch.len()).any(|index| batch.times.at(index) < 0);
        if !is_early && !is_untimed {
            return batch.clone();
        }
        let mut own = RawBatch::empty(batch.partition, batch.end);
        for index in 0..batch.len() {
            let (offset, timestamp) = (batch.offset(index), batch.times.at(index));
            if offset < self.next || (self.skips_untimed && timestamp < 0) {
                continue;
            }
            own.push(RawRecord {
                key: batch.key(index),
                value: batch.value(index),
                timestamp,
                offset,
                headers: batch.headers(index),
            });
        }
        own.end = batch.end;
        Arc::new(own)
    }
}
