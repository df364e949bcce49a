//! A topic that is being read by the engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferrisstreams_topology::connector::{
    Health, Poll, RawBatch, SourceReader, SourceStart, Stats, Waker,
};
use ferrisstreams_topology::time::Clock;
use ferrisstreams_topology::{Error, ErrorKind, Result};

use super::failure::engine_error;
use super::native::{Consumer, Fetch, Messages};
use super::partition::{Found, Notice, Partition};
use super::position::Position;
use super::reading::{Reading, Untimed};
use super::start::Start;
use super::topic::TopicId;
use super::watch::{News, Watch};
use super::writing::make_topic;

/// How many records of other partitions are handed over at most while an earlier one is waited for.
/// What is handed over waits in the engine, which stops reading when too much does.
const AHEAD: usize = 32_768;

/// Reads all partitions of a topic.
pub(super) struct Reader {
    reading: Arc<Reading>,
    id: Option<TopicId>,
    /// Dropped before the consumer that they belong to.
    partitions: Vec<Partition>,
    messages: Messages,
    watch: Watch,
    consumer: Arc<Consumer>,
    bounded: bool,
    waker: Waker,
    stats: Arc<Stats>,
    clock: Clock,
    /// How many records were handed over since the earliest partition had nothing.
    ahead: usize,
    /// Offsets that were passed, and how many there were to pass at the start.
    passed: u64,
    total: u64,
}

impl Reader {
    /// Begins to read; waits for the brokers to answer, as long as the cluster's patience says.
    pub(super) fn open(reading: Arc<Reading>, start: SourceStart) -> Result<Self> {
        let cluster = &reading.cluster;
        let consumer = cluster.consumer().map_err(engine_error)?;
        if let Some(shape) = reading.create {
            make_topic(cluster, &consumer, &reading.topic, shape).map_err(engine_error)?;
        }
        let topic = cluster
            .topic(&consumer, &reading.topic)
            .map_err(engine_error)?;
        let id = cluster.topic_id(&consumer, &reading.topic, &topic);
        let starts = reading.starts(&consumer, topic.partitions, id, &start.positions)?;
        let known = (topic.partitions, id);
        let (waker, stats) = (start.waker, start.stats);
        let watch = Watch::begin(&consumer, &reading, known, waker.clone(), stats.clone())?;
        let mut reader = Reader {
            id,
            partitions: Vec::new(),
            messages: Messages::default(),
            watch,
            consumer,
            bounded: start.bounded,
            waker,
            stats,
            clock: Clock::system(),
            ahead: 0,
            passed: 0,
            total: 0,
            reading,
        };
        for start in &starts {
            reader.add(start)?;
        }
        Ok(reader)
    }

    /// Begins to read a partition.
    fn add(&mut self, start: &Start) -> Result<()> {
        let (topic, number) = (&self.reading.topic, start.partition);
        let waker = self.waker.clone();
        let fetch = Fetch::start(&self.consumer, topic, number, start.offset, waker);
        let fetch = fetch.map_err(|e| self.failed(number, &e.message))?;
        if start.lost > 0 {
            self.count_lost(number, start.lost);
        }
        self.total += start.end.saturating_sub(start.offset).unsigned_abs();
        self.partitions
            .push(Partition::new(fetch, start, self.bounded));
        Ok(())
    }

    fn failed(&self, partition: i32, why: &str) -> Error {
        let location = self.reading.location();
        let message = format!("cannot read partition {partition} of {location}: {why}");
        Error::new(ErrorKind::Failed, message)
    }

    fn count_lost(&self, partition: i32, lost: i64) {
        let location = self.reading.location();
        let message = format!(
            "{lost} offsets of partition {partition} of {location} were deleted before they were read"
        );
        tracing::warn!("{message}");
        self.stats.count_bad(lost.unsigned_abs());
        self.stats.set_health(Health::Degraded(message));
    }

    /// Acts on what the watch has found out.
    fn follow_news(&mut self) -> Result<()> {
        for news in self.watch.news() {
            match news {
                News::Failed(e) => return Err(e),
                News::Partitions(_) if self.bounded => {}
                News::Partitions(count) => {
                    let from = self.partitions.len() as i32;
                    for partition in from..count {
                        tracing::info!(
                            partition,
                            "{} has a new partition",
                            self.reading.location()
                        );
                        // Whoever writes to it began after the topic was opened.
                        self.add(&Start {
                            partition,
                            offset: 0,
                            end: 0,
                            lost: 0,
                        })?;
                    }
                }
                News::Range {
                    partition,
                    first,
                    end,
                } => self.go_on(partition, first, end)?,
            }
        }
        Ok(())
    }

    /// Goes on with a partition that had nothing where it was read.
    fn go_on(&mut self, number: i32, first: i64, end: i64) -> Result<()> {
        let Some(partition) = self.partitions.get_mut(number.unsigned_abs() as usize) else {
            return Ok(());
        };
        let start = self.reading.resume(number, partition.next, first, end)?;
        let sought = partition.fetch.seek(start.offset);
        if start.offset != partition.next {
            partition.go_to(start.offset);
        }
        sought.map_err(|e| self.failed(number, &e.message))?;
        if start.lost > 0 {
            self.count_lost(number, start.lost);
        }
        Ok(())
    }

    /// The partition to be read next: of those that may have something, that which lies furthest back
    /// in time. None where there is nothing, or an earlier one must be waited for.
    fn choose(&self) -> Option<usize> {
        let ready = |partition: &&Partition| partition.fetch.is_ready() && !partition.is_done();
        let (at, chosen) = self
            .partitions
            .iter()
            .enumerate()
            .filter(|(_, partition)| ready(partition))
            .min_by_key(|(_, partition)| partition.reached)?;
        let waited_for = |partition: &Partition| {
            partition.behind && partition.reached < chosen.reached && !partition.fetch.is_ready()
        };
        if self.ahead >= AHEAD && self.partitions.iter().any(waited_for) {
            return None;
        }
        Some(at)
    }

    /// Takes what a partition has; none where it came to nothing.
    fn take(&mut self, at: usize, limit: usize) -> Result<Option<RawBatch>> {
        let partition = &mut self.partitions[at];
        let (number, before) = (partition.number, partition.next);
        let found = partition.take(limit, &mut self.messages, self.reading.untimed);
        let moved = partition.next.saturating_sub(before).unsigned_abs();
        let Found {
            batch,
            notice,
            untimed,
        } = found;
        match notice {
            None => {}
            Some(Notice::OutOfRange) => self.watch.ask(number),
            Some(Notice::Doubt(why)) => self.watch.doubt(why),
            Some(Notice::Failed(why)) => return Err(self.failed(number, &why)),
        }
        if untimed > 0 {
            self.report_untimed(number, untimed)?;
        }
        self.note_ahead(at, batch.as_ref().map_or(0, RawBatch::len));
        if let Some(batch) = &batch {
            self.passed += moved;
            self.stats
                .count(batch.len(), batch.bytes.len(), self.clock.now());
            self.stats
                .set_progress(self.passed, self.total.max(self.passed));
        }
        Ok(batch)
    }

    fn report_untimed(&self, partition: i32, count: u64) -> Result<()> {
        let location = self.reading.location();
        let message = format!(
            "{count} records of partition {partition} of {location} have no time, or one before 1970"
        );
        if self.reading.untimed == Untimed::Fail {
            return Err(Error::new(ErrorKind::BadRecord, message));
        }
        tracing::warn!("{message}; left out");
        self.stats.count_bad(count);
        Ok(())
    }

    /// Counts what was handed over while an earlier partition has nothing.
    fn note_ahead(&mut self, at: usize, records: usize) {
        let reached = self.partitions[at].reached;
        let waits = |partition: &Partition| partition.behind && partition.reached < reached;
        if self.partitions.iter().any(waits) {
            self.ahead += records;
        } else {
            self.ahead = 0;
        }
    }
}

impl SourceReader for Reader {
    fn poll(&mut self, limit: usize) -> Result<Poll> {
        self.follow_news()?;
        let fresh = self
            .partitions
            .iter_mut()
            .find(|partition| !partition.announced);
        if let Some(partition) = fresh {
            return Ok(Poll::Records(partition.announce()));
        }
        while let Some(at) = self.choose() {
            if let Some(batch) = self.take(at, limit)? {
                return Ok(Poll::Records(batch));
            }
        }
        let ended = |partition: &Partition| partition.has_caught_up();
        Ok(match self.partitions.iter().all(ended) {
            true if self.bounded => Poll::End,
            true => Poll::Idle,
            false => Poll::Waiting,
        })
    }

    fn is_behind(&self, partition: u32) -> bool {
        let partition = self.partitions.get(partition as usize);
        partition.is_some_and(|partition| partition.behind)
    }

    fn position(&mut self, _partition: u32, offset: i64) -> Result<Vec<u8>> {
        let position = Position {
            topic: self.reading.topic.clone(),
            id: self.id,
            offset,
        };
        Ok(position.to_bytes())
    }

    fn seek(&mut self, positions: &BTreeMap<u32, Vec<u8>>) -> Result<()> {
        let count = self.partitions.len() as i32;
        let stored = self.reading.stored(count, self.id, positions)?;
        self.ahead = 0;
        for at in 0..self.partitions.len() {
            let partition = &mut self.partitions[at];
            let number = partition.number;
            let offset = stored.get(&number).copied().unwrap_or(partition.first);
            partition.go_to(offset);
            let sought = partition.fetch.seek(offset);
            sought.map_err(|e| self.failed(number, &e.message))?;
        }
        Ok(())
    }
}
