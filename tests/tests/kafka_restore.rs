//! Rows of an application whose state is gone are read again from their changelogs: told as it goes, and gone on with
//! where a killed process has left it.

use std::collections::HashSet;
use std::fs;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use ferrisstreams_tests::{
    ConsumedRecord, Ferris, Kafka, KafkaBroker, Process, Record, TestDir, soak,
};

const PARTITIONS: i32 = 4;
const LIMIT: Duration = Duration::from_secs(1_200);
/// The bytes of a row, more or less.
const ROW: usize = 500;

/// An application that counts records and keeps their texts, and tells the counts.
struct Trial {
    kafka: Kafka,
    dir: TestDir,
    id: String,
    input: String,
    counts: String,
    rows: usize,
    /// How often each row was counted.
    rounds: usize,
}

impl Trial {
    fn new(kafka: Kafka, rows: usize) -> Self {
        let input = kafka.unique_topic("restore-in", PARTITIONS);
        let counts = kafka.unique_topic("restore-counts", PARTITIONS);
        let dir = TestDir::new();
        dir.write(
            "app.sql",
            format!(
                "CREATE STREAM texts (id TEXT, words TEXT) FROM kafka://{input};\n\
                 CREATE TABLE kept AS SELECT id, COUNT(*) AS n, MAX(words) AS words FROM texts GROUP BY id;\n\
                 INSERT INTO kafka://{counts} SELECT id, n, LENGTH(words) AS len FROM kept;\n"
            ),
        );
        // Answers are small, so that brokers can hold them back one by one.
        let brokers = kafka.bootstrap();
        let properties = format!(
            "[kafka]\nbootstrap.servers = '{brokers}'\nmax.partition.fetch.bytes = '65536'\n"
        );
        dir.write("ferris.toml", properties);
        Trial {
            id: input.replace("in", "app"),
            kafka,
            dir,
            input,
            counts,
            rows,
            rounds: 0,
        }
    }

    fn start(&self) -> Process {
        Ferris::new(["run"])
            .arg(self.dir.join("app.sql"))
            .args(["--application-id", &self.id, "--output", "csv"])
            .arg("--config")
            .arg(self.dir.join("ferris.toml"))
            .state_dir(self.dir.join("state"))
            .start()
    }

    /// Says how the brokers treat clients.
    fn configure_clients(&self, how: &[&str]) {
        let clients = ["--alter", "--entity-type", "clients", "--entity-default"];
        let arguments = [&clients, how].concat();
        let tool = self.kafka.tool("kafka.admin.ConfigCommand", &arguments);
        tool.wait(LIMIT).assert_success();
    }

    /// Sends one record for each row, long ones the first time, and waits until all are counted.
    fn count_all(&mut self) {
        // Letters at random are not compressed much.
        let mut random = StdRng::seed_from_u64(3);
        let mut words = |at: usize| match self.rounds {
            0 => (0..ROW).map(|_| random.random_range('a'..='z')).collect(),
            _ => format!("A{at}"),
        };
        for from in (0..self.rows).step_by(100_000) {
            let part = from..self.rows.min(from + 100_000);
            let records = part.map(|at| {
                let words = words(at);
                Record::value(format!(r#"{{"id":"k{at}","words":"{words}"}}"#))
            });
            self.kafka.produce(&self.input, records);
        }
        self.rounds += 1;
        let wanted = format!(r#"{{"n":{},"len":{ROW}}}"#, self.rounds);
        let deadline = Instant::now() + LIMIT;
        let mut count = self.rows * self.rounds;
        loop {
            let told = self.kafka.wait_for_records(&self.counts, count, LIMIT);
            let right =
                |record: &&ConsumedRecord| record.value.as_deref() == Some(wanted.as_bytes());
            let done: HashSet<&[u8]> = told
                .iter()
                .filter(right)
                .filter_map(|record| record.key.as_deref())
                .collect();
            if done.len() == self.rows {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{} of {} rows are right",
                done.len(),
                self.rows
            );
            count = told.len() + 1;
        }
    }
}

/// How many changes are still to be restored, and at what rate, as a line says; nothing where it is known of a part
/// of the tasks only, as at first.
fn progress(line: &str) -> Option<(u64, u64)> {
    let (_, told) = line.split_once("  ")?;
    let (left, rest) = told.split_once(" changes to restore")?;
    let number = |text: &str| text.rsplit("  ").next()?.replace(',', "").parse().ok();
    let rate = rest.split_once(", ")?.1.split_once(" a second")?.0;
    Some((number(left)?, number(rate)?))
}

fn end(process: Process) {
    process.terminate();
    process.wait(LIMIT).assert_success();
}

trait Arguments {
    fn args(self, arguments: [&str; 4]) -> Self;
}

impl Arguments for Ferris {
    fn args(self, arguments: [&str; 4]) -> Self {
        arguments.iter().fold(self, Ferris::arg)
    }
}

/// Waits until what a process still has to restore is so little, and tells how much it is then.
fn await_progress(process: &mut Process, most: u64) -> u64 {
    let mut left = 0;
    process
        .stderr
        .wait_for("progress", LIMIT, |line| match progress(line) {
            Some((now, rate)) => {
                left = now;
                assert!(rate > 0 && line.ends_with(" left"), "{line}");
                now <= most
            }
            None => false,
        });
    left
}

#[test]
fn rows_are_restored_from_where_a_killed_process_was_soak() {
    let Some(broker) = KafkaBroker::start() else {
        return;
    };
    let mut trial = Trial::new(broker.kafka().clone(), soak::rounds(40_000, 4_000_000));
    let process = trial.start();
    trial.count_all();
    end(process);

    // Slow enough for something to be seen.
    let rate = soak::rounds(2_000_000, 60_000_000);
    trial.configure_clients(&["--add-config", &format!("consumer_byte_rate={rate}")]);

    fs::remove_dir_all(trial.dir.join("state")).expect("it is there");
    let mut process = trial.start();
    let most = trial.rows as u64;
    // All of the rows are missing, and then half of them.
    let begun = await_progress(&mut process, u64::MAX);
    let left = await_progress(&mut process, most / 2);
    process.kill();
    assert!(begun > left, "{begun}, then {left}");

    let mut process = trial.start();
    let again = await_progress(&mut process, u64::MAX);
    assert!(
        again < most * 4 / 5,
        "{begun} changes were missing, {left} when it was killed, and {again} after it"
    );
    trial.configure_clients(&["--delete-config", "consumer_byte_rate"]);
    process.stderr.wait_for_text("RUNNING  tasks 0 to 3", LIMIT);
    trial.count_all();
    end(process);
}
