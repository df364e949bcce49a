//! Time across a repartition.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::tests::PATIENCE;
use super::{Application, StreamsConfig};
use crate::cluster::memory::MemoryCluster;
use crate::cluster::{Cluster, Isolation, TopicPartition};
use crate::dsl::{Consumed, KStream, Produced, StreamsBuilder};
use crate::graph::Topology;
use crate::ticker::Ticker;
use crate::time::{Clock, Timestamp};

const PARTITIONS: u32 = 2;
const MOVED: &str = "app-moved-repartition";
const IDLE: Duration = Duration::from_secs(3_600);
const MINUTE: Timestamp = 60_000;
const DAY: Timestamp = 24 * 60 * MINUTE;

/// Moves words to the tasks of their first letters.
fn moved(words: &KStream<String, String>, name: &str) -> KStream<String, String> {
    let letters = words.select_key(|_, word| word[..1].to_owned());
    letters.moved_by_time(name, || Box::new(Ticker::new(MINUTE)))
}

fn ticking() -> Topology {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let words = words.filter(|_, word| !word.starts_with('-'));
    moved(&words, "moved").to("out", Produced::plain());
    builder.build().unwrap()
}

/// An application on a cluster in memory, whose clock is moved by hand.
struct Bench {
    cluster: MemoryCluster,
    clock: Clock,
    topology: Topology,
    idle: Duration,
    app: Option<Application>,
}

impl Bench {
    fn new(topology: Topology) -> Bench {
        let cluster = MemoryCluster::new();
        for topic in ["words", "out"] {
            cluster.add_topic(topic, PARTITIONS, &[]).unwrap();
        }
        Bench {
            cluster,
            clock: Clock::manual(1_000_000),
            topology,
            idle: IDLE,
            app: None,
        }
    }

    fn start(&mut self) {
        let config = StreamsConfig::new("app")
            .commit_interval(Duration::from_millis(5))
            .max_task_idle(self.idle)
            .clock(self.clock.clone());
        let cluster = Arc::new(self.cluster.clone());
        let mut app = Application::new(&self.topology, cluster, config).unwrap();
        app.start().unwrap();
        self.app = Some(app);
    }

    fn close(&mut self) {
        if let Some(app) = self.app.take() {
            app.close().unwrap();
        }
    }

    fn write(&self, partition: u32, word: &str, time: Timestamp) {
        let (key, value) = (Some(&b"k"[..]), Some(word.as_bytes()));
        (self.cluster.append("words", partition, key, value, time)).unwrap();
    }

    /// Lets time for a few commits pass, again and again, until it is so.
    fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(
                Instant::now() < deadline,
                "never so: {what}: {:?}",
                self.out()
            );
            self.clock.advance(Duration::from_millis(6));
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until all that was written is processed and committed, on both sides of the topic.
    fn settle(&self) {
        self.until("all is processed", || {
            let places = (0..PARTITIONS).flat_map(|n| [("words", n), (MOVED, n)]);
            places.into_iter().all(|(topic, partition)| {
                let of = TopicPartition::new(topic, partition);
                let end = self.cluster.offsets(&of, Isolation::ReadUncommitted);
                let at = self.cluster.peek_committed("app", &of);
                end.is_ok_and(|there| at.map_or(0, |at| at.offset) == there.end)
            })
        });
    }

    /// What has come out, sorted.
    fn out(&self) -> Vec<String> {
        let all = (0..PARTITIONS).flat_map(|partition| {
            let records = self
                .cluster
                .records("out", partition, Isolation::ReadCommitted);
            records.unwrap()
        });
        let mut all: Vec<String> = all
            .map(|record| String::from_utf8(record.value.unwrap()).unwrap())
            .collect();
        all.sort();
        all
    }

    /// What was said of time.
    fn times(&self) -> Vec<String> {
        let mut out = self.out();
        out.retain(|line| line.starts_with("time"));
        out
    }

    /// How many records have been sent to other tasks, and how many of them say times.
    fn sent(&self) -> (usize, usize) {
        let all = (0..PARTITIONS).flat_map(|partition| {
            let records = self
                .cluster
                .records(MOVED, partition, Isolation::ReadCommitted);
            records.unwrap()
        });
        let said: Vec<bool> = all.map(|record| record.key.is_none()).collect();
        (said.len(), said.iter().filter(|said| **said).count())
    }

    /// Where the partitions end that records are sent through.
    fn ends(&self) -> Vec<i64> {
        let all = (0..PARTITIONS).map(|n| TopicPartition::new(MOVED, n));
        all.map(|of| {
            self.cluster
                .offsets(&of, Isolation::ReadUncommitted)
                .unwrap()
                .end
        })
        .collect()
    }

    /// Lets so much time pass while the application works.
    fn pass(&self, time: Duration) {
        for _ in 0..16 {
            self.clock.advance(time / 16);
            self.settle();
            // A turn of the worker ends with a commit, if one is due.
            let due = self.clock.now();
            self.until("a turn is over", || self.clock.now() > due + 20);
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.close();
    }
}

fn both(time: Timestamp) -> Vec<String> {
    vec![format!("time {time} of 0"), format!("time {time} of 1")]
}

#[test]
fn the_slower_of_two_partitions_has_the_time() {
    let mut bench = Bench::new(ticking());
    bench.start();
    bench.write(0, "a1", 10);
    bench.write(1, "b1", DAY);
    bench.settle();
    assert_eq!(
        bench.out(),
        ["a1", "b1"],
        "records do not wait, and time does"
    );
    bench.write(0, "b2", 5 * MINUTE);
    bench.settle();
    bench.until("the slower one has the time", || {
        bench.times() == both(5 * MINUTE)
    });
    bench.write(0, "a2", 2 * DAY);
    bench.settle();
    let times = [both(5 * MINUTE), both(DAY)].concat();
    bench.until("the other has the time", || {
        let mut found = bench.times();
        found.sort_by_key(|line| line.len());
        found == times
    });
    assert!(bench.out().iter().all(|line| !line.ends_with("late")));
}

#[test]
fn who_is_silent_for_long_is_not_waited_for() {
    let mut bench = Bench::new(ticking());
    bench.start();
    bench.write(1, "b1", DAY);
    bench.settle();
    bench.pass(IDLE / 2);
    assert_eq!(bench.times(), [""; 0]);
    bench.pass(IDLE);
    bench.until("time goes on", || bench.times() == both(DAY));
    bench.write(0, "a1", MINUTE);
    bench.until("a late record is processed", || {
        bench.out().contains(&"a1 late".to_owned())
    });
    bench.settle();
    bench.write(1, "b2", DAY + 2 * MINUTE);
    bench.settle();
    assert_eq!(bench.times(), both(DAY), "who has come back is waited for");
    bench.write(0, "a2", DAY + MINUTE);
    bench.settle();
    bench.until("both go on", || bench.times().len() == 4);
    assert!(
        bench
            .times()
            .contains(&format!("time {} of 0", DAY + MINUTE))
    );
}

#[test]
fn one_jump_of_the_clock_is_no_silence() {
    let mut bench = Bench::new(ticking());
    bench.start();
    bench.write(0, "a1", MINUTE / 2);
    bench.write(1, "b1", DAY);
    bench.settle();
    for _ in 0..3 {
        bench.clock.advance(10 * IDLE);
        bench.write(1, "b2", DAY);
        bench.settle();
    }
    assert_eq!(bench.times(), [""; 0]);
}

#[test]
fn nobody_is_waited_for_where_that_is_said() {
    let mut bench = Bench::new(ticking());
    bench.idle = Duration::ZERO;
    bench.start();
    bench.write(0, "a1", 10);
    bench.write(1, "b1", DAY);
    bench.settle();
    bench.until("the faster one has the time", || bench.times() == both(DAY));
}

#[test]
fn time_is_kept_in_a_restart() {
    let mut bench = Bench::new(ticking());
    bench.start();
    bench.write(0, "a1", 2 * MINUTE);
    bench.write(1, "b1", DAY);
    bench.settle();
    bench.until("the slower one has the time", || {
        bench.times() == both(2 * MINUTE)
    });
    bench.close();
    bench.write(1, "b2", 2 * DAY);
    bench.start();
    bench.settle();
    assert_eq!(
        bench.times(),
        both(2 * MINUTE),
        "it goes neither on nor back"
    );
    bench.write(0, "a2", DAY + MINUTE);
    bench.settle();
    bench.until("the slower one goes on", || bench.times().len() == 4);
    assert!(
        bench
            .times()
            .contains(&format!("time {} of 1", DAY + MINUTE))
    );
    assert!(bench.out().iter().all(|line| !line.ends_with("late")));
}

#[test]
fn time_goes_on_though_nothing_is_sent() {
    let mut bench = Bench::new(ticking());
    bench.start();
    bench.write(0, "-", 3 * MINUTE);
    bench.write(1, "-", 4 * MINUTE);
    bench.settle();
    bench.until("time goes on", || bench.times() == both(3 * MINUTE));
}

#[test]
fn an_idle_application_says_nothing() {
    let mut bench = Bench::new(ticking());
    bench.start();
    bench.write(0, "a1", 10);
    bench.write(1, "b1", 20);
    bench.settle();
    bench.until("both have said their time", || bench.sent() == (6, 4));
    let ends = bench.ends();
    bench.pass(3 * IDLE);
    assert_eq!(bench.ends(), ends);
    // What was processed is deleted by now.
    assert_eq!(bench.sent(), (0, 0));
    bench.write(1, "b2", 20);
    bench.settle();
    bench.until("who works shows it", || bench.sent() == (3, 2));
    bench.write(1, "b3", 20);
    bench.settle();
    assert_eq!(bench.sent(), (4, 2), "and not each time");
}

#[test]
fn time_goes_through_several_topics() {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let again = words.select_key(|_, word| word.clone());
    let again = again.moved_by_time("again", || Box::new(Ticker::new(DAY)));
    let again = again.filter(|_, word| !word.starts_with("time"));
    moved(&again, "moved").to("out", Produced::plain());
    let mut bench = Bench::new(builder.build().unwrap());
    bench.start();
    bench.write(0, "a1", 3 * MINUTE);
    bench.write(1, "b1", 4 * MINUTE);
    bench.until("time goes on", || bench.times() == both(3 * MINUTE));
}

#[test]
fn where_nobody_goes_by_time_nothing_is_said() {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let grouped = crate::dsl::Grouped::named("moved");
    let counts = words.group_by(|_, word| word[..1].to_owned(), grouped);
    let counts = counts.count(crate::dsl::Materialized::named("counts"));
    counts.to_stream().to("out", Produced::json());
    let mut bench = Bench::new(builder.build().unwrap());
    bench.start();
    bench.write(0, "a1", 10);
    bench.write(1, "b1", DAY);
    bench.settle();
    assert_eq!(bench.sent(), (2, 0));
}
