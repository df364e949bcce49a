//! A host that is fed, committed and restarted at random shows what the test driver shows.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

use std::collections::BTreeMap;

use ferrisstreams_topology::Topology;
use ferrisstreams_topology::connector::{RawBatch, RawRecord, SinkRecord};
use ferrisstreams_topology::dsl::{
    Consumed, Grouped, Joined, Materialized, Produced, StreamsBuilder,
};
use ferrisstreams_topology::host::{Host, HostOptions};
use ferrisstreams_topology::store::{State, StateOptions};
use ferrisstreams_topology::test_driver::TopologyTestDriver;
use proptest::prelude::*;

const SOURCES: [&str; 3] = ["orders", "users", "cities"];
const TABLES: [&str; 4] = ["users", "cities", "spent", "people"];

/// Orders join users, are summed by city; users are regrouped and join cities.
fn topology() -> Topology {
    let builder = StreamsBuilder::new();
    let orders = builder.stream::<u8, i64>("orders", Consumed::json());
    let users = builder.table::<u8, i64>("users", Consumed::json(), Materialized::named("users"));
    let cities =
        builder.table::<u8, i64>("cities", Consumed::json(), Materialized::named("cities"));
    orders
        .left_join(
            &users,
            |n, city| (*n, city.copied()),
            Joined::named("enrich"),
        )
        .group_by(
            |_, (_, city)| city.unwrap_or(0) as u8,
            Grouped::named("by-city"),
        )
        .aggregate(
            || 0,
            |_, (n, _), sum: i64| Some(sum * 3 + n),
            Materialized::named("spent"),
        )
        .to_stream()
        .to("spent-changes", Produced::json());
    users
        .group_by(
            |user, city| ((*city % 4) as u8, i64::from(*user)),
            Grouped::named("by-home"),
        )
        .aggregate(
            || 0,
            |_, user, sum: i64| sum + user,
            |_, user, sum| sum - user,
            Materialized::named("people"),
        )
        .outer_join(
            &cities,
            |people, city| people.copied().unwrap_or(-1) * 100 + city.copied().unwrap_or(-1),
            Joined::named("with-city"),
        )
        .to_stream()
        .to("cities-changes", Produced::json());
    builder.build().unwrap()
}

/// A record: its source and partition, key, value, and time.
#[derive(Debug, Clone)]
struct Fed {
    source: usize,
    partition: u32,
    key: String,
    value: Option<String>,
    timestamp: i64,
}

/// What is done between records.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Up to so many records, those of one partition in a row as one batch.
    Feed(usize),
    Commit,
    /// The process ends and starts again.
    Restart,
    Rollback,
}

fn records() -> impl Strategy<Value = Vec<Fed>> {
    let value = prop_oneof![
        8 => (0..9i64).prop_map(|n| Some(n.to_string())),
        1 => Just(Some("bad".to_owned())),
        1 => Just(None),
    ];
    let record = (0..SOURCES.len(), 0..3u32, 0..5u8, value, 0..1_000i64);
    let record = record.prop_map(|(source, partition, key, value, timestamp)| Fed {
        source,
        partition,
        key: key.to_string(),
        value,
        timestamp,
    });
    prop::collection::vec(record, 1..120)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1..15usize).prop_map(Step::Feed),
        3 => Just(Step::Commit),
        1 => Just(Step::Restart),
        1 => Just(Step::Rollback),
    ];
    prop::collection::vec(step, 0..60)
}

/// What a run shows: rows of all tables, and what the sinks got.
type Shown = (
    BTreeMap<String, Vec<(u8, i64)>>,
    BTreeMap<String, Vec<SinkRecord>>,
);

fn by_driver(topology: &Topology, records: &[Fed]) -> Shown {
    let mut driver = TopologyTestDriver::new(topology).unwrap();
    let _inputs = SOURCES.map(|source| driver.input::<u8, i64>(source));
    for fed in records {
        let raw = RawRecord {
            key: Some(fed.key.as_bytes()),
            value: fed.value.as_deref().map(str::as_bytes),
            timestamp: fed.timestamp,
            ..RawRecord::default()
        };
        driver
            .pipe_raw_record(SOURCES[fed.source], fed.partition, raw)
            .unwrap();
    }
    let tables = TABLES.map(|name| (name.to_owned(), driver.table(name).snapshot().unwrap()));
    let sinks = topology.sinks().into_iter().map(|sink| {
        let records = driver.read_raw(&sink);
        (sink, records)
    });
    (tables.into(), sinks.collect())
}

/// A host and what was done to it.
struct Run<'a> {
    topology: &'a Topology,
    state: State,
    host: Host,
    records: &'a [Fed],
    offsets: Vec<i64>,
    /// The next record to be fed.
    next: usize,
    sent: BTreeMap<String, Vec<SinkRecord>>,
    unsure: Vec<(String, SinkRecord)>,
}

impl<'a> Run<'a> {
    fn new(topology: &'a Topology, records: &'a [Fed]) -> Self {
        let state = State::in_memory(StateOptions::default());
        let mut counts: BTreeMap<(usize, u32), i64> = BTreeMap::new();
        let offsets = records.iter().map(|fed| {
            let next = counts.entry((fed.source, fed.partition)).or_default();
            // Offsets may leave some out.
            *next += 1 + fed.timestamp % 2;
            *next
        });
        Run {
            host: topology
                .host(state.clone(), HostOptions::default())
                .unwrap(),
            sent: topology
                .sinks()
                .into_iter()
                .map(|sink| (sink, Vec::new()))
                .collect(),
            offsets: offsets.collect(),
            unsure: Vec::new(),
            next: 0,
            topology,
            records,
            state,
        }
    }

    fn feed(&mut self, n: usize) {
        let end = self.records.len().min(self.next + n);
        while self.next < end {
            let first = &self.records[self.next];
            let same = |fed: &&Fed| (fed.source, fed.partition) == (first.source, first.partition);
            let batch = self.records[self.next..end].iter().take_while(same);
            let mut raw = RawBatch::empty(first.partition, self.offsets[self.next]);
            for fed in batch {
                raw.push(RawRecord {
                    key: Some(fed.key.as_bytes()),
                    value: fed.value.as_deref().map(str::as_bytes),
                    timestamp: fed.timestamp,
                    offset: self.offsets[self.next],
                    ..RawRecord::default()
                });
                self.next += 1;
            }
            self.host.feed_batch(SOURCES[first.source], raw).unwrap();
        }
        let outputs = self.host.drain_outputs();
        self.unsure
            .extend(outputs.map(|output| (output.sink.to_string(), output.record)));
    }

    fn commit(&mut self) {
        let positions = self.host.commit().unwrap();
        for (sink, record) in self.unsure.drain(..) {
            self.sent.get_mut(&sink).unwrap().push(record);
        }
        assert_eq!(positions, self.host.positions());
    }

    /// What was not committed is made again; consumers begin at the start, whatever they had.
    fn forget(&mut self) {
        self.unsure.clear();
        self.next = 0;
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Feed(n) => self.feed(n),
            Step::Commit => self.commit(),
            Step::Restart => {
                self.host = self
                    .topology
                    .host(self.state.clone(), HostOptions::default())
                    .unwrap();
                self.forget();
            }
            Step::Rollback => {
                self.host.rollback().unwrap();
                self.forget();
            }
        }
    }

    fn finish(mut self) -> Shown {
        self.feed(usize::MAX - self.next);
        self.commit();
        let table = |name: &str| self.host.table(name).unwrap().snapshot().unwrap();
        (
            TABLES.map(|name| (name.to_owned(), table(name))).into(),
            self.sent,
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_host_shows_what_the_test_driver_shows(records in records(), steps in steps()) {
        let topology = topology();
        let want = by_driver(&topology, &records);
        let mut run = Run::new(&topology, &records);
        for step in steps {
            run.step(step);
        }
        prop_assert_eq!(run.finish(), want);
    }
}
