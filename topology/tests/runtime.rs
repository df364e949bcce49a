//! The embedded runtime: threads, commits, crashes, sources that change under it.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferrisstreams_topology::connector::{
    Poll, Sink, SinkDescription, SinkRecord, SinkStart, SinkWriter, Source, SourceDescription,
    SourceReader, SourceStart,
};
use ferrisstreams_topology::dsl::{
    Consumed, Grouped, Joined, Materialized, Produced, StreamsBuilder,
};
use ferrisstreams_topology::host::Host;
use ferrisstreams_topology::query::{Snapshot, Table};
use ferrisstreams_topology::record::Record;
use ferrisstreams_topology::runtime::{Embedded, EmbeddedOptions, Feeder, Outcome};
use ferrisstreams_topology::store::{State, StateOptions};
use ferrisstreams_topology::{Error, ErrorKind, Result, Topology};
use support::{Ledger, Lines, wait_until};

type Text = String;

fn memory() -> State {
    State::in_memory(StateOptions::default())
}

fn count_words() -> Topology {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<(), Text>("words", Consumed::plain());
    words
        .group_by(|_, word| word.clone(), Grouped::named("by-word"))
        .count(Materialized::named("counts"));
    builder.build().unwrap()
}

fn counts(app: &Embedded) -> BTreeMap<Text, i64> {
    let table = app.table::<Text, i64>("counts").unwrap();
    table.snapshot().unwrap().into_iter().collect()
}

fn expected<'a>(words: impl IntoIterator<Item = &'a str>) -> BTreeMap<Text, i64> {
    let mut counts = BTreeMap::new();
    for word in words {
        *counts.entry(word.to_owned()).or_insert(0) += 1;
    }
    counts
}

fn quick() -> EmbeddedOptions {
    EmbeddedOptions::default().commit_interval(Duration::from_millis(5))
}

#[test]
fn everything_can_be_read_from_any_thread() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<Embedded>();
    shared::<Topology>();
    shared::<State>();
    shared::<Snapshot>();
    shared::<Table<Text, i64>>();
    shared::<Feeder<Text, i64>>();
    sent::<Host>();
}

#[test]
fn what_is_fed_is_counted_once_across_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let mut fed = Vec::new();
    for run in 0..3 {
        let state = State::open(dir.path(), StateOptions::default()).unwrap();
        let mut app = Embedded::new(&count_words(), state, quick()).unwrap();
        let words = app.input::<(), Text>("words").unwrap();
        app.start().unwrap();
        for n in 0..500 {
            let word = format!("w{}", (n * 7 + run) % 50);
            words.send(Record::new((), word.clone(), n)).unwrap();
            fed.push(word);
        }
        let want = expected(fed.iter().map(String::as_str));
        wait_until("all words are counted", || counts(&app) == want);
        assert!(app.table::<Text, i64>("counts").unwrap().is_running());
        app.close(Duration::from_secs(5)).unwrap();
    }
}

/// What words come to that are all there is.
fn counted(words: &[String], workers: u16, state: State) -> BTreeMap<Text, i64> {
    let lines = Lines::new("words");
    for (n, word) in words.iter().enumerate() {
        lines.append(n as u32 % 6, word);
    }
    let options = quick()
        .bounded()
        .workers(workers)
        .source("words", Arc::new(lines));
    let mut app = Embedded::new(&count_words(), state, options).unwrap();
    app.start().unwrap();
    let outcome = app.wait(Some(Duration::from_secs(60))).unwrap();
    assert_eq!(outcome, Outcome::Finished);
    let counts = counts(&app);
    app.close(Duration::from_secs(5)).unwrap();
    counts
}

#[test]
fn rows_that_have_no_room_in_memory_are_on_disk() {
    let words: Vec<String> = (0..80_000).map(|n| format!("w{}", n % 40_000)).collect();
    let want = expected(words.iter().map(String::as_str));
    for workers in [1, 4] {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path(), StateOptions { memory: 1 << 20 }).unwrap();
        assert_eq!(counted(&words, workers, state), want);
    }
}

#[test]
fn bounded_sources_end_with_one_worker_and_with_four() {
    let words: Vec<String> = (0..20_000).map(|n| format!("w{}", n * n % 977)).collect();
    let want = expected(words.iter().map(String::as_str));
    for workers in [1, 4] {
        assert_eq!(
            counted(&words, workers, memory()),
            want,
            "{workers} workers"
        );
    }
}

/// Counts words, and counts how many words have each count.
fn count_counts() -> Topology {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<(), Text>("words", Consumed::plain());
    let counts = words
        .group_by(|_, word| word.clone(), Grouped::named("by-word"))
        .count(Materialized::named("counts"));
    counts
        .group_by(|_, n| (*n, ()), Grouped::named("by-count"))
        .count(Materialized::named("spread"));
    builder.build().unwrap()
}

#[test]
fn replaced_content_is_compared_and_downstream_sees_the_differences() {
    for (workers, durable) in [(1, false), (1, true), (4, false)] {
        let dir = tempfile::tempdir().unwrap();
        let state = if durable {
            State::open(dir.path(), StateOptions::default()).unwrap()
        } else {
            memory()
        };
        let lines = Lines::new("words");
        let options = quick()
            .workers(workers)
            .source("words", Arc::new(lines.clone()));
        let mut app = Embedded::new(&count_counts(), state, options).unwrap();
        app.start().unwrap();
        for generation in 0..4usize {
            let words: Vec<String> = (0..300)
                .map(|n| format!("w{}", n % (17 + generation * 5)))
                .filter(|_| generation != 2)
                .collect();
            lines.replace(&words);
            let want = expected(words.iter().map(String::as_str));
            wait_until("the counts are those of the new content", || {
                counts(&app) == want
            });
            let mut spread = BTreeMap::new();
            for n in want.values() {
                *spread.entry(*n).or_insert(0) += 1;
            }
            let got = app.table::<i64, i64>("spread").unwrap();
            wait_until("what depends on them follows", || {
                got.snapshot()
                    .unwrap()
                    .into_iter()
                    .collect::<BTreeMap<_, _>>()
                    == spread
            });
        }
        lines.append(0, "more");
        wait_until("appended lines count", || {
            counts(&app).get("more") == Some(&1)
        });
        app.close(Duration::from_secs(5)).unwrap();
    }
}

#[test]
fn a_query_that_panics_is_stopped_and_the_others_go_on() {
    let lines = Lines::new("words");
    let builder = StreamsBuilder::new();
    builder.query("fragile", Default::default());
    let words = builder.stream::<(), Text>("fragile-words", Consumed::plain());
    let broken = words
        .map_values(|_, word| {
            assert!(word != "boom", "this word is too much");
            word.clone()
        })
        .group_by(|_, word| word.clone(), Grouped::named("fragile-by-word"))
        .count(Materialized::named("fragile"));
    builder.query("sturdy", Default::default());
    let words = builder.stream::<(), Text>("sturdy-words", Consumed::plain());
    words
        .group_by(|_, word| word.clone(), Grouped::named("by-word"))
        .count(Materialized::named("counts"));
    builder.query("dependent", Default::default());
    broken
        .follow()
        .map_values(|_, n| *n)
        .materialize(Materialized::named("dependent"));
    let topology = builder.build().unwrap();
    let options = quick()
        .source("fragile-words", Arc::new(lines.clone()))
        .source("sturdy-words", Arc::new(lines.clone()));
    let mut app = Embedded::new(&topology, memory(), options).unwrap();
    app.start().unwrap();
    lines.append(0, "a");
    wait_until("the first word is counted", || counts(&app).len() == 1);
    lines.append(0, "boom");
    lines.append(0, "b");
    wait_until("the sturdy query counts everything", || {
        counts(&app).len() == 3
    });
    let failed = app.failed_queries();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].0, "fragile");
    assert!(failed[0].1.contains("this word is too much"), "{failed:?}");
    let e = app
        .wait(Some(Duration::from_millis(1)))
        .unwrap_err()
        .to_string();
    assert!(e.contains("query fragile failed"), "{e}");
    let left = app
        .table::<Text, i64>("fragile")
        .unwrap()
        .snapshot()
        .unwrap();
    assert_eq!(left, [("a".to_owned(), 1)], "what was committed stays");
    lines.append(0, "c");
    wait_until("the sturdy query goes on", || counts(&app).len() == 4);
    app.close(Duration::from_secs(5)).unwrap();
}

#[test]
fn output_arrives_once_although_the_sink_fails_and_the_process_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let lines = Lines::new("words");
    let ledger = Ledger::new();
    let topology = || {
        let builder = StreamsBuilder::new();
        let words = builder.stream::<(), Text>("words", Consumed::plain());
        words
            .map_values(|_, word| word.to_uppercase())
            .to("out", Produced::plain());
        builder.build().unwrap()
    };
    let mut want = Vec::new();
    for run in 0..4 {
        let state = State::open(dir.path(), StateOptions::default()).unwrap();
        let options = quick()
            .source("words", Arc::new(lines.clone()))
            .sink("out", Arc::new(ledger.clone()));
        let mut app = Embedded::new(&topology(), state, options).unwrap();
        app.start().unwrap();
        for n in 0..2_000 {
            if n % 500 == 0 {
                ledger.fail_next();
            }
            lines.append(0, &format!("w{run}-{n}"));
            want.push(format!("W{run}-{n}"));
        }
        if run % 2 == 0 {
            wait_until("all records are delivered", || ledger.values() == want);
        }
        drop(app);
    }
    let state = State::open(dir.path(), StateOptions::default()).unwrap();
    let options = quick()
        .source("words", Arc::new(lines.clone()))
        .sink("out", Arc::new(ledger.clone()));
    let mut app = Embedded::new(&topology(), state, options).unwrap();
    app.start().unwrap();
    wait_until("all records are delivered", || ledger.values() == want);
    app.close(Duration::from_secs(5)).unwrap();
    assert_eq!(ledger.values(), want);
}

#[test]
fn a_table_loads_before_streams_that_meet_it_move() {
    for workers in [1, 3] {
        let (users, orders) = (Lines::new("users"), Lines::new("orders"));
        let builder = StreamsBuilder::new();
        let pairs = |line: &Text| {
            let (key, value) = line.split_once('=').unwrap();
            (key.to_owned(), value.to_owned())
        };
        let table = builder
            .stream::<(), Text>("users", Consumed::plain().load_first())
            .map(move |_, line| {
                let (key, value) = pairs(line);
                (key, Some(value))
            })
            .to_table(Materialized::named("table"));
        builder
            .stream::<(), Text>("orders", Consumed::plain())
            .map(move |_, line| pairs(line))
            .left_join(
                &table,
                |v, u| format!("{v}{}", u.map_or("?", |u| u)),
                Joined::named("enrich"),
            )
            .map_values(|_, v| Some(v.clone()))
            .to_table(Materialized::named("enriched"));
        let topology = builder.build().unwrap();
        for n in 0..30_000 {
            users.append(0, &format!("u{n}=U{n}"));
            if n % 10 == 0 {
                orders.append(n % 3, &format!("u{}=", n * 7 % 30_000));
            }
        }
        let options = quick()
            .bounded()
            .workers(workers)
            .source("users", Arc::new(users.clone()))
            .source("orders", Arc::new(orders.clone()));
        let mut app = Embedded::new(&topology, memory(), options).unwrap();
        app.start().unwrap();
        assert_eq!(
            app.wait(Some(Duration::from_secs(60))).unwrap(),
            Outcome::Finished
        );
        let rows = app
            .table::<Text, Text>("enriched")
            .unwrap()
            .snapshot()
            .unwrap();
        assert_eq!(rows.len(), 3_000);
        assert!(
            rows.iter().all(|(k, v)| *v == k.replace('u', "U")),
            "{workers}: {rows:?}"
        );
    }
}

#[test]
fn a_paused_topology_reads_nothing() {
    let lines = Lines::new("words");
    let options = quick().source("words", Arc::new(lines.clone()));
    let mut app = Embedded::new(&count_words(), memory(), options).unwrap();
    app.start().unwrap();
    lines.append(0, "a");
    wait_until("it runs", || counts(&app).len() == 1);
    app.pause();
    let commits = app.commits();
    lines.append(0, "b");
    assert_eq!(
        app.wait(Some(Duration::from_millis(50))).unwrap(),
        Outcome::TimedOut
    );
    assert!(app.commits() <= commits + 1);
    assert_eq!(counts(&app).len(), 1);
    app.resume();
    wait_until("it goes on", || counts(&app).len() == 2);
}

#[test]
fn state_of_another_program_is_refused_and_can_be_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let lines = Lines::new("words");
    lines.append(0, "a");
    let open = |plan: &str, options: EmbeddedOptions| {
        let state = State::open(dir.path(), StateOptions::default()).unwrap();
        let plans = BTreeMap::from([("topology".to_owned(), plan.to_owned())]);
        let options = options.source("words", Arc::new(lines.clone()));
        Embedded::with_plans(&count_words(), state, options, &plans)
    };
    let mut app = open("count", quick()).unwrap();
    app.start().unwrap();
    wait_until("it counts", || counts(&app).len() == 1);
    app.close(Duration::from_secs(5)).unwrap();
    let Err(e) = open("count twice", quick()) else {
        panic!("another plan was taken");
    };
    assert!(e.to_string().contains("was made by another program"), "{e}");
    let mut app = open("count twice", quick().rebuild("topology")).unwrap();
    assert!(counts(&app).is_empty());
    app.start().unwrap();
    wait_until("it counts anew", || counts(&app) == expected(["a"]));
}

/// Lines of which more is known to be there than is given, until it is let go.
#[derive(Clone)]
struct Held {
    lines: Lines,
    held: Arc<AtomicBool>,
}

struct HeldReader {
    held: Arc<AtomicBool>,
    given: bool,
    lines: Box<dyn SourceReader>,
}

impl Source for Held {
    fn describe(&self) -> SourceDescription {
        self.lines.describe()
    }

    fn open(&self, start: SourceStart) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(HeldReader {
            held: self.held.clone(),
            given: false,
            lines: self.lines.open(start)?,
        }))
    }
}

impl SourceReader for HeldReader {
    fn poll(&mut self, _limit: usize) -> Result<Poll> {
        if self.given && self.held.load(Ordering::Acquire) {
            return Ok(Poll::Waiting);
        }
        self.given = true;
        self.lines.poll(1)
    }

    fn is_behind(&self, partition: u32) -> bool {
        self.lines.is_behind(partition)
    }

    fn position(&mut self, partition: u32, offset: i64) -> Result<Vec<u8>> {
        self.lines.position(partition, offset)
    }

    fn seek(&mut self, positions: &BTreeMap<u32, Vec<u8>>) -> Result<()> {
        self.lines.seek(positions)
    }
}

#[test]
fn a_join_waits_for_rows_that_are_known_to_be_there() {
    const RECORDS: usize = 200_000;
    for workers in [1, 4] {
        let builder = StreamsBuilder::new();
        let keyed = |name: &str| {
            let lines = builder.stream::<(), Text>(name, Consumed::plain());
            lines.select_key(|_, line| line[..1].to_owned())
        };
        let rows = keyed("rows").map_values(|_, row| Some(row.clone()));
        let rows = rows.to_table(Materialized::named("latest"));
        keyed("orders")
            .join(&rows, |_, row| row.clone(), Joined::named("join"))
            .to("out", Produced::plain());
        let words = builder.stream::<(), Text>("words", Consumed::plain());
        words
            .group_by(|_, word| word.clone(), Grouped::named("by-word"))
            .count(Materialized::named("counts"));
        let (words, orders, ledger) = (Lines::new("words"), Lines::new("orders"), Ledger::new());
        let rows = Held {
            lines: Lines::new("rows"),
            held: Arc::new(AtomicBool::new(true)),
        };
        rows.lines.append(0, "a old");
        rows.lines.append(0, "a new");
        for _ in 0..RECORDS {
            orders.append(0, "a");
        }
        let options = quick()
            .workers(workers)
            .source("rows", Arc::new(rows.clone()))
            .source("orders", Arc::new(orders))
            .source("words", Arc::new(words.clone()))
            .sink("out", Arc::new(ledger.clone()));
        let mut app = Embedded::new(&builder.build().unwrap(), memory(), options).unwrap();
        app.start().unwrap();
        // Each is committed by a commit of its own; the second row is awaited through all of them.
        for word in ["one", "two", "three"] {
            words.append(0, word);
            wait_until("a word is counted", || counts(&app).contains_key(word));
        }
        assert!(
            ledger.values().len() <= 2,
            "{workers}: {:?}",
            ledger.values().len()
        );
        rows.held.store(false, Ordering::Release);
        rows.lines.append(0, "b other");
        wait_until("all are joined", || ledger.values().len() == RECORDS);
        app.close(Duration::from_secs(60)).unwrap();
        let old = ledger.values().iter().filter(|row| *row == "a old").count();
        assert!(
            old <= 2,
            "{workers}: {old} records were joined with the row before"
        );
    }
}

/// A sink that finds itself in a new place whenever it is asked, and never takes anything.
#[derive(Clone, Default)]
struct Moved {
    place: u8,
    /// How it was begun last.
    memo: Arc<Mutex<Option<Vec<u8>>>>,
    /// Where delivery was tried last.
    tried: Arc<AtomicU8>,
}

impl Sink for Moved {
    fn describe(&self) -> SinkDescription {
        SinkDescription {
            connector: "moved".to_owned(),
            location: "moved".to_owned(),
            exactly_once: true,
        }
    }

    fn open(&self, start: SinkStart) -> Result<Box<dyn SinkWriter>> {
        *self.memo.lock().unwrap() = start.memo;
        Ok(Box::new(self.clone()))
    }
}

impl SinkWriter for Moved {
    fn delivered(&mut self, recorded: u64) -> Result<u64> {
        Ok(recorded)
    }

    fn prepare(&mut self) -> Result<Option<Vec<u8>>> {
        self.place += 1;
        Ok(Some(vec![self.place]))
    }

    fn deliver(&mut self, _first: u64, _records: &[SinkRecord]) -> Result<Vec<u8>> {
        self.tried.store(self.place, Ordering::Release);
        Err(Error::new(ErrorKind::Unavailable, "it is elsewhere by now"))
    }
}

#[test]
fn what_a_sink_must_remember_is_in_the_state_before_it_is_given_anything() {
    let builder = StreamsBuilder::new();
    builder
        .stream::<(), Text>("words", Consumed::plain())
        .to("out", Produced::plain());
    let topology = builder.build().unwrap();
    let lines = Lines::new("words");
    lines.append(0, "a");
    let (state, moved) = (memory(), Moved::default());
    let mut tried = None;
    for _ in 0..3 {
        let options = quick()
            .source("words", Arc::new(lines.clone()))
            .sink("out", Arc::new(moved.clone()));
        let mut app = Embedded::new(&topology, state.clone(), options).unwrap();
        let memo = moved.memo.lock().unwrap().clone();
        assert!(
            memo.map(|memo| memo[0]) >= tried,
            "it was tried at {tried:?}"
        );
        moved.tried.store(0, Ordering::Release);
        app.start().unwrap();
        wait_until("it was tried", || moved.tried.load(Ordering::Acquire) > 2);
        // Nothing is committed any more.
        drop(app);
        tried = Some(moved.tried.load(Ordering::Acquire));
    }
}
