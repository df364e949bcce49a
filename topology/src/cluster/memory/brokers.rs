//! The cluster as applications see it.

use std::sync::Arc;
use std::time::Instant;

use super::group::Group;
use super::idempotent::IdempotentProducer;
use super::member::MemoryMember;
use super::producer::TransactionalProducer;
use super::reader::MemoryReader;
use super::state::{Shared, State, unavailable};
use super::topic::Topic;
use crate::cluster::{
    Cluster, CommittedOffset, Cut, Isolation, LogPoint, LogReader, Member, MemberOptions, NewTopic,
    OffsetRange, Producer, ProducerKind, TopicDescription, TopicPartition,
};
use crate::connector::Waker;
use crate::error::{Error, ErrorKind, Result};
use crate::time::Clock;

/// A cluster in the memory of this process, for tests and trials.
///
/// It does what Kafka's brokers do where that matters to an application: markers take offsets, a new
/// producer of a transactional id fences the former one, readers of what is committed wait for open
/// transactions, and members are told of generations. Clones are the same cluster.
///
/// A producer or a member that is dropped is as one whose process has died: its transaction stays
/// open, its share stays its own, until its time is over. What has been open or silent for too long
/// by the cluster's [`Clock`] ends with whichever call comes next; moving a clock by hand wakes nobody
/// who waits.
///
/// ```
/// use ferrisstreams_topology::cluster::memory::MemoryCluster;
/// use ferrisstreams_topology::cluster::{
///     Cluster, Isolation, ProducerKind, ProducerRecord, TopicPartition,
/// };
/// use ferrisstreams_topology::record::Headers;
///
/// let cluster = MemoryCluster::new();
/// cluster.add_topic("orders", 2, &[])?;
/// cluster.append("orders", 0, Some(b"anna"), Some(b"3 apples"), 1_000)?;
///
/// let mut producer = cluster.producer(&ProducerKind::transactional("shop"))?;
/// producer.begin()?;
/// let record = ProducerRecord {
///     key: Some(b"bob"),
///     value: Some(b"1 pear"),
///     timestamp: 2_000,
///     headers: &Headers::default(),
/// };
/// producer.send(&TopicPartition::new("orders", 0), record)?;
/// assert_eq!(cluster.records("orders", 0, Isolation::ReadUncommitted)?.len(), 2);
/// assert_eq!(cluster.records("orders", 0, Isolation::ReadCommitted)?.len(), 1);
///
/// producer.commit()?;
/// let records = cluster.records("orders", 0, Isolation::ReadCommitted)?;
/// assert_eq!(records[1].value.as_deref(), Some(&b"1 pear"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct MemoryCluster {
    pub(super) shared: Arc<Shared>,
}

impl Default for MemoryCluster {
    fn default() -> Self {
        MemoryCluster::new()
    }
}

impl std::fmt::Debug for MemoryCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryCluster").finish_non_exhaustive()
    }
}

impl MemoryCluster {
    /// A cluster without topics, on the system's clock.
    pub fn new() -> Self {
        MemoryCluster::with_clock(Clock::system())
    }

    /// A cluster without topics, on a clock that a test may move.
    pub fn with_clock(clock: Clock) -> Self {
        MemoryCluster {
            shared: Arc::new(Shared::new(clock)),
        }
    }
}

impl Cluster for MemoryCluster {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn topic(&self, name: &str) -> Result<Option<TopicDescription>> {
        let mut state = self.shared.call();
        state.answer(&format_args!("describe topic {name}"))?;
        Ok(state.topics.get(name).map(|t| t.description().clone()))
    }

    fn create_topic(&self, topic: &NewTopic) -> Result<TopicDescription> {
        let mut state = self.shared.call();
        state.answer(&format_args!("create topic {}", topic.name))?;
        let created = Topic::new(topic)?;
        let kept = state.topics.entry(topic.name.clone()).or_insert(created);
        Ok(kept.description().clone())
    }

    fn delete_records(&self, before: &[(TopicPartition, i64)]) -> Result<()> {
        let mut state = self.shared.call();
        state.answer(&"delete records")?;
        for (partition, offset) in before {
            check_deletion(&state, partition, *offset)?;
        }
        for (partition, offset) in before {
            state.log_mut(partition)?.delete_before(*offset);
        }
        Ok(())
    }

    fn committed(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<Vec<Option<CommittedOffset>>> {
        let mut state = self.shared.call();
        let doing = format!("read the offsets of group {group}");
        state.answer(&doing)?;
        let mut end = None;
        loop {
            state.reach(&doing)?;
            let Some(offsets) = state.offsets.get(group) else {
                return Ok(vec![None; partitions.len()]);
            };
            let Some(pending) = partitions.iter().find(|p| offsets.is_pending(p)) else {
                return Ok(partitions.iter().map(|p| offsets.committed(p)).collect());
            };
            // Who waits asks again and again, and time goes by.
            if state.pass() {
                self.shared.notify();
                continue;
            }
            let end = *end.get_or_insert_with(|| Instant::now() + state.patience);
            if Instant::now() >= end {
                return Err(unavailable(format!(
                    "cannot {doing}: a transaction is still open that has offsets of {pending}"
                )));
            }
            state = self.shared.wait(state, end);
        }
    }

    fn offsets(&self, partition: &TopicPartition, isolation: Isolation) -> Result<OffsetRange> {
        let mut state = self.shared.call();
        state.answer(&format_args!("read the offsets of {partition}"))?;
        Ok(state.log(partition)?.offsets(isolation))
    }

    fn leader_ends(&self, partitions: &[TopicPartition]) -> Result<Vec<Option<LogPoint>>> {
        let mut state = self.shared.call();
        state.answer(&"read the leaders of partitions")?;
        let of = |partition| Ok(Some(state.log(partition)?.leader_end()));
        partitions.iter().map(of).collect()
    }

    fn cuts(&self, had: &[(TopicPartition, LogPoint)]) -> Result<Vec<Option<Cut>>> {
        let mut state = self.shared.call();
        state.answer(&"read the former leaders of partitions")?;
        let of =
            |(partition, had): &(TopicPartition, LogPoint)| Ok(state.log(partition)?.cut(*had));
        had.iter().map(of).collect()
    }

    fn group_members(&self, group: &str) -> Result<Vec<String>> {
        let mut state = self.shared.call();
        state.answer(&format_args!("describe group {group}"))?;
        let members = state.groups.get(group).map(|g| g.member_names());
        Ok(members.into_iter().flatten().map(str::to_owned).collect())
    }

    fn reader(&self, waker: Waker) -> Result<Box<dyn LogReader>> {
        let mut state = self.shared.call();
        state.answer(&"make a reader")?;
        let number = state.number();
        let shared = Arc::clone(&self.shared);
        Ok(Box::new(MemoryReader::new(shared, number, waker)))
    }

    fn producer(&self, kind: &ProducerKind) -> Result<Box<dyn Producer>> {
        let mut state = self.shared.call();
        let shared = Arc::clone(&self.shared);
        let ProducerKind::Transactional { id, timeout } = kind else {
            state.answer(&"make a producer")?;
            return Ok(Box::new(IdempotentProducer::new(shared)));
        };
        if id.is_empty() {
            return Err(Error::invalid("a transactional id cannot be empty"));
        }
        state.answer(&format_args!("make a producer of {id}"))?;
        let epoch = state.transactions.take_over(id, *timeout);
        state.end_transaction(id, false);
        state.settle(id);
        self.shared.notify();
        Ok(Box::new(TransactionalProducer::new(shared, id, epoch)))
    }

    fn join(&self, options: MemberOptions) -> Result<Box<dyn Member>> {
        let MemberOptions { group, topic, .. } = &options;
        let mut state = self.shared.call();
        state.answer(&format_args!("join group {group}"))?;
        let Some(known) = state.topics.get(topic) else {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("cannot join group {group}: there is no topic {topic}"),
            ));
        };
        let partitions = known.description().partitions;
        let new = || Group::new(topic, partitions);
        let joined = state.groups.entry(group.clone()).or_insert_with(new);
        if joined.topic() != topic {
            return Err(Error::invalid(format!(
                "cannot join group {group} with topic {topic}: its members share topic {}",
                joined.topic()
            )));
        }
        let member = MemoryMember::join(Arc::clone(&self.shared), &mut state, options);
        self.shared.notify();
        Ok(Box::new(member))
    }
}

fn check_deletion(state: &State, partition: &TopicPartition, offset: i64) -> Result<()> {
    let end = state
        .log(partition)?
        .offsets(Isolation::ReadUncommitted)
        .end;
    if offset < 0 || offset > end {
        return Err(Error::invalid(format!(
            "cannot delete the records of {partition} before {offset}: it ends at {end}"
        )));
    }
    if !state.topics[&*partition.topic].deleted {
        return Err(Error::invalid(format!(
            "cannot delete the records of {partition} before {offset}: the cleanup.policy of the \
             topic is compact only"
        )));
    }
    Ok(())
}
