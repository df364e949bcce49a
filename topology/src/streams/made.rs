//! What the rows of tasks were made by, so that no other program takes them for its own.
//!
//! The words of each query, the forms of each store, and the numbers of partitions of the topics that these are
//! made of, are remembered like the time of a task: in the changelog of what tasks remember, from the first commit
//! on. Whoever takes the tasks over compares them.

use std::collections::BTreeMap;

use super::env::Env;
use super::topic_watch;
use crate::error::{Error, ErrorKind, Result};

/// The keys and words that are to be remembered of the tasks of a number and are not yet.
///
/// # Errors
///
/// Where the rows were made by another program, or the state cannot be read.
pub(super) fn missing(env: &Env, lane: u16) -> Result<Vec<(String, String)>> {
    let stores = env.graph.stores.iter();
    let stores = stores.map(|store| ("store", &*store.name, &store.fingerprint));
    let queries = env.plans.iter();
    let queries = queries.map(|(query, plan)| ("query", &**query, plan));
    let mut missing = partitions(env, lane)?;
    for (what, name, words) in stores.chain(queries) {
        let key = format!("made/{lane}/{what}/{name}");
        match env.state.meta(&key)? {
            None => missing.push((key, words.clone())),
            Some(found) if found == words.as_bytes() => {}
            Some(found) => {
                let found = String::from_utf8_lossy(&found);
                return Err(Error::state(format!(
                    "the rows of {what} {name} were made by another program that ran as application {}; give \
                     the {what} another name, or run under another application id\n  it was: {found}\n  \
                     it is:  {words}",
                    env.application
                )));
            }
        }
    }
    Ok(missing)
}

/// The numbers of partitions that are to be remembered of the topics that rows are made of and are not yet: with
/// another number, records of a key are in other tasks than its rows.
///
/// # Errors
///
/// Where a topic had another number then, or the state cannot be read.
fn partitions(env: &Env, lane: u16) -> Result<Vec<(String, String)>> {
    let mut missing = BTreeMap::new();
    let parts = env.plan.parts.iter().filter(|part| !part.stores.is_empty());
    let inputs = parts.flat_map(|part| &part.inputs);
    for source in inputs.filter_map(|input| env.topics.sources.get(input)) {
        let key = format!("made/{lane}/partitions/{}", source.name);
        let Some(found) = env.state.meta(&key)? else {
            missing.insert(key, source.partitions.to_string());
            continue;
        };
        let found = String::from_utf8_lossy(&found);
        match found.parse() {
            Ok(before) if before == source.partitions => {}
            Ok(before) => {
                let (application, now) = (&env.application, source.partitions);
                return Err(Error::new(
                    ErrorKind::Invalid,
                    topic_watch::changed(application, &source.name, before, now),
                ));
            }
            Err(_) => {
                return Err(Error::state(format!(
                    "topic {} cannot have had {found} partitions, as the state says",
                    source.name
                )));
            }
        }
    }
    Ok(missing.into_iter().collect())
}
