//! Reading the files of a source.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use ferrisstreams_topology::connector::{Health, Poll, SourceReader, SourceStart, Stats, Waker};
use ferrisstreams_topology::time::Clock;
use ferrisstreams_topology::{Error, ErrorKind, Result};

use super::options::FileOptions;
use super::partition::{Moment, Partition, Turn};
use super::pattern::Target;
use super::position::Position;
use super::watch::{Subscription, Watch};

/// How many files are kept open though nothing is to be read of them.
const OPEN: usize = 256;

pub(super) struct FileReader {
    target: Target,
    options: Arc<FileOptions>,
    partitions: Vec<Partition>,
    by_path: BTreeMap<PathBuf, usize>,
    /// By the number of the partition.
    by_number: BTreeMap<u32, usize>,
    subscription: Subscription,
    waker: Waker,
    stats: Arc<Stats>,
    health: Option<Health>,
    bounded: bool,
    replaced: bool,
    /// True until the content that is there at the start of everything has been read.
    first: bool,
    /// Which partition is asked next.
    next: usize,
}

impl FileReader {
    pub(super) fn open(
        target: &Target,
        options: &Arc<FileOptions>,
        watch: &Watch,
        start: SourceStart,
    ) -> Result<Self> {
        let subscription = watch.subscribe(target, options.poll_interval, &start.waker);
        let mut reader = FileReader {
            target: target.clone(),
            options: options.clone(),
            partitions: Vec::new(),
            by_path: BTreeMap::new(),
            by_number: BTreeMap::new(),
            subscription,
            waker: start.waker,
            stats: start.stats,
            health: None,
            bounded: start.bounded,
            replaced: false,
            first: false,
            next: 0,
        };
        reader.seek(&start.positions)?;
        Ok(reader)
    }

    fn add(&mut self, number: u32, path: PathBuf) -> usize {
        let at = self.partitions.len();
        self.by_path.insert(path.clone(), at);
        self.by_number.insert(number, at);
        self.partitions.push(Partition::new(number, path));
        at
    }

    /// Gives a number to every file that has none.
    fn list(&mut self) {
        let listing = self.target.list().unwrap_or_default();
        for path in listing.files {
            if !self.by_path.contains_key(&path) {
                let last = self.by_number.keys().next_back();
                let number = last.map_or(0, |last| last + 1);
                self.add(number, path);
            }
        }
    }

    /// Learns what has changed.
    fn notice(&mut self) {
        let changes = self.subscription.take();
        if changes.listing && !self.bounded {
            self.list();
        }
        for (path, change) in changes.files {
            if let Some(at) = self.by_path.get(&path) {
                self.partitions[*at].touch(change);
            }
        }
    }

    fn moment(&self) -> Moment {
        let time = Clock::system().now();
        Moment {
            options: self.options.clone(),
            now: Instant::now(),
            clock: SystemTime::now(),
            time: self
                .options
                .first_time
                .filter(|_| self.first)
                .unwrap_or(time),
            bounded: self.bounded,
            alarm: None,
        }
    }

    /// Looks at the files, so that it is known what is there at the start. Where there are many, each
    /// is looked at when its turn has come, since not all can be open at a time.
    fn look(&mut self) {
        let mut moment = self.moment();
        if self.partitions.len() <= OPEN {
            self.partitions
                .iter_mut()
                .for_each(|partition| partition.notice(&mut moment));
        }
    }

    /// Where a stored position belongs: a single file may have moved with the directory that it is in.
    fn partition_of(&mut self, number: u32, position: &Position) -> usize {
        let path = match &self.target {
            Target::File(path) => path.clone(),
            Target::Files(_) => position.path.clone(),
        };
        match self.by_path.get(&path) {
            Some(at) => *at,
            None => self.add(number, path),
        }
    }

    /// Asks the partitions in turn until one gives records.
    fn ask(&mut self, limit: usize) -> (Option<Poll>, bool) {
        let mut moment = self.moment();
        let (mut found, mut busy) = (None, false);
        let count = self.partitions.len();
        for step in 0..count {
            let at = (self.next + step) % count;
            match self.partitions[at].turn(limit, &mut moment) {
                Turn::Nothing => continue,
                Turn::Busy => {
                    busy = true;
                    continue;
                }
                Turn::Records(batch) => {
                    self.stats
                        .count(batch.len(), batch.bytes.len(), Clock::system().now());
                    self.next = (at + 1) % count;
                    found = Some(Poll::Records(batch));
                }
                Turn::Replaced => {
                    self.replaced = true;
                    found = Some(Poll::Replaced);
                }
            }
            break;
        }
        if let Some(at) = moment.alarm {
            self.subscription.wake_at(at);
        }
        (found, busy)
    }

    /// Tells how it is and how far it has come.
    fn tell(&mut self) {
        let (mut position, mut total) = (0, 0);
        for partition in &mut self.partitions {
            let (read, size) = partition.progress();
            position += read;
            total += size;
            let lost = std::mem::take(&mut partition.lost);
            if lost > 0 {
                self.stats.count_lost(lost);
                tracing::warn!(
                    "{}",
                    partition.damage.as_deref().unwrap_or("bytes are lost")
                );
            }
        }
        self.stats.set_progress(position, total);
        let health = self.health();
        if self.health.as_ref() != Some(&health) {
            self.stats.set_health(health.clone());
            self.health = Some(health);
        }
    }

    fn health(&self) -> Health {
        let mut troubles = self
            .partitions
            .iter()
            .filter_map(|one| one.trouble.as_ref());
        if let Some(trouble) = troubles.next() {
            return Health::Disconnected(trouble.clone());
        }
        if self.partitions.iter().all(Partition::is_absent) {
            return Health::FileNotFound;
        }
        for partition in &self.partitions {
            if let Some(header) = partition.other_header() {
                let path = partition.path().display();
                return Health::Degraded(format!("the records of {path} cannot be read: {header}"));
            }
            if let Some(damage) = &partition.damage {
                return Health::Degraded(damage.clone());
            }
        }
        Health::Healthy
    }

    /// Closes files that are only kept open, where there are many.
    fn close_idle(&mut self) {
        if self.partitions.len() <= OPEN {
            return;
        }
        let open = self
            .partitions
            .iter()
            .filter(|one| one.has_open_file())
            .count();
        if open > OPEN {
            self.partitions.iter_mut().for_each(Partition::close_idle);
        }
    }

    fn at(&self, number: u32) -> Option<&Partition> {
        self.by_number.get(&number).map(|at| &self.partitions[*at])
    }
}

impl SourceReader for FileReader {
    fn poll(&mut self, limit: usize) -> Result<Poll> {
        if self.replaced {
            return Ok(Poll::Replaced);
        }
        self.notice();
        let (found, busy) = self.ask(limit);
        self.tell();
        self.close_idle();
        if let Some(found) = found {
            return Ok(found);
        }
        if busy {
            self.waker.wake();
            return Ok(Poll::Waiting);
        }
        let waiting = self.partitions.iter().any(Partition::is_waiting);
        if self.bounded {
            let trouble = self.partitions.iter().find_map(|one| one.trouble.as_ref());
            if let Some(trouble) = trouble {
                return Err(Error::new(ErrorKind::Unavailable, trouble.clone()));
            }
            return Ok(if waiting { Poll::Waiting } else { Poll::End });
        }
        if self
            .partitions
            .iter()
            .all(|one| one.reached || !one.is_waiting())
        {
            self.first = false;
            return Ok(Poll::Idle);
        }
        Ok(Poll::Waiting)
    }

    fn is_behind(&self, partition: u32) -> bool {
        self.at(partition).is_some_and(Partition::is_behind)
    }

    fn position(&mut self, partition: u32, offset: i64) -> Result<Vec<u8>> {
        let position = self.at(partition).and_then(|one| one.position(offset));
        let position = position.ok_or_else(|| {
            let target = &self.target;
            let message =
                format!("offset {offset} of partition {partition} of {target} was never read");
            Error::new(ErrorKind::Invalid, message)
        })?;
        Ok(position.to_bytes())
    }

    fn seek(&mut self, positions: &BTreeMap<u32, Vec<u8>>) -> Result<()> {
        let mut stored = BTreeMap::new();
        for (number, bytes) in positions {
            let position = Position::from_bytes(bytes).ok_or_else(|| {
                let target = &self.target;
                let message =
                    format!("where reading {target} stands was stored in a form that is not known");
                Error::new(ErrorKind::State, message)
            })?;
            let at = self.partition_of(*number, &position);
            stored.insert(at, position);
        }
        self.list();
        for (at, partition) in self.partitions.iter_mut().enumerate() {
            partition.seek(stored.get(&at), &self.options);
        }
        self.replaced = false;
        self.first = positions.is_empty();
        self.look();
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.list();
        self.partitions.iter_mut().for_each(Partition::restart);
        self.replaced = false;
        self.first = false;
        self.look();
        Ok(())
    }

    fn committed(&mut self, offsets: &BTreeMap<u32, i64>) {
        for (number, offset) in offsets {
            if let Some(at) = self.by_number.get(number) {
                self.partitions[*at].committed(*offset);
            }
        }
    }
}
