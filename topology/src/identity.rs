//! Which program a state was made by, and what of it can still be used.
//!
//! The state remembers, for each store, a fingerprint of what its rows are; for each query, one of
//! its plan where it was given; and how many lanes there are. Rows of another plan are never read.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::store::{Commit, State};

/// What a query is, in words of the program's own: equal words, equal results.
pub(crate) type Plans = BTreeMap<String, String>;

fn lanes_key() -> &'static str {
    "lanes"
}

fn store_key(store: &str) -> String {
    format!("store/{store}")
}

fn plan_key(query: &str) -> String {
    format!("plan/{query}")
}

/// The number of lanes that the state was made with; `wanted`, where there is no state yet.
pub(crate) fn lanes(state: &State, wanted: u16) -> Result<u16> {
    if let Some(bytes) = state.meta(lanes_key())? {
        let lanes = bytes.try_into().map_or(0, u16::from_be_bytes);
        return if lanes == 0 {
            Err(Error::state("the state does not say how many lanes it has"))
        } else {
            Ok(lanes)
        };
    }
    let mut commit = Commit::default();
    commit.put_meta(lanes_key(), &wanted.to_be_bytes());
    state.commit(commit, true)?;
    Ok(wanted)
}

/// Drops everything that the state holds of the queries named.
pub(crate) fn forget(state: &State, graph: &Graph, queries: &[String]) -> Result<()> {
    let mut commit = Commit::default();
    for query in queries {
        commit.remove_meta(&plan_key(query));
        let nodes = graph.nodes.iter().filter(|node| *node.query == **query);
        for node in nodes {
            forget_node(state, &node.name, &mut commit)?;
            for store in &node.writes {
                let store = &graph.store(*store).name;
                state.drop_store(store)?;
                commit.remove_meta(&store_key(store));
                for lane in 0..lanes(state, 1)? {
                    commit.remove_meta(&format!("generation/{lane}/{store}"));
                }
            }
        }
    }
    if commit.is_empty() {
        return Ok(());
    }
    state.commit(commit, true)
}

fn forget_node(state: &State, node: &str, commit: &mut Commit) -> Result<()> {
    for kind in ["position", "rebuild", "assigned"] {
        let prefix = format!("{kind}/{node}/");
        for (key, _) in state.meta_with_prefix(&prefix)? {
            commit.remove_meta(&format!("{prefix}{key}"));
        }
    }
    for kind in ["started", "time"] {
        for lane in 0..lanes(state, 1)? {
            commit.remove_meta(&format!("{kind}/{lane}/{node}"));
        }
    }
    Ok(())
}

/// Drops what the state holds of a query that is in the program no more. A table under its name stays.
pub(crate) fn forget_gone(
    state: &State,
    graph: &Graph,
    query: &str,
    commit: &mut Commit,
) -> Result<()> {
    let prefix = format!("{query}.");
    let is_kept = |name: &str| {
        let here = graph.nodes.iter().any(|node| *node.name == *name)
            || graph.stores.iter().any(|store| *store.name == *name);
        here || !name.starts_with(&prefix)
    };
    let is_table = state.meta(&store_key(query))?.is_some();
    if is_table || graph.nodes.iter().any(|node| *node.query == *query) {
        return Ok(());
    }
    commit.remove_meta(&plan_key(query));
    for kind in ["position", "rebuild", "assigned"] {
        for (key, _) in state.meta_with_prefix(&format!("{kind}/{prefix}"))? {
            let name = format!("{prefix}{key}");
            if !is_kept(name.rsplit_once('/').map_or(&name[..], |(node, _)| node)) {
                commit.remove_meta(&format!("{kind}/{name}"));
            }
        }
    }
    for kind in ["started", "time", "generation"] {
        for (key, _) in state.meta_with_prefix(&format!("{kind}/"))? {
            let name = key.split_once('/').map_or("", |(_, name)| name);
            if !is_kept(name) {
                commit.remove_meta(&format!("{kind}/{key}"));
            }
        }
    }
    for (store, _) in state.meta_with_prefix(&store_key(&prefix))? {
        let store = format!("{prefix}{store}");
        if !is_kept(&store) {
            state.drop_store(&store)?;
            commit.remove_meta(&store_key(&store));
        }
    }
    Ok(())
}

/// Checks that what the state holds was made by the same queries, and notes what is new.
pub(crate) fn check(state: &State, graph: &Graph, plans: &Plans) -> Result<()> {
    let mut commit = Commit::default();
    for store in &graph.stores {
        let key = store_key(&store.name);
        match state.meta(&key)? {
            None => commit.put_meta(&key, store.fingerprint.as_bytes()),
            Some(found) if found == store.fingerprint.as_bytes() => {}
            Some(found) => {
                let found = String::from_utf8_lossy(&found).into_owned();
                return Err(other(&store.name, "store", &found, &store.fingerprint));
            }
        }
    }
    for (query, plan) in plans {
        let key = plan_key(query);
        match state.meta(&key)? {
            None => commit.put_meta(&key, plan.as_bytes()),
            Some(found) if found == plan.as_bytes() => {}
            Some(found) => {
                let found = String::from_utf8_lossy(&found).into_owned();
                return Err(other(query, "query", &found, plan));
            }
        }
    }
    if commit.is_empty() {
        return Ok(());
    }
    state.commit(commit, true)
}

fn other(name: &str, what: &str, found: &str, wanted: &str) -> Error {
    Error::state(format!(
        "the state of {what} {name} was made by another program; rebuild it, or give the {what} \
         another name\n  it was: {found}\n  it is:  {wanted}"
    ))
}
