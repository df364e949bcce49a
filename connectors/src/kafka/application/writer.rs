//! Writing records to many topics: what producers with and without transactions share.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ferrisstreams_topology::cluster::{ProducerRecord, Refusal, TopicPartition, TransactionError};
use ferrisstreams_topology::{Error, ErrorKind, Result};
use rdkafka::ClientConfig;
use rdkafka::error::RDKafkaErrorCode as Code;

use super::super::cluster::Cluster;
use super::super::delivery::{hopeless, outgoing_time};
use super::super::failure::engine_error;
use super::super::listener::Listener;
use super::super::native::{CallError, Destination, Outgoing, Producer, TopicPlace};
use super::super::properties::Role;
use super::number;

/// How long records wait for others of their batch: in a transaction until that is flushed, as nobody sees
/// them before; and else as in Java's clients.
const TRANSACTION_LINGER: &str = "100";
const LINGER: &str = "5";

/// What a producer is unless the user says otherwise. Refusals that pass are tried again soon.
const DEFAULTS: [(&str, &str); 8] = [
    ("client.id", "ferrisstreams"),
    ("compression.type", "lz4"),
    ("batch.num.messages", "100000"),
    ("queue.buffering.max.messages", "1000000"),
    ("retry.backoff.ms", "5"),
    ("retry.backoff.max.ms", "50"),
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
];

/// The largest batch of the library, unless a topic takes no such.
const BATCH: usize = 1_000_000;

/// How long one wait lasts until events are served.
const SLICE: Duration = Duration::from_millis(500);

/// How long a step may take before the producer is given up. Longer than the timeout of transactions.
const STEP: Duration = Duration::from_secs(15);

/// The largest batch of each topic that is known, as the brokers measure it: compressed.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits(Arc<Mutex<BTreeMap<String, usize>>>);

impl Limits {
    pub(super) fn note(&self, topic: &str, bytes: usize) {
        let mut limits = self.0.lock().expect("no panic while locked");
        limits.insert(topic.to_owned(), bytes);
    }

    fn of(&self, topic: &str) -> Option<usize> {
        self.0
            .lock()
            .expect("no panic while locked")
            .get(topic)
            .copied()
    }

    fn least(&self) -> Option<usize> {
        let limits = self.0.lock().expect("no panic while locked");
        limits.values().min().copied()
    }
}

/// A topic that is written to.
#[derive(Clone, Copy)]
struct Known {
    place: TopicPlace,
    /// The largest record that it can take at all.
    most: Option<usize>,
}

/// Writes records to many topics.
pub(super) struct Writer {
    pub(super) brokers: String,
    pub(super) producer: Producer,
    limits: Limits,
    compresses: bool,
    topics: HashMap<Arc<str>, Known>,
    /// The topic that was written to last: records come in stretches of one.
    last: Option<(Arc<str>, Known)>,
    /// Behind the last record of each partition.
    ends: BTreeMap<TopicPartition, i64>,
}

impl Writer {
    pub(super) fn new(cluster: &Cluster, limits: &Limits, fixed: &[(&str, &str)]) -> Result<Self> {
        // A broker refuses a batch as a whole: only a record that is too large alone may make one too large.
        let batch = limits.least().unwrap_or(BATCH).min(BATCH).to_string();
        let mut defaults = DEFAULTS.to_vec();
        defaults.push(("batch.size", &batch));
        let transactional = fixed.iter().any(|(name, _)| *name == "transactional.id");
        let linger = if transactional {
            TRANSACTION_LINGER
        } else {
            LINGER
        };
        defaults.push(("linger.ms", linger));
        let mut all = vec![("enable.idempotence", "true")];
        all.extend(fixed);
        let config: ClientConfig = cluster.properties.config(Role::Producer, &defaults, &all);
        let codecs = ["compression.type", "compression.codec"];
        let compresses = codecs
            .iter()
            .all(|name| cluster.properties.of(Role::Producer, name) != Some("none"));
        let made = Producer::new(&config, Listener::of_deliveries());
        Ok(Writer {
            producer: cluster.producer(made).map_err(engine_error)?,
            brokers: cluster.name.clone(),
            limits: limits.clone(),
            compresses,
            topics: HashMap::new(),
            last: None,
            ends: BTreeMap::new(),
        })
    }

    /// Repeats a call that waits, until it has an answer.
    pub(super) fn wait(
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
    pub(super) fn triage(&self, e: &CallError) -> TransactionError {
        if let Err(undelivered) = self.check_delivered() {
            return undelivered;
        }
        if e.code == Code::State
            && let Some(cause) = self.producer.lost_by()
        {
            return self.meaning(&cause);
        }
        self.meaning(e)
    }

    /// What a refusal means that is no consequence of another.
    fn meaning(&self, e: &CallError) -> TransactionError {
        let location = match e.code {
            // Which of them it is the library does not say.
            Code::TopicAuthorizationFailed => self.topics_in_words(),
            _ => self.brokers.clone(),
        };
        if let Some(e) = hopeless(&location, e.code, None) {
            return TransactionError::Fatal(e);
        }
        let message = format!("{} cannot be written to: {}", self.brokers, e.message);
        let error = |kind| Error::new(kind, message.clone());
        match e.code {
            Code::UnsupportedFeature => TransactionError::Fatal(error(ErrorKind::Invalid)),
            _ if e.abortable && !e.fatal => TransactionError::Abort(error(ErrorKind::Unavailable)),
            _ => TransactionError::Fenced(error(ErrorKind::Unavailable)),
        }
    }

    /// The topics that were written to.
    fn topics_in_words(&self) -> String {
        let mut names: Vec<&str> = self.topics.keys().map(|name| &**name).collect();
        names.sort_unstable();
        let words = match names.len() {
            1 => "topic",
            _ => "one of the topics",
        };
        format!("{words} {} on {}", names.join(", "), self.brokers)
    }

    /// Fails where a record was not delivered.
    fn check_delivered(&self) -> Result<(), TransactionError> {
        let Some(undelivered) = self.producer.listener().take_undelivered() else {
            return Ok(());
        };
        let (code, size) = (undelivered.code, undelivered.size);
        let place = self.producer.place_of(undelivered.topic);
        let topic = place.and_then(|place| {
            let mut topics = self.topics.iter();
            topics.find(|(_, known)| known.place == place)
        });
        let topic = topic.map(|(topic, _)| topic.clone());
        let location = match &topic {
            Some(topic) => format!("topic {topic} on {}", self.brokers),
            None => self.brokers.clone(),
        };
        let passing = || {
            let message = format!("a record was not delivered to {location}: {code}");
            TransactionError::Abort(Error::new(ErrorKind::Unavailable, message))
        };
        Err(match (hopeless(&location, code, Some(size)), topic) {
            (Some(error), Some(topic)) if undelivered.is_refused() => {
                // What a batch is refused for other than its size may be any of its records.
                let by_size = code == Code::MessageSizeTooLarge;
                TransactionError::Refused(Refusal {
                    topic,
                    bytes: if by_size { size } else { 0 },
                    error,
                })
            }
            (Some(error), _) => TransactionError::Fatal(error),
            (None, _) => passing(),
        })
    }

    fn place(&mut self, topic: &Arc<str>) -> Result<Known, TransactionError> {
        if let Some((last, place)) = &self.last
            && Arc::ptr_eq(last, topic)
        {
            return Ok(*place);
        }
        let known = match self.topics.get(topic) {
            Some(known) => *known,
            None => {
                let added = self.producer.add_topic(topic);
                let known = Known {
                    place: added.map_err(|e| self.triage(&e))?,
                    most: self.limits.of(topic).filter(|_| !self.compresses),
                };
                self.topics.insert(topic.clone(), known);
                known
            }
        };
        self.last = Some((topic.clone(), known));
        Ok(known)
    }

    /// Begins a stretch whose ends are asked for.
    pub(super) fn clear(&mut self) {
        self.ends.clear();
        self.producer.take_ends();
    }

    /// Queues a record.
    pub(super) fn send(
        &mut self,
        to: &TopicPartition,
        record: ProducerRecord<'_>,
    ) -> Result<(), TransactionError> {
        let known = self.place(&to.topic)?;
        let size = record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
        if known.most.is_some_and(|most| size > most) {
            return Err(self.too_large(&to.topic, size));
        }
        let destination = Destination {
            topic: known.place,
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
            if e.code == Code::MessageSizeTooLarge {
                return Err(self.too_large(&to.topic, size));
            }
            if e.code != Code::QueueFull || begun.elapsed() > STEP {
                return Err(self.triage(&e));
            }
            self.producer.serve(Duration::from_millis(10));
        }
        Ok(())
    }

    /// The library has not even queued it.
    fn too_large(&self, topic: &str, size: usize) -> TransactionError {
        let location = format!("topic {topic} on {}", self.brokers);
        let error = hopeless(&location, Code::MessageSizeTooLarge, Some(size));
        TransactionError::Unsendable(error.expect("no second try makes it smaller"))
    }

    /// Waits until everything is written; the offset behind the last record of each partition.
    pub(super) fn flush(&mut self) -> Result<BTreeMap<TopicPartition, i64>, TransactionError> {
        self.wait(|producer, limit| {
            let flushed = producer.flush(limit);
            // What waits is not sent any more where the transaction is lost.
            flushed.map_err(|e| producer.lost_by().unwrap_or(e))
        })?;
        self.check_delivered()?;
        for (topic, partition, end) in self.producer.take_ends() {
            let found = self.topics.iter().find(|(_, known)| known.place == topic);
            let Some((name, _)) = found else { continue };
            let of = TopicPartition::new(name.clone(), partition.unsigned_abs());
            let last = self.ends.entry(of).or_insert(end);
            *last = end.max(*last);
        }
        Ok(self.ends.clone())
    }
}
