//! Where reading a partition of a source goes on, as the state remembers it.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::graph::{Graph, NodeId};
use crate::store::State;
use crate::time::Timestamp;

/// Where reading a partition goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    /// The greatest timestamp before it.
    pub(crate) reached: Timestamp,
    /// The offset of the record that is read next.
    pub(crate) offset: i64,
    /// The same in the words of the source.
    pub(crate) token: Vec<u8>,
}

impl Position {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let words = [self.reached.to_be_bytes(), self.offset.to_be_bytes()].concat();
        [words, self.token.clone()].concat()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (reached, rest) = bytes.split_first_chunk()?;
        let (offset, token) = rest.split_first_chunk()?;
        Some(Position {
            reached: i64::from_be_bytes(*reached),
            offset: i64::from_be_bytes(*offset),
            token: token.to_vec(),
        })
    }
}

/// What the keys of all positions of a source begin with.
fn prefix(graph: &Graph, node: NodeId) -> String {
    format!("position/{}/", graph.node(node).name)
}

/// The key under which it is remembered where reading a partition goes on.
pub(crate) fn key(graph: &Graph, node: NodeId, partition: u32) -> String {
    format!("{}{partition}", prefix(graph, node))
}

/// Where reading each partition of a source goes on.
///
/// # Errors
///
/// Where the state cannot be read, or a position in it is broken.
pub(crate) fn read(state: &State, graph: &Graph, node: NodeId) -> Result<BTreeMap<u32, Position>> {
    let mut positions = BTreeMap::new();
    for (rest, bytes) in state.meta_with_prefix(&prefix(graph, node))? {
        // What has more than a number there belongs to a source whose name goes on.
        let Ok(partition) = rest.parse() else {
            continue;
        };
        let position = Position::from_bytes(&bytes).ok_or_else(|| {
            let source = &graph.node(node).name;
            Error::state(format!(
                "the position of partition {partition} of {source} is cut off in the state"
            ))
        })?;
        positions.insert(partition, position);
    }
    Ok(positions)
}
