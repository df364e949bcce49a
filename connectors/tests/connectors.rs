//! Connectors behind URIs: what they say of mistakes, and rows that go through a running topology.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

mod support;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferrisstreams_connectors::console::ConsoleConnector;
use ferrisstreams_connectors::memory::MemoryRecord;
use ferrisstreams_connectors::{Connections, Connector, Context, OptionReader, Uri};
use ferrisstreams_topology::codec::nullable;
use ferrisstreams_topology::connector::{
    ConnectorError, Connectors, DeclaredColumn, Options, Poll, ResolvedSink, ResolvedSource,
    SinkRequest, SourceKind, SourceRequest, SourceStart, Stats, Waker,
};
use ferrisstreams_topology::data::Row;
use ferrisstreams_topology::dsl::{Consumed, Produced, StreamsBuilder};
use ferrisstreams_topology::runtime::{Embedded, EmbeddedOptions, Outcome};
use ferrisstreams_topology::store::{State, StateOptions};
use ferrisstreams_topology::{ErrorKind, Topology};

const LONG: Duration = Duration::from_secs(30);

fn options(text: &str) -> Options {
    let pairs = text
        .split_whitespace()
        .map(|pair| pair.split_once('=').expect("a pair"));
    pairs
        .map(|(name, value)| (name.to_owned(), value.replace('_', " ")))
        .collect()
}

/// A source; of `columns` those with `*` are the key.
fn source_request(
    uri: &str,
    columns: &str,
    given: &str,
    kind: Option<SourceKind>,
) -> SourceRequest {
    let plain = columns.replace('*', "");
    let keys: Vec<bool> = columns
        .split(", ")
        .map(|column| column.contains('*'))
        .collect();
    let fields = if columns.is_empty() {
        Vec::new()
    } else {
        support::schema(&plain).fields().to_vec()
    };
    SourceRequest {
        uri: uri.to_owned(),
        options: options(given),
        columns: fields
            .into_iter()
            .zip(keys)
            .map(|(field, key)| DeclaredColumn { field, key })
            .collect(),
        kind,
    }
}

fn source(
    connections: &Connections,
    uri: &str,
    columns: &str,
    given: &str,
) -> Result<ResolvedSource, ConnectorError> {
    connections.source(&source_request(uri, columns, given, None))
}

fn sink(
    connections: &Connections,
    uri: &str,
    given: &str,
    from: &ResolvedSource,
    changes: bool,
) -> Result<ResolvedSink, ConnectorError> {
    connections.sink(&SinkRequest {
        uri: uri.to_owned(),
        options: options(given),
        schema: from.schema.clone(),
        key: changes.then(|| from.key.clone()),
    })
}

/// Has each row of a source go to a sink.
fn pass_rows(from: &ResolvedSource, to: &ResolvedSink) -> Topology {
    let builder = StreamsBuilder::new();
    let all: Vec<usize> = (0..from.schema.len()).collect();
    let rows = from.rows.clone();
    let consumed = Consumed::decoder(move || rows.decoder(&all, None)).from(from.source.clone());
    let stream = builder.stream::<(), Row>("rows", consumed);
    let produced = Produced::with(to.key.clone(), to.value.clone()).into(to.sink.clone());
    stream
        .map(|(), row| (Row::empty(), row.clone()))
        .to("out", produced);
    builder.build().expect("a topology")
}

/// Has each change of a table go to a sink.
fn pass_changes(from: &ResolvedSource, to: &ResolvedSink) -> Topology {
    let builder = StreamsBuilder::new();
    let all: Vec<usize> = (0..from.schema.len()).collect();
    let rows = from.rows.clone();
    let consumed = Consumed::decoder(move || rows.table_decoder(&all)).from(from.source.clone());
    let stream = builder.stream::<Row, Option<Row>>("rows", consumed);
    let produced = Produced::with(to.key.clone(), nullable(to.value.clone())).into(to.sink.clone());
    stream.to("out", produced);
    builder.build().expect("a topology")
}

fn quick() -> EmbeddedOptions {
    EmbeddedOptions::default().commit_interval(Duration::from_millis(5))
}

fn run_to_end(topology: &Topology) {
    let state = State::in_memory(StateOptions::default());
    let mut app = Embedded::new(topology, state, quick().bounded()).expect("it opens");
    app.start().expect("it starts");
    assert_eq!(app.wait(Some(LONG)).expect("it runs"), Outcome::Finished);
    app.close(LONG).expect("it closes");
}

fn told(result: Result<impl Sized, ConnectorError>) -> String {
    let error = result.map(|_| ()).expect_err("a mistake");
    let option = error
        .option
        .map(|option| format!("{option}: "))
        .unwrap_or_default();
    let help = error
        .help
        .map(|help| format!(" ({help})"))
        .unwrap_or_default();
    format!("{option}{}{help}", error.message)
}

#[test]
fn mistakes_in_uris_and_options() {
    let connections = Connections::new();
    let of =
        |uri: &str, columns: &str, given: &str| told(source(&connections, uri, columns, given));
    assert_eq!(
        of("orders", "", ""),
        "`orders` is no URI: it has no `://` (for example file:///data/orders.csv, or kafka://orders)"
    );
    assert_eq!(
        of("memry://x", "", ""),
        "no connector knows the scheme `memry` (did you mean `memory`?)"
    );
    assert!(of("ftp://x", "", "").starts_with(
        "no connector knows the scheme `ftp` (there are: blackhole, console, file, generator"
    ));
    assert_eq!(
        of("postgres://crm/users", "", ""),
        "postgres is not supported by this build"
    );
    assert_eq!(
        of("memory://", "", ""),
        "`memory://` names nothing behind `://`"
    );
    assert_eq!(
        of("memory://a/b", "", ""),
        "memory://a/b is no topic in memory: its name has `/` or `?` in it"
    );
    assert_eq!(
        of("memory://a", "id INT", "delimeter=;"),
        "delimeter: there is no option `delimeter` here (did you mean `delimiter`?)"
    );
    assert_eq!(
        of("memory://a?format=csv", "id INT", "format=json"),
        "format: option `format` is given twice"
    );
    assert_eq!(
        of("memory://a", "id INT", "format=csv header=true"),
        "header: records in memory have no header: each is a line of its own"
    );
    assert_eq!(
        of("console://", "", ""),
        "console:// can be written and not read"
    );
    assert_eq!(
        of("memory://a", "", ""),
        "memory://a has no records to find out its columns from (declare them: CREATE STREAM name (column TYPE, ...) FROM memory://a)"
    );
    assert!(
        of("generator://g", "", "")
            .starts_with("generator://g has no columns but those that are declared")
    );
    assert_eq!(
        of("generator://g", "c BYTES", ""),
        "c.words: values of column c are not made up: name some (c.words = 'one, another')"
    );
    assert_eq!(
        of("generator://g", "c INT", "c.words=1,x"),
        "c.words: `x` is no INT: the text does not have the form of the type"
    );
    assert_eq!(
        of("generator://g", "c INT", "c.min=5 c.max=1"),
        "c.max: the greatest value of c is less than its least"
    );
    assert_eq!(
        of("generator://g", "c INT", "c.mn=5"),
        "c.mn: there is no option `c.mn` here (did you mean `c.min`?)"
    );
    assert_eq!(
        of("generator://g", "c INT NOT NULL", "c.nulls=5"),
        "c.nulls: column c is declared NOT NULL"
    );
    assert_eq!(
        of("generator://g", "c INT", "c.start=1 c.max=5"),
        "c.start: column c has words, or start and step, or min and max: one of these"
    );
}

/// A connector that has named connections and knows one option of theirs.
struct Cluster;

impl Connector for Cluster {
    fn schemes(&self) -> &[&str] {
        &["cluster"]
    }

    fn source(
        &self,
        uri: &Uri,
        _: &mut OptionReader,
        _: &SourceRequest,
        context: &Context<'_>,
    ) -> Result<ResolvedSource, ConnectorError> {
        let found = context.connection(&uri.authority);
        let message = format!(
            "{found:?} of {:?} at {}",
            context.connection_names(),
            context.base.display()
        );
        Err(ConnectorError::new(
            ferrisstreams_topology::connector::ConnectorErrorKind::NotFound,
            message,
        ))
    }

    fn sink(
        &self,
        _: &Uri,
        _: &mut OptionReader,
        _: &SinkRequest,
        _: &Context<'_>,
    ) -> Result<ResolvedSink, ConnectorError> {
        unreachable!("nothing is written here")
    }

    fn connection(&self, _name: &str, options: &mut OptionReader) -> Result<(), ConnectorError> {
        options.take_integer("port", 1..=65535).map(drop)
    }

    fn has_connections(&self) -> bool {
        true
    }
}

#[test]
fn named_connections() {
    let bare = Connections::new();
    let connections = Connections::new().base("/data").with(Cluster);
    assert_eq!(
        told(bare.connection("crm", options("type=memory"))),
        "memory has no named connections, as `crm` would be one"
    );
    assert_eq!(
        told(connections.connection("crm", options("type=cluster prt=1"))),
        "prt: there is no option `prt` here (did you mean `port`?)"
    );
    assert_eq!(
        told(connections.connection("crm", options("type=clster"))),
        "type: no connector knows the type `clster` (did you mean `cluster`?)"
    );
    assert_eq!(
        told(connections.connection("crm", options("type=mysql"))),
        "type: mysql is not supported by this build"
    );
    connections
        .connection("Crm", options("type=cluster port=5432"))
        .expect("a connection");
    connections
        .connect("other", &options("type=cluster"))
        .expect("a connection");
    assert_eq!(
        told(source(&connections, "cluster://CRM/t", "", "")),
        "Some({\"port\": \"5432\"}) of [\"crm\", \"other\"] at /data"
    );
    assert!(told(source(&connections, "cluster://none/t", "", "")).starts_with("None of"));
}

#[test]
fn rows_go_from_memory_to_memory() {
    let connections = Connections::new();
    let orders = connections.memory("orders");
    orders.push(r#"{"id":1,"price":2.50,"name":"a"}"#);
    orders.push_record(MemoryRecord::new(r#"{"id":2,"name":"b \"c\""}"#).at(77));
    orders.push("broken");
    let from = source(&connections, "memory://orders", "", "").expect("a source");
    assert_eq!(
        from.schema.to_string(),
        "id BIGINT, price DECIMAL(38, 2), name VARCHAR"
    );
    let to = sink(&connections, "memory://copy", "format=csv", &from, false).expect("a sink");
    run_to_end(&pass_rows(&from, &to));
    let copy = connections.memory("copy");
    assert_eq!(copy.values(), ["1,2.50,a", "2,,\"b \"\"c\"\"\""]);
    assert_eq!(copy.records()[1].timestamp, 77);
    assert_eq!(copy.records()[1].key, None);
    // What a sink wrote needs no declaration to be read.
    let from = source(&connections, "memory://copy", "", "").expect("a source");
    assert_eq!(
        from.schema.to_string(),
        "id BIGINT, price DECIMAL(38, 2), name VARCHAR"
    );
    let to = sink(&connections, "memory://again", "", &from, false).expect("a sink");
    run_to_end(&pass_rows(&from, &to));
    assert_eq!(
        connections.memory("again").values(),
        [
            r#"{"id":1,"price":2.50,"name":"a"}"#,
            r#"{"id":2,"price":null,"name":"b \"c\""}"#
        ]
    );
}

#[test]
fn a_table_in_memory_deletes() {
    let connections = Connections::new();
    let users = connections.memory("users");
    users.push(r#"{"id":1,"name":"a"}"#);
    users.push_record(MemoryRecord {
        key: Some(b"1".to_vec()),
        ..MemoryRecord::default()
    });
    users.push_record(MemoryRecord::new(r#"{"id":2,"name":"b"}"#).key("2"));
    let request = source_request(
        "memory://users",
        "id INT*, name VARCHAR",
        "",
        Some(SourceKind::Table),
    );
    let from = connections.source(&request).expect("a source");
    assert!(from.rows.deletes());
    assert!(from.load_first);
    let to = sink(&connections, "memory://copy", "", &from, true).expect("a sink");
    run_to_end(&pass_changes(&from, &to));
    let keys: Vec<Option<Vec<u8>>> = connections
        .memory("copy")
        .records()
        .into_iter()
        .map(|r| r.key)
        .collect();
    assert_eq!(
        keys,
        [
            Some(b"1".to_vec()),
            Some(b"1".to_vec()),
            Some(b"2".to_vec())
        ]
    );
    assert_eq!(
        connections.memory("copy").values(),
        [r#"{"id":1,"name":"a"}"#, "null", r#"{"id":2,"name":"b"}"#]
    );
    let back = source(&connections, "memory://copy", "", "").expect("a source");
    assert_eq!(back.key, [0]);
}

#[test]
fn memory_is_written_exactly_once_while_it_lives() {
    // State that outlives each run, as that on disk would.
    let state = State::in_memory(StateOptions::default());
    let connections = Connections::new();
    let orders = connections.memory("orders");
    let copy = connections.memory("copy");
    let mut wanted = Vec::new();
    for run in 0..3 {
        let from =
            source(&connections, "memory://orders", "id INT", "format=csv").expect("a source");
        let to = sink(&connections, "memory://copy", "format=csv", &from, false).expect("a sink");
        let mut app =
            Embedded::new(&pass_rows(&from, &to), state.clone(), quick()).expect("it opens");
        app.start().expect("it starts");
        for n in 0..100 {
            let text = (run * 100 + n).to_string();
            orders.push(text.clone());
            wanted.push(text);
        }
        assert!(copy.wait_for(wanted.len(), LONG));
        if run == 1 {
            // As a crash: nothing more is committed.
            drop(app);
        } else {
            app.close(LONG).expect("it closes");
        }
    }
    assert_eq!(copy.values(), wanted);
}

#[test]
fn a_position_beyond_what_memory_holds_is_told() {
    // State that outlives each run, as that on disk would.
    let state = State::in_memory(StateOptions::default());
    let run = |connections: &Connections| {
        let from =
            source(connections, "memory://orders", "id INT", "format=csv").expect("a source");
        let to = sink(connections, "memory://copy", "format=csv", &from, false).expect("a sink");
        Embedded::new(&pass_rows(&from, &to), state.clone(), quick().bounded()).and_then(
            |mut app| {
                app.start()?;
                app.wait(Some(LONG))?;
                app.close(LONG)
            },
        )
    };
    let connections = Connections::new();
    connections.memory("orders").push("1");
    run(&connections).expect("it runs");
    let error = run(&Connections::new()).expect_err("what was read is gone");
    assert!(
        error
            .to_string()
            .contains("memory://orders was read up to record 1 and has 0"),
        "{error}"
    );
}

/// A writer whose text can be looked at.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().expect("no panic"))).expect("text")
    }
}

#[test]
fn the_console_shows_rows_and_changes() {
    let paper = Paper::default();
    let connections = Connections::new().with(ConsoleConnector::to(paper.clone()));
    let users = connections.memory("users");
    users.push(r#"{"id":1,"name":"a, b"}"#);
    users.push_record(MemoryRecord::new(r#"{"id":2}"#).key("2"));
    let from =
        source(&connections, "memory://users", "id INT, name VARCHAR", "").expect("a source");
    for (format, shown) in [
        ("table", "id | name\n1 | a, b\n2 | NULL\n"),
        ("csv", "id,name\n1,\"a, b\"\n2,\n"),
        (
            "json",
            "{\"id\":1,\"name\":\"a, b\"}\n{\"id\":2,\"name\":null}\n",
        ),
    ] {
        let given = format!("format={format}");
        let to = sink(&connections, "console://", &given, &from, false).expect("a sink");
        run_to_end(&pass_rows(&from, &to));
        assert_eq!(paper.take(), shown);
    }
    users.push_record(MemoryRecord {
        key: Some(b"1".to_vec()),
        ..MemoryRecord::default()
    });
    let from =
        source(&connections, "memory://users", "id INT*, name VARCHAR", "").expect("a source");
    for (format, shown) in [
        ("table", "id | name\n1 | a, b\n2 | NULL\ndeleted: 1\n"),
        (
            "json",
            "{\"id\":1,\"name\":\"a, b\"}\n{\"id\":2,\"name\":null}\n{\"deleted\":{\"id\":1}}\n",
        ),
    ] {
        let given = format!("format={format}");
        let to = sink(&connections, "console://changes", &given, &from, true).expect("a sink");
        run_to_end(&pass_changes(&from, &to));
        assert_eq!(paper.take(), shown);
    }
    assert_eq!(
        told(sink(&connections, "console://", "format=csv", &from, true)),
        "format: the rows change, and CSV cannot say that one went away (the formats table and json can)"
    );
}

/// A writer that nobody reads.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_console_that_nobody_reads_stops_the_query() {
    let connections = Connections::new().with(ConsoleConnector::to(Gone));
    connections.memory("users").push("1");
    let from = source(&connections, "memory://users", "id INT", "format=csv").expect("a source");
    let to = sink(&connections, "console://", "", &from, false).expect("a sink");
    let state = State::in_memory(StateOptions::default());
    let mut app =
        Embedded::new(&pass_rows(&from, &to), state, quick().bounded()).expect("it opens");
    app.start().expect("it starts");
    let error = app.wait(Some(LONG)).expect_err("nobody reads");
    assert!(
        error.to_string().contains("cannot write to the console"),
        "{error}"
    );
}

/// The rows of a generator as CSV.
fn generated(columns: &str, given: &str) -> Vec<String> {
    let connections = Connections::new();
    let from = source(&connections, "generator://g", columns, given).expect("a source");
    let to = sink(&connections, "memory://rows", "format=csv", &from, false).expect("a sink");
    run_to_end(&pass_rows(&from, &to));
    connections.memory("rows").values()
}

#[test]
fn generated_rows_follow_from_their_options() {
    let columns = "id BIGINT, side VARCHAR, price DECIMAL(10, 2), at TIMESTAMP, day DATE, ok BOOLEAN, note VARCHAR, r DOUBLE";
    let given = "rows=500 id.start=10 id.step=5 side.words=buy,sell price.min=1.00 price.max=9.99 \
                 at.start=2024-01-01 at.step=1_minute note.nulls=50 timestamp=at";
    let rows = generated(columns, given);
    assert_eq!(rows.len(), 500);
    assert!(rows[0].starts_with("10,"), "{}", rows[0]);
    assert!(rows[499].starts_with("2505,"), "{}", rows[499]);
    assert_eq!(rows, generated(columns, given));
    assert_ne!(rows, generated(columns, &format!("{given} seed=1")));
    let field = |row: &str, at: usize| row.split(',').nth(at).expect("a field").to_owned();
    let count = |at: usize| {
        let mut counts = BTreeMap::<String, usize>::new();
        for row in &rows {
            *counts.entry(field(row, at)).or_default() += 1;
        }
        counts
    };
    assert_eq!(count(1).keys().collect::<Vec<_>>(), ["buy", "sell"]);
    assert_eq!(count(5).len(), 2);
    assert!((200..300).contains(&count(6)[""]), "{:?}", count(6)[""]);
    assert_eq!(field(&rows[1], 3), "2024-01-01 00:01:00");
    for row in &rows {
        let price: f64 = field(row, 2).parse().expect("a number");
        assert!((1.0..=9.99).contains(&price), "{row}");
    }
    assert_eq!(
        generated("n TINYINT", "rows=300 n.start=126"),
        ["126", "127"].repeat(150)
    );
    assert_eq!(
        generated("n INT", "rows=3 n.start=1 n.step=-2"),
        ["1", "-1", "-3"]
    );
    assert_eq!(generated("n INT", "rows=0"), [""; 0]);
}

fn start(bounded: bool, place: Option<i64>) -> SourceStart {
    SourceStart {
        positions: place
            .map(|place| (0, place.to_le_bytes().to_vec()))
            .into_iter()
            .collect(),
        bounded,
        waker: Waker::new(),
        stats: Stats::new(),
    }
}

#[test]
fn a_generator_goes_on_where_it_stopped() {
    let connections = Connections::new();
    let from = source(
        &connections,
        "generator://g",
        "id INT, n INT",
        "rows=10 id.start=0",
    )
    .expect("a source");
    let mut whole = from.source.open(start(true, None)).expect("it opens");
    let Poll::Records(all) = whole.poll(100).expect("rows") else {
        panic!("no rows")
    };
    assert_eq!(all.len(), 10);
    assert!(matches!(whole.poll(100), Ok(Poll::End)));
    let mut rest = from.source.open(start(true, Some(7))).expect("it opens");
    let Poll::Records(some) = rest.poll(100).expect("rows") else {
        panic!("no rows")
    };
    assert_eq!((some.len(), some.offset(0), some.end), (3, 7, 10));
    for index in 0..3 {
        assert_eq!(some.value(index), all.value(7 + index));
    }
    let endless = source(&connections, "generator://g", "id INT", "").expect("a source");
    let error = endless
        .source
        .open(start(true, None))
        .map(drop)
        .expect_err("no end");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(
        error.to_string(),
        "generator://g never ends; the option rows says how many rows there are"
    );
    let mut slow = source(&connections, "generator://g", "id INT", "rate=1")
        .expect("a source")
        .source
        .open(start(false, None))
        .expect("it opens");
    assert!(matches!(slow.poll(100), Ok(Poll::Records(batch)) if batch.len() == 1));
    assert!(matches!(slow.poll(100), Ok(Poll::Idle)));
}

#[test]
fn a_rate_wakes_whoever_waits() {
    let connections = Connections::new();
    let rows = generated("id INT", "rows=20 rate=2000 id.start=0");
    assert_eq!(rows.len(), 20);
    let from = source(&connections, "generator://g", "id INT", "rate=200").expect("a source");
    let start = start(false, None);
    let waker = start.waker.clone();
    let mut reader = from.source.open(start).expect("it opens");
    let mut count = 0;
    while count < 5 {
        match reader.poll(100).expect("rows") {
            Poll::Records(batch) => count += batch.len(),
            Poll::Idle => assert!(waker.wait(LONG), "nobody woke"),
            other => panic!("{other:?}"),
        }
    }
}
