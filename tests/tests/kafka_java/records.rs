//! Records that Java's clients write for us, and read from us.

use std::collections::BTreeMap;

use ferrisstreams::prelude::*;
use ferrisstreams_tests::{ConsumedRecord, Kafka, Record as Written};

use crate::tool::{config, consume, passing, produce, start, wait_until};

const PARTITIONS: i32 = 12;

/// Names of all lengths that the partitioner takes apart differently, some not of ASCII.
fn users() -> Vec<String> {
    let plain = (0..400).map(|at| format!("user{at}"));
    let long = (0..20).map(|at| "u".repeat(at + 1));
    let other = ["Ünal", "ångström", "用户", "🦀 crab", "-", " "];
    plain.chain(long).chain(other.map(str::to_owned)).collect()
}

/// The last value of each key of a topic.
fn last_values(kafka: &Kafka, topic: &str) -> BTreeMap<String, String> {
    let records = kafka.read_committed(topic);
    let pair = |record: &ConsumedRecord| Some((record.key_text()?, record.value_text()?));
    records.iter().filter_map(pair).collect()
}

#[test]
fn what_java_placed_meets_what_we_placed() {
    let Some(kafka) = Kafka::shared() else { return };
    let plans = kafka.unique_topic("java-plans", PARTITIONS);
    let raw = kafka.unique_topic("java-raw", 3);
    let clicks = kafka.unique_topic("java-clicks", PARTITIONS);
    let (joined, counted) = (
        kafka.unique_topic("java-joined", 1),
        kafka.unique_topic("java-counted", 1),
    );
    let users = users();
    let plan_of = |user: &str| format!("plan of {user}");
    let written: Vec<(String, String)> = users
        .iter()
        .map(|user| (user.clone(), plan_of(user)))
        .collect();
    produce(&kafka, &plans, &written);

    // An application of ours gives clicks their places, and another joins them with what Java placed.
    let id = |name: &str| plans.replace("plans", name);
    let builder = StreamsBuilder::new();
    builder
        .stream::<String, String>(&raw, Consumed::plain())
        .map(|_, user| (user.clone(), format!("click of {user}")))
        .to(&clicks, Produced::plain());
    let placing = builder.build().expect("the topology is in order");

    let builder = StreamsBuilder::new();
    let of_plans = Materialized::named("plans");
    let plan = builder.table::<String, String>(&plans, Consumed::plain(), of_plans);
    let click = builder.stream::<String, String>(&clicks, Consumed::plain());
    click
        .join(
            &plan,
            |click, plan| format!("{click}, {plan}"),
            Joined::named("with-plan"),
        )
        .to(&joined, Produced::plain());
    click
        .group_by_key()
        .count(Materialized::named("clicks"))
        .join(
            &plan,
            |count, plan| format!("{count}, {plan}"),
            Joined::named("usage"),
        )
        .to_stream()
        .to(&counted, Produced::plain());
    let joining = builder.build().expect("the topology is in order");

    let placer = start(&placing, config(&kafka, &id("placer")));
    let joiner = start(&joining, config(&kafka, &id("joiner")));
    for round in 1..=2 {
        let records = users
            .iter()
            .map(|user| Written::new(format!("{round}"), user));
        kafka.produce(&raw, records);
    }
    let expected = |words: &dyn Fn(&str) -> String| -> BTreeMap<String, String> {
        let pair = |user: &String| (user.clone(), words(user));
        users.iter().map(pair).collect()
    };
    let met = expected(&|user| format!("click of {user}, {}", plan_of(user)));
    let usage = expected(&|user| format!("2, {}", plan_of(user)));
    wait_until("each click meets a plan", || {
        kafka.read_committed(&joined).len() >= 2 * users.len()
    });
    wait_until("each count meets a plan", || {
        last_values(&kafka, &counted) == usage
    });
    assert_eq!(kafka.read_committed(&joined).len(), 2 * users.len());
    assert_eq!(last_values(&kafka, &joined), met);
    joiner.close().expect("it commits");
    placer.close().expect("it commits");

    // The places are the same one by one, and all are used.
    let places = |topic: &str| -> BTreeMap<String, i32> {
        let records = kafka.read_committed(topic).into_iter();
        let place = |record: ConsumedRecord| Some((record.key_text()?, record.partition));
        records.filter_map(place).collect()
    };
    assert_eq!(places(&plans), places(&clicks));
    let mut used: Vec<i32> = places(&plans).into_values().collect();
    used.sort_unstable();
    used.dedup();
    assert_eq!(used.len(), PARTITIONS as usize);
}

#[test]
fn java_reads_each_result_once_and_nothing_that_was_aborted() {
    let Some(kafka) = Kafka::shared() else { return };
    let words = kafka.unique_topic("java-words", 1);
    let out = words.replace("words", "out");
    let hour = [("message.timestamp.before.max.ms", "3600000")];
    kafka.create_topic(&out, PARTITIONS, &hour);
    // The broker refuses two old ones when the others of the transaction are written: it is aborted, and
    // done again without them.
    let now = ferrisstreams::time::Clock::system().now();
    let records = (0..60).map(|at| {
        let word = Written::new(format!("k{at}"), format!("wörd {at}"));
        word.at(if at % 30 == 29 { 1 } else { now })
    });
    kafka.produce(&words, records);
    let config = config(&kafka, &words.replace("words", "app"))
        .production_exception_handler(ProductionExceptionHandler::Continue);
    let app = start(&passing(&words, &out), config);
    let mut expected: Vec<(String, String)> = (0..60)
        .filter(|at| at % 30 != 29)
        .map(|at| (format!("k{at}"), format!("wörd {at}")))
        .collect();
    wait_until("all are there", || {
        kafka.read_committed(&out).len() >= expected.len()
    });
    assert!(app.refused_records() >= 2);
    app.close().expect("it commits");

    // Behind all there is in each partition: whoever has read these has read everything.
    let last = |at: i32| (format!("last{at}"), "last".to_owned());
    let ends = (0..PARTITIONS).map(|at| {
        let (key, value) = last(at);
        Written::new(key, value).partition(at)
    });
    kafka.produce(&out, ends);
    expected.extend((0..PARTITIONS).map(last));
    expected.sort();
    let mut read = consume(&kafka, &out, "read_committed", Some(expected.len()));
    read.sort();
    assert_eq!(read, expected);
    let all = consume(&kafka, &out, "read_uncommitted", None);
    assert!(all.len() > expected.len(), "nothing was aborted");
}
