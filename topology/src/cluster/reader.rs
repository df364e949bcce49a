//! Reading the records of partitions that one was assigned.

use super::TopicPartition;
use crate::connector::RawBatch;
use crate::error::Result;

/// Which records of a partition count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// All that the brokers have.
    ReadUncommitted,
    /// Those that stand before the first record of a transaction that is open.
    ReadCommitted,
}

/// The offsets of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetRange {
    /// That of the first record that is still there.
    pub first: i64,
    /// That behind the last one.
    pub end: i64,
}

/// Reads what is committed of partitions. It belongs to no group.
pub trait LogReader: Send {
    /// Reads a partition from an offset on; one that is being read already goes there.
    ///
    /// # Errors
    ///
    /// Where there is no such partition.
    fn assign(&mut self, partition: &TopicPartition, offset: i64) -> Result<()>;

    /// Reads a partition no more.
    fn unassign(&mut self, partition: &TopicPartition);

    /// Takes about `limit` records of one partition; none where there is nothing now. The end of the
    /// batch is where reading goes on: marks of transactions, and records of those that were aborted,
    /// are passed. A batch without records says that nothing but such was there.
    ///
    /// # Errors
    ///
    /// Of kind [`NotFound`](crate::ErrorKind::NotFound) where the records at the offset are no longer
    /// there; of any other where the partition cannot be read for good. What may pass is waited for.
    fn poll(&mut self, limit: usize) -> Result<Option<(TopicPartition, RawBatch)>>;

    /// True where more is known to be there of a partition behind what was polled.
    fn is_behind(&self, partition: &TopicPartition) -> bool;

    /// Where a partition ends that is being read, as far as it is known without asking anybody; none where it
    /// is not known. Records of open transactions may stand before.
    fn known_end(&self, _partition: &TopicPartition) -> Option<i64> {
        None
    }
}
