//! Applications on a cluster in memory.

mod expired;
mod grown;
mod marks;
mod metrics;
mod standbys;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Application, StreamsConfig, StreamsState};
use crate::cluster::memory::{Fault, MarkerTarget, Markers, MemoryCluster};
use crate::cluster::{Cluster, Isolation, TopicPartition};
use crate::dsl::{Consumed, Grouped, Joined, KStream, Materialized, Produced, StreamsBuilder};
use crate::error::{ErrorKind, Result};
use crate::graph::Topology;

pub(super) const PARTITIONS: u32 = 4;
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What may fail in a commit.
pub(super) const COMMIT_FAULTS: [Fault; 6] = [
    Fault::Send,
    Fault::Flush,
    Fault::SendOffsets,
    Fault::Commit,
    Fault::CommitLost,
    Fault::AnswerLost,
];

pub(super) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never so: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Counts words, which are the keys.
pub(super) fn counting() -> Topology {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let counts = words.group_by_key().count(Materialized::named("counts"));
    counts.to_stream().to("totals", Produced::json());
    builder.build().unwrap()
}

pub(super) fn cluster() -> MemoryCluster {
    let cluster = MemoryCluster::new();
    cluster.add_topic("words", PARTITIONS, &[]).unwrap();
    cluster.add_topic("totals", PARTITIONS, &[]).unwrap();
    cluster.set_patience(Duration::from_millis(500));
    cluster
}

pub(super) fn config() -> StreamsConfig {
    StreamsConfig::new("app").commit_interval(Duration::from_millis(5))
}

pub(super) fn start(
    cluster: &MemoryCluster,
    topology: &Topology,
    config: StreamsConfig,
) -> Application {
    let mut app = Application::new(topology, Arc::new(cluster.clone()), config).unwrap();
    app.start().unwrap();
    app
}

/// Writes the markers of what instances tell each other.
fn settle_control(cluster: &MemoryCluster) {
    for target in cluster.markers_in_flight() {
        if target.to_string() == "app-control-0" {
            cluster.write_markers_to(&target);
        }
    }
}

/// Writes records, each to the partition of its key.
pub(super) fn write(cluster: &MemoryCluster, from: usize, to: usize) {
    let mut partitioner = super::partitioner::Partitioner::default();
    for at in from..to {
        let word = format!("word{}", at % 23);
        let partition = partitioner.of(Some(word.as_bytes()), PARTITIONS);
        let value = at.to_string();
        cluster
            .append(
                "words",
                partition,
                Some(word.as_bytes()),
                Some(value.as_bytes()),
                at as i64,
            )
            .unwrap();
    }
}

/// The values that a reader of what is committed has seen, sorted.
pub(super) fn values(cluster: &MemoryCluster) -> Vec<String> {
    let all = (0..PARTITIONS).flat_map(|partition| {
        let records = cluster.records("totals", partition, Isolation::ReadCommitted);
        records.unwrap()
    });
    let mut all: Vec<String> = all
        .map(|record| String::from_utf8(record.value.unwrap().to_vec()).unwrap())
        .collect();
    all.sort();
    all
}

/// What a reader of what is committed has seen of each word: all its counts, in order.
pub(super) fn totals(cluster: &MemoryCluster) -> BTreeMap<String, Vec<i64>> {
    let mut totals: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for partition in 0..PARTITIONS {
        for record in cluster
            .records("totals", partition, Isolation::ReadCommitted)
            .unwrap()
        {
            let word = String::from_utf8(record.key.unwrap().to_vec()).unwrap();
            let count = std::str::from_utf8(&record.value.unwrap()).unwrap().parse();
            totals.entry(word).or_default().push(count.unwrap());
        }
    }
    totals
}

fn last_totals(cluster: &MemoryCluster) -> BTreeMap<String, i64> {
    let totals = totals(cluster).into_iter();
    totals
        .map(|(word, counts)| (word, *counts.last().unwrap()))
        .collect()
}

pub(super) fn expected(records: usize) -> BTreeMap<String, i64> {
    let mut expected = BTreeMap::new();
    for at in 0..records {
        *expected.entry(format!("word{}", at % 23)).or_insert(0) += 1;
    }
    expected
}

/// Waits until the last counts are those of so many records, and checks that none was seen twice.
pub(super) fn check(cluster: &MemoryCluster, records: usize) {
    let expected = expected(records);
    let deadline = Instant::now() + PATIENCE;
    while last_totals(cluster) != expected {
        assert!(
            Instant::now() < deadline,
            "the counts are {:?}\nand should be {expected:?}",
            last_totals(cluster)
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    for (word, counts) in totals(cluster) {
        assert!(counts.is_sorted_by(|a, b| a < b), "{word}: {counts:?}");
    }
}

#[test]
fn counts_are_written_once_and_can_be_read() {
    let cluster = cluster();
    write(&cluster, 0, 1_000);
    let app = start(&cluster, &counting(), config().num_stream_threads(2));
    app.wait_until_running(PATIENCE).unwrap();
    assert_eq!(app.running_tasks().len(), PARTITIONS as usize);
    check(&cluster, 1_000);
    let counts = app.table::<String, i64>("counts").unwrap();
    assert_eq!(
        counts.get("word3").unwrap(),
        expected(1_000).get("word3").copied()
    );
    write(&cluster, 1_000, 1_500);
    check(&cluster, 1_500);
    let table: BTreeMap<String, i64> = counts.scan(|_, _| true).unwrap().into_iter().collect();
    assert_eq!(table, expected(1_500));
    app.close().unwrap();
    let app = start(&cluster, &counting(), config());
    write(&cluster, 1_500, 1_600);
    check(&cluster, 1_600);
    app.close().unwrap();
    assert!(cluster.members("app").is_empty());
}

#[test]
fn tasks_are_shared_and_move_when_instances_come_and_go() {
    let cluster = cluster();
    let one = start(&cluster, &counting(), config());
    one.wait_until_running(PATIENCE).unwrap();
    write(&cluster, 0, 500);
    let two = start(&cluster, &counting(), config());
    let share = |app: &Application| app.running_tasks().len();
    wait_until("each has a half", || share(&one) == 2 && share(&two) == 2);
    write(&cluster, 500, 1_000);
    check(&cluster, 1_000);
    assert!(one.running_tasks().is_disjoint(&two.running_tasks()));
    let counts = |app: &Application| {
        let table = app.table::<String, i64>("counts").unwrap();
        let rows = table.scan(|_, _| true).unwrap();
        rows.into_iter()
            .map(|(word, _)| word)
            .collect::<BTreeSet<_>>()
    };
    let (of_one, of_two) = (counts(&one), counts(&two));
    assert!(
        of_one.is_disjoint(&of_two),
        "rows of tasks that have left are not read"
    );
    assert_eq!(of_one.len() + of_two.len(), expected(1_000).len());
    one.close().unwrap();
    wait_until("one has all", || share(&two) == 4);
    write(&cluster, 1_000, 1_500);
    check(&cluster, 1_500);
    two.close().unwrap();
}

#[test]
fn whatever_fails_in_a_commit_nothing_is_lost_or_doubled() {
    for fault in COMMIT_FAULTS {
        let cluster = cluster();
        let app = start(&cluster, &counting(), config());
        app.wait_until_running(PATIENCE).unwrap();
        let mut written = 0;
        for _ in 0..5 {
            cluster.fail_next(fault, 1);
            write(&cluster, written, written + 100);
            written += 100;
            check(&cluster, written);
        }
        app.close().unwrap();
    }
}

#[test]
fn a_task_is_taken_over_behind_markers_that_are_still_to_be_written() {
    let cluster = cluster();
    cluster.set_markers(Markers::Held);
    let one = start(&cluster, &counting(), config());
    let runs = |app: &Application| {
        settle_control(&cluster);
        app.state() == StreamsState::Running
    };
    wait_until("it runs", || runs(&one));
    write(&cluster, 0, 300);
    wait_until("it is committed", || {
        !cluster.markers_in_flight().is_empty()
            && one
                .table::<String, i64>("counts")
                .unwrap()
                .scan(|_, _| true)
                .unwrap()
                .len()
                == 23
    });
    one.close().unwrap();
    // The offsets are told once their own markers are there, and those of the rows are not yet: the last
    // stable offsets of the changelogs stand before rows that go with the offsets.
    for target in cluster.markers_in_flight() {
        if matches!(target, MarkerTarget::Group(_)) {
            cluster.write_markers_to(&target);
        }
    }
    let two = start(&cluster, &counting(), config());
    wait_until("it waits for the rows", || {
        settle_control(&cluster);
        two.restore_lag() > 0
    });
    cluster.set_markers(Markers::AtOnce);
    cluster.write_markers();
    two.wait_until_running(PATIENCE).unwrap();
    write(&cluster, 300, 600);
    check(&cluster, 600);
    two.close().unwrap();
}

#[test]
fn tables_are_joined_with_streams_after_a_restart() {
    let build = || {
        let builder = StreamsBuilder::new();
        let users = builder.table::<String, String>(
            "users",
            Consumed::plain(),
            Materialized::named("users-by-id"),
        );
        let words = builder.stream::<String, String>("words", Consumed::plain());
        let join = |word: &String, user: &String| format!("{word} by {user}");
        words
            .join(&users, join, Joined::named("join"))
            .to("totals", Produced::plain());
        builder.build().unwrap()
    };
    let cluster = cluster();
    cluster.add_topic("users", PARTITIONS, &[]).unwrap();
    let append = |topic: &str, key: &str, value: Option<&str>, time| {
        let bytes = value.map(str::as_bytes);
        cluster
            .append(topic, 1, Some(key.as_bytes()), bytes, time)
            .unwrap()
    };
    append("users", "a", Some("anna"), 1);
    append("users", "b", Some("bob"), 2);
    append("words", "a", Some("one"), 3);
    let app = start(&cluster, &build(), config());
    wait_until("one is joined", || values(&cluster) == ["one by anna"]);
    app.close().unwrap();
    append("users", "b", None, 4);
    append("words", "b", Some("two"), 5);
    append("words", "a", Some("three"), 6);
    let app = start(&cluster, &build(), config());
    wait_until("two are joined", || {
        values(&cluster) == ["one by anna", "three by anna"]
    });
    app.close().unwrap();
}

#[test]
fn who_was_not_started_is_told_so() {
    let app = Application::new(&counting(), Arc::new(cluster()), config()).unwrap();
    let told = app
        .wait_until_running(Duration::ZERO)
        .unwrap_err()
        .to_string();
    assert!(told.contains("was not started"), "{told}");
}

pub(super) fn refusal(
    topology: &Topology,
    cluster: &MemoryCluster,
    config: StreamsConfig,
) -> String {
    let made: Result<Application> = Application::new(topology, Arc::new(cluster.clone()), config);
    made.unwrap_err().to_string()
}

#[test]
fn what_cannot_run_is_refused_with_the_remedy() {
    let cluster = MemoryCluster::new();
    assert!(refusal(&counting(), &cluster, config()).contains("there is no topic words to read"));
    cluster.add_topic("words", 4, &[]).unwrap();
    assert!(refusal(&counting(), &cluster, config()).contains("there is no topic totals to write"));
    cluster.add_topic("totals", 1, &[]).unwrap();
    let named = |id: &str| StreamsConfig::new(id);
    assert!(refusal(&counting(), &cluster, named("a b")).contains("`a b`"));

    // Another number of partitions than its own topics have.
    cluster.add_topic("old-counts-changelog", 3, &[]).unwrap();
    let told = refusal(&counting(), &cluster, named("old"));
    assert!(
        told.contains("old-counts-changelog has 3 partitions"),
        "{told}"
    );
    let wrong = [("cleanup.policy", "delete")];
    cluster
        .add_topic("lossy-counts-changelog", 4, &wrong)
        .unwrap();
    let told = refusal(&counting(), &cluster, named("lossy"));
    assert!(told.contains("cleanup.policy=delete"), "{told}");

    // Topics that meet and do not fit.
    cluster.add_topic("three", 3, &[]).unwrap();
    let builder = StreamsBuilder::new();
    let words = |name: &str| -> KStream<String, String> { builder.stream(name, Consumed::plain()) };
    words("words")
        .merge(&words("three"))
        .to("totals", Produced::plain());
    let topology = builder.build().unwrap();
    let told = refusal(&topology, &cluster, config());
    assert!(told.contains("have 4 and 3 partitions"), "{told}");

    // Records that move in a form that nobody has said.
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    words
        .map_values(|_, word| (word.len() as i64, word.clone()))
        .group_by(|_, (length, _)| *length, Grouped::named("by-length"))
        .count(Materialized::named("moved"));
    let topology = builder.build().unwrap();
    let told = refusal(&topology, &cluster, config());
    assert!(
        told.contains("by-length") && told.contains("values_as"),
        "{told}"
    );

    // Changes that move in a form that nobody has said.
    let builder = StreamsBuilder::new();
    let words = Materialized::named("words-by-key");
    let words = builder.table::<String, String>("words", Consumed::plain(), words);
    words
        .filter_group_by(
            |_, word| Some((word.clone(), word.clone())),
            Grouped::named("by-word"),
        )
        .count(Materialized::named("changed"));
    let topology = builder.build().unwrap();
    let told = refusal(&topology, &cluster, config());
    assert!(
        told.contains("by-word") && told.contains("values_as on the grouped table"),
        "{told}"
    );

    // Keys that meet in two forms.
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let users = Consumed::with(crate::codec::json(), crate::codec::plain());
    cluster.add_topic("users", 4, &[]).unwrap();
    let users = builder.table::<String, String>("users", users, Materialized::named("users-by-id"));
    let join = |word: &String, _: &String| word.clone();
    words
        .join(&users, join, Joined::named("join"))
        .to("totals", Produced::plain());
    let topology = builder.build().unwrap();
    let told = refusal(&topology, &cluster, config());
    assert!(
        told.contains("plain string") && told.contains("json"),
        "{told}"
    );
}

/// Counts words, which are the values, under keys that say nothing of them.
fn counting_values() -> Topology {
    let builder = StreamsBuilder::new();
    let lines = builder.stream::<String, String>("lines", Consumed::plain());
    let words = lines
        .flat_map_values(|_, line| line.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .values_as(crate::codec::plain());
    let counts = words
        .group_by(|_, word| word.clone(), Grouped::named("by-word"))
        .count(Materialized::named("counts"));
    counts.to_stream().to("totals", Produced::json());
    builder.build().unwrap()
}

fn write_lines(cluster: &MemoryCluster, from: usize, to: usize) {
    for at in (from..to).step_by(2) {
        let line = format!("word{} word{}", at % 23, (at + 1) % 23);
        let key = format!("line{at}");
        let partition = at as u32 / 2 % PARTITIONS;
        cluster
            .append(
                "lines",
                partition,
                Some(key.as_bytes()),
                Some(line.as_bytes()),
                at as i64,
            )
            .unwrap();
    }
}

#[test]
fn records_under_new_keys_travel_through_a_topic() {
    let cluster = cluster();
    cluster.add_topic("lines", PARTITIONS, &[]).unwrap();
    write_lines(&cluster, 0, 400);
    let one = start(&cluster, &counting_values(), config());
    check(&cluster, 400);
    let two = start(&cluster, &counting_values(), config().num_stream_threads(2));
    wait_until("each has a half", || {
        one.running_tasks().len() == 2 && two.running_tasks().len() == 2
    });
    for at in 2..8 {
        for fault in [Fault::Flush, Fault::SendOffsets, Fault::AnswerLost] {
            cluster.fail_next(fault, 1);
        }
        write_lines(&cluster, at * 200, (at + 1) * 200);
    }
    check(&cluster, 1_600);
    one.close().unwrap();
    write_lines(&cluster, 1_600, 2_000);
    check(&cluster, 2_000);
    let moved = cluster.topic("app-by-word-repartition").unwrap().unwrap();
    assert_eq!(moved.partitions, PARTITIONS);
    assert_eq!(moved.get("retention.ms"), Some("-1"));
    two.close().unwrap();
}

#[test]
fn a_stream_meets_a_table_under_another_key() {
    let builder = StreamsBuilder::new();
    let users = Materialized::named("users-by-id");
    let users = builder.table::<String, String>("users", Consumed::plain(), users);
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let join = |word: &String, user: Option<&String>| {
        format!("{word} by {}", user.map_or("nobody", String::as_str))
    };
    words
        .select_key(|_, word| word[..1].to_owned())
        .left_join(&users, join, Joined::named("join"))
        .to("totals", Produced::plain());
    let topology = builder.build().unwrap();
    let cluster = cluster();
    cluster.add_topic("users", PARTITIONS, &[]).unwrap();
    let mut partitioner = super::partitioner::Partitioner::default();
    for (key, name) in [("a", "anna"), ("b", "bob"), ("c", "carl")] {
        let partition = partitioner.of(Some(key.as_bytes()), PARTITIONS);
        cluster
            .append(
                "users",
                partition,
                Some(key.as_bytes()),
                Some(name.as_bytes()),
                1,
            )
            .unwrap();
    }
    for (at, word) in ["apple", "berry", "cherry", "date"].iter().enumerate() {
        cluster
            .append("words", at as u32, Some(b"k"), Some(word.as_bytes()), 5)
            .unwrap();
    }
    let app = start(&cluster, &topology, config());
    let expected = [
        "apple by anna",
        "berry by bob",
        "cherry by carl",
        "date by nobody",
    ];
    wait_until("all are joined", || values(&cluster) == expected);
    app.close().unwrap();
}

#[test]
fn a_record_that_fails_the_query_ends_the_application() {
    let cluster = cluster();
    let builder = StreamsBuilder::new();
    builder.query("numbers", crate::ErrorPolicy::Fail);
    let consumed = Consumed::json().on_error(crate::ErrorPolicy::Fail);
    let numbers = builder.stream::<String, i64>("words", consumed);
    numbers.to("totals", Produced::json());
    let topology = builder.build().unwrap();
    cluster
        .append("words", 0, Some(b"a"), Some(b"1"), 1)
        .unwrap();
    cluster
        .append("words", 0, Some(b"b"), Some(b"oops"), 2)
        .unwrap();
    let app = start(&cluster, &topology, config());
    wait_until("it has failed", || app.state() == StreamsState::Error);
    let error = app.error().unwrap();
    assert!(error.contains("words"), "{error}");
    assert_eq!(app.close().unwrap_err().kind(), ErrorKind::Failed);
    let bad = TopicPartition::new("words", 0);
    let committed = cluster.committed("app", &[bad]).unwrap();
    assert!(
        committed[0].as_ref().is_none_or(|at| at.offset <= 1),
        "{committed:?}"
    );
}
