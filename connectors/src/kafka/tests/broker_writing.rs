//! Writing, against a real broker.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use ferrisstreams_tests::{Kafka, KafkaBroker, Process};
use ferrisstreams_topology::connector::{Sink, SinkRecord, SinkStart, SinkWriter, Stats};
use ferrisstreams_topology::record::Headers;
use ferrisstreams_topology::{ErrorKind, Result};

use super::harness::{LIMIT, cluster};
use crate::kafka::sink::KafkaSink;
use crate::kafka::writing::{Guarantee, Shape, Writing};

fn writing(bootstrap: &str, topic: &str) -> Writing {
    Writing {
        restart_timeout: None,
        cluster: cluster(bootstrap),
        topic: topic.to_owned(),
        guarantee: Guarantee::ExactlyOnce,
        prefix: "ferris-sink-".to_owned(),
        create: None,
    }
}

/// The name of the sink is that of the topic, which no other test has.
fn open(writing: Writing) -> Result<Box<dyn SinkWriter>> {
    let name = writing.topic.clone();
    KafkaSink::new(writing, "kafka://t".to_owned()).open(SinkStart {
        name,
        memo: None,
        stats: Stats::new(),
    })
}

fn record(number: u64) -> SinkRecord {
    SinkRecord {
        key: Some(number.to_string().into_bytes()),
        value: Some(number.to_string().into_bytes()),
        timestamp: number as i64 + 1,
        headers: Headers::default(),
    }
}

fn records(numbers: std::ops::Range<u64>) -> Vec<SinkRecord> {
    numbers.map(record).collect()
}

/// All committed values of a topic, sorted as numbers.
fn values(kafka: &Kafka, topic: &str) -> Vec<u64> {
    let read = kafka.read_committed(topic);
    let mut values: Vec<u64> = read
        .iter()
        .map(|record| record.value_text().unwrap().parse().unwrap())
        .collect();
    values.sort_unstable();
    values
}

#[test]
fn what_is_delivered_is_counted_in_the_same_transaction() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("counted", 3);
    let mut writer = open(writing(kafka.bootstrap(), &topic)).unwrap();
    assert_eq!(writer.delivered(0).unwrap(), 0);
    writer.deliver(0, &records(0..5)).unwrap();
    writer.deliver(5, &records(5..7)).unwrap();
    assert_eq!(writer.delivered(5).unwrap(), 7);
    drop(writer);
    let mut again = open(writing(kafka.bootstrap(), &topic)).unwrap();
    assert_eq!(
        again.delivered(5).unwrap(),
        7,
        "the engine had heard of five"
    );
    again.deliver(7, &records(7..8)).unwrap();
    assert_eq!(values(&kafka, &topic), (0..8).collect::<Vec<_>>());
}

#[test]
fn records_are_written_as_they_are() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("shapes", 1);
    let mut writer = open(writing(kafka.bootstrap(), &topic)).unwrap();
    writer.delivered(0).unwrap();
    let tombstone = SinkRecord {
        value: None,
        headers: Headers::default().with("h", "1"),
        ..record(1)
    };
    let keyless = SinkRecord {
        key: None,
        value: Some(Vec::new()),
        timestamp: 0,
        ..record(2)
    };
    writer.deliver(0, &[tombstone, keyless]).unwrap();
    let read = kafka.read_committed(&topic);
    assert_eq!(
        (read[0].key_text(), read[0].value_text()),
        (Some("1".to_owned()), None)
    );
    assert_eq!(read[0].headers, [("h".to_owned(), b"1".to_vec())]);
    assert_eq!(read[0].timestamp_ms, Some(2));
    assert_eq!(
        (read[1].key_text(), read[1].value_text()),
        (None, Some(String::new()))
    );
    assert_eq!(
        read[1].timestamp_ms,
        Some(1),
        "the library takes zero for none"
    );
}

/// Hash values of Java's clients for these keys.
#[test]
fn keys_are_placed_as_java_places_them() {
    let Some(kafka) = Kafka::shared() else { return };
    const HASHES: [(&str, i32); 5] = [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("abc", 479_470_107),
    ];
    let topic = kafka.unique_topic("placed", 7);
    let mut writer = open(writing(kafka.bootstrap(), &topic)).unwrap();
    writer.delivered(0).unwrap();
    let keyed = |(key, _): (&str, i32)| SinkRecord {
        key: Some(key.as_bytes().to_vec()),
        ..record(0)
    };
    let sent: Vec<SinkRecord> = HASHES.into_iter().map(keyed).collect();
    writer.deliver(0, &sent).unwrap();
    for read in kafka.read_committed(&topic) {
        let key = read.key_text().unwrap();
        let (_, hash) = HASHES.iter().find(|(known, _)| *known == key).unwrap();
        assert_eq!(read.partition, (hash & 0x7fff_ffff) % 7, "{key}");
    }
}

#[test]
fn a_second_writer_of_the_same_name_ends_the_first() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("fenced", 1);
    let mut first = open(writing(kafka.bootstrap(), &topic)).unwrap();
    first.delivered(0).unwrap();
    first.deliver(0, &records(0..1)).unwrap();
    let mut second = open(writing(kafka.bootstrap(), &topic)).unwrap();
    assert_eq!(second.delivered(0).unwrap(), 1);
    let e = first.deliver(1, &records(1..2)).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Failed, "{e}");
    assert!(
        e.to_string()
            .contains("another process writes under the same name"),
        "{e}"
    );
    second.deliver(1, &records(1..2)).unwrap();
    assert_eq!(values(&kafka, &topic), [0, 1]);
}

#[test]
fn records_that_are_too_large_are_refused() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("plain", 1) + "-small";
    kafka.create_topic(&topic, 1, &[("max.message.bytes", "1000")]);
    let noise: Vec<u8> = (0..5_000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let large = SinkRecord {
        value: Some(noise),
        ..record(0)
    };
    for guarantee in [Guarantee::ExactlyOnce, Guarantee::AtLeastOnce] {
        let mut writer = open(Writing {
            guarantee,
            ..writing(kafka.bootstrap(), &topic)
        })
        .unwrap();
        writer.delivered(0).unwrap();
        let e = writer.deliver(0, std::slice::from_ref(&large)).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::BadRecord, "{e}");
        assert_eq!(
            e.to_string(),
            format!(
                "a record of 5001 bytes is too large for topic `{topic}` on Kafka (message.max.bytes is \
                 the limit here, max.message.bytes that of the topic)"
            )
        );
        writer.deliver(0, &records(0..1)).unwrap();
    }
    assert_eq!(values(&kafka, &topic), [0, 0]);
}

#[test]
fn a_topic_is_made_where_its_shape_is_given() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("plain", 1) + "-made";
    let e = open(writing(kafka.bootstrap(), &topic)).err().unwrap();
    assert_eq!(e.kind(), ErrorKind::NotFound);
    assert!(
        e.to_string()
            .starts_with(&format!("Kafka has no topic `{topic}` (")),
        "{e}"
    );
    assert!(
        e.to_string().ends_with("partitions = N has it made)"),
        "{e}"
    );
    let shape = Shape {
        partitions: Some(3),
        replicas: None,
        compact: false,
    };
    for _ in 0..2 {
        let mut writer = open(Writing {
            create: Some(shape),
            ..writing(kafka.bootstrap(), &topic)
        })
        .unwrap();
        let count = writer.delivered(0).unwrap();
        writer.deliver(count, &records(count..count + 20)).unwrap();
    }
    let read = kafka.read_committed(&topic);
    assert_eq!(read.len(), 40);
    let partitions: std::collections::BTreeSet<i32> = read.iter().map(|r| r.partition).collect();
    assert_eq!(partitions, [0, 1, 2].into());
}

#[test]
fn a_broker_that_was_away_loses_and_doubles_nothing() {
    let Some(mut broker) = KafkaBroker::start() else {
        return;
    };
    let kafka = broker.kafka().clone();
    let topic = kafka.unique_topic("away", 1);
    for guarantee in [Guarantee::ExactlyOnce, Guarantee::AtLeastOnce] {
        let mut hasty = writing(kafka.bootstrap(), &topic);
        hasty.guarantee = guarantee;
        hasty
            .cluster
            .properties
            .set("transaction.timeout.ms", "2000")
            .unwrap();
        hasty
            .cluster
            .properties
            .set("message.timeout.ms", "1500")
            .unwrap();
        let mut writer = open(hasty).unwrap();
        writer.delivered(0).unwrap();
        writer.deliver(0, &records(0..2)).unwrap();
        broker.kill();
        let e = writer.deliver(2, &records(2..4)).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Unavailable, "{e}");
        broker.restart();
        let mut next = writer.delivered(2).unwrap();
        assert_eq!(next, 2);
        while next < 4 {
            match writer.deliver(next, &records(next..4)) {
                Ok(_) => next = 4,
                Err(e) => assert_eq!(e.kind(), ErrorKind::Unavailable, "{e}"),
            }
            next = writer.delivered(next).unwrap();
        }
    }
    let all: Vec<u64> = (0..4).flat_map(|number| [number, number]).collect();
    assert_eq!(values(&kafka, &topic), all, "once by each writer");
}

/// Where the child of the next test writes to: `bootstrap topic`.
const CHILD: &str = "FERRIS_TEST_SINK_CHILD";

/// No test of its own: a process that delivers until it is killed.
#[test]
fn child_that_delivers() {
    let Ok(place) = std::env::var(CHILD) else {
        return;
    };
    let (bootstrap, topic) = place.split_once(' ').unwrap();
    let mut writer = open(writing(bootstrap, topic)).unwrap();
    let mut next = writer.delivered(0).unwrap();
    loop {
        println!("from {next}");
        writer.deliver(next, &records(next..next + 50)).unwrap();
        next += 50;
        println!("had {next}");
    }
}

#[test]
fn a_killed_writer_loses_and_doubles_nothing() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("killed", 2);
    let me = std::env::current_exe().unwrap();
    for round in 0..6 {
        let place = format!("{} {topic}", kafka.bootstrap());
        let test = concat!(module_path!(), "::child_that_delivers");
        let test = test.split_once("::").unwrap().1;
        let mut command = Command::new(&me);
        command
            .args([test, "--exact", "--nocapture"])
            .env(CHILD, place);
        let mut child = Process::start(&mut command);
        // Some rounds end in the middle of a delivery, others right behind one.
        for _ in 0..=round {
            child
                .stdout
                .wait_for_text(if round % 2 == 0 { "from" } else { "had" }, LIMIT);
        }
        child.kill();
    }
    let mut writer = open(writing(kafka.bootstrap(), &topic)).unwrap();
    let next = writer.delivered(0).unwrap();
    assert!(next >= 50 * (1 + 3 + 5), "{next}");
    writer.deliver(next, &records(next..next + 3)).unwrap();
    assert_eq!(values(&kafka, &topic), (0..next + 3).collect::<Vec<_>>());
}

/// `scripts/with-services.sh --kafka-only cargo test --release -p ferrisstreams-connectors writing_costs --
/// --ignored --nocapture`
#[test]
#[ignore = "a bench"]
fn writing_costs() {
    let Some(kafka) = Kafka::shared() else { return };
    for guarantee in [Guarantee::ExactlyOnce, Guarantee::AtLeastOnce] {
        let topic = kafka.unique_topic("bench", 4);
        let mut writer = open(Writing {
            guarantee,
            ..writing(kafka.bootstrap(), &topic)
        })
        .unwrap();
        writer.delivered(0).unwrap();
        let sent = Arc::new(records(0..10_000));
        for (size, rounds) in [(1, 200), (100, 200), (10_000, 20)] {
            let begun = std::time::Instant::now();
            for _ in 0..rounds {
                writer.deliver(0, &sent[..size]).unwrap();
            }
            let each: Duration = begun.elapsed() / rounds;
            println!("{guarantee:?}: {size} records at once: {each:?}");
        }
    }
}
