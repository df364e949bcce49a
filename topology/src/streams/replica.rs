//! The rows of a task as its changelogs have them.

use std::time::Duration;

use metrics::Counter;

use super::changelog;
use super::env::Env;
use super::epochs::{self, Leader};
use super::mark::Mark;
use super::metrics::ReplicaMetrics;
use crate::cluster::{Isolation, LogPoint, LogReader, OffsetRange, TopicPartition};
use crate::connector::RawBatch;
use crate::error::Result;
use crate::store::{Commit, Family, FamilyWrites};
use crate::time::Timestamp;

/// How many bytes of all changelogs wait, more or less, until they are written together; of one of them, at
/// least and at most.
const ALL: usize = 64 << 20;
const LEAST: usize = 2 << 20;
const MOST: usize = 32 << 20;

/// For how long they do at most: a process that is killed reads again what waited.
const LONG: Duration = Duration::from_secs(1);

/// The rows of a task, brought up to what its changelogs say.
#[derive(Debug)]
pub(super) struct Replica {
    logs: Vec<Log>,
    /// How many records were read.
    pub(super) read: u64,
    /// There once it is known who has it read.
    metrics: Option<ReplicaMetrics>,
}

/// A changelog, and how far the state has it.
#[derive(Debug)]
struct Log {
    family: Family,
    from: TopicPartition,
    next: i64,
    /// Behind the last record that was there when it was asked for.
    end: i64,
    /// What was read and is not in the state yet.
    waiting: FamilyWrites,
    /// Since when.
    since: Timestamp,
    /// The records that were read.
    restored: Counter,
    /// Who told the end.
    leader: Leader,
    /// The point that the state has.
    point: Option<LogPoint>,
}

impl Log {
    /// The point of the rows up to where it was read.
    fn point(&self) -> Option<LogPoint> {
        epochs::later(self.point, self.leader.point(self.next))
    }

    /// True where what waits is to be written: where nothing more is known to come, and else where it is much or
    /// has waited long.
    fn is_due(&self, env: &Env) -> bool {
        self.next >= self.end
            || self.waiting.size() >= much(env)
            || env.has_passed(LONG, self.since)
    }
}

impl Replica {
    /// Finds out what there is to be read, open transactions included: the last stable offset lags behind
    /// a commit that has returned.
    ///
    /// The state is not looked at yet but for what else is to be asked: another thread may be at work on it, and
    /// the answer may come when the tasks are somebody else's.
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be asked.
    pub(super) fn prepare(env: &Env, lane: u16) -> Result<Self> {
        let logs = changelog::of_lane(&env.topics, lane);
        let partitions: Vec<TopicPartition> = logs.iter().map(|(_, from)| from.clone()).collect();
        let there = env.cluster.offsets_of(&partitions, ends_by(env))?;
        let leaders = epochs::ask(env, &partitions)?;
        let logs = logs.into_iter().zip(there).zip(leaders);
        Ok(Replica {
            logs: logs
                .map(|(((family, from), there), leader)| Log {
                    waiting: FamilyWrites::new(family.clone()),
                    since: 0,
                    restored: Counter::noop(),
                    family,
                    from,
                    next: there.first,
                    end: there.end,
                    leader,
                    point: None,
                })
                .collect(),
            read: 0,
            metrics: None,
        })
    }

    /// Finds out where the state stands. Rows that are foreign to their changelog are forgotten, loudly.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read or written; of kind [`Unavailable`](crate::ErrorKind::Unavailable) where it
    /// was written meanwhile, so that all is to be found out again.
    pub(super) fn begin(&mut self, env: &Env, metrics: ReplicaMetrics) -> Result<()> {
        for log in &mut self.logs {
            log.restored = metrics.of_family(&log.family);
            let from = &log.from;
            let there = OffsetRange {
                first: log.next,
                end: log.end,
            };
            if let Some(mark) = Mark::read(&env.state, from)? {
                let cut = log.leader.cut(&mark, from)?;
                let Some(why) = mark.refusal(env, from, there, cut) else {
                    log.next = mark.offset;
                    log.point = mark.point;
                    continue;
                };
                env.tell_refused(from, &why);
            }
            let commit = changelog::forget(env, &log.family, from)?;
            env.state.commit(commit, false)?;
        }
        self.metrics = Some(metrics);
        self.tell();
        Ok(())
    }

    /// Passes on how much is missing.
    fn tell(&self) {
        if let Some(metrics) = &self.metrics {
            metrics.remain(self.lag());
        }
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

    /// Takes what was read of a changelog, if it is one of these, and writes it, at the latest when the end is
    /// reached that is known.
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
        if log.waiting.is_empty() {
            log.since = env.clock.now();
        }
        changelog::add_rows(env, &mut log.waiting, from, batch)?;
        log.next = batch.end;
        let records = batch.len() as u64;
        self.read += records;
        log.restored.increment(records);
        if let Some(metrics) = &self.metrics {
            metrics.read.increment(records);
        }
        if log.is_due(env) {
            let empty = FamilyWrites::new(log.family.clone());
            let rows = std::mem::replace(&mut log.waiting, empty);
            log.point = log.point();
            let commit = changelog::rows_of(env, from, rows, log.next, log.point);
            env.state.commit_in_bulk(commit)?;
            if log.next >= log.end {
                env.state.end_bulk(&log.family)?;
            }
        }
        self.tell();
        Ok(true)
    }

    /// The changelogs that it reads.
    pub(super) fn partitions(&self) -> Vec<TopicPartition> {
        self.logs.iter().map(|log| log.from.clone()).collect()
    }

    /// Takes note of where changelogs end now, in the order of [`partitions`](Replica::partitions), and has the
    /// state remember whose they are. False where one has another leader than before: what the state has is to
    /// be held against what that one has.
    ///
    /// # Errors
    ///
    /// Where the state cannot be written.
    pub(super) fn renew(&mut self, env: &Env, ends: &Ends) -> Result<bool> {
        let leaders = self.logs.iter().zip(&ends.leaders);
        let mut elected = leaders.filter_map(|(log, told)| told.map(|told| (log, told)));
        if elected.any(|(log, told)| log.leader.is_before(told)) {
            return Ok(false);
        }
        let mut commit = Commit::default();
        for (at, log) in self.logs.iter_mut().enumerate() {
            log.end = ends.ends[at];
            let told = ends.leaders[at];
            log.leader.end = epochs::later(log.leader.end, told);
            let point = log.point();
            if log.waiting.is_empty() && point != log.point {
                log.point = point;
                Mark::new(env, &log.from, log.next, point).put(&mut commit, &log.from);
            }
        }
        if !commit.is_empty() {
            env.state.commit(commit, false)?;
        }
        self.tell();
        Ok(true)
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

/// Where changelogs end.
pub(super) struct Ends {
    ends: Vec<i64>,
    leaders: Vec<Option<LogPoint>>,
}

impl Ends {
    /// Asks for those of these changelogs.
    ///
    /// # Errors
    ///
    /// Where the cluster does not answer.
    pub(super) fn ask(env: &Env, partitions: &[TopicPartition]) -> Result<Self> {
        let leaders = env.cluster.leader_ends(partitions)?;
        let told: Option<Vec<i64>> = leaders.iter().map(|told| Some((*told)?.offset)).collect();
        let ends = match told {
            Some(ends) => ends,
            None => {
                let isolation = Isolation::ReadUncommitted;
                let there = env.cluster.offsets_of(partitions, isolation)?;
                there.iter().map(|there| there.end).collect()
            }
        };
        Ok(Ends { ends, leaders })
    }
}

/// How many bytes of a changelog wait. All of this process may be read at a time.
fn much(env: &Env) -> usize {
    let logs = (env.topics.changelogs.len() * usize::from(env.topics.lanes)).max(1);
    (ALL / logs).clamp(LEAST, MOST)
}

/// By what the ends of changelogs are asked for.
fn ends_by(_env: &Env) -> Isolation {
    #[cfg(test)]
    if _env.planted == Some(super::env::Planted::StableOnly) {
        return Isolation::ReadCommitted;
    }
    Isolation::ReadUncommitted
}
