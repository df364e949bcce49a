//! SQL files as applications on a broker: processes that share the partitions of a file's topics.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ferrisstreams_tests::{Ferris, Kafka, Process, Record, TestDir};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const PARTITIONS: i32 = 6;
const LIMIT: Duration = Duration::from_secs(90);

/// The number of products, of which each has a code, and of customers, of which each lives in a city.
const PRODUCTS: usize = 10;
const CUSTOMERS: usize = 30;

/// Orders with ids below this only tell that products are there.
const FIRST_ORDER: usize = 1_000_000;

/// An application under test, and what is in its inputs.
struct Trial {
    kafka: Kafka,
    dir: TestDir,
    id: String,
    orders: String,
    products: String,
    customers: String,
    spent: String,
    joined: String,
    cities: String,
    letters: String,
    rng: StdRng,
    /// The customer, product and amount of each order.
    written: Vec<(usize, usize, i64)>,
    city_of: BTreeMap<usize, usize>,
    broken: usize,
}

impl Trial {
    fn new(kafka: Kafka) -> Self {
        let topic = |name: &str| kafka.unique_topic(name, PARTITIONS);
        let orders = topic("sql-orders");
        let trial = Trial {
            id: orders.replace("orders", "id"),
            products: topic("sql-products"),
            customers: topic("sql-customers"),
            spent: topic("sql-spent"),
            joined: topic("sql-joined"),
            cities: topic("sql-cities"),
            letters: topic("sql-letters"),
            orders,
            dir: TestDir::new(),
            rng: StdRng::seed_from_u64(7),
            written: Vec::new(),
            city_of: BTreeMap::new(),
            broken: 0,
            kafka,
        };
        trial.dir.write("app.sql", trial.sql());
        trial
    }

    /// Sums by a column that is not the key; a join on a column that is no key on either side; and an
    /// aggregate over a join of two tables, of which one is an aggregate.
    fn sql(&self) -> String {
        let Trial {
            orders,
            products,
            customers,
            spent,
            joined,
            cities,
            letters,
            ..
        } = self;
        format!(
            "CREATE STREAM letters (source TEXT, error TEXT, value TEXT) FROM kafka://{letters};\n\
             CREATE STREAM orders (id BIGINT, customer TEXT, product TEXT, amount BIGINT)\n\
               FROM kafka://{orders} WITH (on_error = 'dead_letter:letters');\n\
             CREATE TABLE products (name TEXT PRIMARY KEY, code TEXT) FROM kafka://{products};\n\
             CREATE TABLE customers (id TEXT PRIMARY KEY, city TEXT) FROM kafka://{customers};\n\
             CREATE TABLE spent WITH (sink = 'kafka://{spent}') AS\n\
               SELECT customer, COUNT(*) AS orders, SUM(amount) AS total\n\
               FROM orders WHERE id >= {FIRST_ORDER} GROUP BY customer;\n\
             INSERT INTO kafka://{joined}\n\
               SELECT o.id, p.name FROM orders o JOIN products p ON o.product = p.code;\n\
             CREATE TABLE cities WITH (sink = 'kafka://{cities}') AS\n\
               SELECT c.city, COUNT(*) AS customers, SUM(s.total) AS total\n\
               FROM customers c JOIN spent s ON c.id = s.customer GROUP BY c.city;\n"
        )
    }

    fn start(&self, name: &str) -> Process {
        Ferris::new(["run"])
            .arg(self.dir.join("app.sql"))
            .args_of_cluster(&self.id, self.kafka.bootstrap())
            .args(["--threads", "2"])
            .args(["--property", "num.standby.replicas=1"])
            .args(["--property", "topic.segment.ms=3600000"])
            .state_dir(self.dir.join(name))
            .start()
    }

    fn write_products(&self) {
        let product = |at: usize| {
            let value = format!(r#"{{"code":"code{}"}}"#, at % 7);
            Record::new(format!("product{at}"), value).at(1)
        };
        self.kafka
            .produce(&self.products, (0..PRODUCTS).map(product));
    }

    /// Sends orders of all products until each is joined: then all of them are where orders find them.
    fn await_products(&self) {
        let deadline = Instant::now() + LIMIT;
        let mut sent = 0;
        loop {
            let names: BTreeSet<String> = self
                .kafka
                .read_committed(&self.joined)
                .iter()
                .map(|record| record.field("NAME"))
                .collect();
            if names.len() == PRODUCTS {
                return;
            }
            assert!(Instant::now() < deadline, "products are joined: {names:?}");
            let probes = (0..7).map(|code| {
                sent += 1;
                order(sent, CUSTOMERS, code, 0).at(2)
            });
            self.kafka.produce(&self.orders, probes.collect::<Vec<_>>());
        }
    }

    fn write(&mut self, count: usize) {
        let mut orders = Vec::new();
        for at in 0..count {
            let id = FIRST_ORDER + self.written.len();
            let customer = self.rng.random_range(0..CUSTOMERS);
            let product = self.rng.random_range(0..7);
            let amount = self.rng.random_range(1..1_000);
            self.written.push((customer, product, amount));
            orders.push(order(id, customer, product, amount).at(1_000 + id as i64));
            if at % 100 == 50 {
                self.broken += 1;
                orders.push(Record::new("broken", "{not json").at(1_000 + id as i64));
            }
        }
        self.kafka.produce(&self.orders, orders);
        let mut moves = Vec::new();
        for _ in 0..5 {
            let customer = self.rng.random_range(0..CUSTOMERS);
            let key = format!("customer{customer}");
            if self.rng.random_range(0..5) == 0 {
                self.city_of.remove(&customer);
                moves.push(Record::tombstone(key));
                continue;
            }
            let city = self.rng.random_range(0..4);
            self.city_of.insert(customer, city);
            moves.push(Record::new(key, format!(r#"{{"city":"city{city}"}}"#)));
        }
        self.kafka.produce(&self.customers, moves);
    }

    /// What each customer has ordered, and spent.
    fn expected_spent(&self) -> BTreeMap<String, (i64, i64)> {
        let mut spent: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for (customer, _, amount) in &self.written {
            let (orders, total) = spent.entry(format!("customer{customer}")).or_default();
            *orders += 1;
            *total += amount;
        }
        spent
    }

    /// How many customers with orders each city has, and what they spent.
    fn expected_cities(&self) -> BTreeMap<String, (i64, i64)> {
        let spent = self.expected_spent();
        let mut cities: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for (customer, city) in &self.city_of {
            if let Some((_, total)) = spent.get(&format!("customer{customer}")) {
                let (customers, sum) = cities.entry(format!("city{city}")).or_default();
                *customers += 1;
                *sum += total;
            }
        }
        cities
    }

    fn expected_joined(&self) -> BTreeMap<(i64, String), usize> {
        let mut joined = BTreeMap::new();
        for (at, (_, code, _)) in self.written.iter().enumerate() {
            for product in (0..PRODUCTS).filter(|product| product % 7 == *code) {
                let id = (FIRST_ORDER + at) as i64;
                joined.insert((id, format!("product{product}")), 1);
            }
        }
        joined
    }

    fn joined(&self) -> BTreeMap<(i64, String), usize> {
        let mut joined = BTreeMap::new();
        for record in self.kafka.read_committed(&self.joined) {
            let id: i64 = record.field("ID").parse().expect("a number");
            if id >= FIRST_ORDER as i64 {
                *joined.entry((id, record.field("NAME"))).or_default() += 1;
            }
        }
        joined
    }

    fn check(&self) {
        await_equal(
            "spent",
            || self.table(&self.spent, "ORDERS"),
            self.expected_spent(),
        );
        await_equal("joined", || self.joined(), self.expected_joined());
        await_equal(
            "cities",
            || self.table(&self.cities, "CUSTOMERS"),
            self.expected_cities(),
        );
        let letters = || self.kafka.read_committed(&self.letters).len();
        // Two queries read the orders, and each sends what it cannot read.
        await_equal("letters", letters, 2 * self.broken);
    }

    /// The rows of a table's topic: the key, and two columns.
    fn table(&self, topic: &str, count: &str) -> BTreeMap<String, (i64, i64)> {
        let mut rows = BTreeMap::new();
        for record in self.kafka.read_committed(topic) {
            let key = record.key_text().expect("a key");
            if record.value.is_none() {
                rows.remove(&key);
                continue;
            }
            let number = |name: &str| record.field(name).parse().expect("a number");
            rows.insert(key, (number(count), number("TOTAL")));
        }
        rows
    }
}

fn order(id: usize, customer: usize, product: usize, amount: i64) -> Record {
    let value = format!(
        r#"{{"id":{id},"customer":"customer{customer}","product":"code{product}","amount":{amount}}}"#
    );
    Record::new(format!("order{id}"), value)
}

/// Waits until what is there is what should be there.
fn await_equal<T: PartialEq + std::fmt::Debug>(what: &str, found: impl Fn() -> T, expected: T) {
    let deadline = Instant::now() + LIMIT;
    loop {
        let found = found();
        if found == expected {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{what}: {found:?}\nand should be {expected:?}"
        );
    }
}

trait OnCluster {
    fn args_of_cluster(self, id: &str, bootstrap: &str) -> Self;
    fn args<const N: usize>(self, arguments: [&str; N]) -> Self;
}

impl OnCluster for Ferris {
    fn args_of_cluster(self, id: &str, bootstrap: &str) -> Self {
        self.args(["--application-id", id, "--bootstrap-servers", bootstrap])
    }

    fn args<const N: usize>(self, arguments: [&str; N]) -> Self {
        arguments.into_iter().fold(self, Ferris::arg)
    }
}

#[test]
fn processes_share_a_file_of_sql_and_one_is_killed() {
    let Some(kafka) = Kafka::shared() else { return };
    let mut trial = Trial::new(kafka);
    trial.write_products();
    let mut one = trial.start("one");
    one.stderr.wait_for_text("RUNNING  tasks 0 to 5", LIMIT);
    trial.await_products();
    trial.write(2_000);
    trial.check();
    let mut two = trial.start("two");
    two.stderr.wait_for_text("RUNNING  tasks", LIMIT);
    for _ in 0..5 {
        trial.write(500);
    }
    two.kill();
    trial.write(1_000);
    trial.check();
    // It comes back to its state, and both end in order.
    let mut two = trial.start("two");
    two.stderr.wait_for_text("RUNNING  tasks", LIMIT);
    trial.write(1_000);
    one.interrupt();
    let one = one.wait(LIMIT).assert_success();
    assert!(one.stdout.contains("spent"), "{}", one.stdout);
    trial.write(500);
    trial.check();
    two.terminate();
    two.wait(LIMIT).assert_success();
}

fn refused(kafka: &Kafka, sql: &str, arguments: &[&str]) -> String {
    let dir = TestDir::new();
    let file = dir.write("app.sql", sql);
    let ferris = Ferris::new(["run"]).arg(file);
    let ferris = ferris.args_of_cluster("refused", kafka.bootstrap());
    let finished = arguments.iter().fold(ferris, Ferris::arg).run();
    finished.assert_code(2).stderr
}

#[test]
fn what_cannot_run_on_a_cluster_is_refused_with_its_name() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("sql-refused", 2);
    let read = format!("CREATE STREAM s (k TEXT) FROM kafka://{topic};\n");
    let count = "CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;\n";
    let memory = "CREATE STREAM s (k TEXT) FROM memory://in;\n";
    let told = refused(&kafka, &format!("{memory}{count}"), &[]);
    let expected =
        "memory://in; an application on a cluster reads topics, and what another process can";
    assert!(told.contains(expected), "{told}");

    let dir = TestDir::new();
    let out = dir.join("out.csv");
    let to_file = format!(
        "{read}INSERT INTO file://{} SELECT k FROM s;\n",
        out.display()
    );
    let told = refused(&kafka, &to_file, &[]);
    assert!(
        told.contains("out.csv; an application on a cluster writes topics alone"),
        "{told}"
    );

    let to_memory = format!("{read}INSERT INTO memory://out SELECT k FROM s;\n");
    let told = refused(&kafka, &to_memory, &[]);
    assert!(
        told.contains("memory://out; an application on a cluster writes topics alone"),
        "{told}"
    );

    let late =
        format!("CREATE STREAM s (k TEXT) FROM kafka://{topic} WITH (from = 'latest');\n{count}");
    let told = refused(&kafka, &late, &[]);
    assert!(
        told.contains("from: it begins with the earliest record"),
        "{told}"
    );

    let shown = format!("{read}SELECT k FROM s EMIT CHANGES;\n");
    let told = refused(&kafka, &shown, &[]);
    assert!(told.contains("EMIT CHANGES"), "{told}");

    let told = refused(&kafka, &format!("{read}{count}"), &["--once"]);
    assert!(
        told.contains("leave out --once or --application-id"),
        "{told}"
    );
}

#[test]
fn settings_that_are_wrong_are_told_before_anything_runs() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.unique_topic("sql-settings", 1);
    let sql = format!(
        "CREATE STREAM s (k TEXT) FROM kafka://{topic};\n\
         CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;\n"
    );
    for (property, expected) in [
        ("num.standby.replicas=one", "must be a number"),
        (
            "processing.guarantee=twice",
            "exactly_once_v2 or at_least_once",
        ),
        (
            "num.standby.replica=1",
            "there is no property `num.standby.replica`",
        ),
        (
            "topic.cleanup.policy=delete",
            "depend on their cleanup.policy",
        ),
        ("state.dir=here", "give --state-dir"),
        ("linger.ms", "write NAME=VALUE"),
        // There is one broker.
        ("replication.factor=3", "InvalidReplicationFactor"),
        ("topic.max.message.bytes=few", "InvalidConfig"),
    ] {
        let told = refused(&kafka, &sql, &["--property", property]);
        assert!(told.contains(expected), "{property}: {told}");
    }
}

#[test]
fn a_sum_of_all_is_there_from_the_start() {
    let Some(kafka) = Kafka::shared() else { return };
    let input = kafka.unique_topic("sql-all", 4);
    let output = kafka.unique_topic("sql-count", 1);
    let id = input.replace("all", "all-id");
    let dir = TestDir::new();
    let sql = format!(
        "CREATE STREAM s (v BIGINT) FROM kafka://{input};\n\
         CREATE TABLE t AS SELECT COUNT(*) AS n, SUM(v) AS total FROM s;\n\
         CREATE TABLE u WITH (sink = 'kafka://{output}', key_in_value = 'true') AS \
         SELECT n % 1 AS k, MAX(n) AS n, MAX(total) AS total FROM t GROUP BY n % 1;\n"
    );
    let file = dir.write("app.sql", sql);
    let ferris = Ferris::new(["run"]).arg(file);
    let process = ferris.args_of_cluster(&id, kafka.bootstrap()).start();
    let last = || {
        let records = kafka.read_committed(&output);
        let last = records.iter().rev().find(|record| record.value.is_some());
        last.map(|record| (record.field("N"), record.field("TOTAL")))
    };
    let row = |n: &str, total: &str| Some((n.to_owned(), total.to_owned()));
    await_equal("the first row", last, row("0", "null"));
    let records = (0..20).map(|v| Record::value(format!(r#"{{"v":{v}}}"#)));
    kafka.produce(&input, records.collect::<Vec<_>>());
    await_equal("the sum", last, row("20", "190"));
    process.interrupt();
    let finished = process.wait(LIMIT).assert_success();
    assert!(finished.stdout.contains("190"), "{}", finished.stdout);
}
