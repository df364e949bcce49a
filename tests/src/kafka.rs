//! A Kafka cluster as tests use it: topics, producing, reading what is committed.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication, TopicResult,
};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, DeliveryResult, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::record::{ConsumedRecord, Record};
use crate::service;
use crate::wait::wait_until;

/// How long the cluster may take for one request.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// A Kafka cluster, known by its addresses. Clients are made for each call, so that it can be used from any thread
/// and survives its brokers.
#[derive(Clone, Debug)]
pub struct Kafka {
    bootstrap: String,
}

impl Kafka {
    /// The cluster that all tests of this run share; `None`, and a line that says so, when there is none.
    ///
    /// Its topics stay until the end of the run: use [`unique_topic`](Kafka::unique_topic).
    #[must_use]
    pub fn shared() -> Option<Kafka> {
        service::address("FERRIS_TEST_KAFKA").map(Kafka::at)
    }

    /// The cluster at `host:port`, or at several of them separated by commas.
    #[must_use]
    pub fn at(bootstrap: impl Into<String>) -> Kafka {
        Kafka {
            bootstrap: bootstrap.into(),
        }
    }

    /// Its addresses, as clients want them in `bootstrap.servers`.
    #[must_use]
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The configuration of a client of this cluster that comes back quickly when a broker does.
    #[must_use]
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.bootstrap)
            .set("reconnect.backoff.ms", "20")
            .set("reconnect.backoff.max.ms", "200");
        config
    }

    /// Makes a topic and returns when it can be written to. `options` are those of the topic, such as
    /// `("cleanup.policy", "compact")`. Its records are copied to as many brokers as the cluster does by default.
    #[track_caller]
    pub fn create_topic(&self, name: &str, partitions: i32, options: &[(&str, &str)]) {
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(-1));
        for (option, value) in options {
            topic = topic.set(option, value);
        }
        let results = block_on(self.admin().create_topics([&topic], &admin_options()));
        succeeded(&format!("creating topic {name}"), results);
        let consumer = self.consumer();
        wait_until(
            &format!("every partition of {name} has a leader"),
            REQUEST_LIMIT,
            || {
                let leaders = leaders(&consumer, name);
                leaders.len() == usize::try_from(partitions).unwrap_or(0)
                    && leaders.iter().all(|leader| *leader >= 0)
            },
        );
    }

    /// Makes a topic whose name begins with `prefix` and is no other test's, and returns the name.
    #[track_caller]
    pub fn unique_topic(&self, prefix: &str, partitions: i32) -> String {
        let name = service::unique_name(prefix, '-');
        self.create_topic(&name, partitions, &[]);
        name
    }

    /// Deletes a topic, and returns when the brokers no longer know it.
    #[track_caller]
    pub fn delete_topic(&self, name: &str) {
        let results = block_on(self.admin().delete_topics(&[name], &admin_options()));
        succeeded(&format!("deleting topic {name}"), results);
        let consumer = self.consumer();
        wait_until(&format!("topic {name} is gone"), REQUEST_LIMIT, || {
            leaders(&consumer, name).is_empty()
        });
    }

    /// Gives a topic more partitions, so that it has `count`.
    #[track_caller]
    pub fn grow_topic(&self, name: &str, count: usize) {
        let grown = [NewPartitions::new(name, count)];
        let results = block_on(self.admin().create_partitions(&grown, &admin_options()));
        succeeded(&format!("partitions for topic {name}"), results);
    }

    /// Deletes a group that has no members, and with it what it has committed: as if its offsets had expired.
    #[track_caller]
    pub fn delete_group(&self, name: &str) {
        let results = block_on(self.admin().delete_groups(&[name], &admin_options()));
        succeeded(&format!("deleting group {name}"), results);
    }

    /// Writes records in this order, each exactly once, and returns when all are acknowledged.
    #[track_caller]
    pub fn produce(&self, topic: &str, records: impl IntoIterator<Item = Record>) {
        let failures = Failures::default();
        let producer: BaseProducer<Failures> = self
            .client()
            .set("enable.idempotence", "true")
            .set("linger.ms", "1")
            .set("delivery.timeout.ms", REQUEST_LIMIT.as_millis().to_string())
            .create_with_context(failures.clone())
            .expect("the options of a producer are right");
        for record in records {
            send(&producer, topic, &record);
        }
        producer
            .flush(REQUEST_LIMIT)
            .unwrap_or_else(|error| panic!("producing to {topic}: {error}"));
        let failures = failures.0.lock().expect("no delivery report panics");
        assert!(
            failures.is_empty(),
            "producing to {topic}: {} not delivered; first: {}",
            failures.len(),
            failures[0]
        );
    }

    /// All committed records of a topic up to its end as it is now, by partition and offset. Where a transaction is
    /// open, the end is where it begins.
    #[track_caller]
    #[must_use]
    pub fn read_committed(&self, topic: &str) -> Vec<ConsumedRecord> {
        let mut records = self.read(topic, REQUEST_LIMIT, |progress| {
            progress.at_end.len() == progress.partitions
        });
        records.sort_by_key(|record| (record.partition, record.offset));
        records
    }

    /// Waits until a topic has at least `count` committed records; all that it has then, by partition and offset.
    #[track_caller]
    #[must_use]
    pub fn wait_for_records(
        &self,
        topic: &str,
        count: usize,
        limit: Duration,
    ) -> Vec<ConsumedRecord> {
        let mut records = self.read(topic, limit, |progress| progress.records.len() >= count);
        records.sort_by_key(|record| (record.partition, record.offset));
        records
    }

    /// Reads from the beginning until `enough`. A broker that is away is waited for.
    #[track_caller]
    fn read(
        &self,
        topic: &str,
        limit: Duration,
        enough: impl Fn(&Progress) -> bool,
    ) -> Vec<ConsumedRecord> {
        let consumer = self.consumer();
        let deadline = Instant::now() + limit;
        wait_until(&format!("topic {topic} is there"), limit, || {
            !leaders(&consumer, topic).is_empty()
        });
        let partitions = leaders(&consumer, topic).len();
        let mut assignment = TopicPartitionList::new();
        for partition in 0..i32::try_from(partitions).expect("partitions are numbered by i32") {
            let added = assignment.add_partition_offset(topic, partition, Offset::Beginning);
            added.expect("the beginning is an offset");
        }
        consumer
            .assign(&assignment)
            .unwrap_or_else(|error| panic!("reading {topic}: {error}"));

        let mut progress = Progress {
            partitions,
            records: Vec::new(),
            at_end: BTreeSet::new(),
            trouble: None,
        };
        while !enough(&progress) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "reading {topic}: not done in {limit:?}: {progress}"
            );
            match consumer.poll(left) {
                Some(Ok(message)) => progress.records.push(consumed(&message)),
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    progress.at_end.insert(partition);
                }
                Some(Err(error)) => progress.trouble = Some(error),
                None => {}
            }
        }
        progress.records
    }

    /// Waits until every broker that shall have a partition has all of it.
    #[track_caller]
    pub fn wait_until_in_sync(&self, limit: Duration) {
        let consumer = self.consumer();
        wait_until("all partitions are in sync", limit, || {
            let Ok(metadata) = consumer.fetch_metadata(None, REQUEST_LIMIT) else {
                return false;
            };
            let mut partitions = metadata
                .topics()
                .iter()
                .flat_map(|topic| topic.partitions());
            partitions.all(|partition| partition.isr().len() == partition.replicas().len())
        });
    }

    fn consumer(&self) -> BaseConsumer {
        self.client()
            .set("group.id", "ferris-tests-reader") // asked for, though there is no group
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("isolation.level", "read_committed")
            .set("fetch.wait.max.ms", "50")
            .create()
            .expect("the options of a consumer are right")
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.client()
            .create()
            .expect("the options of a client are right")
    }
}

/// How far a reader has come.
struct Progress {
    partitions: usize,
    records: Vec<ConsumedRecord>,
    /// Partitions whose end was reached.
    at_end: BTreeSet<i32>,
    /// What went wrong last; the client goes on by itself.
    trouble: Option<KafkaError>,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (records, at_end) = (self.records.len(), self.at_end.len());
        write!(
            f,
            "{records} records, {at_end} of {} partitions at their ends",
            self.partitions
        )?;
        match &self.trouble {
            Some(error) => write!(f, ", last error: {error}"),
            None => Ok(()),
        }
    }
}

/// Delivery reports that say no.
#[derive(Clone, Debug, Default)]
struct Failures(Arc<Mutex<Vec<KafkaError>>>);

impl ClientContext for Failures {}

impl ProducerContext for Failures {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.0
                .lock()
                .expect("no delivery report panics")
                .push(error.clone());
        }
    }
}

#[track_caller]
fn send(producer: &BaseProducer<Failures>, topic: &str, record: &Record) {
    let mut headers = OwnedHeaders::new();
    for (key, value) in &record.headers {
        headers = headers.insert(Header {
            key,
            value: Some(value),
        });
    }
    let mut message = BaseRecord::<[u8], [u8]>::to(topic).headers(headers);
    message.key = record.key.as_deref();
    message.payload = record.value.as_deref();
    message.partition = record.partition;
    message.timestamp = record.timestamp_ms;
    while let Err((error, unsent)) = producer.send(message) {
        let full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
        assert!(full, "producing to {topic}: {error}");
        producer.poll(REQUEST_LIMIT);
        message = unsent;
    }
}

/// The leader of each partition; empty when the topic is not known.
fn leaders(consumer: &BaseConsumer, topic: &str) -> Vec<i32> {
    let metadata = consumer.fetch_metadata(Some(topic), REQUEST_LIMIT).ok();
    let topics = metadata.iter().flat_map(|metadata| metadata.topics());
    topics
        .filter(|topic| topic.error().is_none())
        .flat_map(|topic| topic.partitions())
        .map(|partition| partition.leader())
        .collect()
}

fn consumed(message: &BorrowedMessage<'_>) -> ConsumedRecord {
    let headers = message
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter());
    ConsumedRecord {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        timestamp_ms: message.timestamp().to_millis(),
        headers: headers
            .map(|header| {
                (
                    header.key.to_owned(),
                    header.value.unwrap_or_default().to_vec(),
                )
            })
            .collect(),
    }
}

fn admin_options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(REQUEST_LIMIT))
        .operation_timeout(Some(REQUEST_LIMIT))
}

#[track_caller]
fn succeeded(doing: &str, results: Result<Vec<TopicResult>, KafkaError>) {
    for result in results.unwrap_or_else(|error| panic!("{doing}: {error}")) {
        if let Err((_, error)) = result {
            panic!("{doing}: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_goes_round() {
        let Some(kafka) = Kafka::shared() else { return };
        let topic = kafka.unique_topic("round", 2);
        let written = [
            Record::new("a", "1")
                .partition(0)
                .at(1000)
                .header("h", "x")
                .header("h", "y"),
            Record::new("b", "2").partition(1).at(2000),
            Record::tombstone("a").partition(0).at(3000),
            Record::value("3").partition(0).at(4000),
        ];
        kafka.produce(&topic, written.clone());
        let read = kafka.read_committed(&topic);
        let places: Vec<_> = read
            .iter()
            .map(|record| (record.partition, record.offset))
            .collect();
        assert_eq!(places, [(0, 0), (0, 1), (0, 2), (1, 0)]);
        for (record, index) in read.iter().zip([0, 2, 3, 1]) {
            let record = record.clone();
            let again = Record {
                key: record.key,
                value: record.value,
                partition: Some(record.partition),
                timestamp_ms: record.timestamp_ms,
                headers: record.headers,
            };
            assert_eq!(again, written[index]);
        }
        assert_eq!(kafka.wait_for_records(&topic, 4, REQUEST_LIMIT), read);
        kafka.delete_topic(&topic);
    }

    #[test]
    fn only_what_is_committed_is_read() {
        let Some(kafka) = Kafka::shared() else { return };
        let topic = kafka.unique_topic("committed", 1);
        let producer: BaseProducer = kafka
            .client()
            .set("transactional.id", &topic)
            .create()
            .unwrap();
        producer.init_transactions(REQUEST_LIMIT).unwrap();
        for (value, commits) in [("1", true), ("2", false), ("3", true)] {
            producer.begin_transaction().unwrap();
            let sent = producer.send(BaseRecord::<(), str>::to(&topic).payload(value));
            sent.map_err(|(error, _)| error).unwrap();
            producer.flush(REQUEST_LIMIT).unwrap();
            if commits {
                producer.commit_transaction(REQUEST_LIMIT).unwrap();
            } else {
                producer.abort_transaction(REQUEST_LIMIT).unwrap();
            }
        }
        producer.begin_transaction().unwrap();
        producer
            .send(BaseRecord::<(), str>::to(&topic).payload("open"))
            .map_err(|(error, _)| error)
            .unwrap();
        producer.flush(REQUEST_LIMIT).unwrap();
        let values: Vec<_> = kafka
            .read_committed(&topic)
            .iter()
            .filter_map(ConsumedRecord::value_text)
            .collect();
        assert_eq!(values, ["1", "3"]);
        producer.abort_transaction(REQUEST_LIMIT).unwrap();
    }

    #[test]
    fn a_topic_has_its_options() {
        let Some(kafka) = Kafka::shared() else { return };
        let name = service::unique_name("options", '-');
        kafka.create_topic(&name, 3, &[("max.message.bytes", "100")]);
        assert_eq!(leaders(&kafka.consumer(), &name).len(), 3);
        let refused =
            std::panic::catch_unwind(|| kafka.produce(&name, [Record::value("x".repeat(1000))]));
        let message = *refused.unwrap_err().downcast::<String>().unwrap();
        assert!(message.contains("1 not delivered"), "{message}");
    }
}
