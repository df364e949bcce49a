//! Taking tasks over: their rows are brought up to what their former owner committed last.

use std::collections::{BTreeMap, BTreeSet};

use super::changelog;
use super::env::Env;
use super::positions::Position;
use crate::cluster::{CommittedOffset, Isolation, LogReader, TopicPartition};
use crate::connector::RawBatch;
use crate::error::Result;
use crate::graph::NodeId;
use crate::store::Family;

/// Where reading an input goes on.
#[derive(Debug, Clone)]
pub(super) struct InputStart {
    pub(super) node: NodeId,
    pub(super) partition: TopicPartition,
    /// What the group remembers of the partition.
    pub(super) at: CommittedOffset,
    /// Where this input goes on.
    pub(super) from: Position,
    /// True where more is known to be there.
    pub(super) behind: bool,
}

/// The tasks of a number while their rows are brought up to date.
#[derive(Debug)]
pub(super) struct Restore {
    pub(super) lane: u16,
    pub(super) inputs: Vec<InputStart>,
    logs: Vec<Log>,
    /// How many records were read.
    pub(super) restored: u64,
}

/// A changelog that is behind.
#[derive(Debug)]
struct Log {
    family: Family,
    from: TopicPartition,
    next: i64,
    /// Everything before this must be read.
    end: i64,
}

impl Restore {
    /// Finds out what must be read: after the former owner's end, whatever that was.
    ///
    /// First come the offsets of the group, which wait for transactions that are being committed; then
    /// the ends of the changelogs, open transactions included. The last stable offset would not do: it
    /// lags behind a commit that has returned, and the rows of that commit would be missed. Only what is
    /// committed is then read up to there.
    ///
    /// The state is not looked at yet: another thread may be at work on it, and the answer may come when
    /// the tasks are somebody else's.
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be asked.
    pub(super) fn prepare(env: &Env, lane: u16) -> Result<Self> {
        let inputs = starts(env, lane)?;
        let mut logs = Vec::new();
        for (family, from) in changelog::of_lane(&env.topics, lane) {
            let there = env.cluster.offsets(&from, ends_by(env))?;
            logs.push(Log {
                family,
                from,
                next: there.first,
                end: there.end,
            });
        }
        Ok(Restore {
            lane,
            inputs,
            logs,
            restored: 0,
        })
    }

    /// Has a reader read what the state does not have.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read or written, or a changelog is not there.
    pub(super) fn begin(&mut self, env: &Env, reader: &mut dyn LogReader) -> Result<()> {
        for log in &mut self.logs {
            let (first, end, from) = (log.next, log.end, &log.from);
            match changelog::position(&env.state, from)? {
                Some(at) if (first..=end).contains(&at) => {
                    log.next = at;
                    continue;
                }
                Some(at) => tracing::warn!(
                    "the rows of {from} are those up to offset {at}, and the topic has {first} to {end}: \
                     they are read again"
                ),
                None => {}
            }
            let commit = changelog::forget(&env.state, &log.family, from)?;
            env.state.commit(commit, false)?;
        }
        self.logs.retain(|log| log.next < log.end);
        self.logs
            .iter()
            .try_for_each(|log| reader.assign(&log.from, log.next))
    }

    /// Has a reader read no more.
    pub(super) fn end(&self, reader: &mut dyn LogReader) {
        for log in &self.logs {
            reader.unassign(&log.from);
        }
    }

    /// Writes what was read of a changelog, if it is one of these tasks.
    ///
    /// # Errors
    ///
    /// Where the state cannot be written.
    pub(super) fn take(
        &mut self,
        env: &Env,
        from: &TopicPartition,
        batch: &RawBatch,
        reader: &mut dyn LogReader,
    ) -> Result<bool> {
        let Some(at) = self.logs.iter().position(|log| log.from == *from) else {
            return Ok(false);
        };
        let log = &mut self.logs[at];
        let commit = changelog::rows_of(&log.family, from, batch);
        env.state.commit(commit, false)?;
        log.next = batch.end;
        self.restored += batch.len() as u64;
        if log.next >= log.end {
            reader.unassign(from);
            self.logs.swap_remove(at);
        }
        Ok(true)
    }

    /// True where nothing is missing.
    pub(super) fn is_done(&self) -> bool {
        self.logs.is_empty()
    }

    /// How many offsets are still to be read.
    pub(super) fn lag(&self) -> u64 {
        let lags = self.logs.iter();
        lags.map(|log| log.end.saturating_sub(log.next).unsigned_abs())
            .sum()
    }
}

/// By what the ends of changelogs are asked for.
fn ends_by(_env: &Env) -> Isolation {
    #[cfg(test)]
    if _env.planted == Some(super::env::Planted::StableOnly) {
        return Isolation::ReadCommitted;
    }
    Isolation::ReadUncommitted
}

/// Where reading goes on of each partition that the tasks read; where nothing was committed, at the
/// first record that is there.
fn starts(env: &Env, lane: u16) -> Result<Vec<InputStart>> {
    let inputs: Vec<(NodeId, TopicPartition)> = env.topics.inputs(lane).collect();
    // Several steps may read one partition.
    let partitions: BTreeSet<TopicPartition> = inputs.iter().map(|(_, at)| at.clone()).collect();
    let partitions: Vec<TopicPartition> = partitions.into_iter().collect();
    let committed = env.cluster.committed(&env.application, &partitions)?;
    let mut known = BTreeMap::new();
    for (partition, committed) in partitions.into_iter().zip(committed) {
        let there = env.cluster.offsets(&partition, Isolation::ReadCommitted)?;
        known.insert(partition, (committed, there));
    }
    let mut starts = Vec::new();
    for (node, partition) in inputs {
        let (committed, there) = &known[&partition];
        let from = (env.topics).position(&env.graph, node, committed.as_ref(), there.first);
        starts.push(InputStart {
            node,
            behind: from.offset < there.end,
            partition,
            at: committed.clone().unwrap_or(CommittedOffset {
                offset: there.first,
                metadata: String::new(),
            }),
            from,
        });
    }
    Ok(starts)
}
