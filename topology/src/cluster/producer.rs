//! Writing records and offsets, in transactions or without.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{CommittedOffset, GroupMetadata, TopicPartition, TransactionError};
use crate::record::Headers;
use crate::time::Timestamp;

/// A record to be written, whose bytes are somebody else's.
#[derive(Debug, Clone, Copy)]
pub struct ProducerRecord<'a> {
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; none deletes the key where the topic is compacted.
    pub value: Option<&'a [u8]>,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What travels along.
    pub headers: &'a Headers,
}

/// How a producer writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProducerKind {
    /// In transactions: all of one or nothing.
    Transactional {
        /// By this the brokers know the producer, and a later one of the same id fences it.
        id: String,
        /// How long a transaction may be open before the brokers abort it and fence the producer.
        timeout: Duration,
    },
    /// Each record by itself, none twice as long as the producer lives.
    Idempotent,
}

impl ProducerKind {
    /// Transactions of this id, which may be open for a minute.
    pub fn transactional(id: &str) -> Self {
        ProducerKind::Transactional {
            id: id.to_owned(),
            timeout: Duration::from_secs(60),
        }
    }
}

/// Writes records to any topics, and offsets of a group: with transactions all of them or none.
///
/// An idempotent producer is used by the same calls, and a transaction is then no more than the stretch
/// between two commits. What was sent counts as soon as a broker has it, offsets count once
/// [`send_offsets`](Producer::send_offsets) has returned, and an abort takes nothing back. Whoever sends
/// offsets only after a [`flush`](Producer::flush) loses nothing, though records may come twice.
pub trait Producer: Send {
    /// Begins a transaction.
    ///
    /// # Errors
    ///
    /// Where the producer cannot go on.
    fn begin(&mut self) -> Result<(), TransactionError>;

    /// Hands a record over, to be written in the background.
    ///
    /// # Errors
    ///
    /// [`Unsendable`](TransactionError::Unsendable) where the record is too large for the producer; any
    /// other where one before was refused, or the brokers do not answer.
    fn send(
        &mut self,
        to: &TopicPartition,
        record: ProducerRecord<'_>,
    ) -> Result<(), TransactionError>;

    /// Waits until the brokers have all records. The answer is the offset behind the last record of
    /// each partition that the transaction has written to.
    ///
    /// # Errors
    ///
    /// [`Refused`](TransactionError::Refused) where a record was; any other where the brokers do not
    /// answer in time.
    fn flush(&mut self) -> Result<BTreeMap<TopicPartition, i64>, TransactionError>;

    /// Adds offsets of a group to the transaction. The group's metadata is that of the member in whose
    /// name it is done: where that is over, the transaction must be aborted. Without transactions they are
    /// committed at once, in the generation that the member has by then; a rebalance is waited for.
    ///
    /// # Errors
    ///
    /// Where the group refuses, or the brokers do not answer in time.
    fn send_offsets(
        &mut self,
        offsets: &[(TopicPartition, CommittedOffset)],
        group: &GroupMetadata,
    ) -> Result<(), TransactionError>;

    /// Commits: readers of what is committed see everything from now on.
    ///
    /// # Errors
    ///
    /// [`Unknown`](TransactionError::Unknown) where the brokers do not answer in time.
    fn commit(&mut self) -> Result<(), TransactionError>;

    /// Takes everything back that was written since the transaction began; does nothing where none did.
    /// An idempotent producer gives up what it has not written yet.
    ///
    /// # Errors
    ///
    /// Where the producer cannot go on.
    fn abort(&mut self) -> Result<(), TransactionError>;
}
