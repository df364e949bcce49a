//! Taking tasks over: their rows are brought up to what their former owner committed last.

use std::collections::{BTreeMap, BTreeSet};

use super::env::Env;
use super::local::Loaded;
use super::metrics::ReplicaMetrics;
use super::positions::Position;
use super::remembered;
use super::replica::Replica;
use crate::cluster::{CommittedOffset, Isolation, LogReader, OffsetRange, TopicPartition};
use crate::connector::RawBatch;
use crate::error::Result;
use crate::graph::NodeId;

/// Where reading an input goes on.
#[derive(Debug, Clone)]
pub(super) struct InputStart {
    pub(super) node: NodeId,
    pub(super) partition: TopicPartition,
    /// How far the partition was read, by all that is known.
    pub(super) at: CommittedOffset,
    /// Where this input goes on.
    pub(super) from: Position,
    /// True where more is known to be there.
    pub(super) behind: bool,
}

/// What is known of a partition that tasks read.
#[derive(Debug)]
struct Known {
    partition: TopicPartition,
    /// What the group remembers.
    committed: Option<CommittedOffset>,
    there: OffsetRange,
}

/// The tasks of a number while their rows are brought up to date.
#[derive(Debug)]
pub(super) struct Restore {
    pub(super) lane: u16,
    known: Vec<Known>,
    /// What the group remembers of the topic of the positions of sources that are no topics.
    pub(super) positions: Option<CommittedOffset>,
    /// What is known of tables that are loaded first.
    pub(super) loaded: Loaded,
    replica: Replica,
}

impl Restore {
    /// Finds out what must be read: after the former owner's end, whatever that was.
    ///
    /// First come the offsets of the group, which wait for transactions that are being committed; then
    /// the ends of the changelogs. Only what is committed is then read up to there.
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be asked.
    pub(super) fn prepare(env: &Env, lane: u16) -> Result<Self> {
        let (known, positions) = known(env, lane)?;
        let replica = Replica::prepare(env, lane)?;
        let loaded = Loaded::ask(env, lane)?;
        Ok(Restore {
            lane,
            known,
            positions,
            loaded,
            replica,
        })
    }

    /// Has a reader read what the state does not have.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read or written, or a changelog is not there; of kind
    /// [`Unavailable`](crate::ErrorKind::Unavailable) where it is to be found out again what must be read.
    pub(super) fn begin(
        &mut self,
        env: &Env,
        reader: &mut dyn LogReader,
        metrics: ReplicaMetrics,
    ) -> Result<()> {
        self.replica.begin(env, metrics)?;
        self.replica.keep_unfinished();
        self.replica.assign(reader)
    }

    /// Has a reader read no more.
    pub(super) fn end(&self, reader: &mut dyn LogReader) {
        self.replica.unassign(reader);
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
    ) -> Result<bool> {
        self.replica.take(env, from, batch)
    }

    /// True where nothing is missing.
    pub(super) fn is_done(&self) -> bool {
        self.replica.is_complete()
    }

    /// How many offsets are still to be read.
    pub(super) fn lag(&self) -> u64 {
        self.replica.lag()
    }

    /// Where reading goes on of each input, once nothing is missing: where the group says, or where the rows are
    /// as of if it has forgotten; otherwise at the first record that is there.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub(super) fn inputs(&self, env: &Env) -> Result<Vec<InputStart>> {
        let mut of = BTreeMap::new();
        for known in &self.known {
            let at = match &known.committed {
                Some(at) => Some(at.clone()),
                None => remembered::recall(env, &known.partition)?,
            };
            of.insert(&known.partition, (at, known.there));
        }
        let inputs = env.topics.inputs(self.lane).map(|(node, partition)| {
            let (at, there) = &of[&partition];
            let from = (env.topics).position(&env.graph, node, at.as_ref(), there.first);
            InputStart {
                node,
                behind: from.offset < there.end,
                partition,
                at: at.clone().unwrap_or(CommittedOffset {
                    offset: there.first,
                    metadata: String::new(),
                }),
                from,
            }
        });
        Ok(inputs.collect())
    }

    /// How many records were read.
    pub(super) fn restored(&self) -> u64 {
        self.replica.read
    }
}

/// What is known of the partitions that the tasks read. With it goes what the group remembers of the topic of
/// positions, so that transactions are waited for that are about to commit an offset of it.
fn known(env: &Env, lane: u16) -> Result<(Vec<Known>, Option<CommittedOffset>)> {
    // Several steps may read one partition.
    let partitions: BTreeSet<TopicPartition> = env.topics.inputs(lane).map(|(_, at)| at).collect();
    let mut partitions: Vec<TopicPartition> = partitions.into_iter().collect();
    let positions = env.topics.position_place().filter(|_| lane == 0);
    partitions.extend(positions.clone());
    let mut committed = env.cluster.committed(&env.application, &partitions)?;
    let mut at_positions = None;
    if positions.is_some() {
        partitions.pop();
        at_positions = committed.pop().flatten();
    }
    let mut known = Vec::new();
    for (partition, committed) in partitions.into_iter().zip(committed) {
        known.push(Known {
            there: env.cluster.offsets(&partition, Isolation::ReadCommitted)?,
            partition,
            committed,
        });
    }
    Ok((known, at_positions))
}
