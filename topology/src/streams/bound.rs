//! The topics that sources and sinks stand for: those of their names, or those that they are bound to.

use std::sync::Arc;

use crate::cluster::{Cluster, TopicDescription, TopicId};
use crate::connector::TopicPlace;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Graph, NodeId, SinkSpec, SourceSpec};

/// A topic that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceTopic {
    pub(super) name: Arc<str>,
    pub(super) partitions: u32,
    /// Its id, where brokers tell it.
    pub(super) id: Option<TopicId>,
    /// True where records without a time are left out.
    pub(super) skips_untimed: bool,
    /// True where several steps may read the topic, so that how far each has come is noted apart.
    pub(super) shared: bool,
}

pub(super) fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message)
}

/// The topic of a source: that of its name, or the one that it is bound to; none where it is bound to
/// something else.
pub(super) fn source_topic(
    graph: &Graph,
    node: NodeId,
    source: &SourceSpec,
    cluster: &dyn Cluster,
) -> Result<Option<SourceTopic>> {
    let name = &graph.node(node).name;
    let place = match &source.binding {
        None => None,
        Some(bound) => {
            let Some(place) = bound.topic()? else {
                return Ok(None);
            };
            check_cluster(&format!("source {name}"), &place, cluster)?;
            Some(place)
        }
    };
    let topic: Arc<str> = match &place {
        None => name.clone(),
        Some(place) => (&*place.topic).into(),
    };
    let found = existing(cluster, &topic, "read")?;
    Ok(Some(SourceTopic {
        partitions: found.partitions,
        id: found.id,
        name: topic,
        skips_untimed: place.as_ref().is_some_and(|place| place.skips_untimed),
        shared: place.is_some(),
    }))
}

/// The topic of a sink: that of its name, or the one that it is bound to.
pub(super) fn sink_topic(sink: &SinkSpec, cluster: &dyn Cluster) -> Result<Arc<str>> {
    let Some(bound) = &sink.binding else {
        return Ok(sink.name.clone());
    };
    let place = bound.topic()?.ok_or_else(|| {
        invalid(format!(
            "sink {} is {}; an application on a cluster writes topics alone",
            sink.name,
            bound.describe().location
        ))
    })?;
    check_cluster(&format!("sink {}", sink.name), &place, cluster)?;
    Ok((*place.topic).into())
}

/// Checks that a topic is on the cluster that the application runs on.
fn check_cluster(what: &str, place: &TopicPlace, cluster: &dyn Cluster) -> Result<()> {
    let own = cluster.name();
    if place.is_on(&own) {
        return Ok(());
    }
    Err(invalid(format!(
        "{what} is topic {} on {}, and the application runs on {own}: all its topics are on one cluster",
        place.topic, place.brokers
    )))
}

/// What there is of a topic of somebody else's.
///
/// # Errors
///
/// Where it is not there, or cannot be asked for.
pub(super) fn existing(cluster: &dyn Cluster, topic: &str, to: &str) -> Result<TopicDescription> {
    match cluster.topic(topic)? {
        Some(found) if found.partitions > 0 => Ok(found),
        _ => Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "there is no topic {topic} to {to} on {}; make it first",
                cluster.name()
            ),
        )),
    }
}
