//! Transactions over many topics.

use std::collections::{BTreeMap, HashMap};
use std::ffi::CString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrisstreams_topology::cluster::{
    CommittedOffset, GroupMetadata, ProducerRecord, TopicPartition, TransactionError,
    TransactionalProducer,
};
use ferrisstreams_topology::{Error, ErrorKind, Result};
use rdkafka::ClientConfig;
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::super::cluster::Cluster;
use super::super::delivery::{hopeless, outgoing_time};
use super::super::failure::engine_error;
use super::super::listener::Listener;
use super::super::native::{CallError, Destination, MemberName, Outgoing, Producer, TopicPlace};
use super::number;

/// What a producer is unless the user says otherwise. Batches fill up until they are flushed; an open
/// transaction of who is gone is aborted after ten seconds.
const DEFAULTS: [(&str, &str); 10] = [
    ("client.id", "ferrisstreams"),
    ("compression.type", "lz4"),
    ("linger.ms", "100"),
    ("batch.num.messages", "100000"),
    ("queue.buffering.max.messages", "1000000"),
    ("transaction.timeout.ms", "10000"),
    ("retry.backoff.ms", "5"),
    ("retry.backoff.max.ms", "50"),
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
];

/// How long one wait lasts until events are served.
const SLICE: Duration = Duration::from_millis(500);

/// How long a step may take before the producer is given up. Longer than the timeout of transactions.
const STEP: Duration = Duration::from_secs(15);

/// Writes in transactions.
pub(super) struct Transactions {
    brokers: String,
    producer: Producer,
    topics: HashMap<Arc<str>, TopicPlace>,
    /// The topic that was written to last: records come in stretches of one.
    last: Option<(Arc<str>, TopicPlace)>,
    /// Behind the last record of each partition in this transaction.
    ends: BTreeMap<TopicPartition, i64>,
}

impl Transactions {
    /// A producer of this id; an earlier one is fenced, its transaction aborted.
    pub(super) fn new(cluster: &Cluster, id: &str) -> Result<Self> {
        let fixed = [("enable.idempotence", "true"), ("transactional.id", id)];
        let config: ClientConfig = cluster.properties.config(&DEFAULTS, &fixed);
        let made = Producer::new(&config, Listener::of_deliveries());
        let producer = made.map_err(|e| engine_error(cluster.bad_client(&e)))?;
        let made = Transactions {
            brokers: cluster.name.clone(),
            producer,
            topics: HashMap::new(),
            last: None,
            ends: BTreeMap::new(),
        };
        made.wait(|producer, limit| producer.init(limit))
            .map_err(TransactionError::into_error)?;
        Ok(made)
    }

    /// Repeats a call that waits, until it has an answer.
    fn wait(
        &self,
        mut call: impl FnMut(&Producer, Duration) -> Result<(), CallError>,
    ) -> Result<(), TransactionError> {
        let deadline = Instant::now() + STEP;
        loop {
            let Err(e) = call(&self.producer, SLICE) else {
                return Ok(());
            };
            self.producer.serve(Duration::ZERO);
            let passing = e.retriable || e.code == Code::OperationTimedOut;
            if !passing || e.fatal || e.abortable || Instant::now() >= deadline {
                return Err(self.triage(&e));
            }
        }
    }

    /// What a refusal means.
    fn triage(&self, e: &CallError) -> TransactionError {
        let undelivered = self.producer.listener().take_undelivered();
        let undelivered = undelivered.and_then(|undelivered| {
            hopeless(&self.brokers, undelivered.code, Some(undelivered.size))
        });
        if let Some(e) = undelivered.or_else(|| hopeless(&self.brokers, e.code, None)) {
            return TransactionError::Fatal(e);
        }
        let message = format!(
            "a transaction on {} cannot go on: {}",
            self.brokers, e.message
        );
        let error = |kind| Error::new(kind, message.clone());
        match e.code {
            Code::UnsupportedFeature => TransactionError::Fatal(error(ErrorKind::Invalid)),
            Code::Fenced | Code::ProducerFenced => {
                TransactionError::Fenced(error(ErrorKind::Unavailable))
            }
            _ if e.abortable && !e.fatal => TransactionError::Abort(error(ErrorKind::Unavailable)),
            _ => TransactionError::Fenced(error(ErrorKind::Unavailable)),
        }
    }

    fn place(&mut self, topic: &Arc<str>) -> Result<TopicPlace, TransactionError> {
        if let Some((last, place)) = &self.last
            && Arc::ptr_eq(last, topic)
        {
            return Ok(*place);
        }
        let place = match self.topics.get(topic) {
            Some(place) => *place,
            None => {
                let added = self.producer.add_topic(topic);
                let place = added.map_err(|e| self.triage(&e))?;
                self.topics.insert(topic.clone(), place);
                place
            }
        };
        self.last = Some((topic.clone(), place));
        Ok(place)
    }

    /// Takes note of what was delivered.
    fn gather_ends(&mut self) {
        for (topic, partition, end) in self.producer.take_ends() {
            let found = self.topics.iter().find(|(_, place)| **place == topic);
            let Some((name, _)) = found else { continue };
            let of = TopicPartition::new(name.clone(), partition.unsigned_abs());
            let last = self.ends.entry(of).or_insert(end);
            *last = end.max(*last);
        }
    }
}

impl TransactionalProducer for Transactions {
    fn begin(&mut self) -> Result<(), TransactionError> {
        self.ends.clear();
        self.producer.take_ends();
        self.producer.begin().map_err(|e| self.triage(&e))
    }

    fn send(
        &mut self,
        to: &TopicPartition,
        record: ProducerRecord<'_>,
    ) -> Result<(), TransactionError> {
        let destination = Destination {
            topic: self.place(&to.topic)?,
            partition: Some(number(to.partition)),
        };
        let outgoing = Outgoing {
            key: record.key,
            value: record.value,
            timestamp: outgoing_time(record.timestamp),
            headers: record.headers,
        };
        let begun = Instant::now();
        while let Err(e) = self.producer.send(destination, &outgoing) {
            if e.code != Code::QueueFull || begun.elapsed() > STEP {
                return Err(self.triage(&e));
            }
            self.producer.serve(Duration::from_millis(10));
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<BTreeMap<TopicPartition, i64>, TransactionError> {
        self.wait(|producer, limit| producer.flush(limit))?;
        if let Some(undelivered) = self.producer.listener().take_undelivered() {
            let code = undelivered.code;
            let error = match hopeless(&self.brokers, code, Some(undelivered.size)) {
                Some(e) => TransactionError::Fatal(e),
                None => TransactionError::Abort(Error::new(
                    ErrorKind::Unavailable,
                    format!("a record was not delivered to {}: {code}", self.brokers),
                )),
            };
            return Err(error);
        }
        self.gather_ends();
        Ok(self.ends.clone())
    }

    fn send_offsets(
        &mut self,
        offsets: &[(TopicPartition, CommittedOffset)],
        group: &GroupMetadata,
    ) -> Result<(), TransactionError> {
        let invalid = |what: &str| {
            TransactionError::Fatal(Error::new(
                ErrorKind::Invalid,
                format!("{what} cannot be sent"),
            ))
        };
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for (of, at) in offsets {
            let mut element = list.add_partition(&of.topic, number(of.partition));
            element
                .set_offset(Offset::Offset(at.offset))
                .map_err(|_| invalid("an offset below zero"))?;
            element.set_metadata(&at.metadata);
        }
        let text = |text: &str| CString::new(text).map_err(|_| invalid("a name with a zero byte"));
        let member = MemberName {
            generation: group.generation(),
            id: text(group.member())?,
            instance: group.instance().map(text).transpose()?,
        };
        let group = text(group.group())?;
        self.wait(|producer, limit| producer.send_offsets(&list, &group, Some(&member), limit))
    }

    fn commit(&mut self) -> Result<(), TransactionError> {
        self.wait(|producer, limit| producer.commit(limit))
            .map_err(|e| match e {
                // Whether the brokers have it is not known.
                TransactionError::Fenced(e) => TransactionError::Unknown(e),
                e => e,
            })
    }

    fn abort(&mut self) -> Result<(), TransactionError> {
        self.wait(|producer, limit| producer.abort(limit))?;
        self.producer.listener().take_undelivered();
        Ok(())
    }
}
