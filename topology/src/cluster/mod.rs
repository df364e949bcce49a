//! What a Kafka cluster is to the engine: topics, transactions, and the group that the instances of an
//! application are members of.
//!
//! An application that runs on a cluster shares its work among processes, keeps its state in changelog
//! topics, and commits output, state and the offsets of its input in one transaction. Everything that
//! it asks of the cluster is in these traits. The connectors implement them with Kafka's brokers.

mod error;
mod epoch;
mod group;
mod producer;
mod reader;
mod topic;
mod placement;
pub mod memory;

pub use self::epoch::{Cut, LeaderEpoch, LogPoint};
pub use self::error::{Refusal, TransactionError};
pub use self::group::{GroupEvent, GroupMetadata, Member, MemberOptions};
pub(crate) use self::placement::{murmur2, partition_of};
pub use self::producer::{Producer, ProducerKind, ProducerRecord};
pub use self::reader::{Isolation, LogReader, OffsetRange};
pub use self::topic::{CommittedOffset, NewTopic, TopicDescription, TopicId, TopicPartition};
use crate::connector::Waker;
use crate::error::Result;

/// A cluster of brokers.
///
/// Calls wait for the brokers as long as the implementation is configured to; an error of kind
/// [`Unavailable`](crate::ErrorKind::Unavailable) may pass, any other stays.
pub trait Cluster: Send + Sync {
    /// What it is called in messages: where its brokers are.
    fn name(&self) -> String;

    /// What there is of a topic; none where there is no such topic.
    ///
    /// # Errors
    ///
    /// Where the brokers do not answer, or refuse.
    fn topic(&self, name: &str) -> Result<Option<TopicDescription>>;

    /// How many partitions a topic has; none where there is no such topic. It is asked for again and again, and so
    /// an implementation should ask for no more.
    ///
    /// # Errors
    ///
    /// Where the brokers do not answer, or refuse.
    fn partition_count(&self, topic: &str) -> Result<Option<u32>> {
        Ok(self.topic(topic)?.map(|found| found.partitions))
    }

    /// Makes a topic. One of that name that is there already, made by another instance meanwhile, is
    /// left as it is. Tells what there is of it then.
    ///
    /// # Errors
    ///
    /// Where the brokers do not answer, or refuse.
    fn create_topic(&self, topic: &NewTopic) -> Result<TopicDescription>;

    /// Deletes the records of partitions that stand before an offset.
    ///
    /// # Errors
    ///
    /// Where the brokers do not answer, or refuse.
    fn delete_records(&self, before: &[(TopicPartition, i64)]) -> Result<()>;

    /// What a group has committed last of partitions, in their order; none where it never did.
    ///
    /// Waits for transactions that are about to commit offsets of them: what is told stays.
    ///
    /// # Errors
    ///
    /// Where the brokers do not answer, or refuse.
    fn committed(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<Vec<Option<CommittedOffset>>>;

    /// The offsets that a partition has records between.
    ///
    /// # Errors
    ///
    /// Where there is no such partition, or the brokers do not answer.
    fn offsets(&self, partition: &TopicPartition, isolation: Isolation) -> Result<OffsetRange>;

    /// The same of several partitions, in their order.
    ///
    /// # Errors
    ///
    /// Where there is no such partition, or the brokers do not answer.
    fn offsets_of(
        &self,
        partitions: &[TopicPartition],
        isolation: Isolation,
    ) -> Result<Vec<OffsetRange>> {
        let partitions = partitions.iter();
        partitions.map(|of| self.offsets(of, isolation)).collect()
    }

    /// Where partitions end, open transactions included, and which leader says so, in their order; none where
    /// that is not told.
    ///
    /// Nothing is told unless this is implemented: then nobody notices where records are lost by the election
    /// of a leader that lacks them.
    ///
    /// # Errors
    ///
    /// Where there is no such partition, or the brokers do not answer.
    fn leader_ends(&self, partitions: &[TopicPartition]) -> Result<Vec<Option<LogPoint>>> {
        Ok(vec![None; partitions.len()])
    }

    /// What became of places in partitions, in their order: none where all the records before are still those
    /// that the leader of that epoch had, or where it is not told.
    ///
    /// # Errors
    ///
    /// Where there is no such partition, or the brokers do not answer.
    fn cuts(&self, had: &[(TopicPartition, LogPoint)]) -> Result<Vec<Option<Cut>>> {
        Ok(vec![None; had.len()])
    }

    /// The names of the members that a group has now; none where there is no such group. A member that is
    /// not told has been given up, and its name does not come back.
    ///
    /// # Errors
    ///
    /// Where the brokers do not answer, or refuse.
    fn group_members(&self, group: &str) -> Result<Vec<String>>;

    /// A reader of what is committed, of no partition yet. It wakes `waker` when there is something to
    /// poll for.
    ///
    /// # Errors
    ///
    /// Where none can be made.
    fn reader(&self, waker: Waker) -> Result<Box<dyn LogReader>>;

    /// A producer. A transaction that an earlier producer of the same transactional id left open is
    /// aborted, and that producer can do nothing more.
    ///
    /// # Errors
    ///
    /// Where the brokers do not answer, or refuse.
    fn producer(&self, kind: &ProducerKind) -> Result<Box<dyn Producer>>;

    /// Becomes a member of a group.
    ///
    /// # Errors
    ///
    /// Where the coordination topic is not there, or the brokers refuse.
    fn join(&self, options: MemberOptions) -> Result<Box<dyn Member>>;
}
