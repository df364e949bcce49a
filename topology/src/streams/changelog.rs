//! Changelogs: each row of a commit as a record of a topic, and rows again of such records.
//!
//! The record of a row has the row's key and value as the store keeps them, without the number of the
//! task, which is that of the partition; a removed row is a record without a value. What tasks remember
//! (their time, that of those who feed them, what they did at their first start, what made their rows, how far
//! their inputs were read) is in a topic of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::env::Env;
use super::local::POSITION;
use super::mark::Mark;
use super::remembered::{self, READ};
use super::topics::Topics;
use crate::cluster::{Isolation, LogPoint, OffsetRange, TopicPartition};
use crate::connector::RawBatch;
use crate::error::{Error, Result};
use crate::store::{Commit, Family, FamilyWrites, Generations, META, Part, State, store_of};

/// A record of a changelog.
pub(super) struct ChangelogRecord<'a> {
    pub(super) to: &'a TopicPartition,
    pub(super) key: &'a [u8],
    pub(super) value: Option<&'a [u8]>,
}

impl ChangelogRecord<'_> {
    /// True where it says how far something was read, and so that all which follows from that is written.
    pub(super) fn is_position(&self, topics: &Topics) -> bool {
        topics.positions.as_ref() == Some(&self.to.topic)
            || (self.to.topic == topics.tasks && remembered::is_key(self.key))
    }
}

/// Calls `send` with the record of each of these rows of a commit.
///
/// # Errors
///
/// Those of `send`; and where rows are removed by the range, which is done beside it where a source was
/// replaced as a whole.
pub(super) fn for_each_record<'a, E: From<Error>>(
    topics: &Topics,
    rows: impl Iterator<Item = &'a FamilyWrites>,
    mut send: impl FnMut(ChangelogRecord<'_>) -> Result<(), E>,
) -> Result<(), E> {
    for writes in rows {
        let family = writes.family();
        if family.name() == META {
            for (key, value) in writes.iter() {
                if let Some(to) = place_of_meta(topics, key) {
                    send(ChangelogRecord {
                        to: &to,
                        key,
                        value,
                    })?;
                }
            }
            continue;
        }
        let topic = topics.changelogs.iter().find(|(of, _)| of == family);
        let Some((_, topic)) = topic.filter(|_| !writes.clears()) else {
            return Err(Error::state(format!("{family} cannot be written to a changelog")).into());
        };
        // All are of one part, and so of one task.
        let Some((first, _)) = writes.iter().next() else {
            continue;
        };
        let to = TopicPartition::new(topic.clone(), u32::from(lane_of_part(first)));
        for (key, value) in writes.iter() {
            let key = &key[Part::LEN..];
            send(ChangelogRecord {
                to: &to,
                key,
                value,
            })?;
        }
    }
    Ok(())
}

fn lane_of_part(part: &[u8]) -> u16 {
    u16::from_be_bytes([part[0], part[1]])
}

/// What tasks remember beside their rows, in the topic of all tasks.
const TASKS: [&str; 5] = ["time", "channels", "started", "made", READ];

/// The changelog of something that is remembered: `time/3/node` is of task 3.
fn place_of_meta(topics: &Topics, key: &[u8]) -> Option<TopicPartition> {
    let key = std::str::from_utf8(key).ok()?;
    let mut words = key.split('/');
    let topic = match words.next()? {
        POSITION => topics.positions.as_ref()?,
        kind if TASKS.contains(&kind) => &topics.tasks,
        _ => return None,
    };
    let lane = words.next()?.parse().ok()?;
    Some(TopicPartition::new(topic.clone(), lane))
}

/// Which generation of a store's rows is that of its changelog.
fn current(state: &State, family: &Family, lane: u16) -> Result<u8> {
    let Some(store) = store_of(family) else {
        return Ok(0);
    };
    let found = state.meta(&format!("generation/{lane}/{store}"))?;
    let found = found.and_then(|bytes| Generations::from_bytes(&bytes));
    Ok(found.unwrap_or_default().current)
}

/// The changelogs of the tasks of a number, with the families that they are of.
pub(super) fn of_lane(topics: &Topics, lane: u16) -> Vec<(Family, TopicPartition)> {
    let of = |topic: &Arc<str>| TopicPartition::new(topic.clone(), u32::from(lane));
    let stores = topics.changelogs.iter();
    let mut all: Vec<_> = stores
        .map(|(family, topic)| (family.clone(), of(topic)))
        .collect();
    all.push((Family::new(META), of(&topics.tasks)));
    let positions = topics.position_place().filter(|_| lane == 0);
    all.extend(positions.map(|place| (Family::new(META), place)));
    all
}

/// The offset up to which the state has the rows of a changelog that has records between these.
///
/// # Errors
///
/// Where the state cannot be read.
pub(super) fn known_offset(
    env: &Env,
    partition: &TopicPartition,
    there: OffsetRange,
) -> Result<i64> {
    let known = Mark::read(&env.state, partition)?;
    let known = known.filter(|mark| mark.refusal(env, partition, there, None).is_none());
    Ok(known.map_or(there.first, |mark| mark.offset))
}

/// How many offsets of changelogs the state does not have, of the tasks of each number.
///
/// # Errors
///
/// Where the cluster cannot be asked.
pub(super) fn lags(env: &Env) -> Result<BTreeMap<u16, u64>> {
    let lanes = 0..env.topics.lanes;
    let logs = lanes.flat_map(|lane| of_lane(&env.topics, lane));
    let partitions: Vec<TopicPartition> = logs.map(|(_, partition)| partition).collect();
    let there = env
        .cluster
        .offsets_of(&partitions, Isolation::ReadUncommitted)?;
    let mut lags = BTreeMap::new();
    for (partition, there) in partitions.iter().zip(there) {
        let missing = there.end - known_offset(env, partition, there)?;
        let lane = u16::try_from(partition.partition).expect("tasks are numbered by 16 bits");
        *lags.entry(lane).or_default() += missing.unsigned_abs();
    }
    Ok(lags)
}

/// Adds what a batch of a changelog says to `writes`: the last record of a key is the row.
///
/// # Errors
///
/// Where the state cannot be read.
pub(super) fn add_rows(
    env: &Env,
    writes: &mut FamilyWrites,
    from: &TopicPartition,
    batch: &RawBatch,
) -> Result<()> {
    let lane = u16::try_from(from.partition).expect("tasks are numbered by 16 bits");
    let generation = current(&env.state, writes.family(), lane)?;
    let part = Part { lane, generation }.bytes();
    // What tasks remember is not kept by parts.
    let prefix: &[u8] = match writes.family().name() {
        META => &[],
        _ => &part,
    };
    for at in 0..batch.len() {
        if let Some(key) = batch.key(at) {
            writes.put(&[prefix, key], batch.value(at));
        }
    }
    Ok(())
}

/// A commit of what was read of a changelog, and of how far it goes.
pub(super) fn rows_of(
    env: &Env,
    from: &TopicPartition,
    rows: FamilyWrites,
    end: i64,
    point: Option<LogPoint>,
) -> Commit {
    let mut commit = Commit::default();
    commit.push(rows);
    Mark::new(env, from, end, point).put(&mut commit, from);
    commit
}

/// A commit that forgets everything that the state has of a changelog.
pub(super) fn forget(env: &Env, family: &Family, from: &TopicPartition) -> Result<Commit> {
    let state = &env.state;
    let lane = u16::try_from(from.partition).expect("tasks are numbered by 16 bits");
    let mut commit = Commit::default();
    if family.name() == META {
        let positions = env.topics.positions.as_ref() == Some(&from.topic);
        let kinds: &[&str] = if positions { &[POSITION] } else { &TASKS };
        for kind in kinds {
            let prefix = format!("{kind}/{lane}/");
            for (key, _) in state.meta_with_prefix(&prefix)? {
                commit.remove_meta(&format!("{prefix}{key}"));
            }
        }
    } else {
        let generation = current(state, family, lane)?;
        commit.clear_part(family, Part { lane, generation });
    }
    Mark::forget(&mut commit, from);
    Ok(commit)
}
