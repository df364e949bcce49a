//! Order and time behind an exchange in memory.

use std::sync::Arc;

use crate::connector::{RawBatch, RawRecord, Waker};
use crate::dsl::{Consumed, Produced, StreamsBuilder};
use crate::graph::{NodeId, Plan, Topology};
use crate::processor::in_order;
use crate::run::Stamp;
use crate::store::{State, StateOptions};
use crate::task::TaskOptions;
use crate::tasks::{PostOffice, Share, TaskSet};
use crate::ticker::Ticker;
use crate::time::Timestamp;

const MINUTE: Timestamp = 60_000;
const DAY: Timestamp = 24 * 60 * MINUTE;

/// Moves words to the tasks of their first letters, where it is said which are late and what time it is.
fn ticking() -> Topology {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let letters = words.select_key(|_, word| word[..1].to_owned());
    let timed = letters.moved_by_time("moved", || Box::new(Ticker::new(MINUTE)));
    timed.to("out", Produced::plain());
    builder.build().unwrap()
}

/// The tasks of two lanes, which two partitions are read by.
struct Bench {
    set: TaskSet,
    source: NodeId,
    out: Vec<String>,
}

impl Bench {
    fn new() -> Bench {
        let graph = ticking().graph;
        let source = graph.sources().next().unwrap().0;
        let plan = Arc::new(Plan::new(&graph, 2));
        assert_eq!(plan.parts.len(), 2, "the exchange cuts");
        let office = PostOffice::new(vec![Waker::new()]);
        let state = State::in_memory(StateOptions::default());
        let options = TaskOptions::default();
        let set = TaskSet::new(&graph, &plan, Share::ALL, &office, &state, &options).unwrap();
        Bench {
            set,
            source,
            out: Vec::new(),
        }
    }

    /// Feeds words with their times to a partition, of which more is known to be there or not.
    fn feed(&mut self, partition: u32, words: &[(&str, Timestamp)], behind: bool) {
        let mut batch = RawBatch::empty(partition, 0);
        for (offset, (word, timestamp)) in (0..).zip(words) {
            batch.push(RawRecord {
                key: Some(b"k"),
                value: Some(word.as_bytes()),
                timestamp: *timestamp,
                offset,
                ..RawRecord::default()
            });
        }
        let batch = Arc::new(batch);
        self.set.feed(self.source, partition, &batch, behind);
        while self.set.work(Stamp::MAX, 8).unwrap() {}
        self.set.say_processed();
        self.take_outputs();
    }

    /// Does what is done before a commit.
    fn drain(&mut self) {
        for level in 0..self.set.levels() {
            self.set.drain_level(level, Stamp::MAX).unwrap();
        }
        self.set.rearm();
        self.set.say_all();
        self.take_outputs();
    }

    fn take_outputs(&mut self) {
        let mut outputs = self.set.outputs();
        in_order(&mut outputs);
        let values = outputs.into_iter().map(|output| output.record.value);
        self.out
            .extend(values.map(|value| String::from_utf8(value.unwrap()).unwrap()));
    }

    fn times(&self) -> Vec<&str> {
        let out = self.out.iter().map(String::as_str);
        out.filter(|line| line.starts_with("time")).collect()
    }
}

#[test]
fn time_waits_for_what_is_known_to_be_there() {
    let mut bench = Bench::new();
    bench.feed(0, &[], true);
    let ahead = [("b1", 30), ("b2", DAY), ("b3", DAY + 1)];
    bench.feed(1, &ahead, false);
    assert_eq!(
        bench.out, [""; 0],
        "nothing is known of the other partition"
    );
    bench.feed(0, &[("a1", 10), ("a2", 2 * MINUTE)], true);
    assert_eq!(bench.out[..2], ["a1", "b1"]);
    assert!(
        bench
            .times()
            .iter()
            .all(|line| line.starts_with("time 120000 "))
    );
    bench.feed(0, &[("b4", 3 * MINUTE), ("a3", DAY - 1)], false);
    let late: Vec<&String> = (bench.out.iter().filter(|line| line.ends_with("late"))).collect();
    assert_eq!(late, [""; 0]);
    let words: Vec<&str> = bench.out.iter().map(String::as_str).collect();
    let words: Vec<&str> = words
        .into_iter()
        .filter(|w| !w.starts_with("time"))
        .collect();
    assert_eq!(words, ["a1", "b1", "a2", "b4", "a3", "b2", "b3"]);
    assert!(
        bench
            .times()
            .iter()
            .any(|line| line.starts_with("time 86400000 "))
    );
}

#[test]
fn a_task_that_is_sent_nothing_has_the_time_of_others_at_a_commit() {
    let mut bench = Bench::new();
    bench.feed(0, &[("a1", 10), ("a2", 2 * MINUTE)], false);
    let before: Vec<String> = bench.times().into_iter().map(str::to_owned).collect();
    assert_eq!(
        before.len(),
        1,
        "the task of the other letters has no time: {before:?}"
    );
    bench.drain();
    let mut times = bench.times();
    times.sort_unstable();
    assert_eq!(times, ["time 120000 of 0", "time 120000 of 1"]);
    bench.drain();
    assert_eq!(bench.times().len(), 2, "nothing is new");
    bench.feed(1, &[("b1", 3 * MINUTE)], false);
    bench.drain();
    assert_eq!(bench.times().len(), 4);
    assert!(bench.out.iter().all(|line| !line.ends_with("late")));
}

#[test]
fn at_a_commit_time_does_not_pass_what_is_known_to_be_there() {
    let mut bench = Bench::new();
    bench.feed(0, &[("a1", 10)], true);
    bench.feed(1, &[("b1", 20), ("b2", DAY)], false);
    bench.drain();
    assert_eq!(bench.times(), [""; 0]);
    bench.feed(0, &[("b3", 2 * MINUTE)], true);
    bench.drain();
    assert!(
        bench
            .times()
            .iter()
            .all(|line| line.starts_with("time 120000 "))
    );
    assert_eq!(bench.times().len(), 2);
    bench.feed(0, &[], false);
    bench.drain();
    assert_eq!(bench.times().len(), 4);
    assert!(bench.out.iter().all(|line| !line.ends_with("late")));
}
