//! What a record costs an application on Kafka: CPU time of the process, one thread, one partition,
//! exactly once, over JSON orders of 160 bytes.
//!
//! It needs a broker: `scripts/with-services.sh --kafka-only cargo bench -p ferrisstreams --bench applications`.
//! The first half of the records is not counted, so that what is measured is an application under way.

#![allow(clippy::print_stdout, reason = "results go to standard output")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use ferrisstreams::cluster::{Cluster, NewTopic, ProducerKind, ProducerRecord, TopicPartition};
use ferrisstreams::connect::kafka::KafkaCluster;
use ferrisstreams::prelude::*;
use rustix::time::{ClockId, clock_gettime};

const RECORDS: u64 = 2_000_000;

#[derive(Serialize, Deserialize, Clone, Debug)]
struct Order {
    order_id: i64,
    user_id: String,
    product: String,
    price: f64,
    quantity: i32,
    ts: i64,
    status: String,
    region: String,
    note: String,
}

#[derive(Serialize, Deserialize, Clone, Debug, Default)]
struct Sum {
    n: i64,
    sum: f64,
}

fn main() {
    let Ok(brokers) = std::env::var("FERRIS_TEST_KAFKA") else {
        println!("applications: left out, as there is no broker (see scripts/with-services.sh)");
        return;
    };
    let cluster = KafkaCluster::new([("bootstrap.servers", &*brokers)]).expect("a cluster");
    for keys in [10_000, 1_000_000] {
        write(&cluster, &format!("orders-{keys}"), keys);
    }
    println!("| measured | ns of CPU a record | thousand records a CPU second |");
    println!("|---|--:|--:|");
    run(&cluster, "pass through", "orders-10000", |orders, out| {
        orders.to(out, Produced::json());
    });
    run(
        &cluster,
        "filter half, JSON to JSON",
        "orders-10000",
        |orders, out| {
            let dear = orders.filter(|_, order| order.price > 250.0);
            dear.to(out, Produced::json());
        },
    );
    for keys in [10_000, 1_000_000] {
        let name = format!("COUNT and SUM by key, {keys} keys, in RocksDB");
        run(&cluster, &name, &format!("orders-{keys}"), |orders, out| {
            let add = |_: &String, order: &Order, sum: Sum| Sum {
                n: sum.n + 1,
                sum: sum.sum + order.price * f64::from(order.quantity),
            };
            let sums =
                orders
                    .group_by_key()
                    .aggregate(Sum::default, add, Materialized::named("sums"));
            sums.to_stream().to(out, Produced::json());
        });
    }
}

fn make(cluster: &KafkaCluster, topic: &str) {
    let topic = NewTopic {
        name: topic.to_owned(),
        partitions: 1,
        config: Vec::new(),
    };
    cluster.create_topic(&topic).expect("a topic");
}

/// Writes orders of so many users.
fn write(cluster: &KafkaCluster, topic: &str, users: u64) {
    make(cluster, topic);
    let to = TopicPartition::new(topic, 0);
    let mut producer = cluster
        .producer(&ProducerKind::transactional("bench"))
        .expect("a producer");
    let mut random = 88_172_645_463_325_252_u64;
    for at in 0..RECORDS {
        if at % 200_000 == 0 {
            producer.begin().expect("a transaction");
        }
        // xorshift (Marsaglia, 2003)
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let user = format!("u{:07}", random % users);
        let order = format!(
            r#"{{"order_id":{at},"user_id":"{user}","product":"widget","price":{}.{:02},"quantity":{},"ts":{},"status":"NEW","region":"eu-west-1","note":"n{:06}"}}"#,
            random % 499 + 1,
            random % 97,
            random % 19 + 1,
            1_700_000_000_000 + at,
            random % 999_983,
        );
        let record = ProducerRecord {
            key: Some(user.as_bytes()),
            value: Some(order.as_bytes()),
            timestamp: 1_700_000_000_000 + at as i64,
            headers: &Headers::default(),
        };
        producer.send(&to, record).expect("it is written");
        if at % 200_000 == 199_999 {
            producer.commit().expect("a commit");
        }
    }
}

fn cpu_nanos() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Runs an application until it has seen all records, and tells what one of the second half cost.
fn run(
    cluster: &KafkaCluster,
    name: &str,
    topic: &str,
    build: impl FnOnce(&KStream<String, Order>, &str),
) {
    let id = format!("bench-{:x}", clock_gettime(ClockId::Realtime).tv_nsec);
    let out = format!("{id}-out");
    make(cluster, &out);
    let (seen, (tell, told)) = (Arc::new(AtomicU64::new(0)), channel());
    let builder = StreamsBuilder::new();
    let orders = builder.stream::<String, Order>(topic, Consumed::json());
    let orders = orders.peek(move |_, _| {
        let n = seen.fetch_add(1, Ordering::Relaxed) + 1;
        if n == RECORDS / 2 || n == RECORDS {
            let _ = tell.send(cpu_nanos());
        }
    });
    build(&orders, &out);
    let topology = builder.build().expect("a topology");
    let state = tempfile::tempdir().expect("a directory");
    let config = StreamsConfig::new(&id).state_dir(state.path());
    let mut app =
        Application::new(&topology, Arc::new(cluster.clone()), config).expect("an application");
    app.start().expect("it starts");
    let limit = Duration::from_secs(300);
    let half = told.recv_timeout(limit).expect("half is seen");
    let whole = told.recv_timeout(limit).expect("all is seen");
    app.close().expect("it ends");
    let nanos = (whole - half) / (RECORDS / 2) as f64;
    println!("| {name} | {nanos:.0} | {:.0} |", 1e6 / nanos);
}
