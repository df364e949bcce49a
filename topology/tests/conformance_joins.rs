//! Joins as Kafka Streams does them: what each record of an input sends.
//!
//! The cases lie beside the project; where they do not, there is nothing to run.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

use std::collections::BTreeMap;
use std::path::Path;

use ferrisstreams_topology::codec::{nullable, plain};
use ferrisstreams_topology::connector::{RawRecord, SinkRecord};
use ferrisstreams_topology::dsl::{
    Consumed, Joined, KStream, KTable, Materialized, Produced, StreamsBuilder,
};
use ferrisstreams_topology::test_driver::TopologyTestDriver;
use serde_json::Value;

type Text = String;
type Side = Option<Text>;

const CASES: &str = "../../shared/conformance/kafka-streams-joins.json";

/// Cases whose expectation is not kept, and why.
const DEVIATIONS: [(&str, &str); 2] = [
    (
        "TableTableJoinIntegrationTest.testInnerInner",
        "a row that both sides lose at once is taken back; there it stays for ever",
    ),
    (
        "TableTableJoinIntegrationTest.testOuterInner",
        "a row that both sides lose at once is taken back; there it stays for ever",
    ),
];

/// Why a case cannot be run, if so.
fn unsupported(suite: &str, name: &str) -> Option<&'static str> {
    if name.contains("Versioned") {
        Some("tables that keep former versions of their rows")
    } else if suite.starts_with("StreamStream") {
        Some("joins of two streams")
    } else {
        None
    }
}

fn show(side: Option<&Text>) -> &str {
    side.map_or("null", Text::as_str)
}

fn stream_table(builder: &StreamsBuilder, ops: &[&str]) {
    let key = nullable(plain::<Text>());
    let left: KStream<Side, Text> = builder.stream("L", Consumed::with(key.clone(), plain()));
    let right = table(builder, "R");
    let joined = match ops {
        ["join"] => left.join(&right, |l, r| format!("{l}-{r}"), Joined::named("join")),
        ["leftJoin"] => left.left_join(
            &right,
            |l, r| format!("{l}-{}", show(r)),
            Joined::named("join"),
        ),
        other => panic!("a stream and a table are not joined by {other:?}"),
    };
    joined.to("out", Produced::with(key, plain()));
}

fn table(builder: &StreamsBuilder, name: &str) -> KTable<Side, Text> {
    let key = nullable(plain::<Text>());
    builder.table(
        name,
        Consumed::with(key, plain()),
        Materialized::named(name),
    )
}

fn join_tables(
    left: &KTable<Side, Text>,
    right: &KTable<Side, Text>,
    op: &str,
    number: usize,
) -> KTable<Side, Text> {
    let joined = Joined::named(format!("join-{number}"));
    match op {
        "join" => left.join(right, |l, r| format!("{l}-{r}"), joined),
        "leftJoin" => left.left_join(right, |l, r| format!("{l}-{}", show(r)), joined),
        "outerJoin" => left.outer_join(right, |l, r| format!("{}-{}", show(l), show(r)), joined),
        other => panic!("tables are not joined by {other}"),
    }
}

/// What each record of the input sends, as the cases write it.
fn run(builder: StreamsBuilder, input: &[&str]) -> Vec<Vec<String>> {
    let topology = builder.build().unwrap();
    let mut driver = TopologyTestDriver::new(&topology).unwrap();
    let mut outputs = Vec::new();
    for line in input {
        let (source, record) = line.split_once(':').unwrap();
        let (record, time) = record.rsplit_once('@').unwrap();
        let (key, value) = record.split_once(':').unwrap_or(("key", record));
        let record = RawRecord {
            key: (key != "nullkey").then_some(key.as_bytes()),
            value: (value != "null").then_some(value.as_bytes()),
            timestamp: time.parse().unwrap(),
            ..RawRecord::default()
        };
        driver.pipe_raw_record(source, 0, record).unwrap();
        outputs.push(driver.read_raw("out").into_iter().map(written).collect());
    }
    outputs
}

fn written(record: SinkRecord) -> String {
    let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).unwrap());
    let key = match text(record.key) {
        None => "null:".to_owned(),
        Some(key) if key == "key" => String::new(),
        Some(key) => format!("{key}:"),
    };
    let value = text(record.value).unwrap_or("null".to_owned());
    format!("{key}{value}@{}", record.timestamp)
}

fn strings(value: &Value) -> Vec<&str> {
    let items = value.as_array().into_iter().flatten();
    items.map(|item| item.as_str().unwrap()).collect()
}

/// The lines at which a case differs, or none.
fn differences(suite: &str, cases: &Value, case: &Value) -> Vec<String> {
    let builder = StreamsBuilder::new();
    let ops = strings(&case["ops"]);
    if suite.starts_with("StreamTable") {
        stream_table(&builder, &ops);
    } else {
        let (left, right) = (table(&builder, "L"), table(&builder, "R"));
        let mut joined = left;
        for (number, op) in ops.iter().enumerate() {
            joined = join_tables(&joined, &right, op, number);
        }
        joined
            .to_stream()
            .to("out", Produced::with(nullable(plain()), nullable(plain())));
    }
    let input = strings(&cases[case["input"].as_str().unwrap()]);
    let expected = case["expected"].as_array().unwrap().iter().map(strings);
    let got = run(builder, &input);
    let compared = input.iter().zip(got.iter().zip(expected));
    let differs = compared.filter(|(_, (got, want))| *got != want);
    differs
        .map(|(input, (got, want))| format!("  {input}: {got:?}, not {want:?}"))
        .collect()
}

#[test]
#[allow(clippy::print_stderr, reason = "a score that nobody sees is none")]
fn joins_are_those_of_kafka_streams() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(CASES);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: there is no {}", path.display());
        return;
    };
    let cases: Value = serde_json::from_str(&text).unwrap();
    let (mut passed, mut failed) = (0, Vec::new());
    let mut skipped: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (suite, group) in cases["cases"].as_object().unwrap() {
        for (name, case) in group.as_object().unwrap() {
            let id = format!("{suite}.{name}");
            if let Some(why) = unsupported(suite, name) {
                skipped.entry(why).or_default().push(id);
                continue;
            }
            let differences = differences(suite, &cases, case);
            let deviates = DEVIATIONS.iter().find(|(deviation, _)| *deviation == id);
            match (differences.is_empty(), deviates) {
                (true, None) => passed += 1,
                (false, Some((_, why))) => eprintln!("{id} deviates: {why}"),
                (false, None) => failed.push(format!("{id}\n{}", differences.join("\n"))),
                (true, Some(_)) => {
                    failed.push(format!("{id} is as expected, and listed as deviating"))
                }
            }
        }
    }
    for (why, ids) in &skipped {
        eprintln!("not supported: {why}: {}", ids.join(", "));
    }
    eprintln!("{passed} joins as in Kafka Streams, {} not", failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
