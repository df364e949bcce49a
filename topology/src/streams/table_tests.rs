//! Tables whose changes travel between tasks of an application on a cluster in memory.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::Application;
use super::partitioner::Partitioner;
use super::tests::{PARTITIONS, PATIENCE, config, start, wait_until};
use crate::cluster::Isolation;
use crate::cluster::memory::{Fault, MemoryCluster};
use crate::dsl::{
    AggregateOptions, Consumed, Grouped, Joined, KTable, Materialized, Produced, StreamsBuilder,
};
use crate::graph::Topology;
use crate::operators::aggregator::Functions;

/// A cluster with these topics.
fn cluster(topics: &[&str]) -> MemoryCluster {
    let cluster = MemoryCluster::new();
    for topic in topics {
        cluster.add_topic(topic, PARTITIONS, &[]).unwrap();
    }
    cluster.set_patience(Duration::from_millis(500));
    cluster
}

/// Writes a record to the partition of its key.
fn put(cluster: &MemoryCluster, topic: &str, key: &str, value: Option<&str>, time: i64) {
    let partition = Partitioner::default().of(Some(key.as_bytes()), PARTITIONS);
    let (key, value) = (Some(key.as_bytes()), value.map(str::as_bytes));
    cluster.append(topic, partition, key, value, time).unwrap();
}

/// The last value of each key of a topic, of those that have one.
fn last(cluster: &MemoryCluster, topic: &str) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for partition in 0..PARTITIONS {
        let records = cluster.records(topic, partition, Isolation::ReadCommitted);
        for record in records.unwrap() {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let key = text(&record.key.unwrap());
            match record.value {
                Some(value) => rows.insert(key, text(&value)),
                None => rows.remove(&key),
            };
        }
    }
    rows
}

/// Waits until a topic has these rows.
fn await_rows(cluster: &MemoryCluster, topic: &str, rows: &BTreeMap<String, String>) {
    let deadline = Instant::now() + PATIENCE;
    while last(cluster, topic) != *rows {
        assert!(
            Instant::now() < deadline,
            "{topic} has {:?}\nand should have {rows:?}",
            last(cluster, topic)
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// People, by their names: each is of a town, and has some money.
fn people(builder: &StreamsBuilder) -> KTable<String, (String, i64)> {
    let people = Materialized::named("people-by-name");
    builder.table("people", Consumed::json(), people)
}

fn person(town: usize, money: i64) -> String {
    format!("[\"town{town}\",{money}]")
}

/// The money of each town; how many towns have so many people; and people with the mayor of their town.
fn towns() -> Topology {
    let builder = StreamsBuilder::new();
    let people = people(&builder);
    people
        .group_by(
            |_, (town, money)| (town.clone(), *money),
            Grouped::named("by-town"),
        )
        .aggregate(
            || 0_i64,
            |_, money, sum| sum + money,
            |_, money, sum: i64| sum - money,
            Materialized::named("money"),
        )
        .to_stream()
        .to("money", Produced::json());
    people
        .group_by(|_, (town, _)| (town.clone(), ()), Grouped::named("heads"))
        .count(Materialized::named("heads-by-town"))
        .group_by(|_, heads| (*heads, ()), Grouped::named("sizes"))
        .count(Materialized::named("towns-by-size"))
        .to_stream()
        .map(|size, towns| (size.to_string(), *towns))
        .to("sizes", Produced::json());
    let mayors = Materialized::named("mayors-by-town");
    let mayors = builder.table::<String, String>("mayors", Consumed::plain(), mayors);
    // The mayor's name stands behind the town's.
    let mayors = mayors.map_values(|_, mayor| {
        let (town, name) = mayor.split_once(' ').unwrap_or_default();
        (town.to_owned(), name.to_owned())
    });
    let joined = people.outer_join_on(
        &mayors,
        |(town, _)| (town != "town0").then(|| town.clone()),
        |(town, _)| Some(town.clone()),
        |person, mayor| format!("{:?} {:?}", person.map(|p| p.1), mayor.map(|m| &m.1)),
        Materialized::named("governed"),
    );
    joined
        .repartition(Materialized::named("governed-by-both"))
        .to_stream()
        .map(|(person, mayor), row| (format!("{person:?} {mayor:?}"), row.clone()))
        .to("governed", Produced::json());
    builder.build().unwrap()
}

/// What is in the tables that are read.
#[derive(Default)]
struct Model {
    people: BTreeMap<String, (usize, i64)>,
    mayors: BTreeMap<String, (usize, String)>,
}

impl Model {
    fn change(&mut self, cluster: &MemoryCluster, rng: &mut StdRng, time: i64) {
        let gone = rng.random_range(0..4) == 0;
        let town = rng.random_range(0..6);
        if rng.random_range(0..5) == 0 {
            let key = format!("m{}", rng.random_range(0..4));
            let name = format!("name{time}");
            let text = format!("town{town} {name}");
            put(cluster, "mayors", &key, (!gone).then_some(&*text), time);
            self.mayors.remove(&key);
            if !gone {
                self.mayors.insert(key, (town, name));
            }
            return;
        }
        let key = format!("p{}", rng.random_range(0..20));
        let money = rng.random_range(-50..50);
        let text = person(town, money);
        put(cluster, "people", &key, (!gone).then_some(&*text), time);
        self.people.remove(&key);
        if !gone {
            self.people.insert(key, (town, money));
        }
    }

    fn money(&self, mut money: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        for (town, amount) in self.people.values() {
            *sums.entry(format!("town{town}")).or_default() += amount;
        }
        // A sum of nobody stays, as nothing removes it.
        for sum in money.values_mut() {
            *sum = "0".to_owned();
        }
        money.extend(sums.into_iter().map(|(town, sum)| (town, sum.to_string())));
        money
    }

    fn sizes(&self) -> BTreeMap<String, String> {
        let mut heads: BTreeMap<usize, usize> = BTreeMap::new();
        for (town, _) in self.people.values() {
            *heads.entry(*town).or_default() += 1;
        }
        let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
        for size in heads.values() {
            *sizes.entry(size.to_string()).or_default() += 1;
        }
        let text = |(size, towns): (String, usize)| (size, towns.to_string());
        sizes.into_iter().map(text).collect()
    }

    fn governed(&self) -> BTreeMap<String, String> {
        let mut rows = BTreeMap::new();
        let mut put = |person: Option<&String>, mayor: Option<&String>| {
            let money = person.map(|person| self.people[person].1);
            let name = mayor.map(|mayor| &self.mayors[mayor].1);
            let row = serde_json::to_string(&format!("{money:?} {name:?}")).unwrap();
            rows.insert(format!("{person:?} {mayor:?}"), row);
        };
        let meet = |person: &String, mayor: &String| {
            let town = self.people[person].0;
            town != 0 && town == self.mayors[mayor].0
        };
        for person in self.people.keys() {
            let mut mayors = self
                .mayors
                .keys()
                .filter(|mayor| meet(person, mayor))
                .peekable();
            if mayors.peek().is_none() {
                put(Some(person), None);
            }
            mayors.for_each(|mayor| put(Some(person), Some(mayor)));
        }
        for mayor in self.mayors.keys() {
            if !self.people.keys().any(|person| meet(person, mayor)) {
                put(None, Some(mayor));
            }
        }
        rows
    }

    fn check(&self, cluster: &MemoryCluster) {
        await_rows(cluster, "sizes", &self.sizes());
        await_rows(cluster, "governed", &self.governed());
        let expected = self.money(last(cluster, "money"));
        await_rows(cluster, "money", &expected);
    }
}

const ALL: [&str; 5] = ["people", "mayors", "money", "sizes", "governed"];

fn share(app: &Application) -> usize {
    app.running_tasks().len()
}

#[test]
fn tables_under_other_keys_are_their_queries() {
    let cluster = cluster(&ALL);
    let topology = towns();
    let mut rng = StdRng::seed_from_u64(11);
    let mut model = Model::default();
    let mut time = 0;
    let mut change = |model: &mut Model, count: usize| {
        for _ in 0..count {
            time += 1;
            model.change(&cluster, &mut rng, time);
        }
    };
    change(&mut model, 300);
    let one = start(&cluster, &topology, config());
    model.check(&cluster);
    let two = start(&cluster, &topology, config().num_stream_threads(2));
    change(&mut model, 300);
    wait_until("each has a half", || share(&one) == 2 && share(&two) == 2);
    for _ in 0..5 {
        for fault in [Fault::Flush, Fault::SendOffsets, Fault::AnswerLost] {
            cluster.fail_next(fault, 1);
        }
        change(&mut model, 100);
    }
    model.check(&cluster);
    one.close().unwrap();
    change(&mut model, 200);
    model.check(&cluster);
    two.close().unwrap();
    change(&mut model, 100);
    let three = start(&cluster, &topology, config());
    model.check(&cluster);
    three.close().unwrap();
}

#[test]
fn a_stream_finds_the_rows_of_a_table_under_another_key() {
    let builder = StreamsBuilder::new();
    let people = people(&builder);
    let by_town = people.index(
        |_, (town, _)| Some(town.clone()),
        crate::codec::Key::codec(),
        Materialized::named("people-by-town"),
    );
    let news = builder.stream::<String, String>("news", Consumed::plain());
    news.select_key(|_, text| text.split(' ').next().unwrap_or_default().to_owned())
        .join_index(
            &by_town,
            true,
            |_, text, person| {
                let money = person.map(|(_, money)| *money);
                Some(format!("{text} {money:?}"))
            },
            Joined::named("told"),
        )
        .map(|_, told| (told.clone(), 1_i64))
        .to("told", Produced::json());
    let topology = builder.build().unwrap();
    let cluster = cluster(&["people", "news", "told"]);
    for (name, town, money) in [("a", 1, 10), ("b", 2, 20), ("c", 2, 30)] {
        put(&cluster, "people", name, Some(&person(town, money)), 1);
    }
    put(&cluster, "people", "a", Some(&person(2, 11)), 2);
    let app = start(&cluster, &topology, config());
    wait_until("the table is there", || {
        let moved = (0..PARTITIONS).map(|partition| {
            let topic = "app-people-by-town-repartition";
            let records = cluster.records(topic, partition, Isolation::ReadCommitted);
            records.unwrap().len()
        });
        moved.sum::<usize>() >= 3
    });
    put(&cluster, "news", "x", Some("town2 rain"), 10);
    put(&cluster, "news", "y", Some("town1 sun"), 10);
    let told = [
        "town1 sun None",
        "town2 rain Some(11)",
        "town2 rain Some(20)",
        "town2 rain Some(30)",
    ];
    let told = told.map(|told| (told.to_owned(), "1".to_owned()));
    await_rows(&cluster, "told", &BTreeMap::from(told));
    app.close().unwrap();
}

#[test]
fn a_row_from_the_start_is_in_the_task_of_its_key() {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let options = AggregateOptions {
        materialized: Materialized::named("seeded"),
        multisets: false,
        seed: Some(("all".to_owned(), 0_i64)),
        queryable: true,
    };
    let count = |_: &String, _: &String, count: Option<i64>| Some(count.unwrap_or(0) + 1);
    words
        .group_by(|_, _| "all".to_owned(), Grouped::named("together"))
        .aggregate_with(Functions::new(count, count), options)
        .to_stream()
        .to("totals", Produced::json());
    let topology = builder.build().unwrap();
    let cluster = cluster(&["words", "totals"]);
    let app = start(&cluster, &topology, config());
    let all = |count: &str| BTreeMap::from([("all".to_owned(), count.to_owned())]);
    await_rows(&cluster, "totals", &all("0"));
    app.close().unwrap();
    let app = start(&cluster, &topology, config());
    for at in 0..10 {
        put(&cluster, "words", &format!("k{at}"), Some("word"), at);
    }
    await_rows(&cluster, "totals", &all("10"));
    let rows = app.table::<String, i64>("seeded").unwrap();
    wait_until("the row can be read", || {
        rows.scan(|_, _| true).unwrap() == [("all".to_owned(), 10)]
    });
    app.close().unwrap();
}
