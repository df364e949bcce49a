//! The tasks of one number, of all parts of a topology: they read the partitions of that number.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::env::Env;
use super::local::{Gate, Loaded, LocalSources, Reading, Readings, forget_unfinished};
use super::made;
use super::metrics::TaskMetrics;
use super::positions::{self, Position};
use super::restore::Restore;
use super::times;
use super::topics::Topics;
use crate::cluster::{CommittedOffset, LogReader, TopicPartition};
use crate::connector::{RawBatch, RawRecord, Waker};
use crate::error::Result;
use crate::graph::NodeId;
use crate::meter::Labels;
use crate::processor::{Output, in_order};
use crate::run::{Run, Stamp};
use crate::store::{Commit, FamilyWrites};
use crate::task::Said;
use crate::tasks::{PostOffice, Share, TaskSet};
use crate::time::{NO_TIMESTAMP, Timestamp};

/// The tasks of one number at work.
pub(super) struct Column {
    set: TaskSet,
    inputs: BTreeMap<NodeId, Input>,
    /// The sources that are no topics.
    readings: Readings,
    gate: Gate,
    /// Keys and words that are to be remembered with the next commit.
    unsaid: Vec<(String, String)>,
    metrics: TaskMetrics,
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
    /// What the group has committed, or what is known of it where it has forgotten.
    committed: CommittedOffset,
    /// Where it began.
    from: Position,
    /// How far the tasks have come with it since.
    processed: Option<Position>,
    /// Where reading goes on behind what was handed in.
    next: i64,
    /// True where more was known to be there at first.
    behind: bool,
}

impl Column {
    /// Opens the tasks as the state has them, behind the offsets that go with it.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read, or its rows were made by another program.
    pub(super) fn open(
        env: &Env,
        restore: &Restore,
        opened: Vec<Reading>,
        thread: &Labels,
    ) -> Result<Self> {
        let lane = restore.lane;
        forget_unfinished(env, lane)?;
        let unsaid = made::missing(env, lane)?;
        let readings = Readings::new(env, lane, opened, restore.positions.clone());
        let locals = &env.topics.locals;
        let starts = restore.inputs(env)?;
        let read = starts.iter().map(|start| start.node);
        let read = read.filter(|node| env.topics.sources.contains_key(node));
        let mut gate = Gate::new(locals, read.chain(readings.nodes()));
        let office = PostOffice::new(vec![Waker::new()]);
        let share = Share::Lane(lane);
        let mut set = TaskSet::new(
            &env.graph, &env.plan, share, &office, &env.state, &env.tasks,
        )?;
        readings.resume(&mut set);
        gate.hear(Some(&restore.loaded), locals, |part| {
            readings.are_loaded(part)
        });
        let mut inputs = BTreeMap::new();
        for start in &starts {
            if start.from.reached != NO_TIMESTAMP {
                set.resume(start.node, u32::from(lane), start.from.reached);
            }
            // Nobody waits for what waits itself.
            let behind = start.behind && !gate.holds(locals, start.node);
            set.tell_behind(start.node, u32::from(lane), behind);
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
                    behind: start.behind,
                },
            );
        }
        Ok(Column {
            metrics: TaskMetrics::new(thread, lane, &env.graph, &mut set),
            set,
            inputs,
            readings,
            gate,
            unsaid,
        })
    }

    /// The partitions that may be read, and from where on.
    pub(super) fn inputs(&self, locals: &LocalSources) -> BTreeMap<&TopicPartition, i64> {
        let mut from = BTreeMap::new();
        let open = self.inputs.iter();
        let open = open.filter(|(node, _)| !self.gate.holds(locals, **node));
        for (_, input) in open {
            let least = from.entry(&input.partition).or_insert(input.next);
            *least = input.next.min(*least);
        }
        from
    }

    /// The partitions of its topics.
    pub(super) fn partitions(&self) -> BTreeSet<&TopicPartition> {
        self.inputs.values().map(|input| &input.partition).collect()
    }

    /// True where it is to be asked what is loaded before streams are read; see [`Gate::asks`].
    pub(super) fn asks_for_loaded(&mut self, env: &Env) -> bool {
        self.gate.asks(env)
    }

    /// Takes note of what is loaded; none where it is not known.
    pub(super) fn hear_of_loaded(&mut self, locals: &LocalSources, loaded: Option<&Loaded>) {
        let readings = &self.readings;
        self.gate
            .hear(loaded, locals, |part| readings.are_loaded(part));
    }

    /// Lets streams be read whose tables are loaded; true where any may from now on, which is to be said to
    /// the reader.
    pub(super) fn open_gate(&mut self, locals: &LocalSources) -> bool {
        let held = |gate: &Gate, inputs: &BTreeMap<NodeId, Input>| -> Vec<NodeId> {
            let held = inputs.keys().filter(|node| gate.holds(locals, **node));
            held.copied().collect()
        };
        let before = held(&self.gate, &self.inputs);
        let (inputs, set) = (&self.inputs, &self.set);
        let opened = self.gate.open(|node, end| {
            let is_read = inputs.get(&node).is_none_or(|input| input.next >= end);
            is_read && !set.waits_for(node)
        });
        for node in before {
            if !self.gate.holds(locals, node) {
                let input = &self.inputs[&node];
                self.set
                    .tell_behind(node, input.partition.partition, input.behind);
            }
        }
        opened
    }

    /// Reads the sources that are no topics, up to `limit` records of each; true where any came.
    ///
    /// # Errors
    ///
    /// Where one cannot be read any more.
    pub(super) fn read_locals(&mut self, env: &Env, limit: usize) -> Result<bool> {
        self.readings.poll(env, &self.gate, limit, &mut self.set)
    }

    /// Reads sources anew whose content was replaced; see [`Readings::advance`].
    ///
    /// # Errors
    ///
    /// As those of it.
    pub(super) fn advance(&mut self, env: &Env) -> Result<Option<Vec<FamilyWrites>>> {
        if self.readings.is_empty() {
            return Ok(None);
        }
        self.readings.advance(env, &mut self.set)
    }

    /// Queues records of a partition, for each source that reads it, and notes whether more is known to
    /// be there.
    pub(super) fn feed(
        &mut self,
        locals: &LocalSources,
        from: &TopicPartition,
        mut batch: RawBatch,
        behind: bool,
    ) {
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
            if input.partition != *from || self.gate.holds(locals, *node) {
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
    pub(super) fn step(&mut self, env: &Env, max_run: usize) -> Result<bool> {
        if self.readings.are_unknown(env, &self.gate) {
            return Ok(false);
        }
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

    /// Adds everything that changed since the last commit to the next one. The answer is what the state is
    /// to have as well, and no changelog.
    ///
    /// # Errors
    ///
    /// Where a row cannot be encoded.
    pub(super) fn freeze(&mut self, commit: &mut Commit) -> Result<Commit> {
        let mut own = Commit::default();
        for (key, words) in &self.unsaid {
            own.put_meta(key, words.as_bytes());
        }
        self.set.freeze(&mut own)?;
        self.metrics.froze(&own);
        let beside = if self.readings.is_empty() {
            Commit::default()
        } else {
            self.readings.freeze(&self.set.positions(), &mut own)?
        };
        if !own.is_empty() {
            self.metrics.changed();
        }
        commit.merge(own);
        Ok(beside)
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
        offsets.extend(self.readings.offset(all));
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
        self.readings.committed(offsets, &self.set);
        let mut moved = false;
        for input in self.inputs.values_mut() {
            let found = offsets.iter().find(|(of, _)| *of == input.partition);
            if let Some((_, at)) = found {
                input.committed = at.clone();
                moved = true;
            }
        }
        self.metrics.committed(moved);
    }

    /// Passes on how the tasks are, and how much is there that they have not processed, as far as who reads
    /// it knows.
    pub(super) fn tell(&mut self, env: &Env, reader: &dyn LogReader) {
        self.metrics.count(&mut self.set);
        let mut processed = BTreeMap::new();
        let reached: BTreeMap<NodeId, i64> = (self.set.positions().into_iter())
            .map(|(node, _, offset, _)| (node, offset))
            .collect();
        for (node, input) in &self.inputs {
            let offset = reached.get(node).copied().unwrap_or(input.from.offset);
            let least = processed.entry(&input.partition).or_insert(offset);
            *least = offset.min(*least);
        }
        let lags = processed.into_iter().filter_map(|(partition, offset)| {
            let missing = reader.known_end(partition)? - offset;
            Some((partition.clone(), u64::try_from(missing).unwrap_or(0)))
        });
        self.metrics.tell(env, &self.set, lags);
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

impl Drop for Column {
    fn drop(&mut self) {
        // What was done since it was told last.
        self.metrics.count(&mut self.set);
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
