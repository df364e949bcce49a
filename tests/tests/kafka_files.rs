//! SQL over files and topics together, as applications on a broker.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ferrisstreams_tests::{Ferris, Kafka, Process, Record, TestDir, wait_until};

const PARTITIONS: i32 = 4;
const LIMIT: Duration = Duration::from_secs(90);
const CUSTOMERS: usize = 30;

/// Orders with ids below this only tell that customers are there.
const FIRST_ORDER: usize = 1_000_000;

/// An application under test.
struct Trial {
    kafka: Kafka,
    dir: TestDir,
    id: String,
}

impl Trial {
    fn new(kafka: Kafka, name: &str) -> Self {
        let id = kafka.unique_topic(name, 1);
        Trial {
            kafka,
            dir: TestDir::new(),
            id,
        }
    }

    fn topic(&self, name: &str) -> String {
        self.kafka.unique_topic(name, PARTITIONS)
    }

    fn start(&self, name: &str) -> Process {
        Ferris::new(["run"])
            .arg(self.dir.join("app.sql"))
            .arg("--application-id")
            .arg(&self.id)
            .arg("--bootstrap-servers")
            .arg(self.kafka.bootstrap())
            .state_dir(self.dir.join(name))
            .start()
    }

    /// The values of a field by those of another, of all records of a topic; each may be there once.
    fn each_once(&self, topic: &str, key: &str, value: &str) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for record in self.kafka.read_committed(topic) {
            let key = record.field(key);
            let other = all.insert(key.clone(), record.field(value));
            assert!(other.is_none(), "{key} is twice in {topic}");
        }
        all
    }

    /// The same of those that are orders.
    fn orders_once(&self, topic: &str, value: &str) -> BTreeMap<String, String> {
        let mut all = self.each_once(topic, "ID", value);
        all.retain(|id, _| id.parse::<usize>().expect("a number") >= FIRST_ORDER);
        all
    }

    /// The last row of each key of a table's topic: the key, and a field.
    fn last(&self, topic: &str, name: &str) -> BTreeMap<String, String> {
        let mut rows = BTreeMap::new();
        for record in self.kafka.read_committed(topic) {
            let key = record.key_text().expect("a key");
            match record.value {
                Some(_) => rows.insert(key, record.field(name)),
                None => rows.remove(&key),
            };
        }
        rows
    }
}

fn await_equal<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, found: impl Fn() -> T) {
    let mut last = None;
    let deadline = std::time::Instant::now() + LIMIT;
    while last.as_ref() != Some(expected) {
        assert!(
            std::time::Instant::now() < deadline,
            "{what}: {last:?}\nand should be {expected:?}"
        );
        last = Some(found());
    }
}

fn profiles(city: impl Fn(usize) -> Option<usize>) -> String {
    let mut text = "id,name,city\n".to_owned();
    for at in 0..CUSTOMERS {
        if let Some(city) = city(at) {
            text.push_str(&format!("customer{at},name{at},city{city}\n"));
        }
    }
    text
}

fn cities(city: impl Fn(usize) -> Option<usize>) -> BTreeMap<String, String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for city in (0..CUSTOMERS).filter_map(city) {
        *counts.entry(format!("city{city}")).or_default() += 1;
    }
    let counts = counts.into_iter();
    counts.map(|(city, n)| (city, n.to_string())).collect()
}

#[test]
fn orders_are_enriched_with_profiles_of_a_file() {
    let Some(kafka) = Kafka::shared() else { return };
    let trial = Trial::new(kafka, "files-enriched-id");
    let (orders, enriched) = (trial.topic("files-orders"), trial.topic("files-enriched"));
    let counted = trial.topic("files-cities");
    let first = |at: usize| Some(at % 3);
    trial.dir.write("users.csv", profiles(first));
    trial.dir.write(
        "app.sql",
        format!(
            "CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT, city TEXT) FROM file://users.csv;\n\
             CREATE STREAM orders (id BIGINT, customer TEXT) FROM kafka://{orders};\n\
             INSERT INTO kafka://{enriched}\n\
               SELECT o.id, u.name, u.city FROM orders o JOIN users u ON o.customer = u.id;\n\
             CREATE TABLE cities WITH (sink = 'kafka://{counted}') AS\n\
               SELECT city, COUNT(*) AS n FROM users GROUP BY city;\n"
        ),
    );
    // Orders are there before any profile was read, and with earlier times.
    let order = |id: usize| {
        let value = format!(r#"{{"id":{id},"customer":"customer{}"}}"#, id % CUSTOMERS);
        Record::new(format!("order{id}"), value).at(id as i64)
    };
    trial.kafka.produce(&orders, (0..500).map(order));
    let one = trial.start("one");
    let two = trial.start("two");
    let mut expected: BTreeMap<String, String> = (0..500)
        .map(|id| (id.to_string(), format!("city{}", id % CUSTOMERS % 3)))
        .collect();
    await_equal("enriched", &expected, || {
        trial.each_once(&enriched, "ID", "CITY")
    });
    await_equal("cities", &cities(first), || trial.last(&counted, "N"));
    // The file is rewritten: some have moved, some are gone.
    let then = |at: usize| (!at.is_multiple_of(7)).then_some(at % 4);
    trial.dir.replace("users.csv", profiles(then));
    await_equal("cities", &cities(then), || trial.last(&counted, "N"));
    one.kill();
    let later = (500..800).map(|id| order(id).at(10_000_000));
    trial.kafka.produce(&orders, later);
    let one = trial.start("one");
    for id in 500..800 {
        if let Some(city) = then(id % CUSTOMERS) {
            expected.insert(id.to_string(), format!("city{city}"));
        }
    }
    await_equal("enriched", &expected, || {
        trial.each_once(&enriched, "ID", "CITY")
    });
    for process in [one, two] {
        process.interrupt();
        process.wait(LIMIT).assert_success();
    }
}

/// Orders as lines of JSON, that are added to a file.
struct Orders {
    written: Vec<(usize, i64)>,
}

fn line(id: usize, customer: usize, amount: i64) -> String {
    format!("{{\"id\":{id},\"customer\":\"customer{customer}\",\"amount\":{amount}}}\n")
}

impl Orders {
    /// Writes orders of all customers until each is joined: then all of them are where orders find them.
    fn await_customers(dir: &TestDir, trial: &Trial, placed: &str) {
        let mut sent = 0;
        wait_until("customers are found", LIMIT, || {
            let found = trial.each_once(placed, "ID", "CITY");
            let found = found
                .keys()
                .map(|id| id.parse::<usize>().expect("a number"));
            let found: BTreeSet<usize> = found.map(|id| id % CUSTOMERS).collect();
            if found.len() < CUSTOMERS {
                let probes = (0..CUSTOMERS).map(|at| line(sent * CUSTOMERS + at, at, 0));
                dir.append("orders.jsonl", probes.collect::<String>());
                sent += 1;
            }
            found.len() == CUSTOMERS
        });
    }

    fn write(&mut self, dir: &TestDir, count: usize) {
        let mut text = String::new();
        for _ in 0..count {
            let id = self.written.len();
            let (customer, amount) = (id * 7 % CUSTOMERS, id as i64 % 100);
            self.written.push((customer, amount));
            text.push_str(&line(FIRST_ORDER + id, customer, amount));
        }
        dir.append("orders.jsonl", text);
    }

    fn seen(&self) -> BTreeMap<String, String> {
        let all = self.written.iter().enumerate();
        all.map(|(id, (_, amount))| ((FIRST_ORDER + id).to_string(), amount.to_string()))
            .collect()
    }

    fn placed(&self) -> BTreeMap<String, String> {
        let all = self.written.iter().enumerate();
        all.map(|(id, (customer, _))| {
            (
                (FIRST_ORDER + id).to_string(),
                format!("city{}", customer % 4),
            )
        })
        .collect()
    }

    fn spent(&self) -> BTreeMap<String, String> {
        let mut spent: BTreeMap<String, i64> = BTreeMap::new();
        for (customer, amount) in &self.written {
            *spent.entry(format!("customer{customer}")).or_default() += amount;
        }
        let spent = spent.into_iter();
        spent
            .map(|(customer, sum)| (customer, sum.to_string()))
            .collect()
    }
}

#[test]
fn a_file_that_grows_is_read_once_though_processes_are_killed() {
    let Some(kafka) = Kafka::shared() else { return };
    let trial = Trial::new(kafka, "files-grows-id");
    let customers = trial.topic("files-customers");
    let (seen, placed) = (trial.topic("files-seen"), trial.topic("files-placed"));
    let spent = trial.topic("files-spent");
    trial.dir.write(
        "app.sql",
        format!(
            "CREATE STREAM orders (id BIGINT, customer TEXT, amount BIGINT) FROM file://orders.jsonl;\n\
             CREATE TABLE customers (id TEXT PRIMARY KEY, city TEXT) FROM kafka://{customers};\n\
             INSERT INTO kafka://{seen} SELECT id, amount FROM orders;\n\
             INSERT INTO kafka://{placed}\n\
               SELECT o.id, c.city FROM orders o JOIN customers c ON o.customer = c.id;\n\
             CREATE TABLE spent WITH (sink = 'kafka://{spent}') AS\n\
               SELECT customer, SUM(amount) AS total FROM orders GROUP BY customer;\n"
        ),
    );
    let customer = |at: usize| {
        let value = format!(r#"{{"city":"city{}"}}"#, at % 4);
        Record::new(format!("customer{at}"), value).at(1)
    };
    trial
        .kafka
        .produce(&customers, (0..CUSTOMERS).map(customer));
    let mut orders = Orders {
        written: Vec::new(),
    };
    trial.dir.write("orders.jsonl", "");
    let check = |orders: &Orders| {
        await_equal("seen", &orders.seen(), || {
            trial.orders_once(&seen, "AMOUNT")
        });
        await_equal("placed", &orders.placed(), || {
            trial.orders_once(&placed, "CITY")
        });
        await_equal("spent", &orders.spent(), || trial.last(&spent, "TOTAL"));
    };
    let mut processes: Vec<Option<Process>> = ["one", "two"]
        .into_iter()
        .map(|name| Some(trial.start(name)))
        .collect();
    Orders::await_customers(&trial.dir, &trial, &placed);
    orders.write(&trial.dir, 1_000);
    check(&orders);
    for round in 0..4 {
        orders.write(&trial.dir, 3_000);
        // The one that reads the file is among those that are killed.
        let (at, name) = [(0, "one"), (1, "two")][round % 2];
        let killed = processes[at].take().expect("it runs");
        wait_until("some of it was read", LIMIT, || {
            trial.orders_once(&seen, "AMOUNT").len() + 3_000 > orders.written.len()
        });
        killed.kill();
        orders.write(&trial.dir, 500);
        processes[at] = Some(trial.start(name));
        orders.write(&trial.dir, 200);
    }
    check(&orders);
    // Another file in its place: what was made of the former one is taken back.
    let mut others = Orders {
        written: Vec::new(),
    };
    trial.dir.replace("orders.jsonl", "");
    others.write(&trial.dir, 777);
    await_equal("spent", &others.spent(), || trial.last(&spent, "TOTAL"));
    for process in processes.into_iter().flatten() {
        process.interrupt();
        process.wait(LIMIT).assert_success();
    }
}

#[test]
fn a_file_that_is_not_there_is_told_and_waited_for() {
    let Some(kafka) = Kafka::shared() else { return };
    let trial = Trial::new(kafka, "files-missing-id");
    let (orders, enriched) = (trial.topic("files-orders"), trial.topic("files-found"));
    let sql = |columns: &str| {
        format!(
            "CREATE TABLE users {columns} FROM file://late.csv;\n\
             CREATE STREAM orders (id BIGINT, customer TEXT) FROM kafka://{orders};\n\
             INSERT INTO kafka://{enriched}\n\
               SELECT o.id, u.city FROM orders o LEFT JOIN users u ON o.customer = u.id;\n"
        )
    };
    trial.dir.write("app.sql", sql(""));
    let refused = trial.start("one").wait(LIMIT).assert_code(2).stderr;
    assert!(refused.contains("there is no file"), "{refused}");

    let declared = "(id TEXT PRIMARY KEY, name TEXT, city TEXT)";
    trial.dir.write("app.sql", sql(declared));
    let order = |id: usize| {
        let value = format!(r#"{{"id":{id},"customer":"customer{}"}}"#, id % CUSTOMERS);
        Record::new(format!("order{id}"), value).at(id as i64)
    };
    trial.kafka.produce(&orders, (0..100).map(order));
    let mut one = trial.start("one");
    let told = one.stderr.wait_for_text("task 0 does not run", LIMIT);
    assert!(
        told.contains("there is no file") && told.contains("late.csv"),
        "{told}"
    );
    assert_eq!(trial.each_once(&enriched, "ID", "CITY"), BTreeMap::new());
    trial.dir.write("late.csv", profiles(|at| Some(at % 5)));
    let expected: BTreeMap<String, String> = (0..100)
        .map(|id| (id.to_string(), format!("city{}", id % CUSTOMERS % 5)))
        .collect();
    await_equal("enriched", &expected, || {
        trial.each_once(&enriched, "ID", "CITY")
    });
    one.terminate();
    one.wait(LIMIT).assert_success();
}

#[test]
fn rows_that_are_made_up_and_written_out_are_read_once() {
    let Some(kafka) = Kafka::shared() else { return };
    let trial = Trial::new(kafka, "files-made-id");
    let (orders, named) = (trial.topic("files-orders"), trial.topic("files-named"));
    let (joined, counted) = (trial.topic("files-joined"), trial.topic("files-made"));
    trial.dir.write(
        "app.sql",
        format!(
            "CREATE STREAM made (id BIGINT, customer TEXT) FROM generator://made\n\
               WITH ('rows' = '3000', 'id.start' = '0', 'customer.words' = 'a,b,c');\n\
             CREATE TABLE names (customer TEXT PRIMARY KEY, name TEXT);\n\
             INSERT INTO names VALUES ('a', 'Ann'), ('b', 'Bob'), ('c', 'Cid');\n\
             CREATE STREAM orders (id BIGINT, customer TEXT) FROM kafka://{orders};\n\
             INSERT INTO kafka://{joined}\n\
               SELECT o.id, n.name FROM orders o JOIN names n ON o.customer = n.customer;\n\
             INSERT INTO kafka://{named}\n\
               SELECT m.id, n.name FROM made m JOIN names n ON m.customer = n.customer;\n\
             CREATE TABLE counts WITH (sink = 'kafka://{counted}') AS\n\
               SELECT customer, COUNT(*) AS n FROM made GROUP BY customer;\n"
        ),
    );
    let order = |id: usize| {
        let customer = ["a", "b", "c"][id % 3];
        let value = format!(r#"{{"id":{id},"customer":"{customer}"}}"#);
        Record::new(format!("order{id}"), value).at(id as i64)
    };
    trial.kafka.produce(&orders, (0..300).map(order));
    let one = trial.start("one");
    wait_until("some rows are named", LIMIT, || {
        !trial.kafka.read_committed(&named).is_empty()
    });
    one.kill();
    let one = trial.start("one");
    wait_until("all rows are named", LIMIT, || {
        trial.each_once(&named, "ID", "NAME").len() == 3_000
    });
    let names = ["Ann", "Bob", "Cid"].map(str::to_owned);
    let expected = (0..300).map(|id| (id.to_string(), names[id % 3].clone()));
    let expected: BTreeMap<String, String> = expected.collect();
    await_equal("joined", &expected, || {
        trial.each_once(&joined, "ID", "NAME")
    });
    wait_until("all rows are counted", LIMIT, || {
        let counts = trial.last(&counted, "N").into_values();
        let counts = counts.map(|n| n.parse::<u64>().expect("a number"));
        counts.sum::<u64>() == 3_000
    });
    one.interrupt();
    one.wait(LIMIT).assert_success();
}
