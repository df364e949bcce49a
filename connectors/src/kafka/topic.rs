//! What the brokers know of a topic: its partitions, where they begin and end, and its id.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::again::until_settled;
use super::cluster::Cluster;
use super::failure::in_words;
use super::native::{self, Consumer};
use ferrisstreams_topology::nearest;

/// The id of a topic, which another topic of the same name does not have.
pub(super) type TopicId = [u8; 16];

/// A topic as the brokers describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Topic {
    /// How many partitions it has, numbered from zero.
    pub(super) partitions: i32,
    /// A partition that no broker leads at the moment.
    pub(super) leaderless: Option<i32>,
    /// A broker that can be asked.
    pub(super) broker: i32,
}

/// Where in time a partition is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// The first record that is still there.
    Beginning,
    /// The end; where only what is committed is read, that of what is committed.
    End,
    /// The first record at or after this time, in milliseconds since the epoch.
    At(i64),
}

/// What is wrong with a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is not there.
    Unknown,
    /// Its leaders are being chosen.
    NotYet,
    /// We may not see it.
    Forbidden,
    /// No topic can have such a name.
    BadName,
    /// Something else.
    Other(RDKafkaErrorCode),
}

/// Reads what metadata says of `topic`.
pub(super) fn described(metadata: &Metadata, topic: &str) -> Result<Topic, Missing> {
    let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else {
        return Err(Missing::Unknown);
    };
    match found.error().map(RDKafkaErrorCode::from) {
        None => {}
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            return Err(Missing::Unknown);
        }
        Some(RDKafkaErrorCode::LeaderNotAvailable) => return Err(Missing::NotYet),
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => return Err(Missing::Forbidden),
        Some(RDKafkaErrorCode::InvalidTopic) => return Err(Missing::BadName),
        Some(code) => return Err(Missing::Other(code)),
    }
    let partitions = found.partitions();
    if partitions.is_empty() {
        return Err(Missing::NotYet);
    }
    let leaderless = partitions.iter().find(|partition| partition.leader() < 0);
    Ok(Topic {
        partitions: i32::try_from(partitions.len()).unwrap_or(i32::MAX),
        leaderless: leaderless.map(|partition| partition.id()),
        broker: broker(metadata),
    })
}

/// The broker that answered, or where that has no number yet another one.
fn broker(metadata: &Metadata) -> i32 {
    let first = || metadata.brokers().first().map_or(-1, |broker| broker.id());
    match metadata.orig_broker_id() {
        ..0 => first(),
        answered => answered,
    }
}

impl Cluster {
    /// Asks what a topic is. Brokers learn of topics one after the other, and where one says that there is none,
    /// the list of all topics has the last word, which may come from another.
    ///
    /// # Errors
    ///
    /// Where the brokers do not answer.
    pub(super) fn look(
        &self,
        consumer: &Consumer,
        name: &str,
    ) -> Result<Result<Topic, Missing>, ConnectorError> {
        let answer = described(&self.metadata(consumer, Some(name))?, name);
        if answer != Err(Missing::Unknown) {
            return Ok(answer);
        }
        Ok(described(&self.metadata(consumer, None)?, name))
    }

    /// Finds a topic out; its leaders are waited for.
    ///
    /// # Errors
    ///
    /// Where the brokers do not answer, or there is no such topic that we may see.
    pub(super) fn topic(&self, consumer: &Consumer, name: &str) -> Result<Topic, ConnectorError> {
        let answer = self.found(consumer, name, &[Missing::NotYet])?;
        answer.map_err(|missing| match missing {
            Missing::Unknown => self.no_topic(consumer, name),
            missing => self.not_seen(name, missing),
        })
    }

    /// Finds a topic out that is known to be there, as it was made or told of just now: a broker that does not know
    /// it yet is asked again.
    ///
    /// # Errors
    ///
    /// Where the brokers do not answer, or it is not to be seen in time.
    pub(super) fn made_topic(
        &self,
        consumer: &Consumer,
        name: &str,
    ) -> Result<Topic, ConnectorError> {
        let answer = self.found(consumer, name, &[Missing::NotYet, Missing::Unknown])?;
        answer.map_err(|missing| self.not_seen(name, missing))
    }

    /// Asks until the answer is none of those that pass.
    fn found(
        &self,
        consumer: &Consumer,
        name: &str,
        passing: &[Missing],
    ) -> Result<Result<Topic, Missing>, ConnectorError> {
        until_settled(
            self.patience,
            |answer| matches!(answer, Ok(Err(missing)) if passing.contains(missing)),
            |_| self.look(consumer, name),
        )
    }

    /// The error for a topic that is not there, with the one that was probably meant.
    pub(super) fn no_topic(&self, consumer: &Consumer, name: &str) -> ConnectorError {
        let message = format!("{} has no topic `{name}`", self.name);
        let error = ConnectorError::new(ConnectorErrorKind::NotFound, message);
        let Ok(metadata) = self.metadata(consumer, None) else {
            return error;
        };
        let all = metadata.topics().iter().map(|topic| topic.name());
        let mut names: Vec<&str> = all.filter(|name| !name.starts_with("__")).collect();
        names.sort_unstable();
        if let Some(meant) = nearest(name, names.iter().copied()) {
            return error.help(format!("did you mean `{meant}`?"));
        }
        let more = if names.len() > 10 { ", ..." } else { "" };
        names.truncate(10);
        match &names[..] {
            [] => error.help("it has no topics at all"),
            names => error.help(format!("there are: {}{more}", names.join(", "))),
        }
    }

    pub(super) fn not_seen(&self, name: &str, missing: Missing) -> ConnectorError {
        let on = &self.name;
        let (kind, message) = match missing {
            Missing::Unknown => (
                ConnectorErrorKind::NotFound,
                format!("{on} has no topic `{name}`"),
            ),
            Missing::NotYet => (
                ConnectorErrorKind::Unreachable,
                format!("topic `{name}` on {on} has no leader"),
            ),
            Missing::Forbidden => (
                ConnectorErrorKind::Unreadable,
                format!(
                    "{on} does not let us use topic `{name}`: {}",
                    in_words(
                        RDKafkaErrorCode::TopicAuthorizationFailed,
                        "Describe, and Read or Write"
                    )
                ),
            ),
            Missing::BadName => (
                ConnectorErrorKind::Uri,
                format!(
                    "no topic can be called `{name}`: letters, digits, `.`, `_` and `-` make names"
                ),
            ),
            Missing::Other(code) => (
                ConnectorErrorKind::Unreadable,
                format!("topic `{name}` on {on} cannot be used: {code}"),
            ),
        };
        ConnectorError::new(kind, message)
    }

    /// Offsets of partitions at a moment; past the last record it is the end.
    ///
    /// # Errors
    ///
    /// Where the brokers do not answer in time.
    pub(super) fn offsets(
        &self,
        consumer: &Consumer,
        topic: &str,
        partitions: &[i32],
        moment: Moment,
    ) -> Result<BTreeMap<i32, i64>, ConnectorError> {
        self.retry(consumer, |limit| {
            let found = offsets(consumer, topic, partitions, moment, limit);
            if found.is_err() {
                // The brokers that are known to lead the partitions may be gone, and the library goes on asking
                // them unless it is told to look again.
                let _ = consumer.fetch_metadata(Some(topic), limit);
            }
            found
        })
    }

    /// The id of a topic, where the brokers tell it.
    pub(super) fn topic_id(
        &self,
        consumer: &Consumer,
        name: &str,
        topic: &Topic,
    ) -> Option<TopicId> {
        native::topic_id(consumer, name, topic.broker, self.patience)
            .inspect_err(|e| tracing::debug!(name, "the id of the topic is not known: {e}"))
            .ok()?
    }
}

/// Offsets of partitions at a moment, asked once.
pub(super) fn offsets(
    consumer: &Consumer,
    topic: &str,
    partitions: &[i32],
    moment: Moment,
    limit: Duration,
) -> Result<BTreeMap<i32, i64>, KafkaError> {
    if partitions.is_empty() {
        return Ok(BTreeMap::new());
    }
    // The protocol asks for times, and has two that stand for the beginning and the end.
    let time = match moment {
        Moment::Beginning => Offset::Beginning,
        Moment::End => Offset::End,
        Moment::At(time) => Offset::Offset(time.max(0)),
    };
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for partition in partitions {
        list.add_partition_offset(topic, *partition, time)?;
    }
    let deadline = Instant::now() + limit;
    let answer = consumer.offsets_for_times(list, limit)?;
    let mut found = BTreeMap::new();
    let mut at_end = Vec::new();
    for element in answer.elements() {
        element.error()?;
        match element.offset() {
            Offset::Offset(offset) => {
                found.insert(element.partition(), offset);
            }
            _ => at_end.push(element.partition()),
        }
    }
    if !at_end.is_empty() {
        if moment == Moment::End {
            return Err(KafkaError::OffsetFetch(RDKafkaErrorCode::Fail));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        found.extend(offsets(consumer, topic, &at_end, Moment::End, left)?);
    }
    Ok(found)
}
