//! How far sources that are no topics were read, as the topic for it and the state have it.
//!
//! The key is `position/0/SOURCE/PARTITION`, where 0 is the number of the tasks; the value a version, the time
//! that was reached, the offset of the next record, and the same in the words of the source.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::position::Position;
use crate::store::{Commit, Generations, Part, State, store_family};
use crate::streams::env::Env;
use crate::task::generation_key;

/// What keys of positions begin with.
pub(in crate::streams) const POSITION: &str = "position";

/// The version of what is written.
const VERSION: u8 = 1;

fn prefix(lane: u16, source: &str) -> String {
    format!("{POSITION}/{lane}/{source}/")
}

/// Has a commit remember where reading a partition of a source goes on.
pub(super) fn put(
    commit: &mut Commit,
    lane: u16,
    source: &str,
    partition: u32,
    position: &Position,
) {
    let mut bytes = vec![VERSION];
    bytes.extend(position.to_bytes());
    commit.put_meta(&format!("{}{partition}", prefix(lane, source)), &bytes);
}

/// Has a commit forget where reading a partition of a source goes on.
pub(super) fn remove(commit: &mut Commit, lane: u16, source: &str, partition: u32) {
    commit.remove_meta(&format!("{}{partition}", prefix(lane, source)));
}

/// Where reading each partition of a source goes on.
///
/// # Errors
///
/// Where the state cannot be read, or a position in it.
pub(super) fn read(state: &State, lane: u16, source: &str) -> Result<BTreeMap<u32, Position>> {
    let mut positions = BTreeMap::new();
    for (rest, bytes) in state.meta_with_prefix(&prefix(lane, source))? {
        // What has more than a number there belongs to a source whose name goes on.
        let Ok(partition) = rest.parse() else {
            continue;
        };
        let position = match bytes.split_first() {
            Some((&VERSION, bytes)) => Position::from_bytes(bytes),
            _ => None,
        };
        let position = position.ok_or_else(|| {
            Error::state(format!(
                "where reading partition {partition} of {source} goes on was stored in a form that is not \
                 known; is a newer version of the application at work?"
            ))
        })?;
        positions.insert(partition, position);
    }
    Ok(positions)
}

/// Drops what was built of a source that was read anew when its tasks ended: it is begun again.
///
/// # Errors
///
/// Where the state cannot be read or written.
pub(in crate::streams) fn forget_unfinished(env: &Env, lane: u16) -> Result<()> {
    let mut commit = Commit::default();
    for id in (0..env.graph.stores.len() as u32).map(crate::processor::StoreId) {
        let key = generation_key(&env.graph, id, lane);
        let found = env.state.meta(&key)?;
        let Some(found) = found.and_then(|bytes| Generations::from_bytes(&bytes)) else {
            continue;
        };
        let Some(generation) = found.building else {
            continue;
        };
        let family = store_family(&env.graph.store(id).name);
        commit.clear_part(&family, Part { lane, generation });
        let building = None;
        let left = Generations { building, ..found };
        commit.put_meta(&key, &left.to_bytes());
    }
    if commit.is_empty() {
        return Ok(());
    }
    env.state.commit(commit, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StateOptions;

    #[test]
    fn positions_are_read_as_they_were_written() {
        let state = State::bytes_in_memory(StateOptions::default());
        let at = |offset| Position {
            reached: 5,
            offset,
            token: vec![1, 2],
        };
        let mut commit = Commit::default();
        put(&mut commit, 0, "a", 0, &at(3));
        put(&mut commit, 0, "a", 7, &at(4));
        put(&mut commit, 0, "a/b", 1, &at(9));
        state.commit(commit, false).unwrap();
        let read_all = read(&state, 0, "a").unwrap();
        assert_eq!(read_all, BTreeMap::from([(0, at(3)), (7, at(4))]));
        assert!(read(&state, 1, "a").unwrap().is_empty());
        let mut commit = Commit::default();
        remove(&mut commit, 0, "a", 0);
        commit.put_meta("position/0/a/7", &[9, 9]);
        state.commit(commit, false).unwrap();
        let told = read(&state, 0, "a").unwrap_err().to_string();
        assert!(told.contains("partition 7 of a"), "{told}");
    }
}
