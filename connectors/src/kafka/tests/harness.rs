//! Reading and writing as the engine does it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrisstreams_topology::Result;
use ferrisstreams_topology::connector::{
    Health, Poll, RawBatch, Source, SourceReader, SourceStart, Stats, Waker,
};
use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};

use crate::kafka::cluster::Cluster;
use crate::kafka::properties::Properties;
use crate::kafka::reading::{Beginning, OnLost, Reading, Untimed};
use crate::kafka::source::KafkaSource;

/// How long anything may take.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

pub(super) type Mock = MockCluster<'static, DefaultProducerContext>;

/// A mock of a cluster of one broker, with a topic `t`.
pub(super) fn mock(partitions: i32) -> Mock {
    let mock = MockCluster::new(1).unwrap();
    mock.create_topic("t", partitions, 1).unwrap();
    mock
}

pub(super) fn cluster(bootstrap: &str) -> Cluster {
    let mut properties = Properties::default();
    properties.set("bootstrap.servers", bootstrap).unwrap();
    Cluster {
        name: "Kafka".to_owned(),
        properties,
        patience: Duration::from_secs(10),
    }
}

pub(super) fn reading(bootstrap: &str, topic: &str) -> Reading {
    Reading {
        cluster: cluster(bootstrap),
        topic: topic.to_owned(),
        from: Beginning::Earliest,
        on_lost: OnLost::Fail,
        untimed: Untimed::Skip,
        refresh: Duration::from_millis(200),
        restart_timeout: LIMIT,
        create: None,
    }
}

/// Writes records `partition key=value@time`, in this order, each word a record; a value `-` is none, and
/// so is an empty key.
pub(super) fn write(bootstrap: &str, topic: &str, records: &str) {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("linger.ms", "0");
    let producer: BaseProducer = config.create().unwrap();
    send(&producer, topic, records);
    producer.flush(LIMIT).unwrap();
}

pub(super) fn send(producer: &BaseProducer, topic: &str, records: &str) {
    for record in records.split_whitespace() {
        let (partition, rest) = record.split_once('/').unwrap();
        let (key, rest) = rest.split_once('=').unwrap();
        let (value, time) = rest.split_once('@').unwrap();
        let mut made = BaseRecord::<str, str>::to(topic)
            .partition(partition.parse().unwrap())
            .timestamp(time.parse().unwrap());
        made.key = (!key.is_empty()).then_some(key);
        made.payload = (value != "-").then_some(value);
        producer.send(made).map_err(|(e, _)| e).unwrap();
    }
}

/// A reader, and what the engine holds of it.
pub(super) struct Reads {
    pub(super) reader: Box<dyn SourceReader>,
    pub(super) stats: Arc<Stats>,
    waker: Waker,
    /// Where reading goes on, by partition.
    pub(super) positions: BTreeMap<u32, Vec<u8>>,
    pub(super) ends: BTreeMap<u32, i64>,
}

impl Reads {
    pub(super) fn open(reading: Reading) -> Reads {
        Reads::try_open(reading, BTreeMap::new(), false).unwrap()
    }

    pub(super) fn bounded(reading: Reading) -> Reads {
        Reads::try_open(reading, BTreeMap::new(), true).unwrap()
    }

    pub(super) fn try_open(
        reading: Reading,
        positions: BTreeMap<u32, Vec<u8>>,
        bounded: bool,
    ) -> Result<Reads> {
        let (waker, stats) = (Waker::new(), Stats::new());
        let source = KafkaSource::new(reading, "kafka://t".to_owned());
        let reader = source.open(SourceStart {
            positions: positions.clone(),
            bounded,
            waker: waker.clone(),
            stats: stats.clone(),
        })?;
        Ok(Reads {
            reader,
            stats,
            waker,
            positions,
            ends: BTreeMap::new(),
        })
    }

    /// Reads until `enough`, which is given what a poll found.
    pub(super) fn until(&mut self, mut enough: impl FnMut(&Poll) -> bool) -> Result<Vec<RawBatch>> {
        let deadline = Instant::now() + LIMIT;
        let mut batches = Vec::new();
        loop {
            assert!(
                Instant::now() < deadline,
                "read {batches:?}, and not enough"
            );
            let found = self.reader.poll(1_000)?;
            let done = enough(&found);
            match found {
                Poll::Records(batch) => {
                    let position = self.reader.position(batch.partition, batch.end)?;
                    self.positions.insert(batch.partition, position);
                    self.ends.insert(batch.partition, batch.end);
                    batches.push(batch);
                }
                _ if !done => self.wait(),
                _ => {}
            }
            if done {
                return Ok(batches);
            }
        }
    }

    /// Waits until there is something, or a moment.
    pub(super) fn wait(&self) {
        self.waker.wait(Duration::from_millis(100));
    }

    /// Reads to the end that was seen at the start; the records of each partition, as they are written.
    pub(super) fn read_to_end(&mut self) -> Result<String> {
        let batches = self.until(|found| matches!(found, Poll::Idle | Poll::End))?;
        Ok(shown(&batches))
    }

    /// Reads until there were `count` records.
    pub(super) fn records(&mut self, count: usize) -> String {
        let mut seen = 0;
        let batches = self.until(|found| {
            if let Poll::Records(batch) = found {
                seen += batch.len();
            }
            seen >= count
        });
        shown(&batches.unwrap())
    }

    /// The error that reading ends with.
    pub(super) fn error(&mut self) -> String {
        self.until(|_| false)
            .expect_err("reading goes on")
            .to_string()
    }

    /// Polls until the health is as wanted, and returns it.
    pub(super) fn wait_for_health(&mut self, wanted: impl Fn(&Health) -> bool) -> Health {
        let stats = self.stats.clone();
        self.until(|_| wanted(&stats.health())).unwrap();
        stats.health()
    }
}

/// Records as they are written, those of a partition together, each with its offset.
pub(super) fn shown(batches: &[RawBatch]) -> String {
    let mut lines: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for batch in batches {
        for at in 0..batch.len() {
            let text = |bytes: Option<&[u8]>| {
                bytes.map_or("-".to_owned(), |b| String::from_utf8_lossy(b).into_owned())
            };
            let (key, value) = (text(batch.key(at)), text(batch.value(at)));
            let (offset, time) = (batch.offset(at), batch.times.at(at));
            let line = format!("{}/{key}={value}@{time}#{offset}", batch.partition);
            lines.entry(batch.partition).or_default().push(line);
        }
    }
    let lines: Vec<String> = lines.into_values().flatten().collect();
    lines.join(" ")
}
