//! A Kafka cluster as the engine runs applications on it.

mod admin;
mod offsets;
mod group;
mod log;
mod leaders;
mod writer;
mod transactions;
mod idempotent;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferrisstreams_topology::cluster::{
    Cluster as ClusterPort, CommittedOffset, Cut, Isolation, LogPoint, LogReader, Member,
    MemberOptions, NewTopic, OffsetRange, Producer, ProducerKind, TopicDescription, TopicPartition,
};
use ferrisstreams_topology::connector::{ConnectorError, Waker};
use ferrisstreams_topology::{Error, ErrorKind, Result};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use self::idempotent::Idempotent;
use self::offsets::Committers;
use self::transactions::Transactions;
use self::writer::Limits;
use super::cluster::Cluster;
use super::failure::{engine_error, in_words, lacks_right};
use super::listener::Listener;
use super::native::{self, Consumer};
use super::properties::Properties;
use super::topic::Moment;

/// How long brokers may take to answer, unless something else is said.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long the members of a group are waited for: who asks has a session of its own to keep.
const GROUP_PATIENCE: Duration = Duration::from_secs(3);

/// A Kafka cluster that applications run on.
///
/// ```no_run
/// use ferrisstreams_connectors::kafka::KafkaCluster;
///
/// let cluster = KafkaCluster::new([("bootstrap.servers", "localhost:9092")])?;
/// # Ok::<(), ferrisstreams_topology::Error>(())
/// ```
#[derive(Clone)]
pub struct KafkaCluster {
    cluster: Cluster,
    /// For questions about what is committed, and about what may not be yet.
    committed: Arc<Consumer>,
    uncommitted: Arc<Consumer>,
    /// For questions about groups. One that was not answered is followed by another: the library goes on
    /// asking the broker that a group had, though it may be gone.
    groups: Arc<Mutex<Option<Arc<Consumer>>>>,
    limits: Limits,
    committers: Committers,
}

impl KafkaCluster {
    /// The cluster that these properties lead to, by librdkafka's names. Its brokers need not be there yet.
    ///
    /// # Errors
    ///
    /// Where a property is not known or wrong, or `bootstrap.servers` is missing.
    pub fn new<'a>(properties: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut known = Properties::default();
        for (name, value) in properties {
            known.set(name, value).map_err(engine_error)?;
        }
        let Some(brokers) = known.get("bootstrap.servers") else {
            return Err(Error::new(
                ErrorKind::Invalid,
                "bootstrap.servers is missing: 'host:9092' says where a broker is",
            ));
        };
        let cluster = Cluster {
            name: brokers.to_owned(),
            properties: known,
            patience: PATIENCE,
        };
        Ok(KafkaCluster {
            committed: asker(&cluster, "read_committed")?,
            uncommitted: asker(&cluster, "read_uncommitted")?,
            groups: Arc::default(),
            limits: Limits::default(),
            committers: Committers::default(),
            cluster,
        })
    }

    /// How long brokers may take to answer; 15 seconds unless it is said.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.cluster.patience = patience;
        self
    }
}

impl std::fmt::Debug for KafkaCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("KafkaCluster")
            .field(&self.cluster.name)
            .finish()
    }
}

fn asker(cluster: &Cluster, isolation: &str) -> Result<Arc<Consumer>> {
    let mut config = cluster.consumer_config();
    config.set("isolation.level", isolation);
    let made = cluster.client(&config, Listener::default());
    made.map_err(engine_error)
}

/// The number of a partition as the protocol has it.
fn number(partition: u32) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}

/// An error of asking, which may pass.
fn passing(e: ConnectorError) -> Error {
    let e = engine_error(e);
    match e.kind() {
        ErrorKind::Invalid | ErrorKind::Failed => e,
        _ => Error::new(ErrorKind::Unavailable, e.to_string()),
    }
}

impl KafkaCluster {
    /// Keeps in mind how large records of a topic may be.
    fn note_limit(&self, name: &str, topic: &TopicDescription) {
        let limit = topic.get("max.message.bytes");
        if let Some(limit) = limit.and_then(|limit| limit.parse().ok()) {
            self.limits.note(name, limit);
        }
    }
}

impl ClusterPort for KafkaCluster {
    fn name(&self) -> String {
        self.cluster.name.clone()
    }

    fn topic(&self, name: &str) -> Result<Option<TopicDescription>> {
        let found = admin::topic(&self.cluster, &self.committed, name)?;
        if let Some(found) = &found {
            self.note_limit(name, found);
        }
        Ok(found)
    }

    fn partition_count(&self, topic: &str) -> Result<Option<u32>> {
        admin::partition_count(&self.cluster, &self.committed, topic)
    }

    fn create_topic(&self, topic: &NewTopic) -> Result<TopicDescription> {
        let made = admin::create(&self.cluster, &self.committed, topic)?;
        self.note_limit(&topic.name, &made);
        Ok(made)
    }

    fn delete_records(&self, before: &[(TopicPartition, i64)]) -> Result<()> {
        admin::delete_records(&self.cluster, before)
    }

    fn committed(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<Vec<Option<CommittedOffset>>> {
        let mut config = self.cluster.consumer_config();
        config
            .set("group.id", group)
            .set("isolation.level", "read_committed");
        let made = self.cluster.client(&config, Listener::default());
        let consumer: Arc<Consumer> = made.map_err(engine_error)?;
        let found = self.cluster.retry(&consumer, |limit| {
            let mut list = TopicPartitionList::with_capacity(partitions.len());
            for of in partitions {
                list.add_partition(&of.topic, number(of.partition));
            }
            let found = consumer.committed_offsets(list, limit)?;
            found
                .elements()
                .iter()
                .try_for_each(|element| element.error())?;
            Ok(found)
        });
        let found = found.map_err(passing)?;
        let of = |partition: &TopicPartition| {
            let element = found.find_partition(&partition.topic, number(partition.partition))?;
            match element.offset() {
                Offset::Offset(offset) => Some(CommittedOffset {
                    offset,
                    metadata: element.metadata().to_owned(),
                }),
                _ => None,
            }
        };
        Ok(partitions.iter().map(of).collect())
    }

    fn offsets(&self, partition: &TopicPartition, isolation: Isolation) -> Result<OffsetRange> {
        let mut found = self.offsets_of(std::slice::from_ref(partition), isolation)?;
        Ok(found.remove(0))
    }

    fn offsets_of(
        &self,
        partitions: &[TopicPartition],
        isolation: Isolation,
    ) -> Result<Vec<OffsetRange>> {
        let consumer = match isolation {
            Isolation::ReadCommitted => &self.committed,
            Isolation::ReadUncommitted => &self.uncommitted,
        };
        let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for of in partitions {
            let numbers = topics.entry(&of.topic).or_default();
            numbers.push(number(of.partition));
        }
        let mut found: BTreeMap<(&str, i32), OffsetRange> = BTreeMap::new();
        for (topic, numbers) in topics {
            let ask = |moment| {
                let asked = self.cluster.offsets(consumer, topic, &numbers, moment);
                asked.map_err(passing)
            };
            let (first, end) = (ask(Moment::Beginning)?, ask(Moment::End)?);
            for at in &numbers {
                let range = OffsetRange {
                    first: first[at],
                    end: end[at],
                };
                found.insert((topic, *at), range);
            }
        }
        let of = |of: &TopicPartition| found[&(&*of.topic, number(of.partition))];
        Ok(partitions.iter().map(of).collect())
    }

    fn leader_ends(&self, partitions: &[TopicPartition]) -> Result<Vec<Option<LogPoint>>> {
        let told = leaders::ends(&self.cluster, &self.uncommitted, partitions);
        told.map_err(passing)
    }

    fn cuts(&self, had: &[(TopicPartition, LogPoint)]) -> Result<Vec<Option<Cut>>> {
        leaders::cuts(&self.cluster, had)
    }

    fn group_members(&self, group: &str) -> Result<Vec<String>> {
        let mut asker = self.groups.lock().expect("no panic while locked");
        let known = match asker.take() {
            Some(known) => known,
            None => self::asker(&self.cluster, "read_committed")?,
        };
        match native::group_members(&known, group, self.cluster.patience.min(GROUP_PATIENCE)) {
            Ok(members) => {
                *asker = Some(known);
                Ok(members)
            }
            Err(e) => {
                let kind = match e.code {
                    RDKafkaErrorCode::GroupAuthorizationFailed => ErrorKind::Invalid,
                    _ => ErrorKind::Unavailable,
                };
                let why = match lacks_right(e.code) {
                    true => in_words(e.code, "Describe and Read"),
                    false => e.to_string(),
                };
                let message = format!("the members of group {group} are not told: {why}");
                Err(Error::new(kind, message))
            }
        }
    }

    fn reader(&self, waker: Waker) -> Result<Box<dyn LogReader>> {
        Ok(Box::new(log::Reader::new(self.clone(), waker)?))
    }

    fn producer(&self, kind: &ProducerKind) -> Result<Box<dyn Producer>> {
        let (cluster, limits) = (&self.cluster, &self.limits);
        Ok(match kind {
            ProducerKind::Transactional { id, timeout } => {
                Box::new(Transactions::new(cluster, limits, id, *timeout)?)
            }
            ProducerKind::Idempotent => {
                Box::new(Idempotent::new(cluster, limits, &self.committers)?)
            }
        })
    }

    fn join(&self, options: MemberOptions) -> Result<Box<dyn Member>> {
        Ok(Box::new(group::GroupMember::join(
            &self.cluster,
            options,
            &self.committers,
        )?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(made: Result<KafkaCluster>) -> String {
        made.expect_err("it is wrong").to_string()
    }

    #[test]
    fn properties_are_checked_at_once() {
        assert!(error(KafkaCluster::new([])).contains("bootstrap.servers is missing"));
        let known = ("bootstrap.servers", "127.0.0.1:9");
        let told = error(KafkaCluster::new([known, ("sesion.timeout.ms", "1")]));
        assert!(told.contains("sesion.timeout.ms"), "{told}");
        let told = error(KafkaCluster::new([known, ("group.id", "mine")]));
        assert!(told.contains("group.id"), "{told}");
    }

    #[test]
    fn clients_may_be_secured_and_secrets_are_not_shown() {
        let known = ("bootstrap.servers", "127.0.0.1:9");
        let sasl = [
            known,
            ("security.protocol", "sasl_ssl"),
            ("sasl.username", "ferris"),
            ("sasl.password", "hunter2"),
            ("compression.type", "zstd"),
        ];
        for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] {
            let properties = sasl.into_iter().chain([("sasl.mechanism", mechanism)]);
            let cluster = KafkaCluster::new(properties).expect(mechanism);
            let shown = format!("{cluster:?} {:?}", cluster.cluster);
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        KafkaCluster::new([known, ("security.protocol", "ssl")]).expect("TLS alone");
        for (name, told) in [
            ("ssl.key.pem", "no client of 127.0.0.1:9 can be made"),
            ("ssl.ca.location", "no client of 127.0.0.1:9 can be made"),
        ] {
            let bad = [known, ("security.protocol", "ssl"), (name, "hunter2")];
            let e = error(KafkaCluster::new(bad));
            assert!(e.contains(told), "{e}");
            assert!(name == "ssl.ca.location" || !e.contains("hunter2"), "{e}");
        }
        // Tokens that a provider hands out need an address of it.
        let oidc = [
            known,
            ("security.protocol", "sasl_ssl"),
            ("sasl.mechanism", "OAUTHBEARER"),
            ("sasl.oauthbearer.method", "oidc"),
        ];
        let e = error(KafkaCluster::new(oidc));
        assert!(
            e.contains("sasl.oauthbearer.token.endpoint.url is missing"),
            "{e}"
        );
        let [.., bare] = oidc;
        let e = error(KafkaCluster::new([known, bare]));
        assert!(e.contains("set sasl.mechanism to OAUTHBEARER"), "{e}");
        let grant = (
            "sasl.oauthbearer.grant.type",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        );
        let e = error(KafkaCluster::new([known, grant]));
        assert!(e.contains("it is client_credentials"), "{e}");
        // The provider need not be there yet, and neither need the brokers.
        let whole = oidc.into_iter().chain([
            (
                "sasl.oauthbearer.token.endpoint.url",
                "http://127.0.0.1:9/token",
            ),
            ("sasl.oauthbearer.client.id", "ferris"),
            ("sasl.oauthbearer.client.secret", "hunter2"),
        ]);
        let cluster = KafkaCluster::new(whole).expect("it is in order");
        let shown = format!("{cluster:?} {:?}", cluster.cluster);
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn brokers_that_are_not_there_are_told_with_what_to_do() {
        let cluster = KafkaCluster::new([("bootstrap.servers", "127.0.0.1:9")]).expect("it may be");
        let cluster = cluster.patience(Duration::from_millis(300));
        let told = ClusterPort::topic(&cluster, "clicks").expect_err("nobody is there");
        assert_eq!(told.kind(), ErrorKind::Unavailable);
        let told = told.to_string();
        assert!(told.contains("127.0.0.1:9"), "{told}");
        assert!(told.contains("is bootstrap.servers right"), "{told}");
    }
}
