//! Money moves between accounts, through a chain of ten tables over four workers: whenever all tables
//! are read at once, each balances, and each is what the one before makes of it.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ferrisstreams_topology::Topology;
use ferrisstreams_topology::dsl::{Consumed, Grouped, KTable, Materialized, StreamsBuilder};
use ferrisstreams_topology::query::Snapshot;
use ferrisstreams_topology::runtime::{Embedded, EmbeddedOptions, Emit};
use ferrisstreams_topology::store::{State, StateOptions};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use support::{Lines, wait_until};

const TABLES: i64 = 10;
const ACCOUNTS: i64 = 100;
const GROUPS: i64 = 40;

/// The group of an account at a level: any two levels mix differently.
fn group(account: i64, level: i64) -> i64 {
    (account * 31 + level * 7) % GROUPS
}

fn name(level: i64) -> String {
    format!("t{level}")
}

/// Books each transfer with both of its accounts, and sums the accounts by groups, nine times over.
/// Between two tables, rows go to the worker of their group.
fn chain() -> Topology {
    let builder = StreamsBuilder::new();
    let transfers = builder.stream::<(), String>("transfers", Consumed::plain());
    let bookings = transfers.flat_map(|_, line| {
        let parts: Vec<i64> = line.split(' ').map(|part| part.parse().unwrap()).collect();
        [(parts[0], -parts[2]), (parts[1], parts[2])]
    });
    let mut table: KTable<i64, i64> = bookings.group_by_key_as(Grouped::named("book")).aggregate(
        || 0,
        |_, amount, sum| sum + amount,
        Materialized::named(name(0)),
    );
    for level in 1..TABLES {
        let grouped = table.group_by(
            move |account, sum| (group(*account, level), *sum),
            Grouped::named(format!("regroup-{level}")),
        );
        table = grouped.aggregate(
            || 0,
            |_, amount, sum| sum + amount,
            |_, amount, sum| sum - amount,
            Materialized::named(name(level)),
        );
    }
    builder.build().unwrap()
}

fn rows(snapshot: &Snapshot, level: i64) -> BTreeMap<i64, i64> {
    let table = snapshot.table::<i64, i64>(&name(level)).unwrap();
    table.scan(|_, _| true).unwrap().into_iter().collect()
}

/// Checks all tables as one commit left them, and gives the first.
fn check(snapshot: &Snapshot, seed: u64) -> BTreeMap<i64, i64> {
    let first = rows(snapshot, 0);
    let mut before = first.clone();
    for level in 0..TABLES {
        let now = rows(snapshot, level);
        let at = || format!("seed {seed}, table {level}, commit {}", snapshot.epoch());
        assert_eq!(now.values().sum::<i64>(), 0, "{}", at());
        if level > 0 {
            let mut want = BTreeMap::new();
            for (account, sum) in &before {
                *want.entry(group(*account, level)).or_insert(0) += sum;
            }
            assert_eq!(now, want, "{}", at());
        }
        before = now;
    }
    first
}

/// Transfers between a few accounts or many, in four partitions.
struct Transfers {
    random: StdRng,
    lines: Lines,
    balances: BTreeMap<i64, i64>,
}

impl Transfers {
    fn book(&mut self, count: usize) {
        let most = if self.random.random_bool(0.5) {
            ACCOUNTS
        } else {
            5
        };
        for _ in 0..count {
            let (from, to) = (
                self.random.random_range(0..most),
                self.random.random_range(0..most),
            );
            let amount = self.random.random_range(-10..1_000);
            *self.balances.entry(from).or_insert(0) -= amount;
            *self.balances.entry(to).or_insert(0) += amount;
            let partition = self.random.random_range(0..4);
            self.lines
                .append(partition, &format!("{from} {to} {amount}"));
        }
    }
}

fn open(state: &State, lines: &Lines, random: &mut StdRng, emit: Emit) -> Embedded {
    let options = EmbeddedOptions::default()
        .workers(4)
        .emit(emit)
        .max_run(random.random_range(1..500))
        .commit_interval(Duration::from_millis(random.random_range(0..4)))
        .source("transfers", Arc::new(lines.clone()));
    let mut app = Embedded::new(&chain(), state.clone(), options).unwrap();
    app.start().unwrap();
    app
}

/// Books while a thread reads all tables all the time; crashes in between.
fn run(seed: u64, state: &State, emit: Emit) {
    let mut random = StdRng::seed_from_u64(seed);
    let lines = Lines::new("transfers");
    let mut transfers = Transfers {
        random: StdRng::seed_from_u64(seed ^ 0xba1a_4ce5),
        lines: lines.clone(),
        balances: BTreeMap::new(),
    };
    let (done, read) = (AtomicBool::new(false), AtomicU64::new(0));
    for life in 0..3 {
        let app = open(state, &lines, &mut random, emit);
        done.store(false, Ordering::Release);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    check(&app.snapshot(), seed);
                    read.fetch_add(1, Ordering::AcqRel);
                }
            });
            for _ in 0..6 {
                transfers.book(random.random_range(50..600));
                let before = read.load(Ordering::Acquire);
                wait_until("the tables were read", || {
                    read.load(Ordering::Acquire) > before
                });
            }
            if life == 2 {
                let want = &transfers.balances;
                wait_until("all is booked", || rows(&app.snapshot(), 0) == *want);
            }
            done.store(true, Ordering::Release);
        });
        app.check().unwrap();
        if life == 2 {
            assert_eq!(check(&app.snapshot(), seed), transfers.balances);
        }
        // Dropped in the middle of its work.
    }
}

fn seeds() -> u64 {
    std::env::var("FERRIS_BALANCE_SEEDS").map_or(6, |n| n.parse().unwrap())
}

fn emit(seed: u64) -> Emit {
    if seed.is_multiple_of(2) {
        Emit::AtCommit
    } else {
        Emit::EachChange
    }
}

#[test]
fn all_tables_balance_in_every_snapshot() {
    for seed in 0..seeds() {
        run(seed, &State::in_memory(StateOptions::default()), emit(seed));
    }
}

#[test]
fn all_tables_balance_on_disk_as_well() {
    for seed in 0..seeds().div_ceil(3) {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path(), StateOptions::default()).unwrap();
        run(seed ^ 0xd15c, &state, emit(seed));
    }
}
