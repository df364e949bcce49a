//! Reading sources for a worker.
//!
//! Sources of the graph that read the same thing from the same place share a reader: what it reads
//! goes to each of them. One that starts later catches up on a reader of its own, and joins when it
//! stands where the others stand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::connector::{Poll, Source, SourceReader, SourceStart, Stats, Waker};
use crate::error::Result;
use crate::graph::{Graph, NodeId};
use crate::position::{self, Position};
use crate::store::{Commit, State};
use crate::tasks::TaskSet;
use crate::time::Timestamp;

/// What a source of the graph reads from, and where it stands.
#[derive(Clone)]
pub(super) struct Bound {
    pub(super) node: NodeId,
    pub(super) source: Arc<dyn Source>,
    pub(super) stats: Arc<Stats>,
}

/// Sources of the graph that share a reader.
#[derive(Clone)]
pub(super) struct ReadingPlan {
    pub(super) members: Vec<Bound>,
    /// Orders the partitions of this reader among all of the process.
    pub(super) rank: u32,
    /// True where streams that meet these sources wait until they are loaded.
    pub(super) bootstrap: bool,
    /// The connected parts of the graph that the sources are in; a single one of those to be loaded.
    pub(super) components: BTreeSet<usize>,
    positions: BTreeMap<u32, Position>,
}

/// Which sources share readers, by what the state says of where they stand.
pub(super) fn plan(
    graph: &Graph,
    state: &State,
    bound: &[Bound],
    components: &[usize],
) -> Result<Vec<ReadingPlan>> {
    let mut plans: Vec<(String, ReadingPlan)> = Vec::new();
    for member in bound {
        let positions = position::read(state, graph, member.node)?;
        let identity = member.source.describe().identity;
        let (bootstrap, component) = (
            is_bootstrap(graph, member.node),
            components[member.node.index()],
        );
        let same = plans.iter_mut().find(|(other, plan)| {
            *other == identity
                && plan.positions == positions
                && plan.bootstrap == bootstrap
                && (plan.components.contains(&component) || !bootstrap)
        });
        match same {
            Some((_, plan)) => {
                plan.members.push(member.clone());
                plan.components.insert(component);
            }
            None => plans.push((
                identity,
                ReadingPlan {
                    members: vec![member.clone()],
                    rank: 0,
                    bootstrap,
                    components: BTreeSet::from([component]),
                    positions,
                },
            )),
        }
    }
    let plans = plans.into_iter().map(|(_, plan)| plan).enumerate();
    Ok(plans
        .map(|(at, plan)| ReadingPlan {
            rank: (at as u32) << 16,
            ..plan
        })
        .collect())
}

impl ReadingPlan {
    /// The worker that reads: the same for everything that could share a reader.
    pub(super) fn place(&self, workers: usize) -> usize {
        let identity = self.members[0].source.describe().identity;
        let sum = identity.bytes().fold(0usize, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        sum % workers
    }
}

fn is_bootstrap(graph: &Graph, node: NodeId) -> bool {
    let mut sources = graph.sources();
    sources.any(|(id, source)| id == node && source.bootstrap)
}

/// A reader at work.
pub(super) struct Reading {
    pub(super) plan: ReadingPlan,
    reader: Box<dyn SourceReader>,
    /// The partitions that were read so far.
    seen: BTreeSet<u32>,
    pub(super) ended: bool,
    /// True where it is still to be learned what there is to be read at all.
    pub(super) unknown: bool,
    /// True once the end that was seen at the start was reached.
    pub(super) caught_up: bool,
    /// True while the content is known to have been replaced and is not read yet.
    pub(super) replaced: bool,
    /// True once streams need not wait for these sources.
    pub(super) loaded: bool,
    /// What the last commit says of where each source stands.
    written: BTreeMap<(NodeId, u32), i64>,
    /// What the commit that is being written says.
    in_flight: BTreeMap<u32, i64>,
}

/// What polling a reader did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polled {
    /// Records came.
    Something,
    /// Nothing came.
    Nothing,
    /// Nothing came, and something is to be done about it at the next commit.
    Changed,
}

impl Reading {
    pub(super) fn open(
        plan: ReadingPlan,
        set: &mut TaskSet,
        bounded: bool,
        waker: &Waker,
    ) -> Result<Self> {
        let first = &plan.members[0];
        let tokens = tokens(&plan.positions);
        let reader = first.source.open(SourceStart {
            positions: tokens,
            bounded,
            waker: waker.clone(),
            stats: first.stats.clone(),
        })?;
        let loaded = !plan.bootstrap;
        let mut reading = Reading {
            reader,
            seen: BTreeSet::new(),
            ended: false,
            unknown: false,
            caught_up: false,
            replaced: false,
            loaded,
            written: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            plan,
        };
        reading.resume(set);
        Ok(reading)
    }

    fn resume(&mut self, set: &mut TaskSet) {
        let is_away = self.reader.is_away();
        for member in &self.plan.members {
            for (partition, position) in &self.plan.positions {
                set.resume(member.node, *partition, position.reached);
                if is_away {
                    set.tell_behind(member.node, *partition, true);
                }
                self.written
                    .insert((member.node, *partition), position.offset);
            }
        }
    }

    /// Polls for up to `limit` records and queues them.
    pub(super) fn poll(&mut self, limit: usize, set: &mut TaskSet) -> Result<Polled> {
        if self.ended || self.replaced {
            return Ok(Polled::Nothing);
        }
        match self.reader.poll(limit)? {
            Poll::Records(batch) => {
                let partition = batch.partition;
                self.seen.insert(partition);
                let behind = self.reader.is_behind(partition);
                let batch = Arc::new(batch);
                for member in &self.plan.members {
                    let rank = self.plan.rank | (partition & 0xffff);
                    set.feed(member.node, rank, &batch, behind);
                }
                Ok(Polled::Something)
            }
            Poll::Waiting => Ok(Polled::Nothing),
            Poll::Idle => Ok(self.reached_end(set)),
            Poll::End => {
                self.ended = true;
                self.reached_end(set);
                Ok(Polled::Changed)
            }
            Poll::Replaced => {
                self.replaced = true;
                Ok(Polled::Changed)
            }
        }
    }

    fn reached_end(&mut self, set: &mut TaskSet) -> Polled {
        for member in &self.plan.members {
            for partition in &self.seen {
                set.tell_behind(member.node, *partition, false);
            }
        }
        let first = !std::mem::replace(&mut self.caught_up, true);
        if first {
            Polled::Changed
        } else {
            Polled::Nothing
        }
    }

    /// Begins again at the start of the content as it is now. What the state says of where the
    /// sources stand is removed by `commit`.
    pub(super) fn restart(
        &mut self,
        graph: &Graph,
        state: &State,
        commit: &mut Commit,
    ) -> Result<()> {
        self.reader.restart()?;
        self.replaced = false;
        self.ended = false;
        self.caught_up = false;
        self.seen.clear();
        self.written.clear();
        for member in &self.plan.members {
            for partition in position::read(state, graph, member.node)?.into_keys() {
                commit.remove_meta(&position::key(graph, member.node, partition));
            }
        }
        Ok(())
    }

    /// Has a commit say where these sources stand, if that has changed.
    pub(super) fn write_positions(
        &mut self,
        graph: &Graph,
        positions: &[(NodeId, u32, i64, Timestamp)],
        commit: &mut Commit,
    ) -> Result<()> {
        for &(node, partition, offset, reached) in positions {
            let mine = self.plan.members.iter().any(|member| member.node == node);
            if !mine || self.written.get(&(node, partition)) == Some(&offset) {
                continue;
            }
            let position = Position {
                reached,
                offset,
                token: self.reader.position(partition, offset)?,
            };
            commit.put_meta(&position::key(graph, node, partition), &position.to_bytes());
            self.written.insert((node, partition), offset);
            self.in_flight
                .entry(partition)
                .and_modify(|least| *least = offset.min(*least))
                .or_insert(offset);
        }
        Ok(())
    }

    /// The commit is written.
    pub(super) fn committed(&mut self) {
        if !self.in_flight.is_empty() {
            let offsets = std::mem::take(&mut self.in_flight);
            self.reader.committed(&offsets);
        }
    }

    /// Back to where the state says that these sources stand.
    pub(super) fn seek(&mut self, graph: &Graph, state: &State, set: &mut TaskSet) -> Result<()> {
        let node = self.plan.members[0].node;
        self.plan.positions = position::read(state, graph, node)?;
        self.written.clear();
        self.in_flight.clear();
        self.ended = false;
        self.replaced = false;
        self.caught_up = false;
        self.reader.seek(&tokens(&self.plan.positions))?;
        self.resume(set);
        Ok(())
    }

    /// True where both stand at the same place of the same thing, so that one reader will do.
    pub(super) fn is_same(&self, other: &Reading) -> bool {
        let identity = |reading: &Reading| reading.plan.members[0].source.describe().identity;
        let places = |reading: &Reading| -> BTreeMap<u32, i64> {
            let node = reading.plan.members[0].node;
            let mine = reading.written.iter().filter(|((id, _), _)| *id == node);
            mine.map(|((_, partition), offset)| (*partition, *offset))
                .collect()
        };
        let quiet = |reading: &Reading| {
            reading.caught_up && reading.loaded && !reading.replaced && !reading.ended
        };
        quiet(self)
            && quiet(other)
            && identity(self) == identity(other)
            && places(self) == places(other)
    }

    /// Takes over the sources of another reader that stands at the same place.
    pub(super) fn join(&mut self, other: Reading) {
        self.written.extend(other.written);
        self.plan.members.extend(other.plan.members);
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.plan.members.iter().map(|member| member.node)
    }

    /// Gives up sources that are no longer fed; true where none is left.
    pub(super) fn drop_nodes(&mut self, gone: &BTreeSet<NodeId>) -> bool {
        self.plan
            .members
            .retain(|member| !gone.contains(&member.node));
        self.plan.members.is_empty()
    }
}

fn tokens(positions: &BTreeMap<u32, Position>) -> BTreeMap<u32, Vec<u8>> {
    positions
        .iter()
        .map(|(partition, position)| (*partition, position.token.clone()))
        .collect()
}
