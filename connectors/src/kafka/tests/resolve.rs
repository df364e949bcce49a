//! What URIs and options come to.

use std::sync::Arc;

use ferrisstreams_tests::Kafka;
use ferrisstreams_topology::connector::{
    Connectors, DeclaredColumn, Options, Poll, ResolvedSource, SinkRequest, SinkStart, SourceKind,
    SourceRequest, SourceStart, Stats, Waker,
};
use ferrisstreams_topology::connector::{RawBatch, SinkRecord};
use ferrisstreams_topology::data::{DataType, Field, Row, RowBuffer, RowLayout, Schema, Value};
use ferrisstreams_topology::record::Headers;

use super::harness::{LIMIT, mock, write};
use crate::Connections;
use crate::kafka::KafkaConnector;

/// Options written as `name=value name=value`.
fn options(text: &str) -> Options {
    let pairs = text
        .split_whitespace()
        .map(|pair| pair.split_once('=').unwrap());
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn connections(bootstrap: &str) -> Connections {
    Connections::new()
        .with(KafkaConnector)
        .kafka(options(&format!("bootstrap.servers={bootstrap}")))
}

/// A request with columns written as `name:TYPE`, and `*` behind those of the key.
fn request(uri: &str, given: &str, columns: &str, kind: Option<SourceKind>) -> SourceRequest {
    let column = |text: &str| {
        let (name, data_type) = text.split_once(':').unwrap();
        let key = data_type.ends_with('*');
        let data_type = match data_type.trim_end_matches('*') {
            "TEXT" => DataType::TEXT,
            "INT" => DataType::Int,
            _ => DataType::BigInt,
        };
        DeclaredColumn {
            field: Field::new(name, data_type),
            key,
        }
    };
    SourceRequest {
        uri: uri.to_owned(),
        options: options(given),
        columns: columns.split_whitespace().map(column).collect(),
        kind,
    }
}

/// What was found out, in a line; or what is wrong, and what to do.
fn resolved(connections: &Connections, request: &SourceRequest) -> String {
    match connections.source(request) {
        Ok(source) => {
            let fields = source.schema.fields().iter();
            let fields: Vec<String> = fields
                .map(|field| format!("{} {}", field.name, field.data_type))
                .collect();
            format!(
                "{} | key {:?} | {:?}",
                fields.join(", "),
                source.key,
                source.kind
            )
        }
        Err(e) => {
            let help = e.help.map(|help| format!(" | {help}"));
            format!("{}{}", e.message, help.unwrap_or_default())
        }
    }
}

const VALUES: &str = r#"0/u1={"id":"u1","n":1,"at":"x"}@1 1/u2={"id":"u2","n":2}@2 1/u3=-@3"#;

#[test]
fn columns_and_keys_are_found_in_a_sample() {
    let mock = mock(2);
    let bootstrap = mock.bootstrap_servers();
    mock.create_topic("empty", 1, 1).unwrap();
    mock.create_topic("keyless", 1, 1).unwrap();
    mock.create_topic("numbers", 1, 1).unwrap();
    mock.create_topic("strange", 1, 1).unwrap();
    write(&bootstrap, "t", VALUES);
    write(&bootstrap, "keyless", r#"0/={"id":1}@1"#);
    write(
        &bootstrap,
        "numbers",
        r#"0/1={"n":1,"id":2}@1 0/2={"n":2,"id":2}@1"#,
    );
    write(&bootstrap, "strange", r#"0/x={"id":1}@1"#);
    let table = Some(SourceKind::Table);
    let connections = connections(&bootstrap);
    for (topic, given, kind, told) in [
        (
            "t",
            "",
            None,
            "id VARCHAR, n BIGINT, at VARCHAR | key [0] | None",
        ),
        (
            "t",
            "",
            table,
            "id VARCHAR, n BIGINT, at VARCHAR | key [0] | Some(Table)",
        ),
        (
            "t",
            "",
            Some(SourceKind::Stream),
            "id VARCHAR, n BIGINT, at VARCHAR | key [] | Some(Stream)",
        ),
        (
            "t",
            "key_format=json",
            table,
            "kafka://t cannot be a table: no column equals the keys of its records | declare what the \
             keys hold: CREATE TABLE name (key TYPE PRIMARY KEY, id VARCHAR, n BIGINT, at VARCHAR) FROM \
             kafka://t",
        ),
        ("numbers", "", None, "n BIGINT, id BIGINT | key [0] | None"),
        ("keyless", "", None, "id BIGINT | key [] | Some(Stream)"),
        ("strange", "", None, "id BIGINT | key [] | Some(Stream)"),
        (
            "empty",
            "",
            None,
            "kafka://empty has no records to find out its columns from | declare them: CREATE STREAM name \
             (column TYPE, ...) FROM kafka://empty",
        ),
        (
            "empty",
            "",
            table,
            "kafka://empty has no records to find out its columns from | declare them: CREATE TABLE name \
             (column TYPE, ...) FROM kafka://empty",
        ),
    ] {
        let request = request(&format!("kafka://{topic}"), given, "", kind);
        assert_eq!(resolved(&connections, &request), told, "{topic} {given}");
    }
}

#[test]
fn what_is_declared_is_taken_as_it_is() {
    let mock = mock(1);
    let connections = connections(&mock.bootstrap_servers());
    let (stream, table) = (Some(SourceKind::Stream), Some(SourceKind::Table));
    for (given, columns, kind, told) in [
        (
            "",
            "id:TEXT* n:INT",
            table,
            "id VARCHAR, n INT | key [0] | Some(Table)",
        ),
        (
            "",
            "id:TEXT* n:INT",
            stream,
            "id VARCHAR, n INT | key [] | Some(Stream)",
        ),
        (
            "",
            "a:TEXT* n:INT b:INT*",
            table,
            "a VARCHAR, n INT, b INT | key [0, 2] | Some(Table)",
        ),
        (
            "value_format=json key_format=kafka",
            "n:INT",
            stream,
            "n INT | key [] | Some(Stream)",
        ),
        (
            "",
            "id:TEXT n:INT",
            table,
            "a table of kafka://t needs a key, which stands in the keys of its records | declare it: \
             column TYPE PRIMARY KEY",
        ),
    ] {
        let request = request("kafka://t", given, columns, kind);
        assert_eq!(resolved(&connections, &request), told, "{given} {columns}");
    }
}

#[test]
fn wrong_places_and_options_are_told() {
    let mock = mock(1);
    let bootstrap = mock.bootstrap_servers();
    let connections = connections(&bootstrap);
    let other = options(&format!(
        "type=kafka bootstrap.servers={bootstrap} sasl.password=hunter2"
    ));
    connections.connection("staging", other).unwrap();
    let inline = format!("kafka://{bootstrap}/t");
    for (uri, given, told) in [
        (
            "kafka://t",
            "linger.ms=5 debug=broker",
            "n INT | key [] | Some(Stream)",
        ),
        ("kafka://staging/t", "", "n INT | key [] | Some(Stream)"),
        (&inline, "from=latest", "n INT | key [] | Some(Stream)"),
        (
            "kafka://t",
            "bootstrap.severs=a:1",
            "there is no option `bootstrap.severs` here | did you mean `bootstrap.servers`?",
        ),
        (
            "kafka://t",
            "replica=1",
            "there is no option `replica` here | did you mean `replicas`?",
        ),
        (
            "kafka://t",
            "from=yesterday",
            "from must be earliest, latest, a timestamp or milliseconds since 1970, not `yesterday`",
        ),
        (
            "kafka://t",
            "on_lost=maybe",
            "on_lost must be fail or skip, not `maybe`",
        ),
        (
            "kafka://t",
            "group.id=g",
            "group.id cannot be set: positions are kept by the engine's own commits, not by a consumer \
             group",
        ),
        (
            "kafka://t",
            "sasl.jaas.config=x",
            "sasl.jaas.config is a property of Java's clients | set sasl.username and sasl.password \
             instead",
        ),
        (
            "kafka://stagin/t",
            "",
            "`kafka://stagin/t` speaks of a connection `stagin`, and there is none | did you mean \
             `staging`?",
        ),
        (
            "kafka://a/b/c",
            "",
            "`kafka://a/b/c` speaks of a connection `a`, and there is none | CREATE CONNECTION a WITH \
             (type = 'kafka', bootstrap.servers = 'host:9092')",
        ),
        (
            "kafka://staging/b/c",
            "",
            "`kafka://staging/b/c` names no topic: kafka://connection/topic has one `/`",
        ),
    ] {
        let request = request(uri, given, "n:INT", Some(SourceKind::Stream));
        assert_eq!(resolved(&connections, &request), told, "{uri} {given}");
    }
    let nowhere = Connections::new().with(KafkaConnector);
    assert_eq!(
        resolved(&nowhere, &request("kafka://t", "", "n:INT", None)),
        "where the brokers of `kafka://t` are is not known | set bootstrap.servers = 'host:9092' in WITH, \
         in [kafka] of the configuration, or in a connection"
    );
    let wrong = nowhere
        .connection("x", options("type=kafka sasl.password=hunter2"))
        .unwrap_err();
    assert_eq!(
        wrong.message,
        "connection `x` does not say where its brokers are"
    );
}

/// Rows of three columns.
fn row(layout: &RowLayout, values: &[Value]) -> Row {
    let mut buffer = RowBuffer::new();
    let mut writer = buffer.begin(layout);
    for (at, value) in values.iter().enumerate() {
        value.write(&mut writer, at);
    }
    let span = writer.finish();
    buffer.freeze().row(span)
}

fn read(source: &ResolvedSource) -> Vec<RawBatch> {
    let waker = Waker::new();
    let mut reader = source
        .source
        .open(SourceStart {
            positions: Default::default(),
            bounded: true,
            waker: waker.clone(),
            stats: Stats::new(),
        })
        .unwrap();
    let mut batches = Vec::new();
    loop {
        match reader.poll(1_000).unwrap() {
            Poll::Records(batch) => batches.push(batch),
            Poll::End => return batches,
            _ => assert!(waker.wait(LIMIT)),
        }
    }
}

#[test]
fn a_table_goes_out_and_comes_back() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("table", 1);
    let connections = connections(kafka.bootstrap());
    let fields = [
        ("id", DataType::TEXT),
        ("n", DataType::Int),
        ("name", DataType::TEXT),
    ];
    let schema: Schema = fields
        .iter()
        .map(|(name, kind)| Field::new(*name, *kind))
        .collect();
    let layout = RowLayout::new(&schema);
    let uri = format!("kafka://{topic}");
    let sink = connections
        .sink(&SinkRequest {
            uri: uri.clone(),
            options: options("partitions=1"),
            schema: schema.clone(),
            key: Some(vec![0]),
        })
        .unwrap();
    assert_eq!(sink.key_columns, [0]);
    assert!(sink.sink.describe().exactly_once);
    let key_layout = RowLayout::new(&schema.project(&[0]));
    let record = |id: &str, value: Option<(i64, &str)>| {
        let (mut key, mut bytes) = (Vec::new(), Vec::new());
        sink.key
            .encode(&row(&key_layout, &[Value::Text(id.to_owned())]), &mut key)
            .unwrap();
        let value = value.map(|(n, name)| {
            let text = |text: &str| Value::Text(text.to_owned());
            let row = row(&layout, &[text(id), Value::Integer(n), text(name)]);
            sink.value.encode(&row, &mut bytes).unwrap();
            bytes
        });
        SinkRecord {
            key: Some(key),
            value,
            timestamp: 5,
            headers: Headers::default(),
        }
    };
    let stats = Stats::new();
    let mut writer = sink
        .sink
        .open(SinkStart {
            name: topic.clone(),
            memo: None,
            stats: Arc::clone(&stats),
        })
        .unwrap();
    writer.delivered(0).unwrap();
    let sent = [
        record("a", Some((1, "x"))),
        record("b", Some((2, "y"))),
        record("a", None),
    ];
    writer.deliver(0, &sent).unwrap();
    assert_eq!(stats.records(), 3);
    let seen = kafka.read_committed(&topic);
    let seen: Vec<_> = seen
        .iter()
        .map(|record| (record.key_text(), record.value_text()))
        .collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        seen,
        [
            (some("a"), some(r#"{"n":1,"name":"x"}"#)),
            (some("b"), some(r#"{"n":2,"name":"y"}"#)),
            (some("a"), None)
        ]
    );

    let declared = request(
        &uri,
        "",
        "id:TEXT* n:INT name:TEXT",
        Some(SourceKind::Table),
    );
    let source = connections.source(&declared).unwrap();
    assert!(source.rows.deletes());
    let mut decoder = source.rows.table_decoder(&[2, 1]);
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for batch in read(&source) {
        decoder.decode(&batch, &mut rows, &mut bad);
    }
    assert!(bad.is_empty(), "{bad:?}");
    let value_layout = RowLayout::new(&schema.project(&[2, 1]));
    let shown: Vec<String> = rows
        .iter()
        .map(|record| {
            let key = key_layout
                .slot(0)
                .text(record.key.bytes())
                .unwrap()
                .to_owned();
            let value = record.value.as_ref().map(|row| {
                let (name, n) = (value_layout.slot(0), value_layout.slot(1));
                format!(
                    "{} {}",
                    name.text(row.bytes()).unwrap(),
                    n.integer(row.bytes()).unwrap()
                )
            });
            format!("{key}: {}", value.unwrap_or_default())
        })
        .collect();
    assert_eq!(shown, ["a: x 1", "b: y 2", "a: "]);
}
