//! Reading, against a real broker.

use std::collections::BTreeMap;
use std::time::Duration;

use ferrisstreams_tests::{Kafka, Record, wait_until};
use ferrisstreams_topology::connector::Health;
use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::harness::{LIMIT, Reads, reading, send};
use crate::kafka::reading::{Beginning, OnLost, Reading};

fn transactional(kafka: &Kafka, id: &str) -> BaseProducer {
    let producer: BaseProducer = kafka.client().set("transactional.id", id).create().unwrap();
    producer.init_transactions(LIMIT).unwrap();
    producer
}

fn transaction(producer: &BaseProducer, topic: &str, records: &str, commits: bool) {
    producer.begin_transaction().unwrap();
    send(producer, topic, records);
    producer.flush(LIMIT).unwrap();
    if commits {
        producer.commit_transaction(LIMIT).unwrap();
    } else {
        producer.abort_transaction(LIMIT).unwrap();
    }
}

fn admin(kafka: &Kafka) -> AdminClient<DefaultClientContext> {
    kafka.client().create().unwrap()
}

/// Has the broker delete what stands before an offset of partition 0.
fn delete_before(kafka: &Kafka, topic: &str, offset: i64) {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Offset(offset))
        .unwrap();
    let deleted = block_on(admin(kafka).delete_records(&list, &AdminOptions::new())).unwrap();
    for element in deleted.elements() {
        element.error().unwrap();
    }
}

#[test]
fn what_is_aborted_is_passed_and_what_is_open_is_not() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("aborted", 1);
    let producer = transactional(&kafka, &topic);
    transaction(&producer, &topic, "0/a=1@1", true);
    transaction(&producer, &topic, "0/a=2@2 0/a=3@3", false);
    let mut reads = Reads::bounded(reading(kafka.bootstrap(), &topic));
    assert_eq!(reads.read_to_end().unwrap(), "0/a=1@1#0");
    assert_eq!(
        reads.ends[&0], 5,
        "both marks and what was aborted are passed"
    );

    let mut reads = Reads::open(reading(kafka.bootstrap(), &topic));
    assert_eq!(reads.read_to_end().unwrap(), "0/a=1@1#0");
    assert_eq!(reads.ends[&0], 5);
    producer.begin_transaction().unwrap();
    send(&producer, &topic, "0/a=4@4");
    producer.flush(LIMIT).unwrap();
    let mut during = Reads::bounded(reading(kafka.bootstrap(), &topic));
    assert_eq!(
        during.read_to_end().unwrap(),
        "0/a=1@1#0",
        "an open transaction is no end to wait for"
    );
    assert!(!during.reader.is_behind(0));
    producer.commit_transaction(LIMIT).unwrap();
    assert_eq!(reads.records(1), "0/a=4@4#5");
    reads.until(|_| true).unwrap();
    let stored = reads.positions.clone();
    let mut again = Reads::try_open(reading(kafka.bootstrap(), &topic), stored, true).unwrap();
    assert_eq!(again.read_to_end().unwrap(), "");
}

#[test]
fn what_is_not_committed_is_read_where_that_is_asked_for() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("uncommitted", 1);
    let producer = transactional(&kafka, &topic);
    transaction(&producer, &topic, "0/a=1@1", false);
    let mut all = reading(kafka.bootstrap(), &topic);
    all.cluster
        .properties
        .set("isolation.level", "read_uncommitted")
        .unwrap();
    let mut reads = Reads::bounded(all);
    assert_eq!(reads.read_to_end().unwrap(), "0/a=1@1#0");
    assert_eq!(reads.ends[&0], 2);
}

#[test]
fn a_compacted_topic_is_read_to_its_end() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("plain", 1) + "-compacted";
    let options = [
        ("cleanup.policy", "compact"),
        ("min.cleanable.dirty.ratio", "0.001"),
    ];
    kafka.create_topic(&topic, 1, &options);
    kafka.produce(
        &topic,
        (0..50).map(|at| Record::new("k", at.to_string()).at(at + 1)),
    );
    // A segment is closed when what comes is much younger, and only then compacted.
    kafka.produce(&topic, [Record::new("k", "last")]);
    wait_until("it is compacted", Duration::from_secs(60), || {
        kafka.read_committed(&topic).len() < 51
    });
    let mut reads = Reads::bounded(reading(kafka.bootstrap(), &topic));
    let read = reads.read_to_end().unwrap();
    assert_eq!(reads.ends[&0], 51);
    assert!(read.ends_with("#50"), "{read}");
    let Reads { positions, .. } = reads;
    let mut again = Reads::try_open(reading(kafka.bootstrap(), &topic), positions, true).unwrap();
    assert_eq!(again.read_to_end().unwrap(), "");
}

#[test]
fn records_that_were_deleted_are_missed() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("deleted", 1);
    kafka.produce(
        &topic,
        (0..4).map(|at| Record::new("k", at.to_string()).at(at)),
    );
    let mut reads = Reads::open(reading(kafka.bootstrap(), &topic));
    // Where reading begins is told before anything is read.
    reads.until(|_| true).unwrap();
    let stored = reads.positions.clone();
    drop(reads);
    delete_before(&kafka, &topic, 3);
    let told = format!(
        "partition 0 of topic `{topic}` on Kafka was read up to offset 0, but what stands before offset \
         3 was deleted (on_lost = 'skip' goes on without it; or make the query anew)"
    );
    let opened = Reads::try_open(reading(kafka.bootstrap(), &topic), stored.clone(), false);
    assert_eq!(opened.err().unwrap().to_string(), told);
    let skipping = Reading {
        on_lost: OnLost::Skip,
        ..reading(kafka.bootstrap(), &topic)
    };
    let mut reads = Reads::try_open(skipping.clone(), stored.clone(), false).unwrap();
    assert_eq!(reads.read_to_end().unwrap(), "0/k=3@3#3");
    assert_eq!(reads.stats.bad_records(), 3);
    let Health::Degraded(why) = reads.stats.health() else {
        panic!("it is said that something is lost");
    };
    assert_eq!(
        why,
        format!(
            "3 offsets of partition 0 of topic `{topic}` on Kafka were deleted before they were read"
        )
    );
    // The same while a reader is at work.
    reads.reader.seek(&stored).unwrap();
    assert_eq!(reads.read_to_end().unwrap(), "0/k=3@3#3");
    assert_eq!(reads.stats.bad_records(), 6);
    let mut fresh = Reads::open(reading(kafka.bootstrap(), &topic));
    fresh.read_to_end().unwrap();
    fresh.reader.seek(&stored).unwrap();
    assert_eq!(fresh.error(), told);
}

#[test]
fn a_topic_that_was_made_anew_is_noticed() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("anew", 1);
    let records = || [Record::new("k", "1").at(1), Record::new("k", "2").at(2)];
    kafka.produce(&topic, records());
    let mut reads = Reads::open(reading(kafka.bootstrap(), &topic));
    reads.read_to_end().unwrap();
    let stored = reads.positions.clone();
    kafka.delete_topic(&topic);
    kafka.create_topic(&topic, 1, &[]);
    kafka.produce(&topic, records());
    let opened = Reads::try_open(reading(kafka.bootstrap(), &topic), stored, false);
    assert_eq!(
        opened.err().unwrap().to_string(),
        format!(
            "topic `{topic}` on Kafka was deleted and made again, or cut off: its partition 0 was read up \
             to offset 2, and it has another id now (make the query anew to read the topic as it is now \
             from its beginning)"
        )
    );
    let told = reads.error();
    let begin = format!("topic `{topic}` on Kafka was deleted and made again");
    assert!(told.starts_with(&begin), "{told}");
}

#[test]
fn new_partitions_are_read() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("growing", 1);
    kafka.produce(&topic, [Record::new("k", "1").at(1).partition(0)]);
    let mut reads = Reads::open(reading(kafka.bootstrap(), &topic));
    assert_eq!(reads.read_to_end().unwrap(), "0/k=1@1#0");
    let more = [NewPartitions::new(&topic, 2)];
    for made in block_on(admin(&kafka).create_partitions(&more, &AdminOptions::new())).unwrap() {
        made.unwrap();
    }
    kafka.produce(&topic, [Record::new("k", "2").at(2).partition(1)]);
    assert_eq!(reads.records(1), "1/k=2@2#0");
    assert_eq!(reads.positions.keys().copied().collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn reading_begins_at_a_time() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("since", 2);
    let record = |partition, time| Record::new("k", "v").at(time).partition(partition);
    kafka.produce(
        &topic,
        [record(0, 10), record(0, 20), record(0, 30), record(1, 5)],
    );
    let mut reads = Reads::open(Reading {
        from: Beginning::Time(15),
        ..reading(kafka.bootstrap(), &topic)
    });
    assert_eq!(reads.read_to_end().unwrap(), "0/k=v@20#1 0/k=v@30#2");
    assert_eq!(reads.ends, BTreeMap::from([(0, 3), (1, 1)]));
}

#[test]
fn a_topic_that_is_not_there_is_told_with_the_one_that_was_meant() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("customers", 1);
    let told = |topic: &str| {
        let opened = Reads::try_open(reading(kafka.bootstrap(), topic), BTreeMap::new(), false);
        opened.err().unwrap().to_string()
    };
    let wrong = topic.replace("customers", "custmers");
    assert_eq!(
        told(&wrong),
        format!("Kafka has no topic `{wrong}` (did you mean `{topic}`?)")
    );
    assert_eq!(
        told("a b"),
        "no topic can be called `a b`: letters, digits, `.`, `_` and `-` make names"
    );
}

#[test]
fn headers_and_appended_times_come_along() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("plain", 1) + "-appended";
    kafka.create_topic(&topic, 1, &[("message.timestamp.type", "LogAppendTime")]);
    let record = Record::new("k", "v")
        .at(5)
        .header("h", "1")
        .header("h", "2");
    kafka.produce(&topic, [Record::new("k", "v").at(5), record]);
    let mut reads = Reads::bounded(reading(kafka.bootstrap(), &topic));
    let batches =
        reads.until(|found| matches!(found, ferrisstreams_topology::connector::Poll::End));
    let batches = batches.unwrap();
    let batch = batches.iter().find(|batch| batch.len() == 2).unwrap();
    assert!(batch.headers(0).is_empty());
    assert_eq!(
        format!("{:?}", batch.headers(1))
            .matches("value: Some([")
            .count(),
        2
    );
    assert_eq!(
        batch.headers(1).last("h").unwrap().value.as_deref(),
        Some(&b"2"[..])
    );
    assert!(
        batch.times.at(0) > 1_000_000_000_000,
        "that of the broker's clock"
    );
}
