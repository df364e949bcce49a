//! Records under keys: those that a decoder of rows gives, with the columns of the key apart.

mod support;

use std::sync::Arc;

use ferrisstreams_connectors::Connections;
use ferrisstreams_connectors::formats::{
    Format, FormatDefaults, FormatName, ReadOptions, RowSpecification, rows,
};
use ferrisstreams_topology::connector::{
    Connectors, DeclaredColumn, Options, Poll, RawBatch, RowFilter, RowSource, SourceKind,
    SourceRequest, SourceStart, Stats, Waker,
};
use ferrisstreams_topology::data::{RowLayout, Schema};
use proptest::prelude::*;
use support::{Pair, batch, options, schema, shown};

const COLUMNS: &str = "id BIGINT, name VARCHAR, price DECIMAL(6, 2), at TIMESTAMP";

fn source(given: &str, key: &[usize]) -> Arc<dyn RowSource> {
    let defaults = FormatDefaults {
        value: None,
        key: Some(FormatName::Text),
    };
    let read = ReadOptions::take(&mut options(given), defaults).expect("options");
    let mut formats = read.formats;
    if key.is_empty() {
        formats.key = Format::None;
    }
    let specification = RowSpecification {
        key: key.to_vec(),
        record_key: key.to_vec(),
        timestamp: read.timestamp,
        formats,
        ..RowSpecification::values(schema(COLUMNS), Format::None)
    };
    rows(specification).expect("rows")
}

/// What two decoders make of a batch: that of rows, and the one with a key apart.
fn check(source: &dyn RowSource, schema: &Schema, batch: &RawBatch, key: &[usize], row: &[usize]) {
    let layout = RowLayout::new(&schema.project(&[1, 2]));
    let named = RowFilter::new([1, 2], move |row| {
        layout.slot(0).text(row) == Some("a") && !layout.slot(1).is_null(row)
    });
    for filter in [None, Some(named)] {
        let (mut plain, mut plain_bad) = (Vec::new(), Vec::new());
        let mut decoder = source.decoder(&[key, row].concat(), filter.clone());
        let plain_times = decoder.decode(batch, &mut plain, &mut plain_bad);
        let rounded = decoder.take_rounded();

        let (mut keyed, mut keyed_bad) = (Vec::new(), Vec::new());
        let mut decoder = source.keyed_decoder(key, row, filter);
        let times = decoder.decode(batch, &mut keyed, &mut keyed_bad);
        // Each column of a record is rounded once, wherever it is wanted.
        let twice = key.iter().any(|column| row.contains(column));
        let of_keyed = decoder.take_rounded();
        assert!(twice || of_keyed == rounded, "{of_keyed}, {rounded}");
        assert_eq!(decoder.take_rounded(), 0);

        assert_eq!(times, plain_times);
        let faults = |bad: &[(u32, ferrisstreams_topology::Error)]| -> Vec<(u32, String)> {
            bad.iter().map(|(at, e)| (*at, e.to_string())).collect()
        };
        assert_eq!(faults(&keyed_bad), faults(&plain_bad));
        let all = schema.project(&[key, row].concat());
        let (keys, values) = (schema.project(key), schema.project(row));
        let expected = plain
            .iter()
            .map(|record| (record.timestamp, shown(record.value.bytes(), &all)));
        let found = keyed.iter().map(|record| {
            let parts = [(&record.key, &keys), (&record.value, &values)];
            let parts = parts.iter().filter(|(_, schema)| !schema.is_empty());
            let parts: Vec<String> = parts
                .map(|(row, schema)| shown(row.bytes(), schema))
                .collect();
            let text = if parts.is_empty() {
                "()".to_owned()
            } else {
                parts.join(" | ")
            };
            (record.timestamp, text)
        });
        assert_eq!(
            found.collect::<Vec<_>>(),
            expected.collect::<Vec<_>>(),
            "key {key:?}, row {row:?}"
        );
    }
}

/// A record's key, and its value in CSV, or none.
fn record() -> impl Strategy<Value = (Option<String>, Option<String>)> {
    let id = prop_oneof![6 => "[0-9]{1,3}", 1 => Just(String::new()), 1 => Just("x".to_owned())];
    let name = prop_oneof![4 => Just("a"), 2 => Just("b"), 1 => Just(""), 1 => Just("\"a\"")];
    let price = prop_oneof![
        4 => "[0-9]{1,4}\\.[0-9]{2}",
        2 => "[0-9]\\.[0-9]{3}",
        1 => Just(String::new()),
        1 => Just("12345678".to_owned()),
    ];
    let at = prop_oneof![
        6 => Just("2026-11-28 10:00:00"),
        1 => Just(""),
        1 => Just("2026-11-99"),
    ];
    let value = (id.clone(), name, price, at);
    let value = value.prop_map(|(id, name, price, at)| format!("{id},{name},{price},{at}"));
    let value =
        prop_oneof![8 => value.prop_map(Some), 1 => Just(None), 1 => Just(Some("?".to_owned()))];
    (prop::option::weighted(0.8, id), value)
}

fn places() -> impl Strategy<Value = Vec<usize>> {
    prop::sample::subsequence(vec![0, 1, 2, 3], 0..4).prop_shuffle()
}

/// A line without its first field.
fn behind_id(line: &str) -> String {
    line.split_once(',')
        .map_or(line, |(_, rest)| rest)
        .to_owned()
}

proptest! {
    #[test]
    fn keys_and_rows_are_columns_of_the_same_records(
        records in prop::collection::vec(record(), 0..12),
        key in places(),
        row in places(),
    ) {
        let schema = schema(COLUMNS);
        for (given, in_key) in [
            ("value_format=csv", &[][..]),
            ("value_format=csv timestamp=at", &[]),
            ("value_format=csv", &[0]),
        ] {
            let records: Vec<(Option<String>, Option<String>)> = records
                .iter()
                .map(|(key, line)| {
                    let line = line.as_deref().map(|line| match in_key {
                        [] => line.to_owned(),
                        _ => behind_id(line),
                    });
                    (key.clone(), line)
                })
                .collect();
            let pairs: Vec<Pair<'_>> = records
                .iter()
                .map(|(key, value)| {
                    (key.as_ref().map(String::as_bytes), value.as_ref().map(String::as_bytes))
                })
                .collect();
            let batch = batch(&pairs);
            check(&*source(given, in_key), &schema, &batch, &key, &row);
        }
    }
}

#[test]
fn a_column_of_both_is_rounded_once() {
    let source = source("value_format=csv", &[]);
    let batch = batch(&[(None, Some(b"1,a,1.005,"))]);
    let mut decoder = source.keyed_decoder(&[2], &[2, 0], None);
    let (mut found, mut bad) = (Vec::new(), Vec::new());
    decoder.decode(&batch, &mut found, &mut bad);
    assert_eq!((found.len(), bad.len()), (1, 0));
    assert_eq!(decoder.take_rounded(), 1);
}

#[test]
fn generated_rows_have_keys_as_well() {
    let columns = "id BIGINT, name VARCHAR, price DECIMAL(6, 2)";
    let schema = schema(columns);
    let given = [
        ("rows", "100"),
        ("name.words", "a,b"),
        ("price.nulls", "50"),
    ];
    let request = SourceRequest {
        uri: "generator://g".to_owned(),
        options: Options::from(given.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        columns: schema
            .fields()
            .iter()
            .map(|field| DeclaredColumn {
                field: field.clone(),
                key: false,
            })
            .collect(),
        kind: Some(SourceKind::Stream),
    };
    let generator = Connections::new().source(&request).expect("a source");
    let start = SourceStart {
        positions: Default::default(),
        bounded: true,
        waker: Waker::new(),
        stats: Stats::new(),
    };
    let mut reader = generator.source.open(start).expect("it opens");
    let Poll::Records(batch) = reader.poll(1_000).expect("rows") else {
        panic!("no rows")
    };
    assert_eq!(batch.len(), 100);
    for (key, row) in [(&[1][..], &[0, 2][..]), (&[2, 1], &[]), (&[], &[2, 1, 0])] {
        check(&*generator.rows, &schema, &batch, key, row);
    }
}
