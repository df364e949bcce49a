//! How long orders are under way: from when they are written to when who reads what is committed has them,
//! while they come at a steady rate. Writer, broker, application and reader share the machine.

use std::thread;
use std::time::{Duration, Instant};

use ferrisstreams::cluster::{Cluster, Isolation, ProducerKind, ProducerRecord, TopicPartition};
use ferrisstreams::connect::kafka::KafkaCluster;
use ferrisstreams::connector::Waker;
use ferrisstreams::prelude::*;

use crate::orders;

/// Orders a second: about half of what Kafka Streams gets through on two cores that it shares with the broker.
pub const RATE: u64 = 30_000;

/// What comes in this time is not counted: applications start, and the JVM compiles.
const BEFORE: u64 = 20;

/// How many seconds are counted.
const COUNTED: u64 = 10;

/// All orders of a run.
pub const RECORDS: u64 = RATE * (BEFORE + COUNTED);

/// How often orders are written.
const TICK: Duration = Duration::from_millis(5);

const LIMIT: Duration = Duration::from_secs(180);

/// How long orders were under way, in milliseconds.
pub struct Latency {
    pub p50: i64,
    pub p99: i64,
}

fn now() -> i64 {
    let now = std::time::UNIX_EPOCH.elapsed();
    now.expect("it is after 1970").as_millis() as i64
}

/// Measures an application that passes orders on, which `run` runs until it has read all.
pub fn measure(
    cluster: &KafkaCluster,
    brokers: &str,
    (from, to): (&str, &str),
    run: impl FnOnce() + Send,
) -> Latency {
    thread::scope(|scope| {
        scope.spawn(run);
        scope.spawn(|| write(brokers, from));
        read(cluster, to)
    })
}

fn write(brokers: &str, topic: &str) {
    let prompt = [("bootstrap.servers", brokers), ("producer.linger.ms", "0")];
    let cluster = KafkaCluster::new(prompt).expect("a cluster");
    let mut producer = cluster
        .producer(&ProducerKind::Idempotent)
        .expect("a producer");
    let to = TopicPartition::new(topic, 0);
    let begun = Instant::now();
    let mut written = 0;
    while written < RECORDS {
        producer.begin().expect("it begins");
        let due = (begun.elapsed().as_secs_f64() * RATE as f64) as u64;
        for at in written..due.min(RECORDS) {
            let (user, order) = orders::order(at, 10_000);
            let record = ProducerRecord {
                key: Some(user.as_bytes()),
                value: Some(order.as_bytes()),
                timestamp: now(),
                headers: &Headers::default(),
            };
            producer.send(&to, record).expect("it is written");
        }
        written = due.min(RECORDS);
        producer.flush().expect("it is written");
        thread::sleep(TICK);
    }
}

fn read(cluster: &KafkaCluster, topic: &str) -> Latency {
    let waker = Waker::new();
    let mut reader = cluster.reader(waker.clone()).expect("a reader");
    let of = TopicPartition::new(topic, 0);
    let range = cluster.offsets(&of, Isolation::ReadCommitted);
    let first = range.expect("offsets").first;
    reader.assign(&of, first).expect("it is read");
    let mut seen = 0;
    let mut took = Vec::with_capacity((RATE * COUNTED) as usize);
    let begun = Instant::now();
    while seen < RECORDS {
        assert!(begun.elapsed() < LIMIT, "{seen} of {RECORDS} came");
        let Some((_, batch)) = reader.poll(4_096).expect("it can be read") else {
            waker.wait(Duration::from_millis(100));
            continue;
        };
        let now = now();
        for at in 0..batch.len() {
            if seen >= RATE * BEFORE {
                took.push(now - batch.times.at(at));
            }
            seen += 1;
        }
    }
    took.sort_unstable();
    let part = |part: f64| took[(took.len() as f64 * part) as usize];
    Latency {
        p50: part(0.5),
        p99: part(0.99),
    }
}
