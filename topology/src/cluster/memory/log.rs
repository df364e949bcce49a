//! The log of one partition: records and the markers of transactions, by offset.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::cluster::{Cut, Isolation, LeaderEpoch, LogPoint, OffsetRange, ProducerRecord};
use crate::connector::{RawBatch, RawRecord, Waker};
use crate::error::{Error, ErrorKind, Result};
use crate::record::Headers;
use crate::time::Timestamp;

/// A record as it stands in a partition.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedRecord {
    /// Where it stands.
    pub offset: i64,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value; none deletes the key where the topic is compacted.
    pub value: Option<Vec<u8>>,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What travels along.
    pub headers: Headers,
}

/// What takes an offset.
enum Entry {
    Record {
        record: LoggedRecord,
        transaction: Option<u64>,
    },
    /// The end of a transaction.
    Marker { offset: i64, transaction: u64 },
}

impl Entry {
    fn offset(&self) -> i64 {
        match self {
            Entry::Record { record, .. } => record.offset,
            Entry::Marker { offset, .. } => *offset,
        }
    }
}

/// How many bytes a batch has about, at most.
const BATCH_BYTES: usize = 16 << 20;

/// Everything that was written to a partition, and that neither compaction nor deletion took away.
#[derive(Default)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    first: i64,
    end: i64,
    /// Where each transaction begins that has no marker here yet.
    open: BTreeMap<u64, i64>,
    aborted: BTreeSet<u64>,
    /// The number of the last election, and where the logs of earlier leaders ended.
    epoch: LeaderEpoch,
    ends: BTreeMap<LeaderEpoch, i64>,
    readers: BTreeMap<u64, Waker>,
}

impl Log {
    /// Writes a record, of a transaction or of none; its offset.
    pub(super) fn append(&mut self, record: ProducerRecord<'_>, transaction: Option<u64>) -> i64 {
        let before = self.stable();
        let offset = self.end;
        self.end += 1;
        self.entries.push_back(Entry::Record {
            record: LoggedRecord {
                offset,
                key: record.key.map(<[u8]>::to_vec),
                value: record.value.map(<[u8]>::to_vec),
                timestamp: record.timestamp,
                headers: record.headers.clone(),
            },
            transaction,
        });
        if let Some(number) = transaction {
            self.open.entry(number).or_insert(offset);
        }
        self.wake_since(before);
        offset
    }

    /// Writes the marker that ends a transaction.
    pub(super) fn mark(&mut self, transaction: u64, committed: bool) {
        let before = self.stable();
        self.entries.push_back(Entry::Marker {
            offset: self.end,
            transaction,
        });
        self.end += 1;
        self.open.remove(&transaction);
        if !committed {
            self.aborted.insert(transaction);
        }
        self.wake_since(before);
    }

    /// The last stable offset: every transaction that wrote before it is over.
    pub(super) fn stable(&self) -> i64 {
        let open = self.open.values().min().copied();
        open.unwrap_or(self.end).max(self.first)
    }

    pub(super) fn offsets(&self, isolation: Isolation) -> OffsetRange {
        OffsetRange {
            first: self.first,
            end: match isolation {
                Isolation::ReadUncommitted => self.end,
                Isolation::ReadCommitted => self.stable(),
            },
        }
    }

    /// About `limit` committed records from an offset on; none where that is the last stable offset.
    pub(super) fn read(&self, partition: u32, from: i64, limit: usize) -> Result<Option<RawBatch>> {
        if from < self.first || from > self.end {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "there are no records at offset {from} of partition {partition}: it has those \
                     from {} up to {}",
                    self.first, self.end
                ),
            ));
        }
        let stable = self.stable();
        if from >= stable {
            return Ok(None);
        }
        let mut batch = RawBatch::empty(partition, from);
        for entry in self.entries.range(self.index(from)..self.index(stable)) {
            if let Some(record) = self.committed(entry) {
                batch.push(RawRecord {
                    key: record.key.as_deref(),
                    value: record.value.as_deref(),
                    timestamp: record.timestamp,
                    offset: record.offset,
                    headers: record.headers.clone(),
                });
                if batch.len() >= limit.max(1) || batch.bytes.len() >= BATCH_BYTES {
                    return Ok(Some(batch));
                }
            }
        }
        batch.end = stable;
        Ok(Some(batch))
    }

    /// All records that count.
    pub(super) fn records(&self, isolation: Isolation) -> Vec<LoggedRecord> {
        let records = self.entries.iter().filter_map(|entry| match entry {
            Entry::Record { record, .. } => Some((entry, record)),
            Entry::Marker { .. } => None,
        });
        match isolation {
            Isolation::ReadUncommitted => records.map(|(_, record)| record.clone()).collect(),
            Isolation::ReadCommitted => {
                let stable = self.stable();
                records
                    .filter(|(entry, record)| {
                        record.offset < stable && self.committed(entry).is_some()
                    })
                    .map(|(_, record)| record.clone())
                    .collect()
            }
        }
    }

    /// Deletes what stands before an offset.
    pub(super) fn delete_before(&mut self, offset: i64) {
        let before = self.stable();
        self.first = self.first.max(offset);
        self.entries.drain(..self.index(self.first));
        self.forget_aborted();
        self.wake_since(before);
    }

    /// Keeps the newest record of each key, of those that stand before the last stable offset; and of
    /// these only such that have a value, unless `tombstones`.
    pub(super) fn compact(&mut self, tombstones: bool) {
        let stable = self.stable();
        let mut newest: BTreeMap<&[u8], i64> = BTreeMap::new();
        for record in self.entries.iter().filter_map(|e| self.committed(e)) {
            if let (Some(key), true) = (&record.key, record.offset < stable) {
                newest.insert(key, record.offset);
            }
        }
        let newest: BTreeSet<i64> = newest.into_values().collect();
        self.entries.retain(|entry| match entry {
            entry if entry.offset() >= stable => true,
            Entry::Record { record, .. } => {
                newest.contains(&record.offset) && (tombstones || record.value.is_some())
            }
            Entry::Marker { .. } => false,
        });
        self.forget_aborted();
    }

    /// Another leader is elected, which has everything.
    pub(super) fn elect(&mut self) {
        self.ends.insert(self.epoch, self.end);
        self.epoch += 1;
    }

    /// Another leader is elected, which has nothing from an offset on. A transaction that loses its end is
    /// aborted anew, unless it loses its records too; one that is open may lose some.
    pub(super) fn elect_without(&mut self, offset: i64) {
        let before = self.stable();
        let lost = self.entries.split_off(self.index(offset));
        self.end = offset;
        for end in self.ends.values_mut() {
            *end = offset.min(*end);
        }
        self.elect();
        self.open.retain(|_, first| *first < offset);
        self.forget_aborted();
        let kept: BTreeSet<u64> = self.entries.iter().filter_map(of_transaction).collect();
        for entry in lost {
            if let Entry::Marker { transaction, .. } = entry
                && kept.contains(&transaction)
            {
                self.mark(transaction, false);
            }
        }
        self.wake_since(before);
    }

    /// Where it ends, and by which leader.
    pub(super) fn leader_end(&self) -> LogPoint {
        LogPoint {
            offset: self.end,
            epoch: self.epoch,
        }
    }

    /// What became of what a leader had before an offset.
    pub(super) fn cut(&self, had: LogPoint) -> Option<Cut> {
        if had.epoch > self.epoch {
            return Some(Cut { end: None });
        }
        let end = self.ends.get(&had.epoch).copied().unwrap_or(self.end);
        (end < had.offset).then_some(Cut { end: Some(end) })
    }

    /// Wakes who listens whenever the last stable offset moves.
    pub(super) fn listen(&mut self, reader: u64, waker: Waker) {
        self.readers.insert(reader, waker);
    }

    pub(super) fn unlisten(&mut self, reader: u64) {
        self.readers.remove(&reader);
    }

    /// Wakes all who listen.
    pub(super) fn wake(&self) {
        self.readers.values().for_each(Waker::wake);
    }

    fn wake_since(&self, stable: i64) {
        if self.stable() != stable {
            self.wake();
        }
    }

    /// Where the first entry is in the queue that has this offset or a later one.
    fn index(&self, offset: i64) -> usize {
        self.entries.partition_point(|e| e.offset() < offset)
    }

    /// The record of an entry before the last stable offset, if it was not aborted.
    fn committed<'a>(&self, entry: &'a Entry) -> Option<&'a LoggedRecord> {
        match entry {
            Entry::Record {
                record,
                transaction,
            } if !transaction.is_some_and(|t| self.aborted.contains(&t)) => Some(record),
            _ => None,
        }
    }

    /// Forgets the aborted transactions of which there is no record any more.
    fn forget_aborted(&mut self) {
        let left: BTreeSet<u64> = self.entries.iter().filter_map(of_transaction).collect();
        self.aborted.retain(|number| left.contains(number));
    }
}

/// Which transaction a record is of, if it is one.
fn of_transaction(entry: &Entry) -> Option<u64> {
    match entry {
        Entry::Record { transaction, .. } => *transaction,
        Entry::Marker { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn write(log: &mut Log, key: &str, value: Option<&str>, transaction: Option<u64>) -> i64 {
        let record = ProducerRecord {
            key: Some(key.as_bytes()),
            value: value.map(str::as_bytes),
            timestamp: 5,
            headers: &Headers::default(),
        };
        log.append(record, transaction)
    }

    /// Keys and offsets: `a@0 b@3`.
    fn shown(records: &[LoggedRecord]) -> String {
        let shown = records.iter().map(|r| {
            let key = String::from_utf8(r.key.clone().unwrap()).unwrap();
            format!("{key}@{}", r.offset)
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    fn committed(log: &Log) -> String {
        shown(&log.records(Isolation::ReadCommitted))
    }

    #[test]
    fn transactions_hold_back_what_stands_behind_them() {
        let mut log = Log::default();
        write(&mut log, "a", Some("1"), None);
        write(&mut log, "b", Some("1"), Some(7));
        write(&mut log, "c", Some("1"), Some(8));
        write(&mut log, "d", Some("1"), None);
        assert_eq!(committed(&log), "a@0");
        log.mark(8, false);
        assert_eq!(log.stable(), 1);
        assert_eq!(
            log.offsets(Isolation::ReadUncommitted),
            OffsetRange { first: 0, end: 5 }
        );
        log.mark(7, true);
        assert_eq!(committed(&log), "a@0 b@1 d@3");
        assert_eq!(
            shown(&log.records(Isolation::ReadUncommitted)),
            "a@0 b@1 c@2 d@3"
        );
        assert_eq!(log.stable(), 6);
    }

    #[test]
    fn batches_pass_markers_and_aborted_records() {
        let mut log = Log::default();
        write(&mut log, "a", Some("1"), Some(1));
        log.mark(1, false);
        let batch = log.read(3, 0, 10).unwrap().unwrap();
        assert_eq!((batch.partition, batch.len(), batch.end), (3, 0, 2));
        for key in ["b", "c", "d"] {
            write(&mut log, key, Some("1"), Some(2));
        }
        assert!(log.read(3, 2, 10).unwrap().is_none());
        log.mark(2, true);
        let batch = log.read(3, 2, 2).unwrap().unwrap();
        assert_eq!((batch.len(), batch.offset(1), batch.end), (2, 3, 4));
        let batch = log.read(3, 4, 2).unwrap().unwrap();
        assert_eq!((batch.key(0), batch.end), (Some(&b"d"[..]), 6));
        assert!(log.read(3, 6, 2).unwrap().is_none());
    }

    #[test]
    fn offsets_without_records_are_told() {
        let mut log = Log::default();
        for key in ["a", "b", "c"] {
            write(&mut log, key, Some("1"), None);
        }
        log.delete_before(2);
        log.delete_before(1);
        assert_eq!(
            log.offsets(Isolation::ReadCommitted),
            OffsetRange { first: 2, end: 3 }
        );
        for gone in [-1, 1, 4] {
            let error = log.read(0, gone, 1).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        }
        assert_eq!(log.read(0, 2, 1).unwrap().unwrap().len(), 1);
    }

    #[test]
    fn compaction_keeps_the_newest_of_each_key_and_leaves_what_is_open() {
        let mut log = Log::default();
        write(&mut log, "a", Some("1"), None);
        write(&mut log, "b", Some("1"), Some(1));
        log.mark(1, true);
        write(&mut log, "b", None, None);
        write(&mut log, "a", Some("2"), Some(2));
        log.mark(2, false);
        write(&mut log, "c", Some("1"), Some(3));
        write(&mut log, "a", Some("3"), None);
        log.compact(true);
        assert_eq!(committed(&log), "a@0 b@3");
        log.compact(false);
        assert_eq!(committed(&log), "a@0");
        log.mark(3, true);
        assert_eq!(committed(&log), "a@0 c@6 a@7");
        log.compact(true);
        assert_eq!(committed(&log), "c@6 a@7");
        let batch = log.read(0, 0, 10).unwrap().unwrap();
        assert_eq!((batch.len(), batch.end), (2, 9));
        let offsets = log.offsets(Isolation::ReadCommitted);
        assert_eq!(offsets, OffsetRange { first: 0, end: 9 });
    }

    #[test]
    fn who_listens_is_woken_when_there_is_something_to_read() {
        let mut log = Log::default();
        let waker = Waker::new();
        let woken = |log: &mut Log, act: &mut dyn FnMut(&mut Log)| {
            act(log);
            waker.wait(Duration::ZERO)
        };
        log.listen(1, waker.clone());
        assert!(!woken(&mut log, &mut |l| _ = write(l, "a", None, Some(1))));
        assert!(!woken(&mut log, &mut |l| _ = write(l, "a", None, None)));
        assert!(woken(&mut log, &mut |l| l.mark(1, true)));
        assert!(woken(&mut log, &mut |l| _ = write(l, "a", None, None)));
        log.unlisten(1);
        assert!(!woken(&mut log, &mut |l| _ = write(l, "a", None, None)));
    }

    #[test]
    fn leaders_that_have_everything_cut_nothing() {
        let mut log = Log::default();
        let had = |offset, epoch| LogPoint { offset, epoch };
        write(&mut log, "a", Some("1"), None);
        assert_eq!(log.leader_end(), had(1, 0));
        log.elect();
        assert_eq!(log.leader_end(), had(1, 1));
        write(&mut log, "b", Some("1"), None);
        log.elect();
        for had in [had(1, 0), had(2, 1), had(2, 2)] {
            assert_eq!(log.cut(had), None, "{had:?}");
        }
        // What the first leader never had, it cannot have had; and there was no fourth.
        assert_eq!(log.cut(had(2, 0)), Some(Cut { end: Some(1) }));
        assert_eq!(log.cut(had(1, 3)), Some(Cut { end: None }));
    }

    #[test]
    fn a_leader_that_lacks_records_cuts_them_off_for_all_before_it() {
        let mut log = Log::default();
        for key in ["a", "b", "c", "d"] {
            write(&mut log, key, Some("1"), None);
            log.elect();
        }
        log.elect_without(2);
        for key in ["e", "f", "g"] {
            write(&mut log, key, Some("1"), None);
        }
        assert_eq!(committed(&log), "a@0 b@1 e@2 f@3 g@4");
        let had = |offset, epoch| LogPoint { offset, epoch };
        let cut = Some(Cut { end: Some(2) });
        assert_eq!(log.cut(had(3, 2)), cut);
        assert_eq!(log.cut(had(4, 4)), cut);
        assert_eq!(log.cut(had(2, 1)), None);
        assert_eq!(log.cut(had(5, 5)), None);
        log.elect();
        assert_eq!(log.cut(had(4, 3)), cut);
        assert_eq!(log.cut(had(5, 5)), None);
    }

    #[test]
    fn transactions_that_lose_their_ends_are_aborted() {
        let mut log = Log::default();
        write(&mut log, "a", Some("1"), Some(1));
        log.mark(1, true);
        write(&mut log, "b", Some("1"), Some(2));
        write(&mut log, "c", Some("1"), Some(3));
        log.mark(2, true);
        log.mark(3, true);
        write(&mut log, "d", Some("1"), Some(4));
        log.elect_without(3);
        // The second is aborted anew; the third and the fourth are gone as a whole.
        assert_eq!(committed(&log), "a@0");
        assert_eq!(log.stable(), 4);
        write(&mut log, "e", Some("1"), None);
        assert_eq!(committed(&log), "a@0 e@4");
        // An open one keeps what it has, and goes on.
        write(&mut log, "f", Some("1"), Some(5));
        write(&mut log, "g", Some("1"), Some(5));
        log.elect_without(6);
        assert_eq!(log.stable(), 5);
        log.mark(5, true);
        assert_eq!(committed(&log), "a@0 e@4 f@5");
    }
}
