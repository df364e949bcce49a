//! `ferris` killed with SIGKILL at random moments, again and again, while its inputs change.
//!
//! At the end every table equals what a fresh run makes of the inputs, and every sink has each result
//! once. `make soak` kills it a hundred times.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use ferrisstreams_tests::{Ferris, Kafka, Record, TestDir, soak};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const LIMIT: Duration = Duration::from_secs(60);

/// Lets a random time pass: the moment of a kill is to be hit by no event.
fn while_it_works(random: &mut StdRng) {
    thread::sleep(Duration::from_millis(random.random_range(20..400)));
}

/// The tables of a script once all input is read, on a state or without one.
fn tables(
    script: &std::path::Path,
    state: Option<&std::path::Path>,
    kafka: Option<&Kafka>,
) -> String {
    let mut ferris = Ferris::new(["run", "--once", "--output", "csv"]).arg(script);
    if let Some(state) = state {
        ferris = ferris.state_dir(state);
    }
    if let Some(kafka) = kafka {
        ferris = ferris.arg("--bootstrap-servers").arg(kafka.bootstrap());
    }
    ferris.run().assert_success().stdout
}

struct Orders {
    random: StdRng,
    next: usize,
}

impl Orders {
    fn lines(&mut self, count: usize) -> String {
        (0..count).map(|_| self.line()).collect()
    }

    fn line(&mut self) -> String {
        self.next += 1;
        let (user, cents) = (
            self.random.random_range(0..50),
            self.random.random_range(1..10_000),
        );
        format!("{},u{user},{}.{:02}\n", self.next, cents / 100, cents % 100)
    }
}

const HEADER: &str = "order_id,user_id,amount\n";

#[test]
fn files_that_grow_and_are_rewritten_soak() {
    let dir = TestDir::new();
    let mut orders = Orders {
        random: StdRng::seed_from_u64(7),
        next: 0,
    };
    let mut random = StdRng::seed_from_u64(8);
    dir.write("grown.csv", HEADER.to_owned() + &orders.lines(20_000));
    dir.write("rewritten.csv", HEADER.to_owned() + &orders.lines(500));
    dir.write("users.csv", "user_id,tier\nu1,gold\nu2,silver\n");
    let tables_sql = "CREATE TABLE grown AS SELECT user_id, COUNT(*) AS orders, SUM(amount) AS total, MAX(order_id) AS last FROM file://grown.csv GROUP BY user_id;\n\
        CREATE TABLE rewritten AS SELECT user_id, COUNT(*) AS orders, SUM(amount) AS total FROM file://rewritten.csv GROUP BY user_id;\n\
        CREATE TABLE users AS SELECT * FROM file://users.csv;\n\
        CREATE TABLE by_tier AS SELECT u.tier, SUM(g.orders) AS orders, SUM(g.total) AS total FROM grown g JOIN users u ON g.user_id = u.user_id GROUP BY u.tier;\n";
    let sink = "CREATE STREAM large WITH (sink = 'file://large.csv') AS SELECT order_id, amount FROM file://grown.csv WHERE amount > 90.00;\n";
    let script = dir.write("app.sql", format!("{tables_sql}{sink}"));
    let state = dir.join("state");
    for round in 0..soak::rounds(10, 100) {
        let run = Ferris::new(["run", "--output", "csv"])
            .arg(&script)
            .state_dir(&state)
            .start();
        for _ in 0..random.random_range(1..4) {
            match random.random_range(0..5) {
                0 => {
                    let rows = random.random_range(1..500);
                    dir.write("rewritten.csv", HEADER.to_owned() + &orders.lines(rows));
                }
                1 => {
                    let rows = random.random_range(1..500);
                    dir.replace("rewritten.csv", HEADER.to_owned() + &orders.lines(rows));
                }
                2 => {
                    let tier = ["gold", "silver", "bronze"][random.random_range(0..3)];
                    dir.replace(
                        "users.csv",
                        format!("user_id,tier\nu{},{tier}\nu2,silver\n", round % 50),
                    );
                }
                _ => {
                    let rows = random.random_range(1..2_000);
                    dir.append("grown.csv", orders.lines(rows));
                }
            }
            while_it_works(&mut random);
        }
        run.kill();
    }
    // A last run of the same script reads what is left and ends well.
    let kept = tables(&script, Some(&state), None);
    let fresh = tables(&dir.write("fresh.sql", tables_sql), None, None);
    assert_eq!(kept, fresh);
    assert!(fresh.lines().count() > 60, "{fresh}");
    let grown = std::fs::read_to_string(dir.join("grown.csv")).expect("the file is there");
    let large = |line: &&str| {
        line.rsplit(',')
            .next()
            .and_then(|amount| amount.parse::<f64>().ok())
            .is_some_and(|amount| amount > 90.0)
    };
    let wanted: Vec<String> = grown
        .lines()
        .filter(large)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            format!("{},{}", fields[0], fields[2])
        })
        .collect();
    let written = std::fs::read_to_string(dir.join("large.csv")).expect("the sink wrote");
    let written: Vec<&str> = written.lines().skip(1).collect();
    assert_eq!(written, wanted, "each result once, in order");
}

#[test]
fn topics_in_and_out_soak() {
    let Some(kafka) = Kafka::shared() else { return };
    let dir = TestDir::new();
    let (input, output) = (kafka.unique_topic("in", 3), kafka.unique_topic("out", 2));
    let sql = format!(
        "CREATE STREAM orders (order_id BIGINT, user_id VARCHAR, amount DECIMAL(10, 2)) FROM kafka://{input} WITH (format = 'json');\n\
         CREATE TABLE spent AS SELECT user_id, COUNT(*) AS orders, SUM(amount) AS total FROM orders GROUP BY user_id;\n"
    );
    let sink = format!(
        "CREATE STREAM doubled WITH (sink = 'kafka://{output}', format = 'json') AS SELECT order_id, amount * 2 AS doubled FROM orders;\n"
    );
    let script = dir.write("app.sql", format!("{sql}{sink}"));
    let state = dir.join("state");
    let mut random = StdRng::seed_from_u64(9);
    let mut totals: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut produced = 0;
    for _ in 0..soak::rounds(10, 100) {
        let run = Ferris::new(["run", "--output", "csv"])
            .arg(&script)
            .state_dir(&state)
            .arg("--bootstrap-servers")
            .arg(kafka.bootstrap())
            .start();
        for _ in 0..random.random_range(1..4) {
            let count = random.random_range(1..300);
            let records: Vec<Record> = (0..count)
                .map(|_| {
                    produced += 1;
                    let (user, cents) = (
                        format!("u{}", random.random_range(0..20)),
                        random.random_range(1..10_000_u64),
                    );
                    let total = totals.entry(user.clone()).or_default();
                    *total = (total.0 + 1, total.1 + cents);
                    let value = format!(
                        "{{\"order_id\":{produced},\"user_id\":\"{user}\",\"amount\":{}.{:02}}}",
                        cents / 100,
                        cents % 100
                    );
                    Record::new(format!("{produced}"), value)
                })
                .collect();
            kafka.produce(&input, records);
            while_it_works(&mut random);
        }
        run.kill();
    }
    let kept = tables(&script, Some(&state), Some(&kafka));
    let wanted: Vec<String> = totals
        .iter()
        .map(|(user, (orders, cents))| {
            format!("{user},{orders},{}.{:02}", cents / 100, cents % 100)
        })
        .collect();
    let spent: Vec<&str> = kept.lines().skip(2).collect();
    assert_eq!(spent, wanted);
    let mut ids: Vec<u64> = kafka
        .wait_for_records(&output, produced, LIMIT)
        .iter()
        .filter_map(|record| {
            let text = record.value_text()?;
            let digits = text
                .split("\"order_id\":")
                .nth(1)?
                .split([',', '}'])
                .next()?;
            digits.parse().ok()
        })
        .collect();
    ids.sort_unstable();
    let wanted: Vec<u64> = (1..=produced as u64).collect();
    assert_eq!(ids, wanted, "each result once");
}
