//! Topics: what there is of them, and making them.

use std::sync::Arc;
use std::time::Duration;

use ferrisstreams_topology::cluster::{NewTopic, TopicDescription, TopicPartition};
use ferrisstreams_topology::{Error, ErrorKind, Result};
use futures::executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResource, ConfigResourceResult, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::super::again::until_settled;
use super::super::cluster::Cluster;
use super::super::failure::{engine_error, in_words, lacks_right};
use super::super::listener::Listener;
use super::super::native::Consumer;
use super::super::topic::{Missing, Topic};
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

fn client(cluster: &Cluster) -> Result<Arc<AdminClient<Listener>>> {
    let made = cluster.client(&cluster.consumer_config(), Listener::default());
    made.map_err(engine_error)
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
    match code_of(e) {
        Some(code) => refused(what, operations, code),
        None => Error::new(ErrorKind::Unavailable, format!("{what}: {e}")),
    }
}

/// What the library says is wrong; it has a word of its own where that is a request as a whole.
fn code_of(e: &KafkaError) -> Option<RDKafkaErrorCode> {
    match e {
        KafkaError::AdminOp(code) => Some(*code),
        e => e.rdkafka_error_code(),
    }
}

/// Makes a request that may be made twice, again where a connection broke off under it.
fn tried<T>(
    patience: Duration,
    mut request: impl FnMut() -> Result<T, KafkaError>,
) -> Result<T, KafkaError> {
    let passes = |answer: &Result<T, KafkaError>| answer.as_ref().is_err_and(broke_off);
    until_settled(patience, passes, |_| request())
}

fn broke_off(e: &KafkaError) -> bool {
    matches!(
        code_of(e),
        Some(RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::NetworkException)
    )
}

/// What there is of a topic.
pub(super) fn topic(
    cluster: &Cluster,
    consumer: &Consumer,
    name: &str,
) -> Result<Option<TopicDescription>> {
    let found = find(cluster, consumer, name)?;
    found
        .map(|found| in_full(cluster, consumer, name, &found))
        .transpose()
}

/// How many partitions a topic has.
pub(super) fn partition_count(
    cluster: &Cluster,
    consumer: &Consumer,
    name: &str,
) -> Result<Option<u32>> {
    let found = find(cluster, consumer, name)?;
    Ok(found.map(|found| found.partitions.unsigned_abs()))
}

/// A topic, where it is there.
fn find(cluster: &Cluster, consumer: &Consumer, name: &str) -> Result<Option<Topic>> {
    let found = match cluster.look(consumer, name).map_err(passing)? {
        Err(Missing::Unknown) => return Ok(None),
        Ok(found) => found,
        // It is there, which brokers that are asked later may not know yet.
        Err(_) => cluster.made_topic(consumer, name).map_err(passing)?,
    };
    Ok(Some(found))
}

/// What there is of a topic that was made.
fn made(cluster: &Cluster, consumer: &Consumer, name: &str) -> Result<TopicDescription> {
    let found = cluster.made_topic(consumer, name).map_err(passing)?;
    in_full(cluster, consumer, name, &found)
}

fn in_full(
    cluster: &Cluster,
    consumer: &Consumer,
    name: &str,
    found: &Topic,
) -> Result<TopicDescription> {
    Ok(TopicDescription {
        partitions: found.partitions.unsigned_abs(),
        id: cluster.topic_id(consumer, name, found),
        config: settings(cluster, name)?,
    })
}

fn settings(cluster: &Cluster, name: &str) -> Result<Vec<(String, String)>> {
    let what = format!(
        "the settings of topic {name} on {} are not told",
        cluster.name
    );
    let client = client(cluster)?;
    let asked = [ResourceSpecifier::Topic(name)];
    // A broker that is asked may not know of the topic yet.
    let passes = |answer: &Result<Vec<ConfigResourceResult>, KafkaError>| match answer {
        Ok(found) => matches!(
            found.last(),
            Some(Err(RDKafkaErrorCode::UnknownTopicOrPartition))
        ),
        Err(e) => broke_off(e),
    };
    let answer = until_settled(cluster.patience, passes, |_| {
        block_on(client.describe_configs(&asked, &options(cluster)))
    });
    match answer.map_err(|e| failed(&what, LOOK, &e))?.pop() {
        Some(Ok(resource)) => Ok(looked_at(resource)),
        // Who may not look is believed to have it right.
        Some(Err(RDKafkaErrorCode::TopicAuthorizationFailed)) | None => Ok(Vec::new()),
        Some(Err(code)) => Err(refused(&what, LOOK, code)),
    }
}

/// The settings that the engine looks at.
fn looked_at(resource: ConfigResource) -> Vec<(String, String)> {
    let entries = resource.entries.into_iter();
    let looked_at = entries.filter(|entry| SETTINGS.contains(&&*entry.name));
    looked_at
        .filter_map(|entry| Some((entry.name, entry.value?)))
        .collect()
}

/// Makes a topic unless it is there, waits until it is, and tells what there is of it.
pub(super) fn create(
    cluster: &Cluster,
    consumer: &Consumer,
    topic: &NewTopic,
) -> Result<TopicDescription> {
    let what = format!("topic {} cannot be made on {}", topic.name, cluster.name);
    let client = client(cluster)?;
    let replicas = topic.replication_factor.map_or(-1, i32::from);
    let replicas = TopicReplication::Fixed(replicas);
    let mut new = rdkafka::admin::NewTopic::new(&topic.name, number(topic.partitions), replicas);
    for (key, value) in &topic.config {
        new = new.set(key, value);
    }
    let made = tried(cluster.patience, || {
        block_on(client.create_topics([&new], &options(cluster)))
    });
    for result in made.map_err(|e| failed(&what, MAKE, &e))? {
        match result {
            Ok(_) => tracing::info!("made topic {} on {}", topic.name, cluster.name),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(refused(&what, MAKE, code)),
        }
    }
    self::made(cluster, consumer, &topic.name)
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
    let deleted = tried(cluster.patience, || {
        block_on(client.delete_records(&list, &options(cluster)))
    });
    let deleted = deleted.map_err(|e| failed(&what, DELETE, &e))?;
    deleted
        .elements()
        .iter()
        .try_for_each(|element| element.error())
        .map_err(|e| failed(&what, DELETE, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of answers that are given one after the other, and how many were asked for.
    fn told(answers: &[RDKafkaErrorCode], patience: Duration) -> (Option<RDKafkaErrorCode>, usize) {
        let mut asked = 0;
        let answer = tried(patience, || {
            asked += 1;
            match answers.get(asked - 1) {
                Some(code) => Err(KafkaError::AdminOp(*code)),
                None => Ok(()),
            }
        });
        (answer.err().and_then(|e| code_of(&e)), asked)
    }

    #[test]
    fn a_request_whose_connection_broke_off_is_made_again() {
        use RDKafkaErrorCode::{BrokerTransportFailure, InvalidConfig, NetworkException};
        const LONG: Duration = Duration::from_secs(60);
        let broken = [BrokerTransportFailure, NetworkException];
        assert_eq!(told(&broken, LONG), (None, 3));
        assert_eq!(told(&[InvalidConfig], LONG), (Some(InvalidConfig), 1));
        assert_eq!(
            told(&broken, Duration::ZERO),
            (Some(BrokerTransportFailure), 1)
        );
    }
}
