//! What a node of a topology does with runs of records.
//!
//! A processor is made anew for each task. It is given runs, and forwards runs; everything else
//! (state, counters, ways out of the task) it finds in the [`Context`].

use std::sync::Arc;

use crate::connector::SinkRecord;
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{ErrorPolicy, NodeStats, dead_letter_headers};
use crate::record::{Data, Record};
use crate::run::{Origin, Run, Stamp};
use crate::store::{AnyStore, BucketStore, Commit, KeyValueStore};
use crate::time::Timestamp;

/// A node at work in a task.
pub(crate) trait Processor: Send {
    /// Begins, when the stores are open.
    fn start(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }

    /// Handles a run that came in through input `port`.
    fn process(&mut self, port: u8, run: Run, cx: &mut Context<'_>) -> Result<()>;

    /// Forwards what was held back until the commit, or some of it: true where there is more. It is given
    /// nothing before it was asked for all of that.
    fn flush(&mut self, _cx: &mut Context<'_>) -> Result<bool> {
        Ok(false)
    }

    /// Begins to build state anew beside the present one: the source is read again from the start.
    fn begin_generation(&mut self, _cx: &mut Context<'_>, _commit: &mut Commit) -> Result<()> {
        Ok(())
    }

    /// The state that was built is the present one now: forwards how it differs from the former.
    /// Everything is committed.
    fn end_generation(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }

    /// Time passed: stream time and wall-clock time are as the context tells.
    fn punctuate(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }

    /// When [`punctuate`](Processor::punctuate) wants to be called next, if ever.
    fn next_punctuation(&self) -> NextPunctuation {
        NextPunctuation::default()
    }
}

/// The times at which a processor wants to be called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct NextPunctuation {
    pub(crate) stream_time: Option<Timestamp>,
    pub(crate) wall_clock: Option<Timestamp>,
}

/// The place of a store among those of a topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct StoreId(pub(crate) u32);

/// The place of a sink among those of a topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SinkId(pub(crate) u32);

/// The stores of a task, by their place in the topology.
#[derive(Default)]
pub(crate) struct Stores {
    slots: Vec<Option<Box<dyn AnyStore>>>,
}

impl Stores {
    pub(crate) fn insert(&mut self, id: StoreId, store: Box<dyn AnyStore>) {
        let at = id.0 as usize;
        if self.slots.len() <= at {
            self.slots.resize_with(at + 1, || None);
        }
        self.slots[at] = Some(store);
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (StoreId, &mut Box<dyn AnyStore>)> {
        self.slots
            .iter_mut()
            .enumerate()
            .filter_map(|(at, slot)| Some((StoreId(at as u32), slot.as_mut()?)))
    }

    fn any(&mut self, id: StoreId) -> &mut dyn AnyStore {
        &mut **self.slots[id.0 as usize]
            .as_mut()
            .expect("the task of an operator has its stores")
    }

    /// The key-value store at `id`.
    pub(crate) fn key_value<K: Data, V: Data>(&mut self, id: StoreId) -> &mut KeyValueStore<K, V> {
        self.any(id)
            .as_any()
            .downcast_mut()
            .expect("a store has the types that it was declared with")
    }

    /// The bucket store at `id`.
    pub(crate) fn bucket<P: Data, S: Data, V: Data>(
        &mut self,
        id: StoreId,
    ) -> &mut BucketStore<P, S, V> {
        self.any(id)
            .as_any()
            .downcast_mut()
            .expect("a store has the types that it was declared with")
    }

    /// Takes a store out for a while, so that it can be used beside another.
    pub(crate) fn lend(&mut self, id: StoreId) -> Box<dyn AnyStore> {
        self.slots[id.0 as usize]
            .take()
            .expect("the task of an operator has its stores")
    }

    /// Puts a store back.
    pub(crate) fn give_back(&mut self, id: StoreId, store: Box<dyn AnyStore>) {
        self.slots[id.0 as usize] = Some(store);
    }

    pub(crate) fn get(&mut self, id: StoreId) -> Option<&mut Box<dyn AnyStore>> {
        self.slots.get_mut(id.0 as usize)?.as_mut()
    }
}

/// What leaves a task.
#[derive(Default)]
pub(crate) struct Exits {
    /// Records for sinks, in order.
    pub(crate) sinks: Vec<Output>,
    /// Runs for other tasks.
    pub(crate) exchange: Vec<Departure>,
    /// How many records left for other tasks, by the record of the present run that caused them.
    departed: Vec<u16>,
    first_cause: u32,
    /// How many records went no further so far.
    pub(crate) lost: Lost,
}

/// Records of a task that went no further.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Those without a key where one is needed.
    pub(crate) dropped: u64,
    /// Those that could not be read, or for which something failed.
    pub(crate) failed: u64,
}

impl Exits {
    /// Begins a run whose records have causes from `first_cause` on.
    pub(crate) fn begin_run(&mut self, first_cause: u32) {
        self.first_cause = first_cause;
        self.departed.clear();
    }

    /// The number of the next record that leaves for another task because of `cause`.
    pub(crate) fn depart(&mut self, cause: u32) -> u16 {
        let at = (cause - self.first_cause) as usize;
        if self.departed.len() <= at {
            self.departed.resize(at + 1, 0);
        }
        let number = self.departed[at];
        self.departed[at] = number.saturating_add(1);
        number
    }
}

/// A record that leaves for a sink.
pub(crate) struct Output {
    pub(crate) sink: SinkId,
    /// Its place among the outputs of all tasks.
    pub(crate) stamp: Stamp,
    pub(crate) record: SinkRecord,
}

/// Puts the outputs of several tasks in the order in which a single task would have sent them.
pub(crate) fn in_order(outputs: &mut [Output]) {
    if !outputs.is_sorted_by_key(|output| output.stamp) {
        outputs.sort_by_key(|output| output.stamp);
    }
}

/// A run that leaves for another task.
pub(crate) struct Departure {
    /// The exchange node that it left through.
    pub(crate) node: u32,
    /// The lane that it goes to.
    pub(crate) lane: u16,
    pub(crate) run: Run,
    pub(crate) origin: Origin,
}

/// Whom a run is forwarded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Child {
    /// All children.
    All,
    /// The child of this index.
    One(usize),
}

/// The place of what leaves because of the record that `cause` names.
fn origin_stamp(exits: &mut Exits, origin: &Origin, cause: u32) -> Stamp {
    origin.stamp(cause).step(exits.depart(cause))
}

/// What a processor works with.
pub(crate) struct Context<'a> {
    pub(crate) stores: &'a mut Stores,
    pub(crate) exits: &'a mut Exits,
    /// What the run at hand came from.
    pub(crate) origin: &'a Origin,
    /// The wall clock, as of the run's start.
    pub(crate) now: Timestamp,
    /// The time of the task before the run.
    #[cfg_attr(not(test), expect(dead_code, reason = "no operator goes by it yet"))]
    pub(crate) stream_time: Timestamp,
    /// The greatest place of a record that the task has taken.
    pub(crate) latest: Stamp,
    pub(super) node: &'a NodeFacts,
    pub(super) forwarded: &'a mut Vec<(Child, Run)>,
}

/// What the topology says of a node.
pub(crate) struct NodeFacts {
    pub(crate) index: u32,
    pub(crate) name: Arc<str>,
    pub(crate) stats: Arc<NodeStats>,
    pub(crate) policy: ErrorPolicy,
    pub(crate) dead_letters: Option<SinkId>,
    pub(crate) lane: u16,
    pub(crate) lanes: u16,
    /// True until a commit holds what the node did at its start.
    pub(crate) first_start: bool,
}

impl Context<'_> {
    /// Sends a run to all children.
    pub(crate) fn forward<K: Data, V: Data>(&mut self, records: Vec<Record<K, V>>) {
        if !records.is_empty() {
            self.forwarded.push((Child::All, Run::new(records)));
        }
    }

    /// Sends a run to one child.
    pub(crate) fn forward_to<K: Data, V: Data>(
        &mut self,
        child: usize,
        records: Vec<Record<K, V>>,
    ) {
        if !records.is_empty() {
            self.forwarded.push((Child::One(child), Run::new(records)));
        }
    }

    /// Passes a run on as it is.
    pub(crate) fn pass(&mut self, run: Run) {
        if !run.is_empty() {
            self.forwarded.push((Child::All, run));
        }
    }

    /// The place of what leaves because of the record that `cause` names.
    pub(crate) fn departure(&mut self, cause: u32) -> Stamp {
        match self.origin {
            Origin::Engine => self.latest,
            origin => origin_stamp(self.exits, origin, cause),
        }
    }

    /// Hands a record out, to a sink.
    pub(crate) fn send(&mut self, sink: SinkId, cause: u32, record: SinkRecord) {
        let stamp = self.departure(cause);
        self.exits.sinks.push(Output {
            sink,
            stamp,
            record,
        });
    }

    /// Counters of the node.
    pub(crate) fn stats(&self) -> &NodeStats {
        &self.node.stats
    }

    /// Counts records that are dropped as they have no key where one is needed.
    pub(crate) fn count_dropped(&mut self, n: u64) {
        self.node.stats.count_dropped(n);
        self.exits.lost.dropped += n;
    }

    /// The node's facts.
    pub(crate) fn node(&self) -> &NodeFacts {
        self.node
    }

    /// Reports that the record that `cause` names could not be handled.
    ///
    /// # Errors
    ///
    /// Where the policy is to stop.
    pub(crate) fn failed(&mut self, cause: u32, message: &str) -> Result<()> {
        self.node.report(self.origin, cause, message, self.exits)
    }

    /// Says at a bounded rate that something is odd about the record that `cause` names.
    pub(crate) fn tell(&self, cause: u32, message: &str) {
        if self.node.stats.may_tell() {
            tracing::warn!(node = %self.node.name, at = %self.origin.place(cause), "{message}");
        }
    }
}

impl NodeFacts {
    /// The key under which it is remembered that the node has started once.
    pub(crate) fn start_key(&self) -> String {
        format!("started/{}/{}", self.lane, self.name)
    }

    /// Counts a failure and does with the record as the policy says.
    ///
    /// # Errors
    ///
    /// Where the policy is to stop.
    pub(crate) fn report(
        &self,
        origin: &Origin,
        cause: u32,
        message: &str,
        exits: &mut Exits,
    ) -> Result<()> {
        self.stats.count_failed(1);
        exits.lost.failed += 1;
        let place = || origin.place(cause);
        if self.policy == ErrorPolicy::Fail {
            return Err(Error::new(
                ErrorKind::Failed,
                format!("{}: {message} ({})", self.name, place()),
            ));
        }
        if self.stats.may_tell() {
            tracing::warn!(
                node = %self.name,
                at = %place(),
                failed_so_far = self.stats.failed(),
                "{message}"
            );
        }
        if let (Some(sink), Origin::Source(origin)) = (self.dead_letters, origin) {
            let (batch, index) = (&origin.batch, cause as usize);
            let headers = dead_letter_headers(
                &batch.headers(index),
                message,
                &origin.source,
                batch.partition,
                batch.offset(index),
            );
            let record = SinkRecord {
                key: batch.key(index).map(<[u8]>::to_vec),
                value: batch.value(index).map(<[u8]>::to_vec),
                timestamp: batch.times.at(index),
                headers,
            };
            let stamp = origin_stamp(exits, &Origin::Source(origin.clone()), cause);
            exits.sinks.push(Output {
                sink,
                stamp,
                record,
            });
        }
        Ok(())
    }
}
