//! Output that brokers refuse, and what becomes of it.

use super::tests::{PARTITIONS, PATIENCE, cluster, config, refusal, start, wait_until};
use super::{ProcessingGuarantee, ProductionExceptionHandler, StreamsConfig, StreamsState};
use crate::cluster::memory::{LoggedRecord, MemoryCluster};
use crate::cluster::{Isolation, TopicPartition};
use crate::dsl::{Consumed, Grouped, Materialized, Produced, StreamsBuilder};
use crate::graph::Topology;

/// Passes words on, over and over where they begin with a number.
fn repeating() -> Topology {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let repeat = |_: &String, word: &String| {
        let times = word
            .split_once('*')
            .and_then(|(times, _)| times.parse().ok());
        word.repeat(times.unwrap_or(1))
    };
    words.map_values(repeat).to("totals", Produced::plain());
    builder.build().unwrap()
}

fn write(cluster: &MemoryCluster, words: &[&str]) {
    for word in words {
        let (key, value) = (Some(&b"k"[..]), Some(word.as_bytes()));
        cluster.append("words", 1, key, value, 1).unwrap();
    }
}

fn records(cluster: &MemoryCluster, topic: &str, isolation: Isolation) -> Vec<LoggedRecord> {
    let of = |partition| cluster.records(topic, partition, isolation).unwrap();
    (0..PARTITIONS).flat_map(of).collect()
}

fn values(cluster: &MemoryCluster, topic: &str) -> Vec<String> {
    let records = records(cluster, topic, Isolation::ReadCommitted).into_iter();
    let text = |record: LoggedRecord| String::from_utf8(record.value.unwrap()).unwrap();
    records.map(text).collect()
}

fn dead_letters() -> StreamsConfig {
    let to = ProductionExceptionHandler::DeadLetter("dead".to_owned());
    config().production_exception_handler(to)
}

fn text(record: &LoggedRecord, header: &str) -> Option<String> {
    let value = record.headers.last(header)?.value.clone()?;
    Some(String::from_utf8(value).unwrap())
}

/// Where a limit is: at the producer or at the brokers.
const LIMITS: [fn(&MemoryCluster, usize); 2] = [
    MemoryCluster::set_max_request_bytes,
    MemoryCluster::set_max_record_bytes,
];

#[test]
fn a_record_that_is_refused_ends_the_application_unless_something_else_is_said() {
    for limit in LIMITS {
        let cluster = cluster();
        write(&cluster, &["one", "9000*large", "two"]);
        limit(&cluster, 20_000);
        let app = start(&cluster, &repeating(), config());
        wait_until("it has ended", || app.state() == StreamsState::Error);
        let error = app.error().unwrap();
        assert!(error.contains("cannot be written to totals"), "{error}");
        assert!(error.contains("production_exception_handler"), "{error}");
        assert!(values(&cluster, "totals").is_empty());
        assert!(app.close().is_err());
    }
}

#[test]
fn what_is_refused_is_left_out_and_the_rest_is_written_once() {
    let guarantees = [
        ProcessingGuarantee::ExactlyOnce,
        ProcessingGuarantee::AtLeastOnce,
    ];
    for (limit, guarantee) in LIMITS.into_iter().flat_map(|l| guarantees.map(|g| (l, g))) {
        let cluster = cluster();
        limit(&cluster, 20_000);
        let config = config().processing_guarantee(guarantee);
        let config = config.production_exception_handler(ProductionExceptionHandler::Continue);
        let app = start(&cluster, &repeating(), config);
        app.wait_until_running(PATIENCE).unwrap();
        // In all places: first, twice in a row, last, and alone.
        write(
            &cluster,
            &[
                "9000*a", "one", "9000*b", "9000*c", "two", "9000*b", "three", "9000*d",
            ],
        );
        write(&cluster, &["9000*e"]);
        write(&cluster, &["four"]);
        let expected = ["one", "two", "three", "four"];
        wait_until("the rest is there", || {
            let mut values = values(&cluster, "totals");
            values.dedup();
            values.ends_with(&["four".to_owned()]) && app.refused_records() >= 6
        });
        if guarantee == ProcessingGuarantee::ExactlyOnce {
            assert_eq!(values(&cluster, "totals"), expected);
        }
        app.close().unwrap();
        let of = TopicPartition::new("words", 1);
        assert_eq!(cluster.peek_committed("app", &of).unwrap().offset, 10);
    }
}

/// A cluster whose topic `totals` takes small records only, and a topic for dead letters.
fn narrow() -> MemoryCluster {
    let cluster = MemoryCluster::new();
    cluster.add_topic("words", PARTITIONS, &[]).unwrap();
    let limit = [("max.message.bytes", "20")];
    cluster.add_topic("totals", PARTITIONS, &limit).unwrap();
    cluster.add_topic("dead", PARTITIONS, &[]).unwrap();
    cluster
}

#[test]
fn dead_letters_say_what_they_were() {
    let cluster = narrow();
    let app = start(&cluster, &repeating(), dead_letters());
    app.wait_until_running(PATIENCE).unwrap();
    write(&cluster, &["one", "9*large", "two", "20000*large"]);
    wait_until("all is there", || {
        values(&cluster, "totals") == ["one", "two"] && values(&cluster, "dead").len() == 2
    });
    app.close().unwrap();
    let letters = records(&cluster, "dead", Isolation::ReadCommitted);
    for (letter, offset) in letters.iter().zip(["1", "3"]) {
        assert_eq!(
            (letter.key.as_deref(), letter.timestamp),
            (Some(&b"k"[..]), 1)
        );
        let message = text(letter, "__streams.errors.message").unwrap();
        assert!(message.contains("its limit is 20"), "{message}");
        let place = ["sink", "topic", "partition", "offset"]
            .map(|of| text(letter, &format!("__streams.errors.{of}")).unwrap());
        assert_eq!(place, ["totals", "words", "1", offset]);
    }
    let bytes = "__streams.errors.value.bytes";
    assert_eq!(
        letters[0].value.as_deref(),
        Some("9*large".repeat(9).as_bytes())
    );
    assert_eq!(text(&letters[0], bytes), None);
    assert_eq!(letters[1].value.as_ref().unwrap().len(), 65_536);
    assert_eq!(text(&letters[1], bytes).unwrap(), "220000");
    // Each was sent once among what is committed, whatever was tried before.
    assert_eq!(letters.len(), 2);
}

#[test]
fn dead_letters_that_are_refused_end_the_application() {
    for limit in LIMITS {
        let cluster = narrow();
        write(&cluster, &["one", "9000*large"]);
        // Not even what is cut off fits.
        limit(&cluster, 20_000);
        let app = start(&cluster, &repeating(), dead_letters());
        wait_until("it has ended", || app.state() == StreamsState::Error);
        let error = app.error().unwrap();
        assert!(
            error.contains("a dead letter cannot be written to dead"),
            "{error}"
        );
        assert!(values(&cluster, "totals").is_empty());
    }
}

#[test]
fn a_topic_for_dead_letters_must_be_there() {
    let told = refusal(&repeating(), &cluster(), dead_letters());
    assert!(
        told.contains("there is no topic dead for dead letters"),
        "{told}"
    );
}

/// The last word of each first letter.
fn reducing() -> Topology {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let first = |_: &String, word: &String| word[..1].to_owned();
    let by_first = words.group_by(first, Grouped::named("by-first"));
    let reduced = by_first.reduce(|new, _| new.clone(), Materialized::named("last"));
    reduced.to_stream().to("totals", Produced::plain());
    builder.build().unwrap()
}

#[test]
fn a_row_that_its_changelog_refuses_ends_the_application_with_what_to_raise() {
    for limit in LIMITS {
        let cluster = cluster();
        write(&cluster, &["one"]);
        let config = config().production_exception_handler(ProductionExceptionHandler::Continue);
        let app = start(&cluster, &reducing(), config);
        wait_until("one is there", || values(&cluster, "totals") == ["one"]);
        // The record passes, and what the store keeps with it does not; all else that is remembered is shorter.
        limit(&cluster, 100);
        write(&cluster, &[&"o".repeat(98)]);
        wait_until("it has ended", || app.state() == StreamsState::Error);
        let error = app.error().unwrap();
        assert!(error.contains("app-last-changelog"), "{error}");
        assert!(
            error.contains("raise max.message.bytes of the topic"),
            "{error}"
        );
    }
}
