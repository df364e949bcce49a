//! Topics and places in them.

use std::fmt;
use std::sync::Arc;

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// The name of the topic.
    pub topic: Arc<str>,
    /// The number of the partition.
    pub partition: u32,
}

impl TopicPartition {
    /// Partition `partition` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, partition: u32) -> Self {
        TopicPartition {
            topic: topic.into(),
            partition,
        }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// The id of a topic, which another of the same name does not have.
pub type TopicId = [u8; 16];

/// What there is of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicDescription {
    /// The number of partitions.
    pub partitions: u32,
    /// Its id; none where brokers do not tell.
    pub id: Option<TopicId>,
    /// The settings that were asked for or are known, by Kafka's names: `cleanup.policy`.
    pub config: Vec<(String, String)>,
}

impl TopicDescription {
    /// The value of a setting, where it is known.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.config.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| &**value)
    }
}

/// A topic to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// The number of partitions, one at least.
    pub partitions: u32,
    /// How many brokers keep it; none leaves that to the brokers.
    pub replication_factor: Option<u16>,
    /// Settings by Kafka's names.
    pub config: Vec<(String, String)>,
}

/// What a group remembers of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The offset of the record that is read next.
    pub offset: i64,
    /// Words of the application's own.
    pub metadata: String,
}
