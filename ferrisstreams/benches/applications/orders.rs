//! The orders that are read: JSON of 160 bytes, in topics of one partition.

use ferrisstreams::cluster::{Cluster, NewTopic, ProducerKind, ProducerRecord, TopicPartition};
use ferrisstreams::connect::kafka::KafkaCluster;
use ferrisstreams::prelude::*;

/// How many orders are read by each job.
pub const RECORDS: u64 = 2_000_000;

const RECORDS_PER_TRANSACTION: u64 = 200_000;
const FIRST_TIME: u64 = 1_700_000_000_000;

#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Order {
    pub order_id: i64,
    pub user_id: String,
    pub product: String,
    pub price: f64,
    pub quantity: i32,
    pub ts: i64,
    pub status: String,
    pub region: String,
    pub note: String,
}

/// The topic with orders of so many users.
pub fn topic_of(users: u64) -> String {
    format!("orders-{users}")
}

/// A new topic of one partition.
pub fn make(cluster: &KafkaCluster, topic: &str) {
    let topic = NewTopic {
        name: topic.to_owned(),
        partitions: 1,
        replication_factor: None,
        config: Vec::new(),
    };
    cluster.create_topic(&topic).expect("a topic");
}

/// Writes orders of so many users.
pub fn write(cluster: &KafkaCluster, users: u64) {
    let topic = topic_of(users);
    make(cluster, &topic);
    let to = TopicPartition::new(topic, 0);
    let mut producer = cluster
        .producer(&ProducerKind::transactional("bench"))
        .expect("a producer");
    let mut random = 88_172_645_463_325_252_u64;
    for at in 0..RECORDS {
        if at % RECORDS_PER_TRANSACTION == 0 {
            producer.begin().expect("a transaction");
        }
        // xorshift (Marsaglia, 2003)
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let user = format!("u{:07}", random % users);
        let order = json(at, &user, random);
        let record = ProducerRecord {
            key: Some(user.as_bytes()),
            value: Some(order.as_bytes()),
            timestamp: (FIRST_TIME + at) as i64,
            headers: &Headers::default(),
        };
        producer.send(&to, record).expect("it is written");
        if (at + 1) % RECORDS_PER_TRANSACTION == 0 {
            producer.commit().expect("a commit");
        }
    }
}

fn json(at: u64, user: &str, random: u64) -> String {
    format!(
        r#"{{"order_id":{at},"user_id":"{user}","product":"widget","price":{}.{:02},"quantity":{},"ts":{},"status":"NEW","region":"eu-west-1","note":"n{:06}"}}"#,
        random % 499 + 1,
        random % 97,
        random % 19 + 1,
        FIRST_TIME + at,
        random % 999_983,
    )
}
