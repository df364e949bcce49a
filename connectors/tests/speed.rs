//! What decoding costs, in nanoseconds a record. To be run optimized:
//!
//! `cargo test --release -p ferrisstreams-connectors --test speed -- --ignored --nocapture`
//!
//! `SPEED=word` in the environment measures only what has the word in its name.

#![allow(clippy::print_stdout, reason = "a measurement is shown")]

mod support;

use std::time::Instant;

use ferrisstreams_connectors::formats::{Csv, Format, Json, RowSpecification, encoder, rows};
use ferrisstreams_topology::connector::{Offsets, RawBatch, Span, Times};
use ferrisstreams_topology::data::Schema;

const RECORDS: usize = 4_096;
const ROUNDS: usize = 400;

/// Records of one file: bytes behind one another, each with an end of line.
fn batch(record: impl Fn(usize) -> String) -> RawBatch {
    let mut batch = RawBatch::empty(0, 0);
    for index in 0..RECORDS {
        let start = batch.bytes.len();
        batch.bytes.extend_from_slice(record(index).as_bytes());
        batch.values.push(Span::new(start, batch.bytes.len()));
        batch.bytes.push(b'\n');
    }
    batch.times = Times::Same(1);
    batch.offsets = Offsets::Bytes(0);
    batch
}

/// The least time that a batch took, by record.
fn measure(what: &str, bytes: usize, mut work: impl FnMut()) {
    if std::env::var("SPEED").is_ok_and(|word| !what.contains(&word)) {
        return;
    }
    let mut least = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        work();
        least = least.min(start.elapsed().as_nanos() as f64);
    }
    let each = least / RECORDS as f64;
    println!(
        "{what:<50} {each:6.1} ns/record, {:3} bytes",
        bytes / RECORDS
    );
}

fn decode(what: &str, schema: &Schema, format: Format, projection: &[usize], batch: &RawBatch) {
    let source = rows(RowSpecification::values(schema.clone(), format)).expect("rows");
    let mut decoder = source.decoder(projection, None);
    let (mut found, mut bad) = (Vec::new(), Vec::new());
    measure(what, batch.bytes.len(), || {
        found.clear();
        decoder.decode(batch, &mut found, &mut bad);
        assert!(bad.is_empty(), "{:?}", bad[0]);
        assert_eq!(found.len(), RECORDS);
    });
}

fn csv_line(index: usize) -> String {
    let (user, cents) = (index * 7919 % 100_000, index * 104_729 % 1_000_000);
    format!(
        "{index},user-{user:08},{}.{:02},GBP,{},widget number {}",
        cents / 100,
        cents % 100,
        index % 12,
        index % 97
    )
}

fn json_line(index: usize) -> String {
    let (user, cents) = (index * 7919 % 100_000, index * 104_729 % 1_000_000);
    format!(
        "{{\"id\":{index},\"user\":\"user-{user:08}\",\"price\":{}.{:02},\"currency\":\"GBP\",\"quantity\":{},\
         \"product\":\"widget number {}\",\"side\":\"buy\",\"venue\":\"XLON\",\"ts\":{},\"note\":\"none\"}}",
        cents / 100,
        cents % 100,
        index % 12,
        index % 97,
        1_700_000_000_000u64 + index as u64
    )
}

/// What is decoded, as a struct: for comparison.
#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "it is only decoded")]
struct Trade<'a> {
    id: i64,
    user: &'a str,
    price: f64,
    currency: &'a str,
    quantity: i32,
    product: &'a str,
}

#[test]
#[ignore = "a measurement"]
fn nanoseconds_a_record() {
    let six = "id BIGINT, user VARCHAR, price DECIMAL(10, 2), currency VARCHAR, quantity INT, product VARCHAR";
    let schema = support::schema(six);
    let lines = batch(csv_line);
    let csv = Format::Csv(Csv::default());
    decode(
        "CSV, 6 columns of 6",
        &schema,
        csv.clone(),
        &[0, 1, 2, 3, 4, 5],
        &lines,
    );
    decode("CSV, 2 columns of 6", &schema, csv.clone(), &[0, 2], &lines);
    let inferred = support::schema(&six.replace("(10, 2)", "(38, 2)").replace(" INT", " BIGINT"));
    decode(
        "CSV, 6 columns of 6, DECIMAL(38, 2)",
        &inferred,
        csv.clone(),
        &[0, 1, 2, 3, 4, 5],
        &lines,
    );
    let quoted = batch(|index| csv_line(index).replace("GBP", "\"GBP\""));
    decode(
        "CSV, 6 columns of 6, one quoted",
        &schema,
        csv.clone(),
        &[0, 1, 2, 3, 4, 5],
        &quoted,
    );

    let ten = support::schema(&format!(
        "{six}, side VARCHAR, venue VARCHAR, ts BIGINT, note VARCHAR"
    ));
    let json = Format::Json(Json::default());
    let objects = batch(json_line);
    decode(
        "JSON, 6 members of 10",
        &ten,
        json.clone(),
        &[0, 1, 2, 3, 4, 5],
        &objects,
    );
    decode(
        "JSON, 10 members of 10",
        &ten,
        json.clone(),
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        &objects,
    );
    let spaced = batch(|index| json_line(index).replace(',', ", ").replace("\":", "\": "));
    decode(
        "JSON, 6 members of 10, with blanks",
        &ten,
        json.clone(),
        &[0, 1, 2, 3, 4, 5],
        &spaced,
    );
    let changing = batch(|index| {
        let line = json_line(index);
        if index % 2 == 0 {
            line.replace("\"side\":\"buy\",", "")
        } else {
            line
        }
    });
    decode(
        "JSON, 6 members of 10 or 9",
        &ten,
        json.clone(),
        &[0, 1, 2, 3, 4, 5],
        &changing,
    );

    measure(
        "JSON, 6 members of 10, serde_json to a struct",
        objects.bytes.len(),
        || {
            for index in 0..objects.len() {
                let trade: Trade<'_> =
                    serde_json::from_slice(objects.value(index).expect("a value"))
                        .expect("an object");
                std::hint::black_box(&trade);
            }
        },
    );

    let source = rows(RowSpecification::values(schema.clone(), csv.clone())).expect("rows");
    let (mut found, mut bad) = (Vec::new(), Vec::new());
    source
        .decoder(&[0, 1, 2, 3, 4, 5], None)
        .decode(&lines, &mut found, &mut bad);
    for (what, format) in [
        ("CSV, 6 columns written", csv),
        ("JSON, 6 members written", json),
    ] {
        let codec = encoder(&format, &schema, &[0, 1, 2, 3, 4, 5]).expect("an encoder");
        let mut out = Vec::new();
        let mut bytes = 0;
        for record in &found {
            codec.encode(&record.value, &mut out).expect("a row");
        }
        bytes += out.len();
        measure(what, bytes, || {
            out.clear();
            for record in &found {
                codec.encode(&record.value, &mut out).expect("a row");
            }
        });
    }
}
