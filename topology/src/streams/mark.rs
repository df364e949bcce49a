//! How far the rows go that the local state has of a changelog, and whether they still belong to it.

use std::time::Duration;

use super::env::Env;
use crate::cluster::{OffsetRange, TopicId, TopicPartition};
use crate::error::Result;
use crate::store::{Commit, State};
use crate::time::Timestamp;

/// The version of what is written.
const VERSION: u8 = 1;

/// How far the rows go that the local state has of a changelog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Everything before this offset is in the state.
    pub(super) offset: i64,
    /// When that was known to be so last.
    written: Timestamp,
    /// The topic, which another of the same name is not.
    topic: TopicId,
}

fn key(partition: &TopicPartition) -> String {
    format!("changelog/{}/{}", partition.partition, partition.topic)
}

impl Mark {
    /// Of a changelog, up to an offset, as of now.
    pub(super) fn new(env: &Env, partition: &TopicPartition, offset: i64) -> Self {
        Mark {
            offset,
            written: env.clock.now(),
            topic: env.topics.id(&partition.topic),
        }
    }

    /// What the state remembers of a changelog; none where it has nothing of it, or does not know.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub(super) fn read(state: &State, partition: &TopicPartition) -> Result<Option<Self>> {
        Ok(state
            .meta(&key(partition))?
            .and_then(|bytes| Self::decode(&bytes)))
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 33] = bytes.try_into().ok()?;
        let number = |from: usize| {
            let bytes = bytes[from..from + 8].try_into();
            i64::from_be_bytes(bytes.expect("they are eight"))
        };
        (bytes[0] == VERSION).then(|| Mark {
            offset: number(1),
            written: number(9),
            topic: bytes[17..].try_into().expect("they are sixteen"),
        })
    }

    fn encode(&self) -> [u8; 33] {
        let mut bytes = [0; 33];
        bytes[0] = VERSION;
        bytes[1..9].copy_from_slice(&self.offset.to_be_bytes());
        bytes[9..17].copy_from_slice(&self.written.to_be_bytes());
        bytes[17..].copy_from_slice(&self.topic);
        bytes
    }

    /// Has a commit remember it.
    pub(super) fn put(&self, commit: &mut Commit, partition: &TopicPartition) {
        commit.put_meta(&key(partition), &self.encode());
    }

    /// Has a commit forget what the state has of a changelog.
    pub(super) fn forget(commit: &mut Commit, partition: &TopicPartition) {
        commit.remove_meta(&key(partition));
    }

    /// Why the rows cannot be those of the changelog up to the offset; none where they can.
    pub(super) fn refusal(
        &self,
        env: &Env,
        partition: &TopicPartition,
        there: OffsetRange,
    ) -> Option<String> {
        let offset = self.offset;
        let topic = env.topics.id(&partition.topic);
        if topic != self.topic && topic != TopicId::default() {
            return Some("the topic was deleted and made again since".to_owned());
        }
        if !(there.first..=there.end).contains(&offset) {
            let OffsetRange { first, end } = there;
            return Some(format!(
                "they are those up to offset {offset}, and the topic has {first} to {end}"
            ));
        }
        let age = u64::try_from(env.clock.now() - self.written).unwrap_or(0);
        let age = Duration::from_millis(age);
        let limit = env.topics.tombstones / 2;
        (age > limit && offset < there.end).then(|| {
            format!(
                "they are {} hours old, and the topic may have forgotten since which keys were removed",
                age.as_secs() / 3_600
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_as_they_were_written() {
        let mark = Mark {
            offset: 7_000_000_000,
            written: 1_700_000_000_000,
            topic: [3; 16],
        };
        let bytes = mark.encode();
        assert_eq!(Mark::decode(&bytes), Some(mark));
        // Rows whose mark is not understood are read again.
        assert_eq!(Mark::decode(&bytes[..32]), None);
        assert_eq!(Mark::decode(&5_i64.to_be_bytes()), None);
        let mut later = bytes;
        later[0] = 2;
        assert_eq!(Mark::decode(&later), None);
    }
}
