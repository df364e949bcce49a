//! Applications, and Kafka's tools, as the tests of this folder use them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ferrisstreams::prelude::*;
use ferrisstreams_tests::{Finished, Kafka};

pub(crate) const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn config(kafka: &Kafka, id: &str) -> StreamsConfig {
    StreamsConfig::new(id)
        .bootstrap_servers(kafka.bootstrap())
        .commit_interval(Duration::from_millis(50))
}

pub(crate) fn start(topology: &Topology, config: StreamsConfig) -> Application {
    let mut app = Streams::new(topology, config).expect("its topics are there");
    app.start().expect("it is started once");
    app.wait_until_running(LIMIT).expect("the broker is there");
    app
}

pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "never so: {what}");
    }
}

/// Passes records on as they are.
pub(crate) fn passing(from: &str, to: &str) -> Topology {
    let builder = StreamsBuilder::new();
    let records = builder.stream::<String, String>(from, Consumed::plain());
    records.to(to, Produced::plain());
    builder.build().expect("the topology is in order")
}

/// Runs a tool to its end.
pub(crate) fn run(kafka: &Kafka, class: &str, arguments: &[&str]) -> Finished {
    kafka.tool(class, arguments).wait(LIMIT).assert_success()
}

/// Has Java's producer write these records, placed by its own partitioner.
pub(crate) fn produce(kafka: &Kafka, topic: &str, records: &[(String, String)]) {
    let arguments = [
        "--topic",
        topic,
        "--property",
        "parse.key=true",
        "--property",
        "key.separator=|",
    ];
    let mut producer = kafka.tool("ConsoleProducer", &arguments);
    for (key, value) in records {
        producer.write(&format!("{key}|{value}\n"));
    }
    producer.wait(LIMIT).assert_success();
}

/// Has Java's consumer read so many records, or what comes until nothing does for five seconds.
pub(crate) fn consume(
    kafka: &Kafka,
    topic: &str,
    isolation: &str,
    count: Option<usize>,
) -> Vec<(String, String)> {
    let count = count.map(|count| count.to_string());
    let mut arguments = vec![
        "--topic",
        topic,
        "--from-beginning",
        "--isolation-level",
        isolation,
        "--property",
        "print.key=true",
        "--property",
        "key.separator=|",
    ];
    match &count {
        Some(count) => arguments.extend(["--max-messages", count]),
        None => arguments.extend(["--timeout-ms", "5000"]),
    }
    let read = run(kafka, "consumer.ConsoleConsumer", &arguments).stdout;
    let record = |line: &str| {
        let (key, value) = line.split_once('|').expect("a key and a value");
        (key.to_owned(), value.to_owned())
    };
    read.lines().map(record).collect()
}

/// What is told of a partition in a group: how far it is, where it ends, and what is between.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) offset: i64,
    pub(crate) end: i64,
    pub(crate) lag: i64,
}

/// What `kafka-consumer-groups --describe` tells of a group's partitions, by topic and partition.
pub(crate) fn describe(kafka: &Kafka, group: &str) -> BTreeMap<(String, u32), Told> {
    let arguments = ["--describe", "--group", group];
    let told = run(kafka, "consumer.group.ConsumerGroupCommand", &arguments);
    let mut lines = told.stdout.lines().filter(|line| !line.is_empty());
    let header = lines.by_ref().find(|line| line.starts_with("GROUP"));
    let header: Vec<&str> = header.expect("a header").split_whitespace().collect();
    let column = |name| {
        let found = header.iter().position(|column| *column == name);
        found.unwrap_or_else(|| panic!("no column {name} in {header:?}"))
    };
    let (topic, partition) = (column("TOPIC"), column("PARTITION"));
    let (offset, end, lag) = (
        column("CURRENT-OFFSET"),
        column("LOG-END-OFFSET"),
        column("LAG"),
    );
    let mut partitions = BTreeMap::new();
    for line in lines {
        let cells: Vec<&str> = line.split_whitespace().collect();
        // What nothing was committed of has dashes.
        let number = |at: usize| cells[at].parse().unwrap_or(-1);
        let of = (
            cells[topic].to_owned(),
            cells[partition].parse().expect("a partition"),
        );
        let told = Told {
            offset: number(offset),
            end: number(end),
            lag: number(lag),
        };
        partitions.insert(of, told);
    }
    partitions
}
