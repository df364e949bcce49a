//! Sources that are no topics, in applications on a cluster in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::lines::Lines;
use crate::cluster::memory::{Fault, MemoryCluster};
use crate::cluster::{Cluster, Isolation, TopicPartition};
use crate::connector::Health;
use crate::dsl::{Consumed, Grouped, Joined, Materialized, Produced, StreamsBuilder};
use crate::graph::Topology;
use crate::streams::partitioner::Partitioner;
use crate::streams::tests::{COMMIT_FAULTS, PARTITIONS, PATIENCE, config, start, wait_until};
use crate::streams::{Application, ProcessingGuarantee, StreamsState};

fn cluster() -> MemoryCluster {
    let cluster = MemoryCluster::new();
    for topic in ["orders", "priced", "towns", "seen"] {
        cluster.add_topic(topic, PARTITIONS, &[]).unwrap();
    }
    cluster.set_patience(Duration::from_millis(500));
    cluster
}

/// Writes a record to the partition of its key.
fn put(cluster: &MemoryCluster, topic: &str, key: &str, value: &str, time: i64) {
    let partition = Partitioner::default().of(Some(key.as_bytes()), PARTITIONS);
    let (key, value) = (Some(key.as_bytes()), Some(value.as_bytes()));
    cluster.append(topic, partition, key, value, time).unwrap();
}

/// All values of a topic, with the key before each, sorted.
fn all(cluster: &MemoryCluster, topic: &str) -> Vec<String> {
    let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap_or_default()).unwrap();
    let mut all = Vec::new();
    for partition in 0..PARTITIONS {
        let records = cluster.records(topic, partition, Isolation::ReadCommitted);
        let records = records.unwrap().into_iter();
        all.extend(records.map(|r| format!("{} {}", text(r.key), text(r.value))));
    }
    all.sort();
    all
}

/// The last value of each key of a topic, of those that have one.
fn last(cluster: &MemoryCluster, topic: &str) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for partition in 0..PARTITIONS {
        let records = cluster.records(topic, partition, Isolation::ReadCommitted);
        for record in records.unwrap() {
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            let key = text(record.key.unwrap());
            match record.value.map(text) {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
    }
    rows
}

fn await_last(cluster: &MemoryCluster, topic: &str, expected: &[(&str, &str)]) {
    let expected: BTreeMap<String, String> = expected
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let deadline = Instant::now() + PATIENCE;
    while last(cluster, topic) != expected {
        assert!(
            Instant::now() < deadline,
            "{topic} has {:?}\nand should have {expected:?}",
            last(cluster, topic)
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Orders with the towns of those who ordered, which are lines; and how many live in each town.
fn towns(people: &Lines) -> Topology {
    let builder = StreamsBuilder::new();
    let consumed = Consumed::plain()
        .from(Arc::new(people.clone()))
        .load_first();
    let people =
        builder.table::<String, String>("people", consumed, Materialized::named("people-by-name"));
    people
        .group_by(|_, town| (town.clone(), ()), Grouped::named("by-town"))
        .count(Materialized::named("heads"))
        .to_stream()
        .to("towns", Produced::json());
    let people = people.spread(Materialized::named("people-for-orders"));
    let orders = builder.stream::<String, String>("orders", Consumed::plain());
    let join = |order: &String, town: Option<&String>| format!("{order} in {town:?}");
    orders
        .left_join(&people, join, Joined::named("join"))
        .to("priced", Produced::plain());
    builder.build().unwrap()
}

/// Passes lines on, and counts them by their keys.
fn counted(lines: &Lines) -> Topology {
    let builder = StreamsBuilder::new();
    let consumed = Consumed::<String, String>::plain().from(Arc::new(lines.clone()));
    let lines = builder.stream("lines", consumed);
    lines.to("seen", Produced::plain());
    lines
        .group_by_key()
        .count(Materialized::named("counts"))
        .to_stream()
        .to("towns", Produced::json());
    // Something that has several tasks.
    builder
        .stream::<String, String>("orders", Consumed::plain())
        .to("priced", Produced::plain());
    builder.build().unwrap()
}

fn people_of(names: &[(&str, &str)]) -> Vec<String> {
    let line = |(name, town): &(&str, &str)| format!("{name} {town}");
    names.iter().map(line).collect()
}

#[test]
fn streams_meet_a_table_that_is_loaded_first_and_replaced() {
    let cluster = cluster();
    let lines = Lines::new("people.csv");
    // There are more people than are read at a time, and orders are older than they are.
    for at in 0..40 {
        lines.append(&format!("p{at} town{}", at % 2));
    }
    for at in 0..40 {
        put(&cluster, "orders", &format!("p{at}"), "first", -1 + at);
    }
    let app = start(&cluster, &towns(&lines), config().num_stream_threads(2));
    let expected = |order: &str, towns: usize| -> Vec<String> {
        let priced = |at| format!("p{at} {order} in Some(\"town{}\")", at % towns);
        let mut all: Vec<String> = (0..40).map(priced).collect();
        all.sort();
        all
    };
    wait_until("orders are priced", || all(&cluster, "priced").len() == 40);
    assert_eq!(all(&cluster, "priced"), expected("first", 2));
    await_last(&cluster, "towns", &[("town0", "20"), ("town1", "20")]);
    // Another content: some are gone, some have moved.
    let moved: Vec<(String, String)> = (0..30)
        .map(|at| (format!("p{at}"), format!("town{}", at % 3)))
        .collect();
    let moved: Vec<(&str, &str)> = moved.iter().map(|(p, t)| (&**p, &**t)).collect();
    lines.replace(people_of(&moved));
    let rest = [("town0", "10"), ("town1", "10"), ("town2", "10")];
    await_last(&cluster, "towns", &rest);
    app.close().unwrap();
    // Where rows are built anew, the changelog says how they differ.
    lines.append("p40 town7");
    let app = start(&cluster, &towns(&lines), config());
    let more = [
        ("town0", "10"),
        ("town1", "10"),
        ("town2", "10"),
        ("town7", "1"),
    ];
    await_last(&cluster, "towns", &more);
    app.wait_until_running(PATIENCE).unwrap();
    let table = app.table::<String, String>("people-by-name").unwrap();
    assert_eq!(table.scan(|_, _| true).unwrap().len(), 31);
    put(&cluster, "orders", "p35", "late", 500);
    put(&cluster, "orders", "p5", "late", 500);
    wait_until("late orders are there", || {
        all(&cluster, "priced").len() == 42
    });
    let late = all(&cluster, "priced");
    let late: Vec<&String> = late.iter().filter(|line| line.contains("late")).collect();
    assert_eq!(late, ["p35 late in None", "p5 late in Some(\"town2\")"]);
    // The content changes while nobody looks.
    app.close().unwrap();
    lines.replace(people_of(&[("x", "town9")]));
    let app = start(&cluster, &towns(&lines), config());
    await_last(&cluster, "towns", &[("town9", "1")]);
    app.close().unwrap();
}

#[test]
fn lines_are_read_once_whatever_fails() {
    for fault in COMMIT_FAULTS {
        let cluster = cluster();
        let lines = Lines::new("lines.csv");
        let app = start(&cluster, &counted(&lines), config());
        app.wait_until_running(PATIENCE).unwrap();
        let mut written = Vec::new();
        for round in 0..5 {
            cluster.fail_next(fault, 1);
            for at in 0..30 {
                let line = format!("k{} {round}-{at}", at % 4);
                lines.append(&line);
                written.push(line);
            }
            written.sort();
            wait_until("all are seen", || {
                all(&cluster, "seen").len() >= written.len()
            });
            assert_eq!(all(&cluster, "seen"), written, "{fault:?}");
        }
        let expected = [("k0", "40"), ("k1", "40"), ("k2", "35"), ("k3", "35")];
        await_last(&cluster, "towns", &expected);
        app.close().unwrap();
    }
}

#[test]
fn nothing_is_lost_at_least_once() {
    let cluster = cluster();
    let lines = Lines::new("lines.csv");
    let at_least_once = || {
        config()
            .processing_guarantee(ProcessingGuarantee::AtLeastOnce)
            .commit_interval(Duration::from_millis(5))
    };
    for round in 0..4 {
        let app = start(&cluster, &counted(&lines), at_least_once());
        cluster.fail_next([Fault::Flush, Fault::SendOffsets][round % 2], 1);
        for at in 0..50 {
            lines.append(&format!("k{at} {round}"));
        }
        let expected = 50 * (round + 1);
        wait_until("all are seen", || {
            let mut seen = all(&cluster, "seen");
            seen.dedup();
            seen.len() == expected
        });
        app.close().unwrap();
    }
    let see = |last: &str| {
        let app = start(&cluster, &counted(&lines), at_least_once());
        lines.append(last);
        wait_until("the last is seen", || {
            all(&cluster, "seen").iter().any(|line| line == last)
        });
        app.close().unwrap();
    };
    // What was seen last may not have been committed; nothing fails any more.
    see("last 0");
    // What was committed is not read again.
    let before = all(&cluster, "seen").len();
    see("last 1");
    assert_eq!(all(&cluster, "seen").len(), before + 1);
}

#[test]
fn tasks_wait_for_what_they_read_and_run_where_it_is() {
    let cluster = cluster();
    let lines = Lines::new("lines.csv");
    let (here, there) = (lines.elsewhere(false), lines.elsewhere(false));
    lines.append("a 1");
    let one = start(&cluster, &counted(&here), config());
    one.wait_until_running(PATIENCE).unwrap();
    put(&cluster, "orders", "k", "v", 1);
    wait_until("others run", || one.running_tasks() == [1, 2, 3].into());
    let missing = BTreeMap::from([(0, "there is no lines.csv".to_owned())]);
    wait_until("it is told", || one.unplaced_tasks() == missing);
    let told = "task 0 does not run: there is no lines.csv".to_owned();
    assert_eq!(one.health(), Health::Degraded(told));
    assert!(all(&cluster, "seen").is_empty());
    // An instance comes that has it.
    there.set_here(true);
    let two = start(&cluster, &counted(&there), config());
    wait_until("the line is seen", || all(&cluster, "seen") == ["a 1"]);
    wait_until("the task is there", || two.running_tasks().contains(&0));
    wait_until("all is well", || one.health() == Health::Healthy);
    // What was read stays where it goes away, and the task as well where nobody else has it.
    there.set_here(false);
    lines.append("b 2");
    wait_until("the line is seen", || {
        all(&cluster, "seen") == ["a 1", "b 2"]
    });
    two.close().unwrap();
    wait_until("it is told", || one.unplaced_tasks() == missing);
    lines.append("c 3");
    here.set_here(true);
    wait_until("it goes on", || {
        all(&cluster, "seen") == ["a 1", "b 2", "c 3"]
    });
    assert_eq!(one.health(), Health::Healthy);
    one.close().unwrap();
}

#[test]
fn positions_are_remembered_with_what_was_made() {
    let cluster = cluster();
    let lines = Lines::new("lines.csv");
    (0..10).for_each(|at| lines.append(&format!("k {at}")));
    let app = start(&cluster, &counted(&lines), config());
    wait_until("all are seen", || all(&cluster, "seen").len() == 10);
    app.close().unwrap();
    let records = cluster
        .records("app-positions", 0, Isolation::ReadCommitted)
        .unwrap();
    let position = records.last().unwrap();
    assert_eq!(position.key.as_deref(), Some(&b"position/0/lines/0"[..]));
    let value = position.value.clone().unwrap();
    assert_eq!((value[0], value[16]), (1, 10), "version, and offset");
    let topic = cluster.topic("app-positions").unwrap().unwrap();
    assert_eq!(topic.partitions, 1);
    assert_eq!(topic.get("cleanup.policy"), Some("compact"));
    // The group has its say in each commit of them.
    let place = TopicPartition::new("app-positions", 0);
    let at = cluster.committed("app", &[place]).unwrap();
    assert!(at[0].as_ref().unwrap().offset > 0);
}

#[test]
fn what_cannot_be_made_anew_ends_the_application() {
    let cluster = cluster();
    let lines = Lines::new("lines.csv");
    lines.append("a 1");
    let builder = StreamsBuilder::new();
    let consumed = Consumed::<String, String>::plain().from(Arc::new(lines.clone()));
    let orders = builder.stream::<String, String>("orders", Consumed::plain());
    let both = builder.stream("lines", consumed).merge(&orders);
    both.group_by(|key, _| key.clone(), Grouped::named("both"))
        .count(Materialized::named("counts"))
        .to_stream()
        .to("towns", Produced::json());
    let app = start(&cluster, &builder.build().unwrap(), config());
    put(&cluster, "orders", "a", "2", 1);
    await_last(&cluster, "towns", &[("a", "2")]);
    lines.append("b 1");
    await_last(&cluster, "towns", &[("a", "2"), ("b", "1")]);
    lines.replace(people_of(&[("a", "3")]));
    wait_until("it has ended", || app.state() == StreamsState::Error);
    let told = app.error().unwrap();
    assert!(
        told.contains("the content of lines://lines.csv was replaced"),
        "{told}"
    );
}

#[test]
fn a_table_of_lines_goes_to_the_tasks_of_those_that_meet_it() {
    let cluster = cluster();
    let lines = Lines::new("people.csv");
    (0..9).for_each(|at| lines.append(&format!("p{at} town{at}")));
    (0..9).for_each(|at| put(&cluster, "orders", &format!("p{at}"), "order", at));
    let builder = StreamsBuilder::new();
    let consumed = Consumed::plain().from(Arc::new(lines.clone()));
    let consumed = consumed.load_first();
    let people = builder.table::<String, String>("people", consumed, Materialized::named("p"));
    let orders = builder.stream::<String, String>("orders", Consumed::plain());
    let join = |order: &String, town: &String| format!("{order} in {town}");
    orders
        .join(&people, join, Joined::named("join"))
        .to("priced", Produced::plain());
    let app = start(&cluster, &builder.build().unwrap(), config());
    let expected: Vec<String> = (0..9)
        .map(|at| format!("p{at} order in town{at}"))
        .collect();
    wait_until("all are priced", || all(&cluster, "priced") == expected);
    // Here the rows are in several tasks, which cannot build them anew together.
    lines.replace(people_of(&[("a", "3")]));
    wait_until("it has ended", || app.state() == StreamsState::Error);
}

#[test]
fn a_task_is_taken_over_with_the_place_in_its_lines() {
    let cluster = cluster();
    let lines = Lines::new("lines.csv");
    let (here, there) = (lines.elsewhere(true), lines.elsewhere(true));
    let mut apps: Vec<Option<Application>> = vec![
        Some(start(&cluster, &counted(&here), config())),
        Some(start(&cluster, &counted(&there), config())),
    ];
    let mut written = Vec::new();
    for round in 0..6 {
        for at in 0..40 {
            let line = format!("k{} {round}-{at}", at % 3);
            lines.append(&line);
            written.push(line);
        }
        written.sort();
        // The one or the other ends in the middle, and comes back.
        let ends = round % 2;
        apps[ends].take().unwrap().close().unwrap();
        wait_until("all are seen", || {
            all(&cluster, "seen").len() >= written.len()
        });
        assert_eq!(all(&cluster, "seen"), written);
        apps[ends] = Some(start(&cluster, &counted(&lines), config()));
    }
    await_last(
        &cluster,
        "towns",
        &[("k0", "84"), ("k1", "78"), ("k2", "78")],
    );
}
