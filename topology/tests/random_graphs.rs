//! Runs of records give what single records give.
//!
//! Random topologies, with paths that part and meet, tables joined with themselves, keys that change
//! and records that fail, are fed random records: one at a time with one task a part, and then in
//! runs of other sizes, with four tasks a part, with restarts. Outputs, stores and stream time must be
//! the same.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

use std::collections::BTreeMap;

use ferrisstreams_topology::Topology;
use ferrisstreams_topology::codec::{Key, nullable, plain};
use ferrisstreams_topology::dsl::{
    Consumed, Failures, Grouped, Joined, KStream, KTable, Materialized, Produced, RunMapper,
    StreamsBuilder,
};
use ferrisstreams_topology::record::Record;
use ferrisstreams_topology::store::{State, StateOptions};
use ferrisstreams_topology::test_driver::{DriverOptions, TestInput, TopologyTestDriver};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

type Stream = KStream<u8, i64>;
type Table = KTable<u8, i64>;

const SOURCES: usize = 3;

/// Fails for some values, and passes on the others.
struct Picky;

impl RunMapper<u8, i64, u8, i64> for Picky {
    fn map_run(
        &mut self,
        records: Vec<Record<u8, i64>>,
        out: &mut Vec<Record<u8, i64>>,
        failures: &mut Failures<'_, '_>,
    ) {
        for record in records {
            if record.value % 11 == 3 {
                failures.report(&record, "this value is not liked");
            } else {
                out.push(record);
            }
        }
    }
}

/// A topology that a seed stands for.
struct Maker {
    rng: StdRng,
    streams: Vec<Stream>,
    tables: Vec<Table>,
    /// Tables whose rows lie where their keys belong.
    kept: Vec<Table>,
    names: usize,
    stores: Vec<String>,
}

fn mix(a: i64, b: i64) -> i64 {
    a.wrapping_mul(31).wrapping_add(b) % 1_000_003
}

impl Maker {
    fn name(&mut self, what: &str) -> String {
        self.names += 1;
        format!("{what}-{}", self.names)
    }

    fn store(&mut self) -> Materialized<u8, i64> {
        let name = self.name("store");
        self.stores.push(name.clone());
        Materialized::named(name)
    }

    fn stream(&mut self) -> Stream {
        self.streams.choose(&mut self.rng).unwrap().clone()
    }

    fn table(&mut self) -> Option<Table> {
        self.tables.choose(&mut self.rng).cloned()
    }

    fn kept(&mut self) -> Option<Table> {
        self.kept.choose(&mut self.rng).cloned()
    }

    fn keep(&mut self, table: Table) {
        self.tables.push(table.clone());
        self.kept.push(table);
    }

    fn add_stream_step(&mut self) {
        let from = self.stream();
        let n = self.rng.random_range(2..6);
        let made = match self.rng.random_range(0..8) {
            0 => from.filter(move |_, v| v % n != 0),
            1 => from.map_values(move |k, v| mix(*v, i64::from(*k) + n)),
            2 => from.select_key(move |k, v| (i64::from(*k) + v / n).rem_euclid(7) as u8),
            3 => from.flat_map(move |k, v| {
                let copies = (v.rem_euclid(3)) as u8;
                let (k, v) = (*k, *v);
                (0..copies).map(move |i| ((k + i) % 7, v + i64::from(i) * n))
            }),
            4 => from.merge(&self.stream()),
            5 => from.map_run(|| Box::new(Picky)),
            6 => {
                let test = std::sync::Arc::new(move |_: &u8, v: &i64| v % n == 0);
                let parts = from.branch(vec![test]);
                self.streams.push(parts[0].clone());
                parts[1].map_values(|_, v| v + 1)
            }
            _ => {
                let name = self.name("by");
                let grouped = from.group_by(
                    move |k, v| (i64::from(*k) + v).rem_euclid(5) as u8,
                    Grouped::named(name),
                );
                let store = self.store();
                let table = grouped.aggregate(
                    || 0,
                    |_, v, sum| {
                        let sum = mix(sum, *v);
                        (sum % 13 != 0).then_some(sum)
                    },
                    store,
                );
                self.keep(table);
                return;
            }
        };
        self.streams.push(made);
    }

    fn add_table_step(&mut self) {
        let n = self.rng.random_range(2..6);
        let kind = self.rng.random_range(0..9);
        if kind == 0 {
            let from = self.stream();
            let made = from.map_values(move |_, v| (v % (n + 2) != 0).then_some(*v));
            let store = self.store();
            let table = made.to_table(store);
            return self.keep(table);
        }
        let (Some(from), Some(kept)) = (self.table(), self.kept()) else {
            return;
        };
        match kind {
            1 => self.keep(kept.filter(move |_, v| v % n != 1)),
            2 => self.keep(kept.map_values(move |k, v| mix(*v, i64::from(*k) * n))),
            3 => {
                let made = from.to_stream().map_values(|_, v| v.unwrap_or(-1));
                self.streams.push(made);
            }
            4 => {
                let name = self.name("regroup");
                let grouped = from.group_by(
                    move |k, v| ((i64::from(*k) + v / n).rem_euclid(4) as u8, *v),
                    Grouped::named(name),
                );
                let store = self.store();
                let table = grouped.aggregate(|| 0, |_, v, s| s + v, |_, v, s| s - v, store);
                self.keep(table);
            }
            5 | 6 => {
                let stream = self.stream();
                let name = Joined::named(self.name("enrich"));
                let made = if kind == 5 {
                    stream.join(&kept, |v, t| mix(*v, *t), name)
                } else {
                    stream.left_join(&kept, |v, t| mix(*v, t.copied().unwrap_or(7)), name)
                };
                self.streams.push(made);
            }
            7 => {
                let other = self.kept().unwrap();
                let name = Joined::named(self.name("join"));
                let made = match n {
                    2 => kept.join(&other, |l, r| l - 2 * r, name),
                    3 => kept.left_join(&other, |l, r| l - 2 * r.copied().unwrap_or(5), name),
                    _ => kept.outer_join(
                        &other,
                        |l, r| l.copied().unwrap_or(3) - 2 * r.copied().unwrap_or(5),
                        name,
                    ),
                };
                let store = self.store();
                self.keep(made.materialize(store));
            }
            _ => self.add_join_on(&from, n),
        }
    }

    fn add_join_on(&mut self, left: &Table, n: i64) {
        let right = self.table().unwrap();
        let name = self.name("join-on");
        let made = left.join_on(
            &right,
            move |v| v.rem_euclid(n + 3) as u8,
            move |v| (v + 1).rem_euclid(n + 3) as u8,
            |l, r| l * 3 + r,
            Materialized::named(name),
        );
        let store = self.store();
        let grouped = made.group_by(|(l, _), v| (*l, *v), Grouped::named(self.name("back")));
        let table = grouped.aggregate(|| 0, |_, v, s| s + v, |_, v, s| s - v, store);
        self.keep(table);
    }
}

fn topology(seed: u64) -> (Topology, Vec<String>) {
    let builder = StreamsBuilder::new();
    let streams = (0..SOURCES)
        .map(|n| builder.stream(&format!("in-{n}"), Consumed::with(plain(), plain())))
        .collect();
    let mut maker = Maker {
        rng: StdRng::seed_from_u64(seed),
        streams,
        tables: Vec::new(),
        kept: Vec::new(),
        names: 0,
        stores: Vec::new(),
    };
    for _ in 0..maker.rng.random_range(4..16) {
        if maker.rng.random_bool(0.5) {
            maker.add_stream_step();
        } else {
            maker.add_table_step();
        }
    }
    for (n, stream) in maker.streams.clone().iter().enumerate().skip(SOURCES) {
        stream.to(&format!("out-{}", n % 3), Produced::with(plain(), plain()));
    }
    for (n, table) in maker.tables.clone().iter().enumerate() {
        let form = Produced::with(plain(), nullable(plain()));
        table.to_stream().to(&format!("table-out-{n}"), form);
    }
    (builder.build().unwrap(), maker.stores)
}

/// A record for a source: source, partition, key, value, time.
type Piped = (usize, u32, u8, i64, i64);

fn records(seed: u64) -> Vec<Piped> {
    let mut rng = StdRng::seed_from_u64(seed ^ 0xfeed);
    let mut time = 1_000;
    (0..rng.random_range(20..120))
        .map(|_| {
            time += rng.random_range(-3..6);
            (
                rng.random_range(0..SOURCES),
                rng.random_range(0..3),
                rng.random_range(0..7),
                rng.random_range(-20..60),
                time,
            )
        })
        .collect()
}

/// What a run of a topology shows.
#[derive(Debug, PartialEq, Default)]
struct Shown {
    /// What each sink got, in order: key, value, time.
    outputs: BTreeMap<String, Vec<(Option<Vec<u8>>, Option<Vec<u8>>, i64)>>,
    stores: BTreeMap<String, Vec<(u8, i64)>>,
    stream_time: i64,
}

fn show(seed: u64, options: &DriverOptions, restarts: bool) -> Shown {
    let (topology, stores) = topology(seed);
    let state = State::in_memory(StateOptions::default());
    let mut driver = TopologyTestDriver::with(&topology, state, options.clone()).unwrap();
    let inputs: Vec<TestInput<u8, i64>> = (0..SOURCES)
        .map(|n| driver.input(&format!("in-{n}")))
        .collect();
    let mut rng = StdRng::seed_from_u64(seed ^ 0xbeef);
    let mut shown = Shown::default();
    let records = records(seed);
    // The same records are there when processing begins, whatever the size of the runs.
    for batch in records.chunks(25) {
        pipe(&mut driver, &inputs, batch);
        if restarts && rng.random_bool(0.7) {
            // Processed, not committed: all of it is forgotten, and done again.
            driver.process().unwrap();
            for sink in topology.sinks() {
                driver.read_raw(&sink);
            }
            driver.restart().unwrap();
            pipe(&mut driver, &inputs, batch);
        }
        driver.process().unwrap();
        driver.commit().unwrap();
        collect(&mut driver, &topology, &mut shown);
        if restarts && rng.random_bool(0.5) {
            driver.restart().unwrap();
        }
    }
    for store in stores {
        let rows = driver.table::<u8, i64>(&store).snapshot().unwrap();
        shown.stores.insert(store, rows);
    }
    shown.stream_time = driver.stream_time();
    shown
}

/// Pipes records, those of each partition as one batch.
fn pipe(driver: &mut TopologyTestDriver, inputs: &[TestInput<u8, i64>], records: &[Piped]) {
    for (source, input) in inputs.iter().enumerate() {
        for partition in 0..3 {
            let mine = records.iter().filter(|r| r.0 == source && r.1 == partition);
            let mine: Vec<_> = mine.map(|r| Record::new(r.2, r.3, r.4)).collect();
            if !mine.is_empty() {
                driver.pipe_records(input, partition, mine).unwrap();
            }
        }
    }
}

fn collect(driver: &mut TopologyTestDriver, topology: &Topology, shown: &mut Shown) {
    for sink in topology.sinks() {
        let sent = driver.read_raw(&sink).into_iter();
        let sent = sent.map(|record| (record.key, record.value, record.timestamp));
        shown.outputs.entry(sink).or_default().extend(sent);
    }
}

fn options(lanes: u16, max_run: usize) -> DriverOptions {
    DriverOptions {
        lanes,
        max_run,
        at_once: false,
        ..DriverOptions::default()
    }
}

fn seeds() -> u64 {
    std::env::var("FERRIS_GRAPH_SEEDS").map_or(300, |n| n.parse().unwrap())
}

#[test]
fn runs_are_as_single_records() {
    for seed in 0..seeds() {
        let want = show(seed, &options(1, 1), false);
        for max_run in [2, 5, 1_000] {
            for restarts in [false, true] {
                let got = show(seed, &options(1, max_run), restarts);
                assert_eq!(
                    got, want,
                    "seed {seed}, runs of {max_run}, restarts: {restarts}"
                );
            }
        }
    }
}

#[test]
fn four_tasks_are_as_one() {
    for seed in 0..seeds() {
        let want = show(seed, &options(1, 1), false);
        for (max_run, restarts) in [(1, false), (3, true), (1_000, false), (1_000, true)] {
            let got = show(seed, &options(4, max_run), restarts);
            assert_eq!(
                got, want,
                "seed {seed}, runs of {max_run}, restarts: {restarts}"
            );
        }
    }
}

#[test]
fn a_description_is_the_same_for_the_same_seed() {
    for seed in 0..50 {
        assert_eq!(topology(seed).0.describe(), topology(seed).0.describe());
    }
    assert_eq!(u8::codec().name(), u8::codec().name());
}
