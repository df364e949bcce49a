//! Topics: what there is of them, and making them.

use std::thread;
use std::time::{Duration, Instant};

use ferrisstreams_topology::cluster::{NewTopic, TopicDescription, TopicPartition};
use ferrisstreams_topology::{Error, ErrorKind, Result};
use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::super::cluster::Cluster;
use super::super::failure::{engine_error, in_words, lacks_right};
use super::super::listener::Listener;
use super::super::native::Consumer;
use super::super::topic::{Missing, described};
use super::{number, passing};

/// The settings of a topic that the engine looks at.
const SETTINGS: [&str; 4] = [
    "cleanup.policy",
    "delete.retention.ms",
    "max.message.bytes",
    "message.timestamp.type",
];

/// The operations that requests need rights to.
const LOOK: &str = "DescribeConfigs";
const MAKE: &str = "Create";
const DELETE: &str = "Delete";

fn client(cluster: &Cluster) -> Result<AdminClient<Listener>> {
    let made = cluster
        .consumer_config()
        .create_with_context(Listener::default());
    made.map_err(|e| engine_error(cluster.bad_client(&e)))
}

fn options(cluster: &Cluster) -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(cluster.patience))
        .operation_timeout(Some(cluster.patience))
}

/// The error of a request that was refused, or not answered. `operations` are those that it needs rights to.
fn refused(what: &str, operations: &str, code: RDKafkaErrorCode) -> Error {
    let kind = match code {
        code if lacks_right(code) => ErrorKind::Invalid,
        RDKafkaErrorCode::PolicyViolation
        | RDKafkaErrorCode::InvalidConfig
        | RDKafkaErrorCode::InvalidReplicationFactor
        | RDKafkaErrorCode::InvalidTopic => ErrorKind::Invalid,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("{what}: {}", in_words(code, operations)))
}

fn failed(what: &str, operations: &str, e: &KafkaError) -> Error {
    match e.rdkafka_error_code() {
        Some(code) => refused(what, operations, code),
        None => Error::new(ErrorKind::Unavailable, format!("{what}: {e}")),
    }
}

/// What there is of a topic.
pub(super) fn topic(
    cluster: &Cluster,
    consumer: &Consumer,
    name: &str,
) -> Result<Option<TopicDescription>> {
    let metadata = cluster.metadata(consumer, Some(name)).map_err(passing)?;
    if described(&metadata, name) == Err(Missing::Unknown) {
        return Ok(None);
    }
    let found = cluster.topic(consumer, name).map_err(passing)?;
    Ok(Some(TopicDescription {
        partitions: found.partitions.unsigned_abs(),
        id: cluster.topic_id(consumer, name, &found),
        config: settings(cluster, name)?,
    }))
}

fn settings(cluster: &Cluster, name: &str) -> Result<Vec<(String, String)>> {
    let what = format!(
        "the settings of topic {name} on {} are not told",
        cluster.name
    );
    let client = client(cluster)?;
    let asked = [ResourceSpecifier::Topic(name)];
    let answer = block_on(client.describe_configs(&asked, &options(cluster)));
    let mut found = Vec::new();
    for resource in answer.map_err(|e| failed(&what, LOOK, &e))? {
        let resource = match resource {
            Ok(resource) => resource,
            // Who may not look is believed to have it right.
            Err(RDKafkaErrorCode::TopicAuthorizationFailed) => continue,
            Err(code) => return Err(refused(&what, LOOK, code)),
        };
        for entry in resource.entries {
            if let Some(value) = entry.value
                && SETTINGS.contains(&&*entry.name)
            {
                found.push((entry.name, value));
            }
        }
    }
    Ok(found)
}

/// Makes a topic unless it is there, and waits until it is.
pub(super) fn create(cluster: &Cluster, consumer: &Consumer, topic: &NewTopic) -> Result<()> {
    let what = format!("topic {} cannot be made on {}", topic.name, cluster.name);
    let client = client(cluster)?;
    let replicas = topic.replication_factor.map_or(-1, i32::from);
    let replicas = TopicReplication::Fixed(replicas);
    let mut new = rdkafka::admin::NewTopic::new(&topic.name, number(topic.partitions), replicas);
    for (key, value) in &topic.config {
        new = new.set(key, value);
    }
    let made = block_on(client.create_topics([&new], &options(cluster)));
    for result in made.map_err(|e| failed(&what, MAKE, &e))? {
        match result {
            Ok(_) => tracing::info!("made topic {} on {}", topic.name, cluster.name),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(refused(&what, MAKE, code)),
        }
    }
    wait_for(cluster, consumer, &topic.name)
}

/// Waits until a topic that was made is known to the brokers that are asked; nothing tells when.
fn wait_for(cluster: &Cluster, consumer: &Consumer, name: &str) -> Result<()> {
    let deadline = Instant::now() + cluster.patience;
    loop {
        let metadata = cluster.metadata(consumer, Some(name)).map_err(passing)?;
        if described(&metadata, name) != Err(Missing::Unknown) || Instant::now() >= deadline {
            return cluster.topic(consumer, name).map(|_| ()).map_err(passing);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Deletes what stands before offsets.
pub(super) fn delete_records(cluster: &Cluster, before: &[(TopicPartition, i64)]) -> Result<()> {
    let what = format!("records cannot be deleted on {}", cluster.name);
    let mut list = TopicPartitionList::with_capacity(before.len());
    for (of, offset) in before {
        let offset = Offset::Offset(*offset);
        list.add_partition_offset(&of.topic, number(of.partition), offset)
            .map_err(|e| failed(&what, DELETE, &e))?;
    }
    let client = client(cluster)?;
    let deleted = block_on(client.delete_records(&list, &options(cluster)));
    let deleted = deleted.map_err(|e| failed(&what, DELETE, &e))?;
    deleted
        .elements()
        .iter()
        .try_for_each(|element| element.error())
        .map_err(|e| failed(&what, DELETE, &e))
}
