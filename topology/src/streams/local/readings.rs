//! The sources that are no topics of the tasks of a number, while these run.

use std::collections::BTreeSet;

use super::gate::{self, Gate};
use super::reading::Reading;
use super::rebuild::{Built, Rebuilds};
use crate::cluster::{CommittedOffset, TopicPartition};
use crate::error::Result;
use crate::graph::NodeId;
use crate::store::{Commit, FamilyWrites};
use crate::streams::env::Env;
#[cfg(test)]
use crate::streams::env::Planted;
use crate::tasks::TaskSet;
use crate::time::Timestamp;

/// The sources that are read.
pub(in crate::streams) struct Readings {
    lane: u16,
    all: Vec<Reading>,
    /// The offset of the topic of positions that is committed with these: by it brokers refuse who has lost
    /// the tasks.
    place: Option<TopicPartition>,
    offset: CommittedOffset,
    /// True where positions are to be committed.
    moved: bool,
    rebuilds: Rebuilds,
    /// What the state forgets with the next commit.
    forgets: Commit,
    #[cfg(test)]
    unfenced: bool,
}

impl Readings {
    /// Those that were opened; `at` is what the group remembers of the topic of their positions.
    pub(in crate::streams) fn new(
        env: &Env,
        lane: u16,
        all: Vec<Reading>,
        at: Option<CommittedOffset>,
    ) -> Self {
        let place = env.topics.position_place().filter(|_| !all.is_empty());
        Readings {
            lane,
            all,
            place,
            offset: at.unwrap_or(CommittedOffset {
                offset: 0,
                metadata: String::new(),
            }),
            moved: false,
            rebuilds: Rebuilds::default(),
            forgets: Commit::default(),
            #[cfg(test)]
            unfenced: env.planted == Some(Planted::Unfenced),
        }
    }

    pub(in crate::streams) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The nodes of the sources.
    pub(in crate::streams) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.all.iter().map(|reading| reading.of.node)
    }

    /// Has tasks go on where the sources were read up to.
    pub(in crate::streams) fn resume(&self, set: &mut TaskSet) {
        self.all.iter().for_each(|reading| reading.resume(set));
    }

    /// True where some source that may be read has not said yet what there is: nobody knows then which record
    /// comes first.
    pub(in crate::streams) fn are_unknown(&self, env: &Env, gate: &Gate) -> bool {
        let mut all = self.all.iter();
        all.any(|reading| reading.unknown && self.may_read(env, gate, reading))
    }

    fn may_read(&self, env: &Env, gate: &Gate, reading: &Reading) -> bool {
        let node = reading.of.node;
        !gate.holds(&env.topics.locals, node) && !self.rebuilds.holds(env, node)
    }

    /// Takes up to `limit` records of each source that may be read; true where any came.
    ///
    /// # Errors
    ///
    /// Where one cannot be read any more.
    pub(in crate::streams) fn poll(
        &mut self,
        env: &Env,
        gate: &Gate,
        limit: usize,
        set: &mut TaskSet,
    ) -> Result<bool> {
        let mut any = false;
        for at in 0..self.all.len() {
            if self.may_read(env, gate, &self.all[at]) {
                any |= self.all[at].poll(limit, set)?;
            }
        }
        Ok(any)
    }

    /// Has a commit remember how far sources were read, as the tasks say; the rows of it that are built and
    /// not read yet.
    ///
    /// # Errors
    ///
    /// Where a source cannot say where it goes on.
    pub(in crate::streams) fn freeze(
        &mut self,
        positions: &[(NodeId, u32, i64, Timestamp)],
        commit: &mut Commit,
    ) -> Result<Commit> {
        let mut beside = self.rebuilds.take(commit);
        beside.merge(std::mem::take(&mut self.forgets));
        for reading in &mut self.all {
            let own = positions.iter();
            let own = own.filter(|(node, ..)| *node == reading.of.node);
            let own: Vec<_> = own
                .map(|(_, partition, offset, reached)| (*partition, *offset, *reached))
                .collect();
            self.moved |= reading.write(self.lane, &own, commit)?;
        }
        Ok(beside)
    }

    /// The offset that goes with the positions, where any have moved or tables are known to be loaded, or
    /// with `all`.
    pub(in crate::streams) fn offset(
        &self,
        all: bool,
    ) -> Option<(TopicPartition, CommittedOffset)> {
        let place = self.place.clone()?;
        let loaded = self.all.iter();
        let loaded = loaded.filter(|reading| reading.of.bootstrap && reading.loaded);
        let known = gate::loaded(&self.offset, self.tables());
        let names = loaded.map(|reading| &*reading.of.name);
        let metadata = gate::words(names.chain(known.iter().map(|name| &**name)));
        if !all && !self.moved && metadata == self.offset.metadata {
            return None;
        }
        #[cfg(test)]
        if self.unfenced && metadata == self.offset.metadata {
            return None;
        }
        let offset = self.offset.offset + 1;
        Some((place, CommittedOffset { offset, metadata }))
    }

    fn tables(&self) -> impl Iterator<Item = &str> {
        let tables = self.all.iter().filter(|reading| reading.of.bootstrap);
        tables.map(|reading| &*reading.of.name)
    }

    /// What was frozen is committed, and these offsets.
    pub(in crate::streams) fn committed(
        &mut self,
        offsets: &[(TopicPartition, CommittedOffset)],
        set: &TaskSet,
    ) {
        let Some(place) = &self.place else {
            return;
        };
        if let Some((_, at)) = offsets.iter().find(|(of, _)| of == place) {
            self.offset = at.clone();
        }
        self.moved = false;
        for reading in &mut self.all {
            reading.committed();
            reading.loaded |= reading.caught_up && !set.waits_for(reading.of.node);
        }
    }

    /// True where the tables of a part of the graph are loaded to their present ends, and it was committed
    /// that they are.
    pub(in crate::streams) fn are_loaded(&self, part: usize) -> bool {
        let known: BTreeSet<String> = gate::loaded(&self.offset, self.tables());
        let mut own = self.all.iter();
        own.all(|reading| {
            let name: &str = &reading.of.name;
            reading.of.component != part
                || !reading.of.bootstrap
                || (reading.loaded && known.contains(name))
        })
    }

    /// Reads sources anew whose content was replaced, everything that was processed being committed. Where
    /// rows were built that take the place of others, how they differ, to be committed at once.
    ///
    /// # Errors
    ///
    /// Where what was made of the former content cannot be made anew.
    pub(in crate::streams) fn advance(
        &mut self,
        env: &Env,
        set: &mut TaskSet,
    ) -> Result<Option<Vec<FamilyWrites>>> {
        let advanced = self.rebuilds.advance(env, self.lane, set, &mut self.all)?;
        Ok(advanced.map(|built| {
            let Built {
                differences,
                forgets,
            } = built;
            self.forgets.merge(forgets);
            differences
        }))
    }
}
