//! What is to be written, and how; and that the topic is there.

use std::sync::Arc;
use std::time::Duration;

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind};
use futures::executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::cluster::Cluster;
use super::listener::Listener;
use super::native::Consumer;
use super::properties::Role;
use super::topic::Missing;

/// What a producer is unless the user says otherwise: records are placed as Java's clients place them,
/// batches fill up until they are flushed, and the pauses of a transaction's requests are short.
const DEFAULTS: [(&str, &str); 7] = [
    ("client.id", "ferrisstreams"),
    ("partitioner", "murmur2_random"),
    ("compression.type", "lz4"),
    ("linger.ms", "50"),
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
    ("topic.metadata.refresh.interval.ms", "30000"),
];

/// A topic to be written.
#[derive(Debug, Clone)]
pub(super) struct Writing {
    pub(super) cluster: Cluster,
    pub(super) topic: String,
    pub(super) guarantee: Guarantee,
    /// What stands before the name of the sink in the names that the brokers know it by.
    pub(super) prefix: String,
    /// How the topic is made if it is not there; none where that is an error.
    pub(super) create: Option<Shape>,
    /// How long brokers that are away are waited for where the program, though not this sink of it, is
    /// known to have run before; none where they should be there.
    pub(super) restart_timeout: Option<Duration>,
}

/// What is promised of the records that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guarantee {
    /// Readers of what is committed see each once.
    ExactlyOnce,
    /// After a crash some may come again.
    AtLeastOnce,
}

/// How a topic is made; what is not said is as the brokers make topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Shape {
    pub(super) partitions: Option<i32>,
    pub(super) replicas: Option<i32>,
    /// True where only the last record of each key is kept.
    pub(super) compact: bool,
}

impl Writing {
    /// The topic, for people.
    pub(super) fn location(&self) -> String {
        format!("topic `{}` on {}", self.topic, self.cluster.name)
    }

    /// The name that the brokers know a sink by: the id of its transactions, and the group in which it
    /// counts.
    pub(super) fn identity(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The configuration of a producer; `identity` where it writes in transactions.
    pub(super) fn config(&self, identity: Option<&str>) -> ClientConfig {
        let mut fixed = vec![("enable.idempotence", "true")];
        let mut defaults = DEFAULTS.to_vec();
        match identity {
            Some(identity) => {
                defaults.extend([
                    ("transaction.timeout.ms", "10000"),
                    ("retry.backoff.ms", "5"),
                    ("retry.backoff.max.ms", "50"),
                ]);
                fixed.push(("transactional.id", identity));
            }
            None => defaults.push(("message.timeout.ms", "30000")),
        }
        self.cluster
            .properties
            .config(Role::Producer, &defaults, &fixed)
    }

    /// Sees to it that the topic is there.
    ///
    /// # Errors
    ///
    /// Where it is not and is not to be made, or the brokers do not answer or refuse.
    pub(super) fn prepare(&self, consumer: &Consumer) -> Result<(), ConnectorError> {
        let (cluster, topic) = (&self.cluster, &self.topic);
        if let Some(shape) = self.create {
            return make_topic(cluster, consumer, topic, shape);
        }
        if cluster.look(consumer, topic)? == Err(Missing::Unknown) {
            const HOW: &str = "partitions = N has it made";
            let e = cluster.no_topic(consumer, topic);
            let help = e
                .help
                .as_deref()
                .map_or(HOW.to_owned(), |help| format!("{help}; {HOW}"));
            return Err(e.help(help));
        }
        cluster.made_topic(consumer, topic).map(|_| ())
    }
}

/// Makes a topic unless it is there.
///
/// # Errors
///
/// Where the brokers do not answer or refuse.
pub(super) fn make_topic(
    cluster: &Cluster,
    consumer: &Consumer,
    topic: &str,
    shape: Shape,
) -> Result<(), ConnectorError> {
    if cluster.look(consumer, topic)? == Err(Missing::Unknown) {
        create(cluster, topic, shape)?;
    }
    cluster.made_topic(consumer, topic).map(|_| ())
}

fn create(cluster: &Cluster, name: &str, shape: Shape) -> Result<(), ConnectorError> {
    let admin: Arc<AdminClient<Listener>> =
        cluster.client(&cluster.consumer_config(), Listener::default())?;
    let replicas = TopicReplication::Fixed(shape.replicas.unwrap_or(-1));
    let mut topic = NewTopic::new(name, shape.partitions.unwrap_or(-1), replicas);
    if shape.compact {
        topic = topic.set("cleanup.policy", "compact");
    }
    let options = AdminOptions::new()
        .request_timeout(Some(cluster.patience))
        .operation_timeout(Some(cluster.patience));
    let made = block_on(admin.create_topics([&topic], &options));
    let refused = |why: String| {
        let message = format!(
            "topic `{name}` could not be made on {}: {why}",
            cluster.name
        );
        ConnectorError::new(ConnectorErrorKind::Unreadable, message)
    };
    let in_words = |e: &KafkaError| {
        e.rdkafka_error_code()
            .map_or_else(|| e.to_string(), |code| code.to_string())
    };
    for result in made.map_err(|e| refused(in_words(&e)))? {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(refused(code.to_string())),
        }
    }
    tracing::info!("made topic `{name}` on {}", cluster.name);
    Ok(())
}
