//! Writing records and offsets in transactions.

use std::collections::BTreeMap;

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

/// Writes records to any topics, and offsets of a group, all of them or none.
pub trait TransactionalProducer: Send {
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
    /// Where the record is refused, or one before was.
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
    /// Where a record was refused, or the brokers do not answer in time.
    fn flush(&mut self) -> Result<BTreeMap<TopicPartition, i64>, TransactionError>;

    /// Adds offsets of a group to the transaction. The group's metadata is that of the member in whose
    /// name it is done: where that is over, the transaction must be aborted.
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
    ///
    /// # Errors
    ///
    /// Where the producer cannot go on.
    fn abort(&mut self) -> Result<(), TransactionError>;
}
