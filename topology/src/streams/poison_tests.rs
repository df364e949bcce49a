//! Records that cannot be read, and steps that fail, in each place and by each policy.

use std::collections::BTreeMap;

use super::tests::{PARTITIONS, PATIENCE, cluster, config, start, wait_until};
use super::{Application, ProcessingGuarantee, StreamsState};
use crate::cluster::memory::{Fault, LoggedRecord, MemoryCluster};
use crate::cluster::{Isolation, ProducerRecord, TopicPartition};
use crate::codec::json;
use crate::dsl::{Consumed, Materialized, Produced, StreamsBuilder};
use crate::graph::Topology;
use crate::policy::{DeadLetter, ErrorPolicy};
use crate::record::Headers;

type Poison = (&'static str, Option<&'static [u8]>, Option<&'static [u8]>);

/// What cannot be read, and why not.
const POISONS: [Poison; 4] = [
    ("key", Some(b"x"), Some(b"1")),
    ("value", Some(b"7"), Some(b"{")),
    ("key", None, Some(b"1")),
    ("value", Some(b"7"), None),
];

fn policies() -> [ErrorPolicy; 3] {
    let letters = ErrorPolicy::DeadLetter("dead".to_owned());
    [ErrorPolicy::Skip, letters, ErrorPolicy::Fail]
}

fn with_dead_letters() -> MemoryCluster {
    let cluster = cluster();
    cluster.add_topic("dead", PARTITIONS, &[]).unwrap();
    cluster
}

/// Passes numbers on, and counts them by their keys.
fn reading(policy: ErrorPolicy) -> Topology {
    let builder = StreamsBuilder::new();
    let consumed = Consumed::with(json(), json()).on_error(policy);
    let numbers = builder.stream::<i64, i64>("words", consumed);
    numbers.to("totals", Produced::json());
    numbers.group_by_key().count(Materialized::named("counts"));
    builder.build().unwrap()
}

fn write(cluster: &MemoryCluster, key: Option<&[u8]>, value: Option<&[u8]>) {
    let headers = Headers::default().with("trace", "t1");
    let record = ProducerRecord {
        key,
        value,
        timestamp: 5,
        headers: &headers,
    };
    let to = TopicPartition::new("words", 1);
    cluster.append_record(&to, record).unwrap();
}

/// Writes poison first, in the middle, twice in a row and last; good numbers between.
fn write_all(cluster: &MemoryCluster, poison: Poison) {
    let (_, key, value) = poison;
    for number in [
        None,
        Some("1"),
        None,
        Some("2"),
        None,
        None,
        Some("3"),
        None,
    ] {
        match number {
            None => write(cluster, key, value),
            Some(number) => write(cluster, Some(b"7"), Some(number.as_bytes())),
        }
    }
}

const POISONED: [i64; 5] = [0, 2, 4, 5, 7];

fn records(cluster: &MemoryCluster, topic: &str) -> Vec<LoggedRecord> {
    let of = |at| {
        cluster
            .records(topic, at, Isolation::ReadCommitted)
            .unwrap()
    };
    (0..PARTITIONS).flat_map(of).collect()
}

fn values(cluster: &MemoryCluster, topic: &str) -> Vec<String> {
    let text = |record: LoggedRecord| String::from_utf8(record.value.unwrap()).unwrap();
    records(cluster, topic).into_iter().map(text).collect()
}

fn committed(cluster: &MemoryCluster) -> i64 {
    let of = TopicPartition::new("words", 1);
    cluster.peek_committed("app", &of).map_or(0, |at| at.offset)
}

fn failed(app: &Application) -> u64 {
    app.env
        .graph
        .nodes
        .iter()
        .map(|node| node.stats.failed())
        .sum()
}

/// The letters have the bytes of the records as they came, and say where they stood.
fn check_letters(cluster: &MemoryCluster, poison: Poison) {
    let (part, key, value) = poison;
    let letters = records(cluster, "dead");
    let mut offsets = Vec::new();
    for letter in &letters {
        assert_eq!(
            (letter.key.as_deref(), letter.value.as_deref()),
            (key, value)
        );
        assert_eq!(letter.timestamp, 5);
        let trace = letter.headers.last("trace").unwrap();
        assert_eq!(trace.value.as_deref(), Some(&b"t1"[..]));
        let told = DeadLetter::of(&letter.headers).unwrap();
        assert!(told.message.starts_with(part), "{told:?}");
        assert_eq!((&*told.source, told.partition), ("words", 1));
        offsets.push(told.offset);
    }
    offsets.sort_unstable();
    assert_eq!(offsets, POISONED);
}

#[test]
fn poison_in_every_place_is_handled_as_the_policy_says() {
    for poison in POISONS {
        for policy in policies() {
            let cluster = with_dead_letters();
            write_all(&cluster, poison);
            let app = start(&cluster, &reading(policy.clone()), config());
            if policy == ErrorPolicy::Fail {
                wait_until("it has ended", || app.state() == StreamsState::Error);
                let error = app.error().unwrap();
                assert!(error.contains("words partition 1 offset 0"), "{error}");
                assert!(values(&cluster, "totals").is_empty() && committed(&cluster) == 0);
                continue;
            }
            wait_until("all is processed", || committed(&cluster) == 8);
            assert_eq!(values(&cluster, "totals"), ["1", "2", "3"]);
            let counts = app.table::<i64, i64>("counts").unwrap();
            wait_until("the row is there", || counts.get(7).unwrap() == Some(3));
            assert_eq!(failed(&app), 5, "{policy:?} counts them");
            match policy {
                ErrorPolicy::Skip => assert!(records(&cluster, "dead").is_empty()),
                _ => check_letters(&cluster, poison),
            }
            app.close().unwrap();
        }
    }
}

#[test]
fn dead_letters_are_written_once_with_the_transaction_that_read_them() {
    for fault in [
        Fault::Flush,
        Fault::SendOffsets,
        Fault::Commit,
        Fault::AnswerLost,
    ] {
        let cluster = with_dead_letters();
        let policy = ErrorPolicy::DeadLetter("dead".to_owned());
        let app = start(&cluster, &reading(policy), config());
        app.wait_until_running(PATIENCE).unwrap();
        cluster.fail_next(fault, 2);
        write_all(&cluster, POISONS[1]);
        wait_until("all is processed", || committed(&cluster) == 8);
        wait_until("all is there", || {
            values(&cluster, "totals") == ["1", "2", "3"]
        });
        check_letters(&cluster, POISONS[1]);
        app.close().unwrap();
    }
}

#[test]
fn poison_is_handled_without_transactions_as_well() {
    let cluster = with_dead_letters();
    let policy = ErrorPolicy::DeadLetter("dead".to_owned());
    let config = config().processing_guarantee(ProcessingGuarantee::AtLeastOnce);
    let app = start(&cluster, &reading(policy), config);
    write_all(&cluster, POISONS[0]);
    wait_until("all is processed", || committed(&cluster) == 8);
    assert_eq!(values(&cluster, "totals"), ["1", "2", "3"]);
    check_letters(&cluster, POISONS[0]);
    app.close().unwrap();
}

/// Writes numbers in a form that those below zero do not have.
fn writing(policy: ErrorPolicy) -> Topology {
    let builder = StreamsBuilder::new();
    builder.query("numbers", policy);
    let numbers = builder.stream::<i64, i64>("words", Consumed::with(json(), json()));
    let form = |_: &i64, number: &i64| -> BTreeMap<(i64, i64), i64> {
        let bad = (*number < 0).then_some(((0, 0), *number));
        bad.into_iter().collect()
    };
    numbers.map_values(form).to("totals", Produced::json());
    builder.build().unwrap()
}

#[test]
fn steps_that_fail_are_handled_as_the_policy_says() {
    for policy in policies() {
        let cluster = with_dead_letters();
        for number in ["-1", "1", "-2", "-3", "2", "-4"] {
            write(&cluster, Some(b"7"), Some(number.as_bytes()));
        }
        let app = start(&cluster, &writing(policy.clone()), config());
        if policy == ErrorPolicy::Fail {
            wait_until("it has ended", || app.state() == StreamsState::Error);
            let error = app.error().unwrap();
            assert!(error.contains("words partition 1 offset 0"), "{error}");
            assert!(values(&cluster, "totals").is_empty() && committed(&cluster) == 0);
            continue;
        }
        wait_until("all is processed", || committed(&cluster) == 6);
        assert_eq!(values(&cluster, "totals"), ["{}", "{}"]);
        assert_eq!(failed(&app), 4);
        match policy {
            ErrorPolicy::Skip => assert!(records(&cluster, "dead").is_empty()),
            // The record that was read, and not what it had become.
            _ => assert_eq!(values(&cluster, "dead"), ["-1", "-2", "-3", "-4"]),
        }
        app.close().unwrap();
    }
}
