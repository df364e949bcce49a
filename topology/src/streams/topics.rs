//! The topics of an application: those that it reads and writes, and those that it makes for itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::partitioner::murmur2;
use crate::cluster::{Cluster, NewTopic, TopicDescription, TopicPartition};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Graph, Kind, NodeId, Plan, SubTopology};
use crate::store::{Family, store_family};

/// The topics of a topology that runs as an application.
#[derive(Debug)]
pub(super) struct Topics {
    /// The topic of each source, and how many partitions it has.
    pub(super) sources: BTreeMap<NodeId, (Arc<str>, u32)>,
    /// The partitions of the topic of each exchange that records travel through.
    pub(super) repartitions: BTreeMap<NodeId, Vec<TopicPartition>>,
    /// The partitions of the topic of each sink, by the sink's place.
    pub(super) sinks: Vec<Vec<TopicPartition>>,
    /// What each store's commits are written to as well.
    pub(super) changelogs: Vec<(Family, Arc<str>)>,
    /// The same of what tasks remember.
    pub(super) tasks: Arc<str>,
    /// The group of this topic's one partition tells who is alive, and who leads.
    pub(super) coordination: String,
    /// Through this topic instances settle who has which tasks.
    pub(super) control: String,
    /// A fingerprint of what the tasks are, and of the topics between them.
    pub(super) map: String,
    /// The number of tasks that share the work.
    pub(super) lanes: u16,
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message)
}

impl Topics {
    /// Looks the topics up, and makes those of the application's own that are not there.
    pub(super) fn prepare(graph: &Graph, cluster: &dyn Cluster, application: &str) -> Result<Self> {
        let mut sources = BTreeMap::new();
        for (node, source) in graph.sources() {
            let name = &graph.node(node).name;
            if source.binding.is_some() {
                return Err(invalid(format!(
                    "source {name} is read by a connector; an application on a cluster reads topics \
                     alone: give the source the name of its topic"
                )));
            }
            sources.insert(node, (name.clone(), partitions(cluster, name, "read")?));
        }
        check_together(graph, &sources)?;
        let mut sinks = Vec::new();
        for sink in &graph.sinks {
            if sink.binding.is_some() {
                return Err(invalid(format!(
                    "sink {} is written by a connector; an application on a cluster writes topics \
                     alone: give the sink the name of its topic",
                    sink.name
                )));
            }
            let count = partitions(cluster, &sink.name, "write")?;
            sinks.push(all_of(&sink.name, count));
        }
        let widest = sources.values().map(|(_, partitions)| *partitions).max();
        let lanes = u16::try_from(widest.unwrap_or(1)).map_err(|_| {
            invalid("a source has more than 65,535 partitions, which is more than tasks can be numbered by".to_owned())
        })?;
        let topics = Topics {
            repartitions: repartitions(graph, lanes, application)?,
            sources,
            sinks,
            changelogs: graph
                .stores
                .iter()
                .map(|store| {
                    let topic = format!("{application}-{}-changelog", store.name);
                    (store_family(&store.name), topic.into())
                })
                .collect(),
            tasks: format!("{application}-tasks-changelog").into(),
            coordination: format!("{application}-coordination"),
            control: format!("{application}-control"),
            map: String::new(),
            lanes,
        };
        let topics = Topics {
            map: topics.fingerprint(),
            ..topics
        };
        topics.make_own(cluster)?;
        Ok(topics)
    }

    /// Equal where instances can share tasks: what one sends to others, or leaves to them, is read by them.
    fn fingerprint(&self) -> String {
        let sources = self
            .sources
            .values()
            .map(|(topic, count)| format!("{topic}/{count}"));
        let moved = self
            .repartitions
            .values()
            .map(|places| places[0].topic.to_string());
        let kept = self.changelogs.iter().map(|(_, topic)| topic.to_string());
        let mut all: Vec<String> = sources.chain(moved).chain(kept).collect();
        all.sort();
        all.dedup();
        let text = format!("{} {}", self.lanes, all.join(" "));
        format!("{:08x}", murmur2(text.as_bytes()))
    }

    /// What the tasks of a number read, with the nodes that do.
    pub(super) fn inputs(&self, lane: u16) -> impl Iterator<Item = (NodeId, TopicPartition)> {
        let sources = self.sources.iter();
        let sources = sources.filter(move |(_, (_, partitions))| u32::from(lane) < *partitions);
        let sources = sources.map(move |(node, (topic, _))| {
            (*node, TopicPartition::new(topic.clone(), u32::from(lane)))
        });
        let moved = self.repartitions.iter();
        sources.chain(moved.map(move |(node, places)| (*node, places[usize::from(lane)].clone())))
    }

    /// True where a topic is one that records travel through.
    pub(super) fn is_repartition(&self, topic: &str) -> bool {
        let mut topics = self.repartitions.values();
        topics.any(|places| *places[0].topic == *topic)
    }

    /// True where a topic is one of the application's changelogs.
    pub(super) fn is_changelog(&self, topic: &str) -> bool {
        *self.tasks == *topic || self.changelogs.iter().any(|(_, own)| **own == *topic)
    }

    fn make_own(&self, cluster: &dyn Cluster) -> Result<()> {
        let compact = [
            ("cleanup.policy", "compact"),
            ("message.timestamp.type", "CreateTime"),
        ];
        let changelogs = self.changelogs.iter().map(|(_, topic)| topic);
        let lanes = u32::from(self.lanes);
        for name in changelogs.chain([&self.tasks]) {
            make(cluster, name, lanes, &compact)?;
        }
        let kept = [
            ("cleanup.policy", "delete"),
            // What was committed downstream is deleted by the application itself.
            ("retention.ms", "-1"),
            ("segment.bytes", "52428800"),
            ("message.timestamp.type", "CreateTime"),
        ];
        for places in self.repartitions.values() {
            make(cluster, &places[0].topic, lanes, &kept)?;
        }
        make(cluster, &self.coordination, 1, &compact[..1])?;
        make(cluster, &self.control, 1, &compact)
    }
}

/// Makes a topic of the application's own, or checks the one that is there.
fn make(cluster: &dyn Cluster, name: &str, partitions: u32, config: &[(&str, &str)]) -> Result<()> {
    let found = match cluster.topic(name)? {
        Some(found) => found,
        None => {
            cluster.create_topic(&NewTopic {
                name: name.to_owned(),
                partitions,
                config: config
                    .iter()
                    .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                    .collect(),
            })?;
            TopicDescription {
                partitions,
                ..TopicDescription::default()
            }
        }
    };
    if found.partitions != partitions {
        return Err(invalid(format!(
            "topic {name} has {} partitions and the application needs {partitions}: the number of \
                 partitions of its input has changed; go back to that, or start the application anew \
                 under another id",
            found.partitions
        )));
    }
    for (key, wanted) in config {
        if let Some(value) = found.get(key)
            && !value.split(',').any(|value| value.trim() == *wanted)
        {
            return Err(invalid(format!(
                "topic {name} has {key}={value}, and the application needs {key}={wanted}; set it so"
            )));
        }
    }
    Ok(())
}

/// All partitions of a topic that has so many.
fn all_of(topic: &Arc<str>, count: u32) -> Vec<TopicPartition> {
    let partitions = 0..count;
    partitions
        .map(|partition| TopicPartition::new(topic.clone(), partition))
        .collect()
}

fn partitions(cluster: &dyn Cluster, topic: &str, to: &str) -> Result<u32> {
    match cluster.topic(topic)? {
        Some(found) if found.partitions > 0 => Ok(found.partitions),
        _ => Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "there is no topic {topic} to {to} on {}; make it first",
                cluster.name()
            ),
        )),
    }
}

/// Checks that topics that meet have the same number of partitions.
fn check_together(graph: &Graph, sources: &BTreeMap<NodeId, (Arc<str>, u32)>) -> Result<()> {
    let components = graph.components();
    let mut first: BTreeMap<usize, (&Arc<str>, u32)> = BTreeMap::new();
    for (node, (topic, count)) in sources {
        let component = components[node.index()];
        let (other, other_count) = *first.entry(component).or_insert((topic, *count));
        if other_count != *count {
            return Err(invalid(format!(
                "topics {other} and {topic} meet, and have {other_count} and {count} partitions: \
                 records of one key would be in different tasks; give them the same number"
            )));
        }
    }
    Ok(())
}

/// The topics of the exchanges at which the graph is cut.
///
/// # Errors
///
/// Where records cannot travel, or would not find the tasks that their keys belong to.
fn repartitions(
    graph: &Graph,
    lanes: u16,
    application: &str,
) -> Result<BTreeMap<NodeId, Vec<TopicPartition>>> {
    let plan = Plan::of_topics(graph, lanes);
    plan.parts
        .iter()
        .try_for_each(|part| check_keys(graph, part))?;
    if lanes > 1
        && let Some(node) = graph.nodes.iter().find(|node| node.seeded)
    {
        return Err(invalid(format!(
            "{} has a row from the start, whose task among {lanes} is not known: that is not supported on a \
             cluster yet",
            node.name
        )));
    }
    let mut topics = BTreeMap::new();
    for cut in plan.cuts() {
        let node = graph.node(cut);
        if node.sends_changes {
            return Err(invalid(format!(
                "{} moves changes of a table to other tasks, which is not supported on a cluster yet: \
                 write the table to a topic of its own, and read that",
                node.name
            )));
        }
        if node.wire.is_none() {
            return Err(invalid(format!(
                "{} moves records to other tasks through a topic, and how their values are written is not \
                 known: say it with values_as on the stream before",
                node.name
            )));
        }
        let name = node.name.strip_suffix(".repartition").unwrap_or(&node.name);
        let topic = format!("{application}-{name}-repartition").into();
        topics.insert(cut, all_of(&topic, u32::from(lanes)));
    }
    Ok(topics)
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
