//! What `file://` URIs stand for, and files through the engine.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

mod file_support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrisstreams_connectors::Connections;
use ferrisstreams_connectors::file::FileSource;
use ferrisstreams_connectors::file::{Existing, FileSink, LineForm, Target, Watch};
use ferrisstreams_topology::Topology;
use ferrisstreams_topology::connector::{
    ConnectorError, Connectors, DeclaredColumn, Options, Poll, RawBatch, ResolvedSource,
    SinkRequest, SourceKind, SourceRequest, SourceStart, Stats, Waker,
};
use ferrisstreams_topology::data::{DataType, Field, Schema};
use ferrisstreams_topology::dsl::{Consumed, Grouped, Materialized, Produced, StreamsBuilder};
use ferrisstreams_topology::runtime::{Embedded, EmbeddedOptions, Outcome};
use ferrisstreams_topology::store::{State, StateOptions};
use file_support::{Folder, LONG, quick};

fn options(pairs: &[(&str, &str)]) -> Options {
    let owned = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    owned.collect()
}

fn request(uri: &str, pairs: &[(&str, &str)], columns: &[(&str, DataType, bool)]) -> SourceRequest {
    let column = |(name, data_type, key): &(&str, DataType, bool)| DeclaredColumn {
        field: Field::new(*name, *data_type),
        key: *key,
    };
    SourceRequest {
        uri: uri.to_owned(),
        options: options(pairs),
        columns: columns.iter().map(column).collect(),
        kind: None,
    }
}

fn connections(folder: &Folder) -> Connections {
    Connections::new().base(folder.path("."))
}

fn resolve(
    folder: &Folder,
    uri: &str,
    pairs: &[(&str, &str)],
) -> Result<ResolvedSource, ConnectorError> {
    connections(folder).source(&request(uri, pairs, &[]))
}

fn shown(schema: &Schema) -> String {
    let fields = schema
        .fields()
        .iter()
        .map(|field| format!("{} {}", field.name, field.data_type));
    fields.collect::<Vec<_>>().join(", ")
}

fn told(error: &ConnectorError) -> String {
    format!(
        "{}: {}",
        error.message,
        error.help.as_deref().unwrap_or("-")
    )
}

fn batches(source: &ResolvedSource) -> Vec<RawBatch> {
    let mut reader = source
        .source
        .open(SourceStart {
            positions: BTreeMap::new(),
            bounded: true,
            waker: Waker::new(),
            stats: Stats::new(),
        })
        .unwrap();
    let mut batches = Vec::new();
    loop {
        match reader.poll(100).unwrap() {
            Poll::Records(batch) => batches.push(batch),
            Poll::End => return batches,
            other => panic!("{other:?}"),
        }
    }
}

/// The number of rows and of bad records of a source, and what is said of the first bad one.
fn decoded(source: &ResolvedSource) -> (usize, usize, String) {
    let projection: Vec<usize> = (0..source.schema.len()).collect();
    let mut decoder = source.rows.decoder(&projection, None);
    let (mut records, mut bad) = (Vec::new(), Vec::new());
    for batch in batches(source) {
        decoder.decode(&batch, &mut records, &mut bad);
    }
    let first = bad.first().map(|(_, e)| e.to_string());
    (records.len(), bad.len(), first.unwrap_or_default())
}

#[test]
fn columns_are_found_out_from_header_and_rows() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("data")).unwrap();
    folder.write("data/a.csv", "id,name,price\n1,x,2.50\n2,\"y\nz\",3\n");
    folder.write("data/a.tsv", "id\tname\n1\tx\n");
    folder.write(
        "data/a.jsonl",
        "{\"id\":1,\"ok\":true}\n{\"id\":2,\"ok\":false}\n",
    );
    folder.write("data/plain", "1;x\n2;y\n");
    let cases: [(&str, &[(&str, &str)], &str, usize); 5] = [
        (
            "file://data/a.csv",
            &[],
            "id BIGINT, name VARCHAR, price DECIMAL(38,2)",
            2,
        ),
        ("file://data/a.tsv", &[], "id BIGINT, name VARCHAR", 1),
        ("file://data/a.jsonl", &[], "id BIGINT, ok BOOLEAN", 2),
        (
            "file://data/*.csv",
            &[],
            "id BIGINT, name VARCHAR, price DECIMAL(38,2)",
            2,
        ),
        (
            "file://data/plain",
            &[("format", "csv"), ("delimiter", ";"), ("header", "false")],
            "column1 BIGINT, column2 VARCHAR",
            2,
        ),
    ];
    for (uri, pairs, columns, rows) in cases {
        let source = resolve(&folder, uri, pairs).unwrap();
        assert_eq!(
            shown(&source.schema).replace(", 2)", ",2)"),
            columns,
            "{uri}"
        );
        assert_eq!(decoded(&source), (rows, 0, String::new()), "{uri}");
        assert_eq!(source.kind, None);
        assert!(source.load_first);
    }
    let uri = format!("file://{}", folder.path("data/a.csv").display());
    let source = resolve(&folder, &uri, &[]).unwrap();
    let description = source.source.describe();
    assert_eq!(
        (&description.connector[..], description.location),
        ("file", uri)
    );
    assert!(description.rereadable);
    let table = resolve(&folder, "file://data/a.csv", &[("kind", "table")]).unwrap();
    assert_eq!(table.kind, Some(SourceKind::Table));
    assert_eq!(
        batches(&table)[0].times.at(0),
        0,
        "the first content of a table has no time"
    );
}

#[test]
fn what_cannot_be_read_says_why() {
    let folder = Folder::new();
    folder.write("empty.csv", "");
    folder.write("empty.jsonl", "\n");
    folder.write("plain", "1\n");
    folder.write("a.csv", "id\n1\n");
    std::fs::create_dir(folder.path("dir")).unwrap();
    let cases: [(&str, &[(&str, &str)], &str); 9] = [
        ("file://none.csv", &[], "there is no file"),
        ("file://none*.csv", &[], "no file matches"),
        (
            "file://dir",
            &[("format", "csv")],
            "is a directory: file://dir/*.csv reads the files in it",
        ),
        ("file://empty.csv", &[], "CREATE STREAM"),
        ("file://empty.jsonl", &[], "CREATE STREAM"),
        (
            "file://plain",
            &[],
            "the format of the records is not known",
        ),
        (
            "file://a.csv",
            &[("rewrit", "append")],
            "did you mean `rewrite`?",
        ),
        (
            "file://a.csv",
            &[("format", "kafka")],
            "the lines of a file cannot be of format kafka",
        ),
        (
            "file://a.csv",
            &[("poll_interval", "0")],
            "poll_interval must be at least 1 ms",
        ),
    ];
    for (uri, pairs, why) in cases {
        let error = resolve(&folder, uri, pairs).err().unwrap();
        assert!(told(&error).contains(why), "{uri}: {}", told(&error));
    }
}

#[test]
fn a_file_with_declared_columns_may_come_later() {
    let folder = Folder::new();
    let columns = [("id", DataType::BigInt, true), ("n", DataType::Int, false)];
    let ask = |pairs: &[(&str, &str)]| {
        connections(&folder).source(&request("file://a.csv", pairs, &columns))
    };
    assert!(ask(&[]).is_err());
    let source = ask(&[("wait", "true")]).unwrap();
    assert_eq!(source.key, [0]);
    assert_eq!(decoded(&source).0, 0);
    folder.write("a.csv", "id,n\n1,2\n");
    assert_eq!(decoded(&source), (1, 0, String::new()));
    folder.write("a.csv", "n,id\n2,1\n");
    let (rows, bad, why) = decoded(&source);
    assert_eq!((rows, bad), (0, 1), "columns are never mixed up");
    assert!(why.contains("its header is `n,id`, not `id,n`"), "{why}");
    // Asked again, the header is known.
    assert_eq!(decoded(&ask(&[]).unwrap()), (1, 0, String::new()));
}

#[test]
fn sinks_are_made_for_rows_that_are_added() {
    let folder = Folder::new();
    let schema: Schema = [
        Field::new("id", DataType::BigInt),
        Field::new("n", DataType::Int),
    ]
    .into_iter()
    .collect();
    let ask = |uri: &str, pairs: &[(&str, &str)], key: Option<Vec<usize>>| {
        connections(&folder).sink(&SinkRequest {
            uri: uri.to_owned(),
            options: options(pairs),
            schema: schema.clone(),
            key,
        })
    };
    let errors: [(&str, &[(&str, &str)], Option<Vec<usize>>, &str); 5] = [
        (
            "file://out.csv",
            &[],
            Some(vec![0]),
            "takes rows that are only added",
        ),
        (
            "file://out.csv",
            &[("changes", "log")],
            Some(vec![0]),
            "changes are logged as JSON",
        ),
        ("file://none/out.csv", &[], None, "there is no directory"),
        ("file://*.csv", &[], None, "it has wildcards"),
        (
            "file://out",
            &[],
            None,
            "the format of the records is not known",
        ),
    ];
    for (uri, pairs, key, why) in errors {
        let error = ask(uri, pairs, key).err().unwrap();
        assert!(told(&error).contains(why), "{uri}: {}", told(&error));
    }
    assert!(
        ask("file://out.csv", &[], None)
            .unwrap()
            .key_columns
            .is_empty()
    );
    let log = ask("file://out.jsonl", &[("changes", "log")], Some(vec![0])).unwrap();
    assert_eq!(log.key_columns, [0]);
    assert!(
        !folder.path("out.jsonl").exists(),
        "nothing is written before it runs"
    );
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        std::thread::yield_now();
    }
}

/// Counts words, and hands each on.
fn words() -> Topology {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<(), String>("words", Consumed::plain());
    words.to("out", Produced::plain());
    let counted = builder.stream::<(), String>("counted", Consumed::plain());
    counted
        .group_by(|_, word| word.clone(), Grouped::named("by-word"))
        .count(Materialized::named("counts"));
    builder.build().unwrap()
}

#[test]
fn the_engine_reads_and_writes_files_over_restarts() {
    let (folder, state) = (Folder::new(), State::in_memory(StateOptions::default()));
    let text = |first: usize, end: usize| {
        (first..end)
            .map(|n| format!("w{}\n", n % 7))
            .collect::<String>()
    };
    folder.write("in", text(0, 5000));
    let out = LineForm {
        header: None,
        existing: Existing::Refuse,
        log: false,
    };
    let embedded = |bounded: bool| {
        let source = FileSource::new(Target::of(&folder.path("in")), quick(), &Watch::default());
        let source = Arc::new(source);
        let options = EmbeddedOptions::default()
            .commit_interval(Duration::from_millis(5))
            .source("words", source.clone())
            .source("counted", source)
            .sink(
                "out",
                Arc::new(FileSink::new(folder.path("out"), out.clone())),
            );
        let options = if bounded { options.bounded() } else { options };
        Embedded::new(&words(), state.clone(), options).unwrap()
    };
    let written = || std::fs::read_to_string(folder.path("out")).unwrap_or_default();
    let count = |app: &Embedded| -> i64 {
        let table = app.table::<String, i64>("counts").unwrap();
        table
            .snapshot()
            .unwrap()
            .into_iter()
            .map(|(_, count)| count)
            .sum()
    };
    for run in 0..3 {
        let mut app = embedded(false);
        app.start().unwrap();
        let first = 5000 + run * 1000;
        folder.append("in", &text(first, first + 1000));
        wait_until("all is counted and written", || {
            count(&app) == first as i64 + 1000 && written() == text(0, first + 1000)
        });
        app.close(Duration::from_secs(5)).unwrap();
    }
    folder.append("in", "last");
    let mut app = embedded(true);
    app.start().unwrap();
    assert_eq!(app.wait(Some(LONG)).unwrap(), Outcome::Finished);
    assert_eq!((count(&app), written()), (8001, text(0, 8000) + "last\n"));
    app.close(Duration::from_secs(5)).unwrap();

    folder.write("in", "new\n");
    let mut app = embedded(false);
    app.start().unwrap();
    wait_until("the counts are those of the new content", || {
        count(&app) == 1
    });
    app.close(Duration::from_secs(5)).unwrap();
}
