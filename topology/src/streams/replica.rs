//! The rows of a task as its changelogs have them.

use super::changelog;
use super::env::Env;
use super::mark::Mark;
use crate::cluster::{Isolation, LogReader, OffsetRange, TopicPartition};
use crate::connector::RawBatch;
use crate::error::Result;
use crate::store::Family;

/// The rows of a task, brought up to what its changelogs say.
#[derive(Debug)]
pub(super) struct Replica {
    logs: Vec<Log>,
    /// How many records were read.
    pub(super) read: u64,
}

/// A changelog, and how far the state has it.
#[derive(Debug)]
struct Log {
    family: Family,
    from: TopicPartition,
    next: i64,
    /// Behind the last record that was there when it was asked for.
    end: i64,
}

impl Replica {
    /// Finds out what there is to be read, open transactions included: the last stable offset lags behind
    /// a commit that has returned.
    ///
    /// The state is not looked at yet: another thread may be at work on it, and the answer may come when
    /// the tasks are somebody else's.
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be asked.
    pub(super) fn prepare(env: &Env, lane: u16) -> Result<Self> {
        let logs = changelog::of_lane(&env.topics, lane);
        let partitions: Vec<TopicPartition> = logs.iter().map(|(_, from)| from.clone()).collect();
        let there = env.cluster.offsets_of(&partitions, ends_by(env))?;
        let logs = logs.into_iter().zip(there);
        Ok(Replica {
            logs: logs
                .map(|((family, from), there)| Log {
                    family,
                    from,
                    next: there.first,
                    end: there.end,
                })
                .collect(),
            read: 0,
        })
    }

    /// Finds out where the state stands. Rows that are foreign to their changelog are forgotten, loudly.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read or written.
    pub(super) fn begin(&mut self, env: &Env) -> Result<()> {
        for log in &mut self.logs {
            let from = &log.from;
            let there = OffsetRange {
                first: log.next,
                end: log.end,
            };
            if let Some(mark) = Mark::read(&env.state, from)? {
                let Some(why) = mark.refusal(env, from, there) else {
                    log.next = mark.offset;
                    continue;
                };
                tracing::warn!("the rows of {from} are read again: {why}");
            }
            let commit = changelog::forget(env, &log.family, from)?;
            env.state.commit(commit, false)?;
        }
        Ok(())
    }

    /// Forgets the changelogs that the state has to their ends.
    pub(super) fn keep_unfinished(&mut self) {
        self.logs.retain(|log| log.next < log.end);
    }

    /// Has a reader read what the state does not have.
    ///
    /// # Errors
    ///
    /// Where a changelog is not there.
    pub(super) fn assign(&self, reader: &mut dyn LogReader) -> Result<()> {
        self.logs
            .iter()
            .try_for_each(|log| reader.assign(&log.from, log.next))
    }

    /// Has a reader read no more.
    pub(super) fn unassign(&self, reader: &mut dyn LogReader) {
        for log in &self.logs {
            reader.unassign(&log.from);
        }
    }

    /// Writes what was read of a changelog, if it is one of these.
    ///
    /// # Errors
    ///
    /// Where the state cannot be written.
    pub(super) fn take(
        &mut self,
        env: &Env,
        from: &TopicPartition,
        batch: &RawBatch,
    ) -> Result<bool> {
        let Some(log) = self.logs.iter_mut().find(|log| log.from == *from) else {
            return Ok(false);
        };
        let commit = changelog::rows_of(env, &log.family, from, batch)?;
        env.state.commit(commit, false)?;
        log.next = batch.end;
        self.read += batch.len() as u64;
        Ok(true)
    }

    /// The changelogs that it reads.
    pub(super) fn partitions(&self) -> Vec<TopicPartition> {
        self.logs.iter().map(|log| log.from.clone()).collect()
    }

    /// Takes note of where changelogs end now, in the order of [`partitions`](Replica::partitions).
    pub(super) fn renew(&mut self, ends: &[OffsetRange]) {
        for (log, there) in self.logs.iter_mut().zip(ends) {
            log.end = there.end;
        }
    }

    /// True where nothing is missing.
    pub(super) fn is_complete(&self) -> bool {
        self.logs.iter().all(|log| log.next >= log.end)
    }

    /// How many offsets are still to be read.
    pub(super) fn lag(&self) -> u64 {
        let lags = self.logs.iter();
        lags.map(|log| u64::try_from(log.end - log.next).unwrap_or(0))
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
