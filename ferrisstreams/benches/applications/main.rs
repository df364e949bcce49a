//! What a record costs an application on Kafka, in CPU time of its process: one thread, one partition,
//! JSON orders of 160 bytes, and the defaults of the configuration.
//!
//! `make bench-kafka` runs the same jobs in Kafka Streams on the same broker and orders, in turn with
//! ours. By itself, without Kafka Streams, it needs no more than a broker:
//! `scripts/with-services.sh --kafka-only cargo bench -p ferrisstreams --bench applications`.
//! A word chooses the jobs whose names contain it; `latency` measures how long orders are under way. Properties of our clients, such as
//! `linger.ms=5 compression.type=none`, may be in `FERRIS_BENCH_PROPERTIES`.
//!
//! The first half of the records is not counted, so that what is measured is an application under way,
//! and code that the JVM has compiled. What it takes to end is counted: it is when the rest is committed.
//!
//! Behind the job with most keys its application is started again without its state, and what a record of the
//! changelog costs is counted until all of it is there.

#![allow(clippy::print_stdout, reason = "results go to standard output")]

/// As the command `ferris` has it.
#[path = "../../../cli/src/allocator.rs"]
mod allocator;
mod kafka_streams;
mod latency;
mod orders;
mod ours;

use ferrisstreams::cluster::{Cluster, Isolation, TopicPartition};
use ferrisstreams::connect::kafka::KafkaCluster;
use ferrisstreams::prelude::*;

use self::kafka_streams::KafkaStreams;
use self::ours::Job;

const JOBS: [(&str, Job, u64); 4] = [
    ("pass through", Job::Pass, 10_000),
    ("filter half", Job::Filter, 10_000),
    ("COUNT and SUM by key, 10,000 keys", Job::Count, 10_000),
    (
        "COUNT and SUM by key, 1,000,000 keys",
        Job::Count,
        1_000_000,
    ),
];

const GUARANTEES: [(&str, ProcessingGuarantee); 2] = [
    ("at least once", ProcessingGuarantee::AtLeastOnce),
    ("exactly once", ProcessingGuarantee::ExactlyOnce),
];

fn main() {
    allocator::set_up();
    let Ok(brokers) = std::env::var("FERRIS_TEST_KAFKA") else {
        println!("applications: left out, as there is no broker (see scripts/with-services.sh)");
        return;
    };
    let word = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let word = word.unwrap_or_default();
    let properties = std::env::var("FERRIS_BENCH_PROPERTIES").unwrap_or_default();
    let properties = properties.split_whitespace();
    let properties = properties.map(|one| one.split_once('=').expect("NAME=VALUE"));
    let properties = properties.chain([("bootstrap.servers", &*brokers)]);
    let cluster = KafkaCluster::new(properties).expect("a cluster");
    let theirs = KafkaStreams::from_env(&brokers);
    println!(
        "| thousand records a CPU second | guarantee | Kafka Streams | FerrisStreams | ratio |"
    );
    println!("|---|---|--:|--:|--:|");
    let mut written = Vec::new();
    for (name, job, keys) in JOBS.iter().filter(|(name, ..)| name.contains(&word)) {
        if !written.contains(keys) {
            orders::write(&cluster, *keys);
            written.push(*keys);
        }
        for (promise, guarantee) in GUARANTEES {
            let from = orders::topic_of(*keys);
            let restores = *job == Job::Count && *keys > 100_000;
            let theirs = theirs.as_ref().map(|theirs| {
                with_topics(&cluster, |id, to| {
                    let what = (*job, guarantee);
                    let run = theirs.run(what, id, (&from, to), orders::RECORDS);
                    let restore = || theirs.restore(guarantee, id, (&from, to));
                    (run, restores.then(restore))
                })
            });
            let ours = with_topics(&cluster, |id, to| {
                let (what, topics) = ((*job, guarantee), (&*from, to));
                let run = ours::run(&cluster, what, id, topics, orders::RECORDS);
                let restore = || ours::restore(&cluster, what, id, topics);
                (run, restores.then(restore))
            });
            println!("{}", row(name, promise, theirs.map(|(run, _)| run), ours.0));
            if let (_, Some(ours)) = ours {
                let theirs = theirs.and_then(|(_, restore)| restore);
                println!(
                    "{}",
                    row(
                        &format!("the store of {name}, restored"),
                        promise,
                        theirs,
                        ours
                    )
                );
            }
        }
    }
    if "latency".contains(&word) {
        latencies(&cluster, theirs.as_ref(), &brokers);
    }
}

/// How long orders are under way that come at a steady rate.
fn latencies(cluster: &KafkaCluster, theirs: Option<&KafkaStreams>, brokers: &str) {
    println!(
        "\n| latency in ms at {} orders a second | guarantee | p50 | p99 |\n|---|---|--:|--:|",
        latency::RATE
    );
    for (promise, guarantee) in GUARANTEES {
        let what = (Job::Pass, guarantee);
        let row = |who: &str, run: &(dyn Fn(&str, (&str, &str)) + Sync)| {
            with_topics(cluster, |id, to| {
                let from = format!("{id}-in");
                orders::make(cluster, &from);
                let topics = (&*from, to);
                let found = latency::measure(cluster, brokers, topics, || run(id, topics));
                println!("| {who} | {promise} | {} | {} |", found.p50, found.p99);
            });
        };
        if let Some(theirs) = theirs {
            row("Kafka Streams", &|id, topics| {
                theirs.run(what, id, topics, latency::RECORDS);
            });
        }
        row("FerrisStreams", &|id, topics| {
            ours::run(cluster, what, id, topics, latency::RECORDS);
        });
    }
}

/// One line of the table, from nanoseconds a record.
fn row(name: &str, promise: &str, theirs: Option<f64>, ours: f64) -> String {
    let thousands = 1e6 / ours;
    match theirs {
        Some(theirs) => format!(
            "| {name} | {promise} | {:.0} | {thousands:.0} | {:.1} |",
            1e6 / theirs,
            theirs / ours
        ),
        None => format!("| {name} | {promise} | - | {thousands:.0} | - |"),
    }
}

/// Does something with a new application id and a new topic for its output, whose records it drops afterwards.
fn with_topics<T>(cluster: &KafkaCluster, run: impl FnOnce(&str, &str) -> T) -> T {
    let nanos = std::time::UNIX_EPOCH
        .elapsed()
        .expect("it is after 1970")
        .as_nanos();
    let id = format!("bench-{nanos:x}");
    let to = TopicPartition::new(format!("{id}-out"), 0);
    orders::make(cluster, &to.topic);
    let measured = run(&id, &to.topic);
    let range = cluster
        .offsets(&to, Isolation::ReadCommitted)
        .expect("offsets");
    assert!(range.end > range.first, "{} is empty", to.topic);
    cluster
        .delete_records(&[(to, range.end)])
        .expect("it is dropped");
    measured
}
