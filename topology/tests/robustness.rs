//! What users' code, sinks, sources and other processes do wrong, and how a topology ends.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use ferrisstreams_topology::connector::{
    Poll, Sink, SinkDescription, SinkRecord, SinkStart, SinkWriter, Source, SourceDescription,
    SourceReader, SourceStart,
};
use ferrisstreams_topology::dsl::{
    Consumed, Grouped, Joined, Materialized, Produced, StreamsBuilder,
};
use ferrisstreams_topology::record::Record;
use ferrisstreams_topology::runtime::{Embedded, EmbeddedOptions, Outcome};
use ferrisstreams_topology::store::{State, StateOptions};
use ferrisstreams_topology::{Error, ErrorKind, ErrorPolicy, Result, Topology};
use support::{Ledger, Lines, wait_until};

type Text = String;

const MINUTE: Duration = Duration::from_secs(60);

fn memory() -> State {
    State::in_memory(StateOptions::default())
}

fn quick() -> EmbeddedOptions {
    EmbeddedOptions::default().commit_interval(Duration::from_millis(2))
}

/// Adds a query that counts the words of a source.
fn count(builder: &StreamsBuilder, query: &str, consumed: Consumed<(), Text>) {
    builder.query(query, ErrorPolicy::Skip);
    builder
        .stream::<(), Text>(&format!("{query}-words"), consumed)
        .group_by(
            |_, word| word.clone(),
            Grouped::named(format!("{query}-by-word")),
        )
        .count(Materialized::named(query));
}

fn counted(app: &Embedded, query: &str) -> BTreeMap<Text, i64> {
    let table = app.table::<Text, i64>(query).unwrap();
    table.snapshot().unwrap().into_iter().collect()
}

/// A fragile query with a source of its own, and a sturdy one.
fn two_queries(fragile: Consumed<(), Text>) -> Topology {
    let builder = StreamsBuilder::new();
    count(&builder, "fragile", fragile);
    count(&builder, "sturdy", Consumed::plain());
    builder.build().unwrap()
}

/// Feeds both queries until the fragile one fails; the sturdy one goes on.
fn fragile_fails(topology: &Topology, workers: u16, said: &str) {
    let lines = Lines::new("words");
    let options = quick()
        .workers(workers)
        .source("fragile-words", Arc::new(lines.clone()))
        .source("sturdy-words", Arc::new(lines.clone()));
    let mut app = Embedded::new(topology, memory(), options).unwrap();
    app.start().unwrap();
    lines.append(0, "a");
    wait_until("the first word is counted", || {
        counted(&app, "fragile").len() == 1
    });
    for partition in 0..4 {
        lines.append(partition, "boom");
        lines.append(partition, "b");
    }
    wait_until("the sturdy query counts everything", || {
        counted(&app, "sturdy").get("b") == Some(&4)
    });
    wait_until("the fragile query has failed", || {
        !app.failed_queries().is_empty()
    });
    let failed = app.failed_queries();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].0, "fragile");
    assert!(failed[0].1.contains(said), "{failed:?}");
    assert!(
        app.wait(Some(Duration::ZERO))
            .unwrap_err()
            .to_string()
            .contains("query fragile failed")
    );
    lines.append(2, "c");
    wait_until("the sturdy query goes on", || {
        counted(&app, "sturdy").contains_key("c")
    });
    assert_eq!(
        counted(&app, "fragile"),
        BTreeMap::from([("a".to_owned(), 1)])
    );
    app.close(MINUTE).unwrap();
}

#[test]
fn a_panic_while_a_record_is_read_ends_its_query() {
    for workers in [1, 3] {
        let fragile = Consumed::plain().timestamp(|_, word: &Text, time| {
            assert!(word != "boom", "this word is too much");
            time
        });
        fragile_fails(
            &two_queries(fragile),
            workers,
            "panicked: this word is too much",
        );
    }
}

#[test]
fn a_bad_record_ends_a_query_with_the_policy_to_fail() {
    for workers in [1, 3] {
        let fragile = Consumed::plain().on_error(ErrorPolicy::Fail);
        let fragile =
            fragile.timestamp(|_, word: &Text, time| if word == "boom" { -1 } else { time });
        let said = "fragile-words: the record has the timestamp -1 (fragile-words partition ";
        fragile_fails(&two_queries(fragile), workers, said);
    }
}

/// Gives lines until it is told to panic, or to fail.
#[derive(Clone)]
struct Treacherous {
    lines: Lines,
    panics: Arc<AtomicBool>,
    fails: Arc<AtomicBool>,
}

struct TreacherousReader(Treacherous, Box<dyn SourceReader>);

impl Source for Treacherous {
    fn describe(&self) -> SourceDescription {
        SourceDescription {
            identity: "treacherous".to_owned(),
            ..self.lines.describe()
        }
    }

    fn open(&self, start: SourceStart) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(TreacherousReader(
            self.clone(),
            self.lines.open(start)?,
        )))
    }
}

impl SourceReader for TreacherousReader {
    fn poll(&mut self, limit: usize) -> Result<Poll> {
        assert!(
            !self.0.panics.load(Ordering::Acquire),
            "the ground gave way"
        );
        if self.0.fails.load(Ordering::Acquire) {
            return Err(Error::new(ErrorKind::NotFound, "the ground is gone"));
        }
        self.1.poll(limit)
    }

    fn is_behind(&self, partition: u32) -> bool {
        self.1.is_behind(partition)
    }

    fn position(&mut self, partition: u32, offset: i64) -> Result<Vec<u8>> {
        self.1.position(partition, offset)
    }

    fn seek(&mut self, positions: &BTreeMap<u32, Vec<u8>>) -> Result<()> {
        self.1.seek(positions)
    }
}

#[test]
fn a_source_that_panics_or_fails_ends_its_queries_alone() {
    for (panics, workers) in [(true, 1), (false, 1), (true, 3), (false, 3)] {
        let source = Treacherous {
            lines: Lines::new("treacherous"),
            panics: Arc::default(),
            fails: Arc::default(),
        };
        let lines = Lines::new("words");
        let options = quick()
            .workers(workers)
            .source("fragile-words", Arc::new(source.clone()))
            .source("sturdy-words", Arc::new(lines.clone()));
        let mut app = Embedded::new(&two_queries(Consumed::plain()), memory(), options).unwrap();
        app.start().unwrap();
        source.lines.append(0, "a");
        wait_until("the first word is counted", || {
            counted(&app, "fragile").len() == 1
        });
        let (told, said) = if panics {
            (&source.panics, "panicked: the ground gave way")
        } else {
            (&source.fails, "the ground is gone")
        };
        told.store(true, Ordering::Release);
        source.lines.append(0, "b");
        wait_until("the fragile query has failed", || {
            !app.failed_queries().is_empty()
        });
        let failed = app.failed_queries();
        assert_eq!(
            (failed.len(), &failed[0].0[..]),
            (1, "fragile"),
            "{failed:?}"
        );
        assert_eq!(failed[0].1, format!("source fragile-words: {said}"));
        lines.append(0, "c");
        wait_until("the sturdy query goes on", || {
            counted(&app, "sturdy").contains_key("c")
        });
        app.close(MINUTE).unwrap();
    }
}

/// A sink that panics, or that does not come back until it is let go.
#[derive(Clone)]
struct Abyss {
    panics: bool,
    open: Arc<AtomicBool>,
}

impl Sink for Abyss {
    fn describe(&self) -> SinkDescription {
        SinkDescription {
            connector: "abyss".to_owned(),
            location: "abyss".to_owned(),
            exactly_once: false,
        }
    }

    fn open(&self, _start: SinkStart) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(self.clone()))
    }
}

impl SinkWriter for Abyss {
    fn delivered(&mut self, recorded: u64) -> Result<u64> {
        Ok(recorded)
    }

    fn deliver(&mut self, _first: u64, _records: &[SinkRecord]) -> Result<Vec<u8>> {
        assert!(!self.panics, "the abyss looked back");
        while !self.open.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        Err(Error::new(ErrorKind::Unavailable, "nothing ever arrived"))
    }
}

fn words_to_out() -> Topology {
    let builder = StreamsBuilder::new();
    builder
        .stream::<(), Text>("words", Consumed::plain())
        .to("out", Produced::plain());
    builder.build().unwrap()
}

#[test]
fn a_sink_that_panics_is_told_and_ends_nothing_else() {
    let abyss = Abyss {
        panics: true,
        open: Arc::default(),
    };
    let lines = Lines::new("words");
    lines.append(0, "a");
    let options = quick()
        .bounded()
        .source("words", Arc::new(lines.clone()))
        .sink("out", Arc::new(abyss));
    let state = memory();
    let mut app = Embedded::new(&words_to_out(), state.clone(), options).unwrap();
    app.start().unwrap();
    wait_until("the sink has failed", || app.check().is_err());
    let e = app.wait(Some(MINUTE)).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Failed);
    assert_eq!(e.to_string(), "sink out: panicked: the abyss looked back");
    app.close(MINUTE).unwrap();
    // What it did not take waits for one that does.
    let ledger = Ledger::new();
    let options = quick()
        .bounded()
        .source("words", Arc::new(lines))
        .sink("out", Arc::new(ledger.clone()));
    let mut app = Embedded::new(&words_to_out(), state, options).unwrap();
    app.start().unwrap();
    assert_eq!(app.wait(Some(MINUTE)).unwrap(), Outcome::Finished);
    assert_eq!(ledger.values(), ["a"]);
}

#[test]
fn a_sink_that_does_not_return_does_not_hold_up_the_end() {
    let abyss = Abyss {
        panics: false,
        open: Arc::default(),
    };
    let lines = Lines::new("words");
    lines.append(0, "a");
    let options = quick()
        .source("words", Arc::new(lines.clone()))
        .sink("out", Arc::new(abyss.clone()));
    let mut app = Embedded::new(&words_to_out(), memory(), options).unwrap();
    app.start().unwrap();
    wait_until("the record is on its way", || app.sinks()[0].backlog == 1);
    let begun = Instant::now();
    let e = app.close(Duration::from_millis(10)).unwrap_err();
    assert!(
        e.to_string().contains("thread sink-out does not end"),
        "{e}"
    );
    assert!(begun.elapsed() < Duration::from_secs(30));
    abyss.open.store(true, Ordering::Release);
}

#[test]
fn what_a_worker_does_that_is_not_waited_for_is_not_committed() {
    // The first time that a word comes, its worker stands still until it is told to go on.
    let (go_on, told) = mpsc::channel::<()>();
    let (arrived, told) = (Arc::new(AtomicBool::new(false)), Mutex::new(told));
    let builder = StreamsBuilder::new();
    builder.query("words", ErrorPolicy::Skip);
    let words = builder.stream::<(), Text>("words", Consumed::plain());
    let here = arrived.clone();
    words
        .peek(move |_, word| {
            if word == "stop" && !here.swap(true, Ordering::AcqRel) {
                told.lock().unwrap().recv().unwrap();
            }
        })
        .group_by(|_, word| word.clone(), Grouped::named("by-word"))
        .count(Materialized::named("counts"));
    let topology = builder.build().unwrap();
    let (state, lines) = (memory(), Lines::new("words"));
    lines.append(0, "stop");
    let source = Arc::new(lines.clone());
    let options = quick().source("words", source.clone());
    let mut app = Embedded::new(&topology, state.clone(), options).unwrap();
    app.start().unwrap();
    wait_until("the word has come", || arrived.load(Ordering::Acquire));
    let e = app.close(Duration::from_millis(10)).unwrap_err();
    assert!(e.to_string().contains("does not end"), "{e}");

    let count_all = || {
        let options = quick().bounded().source("words", Arc::new(lines.clone()));
        let mut app = Embedded::new(&topology, state.clone(), options).unwrap();
        app.start().unwrap();
        assert_eq!(app.wait(Some(MINUTE)).unwrap(), Outcome::Finished);
        counted(&app, "counts")
    };
    lines.append(0, "other");
    let want = BTreeMap::from([("stop".to_owned(), 1), ("other".to_owned(), 1)]);
    assert_eq!(count_all(), want);
    go_on.send(()).unwrap();
    wait_until("the worker is gone", || Arc::strong_count(&source) == 1);
    assert_eq!(count_all(), want);
}

#[test]
fn an_end_waits_for_what_was_fed() {
    for (workers, paused) in [(1, false), (3, false), (1, true), (3, true)] {
        let dir = tempfile::tempdir().unwrap();
        let topology = two_queries(Consumed::plain());
        let open = || State::open(dir.path(), StateOptions::default()).unwrap();
        let mut app = Embedded::new(&topology, open(), quick().workers(workers)).unwrap();
        let feeders = ["fragile", "sturdy"]
            .map(|query| app.input::<(), Text>(&format!("{query}-words")).unwrap());
        app.start().unwrap();
        if paused {
            app.pause();
        }
        for n in 0..20_000 {
            feeders[n % 2]
                .send(Record::new((), format!("w{}", n % 7), n as i64))
                .unwrap();
        }
        app.close(MINUTE).unwrap();
        let e = feeders[0]
            .send(Record::new((), "late".to_owned(), 0))
            .unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Closed);
        let app = Embedded::new(&topology, open(), quick()).unwrap();
        for query in ["fragile", "sturdy"] {
            let sum: i64 = counted(&app, query).values().sum();
            assert_eq!(sum, 10_000, "{workers} workers, paused: {paused}");
        }
    }
}

#[test]
fn what_was_fed_is_processed_behind_what_comes_before_it() {
    let lines = Lines::new("users");
    let builder = StreamsBuilder::new();
    let users = builder
        .stream::<(), Text>("users", Consumed::plain())
        .map(|_, line| ("k".to_owned(), Some(line.clone())))
        .to_table(Materialized::named("users"));
    builder
        .stream::<Text, Text>("orders", Consumed::plain())
        .left_join(
            &users,
            |order, user| Some(format!("{order}{}", user.map_or("?", |u| u))),
            Joined::named("join"),
        )
        .to_table(Materialized::named("joined"));
    let topology = builder.build().unwrap();
    let options = quick().source("users", Arc::new(lines.clone()));
    let mut app = Embedded::new(&topology, memory(), options).unwrap();
    let orders = app.input::<Text, Text>("orders").unwrap();
    for n in 0..40_000 {
        lines.append(0, &format!("u{n}"));
    }
    orders
        .send(Record::new("k".to_owned(), "order-".to_owned(), 39_999))
        .unwrap();
    let table = app.table::<Text, Text>("joined").unwrap();
    app.start().unwrap();
    app.close(MINUTE).unwrap();
    assert_eq!(table.get("k").unwrap().as_deref(), Some("order-u39999"));
}

#[test]
fn an_end_in_a_hurry_loses_nothing_that_can_be_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let lines = Lines::new("words");
    for n in 0..50_000 {
        lines.append(n % 3, &format!("w{}", n % 11));
    }
    let builder = StreamsBuilder::new();
    count(&builder, "counts", Consumed::plain());
    let topology = builder.build().unwrap();
    let start = || {
        let state = State::open(dir.path(), StateOptions::default()).unwrap();
        let options = quick()
            .workers(2)
            .source("counts-words", Arc::new(lines.clone()));
        let mut app = Embedded::new(&topology, state, options).unwrap();
        app.start().unwrap();
        app
    };
    for _ in 0..5 {
        start().close(Duration::ZERO).unwrap();
    }
    let app = start();
    wait_until("all is counted", || {
        counted(&app, "counts").values().sum::<i64>() == 50_000
    });
    app.close(MINUTE).unwrap();
}

#[test]
fn pause_and_resume_at_any_time() {
    let lines = Lines::new("words");
    let builder = StreamsBuilder::new();
    count(&builder, "counts", Consumed::plain());
    let options = quick()
        .workers(3)
        .source("counts-words", Arc::new(lines.clone()));
    let mut app = Embedded::new(&builder.build().unwrap(), memory(), options).unwrap();
    app.pause();
    app.start().unwrap();
    for round in 1..=30 {
        for n in 0..50 {
            lines.append(n % 4, "w");
        }
        app.resume();
        app.pause();
        app.pause();
        app.resume();
        wait_until("all is counted", || {
            counted(&app, "counts").values().sum::<i64>() == round * 50
        });
        app.pause();
    }
    assert_eq!(app.wait(Some(Duration::ZERO)).unwrap(), Outcome::TimedOut);
    app.close(MINUTE).unwrap();
}

const HOLDS: &str = "FERRIS_TEST_HOLDS_STATE";

/// Run in a process of its own: holds a state directory until its input ends.
#[test]
fn holds_a_state_directory() {
    let Some(dir) = std::env::var_os(HOLDS) else {
        return;
    };
    let state = State::open(dir, StateOptions::default()).unwrap();
    let mut out = std::io::stdout();
    out.write_all(b"\nheld\n").unwrap();
    out.flush().unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    drop(state);
}

#[test]
fn a_state_directory_belongs_to_one_process() {
    // A name that says lock without being one.
    let dir = tempfile::Builder::new().prefix("block").tempdir().unwrap();
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holds_a_state_directory", "--nocapture"])
        .env(HOLDS, dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "held"));
    let open = || State::open(dir.path(), StateOptions::default());
    let said = |by: &str| {
        format!(
            "cannot open the state directory {}: it is in use by {by}",
            dir.path().display()
        )
    };
    let e = open().unwrap_err();
    assert_eq!(e.kind(), ErrorKind::State);
    assert!(e.to_string().starts_with(&said("another process")), "{e}");
    drop(other.stdin.take());
    assert!(other.wait().unwrap().success());
    let state = open().unwrap();
    let e = open().unwrap_err();
    assert!(
        e.to_string().starts_with(&said("this process already")),
        "{e}"
    );
    drop(state);
    open().unwrap();
    std::fs::write(dir.path().join("rocksdb/CURRENT"), "nonsense").unwrap();
    let e = open().unwrap_err().to_string();
    assert!(!e.contains("in use"), "{e}");
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let e = State::open(&file, StateOptions::default()).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Storage, "{e}");
}
