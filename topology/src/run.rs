//! Runs of records whose types only the operators know, and where they came from.

use std::any::Any;
use std::sync::Arc;

use crate::connector::{RawBatch, Times};
use crate::record::{Cause, Data, Record};
use crate::time::{NO_TIMESTAMP, Timestamp};

/// A run of records of some key and value types.
pub(crate) struct Run(Box<dyn AnyRun>);

trait AnyRun: Any + Send {
    fn len(&self) -> usize;
    fn duplicate(&self) -> Box<dyn AnyRun>;
    fn split_off(&mut self, at: usize) -> Box<dyn AnyRun>;
    fn cause(&self, index: usize) -> u32;
    fn set_causes(&mut self);
    fn wait(self: Box<Self>) -> Box<dyn AnyQueue>;
}

/// Records that wait, to be taken from the front without moving those behind.
trait AnyQueue: Send {
    fn len(&self) -> usize;
    fn cause(&self, index: usize) -> u32;
    fn take_front(&mut self, n: usize) -> Run;
}

impl<K: Data, V: Data> AnyQueue for std::vec::IntoIter<Record<K, V>> {
    fn len(&self) -> usize {
        ExactSizeIterator::len(self)
    }

    fn cause(&self, index: usize) -> u32 {
        self.as_slice()[index].cause.get()
    }

    fn take_front(&mut self, n: usize) -> Run {
        if n == ExactSizeIterator::len(self) {
            // The whole of it keeps its memory.
            let whole = std::mem::replace(self, Vec::new().into_iter());
            return Run::new(whole.collect());
        }
        Run::new(self.by_ref().take(n).collect())
    }
}

/// A run that waits to be taken, a piece at a time.
pub(crate) struct WaitingRun(Box<dyn AnyQueue>);

impl WaitingRun {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// Which record of the origin caused the record at `index`.
    pub(crate) fn cause(&self, index: usize) -> u32 {
        self.0.cause(index)
    }

    /// The first `n` records.
    pub(crate) fn take(&mut self, n: usize) -> Run {
        self.0.take_front(n)
    }
}

impl<K: Data, V: Data> AnyRun for Vec<Record<K, V>> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn duplicate(&self) -> Box<dyn AnyRun> {
        Box::new(self.clone())
    }

    fn split_off(&mut self, at: usize) -> Box<dyn AnyRun> {
        Box::new(Vec::split_off(self, at))
    }

    fn cause(&self, index: usize) -> u32 {
        self[index].cause.get()
    }

    fn set_causes(&mut self) {
        for (i, record) in self.iter_mut().enumerate() {
            record.cause = Cause::new(i as u32);
        }
    }

    fn wait(self: Box<Self>) -> Box<dyn AnyQueue> {
        Box::new(self.into_iter())
    }
}

impl Run {
    pub(crate) fn new<K: Data, V: Data>(records: Vec<Record<K, V>>) -> Self {
        Run(Box::new(records))
    }

    /// The records, by their types.
    ///
    /// # Panics
    ///
    /// Where they have others, which the typed handles rule out.
    pub(crate) fn take<K: Data, V: Data>(self) -> Vec<Record<K, V>> {
        let any: Box<dyn Any> = self.0;
        match any.downcast::<Vec<Record<K, V>>>() {
            Ok(records) => *records,
            Err(_) => panic!(
                "an operator expected records of ({}, {})",
                std::any::type_name::<K>(),
                std::any::type_name::<V>()
            ),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn duplicate(&self) -> Run {
        Run(self.0.duplicate())
    }

    /// Splits the run: what stands before `at` stays, the rest is returned.
    pub(crate) fn split_off(&mut self, at: usize) -> Run {
        Run(self.0.split_off(at))
    }

    /// Which record of the origin caused record `index`.
    pub(crate) fn cause(&self, index: usize) -> u32 {
        self.0.cause(index)
    }

    /// The same records, to be taken a piece at a time.
    pub(crate) fn wait(self) -> WaitingRun {
        WaitingRun(self.0.wait())
    }

    /// Makes every record its own cause.
    pub(crate) fn set_causes(&mut self) {
        self.0.set_causes();
    }
}

/// A place in the order in which a task takes records: by time, then by input, then by position,
/// then by the way on which one record caused others.
///
/// The time is the greatest timestamp so far in the input's partition, so that places rise along a
/// partition, and merging partitions by them is choosing the input whose head is earliest. The way
/// has the number of each step between tasks, counted among those of one cause in the order in
/// which a single task would have taken them; so several tasks take records in that order too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    pub(crate) time: Timestamp,
    pub(crate) input: u32,
    pub(crate) offset: i64,
    way: [u16; STEPS],
    steps: u8,
}

/// How many steps a way has; what goes further stands where its last step stands.
const STEPS: usize = 16;

impl Stamp {
    pub(crate) const MIN: Stamp = Stamp {
        time: i64::MIN,
        input: 0,
        offset: i64::MIN,
        way: [0; STEPS],
        steps: 0,
    };

    pub(crate) const MAX: Stamp = Stamp {
        time: i64::MAX,
        input: u32::MAX,
        offset: i64::MAX,
        way: [u16::MAX; STEPS],
        steps: u8::MAX,
    };

    /// The place of a record that was read.
    pub(crate) fn new(time: Timestamp, input: u32, offset: i64) -> Self {
        Stamp {
            time,
            input,
            offset,
            way: [0; STEPS],
            steps: 0,
        }
    }

    /// The last place of what a record at this place causes, directly or not.
    pub(crate) fn last_caused(self) -> Self {
        Stamp {
            way: [u16::MAX; STEPS],
            steps: u8::MAX,
            ..self
        }
    }

    /// The place of what leaves for another task as number `number` of those that this caused.
    pub(crate) fn step(mut self, number: u16) -> Self {
        if let Some(step) = self.way.get_mut(usize::from(self.steps)) {
            *step = number;
            self.steps += 1;
        }
        self
    }
}

/// What the records of a run came from. Every record says by its cause which part of this it is of.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// A batch that was read.
    Source(Arc<SourceOrigin>),
    /// Records that another task sent, each with its place in the order.
    Exchange(Arc<[Stamp]>),
    /// No record: the engine itself, at a commit or a start.
    Engine,
}

/// A batch that was read, and what is known of its records.
#[derive(Debug)]
pub(crate) struct SourceOrigin {
    pub(crate) source: Arc<str>,
    /// The rank of the partition among all inputs of the process.
    pub(crate) input: u32,
    pub(crate) batch: Arc<RawBatch>,
    /// For each raw record, the greatest timestamp up to it.
    pub(crate) reached: Times,
}

impl SourceOrigin {
    /// An origin whose records have `times`, behind records that reached `before`.
    pub(crate) fn new(
        source: Arc<str>,
        input: u32,
        batch: Arc<RawBatch>,
        times: &Times,
        before: Timestamp,
    ) -> Self {
        let reached = match times {
            Times::Same(time) => Times::Same(before.max(*time)),
            Times::Each(times) => {
                let mut reached = before;
                Times::Each(
                    times
                        .iter()
                        .map(|&time| {
                            reached = reached.max(time);
                            reached
                        })
                        .collect(),
                )
            }
        };
        SourceOrigin {
            source,
            input,
            batch,
            reached,
        }
    }

    /// The greatest timestamp of all records.
    pub(crate) fn end_time(&self) -> Timestamp {
        match &self.reached {
            Times::Same(time) if self.batch.is_empty() => (*time).min(NO_TIMESTAMP),
            Times::Same(time) => *time,
            Times::Each(times) => times.last().copied().unwrap_or(NO_TIMESTAMP),
        }
    }
}

impl Origin {
    /// The place in the order of the record that `cause` names.
    pub(crate) fn stamp(&self, cause: u32) -> Stamp {
        match self {
            Origin::Source(origin) => Stamp::new(
                origin.reached.at(cause as usize),
                origin.input,
                origin.batch.offset(cause as usize),
            ),
            Origin::Exchange(stamps) => stamps[cause as usize],
            Origin::Engine => Stamp::MIN,
        }
    }

    /// Where the record that `cause` names stands, for people.
    pub(crate) fn place(&self, cause: u32) -> String {
        match self {
            Origin::Source(origin) => format!(
                "{} partition {} offset {}",
                origin.source,
                origin.batch.partition,
                origin.batch.offset(cause as usize)
            ),
            Origin::Exchange(stamps) => {
                let stamp = stamps[cause as usize];
                format!("input {} offset {}", stamp.input, stamp.offset)
            }
            Origin::Engine => "no record".to_owned(),
        }
    }
}
