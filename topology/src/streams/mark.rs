//! How far the rows go that the local state has of a changelog, and whether they still belong to it.
//!
//! Rows belong to a topic, which is known by its id, and to what a leader of the partition had. An election may
//! choose a leader that lacks records; others stand at their offsets then, though the end may be further than
//! before. So a mark has a point besides: an offset up to which it is certain that the leader of an epoch had
//! what the rows are of. It is asked for beside the commits, and so it may stand behind the end of the rows.

use std::time::Duration;

use super::env::Env;
use crate::cluster::{Cut, LogPoint, OffsetRange, TopicId, TopicPartition};
use crate::error::Result;
use crate::store::{Commit, State};
use crate::time::Timestamp;

/// The version of what is written, and the one before, which has no point.
const VERSION: u8 = 2;
const WITHOUT_POINT: u8 = 1;

/// How many bytes a mark has, and had before it had a point.
const SIZE: usize = SIZE_WITHOUT_POINT + 12;
const SIZE_WITHOUT_POINT: usize = 33;

/// How far the rows go that the local state has of a changelog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Everything before this offset is in the state.
    pub(super) offset: i64,
    /// When that was known to be so last.
    written: Timestamp,
    /// The topic, which another of the same name is not.
    topic: TopicId,
    /// Up to where a leader had what the rows are of, where that is known.
    pub(super) point: Option<LogPoint>,
}

fn key(partition: &TopicPartition) -> String {
    format!("changelog/{}/{}", partition.partition, partition.topic)
}

impl Mark {
    /// Of a changelog, up to an offset, as of now.
    pub(super) fn new(
        env: &Env,
        partition: &TopicPartition,
        offset: i64,
        point: Option<LogPoint>,
    ) -> Self {
        Mark {
            offset,
            written: env.clock.now(),
            topic: env.topics.id(&partition.topic),
            point,
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
        let size = match *bytes.first()? {
            VERSION => SIZE,
            WITHOUT_POINT => SIZE_WITHOUT_POINT,
            _ => return None,
        };
        if bytes.len() != size {
            return None;
        }
        let number = |from: usize| {
            let bytes = bytes[from..from + 8].try_into();
            i64::from_be_bytes(bytes.expect("they are eight"))
        };
        let point = (size == SIZE).then(|| LogPoint {
            offset: number(33),
            epoch: i32::from_be_bytes(bytes[41..].try_into().expect("they are four")),
        });
        Some(Mark {
            offset: number(1),
            written: number(9),
            topic: bytes[17..33].try_into().expect("they are sixteen"),
            point: point.filter(|point| point.epoch >= 0),
        })
    }

    fn encode(&self) -> [u8; SIZE] {
        // No leader has such an epoch.
        let unknown = LogPoint {
            offset: 0,
            epoch: -1,
        };
        let point = self.point.unwrap_or(unknown);
        let mut bytes = [0; SIZE];
        bytes[0] = VERSION;
        bytes[1..9].copy_from_slice(&self.offset.to_be_bytes());
        bytes[9..17].copy_from_slice(&self.written.to_be_bytes());
        bytes[17..33].copy_from_slice(&self.topic);
        bytes[33..41].copy_from_slice(&point.offset.to_be_bytes());
        bytes[41..].copy_from_slice(&point.epoch.to_be_bytes());
        bytes
    }

    /// The same, with another point.
    pub(super) fn at(self, point: Option<LogPoint>) -> Self {
        Mark { point, ..self }
    }

    /// Has a commit remember it.
    pub(super) fn put(&self, commit: &mut Commit, partition: &TopicPartition) {
        commit.put_meta(&key(partition), &self.encode());
    }

    /// Has a commit forget what the state has of a changelog.
    pub(super) fn forget(commit: &mut Commit, partition: &TopicPartition) {
        commit.remove_meta(&key(partition));
    }

    /// True where the topic was deleted since, and another of its name was made.
    pub(super) fn is_of_another(&self, env: &Env, partition: &TopicPartition) -> bool {
        let topic = env.topics.id(&partition.topic);
        topic != self.topic && topic != TopicId::default()
    }

    /// Why the rows cannot be those of the changelog up to the offset; none where they can. What became of
    /// the point was asked for.
    pub(super) fn refusal(
        &self,
        env: &Env,
        partition: &TopicPartition,
        there: OffsetRange,
        cut: Option<Cut>,
    ) -> Option<String> {
        let offset = self.offset;
        if self.is_of_another(env, partition) {
            return Some("the topic was deleted and made again since".to_owned());
        }
        if let Some(cut) = cut {
            return Some(format!("{cut}, and they go to {offset}"));
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

    fn mark(point: Option<LogPoint>) -> Mark {
        Mark {
            offset: 7_000_000_000,
            written: 1_700_000_000_000,
            topic: [3; 16],
            point,
        }
    }

    #[test]
    fn marks_are_read_as_they_were_written() {
        let point = LogPoint {
            offset: 6_999_999_999,
            epoch: 70_000,
        };
        for mark in [mark(None), mark(Some(point))] {
            let bytes = mark.encode();
            assert_eq!(Mark::decode(&bytes), Some(mark));
            // Rows whose mark is not understood are read again.
            assert_eq!(Mark::decode(&bytes[..44]), None);
            assert_eq!(Mark::decode(&bytes[..33]), None);
            let mut later = bytes;
            later[0] = 3;
            assert_eq!(Mark::decode(&later), None);
        }
        assert_eq!(Mark::decode(&5_i64.to_be_bytes()), None);
        assert_eq!(Mark::decode(&[]), None);
    }

    #[test]
    fn marks_of_the_version_before_have_no_point() {
        let mark = mark(None);
        let mut bytes = mark.encode();
        bytes[0] = 1;
        assert_eq!(Mark::decode(&bytes[..33]), Some(mark));
        assert_eq!(Mark::decode(&bytes), None);
        assert_eq!(Mark::decode(&bytes[..32]), None);
    }
}
