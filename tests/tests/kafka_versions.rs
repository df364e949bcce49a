//! Applications on a broker that change, and state that was away for long.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ferrisstreams_tests::{Ferris, Kafka, Process, Record, TestDir};
use rdkafka::consumer::{BaseConsumer, Consumer};

const LIMIT: Duration = Duration::from_secs(90);

/// An application whose instances have state directories of their own.
struct Trial {
    kafka: Kafka,
    dir: TestDir,
    id: String,
}

impl Trial {
    fn new(kafka: Kafka, id: String) -> Self {
        Trial {
            kafka,
            dir: TestDir::new(),
            id,
        }
    }

    fn start(&self, name: &str, sql: &str, properties: &[&str]) -> Process {
        let file = self.dir.write(format!("{name}.sql"), sql);
        let mut ferris = Ferris::new(["run"])
            .arg(file)
            .arg("--application-id")
            .arg(&self.id)
            .arg("--bootstrap-servers")
            .arg(self.kafka.bootstrap());
        for property in properties {
            ferris = ferris.arg("--property").arg(property);
        }
        ferris.state_dir(self.dir.join(name)).start()
    }

    /// The last count of each key of a topic.
    fn counts(&self, topic: &str) -> BTreeMap<String, i64> {
        let mut last = BTreeMap::new();
        for record in self.kafka.read_committed(topic) {
            let key = record.key_text().expect("a key");
            match record.value {
                None => last.remove(&key),
                Some(_) => last.insert(key, record.field("n").parse().expect("a count")),
            };
        }
        last
    }

    fn await_counts(&self, topic: &str, expected: &BTreeMap<String, i64>) {
        let deadline = Instant::now() + LIMIT;
        loop {
            let counts = self.counts(topic);
            if counts == *expected {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{topic} has {counts:?}, not {expected:?}"
            );
        }
    }
}

/// Clicks that were written to a topic, and how many there are of each user and page.
struct Clicks {
    topic: String,
    written: usize,
    of_users: BTreeMap<String, i64>,
    of_pages: BTreeMap<String, i64>,
}

impl Clicks {
    fn new(topic: &str) -> Self {
        Clicks {
            topic: topic.to_owned(),
            written: 0,
            of_users: BTreeMap::new(),
            of_pages: BTreeMap::new(),
        }
    }

    fn write(&mut self, kafka: &Kafka, count: usize) {
        let records = (self.written..self.written + count).map(|at| {
            let (user, page) = (format!("user{}", at % 23), format!("page{}", at % 7));
            let value = format!(r#"{{"user":"{user}","page":"{page}"}}"#);
            *self.of_users.entry(user).or_insert(0) += 1;
            *self.of_pages.entry(page).or_insert(0) += 1;
            Record::value(value)
        });
        kafka.produce(&self.topic, records.collect::<Vec<_>>());
        self.written += count;
    }
}

/// SQL that counts clicks by users.
fn counting(clicks: &str, users: &str) -> String {
    format!(
        "CREATE STREAM clicks (\"user\" TEXT, page TEXT) FROM kafka://{clicks};\n\
         CREATE TABLE by_user WITH (sink = 'kafka://{users}') AS \
         SELECT \"user\", COUNT(*) AS n FROM clicks GROUP BY \"user\";\n"
    )
}

fn end(process: Process) -> String {
    process.terminate();
    process.wait(LIMIT).assert_success().stderr
}

#[test]
fn a_version_with_other_tasks_waits_until_the_former_one_has_ended() {
    let Some(kafka) = Kafka::shared() else { return };
    let clicks = kafka.unique_topic("ver-clicks", 4);
    let users = kafka.unique_topic("ver-users", 2);
    let pages = kafka.unique_topic("ver-pages", 2);
    let trial = Trial::new(kafka, clicks.replace("clicks", "id"));
    let former = counting(&clicks, &users);
    let latter = format!(
        "{former}CREATE TABLE by_page WITH (sink = 'kafka://{pages}') AS \
         SELECT page, COUNT(*) AS n FROM clicks GROUP BY page;\n"
    );
    let mut written = Clicks::new(&clicks);
    written.write(&trial.kafka, 500);
    let mut one = trial.start("one", &former, &[]);
    let mut two = trial.start("two", &former, &[]);
    for process in [&mut one, &mut two] {
        process.stderr.wait_for_text("RUNNING  tasks", LIMIT);
    }
    trial.await_counts(&users, &written.of_users);

    end(two);
    let mut two = trial.start("two", &latter, &[]);
    two.stderr.wait_for_text("REBALANCING  no tasks", LIMIT);
    // The other has all tasks, and the new version none.
    written.write(&trial.kafka, 500);
    trial.await_counts(&users, &written.of_users);
    let told = two.stderr.text();
    assert!(!told.contains("RUNNING  tasks"), "{told}");

    // Counts go on where they were, and what is new begins with the first click.
    end(one);
    two.stderr.wait_for_text("RUNNING  tasks", LIMIT);
    let mut one = trial.start("one", &latter, &[]);
    one.stderr.wait_for_text("RUNNING  tasks", LIMIT);
    written.write(&trial.kafka, 500);
    trial.await_counts(&users, &written.of_users);
    trial.await_counts(&pages, &written.of_pages);
    end(one);
    end(two);
}

/// The changelogs of an application.
fn changelogs(trial: &Trial) -> Vec<String> {
    let consumer: BaseConsumer = trial.kafka.client().create().expect("a client");
    let metadata = consumer.fetch_metadata(None, LIMIT).expect("all topics");
    let topics = metadata
        .topics()
        .iter()
        .map(|topic| topic.name().to_owned());
    let own = topics.filter(|name| name.starts_with(&trial.id) && name.ends_with("-changelog"));
    own.filter(|name| !name.ends_with("-tasks-changelog"))
        .collect()
}

#[test]
fn state_that_was_away_until_brokers_forgot_what_was_deleted_is_read_again() {
    let Some(kafka) = Kafka::shared() else { return };
    let people = kafka.unique_topic("away-people", 1);
    let cities = kafka.unique_topic("away-cities", 1);
    let trial = Trial::new(kafka, people.replace("people", "id"));
    let sql = format!(
        "CREATE TABLE people (id TEXT PRIMARY KEY, city TEXT) FROM kafka://{people};\n\
         CREATE TABLE cities WITH (sink = 'kafka://{cities}') AS \
         SELECT city, COUNT(*) AS n FROM people GROUP BY city;\n"
    );
    // Brokers forget soon.
    let soon = [
        "topic.delete.retention.ms=500",
        "topic.segment.ms=200",
        "topic.min.cleanable.dirty.ratio=0.001",
        "topic.max.compaction.lag.ms=300",
    ];
    let start = |name: &str| {
        let mut process = trial.start(name, &sql, &soon);
        process.stderr.wait_for_text("RUNNING  task 0", LIMIT);
        process
    };
    let counts = |counts: &[(&str, i64)]| -> BTreeMap<String, i64> {
        let counts = counts.iter();
        counts.map(|(city, n)| ((*city).to_owned(), *n)).collect()
    };
    let live = |who: &str, city: &str| Record::new(who, format!(r#"{{"city":"{city}"}}"#));
    let write = |records: Vec<Record>| trial.kafka.produce(&people, records);

    let one = start("one");
    let all = (0..10).map(|at| live(&format!("p{at}"), "here"));
    write(all.chain([live("busy", "there")]).collect());
    trial.await_counts(&cities, &counts(&[("here", 10), ("there", 1)]));
    end(one);

    // While it is away half of them go, and the brokers forget that they were there.
    let two = start("two");
    write(
        (0..5)
            .map(|at| Record::tombstone(format!("p{at}")))
            .collect(),
    );
    trial.await_counts(&cities, &counts(&[("here", 5), ("there", 1)]));
    let deadline = Instant::now() + LIMIT;
    let remembered = |topic: &String| {
        let records = trial.kafka.read_committed(topic);
        let gone = |key: &[u8]| {
            let mut pairs = key.windows(2);
            pairs.any(|pair| pair[0] == b'p' && (b'0'..b'5').contains(&pair[1]))
        };
        let mut keys = records.iter().filter_map(|record| record.key.as_deref());
        keys.any(gone)
    };
    let logs = changelogs(&trial);
    assert!(!logs.is_empty());
    while logs.iter().any(remembered) {
        assert!(Instant::now() < deadline, "nothing is compacted away");
        // Only what is behind something newer is compacted.
        write(vec![live("busy", "there")]);
    }
    end(two);

    // With its old rows it would take the one that comes back from where it is no more.
    let one = start("one");
    write(vec![live("p0", "there")]);
    trial.await_counts(&cities, &counts(&[("here", 5), ("there", 2)]));
    let told = end(one);
    assert!(told.contains("read again"), "{told}");
}

#[test]
fn offsets_that_the_group_has_forgotten_are_known_with_the_rows() {
    let Some(kafka) = Kafka::shared() else { return };
    let clicks = kafka.unique_topic("forgot-clicks", 3);
    let users = kafka.unique_topic("forgot-users", 2);
    let trial = Trial::new(kafka, clicks.replace("clicks", "id"));
    let sql = counting(&clicks, &users);
    let mut written = Clicks::new(&clicks);
    for guarantee in ["exactly_once_v2", "at_least_once"] {
        let guarantee = format!("processing.guarantee={guarantee}");
        let start = |name: &str| trial.start(name, &sql, &[&guarantee, "commit.interval.ms=50"]);
        let one = start("one");
        written.write(&trial.kafka, 500);
        trial.await_counts(&users, &written.of_users);
        end(one);
        trial.kafka.delete_group(&trial.id);
        // One has its rows still, and another reads them from the changelogs.
        for name in ["one", "two"] {
            written.write(&trial.kafka, 500);
            let process = start(name);
            trial.await_counts(&users, &written.of_users);
            let told = end(process);
            assert!(told.contains("has forgotten how far"), "{told}");
            trial.kafka.delete_group(&trial.id);
        }
    }
}

#[test]
fn a_topic_that_gains_partitions_ends_all_instances_with_what_to_do() {
    let Some(kafka) = Kafka::shared() else { return };
    let clicks = kafka.unique_topic("grown-clicks", 2);
    let users = kafka.unique_topic("grown-users", 2);
    let trial = Trial::new(kafka, clicks.replace("clicks", "id"));
    let sql = counting(&clicks, &users);
    let mut written = Clicks::new(&clicks);
    written.write(&trial.kafka, 500);
    // The other would look in an hour.
    let often = trial.start("one", &sql, &["metadata.max.age.ms=200"]);
    let seldom = trial.start("two", &sql, &["metadata.max.age.ms=3600000"]);
    let mut processes = [often, seldom];
    for process in &mut processes {
        process.stderr.wait_for_text("RUNNING  task", LIMIT);
    }
    trial.await_counts(&users, &written.of_users);
    trial.kafka.grow_topic(&clicks, 5);
    let before = format!("topic {clicks} had 2 partitions");
    for process in processes {
        let told = process.wait(LIMIT).assert_code(1).stderr;
        assert!(told.contains(&before), "{told}");
        assert!(
            told.contains("has 5 now") && told.contains("under another id"),
            "{told}"
        );
    }
    trial.await_counts(&users, &written.of_users);
    let again = trial.start("one", &sql, &[]).wait(LIMIT).assert_code(2);
    let told = again.stderr;
    assert!(
        told.contains("the number of partitions of its input has changed"),
        "{told}"
    );
}
