//! Building anew what is made of a source whose content was replaced.
//!
//! The rows that are built stand beside those that are read, in the local state alone. Once they are complete
//! they take the place of the others in one commit, and how they differ goes on to other steps and into the
//! changelogs. Whoever takes the tasks over before that finds the position in the former content, and begins
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::reading::Reading;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::NodeId;
use crate::processor::StoreId;
use crate::store::{Commit, Family, FamilyWrites, Generations, Part, store_family};
use crate::streams::env::Env;
use crate::task::generation_key;
use crate::tasks::TaskSet;

/// How far the building anew of a group of the plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// What was read before is still to be processed.
    Draining,
    Building,
}

/// What is built anew.
#[derive(Debug, Default)]
pub(super) struct Rebuilds {
    groups: BTreeMap<usize, Stage>,
    /// The generation that is built of each store's rows.
    building: BTreeMap<Family, u8>,
}

/// Rows that were built anew, and take the place of others with the next commit.
#[derive(Default)]
pub(super) struct Built {
    /// How they differ, as changelogs are to have it.
    pub(super) differences: Vec<FamilyWrites>,
    /// What the state is to forget.
    pub(super) forgets: Commit,
}

impl Rebuilds {
    /// True where nothing is to be read of a source for now.
    pub(super) fn holds(&self, env: &Env, node: NodeId) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|(group, stage)| {
            *stage == Stage::Draining && env.plan.rebuilds[*group].sources.contains(&node)
        })
    }

    /// Takes rows out of a commit that are built and not read yet: no changelog gets them.
    pub(super) fn take(&self, commit: &mut Commit) -> Commit {
        let mut built = Commit::default();
        if self.building.is_empty() {
            return built;
        }
        for writes in std::mem::take(&mut commit.writes) {
            let generation = writes.iter().next().map(|(key, _)| key.get(2).copied());
            let building = self.building.get(writes.family()).copied();
            if building.is_some() && generation == Some(building) {
                built.push(writes);
            } else {
                commit.push(writes);
            }
        }
        built
    }

    /// Goes on, everything that was processed being committed; the rows that are complete, if any are.
    ///
    /// # Errors
    ///
    /// Where what was made of the former content cannot be made anew, or a source cannot be read.
    pub(super) fn advance(
        &mut self,
        env: &Env,
        lane: u16,
        set: &mut TaskSet,
        readings: &mut [Reading],
    ) -> Result<Option<Built>> {
        self.notice(env, set, readings)?;
        let mut all: Option<Built> = None;
        for (group, stage) in self.groups.clone() {
            let sources = &env.plan.rebuilds[group].sources;
            if sources.iter().any(|node| set.waits_for(*node)) {
                continue;
            }
            if stage == Stage::Draining {
                self.begin(env, lane, group, set, readings)?;
                continue;
            }
            let mut own = readings.iter();
            if own.all(|reading| !sources.contains(&reading.of.node) || reading.caught_up) {
                let built = self.end(env, lane, group, set, readings)?;
                let all = all.get_or_insert_default();
                all.differences.extend(built.differences);
                all.forgets.merge(built.forgets);
            }
        }
        Ok(all)
    }

    /// Learns which sources have another content.
    fn notice(&mut self, env: &Env, set: &mut TaskSet, readings: &mut [Reading]) -> Result<()> {
        for reading in readings.iter_mut().filter(|reading| reading.replaced) {
            let node = reading.of.node;
            let mut groups = env.plan.rebuilds.iter();
            let Some(at) = groups.position(|group| group.sources.contains(&node)) else {
                continue;
            };
            if env.plan.rebuilds[at].builders.is_empty() {
                if !set.waits_for(node) {
                    reading.restart(set)?;
                }
                continue;
            }
            if !env.topics.locals.can_rebuild(&env.plan, at) {
                return Err(replaced(env, reading, &env.plan.rebuilds[at].builders));
            }
            // It may change again while it is read.
            self.groups.insert(at, Stage::Draining);
        }
        Ok(())
    }

    fn begin(
        &mut self,
        env: &Env,
        lane: u16,
        group: usize,
        set: &mut TaskSet,
        readings: &mut [Reading],
    ) -> Result<()> {
        let plan = env.plan.clone();
        let group_of = &plan.rebuilds[group];
        for reading in readings.iter_mut() {
            if group_of.sources.contains(&reading.of.node) {
                tracing::info!(
                    "the content of {} was replaced and is read anew",
                    reading.of.name
                );
                reading.restart(set)?;
                reading.rebuilds = true;
            }
        }
        let mut commit = Commit::default();
        let builders: Vec<NodeId> = group_of.builders.iter().copied().collect();
        set.for_nodes(&builders, |task, mine| {
            task.begin_generation(mine, &mut commit)
        })?;
        // Nobody else is to know of it.
        env.state.commit(commit, false)?;
        for store in stores(env, &builders) {
            let family = store_family(&env.graph.store(store).name);
            if let Some(building) = generations(env, lane, store)?.building {
                self.building.insert(family, building);
            }
        }
        self.groups.insert(group, Stage::Building);
        Ok(())
    }

    fn end(
        &mut self,
        env: &Env,
        lane: u16,
        group: usize,
        set: &mut TaskSet,
        readings: &mut [Reading],
    ) -> Result<Built> {
        let plan = env.plan.clone();
        let group_of = &plan.rebuilds[group];
        let builders: Vec<NodeId> = group_of.builders.iter().copied().collect();
        let mut built = Built::default();
        for store in stores(env, &builders) {
            let differences = differences(env, lane, store)?;
            if !differences.is_empty() {
                built.differences.push(differences);
            }
            let family = store_family(&env.graph.store(store).name);
            self.building.remove(&family);
        }
        set.for_nodes(&builders, |task, mine| {
            task.end_generation(mine, &mut built.forgets)
        })?;
        for reading in readings.iter_mut() {
            if group_of.sources.contains(&reading.of.node) {
                reading.rebuilds = false;
            }
        }
        self.groups.remove(&group);
        Ok(built)
    }
}

fn replaced(env: &Env, reading: &Reading, builders: &BTreeSet<NodeId>) -> Error {
    let names = builders.iter().map(|node| &*env.graph.node(*node).name);
    Error::new(
        ErrorKind::Failed,
        format!(
            "the content of {} was replaced, and what the application makes of it and of others together ({}) \
             cannot be made anew; start it under another application id, or read the source as a log with \
             rewrite = 'append'",
            reading.of.source.describe().location,
            names.collect::<Vec<&str>>().join(", ")
        ),
    )
}

/// The stores that nodes write.
fn stores(env: &Env, nodes: &[NodeId]) -> BTreeSet<StoreId> {
    let writes = nodes.iter().flat_map(|node| &env.graph.node(*node).writes);
    writes.copied().collect()
}

fn generations(env: &Env, lane: u16, store: StoreId) -> Result<Generations> {
    let found = env.state.meta(&generation_key(&env.graph, store, lane))?;
    let found = found.and_then(|bytes| Generations::from_bytes(&bytes));
    Ok(found.unwrap_or_default())
}

/// How the rows that were built differ from those that are read.
fn differences(env: &Env, lane: u16, store: StoreId) -> Result<FamilyWrites> {
    let family = store_family(&env.graph.store(store).name);
    let Generations { current, building } = generations(env, lane, store)?;
    let mut differences = FamilyWrites::new(family.clone());
    let Some(building) = building else {
        return Ok(differences);
    };
    let part = |generation| Part { lane, generation };
    let (former, built) = (part(current), part(building));
    let in_part = |part: Part, key: &[u8]| [&part.bytes(), &key[Part::LEN..]].concat();
    let state = &env.state;
    state.scan_family(&family, &built.bytes(), &built.end(), &mut |key, value| {
        let was = state.get_of_family(&family, &in_part(former, key))?;
        if was.as_deref() != Some(value) {
            differences.put(&[key], Some(value));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    state.scan_family(&family, &former.bytes(), &former.end(), &mut |key, _| {
        let is = in_part(built, key);
        if state.get_of_family(&family, &is)?.is_none() {
            differences.put(&[&is], None);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(differences)
}
