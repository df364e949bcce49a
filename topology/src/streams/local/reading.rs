//! A source that is no topic, while it is read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::position;
use super::source::LocalSource;
use crate::connector::{Health, Poll, SourceReader};
use crate::error::Result;
use crate::position::Position;
use crate::store::Commit;
use crate::tasks::TaskSet;
use crate::time::Timestamp;

/// A source that is read.
pub(in crate::streams) struct Reading {
    pub(super) of: Arc<LocalSource>,
    reader: Box<dyn SourceReader>,
    /// Where it was read up to when it was opened.
    begun: BTreeMap<u32, Position>,
    /// The partitions that were read so far.
    seen: BTreeSet<u32>,
    /// True until it has said for the first time what there is.
    pub(super) unknown: bool,
    /// True once the end that was seen first was reached.
    pub(super) caught_up: bool,
    /// True once streams need not wait for it.
    pub(super) loaded: bool,
    /// True while its content is known to have been replaced, and is not read yet.
    pub(super) replaced: bool,
    /// True while its positions are not remembered, as what is built of it is built anew.
    pub(super) rebuilds: bool,
    /// What is remembered of how far it was read.
    written: BTreeMap<u32, i64>,
    /// Partitions of a former content of which something is remembered.
    stale: BTreeSet<u32>,
    /// What the commit that is under way remembers.
    in_flight: BTreeMap<u32, i64>,
}

impl Reading {
    pub(super) fn new(
        of: &Arc<LocalSource>,
        reader: Box<dyn SourceReader>,
        begun: BTreeMap<u32, Position>,
    ) -> Self {
        let offsets = begun.iter();
        let written = offsets.map(|(partition, at)| (*partition, at.offset));
        Reading {
            of: of.clone(),
            reader,
            written: written.collect(),
            begun,
            seen: BTreeSet::new(),
            unknown: true,
            caught_up: false,
            loaded: !of.bootstrap,
            replaced: false,
            rebuilds: false,
            stale: BTreeSet::new(),
            in_flight: BTreeMap::new(),
        }
    }

    /// Has tasks go on where it was read up to.
    pub(super) fn resume(&self, set: &mut TaskSet) {
        for (partition, at) in &self.begun {
            set.resume(self.of.node, *partition, at.reached);
        }
    }

    /// Takes up to `limit` records; true where any came.
    ///
    /// # Errors
    ///
    /// Where it cannot be read any more.
    pub(super) fn poll(&mut self, limit: usize, set: &mut TaskSet) -> Result<bool> {
        if self.replaced {
            return Ok(false);
        }
        let polled = self.reader.poll(limit);
        let polled = polled.map_err(|e| e.context(format!("source {}", self.of.name)))?;
        self.unknown = false;
        match polled {
            Poll::Records(batch) => {
                let partition = batch.partition;
                self.seen.insert(partition);
                let behind = self.reader.is_behind(partition);
                let node = self.of.node;
                set.feed(node, node.0, &Arc::new(batch), behind);
                return Ok(true);
            }
            Poll::Waiting => {}
            Poll::Idle | Poll::End => {
                // A file that is not there is not read to its end.
                self.caught_up |= self.of.stats.health() != Health::FileNotFound;
                self.await_nothing(set);
            }
            Poll::Replaced => {
                self.replaced = true;
                self.await_nothing(set);
            }
        }
        Ok(false)
    }

    /// Has nobody wait for what is still to be read.
    fn await_nothing(&self, set: &mut TaskSet) {
        for partition in &self.seen {
            set.tell_behind(self.of.node, *partition, false);
        }
    }

    /// Has a commit remember how far it was read, of which this is known; true where that is news.
    ///
    /// # Errors
    ///
    /// Where the source cannot say it.
    pub(super) fn write(
        &mut self,
        lane: u16,
        positions: &[(u32, i64, Timestamp)],
        commit: &mut Commit,
    ) -> Result<bool> {
        let mut news = false;
        if self.rebuilds {
            return Ok(news);
        }
        for &(partition, offset, reached) in positions {
            if self.written.get(&partition) == Some(&offset) {
                continue;
            }
            let at = Position {
                reached,
                offset,
                token: self.reader.position(partition, offset)?,
            };
            position::put(commit, lane, &self.of.name, partition, &at);
            self.written.insert(partition, offset);
            self.in_flight.insert(partition, offset);
            news = true;
        }
        if self.caught_up {
            for partition in std::mem::take(&mut self.stale) {
                if !self.written.contains_key(&partition) {
                    position::remove(commit, lane, &self.of.name, partition);
                    news = true;
                }
            }
        }
        Ok(news)
    }

    /// What was to be remembered is.
    pub(super) fn committed(&mut self) {
        if !self.in_flight.is_empty() {
            self.reader.committed(&std::mem::take(&mut self.in_flight));
        }
    }

    /// Begins again at the start of the content as it is now. What is remembered of the former one is so
    /// until more is known: who finds it in a source that has another content begins again as well.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub(super) fn restart(&mut self, set: &mut TaskSet) -> Result<()> {
        set.clear_source(self.of.node);
        self.reader.restart()?;
        self.stale
            .extend(std::mem::take(&mut self.written).into_keys());
        self.seen.clear();
        self.in_flight.clear();
        self.unknown = true;
        self.caught_up = false;
        self.replaced = false;
        Ok(())
    }
}
