//! How far the inputs of tasks were read, remembered behind the rows: for when the group has forgotten it.
//!
//! Brokers forget the offsets of a group that has had no members for `offsets.retention.minutes`. An application
//! that comes back later still has its rows, or reads them from their changelogs; with the first record of its
//! inputs it would count everything again. So each commit of offsets goes to the changelog of what tasks remember
//! too, and counts where the group knows of none.
//!
//! Who wants an application to begin anew deletes its changelogs as well: without that its rows would stay too.

use super::env::Env;
use crate::cluster::{CommittedOffset, TopicId, TopicPartition};
use crate::error::Result;
use crate::store::Commit;

/// The first word of the keys.
pub(super) const READ: &str = "read";

/// The version of what is written.
const VERSION: u8 = 1;

/// How many bytes come before the words.
const HEAD: usize = 25;

fn key(partition: &TopicPartition) -> String {
    format!("{READ}/{}/{}", partition.partition, partition.topic)
}

/// True where a key is one of how far an input was read.
pub(super) fn is_key(key: &[u8]) -> bool {
    let rest = key.strip_prefix(READ.as_bytes());
    rest.is_some_and(|rest| rest.first() == Some(&b'/'))
}

/// Has a commit remember the offsets that go with it.
pub(super) fn put(env: &Env, commit: &mut Commit, offsets: &[(TopicPartition, CommittedOffset)]) {
    let inputs = offsets
        .iter()
        .filter(|(of, _)| env.topics.positions.as_ref() != Some(&of.topic));
    for (partition, at) in inputs {
        let value = encode(env.topics.id(&partition.topic), at);
        commit.put_meta(&key(partition), &value);
    }
}

/// How far a partition was read as of the rows that are here; none where that is not known, or where the topic
/// is another by now.
///
/// # Errors
///
/// Where the state cannot be read.
pub(super) fn recall(env: &Env, partition: &TopicPartition) -> Result<Option<CommittedOffset>> {
    #[cfg(test)]
    if env.planted == Some(super::env::Planted::GroupAlone) {
        return Ok(None);
    }
    let found = env.state.meta(&key(partition))?;
    let Some((topic, at)) = found.and_then(|bytes| decode(&bytes)) else {
        return Ok(None);
    };
    let id = env.topics.id(&partition.topic);
    if topic != id && id != TopicId::default() {
        tracing::warn!(
            "{partition} is read from its first record: the topic was deleted and made again since it was read to {}",
            at.offset
        );
        return Ok(None);
    }
    tracing::warn!(
        "the group {} has forgotten how far {partition} was read; it goes on at {}, as the rows do",
        env.application,
        at.offset
    );
    Ok(Some(at))
}

fn encode(topic: TopicId, at: &CommittedOffset) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + at.metadata.len());
    bytes.push(VERSION);
    bytes.extend_from_slice(&topic);
    bytes.extend_from_slice(&at.offset.to_be_bytes());
    bytes.extend_from_slice(at.metadata.as_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<(TopicId, CommittedOffset)> {
    let (head, words) = bytes.split_at_checked(HEAD)?;
    if head[0] != VERSION {
        return None;
    }
    let at = CommittedOffset {
        offset: i64::from_be_bytes(head[17..].try_into().expect("they are eight")),
        metadata: String::from_utf8(words.to_vec()).ok()?,
    };
    Some((head[1..17].try_into().expect("they are sixteen"), at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_as_they_were_written() {
        let at = CommittedOffset {
            offset: 7_000_000_000,
            metadata: "time=5 0123456789abcdef=9@7".to_owned(),
        };
        let bytes = encode([3; 16], &at);
        assert_eq!(decode(&bytes), Some(([3; 16], at)));
        assert_eq!(decode(&bytes[..24]), None);
        let mut later = bytes;
        later[0] = 2;
        assert_eq!(decode(&later), None, "a later version is not guessed at");
    }

    #[test]
    fn keys_are_told_from_others() {
        let of = TopicPartition::new("orders", 3);
        assert_eq!(key(&of), "read/3/orders");
        assert!(is_key(key(&of).as_bytes()));
        assert!(!is_key(b"ready/3/orders") && !is_key(b"time/3/orders") && !is_key(b"read"));
    }
}
