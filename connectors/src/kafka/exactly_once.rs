//! Writing so that readers of what is committed see each record once.
//!
//! What is delivered at once is one transaction, and the number of records delivered so far is part of
//! it: as the offset of a group of the sink's own name, which has no members. After a crash that number
//! is read back; the id of the transactions fences whoever wrote before. Brokers forget the offsets of a
//! group without members after some days (`offsets.retention.minutes`); the engine's own count stands in
//! then.

use std::ffi::CString;
use std::sync::Arc;

use ferrisstreams_topology::connector::{ConnectorError, SinkRecord, SinkWriter, Stats};
use ferrisstreams_topology::time::Clock;
use ferrisstreams_topology::{Error, ErrorKind, Result};
use rdkafka::consumer::Consumer as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::delivery::{Failure, hopeless, send_all, triage, wait};
use super::failure::engine_error;
use super::listener::Listener;
use super::native::{Consumer, GroupOffsets, Producer};
use super::writing::Writing;

/// The partition in whose name the count is kept.
const COUNTED_IN: i32 = 0;

/// Writes a topic in transactions.
pub(super) struct ExactlyOnce {
    writing: Arc<Writing>,
    /// The id of the transactions and the name of the group.
    identity: String,
    /// None where a new one must be made.
    producer: Option<Producer>,
    stats: Arc<Stats>,
}

impl ExactlyOnce {
    pub(super) fn new(writing: Arc<Writing>, name: &str, stats: Arc<Stats>) -> Self {
        ExactlyOnce {
            identity: writing.identity(name),
            writing,
            producer: None,
            stats,
        }
    }

    /// Makes a producer if there is none; the transaction that an earlier one left open is aborted.
    fn ready(&mut self) -> Result<()> {
        if self.producer.is_some() {
            return Ok(());
        }
        let config = self.writing.config(Some(&self.identity));
        let producer = Producer::to_topic(&config, Listener::default(), &self.writing.topic);
        let producer = self.writing.cluster.producer(producer);
        let producer = producer.map_err(engine_error)?;
        wait(&self.writing, &producer, &self.stats, |limit| {
            producer.init(limit)
        })
        .map_err(Failure::into_error)?;
        self.producer = Some(producer);
        Ok(())
    }

    /// The number that was committed last, if the brokers know one.
    fn counted(&self) -> Result<Option<u64>, ConnectorError> {
        let cluster = &self.writing.cluster;
        let mut config = cluster.consumer_config();
        config
            .set("group.id", &self.identity)
            .set("isolation.level", "read_committed");
        let consumer: Arc<Consumer> = cluster.client(&config, Listener::default())?;
        let topic = &self.writing.topic;
        cluster.retry(&consumer, |limit| {
            let mut list = TopicPartitionList::with_capacity(1);
            list.add_partition(topic, COUNTED_IN);
            let found = consumer.committed_offsets(list, limit)?;
            let Some(element) = found.find_partition(topic, COUNTED_IN) else {
                return Ok(None);
            };
            element.error()?;
            match element.offset() {
                Offset::Offset(count) => Ok(u64::try_from(count).ok()),
                _ => Ok(None),
            }
        })
    }

    /// A count as the offset of the group of the sink's name.
    fn count(&self, count: i64) -> Result<GroupOffsets, Failure> {
        let location = self.writing.location();
        let invalid = || {
            let message = format!("{location} cannot keep a count under {:?}", self.identity);
            Failure::Final(Error::new(ErrorKind::Invalid, message))
        };
        let mut offsets = TopicPartitionList::with_capacity(1);
        offsets
            .add_partition_offset(&self.writing.topic, COUNTED_IN, Offset::Offset(count))
            .map_err(|_| invalid())?;
        Ok(GroupOffsets {
            offsets,
            group: CString::new(&self.identity[..]).map_err(|_| invalid())?,
            member: None,
        })
    }

    /// Writes records and the count behind them, as one.
    fn transaction(&mut self, first: u64, records: &[SinkRecord]) -> Result<usize, Failure> {
        let Some(producer) = &self.producer else {
            let message = format!("{} is not open", self.writing.location());
            return Err(Failure::Anew(Error::new(ErrorKind::Unavailable, message)));
        };
        let (writing, stats) = (&*self.writing, &*self.stats);
        producer.begin().map_err(|e| triage(writing, &e, None))?;
        let bytes = send_all(writing, producer, records)?;
        let count = i64::try_from(first + records.len() as u64).unwrap_or(i64::MAX);
        let count = self.count(count)?;
        wait(writing, producer, stats, |limit| {
            producer.send_offsets(&count, limit)
        })?;
        wait(writing, producer, stats, |limit| producer.commit(limit))?;
        Ok(bytes)
    }

    /// Brings the producer back to where a transaction may begin; where that fails it is given up.
    fn recover(&mut self, failure: Failure) -> Error {
        let undelivered = self.producer.as_ref().and_then(|producer| {
            producer.serve(std::time::Duration::ZERO);
            producer.listener().take_undelivered()
        });
        let location = self.writing.location();
        let cause = undelivered
            .and_then(|undelivered| hopeless(&location, undelivered.code, Some(undelivered.size)));
        if let (Failure::Abort(_) | Failure::Final(_), Some(producer)) = (&failure, &self.producer)
        {
            let aborted = wait(&self.writing, producer, &self.stats, |limit| {
                producer.abort(limit)
            });
            if aborted.is_ok() && matches!(failure, Failure::Abort(_)) {
                return cause.unwrap_or(failure.into_error());
            }
        }
        self.producer = None;
        cause.unwrap_or(failure.into_error())
    }
}

impl SinkWriter for ExactlyOnce {
    fn delivered(&mut self, recorded: u64) -> Result<u64> {
        self.ready()?;
        let counted = self.counted().map_err(|e| {
            let e = engine_error(e);
            Error::new(ErrorKind::Unavailable, e.to_string())
        })?;
        Ok(counted.unwrap_or(recorded))
    }

    fn deliver(&mut self, first: u64, records: &[SinkRecord]) -> Result<Vec<u8>> {
        self.ready()?;
        match self.transaction(first, records) {
            Ok(bytes) => {
                self.stats
                    .count(records.len(), bytes, Clock::system().now());
                Ok(Vec::new())
            }
            Err(failure) => Err(self.recover(failure)),
        }
    }
}
