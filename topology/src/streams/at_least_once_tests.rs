//! Applications that do each record at least once: nothing is lost, and comes twice only after a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::tests::{
    COMMIT_FAULTS, PARTITIONS, PATIENCE, check, cluster, config, counting, expected, start,
    wait_until, write,
};
use super::{ProcessingGuarantee, StreamsConfig};
use crate::cluster::memory::{Fault, MemoryCluster};
use crate::cluster::{Isolation, TopicPartition};
use crate::dsl::{Consumed, Grouped, Materialized, Produced, StreamsBuilder};
use crate::graph::Topology;

fn at_least_once() -> StreamsConfig {
    config().processing_guarantee(ProcessingGuarantee::AtLeastOnce)
}

/// Passes words on as they are, and counts them, also by their last letters.
fn passing() -> Topology {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    words.to("seen", Produced::plain());
    let counts = words.group_by_key().count(Materialized::named("counts"));
    counts.to_stream().to("totals", Produced::json());
    let ending = |_: &String, word: &String| word[word.len() - 1..].to_owned();
    words
        .group_by(ending, Grouped::named("by-ending"))
        .count(Materialized::named("endings"));
    builder.build().unwrap()
}

/// How often each value is in the topic `seen`.
fn seen(cluster: &MemoryCluster) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    for partition in 0..PARTITIONS {
        let records = cluster.records("seen", partition, Isolation::ReadUncommitted);
        for record in records.unwrap() {
            let value = String::from_utf8(record.value.unwrap()).unwrap();
            *seen.entry(value).or_default() += 1;
        }
    }
    seen
}

fn has_all(cluster: &MemoryCluster, count: usize) -> bool {
    let seen: BTreeSet<String> = seen(cluster).into_keys().collect();
    seen.len() == count && (0..count).all(|at| seen.contains(&at.to_string()))
}

fn committed(cluster: &MemoryCluster) -> i64 {
    let of = |partition| cluster.peek_committed("app", &TopicPartition::new("words", partition));
    let all = (0..PARTITIONS).filter_map(of);
    all.map(|at| at.offset).sum()
}

#[test]
fn records_are_done_once_where_nothing_fails() {
    let cluster = cluster();
    write(&cluster, 0, 500);
    let one = start(&cluster, &counting(), at_least_once());
    check(&cluster, 500);
    let two = start(&cluster, &counting(), at_least_once().num_stream_threads(2));
    wait_until("each has a half", || {
        one.running_tasks().len() == 2 && two.running_tasks().len() == 2
    });
    write(&cluster, 500, 900);
    check(&cluster, 900);
    one.close().unwrap();
    write(&cluster, 900, 1_000);
    check(&cluster, 1_000);
    two.close().unwrap();
    let app = start(&cluster, &counting(), at_least_once());
    write(&cluster, 1_000, 1_100);
    check(&cluster, 1_100);
    let counts = app.table::<String, i64>("counts").unwrap();
    wait_until("the rows are those of the output", || {
        let rows = counts.scan(|_, _| true).unwrap();
        rows.into_iter().collect::<BTreeMap<String, i64>>() == expected(1_100)
    });
    app.close().unwrap();
    assert_eq!(committed(&cluster), 1_100);
    // Nobody has to wait for a transaction to end: there is none, and no marker takes an offset.
    let changelog = cluster.records("app-counts-changelog", 0, Isolation::ReadUncommitted);
    let offsets: Vec<i64> = changelog.unwrap().iter().map(|r| r.offset).collect();
    assert!(
        offsets.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "{offsets:?}"
    );
}

#[test]
fn whatever_fails_in_a_commit_nothing_is_lost() {
    for fault in COMMIT_FAULTS {
        let cluster = cluster();
        cluster.add_topic("seen", PARTITIONS, &[]).unwrap();
        let app = start(&cluster, &passing(), at_least_once());
        app.wait_until_running(PATIENCE).unwrap();
        let mut written = 0;
        for _ in 0..5 {
            cluster.fail_next(fault, 1);
            write(&cluster, written, written + 100);
            written += 100;
            wait_until("all were passed on", || {
                has_all(&cluster, written) && committed(&cluster) == written as i64
            });
        }
        let counts = app.table::<String, i64>("counts").unwrap();
        wait_until("the rows are there as well", || {
            let mut expected = expected(written).into_iter();
            expected.all(|(word, count)| counts.get(word).unwrap() >= Some(count))
        });
        app.close().unwrap();
        let twice = seen(&cluster).values().filter(|times| **times > 1).count();
        let fails_late = !matches!(fault, Fault::Send | Fault::Commit | Fault::AnswerLost);
        assert!(
            twice > 0 || !fails_late,
            "{fault:?} comes when records are written"
        );
    }
}

#[test]
fn what_is_not_committed_is_done_again_by_another() {
    let cluster = cluster();
    cluster.add_topic("seen", PARTITIONS, &[]).unwrap();
    // Only the first commit comes in time.
    let slow = at_least_once().commit_interval(Duration::from_secs(3_600));
    let app = start(&cluster, &passing(), slow);
    app.wait_until_running(PATIENCE).unwrap();
    write(&cluster, 0, 200);
    cluster.fail_next(Fault::SendOffsets, 1);
    app.close().unwrap();
    assert_eq!(committed(&cluster), 0);
    let app = start(&cluster, &passing(), at_least_once());
    wait_until("all were passed on", || {
        has_all(&cluster, 200) && committed(&cluster) == 200
    });
    app.close().unwrap();
}
