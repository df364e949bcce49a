//! What earlier programs wrote: every key and value of a state directory, kept as text.
//!
//! `tests/fixtures/state-1.txt` is what a topology with each kind of store leaves in its state. It
//! must be read, and go on, as long as [`STATE_FORMAT`] is 1; and until that number changes nothing
//! else may be written for the same records. `FERRIS_WRITE_FIXTURES=1` writes the file anew, which is
//! right before a release only, and never for a format that was released.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use crate::codec::{Key, plain, row, row_key};
use crate::connector::RawRecord;
use crate::data::{DataType, Field, Row, RowBuffer, RowLayout, Schema};
use crate::dsl::{
    AggregateOptions, Aggregator, Consumed, Grouped, Joined, KTable, Materialized, Multisets,
    Produced, StreamsBuilder,
};
use crate::error::{ErrorKind, Result};
use crate::graph::Topology;
use crate::host::{Host, HostOptions};
use crate::identity;
use crate::store::{Commit, Family, FamilyWrites, STATE_FORMAT, State, StateOptions};

type Text = String;

fn path() -> PathBuf {
    let file = format!("tests/fixtures/state-{STATE_FORMAT}.txt");
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// The least of the values of a group, kept in multisets.
struct Least;

impl Aggregator<Text, Text> for Least {
    type State = Text;

    fn add(
        &self,
        key: &Text,
        value: &Text,
        state: &mut Option<Text>,
        sets: &mut Multisets<'_, Text>,
    ) -> Result<()> {
        sets.add(key, 7, value.as_bytes(), 1)?;
        self.find(key, state, sets)
    }

    fn subtract(
        &self,
        key: &Text,
        value: &Text,
        state: &mut Option<Text>,
        sets: &mut Multisets<'_, Text>,
    ) -> Result<()> {
        sets.add(key, 7, value.as_bytes(), -1)?;
        self.find(key, state, sets)
    }
}

impl Least {
    fn find(
        &self,
        key: &Text,
        state: &mut Option<Text>,
        sets: &mut Multisets<'_, Text>,
    ) -> Result<()> {
        let least = sets.first(key, 7)?;
        *state = least.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(())
    }
}

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("name", DataType::TEXT),
        Field::new("number", DataType::BigInt),
    ])
}

fn sql_row(name: &str, number: Option<i64>) -> Row {
    let layout = RowLayout::new(&schema());
    let mut buffer = RowBuffer::new();
    let mut writer = buffer.begin(&layout);
    writer.set_text(0, name);
    if let Some(number) = number {
        writer.set_integer(1, number);
    }
    let span = writer.finish();
    Row::from_bytes(buffer.get(span))
}

/// A topology with each kind of store.
fn topology() -> Topology {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<Text, Text>("words", Consumed::plain());
    words.group_by_key().count(Materialized::named("counts"));
    let rows: KTable<Text, Text> =
        builder.table("rows", Consumed::plain(), Materialized::named("rows"));
    let pairs = Materialized::with("optional", Option::<Text>::codec(), plain());
    words
        .map(|k, v| ((k != "none").then(|| k.clone()), Some(v.clone())))
        .to_table(pairs);
    rows.join(&rows, |l, r| format!("{l}{r}"), Joined::named("itself"))
        .to_stream()
        .to("out", Produced::plain());
    rows.group_by(
        |_, row| (row[..1].to_owned(), row.clone()),
        Grouped::named("by-first"),
    )
    .aggregate_with(
        Least,
        AggregateOptions {
            materialized: Materialized::named("least"),
            multisets: true,
            seed: None,
            queryable: true,
        },
    );
    rows.outer_join_on(
        &rows,
        |row| Some(row.clone()),
        |row| row.get(1..).map(str::to_owned),
        |l, r| (l.cloned(), r.cloned()),
        Materialized::named("matches"),
    );
    let letters = |k: &Text, row: Text, out: &mut Vec<(i64, Text)>| {
        out.extend(
            (0..)
                .zip(row.chars())
                .map(|(at, letter)| (at, format!("{k}{letter}"))),
        );
    };
    rows.flat_map(letters, i64::codec())
        .repartition(Materialized::named("letters"));
    let numbers = words.map(|key, value| {
        let number = value.parse().ok();
        (sql_row(key, number), Some(sql_row(value, number)))
    });
    numbers.to_table(Materialized::with("sql", row_key(&schema()), row()));
    builder.build().unwrap()
}

fn feed(host: &mut Host, source: &str, offset: i64, key: &str, value: Option<&str>) {
    let record = RawRecord {
        key: Some(key.as_bytes()),
        value: value.map(str::as_bytes),
        timestamp: 1_000 + offset * 7 % 5,
        offset,
        ..RawRecord::default()
    };
    host.feed_record(source, (offset % 2) as u32, record)
        .unwrap();
}

/// What the fixture was made of.
fn fill(state: &State) {
    identity::lanes(state, 3).unwrap();
    let mut host = topology()
        .host(state.clone(), HostOptions::default())
        .unwrap();
    host.assign("words", [0, 1]).unwrap();
    let words = [
        ("a", "1"),
        ("b", "x"),
        ("a", "2"),
        ("none", "-3"),
        ("", "\0"),
        ("b", "x"),
    ];
    for (offset, (key, value)) in (0..).zip(words) {
        feed(&mut host, "words", offset, key, Some(value));
    }
    let rows = [
        ("1", Some("ax")),
        ("2", Some("x")),
        ("3", Some("ab")),
        ("1", Some("ay")),
        ("4", Some("x")),
    ];
    for (offset, (key, value)) in (0..).zip(rows.into_iter().chain([("4", None)])) {
        feed(&mut host, "rows", offset, key, value);
    }
    host.drain_outputs().for_each(drop);
    host.commit().unwrap();
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".to_owned();
    }
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.trim_start_matches('-').as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Every family, key and value.
fn dump(state: &State) -> String {
    let mut text = String::new();
    for family in state.families() {
        writeln!(text, "{family}").unwrap();
        let mut show = |key: &[u8], value: &[u8]| {
            writeln!(text, "  {} {}", hex(key), hex(value)).unwrap();
            Ok(ControlFlow::Continue(()))
        };
        state.scan_family(&family, &[], &[], &mut show).unwrap();
    }
    text
}

/// Puts everything that a dump has into a state, except for what a state has by itself.
fn restore(state: &State, dump: &str) {
    let mut commit = Commit::default();
    let mut writes: Option<FamilyWrites> = None;
    for line in dump.lines() {
        match line.strip_prefix("  ") {
            None => {
                commit.writes.extend(writes.take());
                let family = Family::new(line);
                state.create_family(&family).unwrap();
                writes = Some(FamilyWrites::new(family));
            }
            Some(entry) => {
                let (key, value) = entry.split_once(' ').unwrap();
                let (key, value) = (bytes(key), bytes(value));
                if key == b"epoch" {
                    continue;
                }
                let added: Result<()> = writes.as_mut().unwrap().push(
                    |out| {
                        out.extend_from_slice(&key);
                        Ok(())
                    },
                    |out| {
                        out.extend_from_slice(&value);
                        Ok(true)
                    },
                );
                added.unwrap();
            }
        }
    }
    commit.writes.extend(writes);
    // What is in the dump goes first, so that the commit finds its own place there.
    state.commit(commit, false).unwrap();
}

fn open(dir: &tempfile::TempDir) -> State {
    State::open(dir.path(), StateOptions::default()).unwrap()
}

fn fixture() -> String {
    std::fs::read_to_string(path()).unwrap_or_default()
}

#[test]
fn what_is_written_is_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let state = open(&dir);
    fill(&state);
    let written = dump(&state);
    if std::env::var_os("FERRIS_WRITE_FIXTURES").is_some() {
        std::fs::write(path(), &written).unwrap();
    }
    assert!(
        written == fixture(),
        "another state is written than in format {STATE_FORMAT}; a change of the format takes another \
         number, and a fixture of its own:\n{written}"
    );
}

#[test]
fn what_was_written_is_read_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    restore(&open(&dir), &fixture());
    let state = open(&dir);
    let mut host = topology().host(state, HostOptions::default()).unwrap();
    let positions = host.positions();
    let want = [
        ("rows", 0, 5),
        ("rows", 1, 6),
        ("words", 0, 5),
        ("words", 1, 6),
    ];
    assert_eq!(positions.iter().collect::<Vec<_>>(), want);
    assert_eq!(host.stream_time(), 1_004);
    assert!(
        host.feed("words", 2, 0, 0, None, None).is_err(),
        "the assigned partitions are known"
    );
    let text = |rows: &[(&str, &str)]| -> Vec<(Text, Text)> {
        rows.iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    };
    let snapshot = host.snapshot();
    let counts = snapshot.table::<Text, i64>("counts").unwrap();
    assert_eq!(counts.get("a").unwrap(), Some(2));
    assert_eq!(
        counts
            .get_stamped(&"b".to_owned())
            .unwrap()
            .unwrap()
            .timestamp,
        1_002
    );
    let least = snapshot.table::<Text, Text>("least").unwrap();
    assert_eq!(
        least.scan(|_, _| true).unwrap(),
        text(&[("a", "ab"), ("x", "x")])
    );
    let sql = snapshot.table::<Row, Row>("sql").unwrap();
    let key = sql_row("none", Some(-3));
    assert_eq!(sql.get(key).unwrap(), Some(sql_row("-3", Some(-3))));
    // Every kind of store takes rows back that an earlier program put there.
    for (offset, key) in (6..).zip(["1", "2", "3"]) {
        feed(&mut host, "rows", offset, key, None);
    }
    feed(&mut host, "words", 6, "a", Some("3"));
    let outputs = host
        .drain_outputs()
        .filter(|output| output.record.value.is_none());
    assert_eq!(outputs.count(), 3);
    host.commit().unwrap();
    let snapshot = host.snapshot();
    assert_eq!(
        snapshot
            .table::<Text, i64>("counts")
            .unwrap()
            .get("a")
            .unwrap(),
        Some(3)
    );
    for table in ["rows", "least"] {
        assert!(
            snapshot
                .table::<Text, Text>(table)
                .unwrap()
                .scan(|_, _| true)
                .unwrap()
                .is_empty(),
            "{table}"
        );
    }
    assert!(
        snapshot
            .table::<i64, Text>("letters")
            .unwrap()
            .scan(|_, _| true)
            .unwrap()
            .is_empty()
    );
    type Matched = (Option<Text>, Option<Text>);
    let matches = snapshot.table::<Matched, Matched>("matches").unwrap();
    assert!(matches.scan(|_, _| true).unwrap().is_empty());
}

#[test]
fn a_later_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let state = open(&dir);
    let mut commit = Commit::default();
    commit.put_meta("format", &(STATE_FORMAT + 1).to_be_bytes());
    state.commit(commit, true).unwrap();
    drop(state);
    let e = State::open(dir.path(), StateOptions::default()).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::State);
    let said = format!(
        "cannot open the state directory {}: it was written in format {}, and this program reads format \
         {STATE_FORMAT}",
        dir.path().display(),
        STATE_FORMAT + 1
    );
    assert_eq!(e.to_string(), said);
}

#[test]
fn a_later_form_of_rows_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let state = open(&dir);
    restore(&state, &fixture());
    let mut commit = Commit::default();
    commit.put_meta(
        "store/sql",
        b"rows; key row key/2 (VARCHAR, BIGINT); value stamped/1 row/2",
    );
    state.commit(commit, true).unwrap();
    let Err(e) = topology().host(state, HostOptions::default()) else {
        panic!("rows of a later form were taken");
    };
    assert_eq!(e.kind(), ErrorKind::State);
    let said = e.to_string();
    assert!(
        said.contains("store sql was made by another program; rebuild it"),
        "{said}"
    );
    assert!(said.contains("row/2"), "{said}");
}

#[test]
fn a_database_of_something_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let state = open(&dir);
    restore(&state, &fixture());
    let mut commit = Commit::default();
    commit.remove_meta("format");
    state.commit(commit, true).unwrap();
    drop(state);
    let e = State::open(dir.path(), StateOptions::default()).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::State);
    assert!(
        e.to_string()
            .ends_with("it holds a database that does not say its format"),
        "{e}"
    );
}

#[test]
fn the_lanes_of_keys_stay() {
    let lanes = |key: &str| -> Vec<u16> {
        let codec = Text::codec();
        let mut of = crate::operators::exchange::Lanes::new(codec);
        [2, 3, 4, 16, 1_000]
            .map(|lanes| of.of(&key.to_owned(), lanes).unwrap())
            .into()
    };
    let all: Vec<Vec<u16>> = ["", "a", "ferris", "a key of more than sixteen bytes"]
        .map(lanes)
        .into();
    let want = [
        [0, 2, 0, 0, 712],
        [0, 1, 2, 2, 706],
        [0, 0, 0, 4, 836],
        [1, 2, 3, 11, 323],
    ];
    assert_eq!(all, want.map(Vec::from));
}
