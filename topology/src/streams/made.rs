//! What the rows of tasks were made by, so that no other program takes them for its own.
//!
//! The words of each query and the forms of each store are remembered like the time of a task: in the
//! changelog of what tasks remember, from the first commit on. Whoever takes the tasks over compares them.

use super::env::Env;
use crate::error::{Error, Result};

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
    let mut missing = Vec::new();
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
