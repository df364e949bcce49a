//! Applications on a broker: processes that share their work, come and go, and are killed.

use std::collections::BTreeMap;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use ferrisstreams_tests::{Kafka, Process, Record, TestDir, example, soak};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const PARTITIONS: i32 = 12;
const LIMIT: Duration = Duration::from_secs(60);

/// An application under test, and what it should have made so far.
struct Trial {
    kafka: Kafka,
    dir: TestDir,
    id: String,
    clicks: String,
    totals: String,
    sections: String,
    seen: String,
    written: usize,
    counts: BTreeMap<String, u64>,
    section_counts: BTreeMap<String, u64>,
}

impl Trial {
    fn new(kafka: Kafka) -> Self {
        let clicks = kafka.unique_topic("app-clicks", PARTITIONS);
        Trial {
            totals: kafka.unique_topic("app-totals", 3),
            sections: kafka.unique_topic("app-sections", 3),
            seen: kafka.unique_topic("app-seen", 3),
            id: clicks.replace("clicks", "id"),
            dir: TestDir::new(),
            clicks,
            kafka,
            written: 0,
            counts: BTreeMap::new(),
            section_counts: BTreeMap::new(),
        }
    }

    /// Starts an instance with a state directory of its own.
    fn start(&self, name: &str) -> Process {
        let mut command = Command::new(example("kafka_application"));
        command
            .args(["--bootstrap-servers", self.kafka.bootstrap()])
            .args(["--application-id", &self.id])
            .args(["--clicks", &self.clicks])
            .args(["--totals", &self.totals])
            .args(["--sections", &self.sections])
            .args(["--seen", &self.seen])
            .arg("--state")
            .arg(self.dir.join(name));
        Process::start(&mut command)
    }

    /// Writes clicks, placed as Java's clients place them.
    fn write(&mut self, count: usize) {
        let records: Vec<Record> = (self.written..self.written + count)
            .map(|at| {
                let user = format!("user{}", at * 31 % 97);
                *self.counts.entry(user.clone()).or_default() += 1;
                let section = format!("section{}", at % 41);
                *self.section_counts.entry(section.clone()).or_default() += 1;
                Record::new(&user, format!("{section}/page{at}"))
            })
            .collect();
        self.written += count;
        self.kafka.produce(&self.clicks, records);
    }

    /// Waits until all clicks were passed on, and checks that each was once, and that counts only rise.
    fn check(&self) {
        let deadline = Instant::now() + LIMIT;
        let mut seen = Vec::new();
        while seen.len() < self.written {
            assert!(
                Instant::now() < deadline,
                "{} of {} clicks were passed on",
                seen.len(),
                self.written
            );
            let count = self.written;
            seen = self.kafka.wait_for_records(&self.seen, count, LIMIT);
        }
        let mut pages: Vec<String> = seen
            .iter()
            .map(|record| record.value_text().expect("a click"))
            .collect();
        pages.sort();
        let doubled: Vec<&[String]> = pages.windows(2).filter(|two| two[0] == two[1]).collect();
        assert!(doubled.is_empty(), "passed on twice: {doubled:?}");
        assert_eq!(pages.len(), self.written);

        self.check_counts(&self.totals, &self.counts);
        self.check_counts(&self.sections, &self.section_counts);
    }

    /// Waits until the last counts of a topic are these, and checks that they only rise.
    fn check_counts(&self, topic: &str, expected: &BTreeMap<String, u64>) {
        let deadline = Instant::now() + LIMIT;
        loop {
            let last = self.last_counts(topic);
            if last == *expected {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{topic} has {last:?}, not {expected:?}"
            );
        }
    }

    fn last_counts(&self, topic: &str) -> BTreeMap<String, u64> {
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        for record in self.kafka.read_committed(topic) {
            let user = record.key_text().expect("a user");
            let count: u64 = record
                .value_text()
                .expect("a count")
                .parse()
                .expect("a number");
            let before = last.insert(user.clone(), count);
            assert!(
                before < Some(count),
                "{user} had {before:?}, and then {count}"
            );
        }
        last
    }
}

fn end(process: Process) {
    process.terminate();
    process.wait(LIMIT).assert_success();
}

#[test]
fn instances_share_the_work_and_take_over_from_one_another() {
    let Some(kafka) = Kafka::shared() else { return };
    let mut trial = Trial::new(kafka);
    trial.write(2_000);
    let one = trial.start("one");
    trial.check();
    let two = trial.start("two");
    let three = trial.start("three");
    for _ in 0..5 {
        trial.write(1_000);
    }
    trial.check();
    end(one);
    trial.write(1_000);
    trial.check();
    two.kill();
    trial.write(1_000);
    trial.check();
    end(three);
    // The state of one was left behind: it goes on from there.
    let one = trial.start("one");
    trial.write(1_000);
    trial.check();
    end(one);
}

#[test]
fn killed_instances_lose_nothing_and_double_nothing_soak() {
    let Some(kafka) = Kafka::shared() else { return };
    let mut random = StdRng::seed_from_u64(4);
    let mut trial = Trial::new(kafka);
    let names = ["one", "two", "three"];
    let mut running: BTreeMap<&str, Process> = BTreeMap::new();
    for round in 0..soak::rounds(10, 200) {
        let name = names[random.random_range(0..names.len())];
        match running.remove(name) {
            None => {
                running.insert(name, trial.start(name));
            }
            Some(process) if random.random_range(0..4) == 0 => end(process),
            Some(process) => {
                process.kill();
            }
        }
        trial.write(random.random_range(1..500));
        // The moment of the next kill is to be hit by no event.
        thread::sleep(Duration::from_millis(random.random_range(100..1_500)));
        if round % 50 == 49 {
            running.entry("one").or_insert_with(|| trial.start("one"));
            trial.check();
        }
    }
    running.entry("one").or_insert_with(|| trial.start("one"));
    trial.check();
    running.into_values().for_each(end);
}

#[test]
fn an_instance_that_slept_past_its_session_is_fenced_and_comes_back() {
    let Some(kafka) = Kafka::shared() else { return };
    let mut trial = Trial::new(kafka);
    trial.write(1_000);
    let one = trial.start("one");
    trial.check();
    trial.write(500);
    one.pause();
    let two = trial.start("two");
    trial.write(1_000);
    // Only when the sleeper's session has ended are all tasks the other's.
    trial.check();
    one.resume();
    trial.write(1_000);
    trial.check();
    end(two);
    trial.write(1_000);
    trial.check();
    end(one);
}
