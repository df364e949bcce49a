//! What must hold of the topics of an application, so that what belongs together meets in one task.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bound::{SourceTopic, invalid};
use super::local::LocalSources;
use crate::error::Result;
use crate::graph::{Graph, Kind, NodeId, Plan, SubTopology};

/// Checks that records and rows meet that belong together, and leave in their order.
///
/// # Errors
///
/// Where they do not; with what to do about it.
pub(super) fn check(
    graph: &Graph,
    plan: &Plan,
    sources: &BTreeMap<NodeId, SourceTopic>,
    locals: &LocalSources,
) -> Result<()> {
    for part in &plan.parts {
        check_local(graph, part, locals)?;
        check_together(graph, part, sources, plan.lanes)?;
        check_keys(graph, part)?;
    }
    check_loads(graph, plan.lanes, sources)?;
    check_placed(graph, plan)
}

/// Checks that what is read by the tasks of one number does not meet what the others have by its key.
fn check_local(graph: &Graph, part: &SubTopology, locals: &LocalSources) -> Result<()> {
    let mut all = locals.all().iter();
    match all.find(|source| part.inputs.contains(&source.node)) {
        Some(source) if part.lanes > 1 && !part.stores.is_empty() => {
            let mut others = part.inputs.iter().filter(|input| !graph.is_local(**input));
            let other = others
                .next()
                .map_or("others", |other| &*graph.node(*other).name);
            Err(invalid(format!(
                "source {} is {}, which one task reads, and meets what {other} has in {} tasks: records of \
                 one key would be in different tasks; repartition it before",
                source.name,
                source.source.describe().location,
                part.lanes
            )))
        }
        _ => Ok(()),
    }
}

/// Checks that topics that meet have the same number of partitions.
fn check_together(
    graph: &Graph,
    part: &SubTopology,
    sources: &BTreeMap<NodeId, SourceTopic>,
    lanes: u16,
) -> Result<()> {
    let mut read = part.inputs.iter().filter_map(|input| sources.get(input));
    let Some(first) = read.next() else {
        return Ok(());
    };
    if let Some(other) = read.find(|other| other.partitions != first.partitions) {
        return Err(invalid(format!(
            "topics {} and {} meet, and have {} and {} partitions: records of one key would be in \
             different tasks; give them the same number",
            first.name, other.name, first.partitions, other.partitions
        )));
    }
    let moved = part
        .inputs
        .iter()
        .find(|input| !sources.contains_key(input) && !graph.is_local(**input));
    match moved.filter(|_| first.partitions != u32::from(lanes)) {
        None => Ok(()),
        Some(moved) => Err(invalid(format!(
            "topic {} has {} partitions and meets what {} moves to {lanes} tasks: records of one key \
             would be in different tasks; give the topic {lanes} partitions",
            first.name,
            first.partitions,
            graph.node(*moved).name
        ))),
    }
}

/// Checks that keys that meet in a task are in one form: in two, equal keys would be in different
/// partitions.
fn check_keys(graph: &Graph, part: &SubTopology) -> Result<()> {
    let keyed = part
        .nodes
        .iter()
        .any(|id| matches!(graph.node(*id).kind, Kind::Exchange));
    let form = |id: &NodeId| match &graph.node(*id).kind {
        Kind::Source(source) => source.key_codec.clone(),
        _ => {
            let wire = graph.node(*id).wire.as_ref();
            wire.map(|wire| wire.key_form())
        }
    };
    let forms = part
        .inputs
        .iter()
        .filter_map(|id| Some((&graph.node(*id).name, form(id)?)));
    let forms: Vec<(&Arc<str>, String)> = forms.collect();
    // A key that may be null is in the same place as one that may not.
    let bare = |form: &str| form.trim_start_matches("nullable ").to_owned();
    let Some((first, form)) = forms.first().filter(|_| keyed) else {
        return Ok(());
    };
    match forms.iter().find(|(_, other)| bare(other) != bare(form)) {
        None => Ok(()),
        Some((other, other_form)) => Err(invalid(format!(
            "{first} and {other} meet by their keys, which are read as {form} and as {other_form}: equal \
             keys are in different partitions; write one of them in the other's form"
        ))),
    }
}

/// Checks that nobody counts on a table that is loaded before all else where it moves to other tasks.
fn check_loads(graph: &Graph, lanes: u16, topics: &BTreeMap<NodeId, SourceTopic>) -> Result<()> {
    let mut loads = graph.sources().filter(|(node, source)| {
        source.bootstrap && source.binding.is_some() && topics.contains_key(node)
    });
    match loads.next().filter(|_| lanes > 1) {
        None => Ok(()),
        Some((node, _)) => Err(invalid(format!(
            "source {} has load_first, which is not supported in an application with several tasks: there              records of streams and tables are taken by their times",
            graph.node(node).name
        ))),
    }
}

/// Checks that what is sent out of a table comes from the tasks of its keys: from several, what is said last
/// of a row might come before what was said first.
fn check_placed(graph: &Graph, plan: &Plan) -> Result<()> {
    let mut nodes = graph.ids();
    // All keys are together where the work is that of one task.
    let scattered = nodes.find(|id| graph.node(*id).scattered && plan.lanes_of(*id) > 1);
    match scattered.map(|id| graph.node(id)) {
        None => Ok(()),
        Some(node) => Err(invalid(format!(
            "{} sends rows out that are not in the tasks of their keys, so that changes of one row could come \
             in the wrong order: repartition the table before",
            node.name
        ))),
    }
}
