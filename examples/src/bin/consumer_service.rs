//! A topology inside a consumer service that is one's own: a plain rdkafka consumer and producer, with
//! FerrisStreams as a library between them. What each user spent is read from one topic, kept in
//! RocksDB, and sent to another.
//!
//! ```text
//! cargo run -p ferrisstreams-examples --bin consumer_service -- \
//!     --bootstrap-servers localhost:9092 --orders orders --spent spent --state state/
//! ```
//!
//! Orders look like `{"user_id": "alice", "amount": "12.50"}`. The state decides where reading goes on,
//! so nothing is counted twice, whatever the consumer's own commits say.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Parser;
use ferrisstreams::host::{Host, HostOptions};
use ferrisstreams::prelude::*;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// Sums what users spend, from one topic to another.
#[derive(Parser)]
struct Arguments {
    /// The Kafka brokers
    #[arg(long)]
    bootstrap_servers: String,
    /// The topic with orders
    #[arg(long)]
    orders: String,
    /// The topic that sums go to
    #[arg(long)]
    spent: String,
    /// Where state is kept
    #[arg(long)]
    state: PathBuf,
    /// Stop when so many orders have been counted
    #[arg(long)]
    until: Option<u64>,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
struct Order {
    user_id: String,
    amount: Decimal,
}

/// What users spent, and how many orders there were.
fn topology() -> ferrisstreams::Result<Topology> {
    let builder = StreamsBuilder::new();
    let orders: KStream<Option<String>, Order> = builder.stream("orders", Consumed::json());
    orders
        .group_by(|_, order| order.user_id.clone(), Grouped::named("by-user"))
        .aggregate(
            || Decimal::ZERO,
            |_user, order, total| total + order.amount,
            Materialized::named("totals"),
        )
        .to_stream()
        .to("spent", Produced::json());
    builder.build()
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGTERM, stop.clone())?;
    signal_hook::flag::register(signal_hook::consts::SIGINT, stop.clone())?;

    let state = State::open(&arguments.state, StateOptions::default())?;
    let mut host = topology()?.host(state, HostOptions::default())?;
    let consumer = consumer(&arguments, &host)?;
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &arguments.bootstrap_servers)
        .set("enable.idempotence", "true")
        .create()?;

    let mut counted = 0;
    while !stop.load(Ordering::Acquire) && arguments.until.is_none_or(|until| counted < until) {
        match consumer.poll(Duration::from_millis(50)) {
            Some(message) => {
                let message = message?;
                let partition = u32::try_from(message.partition())?;
                let timestamp = message.timestamp().to_millis().unwrap_or(0);
                host.feed(
                    "orders",
                    partition,
                    message.offset(),
                    timestamp,
                    message.key(),
                    message.payload(),
                )?;
                counted += 1;
            }
            None => host.tick()?,
        }
        for output in host.drain_outputs() {
            send(&producer, &arguments.spent, &output.record)?;
        }
        if host.commit_due() {
            commit(&mut host, &consumer, &producer, &arguments.orders)?;
        }
    }
    commit(&mut host, &consumer, &producer, &arguments.orders)?;
    Ok(())
}

/// A consumer that begins where the state ends.
fn consumer(arguments: &Arguments, host: &Host) -> Result<BaseConsumer, Box<dyn Error>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &arguments.bootstrap_servers)
        .set("group.id", "consumer-service")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .create()?;
    let metadata = consumer.fetch_metadata(Some(&arguments.orders), Duration::from_secs(10))?;
    let topic = metadata
        .topics()
        .first()
        .ok_or("the broker does not answer for the topic")?;
    let positions = host.positions();
    let mut assignment = TopicPartitionList::new();
    for partition in topic.partitions() {
        let position = positions.get("orders", u32::try_from(partition.id())?);
        let offset = position.map_or(Offset::Beginning, Offset::Offset);
        assignment.add_partition_offset(&arguments.orders, partition.id(), offset)?;
    }
    consumer.assign(&assignment)?;
    Ok(consumer)
}

fn send(
    producer: &BaseProducer,
    topic: &str,
    output: &ferrisstreams::connector::SinkRecord,
) -> Result<(), Box<dyn Error>> {
    let mut record = BaseRecord::<[u8], [u8]>::to(topic).timestamp(output.timestamp);
    if let Some(key) = &output.key {
        record = record.key(key);
    }
    if let Some(value) = &output.value {
        record = record.payload(value);
    }
    producer.send(record).map_err(|(e, _)| e)?;
    producer.poll(Duration::ZERO);
    Ok(())
}

/// In this order: what was sent is on the broker, then the state is durable, then the group's offsets,
/// which are for whoever looks at the lag.
fn commit(
    host: &mut Host,
    consumer: &BaseConsumer,
    producer: &BaseProducer,
    topic: &str,
) -> Result<(), Box<dyn Error>> {
    producer.flush(Duration::from_secs(30))?;
    let positions = host.commit()?;
    let mut offsets = TopicPartitionList::new();
    for (partition, offset) in positions.of("orders") {
        offsets.add_partition_offset(topic, i32::try_from(partition)?, Offset::Offset(offset))?;
    }
    if offsets.count() > 0 {
        consumer.commit(&offsets, CommitMode::Sync)?;
    }
    Ok(())
}
