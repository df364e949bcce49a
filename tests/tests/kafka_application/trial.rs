//! An application under test, with its input, and what it should have made of that.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use ferrisstreams_tests::{Kafka, Process, Record, TestDir, example};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

const PARTITIONS: i32 = 12;
const LIMIT: Duration = Duration::from_secs(60);

/// An application under test, and what it should have made so far.
pub(crate) struct Trial {
    kafka: Kafka,
    dir: TestDir,
    id: String,
    clicks: String,
    totals: String,
    sections: String,
    seen: String,
    plans: String,
    usage: String,
    /// How many other instances keep rows up to date.
    pub(crate) standbys: usize,
    producer: Option<BaseProducer>,
    written: usize,
    counts: BTreeMap<String, u64>,
    section_counts: BTreeMap<String, u64>,
    plan_of: BTreeMap<String, usize>,
}

impl Trial {
    pub(crate) fn new(kafka: Kafka) -> Self {
        let clicks = kafka.unique_topic("app-clicks", PARTITIONS);
        let seen = clicks.replace("clicks", "seen");
        // It tells when each click was passed on.
        kafka.create_topic(&seen, 3, &[("message.timestamp.type", "LogAppendTime")]);
        Trial {
            totals: kafka.unique_topic("app-totals", 3),
            sections: kafka.unique_topic("app-sections", 3),
            seen,
            plans: kafka.unique_topic("app-plans", PARTITIONS),
            usage: kafka.unique_topic("app-usage", 3),
            standbys: 0,
            id: clicks.replace("clicks", "id"),
            dir: TestDir::new(),
            clicks,
            kafka,
            producer: None,
            written: 0,
            counts: BTreeMap::new(),
            section_counts: BTreeMap::new(),
            plan_of: BTreeMap::new(),
        }
    }

    /// Starts an instance with a state directory of its own.
    pub(crate) fn start(&self, name: &str) -> Process {
        let mut command = Command::new(example("kafka_application"));
        command
            .args(["--bootstrap-servers", self.kafka.bootstrap()])
            .args(["--application-id", &self.id])
            .args(["--clicks", &self.clicks])
            .args(["--totals", &self.totals])
            .args(["--sections", &self.sections])
            .args(["--seen", &self.seen])
            .args(["--plans", &self.plans])
            .args(["--usage", &self.usage])
            .args(["--standbys", &self.standbys.to_string()])
            .arg("--state")
            .arg(self.dir.join(name));
        Process::start(&mut command)
    }

    /// Writes clicks.
    pub(crate) fn write(&mut self, count: usize) {
        let clicks = self.next_clicks(count);
        self.kafka.produce(&self.clicks, clicks);
        // Now and then users change their plan.
        let changed: Vec<String> = (0..97)
            .filter(|user| user % 7 == self.written % 7)
            .map(|user| format!("user{user}"))
            .collect();
        let plans: Vec<Record> = changed
            .iter()
            .map(|user| Record::new(user, format!("plan{}", self.written)))
            .collect();
        self.kafka.produce(&self.plans, plans);
        for user in changed {
            self.plan_of.insert(user, self.written);
        }
    }

    /// Writes clicks by a producer that is there already, so that they can follow one another closely.
    pub(crate) fn trickle(&mut self, count: usize) {
        let clicks = self.next_clicks(count);
        let producer = self.producer.get_or_insert_with(|| {
            let mut config = self.kafka.client();
            config.set("linger.ms", "0");
            config.create().expect("a producer")
        });
        for click in &clicks {
            let (key, value) = (click.key.as_deref(), click.value.as_deref());
            let record = BaseRecord::to(&self.clicks)
                .key(key.expect("a user"))
                .payload(value.expect("a page"));
            producer.send(record).expect("there is room");
        }
        producer.flush(LIMIT).expect("they are written");
    }

    /// The clicks that are written next.
    fn next_clicks(&mut self, count: usize) -> Vec<Record> {
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
        records
    }

    /// Waits until all clicks were passed on, and checks that each was once, and that counts only rise.
    pub(crate) fn check(&self) {
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
        self.check_usage();
    }

    /// How many clicks were written.
    pub(crate) fn written(&self) -> usize {
        self.written
    }

    /// The longest times in which each task passed nothing on, by its number, in milliseconds, from the click of
    /// number `from` on: these must have come all the time.
    pub(crate) fn longest_silences(&self, from: usize) -> BTreeMap<i32, i64> {
        let clicks = self.kafka.read_committed(&self.clicks);
        let task_of: BTreeMap<String, i32> = clicks
            .iter()
            .map(|click| (click.value_text().expect("a page"), click.partition))
            .collect();
        let mut times: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
        for passed in self.kafka.read_committed(&self.seen) {
            let words = passed.value_text().expect("a user and a page");
            let page = words.split(' ').next_back().expect("a page");
            let number = page.split("page").last().and_then(|n| n.parse().ok());
            if number < Some(from) {
                continue;
            }
            let task = task_of[page];
            let at = passed.timestamp_ms.expect("when it was appended");
            times.entry(task).or_default().push(at);
        }
        times
            .into_iter()
            .map(|(task, mut times)| {
                times.sort_unstable();
                let longest = times.windows(2).map(|two| two[1] - two[0]).max();
                (task, longest.unwrap_or(0))
            })
            .collect()
    }

    /// Waits until the last words about each user are the user's count and plan.
    fn check_usage(&self) {
        let counts = self.counts.iter();
        let expected: BTreeMap<String, String> = counts
            .filter_map(|(user, count)| {
                let plan = self.plan_of.get(user)?;
                Some((user.clone(), format!("{count} on plan{plan}")))
            })
            .collect();
        let deadline = Instant::now() + LIMIT;
        loop {
            let mut last = BTreeMap::new();
            for record in self.kafka.read_committed(&self.usage) {
                let user = record.key_text().expect("a user");
                last.insert(user, record.value_text().expect("a count and a plan"));
            }
            if last == expected {
                return;
            }
            let wrong: Vec<_> = expected
                .iter()
                .filter(|(user, words)| last.get(*user) != Some(words))
                .map(|(user, words)| (user, words, last.get(user)))
                .collect();
            assert!(
                Instant::now() < deadline,
                "users, what should be known of them, and what is: {wrong:?}"
            );
        }
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

/// Ends a process in order.
pub(crate) fn end(process: Process) {
    process.terminate();
    process.wait(LIMIT).assert_success();
}
