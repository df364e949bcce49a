//! The queues of a task: one an input partition, in the order in which records came.

use std::collections::VecDeque;
use std::sync::Arc;

use super::channels::Said;
use crate::connector::{RawBatch, Times};
use crate::error::Error;
use crate::graph::{Decoded, NodeId};
use crate::run::{Origin, Run, SourceOrigin, Stamp, WaitingRun};
use crate::time::{NO_TIMESTAMP, Timestamp};

/// One partition of a source, or what one task sends through an exchange.
pub(super) struct Input {
    pub(super) node: NodeId,
    /// The partition, or the lane of the task that sends.
    pub(super) partition: u32,
    queue: VecDeque<Queued>,
    /// Nothing that is still to come stands before this.
    pub(super) frontier: Stamp,
    /// True where more is known to be there behind what was queued.
    pub(super) behind: bool,
    /// True while nobody waits for that.
    pub(super) released: bool,
    rank: u32,
    end: i64,
    /// The greatest timestamp that was queued.
    reached: Timestamp,
    /// Where reading goes on behind what was processed.
    position: Option<i64>,
    /// The greatest timestamp that was processed.
    processed: Timestamp,
    /// What goes with the next batch.
    said: Vec<(u32, Said)>,
}

/// A batch that waits, or what is left of it.
struct Queued {
    run: WaitingRun,
    origin: Origin,
    /// Raw records that could not be read and were not reported yet.
    bad: VecDeque<(u32, Error)>,
    end: Option<i64>,
    end_time: Timestamp,
    /// What tasks said that sent the records, each before the raw record of an index.
    said: VecDeque<(u32, Said)>,
    /// When it was queued, by the clock of the task's channels.
    came: i64,
}

/// A run that was taken for processing.
pub(super) struct Taken {
    pub(super) run: Run,
    pub(super) origin: Origin,
    /// Raw records that stood among those of the run and could not be read.
    pub(super) bad: Vec<(u32, Error)>,
    /// The greatest timestamp up to the end of the run.
    pub(super) reached: Timestamp,
    /// What was said behind the run.
    pub(super) said: Vec<Said>,
    /// When the batch was queued.
    pub(super) came: i64,
}

impl Input {
    pub(super) fn new(node: NodeId, partition: u32) -> Self {
        Input {
            node,
            partition,
            queue: VecDeque::new(),
            frontier: Stamp::MAX,
            behind: false,
            released: false,
            rank: 0,
            end: 0,
            reached: NO_TIMESTAMP,
            position: None,
            processed: NO_TIMESTAMP,
            said: Vec::new(),
        }
    }

    /// Goes on behind what an earlier run of the process committed.
    pub(super) fn resume(&mut self, reached: Timestamp) {
        self.reached = reached;
        self.processed = reached;
    }

    /// Notes what was said in the batch that comes next.
    pub(super) fn note_said(&mut self, said: Vec<(u32, Said)>) {
        self.said.extend(said);
    }

    pub(super) fn push_source(
        &mut self,
        source: Arc<str>,
        rank: u32,
        batch: Arc<RawBatch>,
        decoded: Decoded,
        came: i64,
    ) {
        let times: &Times = decoded.times.as_ref().unwrap_or(&batch.times);
        let end = batch.end;
        let origin = SourceOrigin::new(source, rank, batch.clone(), times, self.reached);
        self.reached = self.reached.max(origin.end_time());
        // A batch that ends before its last record must not have everybody wait for that record.
        let last = batch.len().checked_sub(1).map(|at| batch.offset(at) + 1);
        (self.rank, self.end) = (rank, last.map_or(end, |last| last.max(end)));
        self.queue.push_back(Queued {
            run: decoded.run.wait(),
            end_time: origin.end_time(),
            origin: Origin::Source(Arc::new(origin)),
            bad: decoded.bad.into(),
            end: Some(end),
            said: std::mem::take(&mut self.said).into(),
            came,
        });
    }

    pub(super) fn push_exchange(&mut self, mut run: Run, origin: Origin) {
        run.set_causes();
        let end_time = match &origin {
            Origin::Exchange(stamps) => stamps.last().map_or(NO_TIMESTAMP, |stamp| stamp.time),
            _ => NO_TIMESTAMP,
        };
        self.queue.push_back(Queued {
            run: run.wait(),
            origin,
            bad: VecDeque::new(),
            end: None,
            end_time,
            said: VecDeque::new(),
            came: 0,
        });
    }

    /// The place of the first record that waits, if any does.
    pub(super) fn head(&self) -> Option<Stamp> {
        let queued = self.queue.front()?;
        let cause = if queued.run.is_empty() {
            queued.bad.front().map(|(cause, _)| *cause)
        } else {
            Some(queued.run.cause(0))
        };
        // A batch of which nothing is left still has its end to be noted.
        Some(cause.map_or(Stamp::MIN, |cause| queued.origin.stamp(cause)))
    }

    /// The place of the first record that waits; or, where none does, the first place at which one
    /// may still come.
    pub(super) fn next(&self) -> Stamp {
        self.head().unwrap_or(if self.behind && !self.released {
            self.reached()
        } else {
            self.frontier
        })
    }

    /// The place up to which it was read.
    pub(super) fn reached(&self) -> Stamp {
        Stamp::new(self.reached, self.rank, self.end)
    }

    /// True where nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// True where all is processed that is known to be there.
    pub(super) fn is_caught_up(&self) -> bool {
        self.queue.is_empty() && !self.behind
    }

    /// How many records wait.
    pub(super) fn len(&self) -> usize {
        self.queue.iter().map(|queued| queued.run.len()).sum()
    }

    /// Takes a run from the front: up to `limit` records that `wanted` takes by their places.
    pub(super) fn take(
        &mut self,
        limit: usize,
        wanted: impl Fn(Stamp) -> bool,
        until: Option<Timestamp>,
    ) -> Taken {
        let queued = self.queue.front_mut().expect("an input with a head");
        let n = leading(&queued.run, &queued.origin, limit, wanted, until);
        let n = before_said(queued, n);
        let whole = n == queued.run.len();
        let run = queued.run.take(n);
        let stop = if whole { u32::MAX } else { queued.run.cause(0) };
        let bad = queued.bad.partition_point(|(cause, _)| *cause < stop);
        let said = queued.said.partition_point(|(index, _)| *index <= stop);
        let taken = Taken {
            bad: queued.bad.drain(..bad).collect(),
            said: queued.said.drain(..said).map(|(_, said)| said).collect(),
            came: queued.came,
            reached: reached(queued, &run, whole),
            origin: queued.origin.clone(),
            run,
        };
        self.processed = self.processed.max(taken.reached);
        if whole {
            self.position = queued.end.or(self.position);
            self.queue.pop_front();
        } else if let Origin::Source(origin) = &queued.origin {
            self.position = Some(origin.batch.offset(stop as usize));
        }
        taken
    }

    /// Where reading goes on, and the time reached, if anything was processed.
    pub(super) fn position(&self) -> Option<(i64, Timestamp)> {
        self.position.map(|offset| (offset, self.processed))
    }
}

/// The number of records at the front that may be taken as one run.
fn leading(
    run: &WaitingRun,
    origin: &Origin,
    limit: usize,
    wanted: impl Fn(Stamp) -> bool,
    until: Option<Timestamp>,
) -> usize {
    let n = run.len().min(limit);
    if n == 0 {
        return 0;
    }
    let stamp = |index: usize| origin.stamp(run.cause(index));
    let n = if wanted(stamp(n - 1)) {
        n
    } else {
        first_not(n, |index| wanted(stamp(index))).max(1)
    };
    match until {
        // The record that reaches the time is the last of the run.
        Some(until) if stamp(n - 1).time >= until => {
            (first_not(n, |index| stamp(index).time < until) + 1).min(n)
        }
        _ => n,
    }
}

/// Of the first `n` records those that stand before the next word on time, which may be none.
fn before_said(queued: &Queued, n: usize) -> usize {
    match queued.said.front() {
        Some((index, _)) => first_not(n, |at| queued.run.cause(at) < *index),
        None => n,
    }
}

/// The first index below `n` for which `holds` does not; it holds for all before and none behind.
fn first_not(n: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

fn reached(queued: &Queued, run: &Run, whole: bool) -> Timestamp {
    if whole {
        return queued.end_time;
    }
    match run.len() {
        0 => NO_TIMESTAMP,
        n => queued.origin.stamp(run.cause(n - 1)).time,
    }
}
