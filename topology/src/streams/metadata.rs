//! Which instance to ask for a row.

use std::collections::BTreeSet;

use super::env::Env;
use super::membership::Assignment;
use crate::cluster::partition_of;
use crate::codec::SharedCodec;
use crate::error::{Error, ErrorKind, Result};
use crate::record::Data;

/// What is known of an instance of the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamsMetadata {
    /// Where it answers questions, as it was configured with
    /// [`application_server`](super::StreamsConfig::application_server).
    pub server: Option<String>,
    /// True of the instance that is asked.
    pub is_local: bool,
    /// The numbers of the tasks that it runs.
    pub active_tasks: BTreeSet<u16>,
    /// The numbers of the tasks whose rows it keeps up to date, a little behind.
    pub standby_tasks: BTreeSet<u16>,
}

/// Who has the row of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyQueryMetadata {
    /// The number of the task that the key belongs to.
    pub partition: u16,
    /// The instance that runs the task; none while it goes from one to another.
    pub active: Option<StreamsMetadata>,
    /// Those that keep its rows up to date, a little behind.
    pub standbys: Vec<StreamsMetadata>,
}

/// All instances of an assignment, in the order of their names.
pub(super) fn instances(env: &Env, assignment: &Assignment) -> Vec<StreamsMetadata> {
    let members = assignment.members.iter();
    members
        .map(|(member, seat)| {
            let share = assignment.share(member);
            StreamsMetadata {
                server: seat.server.clone(),
                is_local: seat.instance == env.instance,
                active_tasks: share.active,
                standby_tasks: share.standby,
            }
        })
        .collect()
}

/// Who has the row of a key of a table.
///
/// # Errors
///
/// Where there is no such table, or the key cannot be encoded.
pub(super) fn of_key<K: Data>(
    env: &Env,
    assignment: Option<&Assignment>,
    table: &str,
    key: &K,
    codec: &SharedCodec<K>,
) -> Result<KeyQueryMetadata> {
    let mut bytes = Vec::new();
    codec.encode(key, &mut bytes)?;
    let partitions = partitions_of(env, table)?;
    let partition = partition_of(&bytes, partitions);
    let partition = u16::try_from(partition).expect("tasks are numbered by 16 bits");
    let all = assignment.map_or_else(Vec::new, |assignment| instances(env, assignment));
    let active = all.iter().find(|i| i.active_tasks.contains(&partition));
    let standbys = all.iter().filter(|i| i.standby_tasks.contains(&partition));
    Ok(KeyQueryMetadata {
        partition,
        active: active.cloned(),
        standbys: standbys.cloned().collect(),
    })
}

/// Over how many tasks the rows of a table are spread.
fn partitions_of(env: &Env, table: &str) -> Result<u32> {
    let unknown = || {
        Error::new(
            ErrorKind::NotFound,
            format!("there is no table {table} in this application"),
        )
    };
    let graph = &env.graph;
    let writes = |node: &&crate::graph::NodeId| {
        let mut stores = graph.node(**node).writes.iter();
        stores.any(|store| *graph.store(*store).name == *table)
    };
    let mut parts = env.plan.parts.iter();
    let part = parts.find(|part| part.nodes.iter().find(writes).is_some());
    let part = part.ok_or_else(unknown)?;
    if part.lanes == 1 {
        return Ok(1);
    }
    let inputs = part.inputs.iter();
    let counts = inputs.map(|input| match env.topics.sources.get(input) {
        Some(topic) => topic.partitions,
        None => u32::from(env.topics.lanes),
    });
    counts.max().ok_or_else(unknown)
}
