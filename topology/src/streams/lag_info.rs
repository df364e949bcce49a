//! How far the rows of each store are behind their changelog, in one instance.

use std::collections::{BTreeMap, BTreeSet};

use super::changelog;
use super::env::Env;
use crate::cluster::{Isolation, TopicPartition};
use crate::error::Result;
use crate::store::store_of;

/// How far the rows of a store are behind the changelog of one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LagInfo {
    /// The offset of the changelog up to which the rows go that are here.
    pub current_offset_position: i64,
    /// Where the changelog ends.
    pub end_offset_position: i64,
}

impl LagInfo {
    /// How many offsets of the changelog the rows lack, those of transactions' markers included.
    pub fn offset_lag(&self) -> u64 {
        let missing = self.end_offset_position - self.current_offset_position;
        u64::try_from(missing).unwrap_or(0)
    }
}

/// The lag of each store that has a changelog, by the numbers of tasks: of those that run, which lack nothing,
/// and of others whose rows are brought up to date.
///
/// # Errors
///
/// Where the cluster cannot be asked, or the state cannot be read.
pub(super) fn of_stores(
    env: &Env,
    running: &BTreeSet<u16>,
    others: &BTreeSet<u16>,
) -> Result<BTreeMap<String, BTreeMap<u16, LagInfo>>> {
    let tasks: Vec<u16> = running.union(others).copied().collect();
    let mut places = Vec::new();
    for (family, topic) in &env.topics.changelogs {
        let store = store_of(family).unwrap_or(family.name());
        let of = |task: &u16| {
            (
                store,
                *task,
                TopicPartition::new(topic.clone(), (*task).into()),
            )
        };
        places.extend(tasks.iter().map(of));
    }
    let partitions: Vec<TopicPartition> = places.iter().map(|(_, _, of)| of.clone()).collect();
    let there = env
        .cluster
        .offsets_of(&partitions, Isolation::ReadUncommitted)?;
    let mut lags: BTreeMap<String, BTreeMap<u16, LagInfo>> = BTreeMap::new();
    for ((store, task, partition), there) in places.into_iter().zip(there) {
        let current = if running.contains(&task) {
            there.end
        } else {
            changelog::known_offset(env, &partition, there)?
        };
        let info = LagInfo {
            current_offset_position: current,
            end_offset_position: there.end,
        };
        lags.entry(store.to_owned()).or_default().insert(task, info);
    }
    Ok(lags)
}
