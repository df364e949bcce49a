//! What becomes of output that brokers refuse.
//!
//! A producer does not even take a record that is larger than it may send: that is known at once. What a
//! broker refuses is known when the transaction is flushed, and then the transaction is lost, with
//! everything in it. It is done again, and the refused record must be left out. By its place it would not
//! be found: which changes of a table leave as one depends on when commits happen. What brokers refuse they
//! refuse for what it is, though, its size or its time. So a record is known again by what it consists of:
//!
//! 1. The first refusal makes *suspects* of the records of its topic that are as large; the transaction
//!    is aborted and done again.
//! 2. From then on a transaction has a quarter of the suspects that the refused one had, so that the rest
//!    is committed and the refused record is among ever fewer. Where few are left, each is sent alone, and
//!    flushed. The one that is refused is *known*, by a digest of topic, key, value, time and headers. The
//!    transaction is done again.
//! 3. What is known is not sent, but given to the [`ProductionExceptionHandler`].
//!
//! After each commit a transaction may have twice as many suspects, and at last nobody is suspected any more.
//! So a refused record costs at most some thirty transactions, however many others there are.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::cluster::{Cluster, ProducerRecord, Refusal, TopicPartition};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::NodeStats;

/// What becomes of output that brokers refuse, or that is too large to be sent, after Kafka Streams'
/// handler of this name. It is about records for sinks and for other tasks.
///
/// Rows that cannot be written to their changelog end the application whatever is said here, as they
/// would be missing wherever the task goes next. So does a missing right, which is no record's fault.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ProductionExceptionHandler {
    /// The application ends.
    #[default]
    Fail,
    /// The record is dropped and counted, which the log says.
    Continue,
    /// So it is, and it goes to this topic in the same transaction.
    ///
    /// Key and value are the record's. What is larger than 64 KiB of either is cut off there, and a header
    /// says how many bytes there were. Headers:
    ///
    /// | header | what it says |
    /// |---|---|
    /// | `__streams.errors.message` | why the record was refused |
    /// | `__streams.errors.sink` | the topic that it was for |
    /// | `__streams.errors.topic`, `.partition`, `.offset` | the record that caused it, where one alone did |
    /// | `__streams.errors.key.bytes`, `.value.bytes` | how long key or value were that was cut |
    DeadLetter(String),
}

/// What all threads know of it.
pub(super) struct Production {
    pub(super) handler: ProductionExceptionHandler,
    /// The partitions of the topic of dead letters.
    pub(super) dead_letters: Vec<TopicPartition>,
    /// Counts the records that were not written.
    pub(super) stats: NodeStats,
}

impl Production {
    /// # Errors
    ///
    /// Where the topic of dead letters is not there.
    pub(super) fn prepare(
        handler: &ProductionExceptionHandler,
        cluster: &dyn Cluster,
    ) -> Result<Self> {
        let mut dead_letters = Vec::new();
        if let ProductionExceptionHandler::DeadLetter(topic) = handler {
            let found = cluster.topic(topic)?.filter(|found| found.partitions > 0);
            let found = found.ok_or_else(|| {
                let message = format!(
                    "there is no topic {topic} for dead letters on {}; make it first",
                    cluster.name()
                );
                Error::new(ErrorKind::NotFound, message)
            })?;
            let topic: Arc<str> = topic.as_str().into();
            let partitions = 0..found.partitions;
            dead_letters.extend(partitions.map(|at| TopicPartition::new(topic.clone(), at)));
        }
        Ok(Production {
            handler: handler.clone(),
            dead_letters,
            stats: NodeStats::default(),
        })
    }
}

/// The longest key or value of a dead letter.
const LETTER: usize = 64 << 10;

/// The bytes of a key or value as they stand in a dead letter, and how many there were where some were
/// cut off.
pub(super) fn cut(bytes: Option<&[u8]>) -> (Option<&[u8]>, Option<usize>) {
    match bytes {
        Some(bytes) if bytes.len() > LETTER => (Some(&bytes[..LETTER]), Some(bytes.len())),
        bytes => (bytes, None),
    }
}

/// How many refused records are known at most.
const KNOWN: usize = 10_000;

/// Of how many suspects each is sent alone.
const FEW: usize = 8;

/// From how many suspects in a transaction on nobody is suspected any more.
const CLEARED: usize = 1 << 14;

/// How often in a row a transaction is done again because of records that are refused.
const TRIES: u32 = 100;

/// What a worker knows of refusals.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// From how many bytes on a record of a topic may be one that is refused.
    suspects: BTreeMap<Arc<str>, usize>,
    /// How many suspects a transaction has, while there are any.
    limit: usize,
    /// How many suspects had their turn in this one.
    sent: usize,
    /// True where each is sent alone.
    alone: bool,
    /// Why a record is refused, by its digest.
    known: HashMap<(u64, u64), String>,
    /// Refusals since the last commit.
    tries: u32,
}

impl Refusals {
    /// How many suspects more may be sent in this transaction.
    pub(super) fn room(&self) -> usize {
        if self.suspects.is_empty() {
            return usize::MAX;
        }
        self.limit.saturating_sub(self.sent)
    }

    /// True where such a record may be refused.
    pub(super) fn suspects(&self, to: &TopicPartition, record: &ProducerRecord<'_>) -> bool {
        if self.suspects.is_empty() {
            return false;
        }
        let least = self.suspects.get(&to.topic);
        least.is_some_and(|least| payload(record) >= *least)
    }

    /// A suspect has its turn; true where nothing is to be sent with it.
    pub(super) fn take_turn(&mut self) -> bool {
        self.sent += 1;
        self.alone
    }

    /// Why a record is refused, if that is known.
    pub(super) fn known(&self, to: &TopicPartition, record: &ProducerRecord<'_>) -> Option<String> {
        if self.known.is_empty() {
            return None;
        }
        self.known.get(&digest(to, record)).cloned()
    }

    /// A transaction of so many records is lost as one was refused.
    ///
    /// # Errors
    ///
    /// Where that has happened over and over.
    pub(super) fn suspect(&mut self, refusal: &Refusal, records: usize) -> Result<()> {
        let among = if self.sent > 0 { self.sent } else { records };
        let least = self.suspects.entry(refusal.topic.clone());
        let least = least.or_insert(refusal.bytes);
        *least = refusal.bytes.min(*least);
        self.alone |= among <= FEW;
        self.limit = (among / 4).max(FEW / 2);
        self.tries += 1;
        if self.tries > TRIES {
            return Err(Error::new(
                refusal.error.kind(),
                format!(
                    "{} has refused records {TRIES} times in a row, other ones each time: {}",
                    refusal.topic, refusal.error
                ),
            ));
        }
        Ok(())
    }

    /// This record is the one.
    pub(super) fn learn(&mut self, to: &TopicPartition, record: &ProducerRecord<'_>, why: String) {
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        self.known.insert(digest(to, record), why);
    }

    /// A transaction was taken back.
    pub(super) fn aborted(&mut self) {
        self.sent = 0;
    }

    /// A transaction was committed.
    pub(super) fn committed(&mut self) {
        (self.tries, self.sent, self.alone) = (0, 0, false);
        self.limit = self.limit.saturating_mul(2);
        if self.limit >= CLEARED {
            self.suspects.clear();
        }
    }
}

/// How many bytes key and value have.
pub(super) fn payload(record: &ProducerRecord<'_>) -> usize {
    record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len)
}

fn digest(to: &TopicPartition, record: &ProducerRecord<'_>) -> (u64, u64) {
    let of = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        to.topic.hash(&mut hasher);
        (record.key, record.value, record.timestamp).hash(&mut hasher);
        for header in record.headers.iter() {
            (&header.name, &header.value).hash(&mut hasher);
        }
        hasher.finish()
    };
    (of(0), of(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Headers;

    /// What it takes to write records of which some are refused, in whatever batch they are.
    #[derive(Debug, Default)]
    struct Cost {
        transactions: usize,
        sent: usize,
        flushes: usize,
    }

    /// Writes so many records, of which some are refused as soon as they are flushed.
    fn write(many: usize, refused: &[usize]) -> (Vec<usize>, Cost) {
        let headers = Headers::default();
        let to = TopicPartition::new("out", 0);
        let topic = to.topic.clone();
        let mut refusals = Refusals::default();
        let (mut committed, mut left_out, mut cost) = (0, Vec::new(), Cost::default());
        while committed < many {
            cost.transactions += 1;
            let (mut at, mut known, mut bad) = (committed, Vec::new(), false);
            while at < many && refusals.room() > 0 && !bad && at - committed < 2_000 {
                let value = at.to_be_bytes();
                let record = ProducerRecord {
                    key: None,
                    value: Some(&value),
                    timestamp: 0,
                    headers: &headers,
                };
                let mut alone = false;
                at += 1;
                if refusals.suspects(&to, &record) {
                    alone = refusals.take_turn();
                    if refusals.known(&to, &record).is_some() {
                        known.push(at - 1);
                        continue;
                    }
                }
                cost.sent += 1;
                cost.flushes += 2 * usize::from(alone);
                bad = alone && refused.contains(&(at - 1));
                if bad {
                    refusals.learn(&to, &record, "old".to_owned());
                }
            }
            let left = (committed..at).filter(|at| !known.contains(at));
            if left.clone().any(|at| refused.contains(&at)) {
                let refusal = Refusal {
                    topic: topic.clone(),
                    bytes: 0,
                    error: Error::new(ErrorKind::BadRecord, "old"),
                };
                refusals.suspect(&refusal, left.count()).unwrap();
                refusals.aborted();
            } else {
                committed = at;
                left_out.append(&mut known);
                refusals.committed();
            }
        }
        (left_out, cost)
    }

    #[test]
    fn a_record_that_is_refused_costs_some_transactions_however_many_others_there_are() {
        for refused in [&[][..], &[0], &[77_777], &[10, 20_000, 20_001, 99_999]] {
            let (left_out, cost) = write(100_000, refused);
            assert_eq!(left_out, refused);
            let transactions = 50 + 30 * refused.len();
            assert!(cost.transactions <= transactions, "{refused:?}: {cost:?}");
            assert!(cost.sent <= 100_000 + 6_000 * refused.len(), "{cost:?}");
            assert!(cost.flushes <= 20 * refused.len(), "{cost:?}");
        }
    }

    #[test]
    fn records_that_are_all_refused_are_all_left_out() {
        let all: Vec<usize> = (0..300).collect();
        let (left_out, cost) = write(300, &all);
        assert_eq!(left_out, all);
        assert!(cost.transactions <= 500, "{cost:?}");
    }
}
