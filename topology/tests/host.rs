//! The host of a loop of one's own: what it takes, gives, commits and forgets.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use ferrisstreams_topology::codec::{Key, plain};
use ferrisstreams_topology::connector::{RawBatch, RawRecord};
use ferrisstreams_topology::dsl::{
    Consumed, Grouped, Joined, Materialized, Produced, StreamsBuilder,
};
use ferrisstreams_topology::host::{Host, HostOptions};
use ferrisstreams_topology::record::{Headers, Record};
use ferrisstreams_topology::runtime::{Embedded, EmbeddedOptions, Emit};
use ferrisstreams_topology::store::{State, StateOptions};
use ferrisstreams_topology::time::Clock;
use ferrisstreams_topology::{ErrorKind, ErrorPolicy, Topology};
use support::wait_until;

type Text = String;

fn memory() -> State {
    State::in_memory(StateOptions::default())
}

/// Sums numbers by key and sends each sum.
fn sums(policy: ErrorPolicy) -> Topology {
    let builder = StreamsBuilder::new();
    let numbers = builder.stream::<Text, i64>("numbers", Consumed::json().on_error(policy));
    numbers
        .map_values(|_, n| {
            assert!(*n != 666, "this number is too much");
            *n
        })
        .group_by_key()
        .aggregate(|| 0, |_, n, sum| sum + n, Materialized::named("sums"))
        .to_stream()
        .to("totals", Produced::json());
    builder.build().unwrap()
}

fn open(topology: &Topology, state: &State) -> Host {
    topology
        .host(state.clone(), HostOptions::default())
        .unwrap()
}

/// Feeds `key=value` at an offset of partition 0, which is the time as well.
fn feed(host: &mut Host, offset: i64, record: &str) -> ferrisstreams_topology::Result<()> {
    let (key, value) = record.split_once('=').unwrap();
    host.feed(
        "numbers",
        0,
        offset,
        offset,
        Some(key.as_bytes()),
        Some(value.as_bytes()),
    )
}

fn drain(host: &mut Host) -> String {
    let outputs = host.drain_outputs().map(|output| {
        let text = |bytes: Option<Vec<u8>>| {
            bytes.map_or("-".to_owned(), |b| String::from_utf8(b).unwrap())
        };
        format!(
            "{}:{}={}",
            output.sink,
            text(output.record.key),
            text(output.record.value)
        )
    });
    outputs.collect::<Vec<_>>().join(" ")
}

fn sum(host: &Host, key: &str) -> Option<i64> {
    host.table::<Text, i64>("sums").unwrap().get(key).unwrap()
}

#[test]
fn a_restart_goes_on_from_the_last_commit() {
    let dir = tempfile::tempdir().unwrap();
    let topology = sums(ErrorPolicy::Skip);
    let state = State::open(dir.path(), StateOptions::default()).unwrap();
    let mut host = open(&topology, &state);
    assert!(host.positions().is_empty());
    feed(&mut host, 10, "a=1").unwrap();
    feed(&mut host, 12, "b=2").unwrap();
    assert_eq!(drain(&mut host), "totals:a=1 totals:b=2");
    assert_eq!(sum(&host, "a"), None, "only what is committed is seen");
    assert_eq!(host.commit().unwrap().get("numbers", 0), Some(13));
    assert_eq!(sum(&host, "a"), Some(1));
    feed(&mut host, 13, "a=5").unwrap();
    assert_eq!(drain(&mut host), "totals:a=6");
    assert_eq!(host.positions().get("numbers", 0), Some(14));
    drop((host, state));

    let state = State::open(dir.path(), StateOptions::default()).unwrap();
    let mut host = open(&topology, &state);
    assert_eq!(
        host.positions().of("numbers").collect::<Vec<_>>(),
        [(0, 13)]
    );
    assert_eq!(host.stream_time(), 12);
    assert_eq!(sum(&host, "a"), Some(1));
    // The consumer begins anew: what is in the state already changes nothing.
    for (offset, record) in [(10, "a=1"), (12, "b=2"), (13, "a=5"), (14, "b=1")] {
        feed(&mut host, offset, record).unwrap();
    }
    assert_eq!(drain(&mut host), "totals:a=6 totals:b=3");
    host.commit().unwrap();
    assert_eq!((sum(&host, "a"), sum(&host, "b")), (Some(6), Some(3)));
    let table = host.table::<Text, i64>("sums").unwrap();
    assert!(table.is_running());
    drop(host);
    assert!(!table.is_running());
}

#[test]
fn partitions_have_positions_of_their_own() {
    let (topology, state) = (sums(ErrorPolicy::Skip), memory());
    let mut host = open(&topology, &state);
    for (partition, offset) in [(0, 5), (3, 2), (0, 4), (3, 3), (3, 3)] {
        host.feed("numbers", partition, offset, 1, Some(b"k"), Some(b"1"))
            .unwrap();
    }
    assert_eq!(drain(&mut host), "totals:k=1 totals:k=2 totals:k=3");
    let positions = host.commit().unwrap();
    let want = [("numbers", 0, 6), ("numbers", 3, 4)];
    assert_eq!(positions.iter().collect::<Vec<_>>(), want);
    assert_eq!(open(&topology, &state).positions(), positions);
}

#[test]
fn a_batch_is_cut_where_the_host_has_it() {
    let (topology, state) = (sums(ErrorPolicy::Skip), memory());
    let mut host = open(&topology, &state);
    let batch = |offsets: std::ops::Range<i64>| {
        let mut batch = RawBatch::empty(1, offsets.start);
        for offset in offsets {
            batch.push(RawRecord {
                key: Some(b"k"),
                value: Some(offset.to_string().as_bytes()),
                timestamp: 100 - offset,
                offset,
                headers: Headers::default().with("at", offset.to_string()),
            });
        }
        batch
    };
    host.feed_batch("numbers", batch(0..4)).unwrap();
    host.feed_batch("numbers", batch(2..4)).unwrap();
    host.feed_batch("numbers", batch(2..6)).unwrap();
    // The end of a batch counts although nothing stands before it: a consumer may skip offsets.
    let mut skipped = batch(6..6);
    skipped.end = 9;
    host.feed_batch("numbers", skipped).unwrap();
    let outputs: Vec<_> = host.drain_outputs().collect();
    let last = outputs.last().unwrap();
    assert_eq!(last.record.value.as_deref(), Some(&b"15"[..]));
    assert_eq!(
        last.record.headers.last("at").unwrap().value.as_deref(),
        Some(&b"5"[..])
    );
    assert_eq!((outputs.len(), last.record.timestamp), (6, 100));
    assert_eq!(host.commit().unwrap().get("numbers", 1), Some(9));
}

#[test]
fn bad_records_follow_the_policy_of_their_source() {
    let (topology, state) = (sums(ErrorPolicy::Skip), memory());
    let mut host = open(&topology, &state);
    feed(&mut host, 0, "a=1").unwrap();
    feed(&mut host, 1, "a=x").unwrap();
    host.feed("numbers", 0, 2, 2, Some(b"a"), None).unwrap();
    feed(&mut host, 3, "a=2").unwrap();
    assert_eq!(drain(&mut host), "totals:a=1 totals:a=3");
    assert_eq!(host.commit().unwrap().get("numbers", 0), Some(4));

    let builder = StreamsBuilder::new();
    let policy = ErrorPolicy::DeadLetter("dead".to_owned());
    let numbers = builder.stream::<Text, i64>("numbers", Consumed::json().on_error(policy));
    numbers.to("out", Produced::json());
    let dead = numbers
        .filter(|_, _| false)
        .map_values(|_, n| n.to_string());
    dead.to("dead", Produced::plain());
    let mut host = builder
        .build()
        .unwrap()
        .host(memory(), HostOptions::default())
        .unwrap();
    feed(&mut host, 7, "a=1").unwrap();
    feed(&mut host, 8, "a=x").unwrap();
    let outputs: Vec<_> = host.drain_outputs().collect();
    assert_eq!(
        outputs
            .iter()
            .map(|output| &*output.sink)
            .collect::<Vec<_>>(),
        ["out", "dead"]
    );
    let dead = &outputs[1].record;
    assert_eq!(dead.value.as_deref(), Some(&b"x"[..]));
    let header = dead.headers.last("__streams.errors.offset").unwrap();
    assert_eq!(header.value.as_deref(), Some(&b"8"[..]));
}

#[test]
fn a_failure_leaves_nothing_in_effect() {
    let (topology, state) = (sums(ErrorPolicy::Fail), memory());
    let mut host = open(&topology, &state);
    feed(&mut host, 0, "a=1").unwrap();
    assert_eq!(drain(&mut host), "totals:a=1");
    host.commit().unwrap();
    feed(&mut host, 1, "a=2").unwrap();
    let e = feed(&mut host, 2, "a=x").unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Failed);
    assert!(
        e.to_string().contains("numbers partition 0 offset 2"),
        "{e}"
    );
    // Whoever goes on regardless would lose the record at 1.
    for e in [
        feed(&mut host, 3, "a=4").unwrap_err(),
        host.commit().unwrap_err(),
        host.tick().unwrap_err(),
    ] {
        assert_eq!(e.kind(), ErrorKind::Closed);
        assert!(e.to_string().contains("must be rolled back"), "{e}");
    }
    assert_eq!(drain(&mut host), "");
    assert!(!host.commit_due());
    assert_eq!(host.positions().get("numbers", 0), Some(1));
    let positions = host.rollback().unwrap();
    assert_eq!(positions.get("numbers", 0), Some(1));
    feed(&mut host, 1, "a=2").unwrap();
    feed(&mut host, 3, "a=4").unwrap();
    assert_eq!(drain(&mut host), "totals:a=3 totals:a=7");
    host.commit().unwrap();
    assert_eq!(sum(&host, "a"), Some(7));
}

#[test]
fn with_the_policy_to_fail_a_batch_fails_as_a_whole() {
    let (topology, state) = (sums(ErrorPolicy::Fail), memory());
    let mut host = open(&topology, &state);
    let mut batch = RawBatch::empty(0, 0);
    for (offset, value) in (0..).zip(["1", "2", "bad", "3"]) {
        batch.push(RawRecord {
            key: Some(b"a"),
            value: Some(value.as_bytes()),
            offset,
            ..RawRecord::default()
        });
    }
    let e = host.feed_batch("numbers", batch).unwrap_err().to_string();
    assert!(e.contains("offset 2"), "{e}");
    assert!(host.rollback().unwrap().is_empty());
    assert_eq!(sum(&host, "a"), None);
    feed(&mut host, 0, "a=1").unwrap();
    assert_eq!(drain(&mut host), "totals:a=1");
}

#[test]
fn a_panic_passes_through_and_is_rolled_back() {
    let (topology, state) = (sums(ErrorPolicy::Skip), memory());
    let mut host = open(&topology, &state);
    feed(&mut host, 0, "a=1").unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| feed(&mut host, 1, "a=666")));
    assert!(panicked.is_err());
    let e = feed(&mut host, 2, "a=1").unwrap_err().to_string();
    assert!(e.contains("a function panicked"), "{e}");
    assert!(host.rollback().unwrap().is_empty());
    feed(&mut host, 0, "a=1").unwrap();
    feed(&mut host, 2, "a=3").unwrap();
    assert_eq!(drain(&mut host), "totals:a=1 totals:a=4");
}

#[test]
fn several_sources_are_processed_as_they_come() {
    let builder = StreamsBuilder::new();
    let users =
        builder.table::<Text, Text>("users", Consumed::plain(), Materialized::named("users"));
    builder
        .stream::<Text, Text>("orders", Consumed::plain())
        .left_join(
            &users,
            |order, user| format!("{order}{}", user.map_or("?", |u| u)),
            Joined::named("join"),
        )
        .to("out", Produced::plain());
    let topology = builder.build().unwrap();
    let mut host = open(&topology, &memory());
    let text = |s: &'static str| Some(s.as_bytes());
    host.feed("orders", 0, 0, 50, text("k"), text("early-"))
        .unwrap();
    host.feed("users", 0, 0, 10, text("k"), text("U")).unwrap();
    host.feed("orders", 0, 1, 5, text("k"), text("late-"))
        .unwrap();
    host.feed("users", 0, 1, 60, text("k"), None).unwrap();
    host.feed("orders", 0, 2, 70, text("k"), text("last-"))
        .unwrap();
    assert_eq!(drain(&mut host), "out:k=early-? out:k=late-U out:k=last-?");
    let e = host.feed("user", 0, 0, 0, None, None).unwrap_err();
    assert_eq!(
        e.to_string(),
        "there is no source user; there is users, orders"
    );
    assert_eq!(e.kind(), ErrorKind::NotFound);
    assert_eq!(host.commit().unwrap().iter().count(), 2);
    let e = host.table::<Text, Text>("orders").err().unwrap();
    assert_eq!(e.kind(), ErrorKind::NotFound);
}

#[test]
fn a_commit_is_due_by_the_clock_once_something_came() {
    let clock = Clock::manual(0);
    let options = HostOptions::default()
        .commit_interval(Duration::from_millis(50))
        .clock(clock.clone());
    let mut host = sums(ErrorPolicy::Skip).host(memory(), options).unwrap();
    clock.advance(Duration::from_millis(100));
    assert!(!host.commit_due(), "nothing came");
    feed(&mut host, 0, "a=1").unwrap();
    assert!(!host.commit_due(), "outputs were not taken");
    assert_eq!(drain(&mut host), "totals:a=1");
    assert!(host.commit_due());
    host.commit().unwrap();
    assert!(!host.commit_due());
    feed(&mut host, 1, "a=1").unwrap();
    drain(&mut host);
    clock.advance(Duration::from_millis(49));
    assert!(!host.commit_due());
    clock.advance(Duration::from_millis(1));
    assert!(host.commit_due());
}

#[test]
fn a_commit_loses_no_output() {
    let mut host = open(&sums(ErrorPolicy::Skip), &memory());
    feed(&mut host, 0, "a=1").unwrap();
    feed(&mut host, 1, "a=1").unwrap();
    let first = host.drain_outputs().next().unwrap();
    assert_eq!(first.record.value.as_deref(), Some(&b"1"[..]));
    let e = host.commit().unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Invalid);
    assert!(
        e.to_string().contains("1 records for sinks were not taken"),
        "{e}"
    );
    assert_eq!(sum(&host, "a"), None);
    assert_eq!(drain(&mut host), "totals:a=2");
    host.commit().unwrap();
    assert_eq!(sum(&host, "a"), Some(2));
}

#[test]
fn changes_that_wait_for_the_commit_leave_before_it() {
    let clock = Clock::manual(0);
    let options = || {
        let options = HostOptions::default()
            .emit(Emit::AtCommit)
            .clock(clock.clone());
        options.commit_interval(Duration::from_millis(50))
    };
    let (topology, state) = (sums(ErrorPolicy::Skip), memory());
    let mut host = topology.host(state.clone(), options()).unwrap();
    for offset in 0..3 {
        feed(&mut host, offset, "a=1").unwrap();
    }
    assert_eq!(drain(&mut host), "");
    clock.advance(Duration::from_millis(60));
    assert!(!host.commit_due(), "what waits for it has not left");
    host.tick().unwrap();
    assert_eq!(drain(&mut host), "totals:a=3");
    assert!(host.commit_due());
    host.commit().unwrap();
    // A commit that is not due has them leave as well, and waits until they are taken.
    feed(&mut host, 3, "a=1").unwrap();
    feed(&mut host, 4, "b=1").unwrap();
    assert_eq!(host.commit().unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(drain(&mut host), "totals:a=4 totals:b=1");
    host.commit().unwrap();
    drop(host);
    let mut host = topology.host(state, options()).unwrap();
    feed(&mut host, 5, "a=1").unwrap();
    clock.advance(Duration::from_millis(60));
    feed(&mut host, 6, "a=1").unwrap();
    assert_eq!(drain(&mut host), "totals:a=6");
    assert!(host.commit_due());
}

#[test]
fn partitions_whose_state_is_elsewhere_are_refused() {
    let (topology, state) = (sums(ErrorPolicy::Skip), memory());
    let mut host = open(&topology, &state);
    host.feed("numbers", 9, 0, 0, Some(b"k"), Some(b"1"))
        .unwrap();
    drain(&mut host);
    assert_eq!(
        host.assign("numbers", [0, 2, 9])
            .unwrap()
            .of("numbers")
            .collect::<Vec<_>>(),
        [(9, 1)]
    );
    let e = host
        .feed("numbers", 1, 0, 0, Some(b"k"), Some(b"1"))
        .unwrap_err();
    assert_eq!(
        e.to_string(),
        "cannot take partition 1 of numbers: assigned here is 0, 2, 9"
    );
    assert_eq!(e.kind(), ErrorKind::Invalid);
    // Until a commit holds the assignment it may still change.
    host.assign("numbers", [0, 2]).unwrap();
    host.feed("numbers", 2, 0, 0, Some(b"k"), Some(b"1"))
        .unwrap();
    drain(&mut host);
    host.commit().unwrap();
    let e = host.assign("numbers", [0, 1, 3]).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::State);
    assert_eq!(
        e.to_string(),
        "cannot take over partition 1, 3 of numbers: the state here is that of partition 0, 2"
    );
    host.assign("numbers", []).unwrap();
    let e = host
        .feed("numbers", 2, 1, 0, None, None)
        .unwrap_err()
        .to_string();
    assert_eq!(
        e,
        "cannot take partition 2 of numbers: assigned here is none"
    );
    drop(host);
    let mut host = open(&topology, &state);
    host.feed("numbers", 0, 0, 0, Some(b"k"), Some(b"1"))
        .unwrap();
    assert!(
        host.feed("numbers", 1, 0, 0, Some(b"k"), Some(b"1"))
            .is_err()
    );
    assert!(host.assign("numbers", [1]).is_err());
    assert_eq!(
        host.assign("numbers", [2]).unwrap().get("numbers", 2),
        Some(1)
    );
    assert!(host.assign("words", [2]).is_err());
}

#[test]
fn a_host_goes_on_where_an_embedded_run_ended() {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<(), Text>("words", Consumed::plain());
    let by_word = words.group_by(|_, word| word.clone(), Grouped::named("by-word"));
    by_word.count(Materialized::named("counts"));
    let topology = builder.build().unwrap();
    let state = memory();
    let options = EmbeddedOptions::default().workers(3);
    let mut app = Embedded::new(&topology, state.clone(), options.clone()).unwrap();
    let input = app.input::<(), Text>("words").unwrap();
    app.start().unwrap();
    for word in ["a", "b", "a", "c"] {
        input.send(Record::new((), word.to_owned(), 1)).unwrap();
    }
    let table = app.table::<Text, i64>("counts").unwrap();
    wait_until("the words are counted", || {
        table.get("c").unwrap().is_some()
    });
    app.close(Duration::from_secs(10)).unwrap();
    let mut host = open(&topology, &state);
    assert_eq!(host.positions().get("words", 0), Some(4));
    for (offset, word) in (4..).zip(["a", "d"]) {
        host.feed("words", 0, offset, 2, None, Some(word.as_bytes()))
            .unwrap();
    }
    host.commit().unwrap();
    let counts = |n: [i64; 4]| {
        ["a", "b", "c", "d"]
            .map(str::to_owned)
            .into_iter()
            .zip(n)
            .collect::<Vec<_>>()
    };
    let table = host.table::<Text, i64>("counts").unwrap();
    assert_eq!(table.snapshot().unwrap(), counts([3, 1, 1, 1]));
    drop(host);
    // And back again.
    let mut app = Embedded::new(&topology, state, options).unwrap();
    let input = app.input::<(), Text>("words").unwrap();
    app.start().unwrap();
    input.send(Record::new((), "d".to_owned(), 3)).unwrap();
    wait_until("the last word is counted", || {
        table.get("d").unwrap() == Some(2)
    });
    app.close(Duration::from_secs(10)).unwrap();
    assert_eq!(table.snapshot().unwrap(), counts([3, 1, 1, 2]));
}

#[test]
fn state_of_another_program_is_refused() {
    let state = memory();
    drop(open(&sums(ErrorPolicy::Skip), &state));
    let builder = StreamsBuilder::new();
    let rows = Materialized::with("sums", Text::codec(), plain());
    builder.table::<Text, Text>("texts", Consumed::plain(), rows);
    let Err(e) = builder.build().unwrap().host(state, HostOptions::default()) else {
        panic!("the state of another program was taken");
    };
    assert_eq!(e.kind(), ErrorKind::State);
    assert!(
        e.to_string()
            .contains("store sums was made by another program"),
        "{e}"
    );
}
