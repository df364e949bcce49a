//! Which leaders of changelogs had what the local rows are of, and whether later ones still do.
//!
//! An offset says how far rows go, and not whose records they are. Where an election chooses a leader that
//! lacks the last records, others come to stand at their offsets, and the rows here are foreign to the log
//! though it may be longer than before. So each mark has a *point*, an offset and the epoch of a leader that
//! had all before it. A later leader knows where the logs of earlier ones ended that it took over: where that
//! is before the point, the rows are read again.
//!
//! - Rows that are **read** have the point of the answer that told where the log ends: what is read of it
//!   afterwards is what that leader had, or the point is cut off and that is found.
//! - For rows that are **written** nobody tells whose log they went to. Workers ask for the ends of their
//!   changelogs beside the commits, once a second at most and after commits alone, and note a point then for
//!   what they have written. So it stands behind by what was written since: where records are lost within that
//!   second, with none before them, this is noticed only if the next commit ends before them. A worker that
//!   ends asks once more.
//! - A point of a later leader takes the place of one of an earlier leader only where that one still holds.
//!   Otherwise what runs is taken over anew, which finds the cut and reads the rows again.
//! - Where the leader is still the one of the point, nothing is to be asked: it has what it had. So only
//!   elections cost anything when tasks are taken over.
//!
//! An election of a leader that has everything, as all are unless a topic has `unclean.leader.election.enable`
//! or brokers lose their disks, ends the former leader's log at or behind all that was acknowledged, so that
//! no point is cut off.

use std::time::Duration;

use super::changelog;
use super::env::Env;
use super::mark::Mark;
use crate::cluster::{Cut, LogPoint, TopicPartition};
use crate::error::{Error, ErrorKind, Result};
use crate::store::Commit;
use crate::time::Timestamp;

/// How often a worker asks, at most.
const EVERY: Duration = Duration::from_secs(1);

/// What is known of the leader of a changelog.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Leader {
    /// Where the log ends, and by which leader, where that is told.
    pub(super) end: Option<LogPoint>,
    /// The point that the state had when it was asked.
    had: Option<LogPoint>,
    /// What became of that.
    cut: Option<Cut>,
}

/// Asks for the leaders of changelogs, and for what became of the points that the state has, in their order.
///
/// # Errors
///
/// Where the cluster does not answer, or the state cannot be read.
pub(super) fn ask(env: &Env, partitions: &[TopicPartition]) -> Result<Vec<Leader>> {
    let ends = env.cluster.leader_ends(partitions)?;
    let mut leaders = Vec::with_capacity(partitions.len());
    let mut doubtful = Vec::new();
    let mut at_doubtful = Vec::new();
    for (partition, end) in partitions.iter().zip(ends) {
        let mark = Mark::read(&env.state, partition)?;
        let had = mark.and_then(|mark| mark.point);
        if let (Some(end), Some(had)) = (end, had)
            && end.epoch != had.epoch
            && mark.is_some_and(|mark| !mark.is_of_another(env, partition))
        {
            at_doubtful.push(leaders.len());
            doubtful.push((partition.clone(), had));
        }
        leaders.push(Leader {
            end,
            had,
            cut: None,
        });
    }
    if doubtful.is_empty() || is_trusting(env) {
        return Ok(leaders);
    }
    let cuts = env.cluster.cuts(&doubtful)?;
    let held = doubtful.len();
    tracing::debug!(
        held,
        "rows of changelogs are held against what other leaders have"
    );
    for (at, cut) in at_doubtful.into_iter().zip(cuts) {
        leaders[at].cut = cut;
    }
    Ok(leaders)
}

/// True where nobody asks what became of points, as a mistake.
fn is_trusting(_env: &Env) -> bool {
    #[cfg(test)]
    if _env.planted == Some(super::env::Planted::AnyLeader) {
        return true;
    }
    false
}

impl Leader {
    /// What became of the point of a mark, which may have another by now than when it was asked.
    ///
    /// # Errors
    ///
    /// Where it has another, and that is of another leader: it is to be asked again.
    pub(super) fn cut(&self, mark: &Mark, from: &TopicPartition) -> Result<Option<Cut>> {
        if mark.point == self.had {
            return Ok(self.cut);
        }
        match (mark.point, self.end) {
            (Some(point), Some(end)) if point.epoch != end.epoch => Err(Error::new(
                ErrorKind::Unavailable,
                format!("what the rows of {from} go back to has changed since it was asked for"),
            )),
            _ => Ok(None),
        }
    }

    /// The point of rows up to an offset that were read since, or that were written before.
    pub(super) fn point(&self, offset: i64) -> Option<LogPoint> {
        self.end.map(|end| LogPoint {
            offset: offset.min(end.offset),
            epoch: end.epoch,
        })
    }

    /// True where another leader tells this, which was elected later.
    pub(super) fn is_before(&self, told: LogPoint) -> bool {
        self.end.is_some_and(|end| end.epoch < told.epoch)
    }
}

/// The later one of two points.
pub(super) fn later(known: Option<LogPoint>, told: Option<LogPoint>) -> Option<LogPoint> {
    let rank = |point: &LogPoint| (point.epoch, point.offset);
    known.into_iter().chain(told).max_by_key(rank)
}

/// The leaders of a worker's changelogs, as they were asked for beside it.
pub(super) struct Leaders(Vec<(TopicPartition, Leader)>);

impl Leaders {
    /// Asks for those of the changelogs that the state has rows of, of tasks of these numbers.
    ///
    /// # Errors
    ///
    /// As those of [`ask`].
    pub(super) fn ask(env: &Env, lanes: &[u16]) -> Result<Self> {
        let mut partitions = Vec::new();
        for lane in lanes {
            for (_, partition) in changelog::of_lane(&env.topics, *lane) {
                if Mark::read(&env.state, &partition)?.is_some() {
                    partitions.push(partition);
                }
            }
        }
        if partitions.is_empty() {
            return Ok(Leaders(Vec::new()));
        }
        let leaders = ask(env, &partitions)?;
        Ok(Leaders(partitions.into_iter().zip(leaders).collect()))
    }

    /// Notes the points of what tasks of these numbers have written; they must be those of who notes it. What was
    /// cut off is told, in words.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read or written.
    pub(super) fn note(
        &self,
        env: &Env,
        is_own: impl Fn(&TopicPartition) -> bool,
    ) -> Result<Option<String>> {
        let mut commit = Commit::default();
        let mut lost = None;
        for (partition, leader) in self.0.iter().filter(|(partition, _)| is_own(partition)) {
            let mark = Mark::read(&env.state, partition)?;
            let Some(mark) = mark.filter(|mark| mark.point == leader.had) else {
                continue;
            };
            if let Some(cut) = leader.cut {
                lost.get_or_insert_with(|| format!("{partition}: {cut}"));
                continue;
            }
            let point = later(mark.point, leader.point(mark.offset));
            if point != mark.point {
                mark.at(point).put(&mut commit, partition);
            }
        }
        if !commit.is_empty() {
            env.state.commit(commit, false)?;
        }
        Ok(lost)
    }
}

/// When a worker asks for the leaders of its changelogs.
pub(super) struct Asking {
    /// True since something was committed that no point is known of.
    wanted: bool,
    /// True while somebody asks.
    pending: bool,
    /// When it was asked last.
    last: Option<Timestamp>,
}

impl Asking {
    pub(super) fn new() -> Self {
        Asking {
            wanted: false,
            pending: false,
            last: None,
        }
    }

    /// Something was committed, or tasks run from now on.
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    /// True where it is to be asked now, which is noted.
    pub(super) fn begins(&mut self, env: &Env) -> bool {
        let rests = self.last.is_some_and(|last| !env.has_passed(EVERY, last));
        if !self.wanted || self.pending || rests {
            return false;
        }
        self.wanted = false;
        self.pending = true;
        self.last = Some(env.clock.now());
        true
    }

    /// It was answered.
    pub(super) fn ends(&mut self) {
        self.pending = false;
    }

    /// True where points may stand behind what was written.
    pub(super) fn is_behind(&self) -> bool {
        self.wanted || self.pending
    }
}
