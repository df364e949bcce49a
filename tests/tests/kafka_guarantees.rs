//! Applications on a broker: at least once, records that cannot be read, and output that the broker refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ferrisstreams::codec::json;
use ferrisstreams::prelude::*;
use ferrisstreams_tests::{ConsumedRecord, Kafka, Record as Written};

const LIMIT: Duration = Duration::from_secs(60);

fn config(kafka: &Kafka, id: &str) -> StreamsConfig {
    StreamsConfig::new(id)
        .bootstrap_servers(kafka.bootstrap())
        .commit_interval(Duration::from_millis(50))
}

fn start(topology: &Topology, config: StreamsConfig) -> Application {
    let mut app = Streams::new(topology, config).expect("its topics are there");
    app.start().expect("it is started once");
    app.wait_until_running(LIMIT).expect("the broker is there");
    app
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "never so: {what}");
    }
}

fn values(kafka: &Kafka, topic: &str) -> Vec<String> {
    let records = kafka.read_committed(topic);
    let values = records.iter().filter_map(ConsumedRecord::value_text);
    values.collect()
}

fn header(record: &ConsumedRecord, name: &str) -> Option<String> {
    let found = record.headers.iter().find(|(known, _)| known == name)?;
    Some(String::from_utf8_lossy(&found.1).into_owned())
}

/// Passes words on and counts them, also under another key.
fn counting(words: &str, seen: &str, totals: &str) -> Topology {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>(words, Consumed::plain());
    words.to(seen, Produced::plain());
    words
        .group_by(|_, word| word.clone(), Grouped::named("by-word"))
        .count(Materialized::named("counts"))
        .to_stream()
        .to(totals, Produced::json());
    builder.build().expect("the topology is in order")
}

#[test]
fn at_least_once_nothing_is_lost_and_nothing_doubled_where_nothing_fails() {
    let Some(kafka) = Kafka::shared() else { return };
    let words = kafka.unique_topic("alo-words", 4);
    let (seen, totals) = (
        kafka.unique_topic("alo-seen", 2),
        kafka.unique_topic("alo-totals", 2),
    );
    let topology = counting(&words, &seen, &totals);
    let config = config(&kafka, &words.replace("words", "app"))
        .processing_guarantee(ProcessingGuarantee::AtLeastOnce);
    let mut written = 0;
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    let mut write = |count: usize| -> (usize, BTreeMap<String, i64>) {
        let records: Vec<Written> = (written..written + count)
            .map(|at| {
                let word = format!("word{}", at % 31);
                *expected.entry(word.clone()).or_default() += 1;
                Written::new(at.to_string(), word)
            })
            .collect();
        kafka.produce(&words, records);
        written += count;
        (written, expected.clone())
    };
    let check = |(written, expected): (usize, BTreeMap<String, i64>)| {
        wait_until("all are counted", || {
            let mut last = BTreeMap::new();
            for record in kafka.read_committed(&totals) {
                let count: i64 = record
                    .value_text()
                    .expect("a count")
                    .parse()
                    .expect("a number");
                last.insert(record.key_text().expect("a word"), count);
            }
            last == expected
        });
        let keys: Vec<String> = kafka
            .read_committed(&seen)
            .iter()
            .filter_map(ConsumedRecord::key_text)
            .collect();
        assert_eq!(keys.len(), written, "each is passed on once");
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), written);
    };
    let one = start(&topology, config.clone());
    check(write(1_000));
    // Tasks move while records come.
    let two = start(&topology, config.clone());
    check(write(1_000));
    one.close().expect("it commits");
    check(write(500));
    two.close().expect("it commits");
    let again = start(&topology, config);
    check(write(500));
    let counts = again
        .table::<String, i64>("counts")
        .expect("the table is there");
    wait_until("the row is there", || {
        counts.get("word0").ok().flatten() == Some(97)
    });
    again.close().expect("it commits");
}

/// Passes numbers on, as often as each says.
fn repeating(numbers: &str, out: &str, dead: &str) -> Topology {
    let builder = StreamsBuilder::new();
    let policy = ErrorPolicy::DeadLetter(dead.to_owned());
    let consumed = Consumed::with(json(), json()).on_error(policy);
    let numbers = builder.stream::<i64, usize>(numbers, consumed);
    numbers
        .map_values(|_, times| "x".repeat(*times))
        .to(out, Produced::json());
    builder.build().expect("the topology is in order")
}

#[test]
fn records_that_cannot_be_read_or_written_become_dead_letters_in_the_same_transaction() {
    let Some(kafka) = Kafka::shared() else { return };
    let numbers = kafka.unique_topic("poison-numbers", 1);
    let out = numbers.replace("numbers", "out");
    kafka.create_topic(&out, 1, &[("max.message.bytes", "3000")]);
    let dead = kafka.unique_topic("poison-dead", 1);
    let topology = repeating(&numbers, &out, &dead);
    let handler = ProductionExceptionHandler::DeadLetter(dead.clone());
    let config = config(&kafka, &numbers.replace("numbers", "app"))
        // What is compressed may well be small enough.
        .property("compression.type", "none")
        .production_exception_handler(handler);
    let app = start(&topology, config);
    let write = |key: &str, value: &str| Written::new(key, value).header("trace", "t1");
    kafka.produce(
        &numbers,
        [
            write("{", "1"),
            write("1", "1"),
            // Its row of bytes may be sent, and the broker takes no batch of that size.
            write("1", "2950"),
            write("1", "2"),
            write("1", "oops"),
            write("1", "oops"),
            write("1", "90000"),
            write("1", "3"),
            write("x", "1"),
        ],
    );
    wait_until("all are there", || {
        values(&kafka, &out).len() >= 3 && kafka.read_committed(&dead).len() >= 6
    });
    app.close().expect("it commits");
    assert_eq!(values(&kafka, &out), [r#""x""#, r#""xx""#, r#""xxx""#]);
    let letters = kafka.read_committed(&dead);
    let mut told: Vec<(String, String, usize)> = letters
        .iter()
        .map(|letter| {
            assert_eq!(
                header(letter, "__streams.errors.topic").as_ref(),
                Some(&numbers)
            );
            assert_eq!(header(letter, "trace").as_deref(), Some("t1"));
            let of = |name: &str| header(letter, name).unwrap_or_default();
            let size = letter.value_text().map_or(0, |value| value.len());
            (
                of("__streams.errors.offset"),
                of("__streams.errors.sink"),
                size,
            )
        })
        .collect();
    told.sort();
    let read = |offset: &str, size| (offset.to_owned(), String::new(), size);
    let refused = |offset: &str, size| (offset.to_owned(), out.clone(), size);
    let expected = [
        read("0", 1),
        refused("2", 2_952),
        read("4", 4),
        read("5", 4),
        refused("6", 65_536),
        read("8", 1),
    ];
    assert_eq!(told, expected);
}

#[test]
fn times_that_the_topic_does_not_take_are_left_out() {
    let Some(kafka) = Kafka::shared() else { return };
    let words = kafka.unique_topic("times-words", 1);
    let out = words.replace("words", "out");
    kafka.create_topic(&out, 1, &[("message.timestamp.before.max.ms", "3600000")]);
    for guarantee in [
        ProcessingGuarantee::ExactlyOnce,
        ProcessingGuarantee::AtLeastOnce,
    ] {
        let builder = StreamsBuilder::new();
        let stream = builder.stream::<String, String>(&words, Consumed::plain());
        stream.to(&out, Produced::plain());
        let topology = builder.build().expect("the topology is in order");
        let id = format!("{}-{guarantee:?}", words.replace("words", "app"));
        let config = config(&kafka, &id)
            .processing_guarantee(guarantee)
            .production_exception_handler(ProductionExceptionHandler::Continue);
        let before: BTreeSet<String> = values(&kafka, &out).into_iter().collect();
        let app = start(&topology, config);
        let now = ferrisstreams::time::Clock::system().now();
        let named = |name: &str| format!("{name} of {guarantee:?}");
        for (name, time) in [
            ("one", now),
            ("old", 1),
            ("two", now),
            ("older", 1),
            ("three", now),
        ] {
            kafka.produce(&words, [Written::new("k", named(name)).at(time)]);
        }
        let expected: BTreeSet<String> = ["one", "two", "three"].map(named).into();
        let new = || -> BTreeSet<String> {
            let values = values(&kafka, &out).into_iter();
            values
                .filter(|value| value.ends_with(&format!("{guarantee:?}")))
                .collect()
        };
        wait_until("the rest is there", || new() == expected);
        assert!(before.is_disjoint(&new()));
        assert!(app.refused_records() >= 2);
        app.close().expect("it commits");
    }
}

#[test]
fn a_few_records_that_are_refused_among_many_do_not_hold_up_the_rest() {
    const MANY: usize = 3_000;
    let Some(kafka) = Kafka::shared() else { return };
    let words = kafka.unique_topic("among-words", 1);
    let out = words.replace("words", "out");
    kafka.create_topic(&out, 1, &[("message.timestamp.before.max.ms", "3600000")]);
    let builder = StreamsBuilder::new();
    let stream = builder.stream::<String, String>(&words, Consumed::plain());
    stream.to(&out, Produced::plain());
    let topology = builder.build().expect("the topology is in order");
    let now = ferrisstreams::time::Clock::system().now();
    // Two next to each other, the others alone.
    let is_old = |at: usize| [7, 1_200, 1_201, 2_990].contains(&at);
    kafka.produce(
        &words,
        (0..MANY).map(|at| {
            let time = if is_old(at) { 1 } else { now };
            Written::new("k", format!("{at:05}")).at(time)
        }),
    );
    let config = config(&kafka, &words.replace("words", "app"))
        .production_exception_handler(ProductionExceptionHandler::Continue);
    let app = start(&topology, config);
    wait_until("the rest is there", || {
        values(&kafka, &out).len() >= MANY - 4
    });
    app.close().expect("it commits");
    assert_eq!(
        missing(&kafka, &out, MANY),
        (0..MANY).filter(|at| is_old(*at)).collect::<Vec<_>>()
    );
}

/// The numbers up to `many` that a topic lacks; none is there twice.
fn missing(kafka: &Kafka, out: &str, many: usize) -> Vec<usize> {
    let found = values(kafka, out);
    let there: BTreeSet<usize> = found
        .iter()
        .map(|at| at.parse().expect("a number"))
        .collect();
    assert_eq!(there.len(), found.len(), "none is there twice");
    (0..many).filter(|at| !there.contains(at)).collect()
}
