//! The topics of an application: those that it reads and writes, and those that it makes for itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::positions::{self, Position};
use crate::cluster::{Cluster, CommittedOffset, NewTopic, TopicDescription, TopicPartition};
use crate::connector::{Rewrite, TopicPlace};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Graph, Kind, Node, NodeId, Plan, SinkSpec, SourceSpec, SubTopology};
use crate::processor::SinkId;
use crate::store::{Family, store_family};
use crate::time::NO_TIMESTAMP;

/// A topic that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceTopic {
    pub(super) name: Arc<str>,
    pub(super) partitions: u32,
    /// True where records without a time are left out.
    pub(super) skips_untimed: bool,
    /// True where several steps may read the topic, so that how far each has come is noted apart.
    pub(super) shared: bool,
}

/// The topics of a topology that runs as an application.
pub(super) struct Topics {
    /// The topic of each source.
    pub(super) sources: BTreeMap<NodeId, SourceTopic>,
    /// The partitions of the topic of each exchange that records travel through.
    pub(super) repartitions: BTreeMap<NodeId, Vec<TopicPartition>>,
    /// The partitions of the topic of each sink, by the sink's place.
    pub(super) sinks: Vec<Vec<TopicPartition>>,
    /// What is made of records before they are written, by the place of their sink.
    pub(super) rewrites: BTreeMap<SinkId, Arc<dyn Rewrite>>,
    /// What each store's commits are written to as well.
    pub(super) changelogs: Vec<(Family, Arc<str>)>,
    /// The same of what tasks remember.
    pub(super) tasks: Arc<str>,
    /// Whoever has a partition of this topic has the tasks of that number.
    pub(super) coordination: String,
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
            sources.insert(node, source_topic(graph, node, source, cluster)?);
        }
        let widest = sources.values().map(|source| source.partitions).max();
        let lanes = u16::try_from(widest.unwrap_or(1)).map_err(|_| {
            invalid("a source has more than 65,535 partitions, which is more than tasks can be numbered by".to_owned())
        })?;
        let plan = Plan::of_topics(graph, lanes);
        plan.parts
            .iter()
            .try_for_each(|part| check_together(graph, part, &sources, lanes))?;
        check_loads(graph, lanes)?;
        check_placed(graph, lanes)?;
        for source in sources.values() {
            let same = sources.values().filter(|other| other.name == source.name);
            positions::check(&source.name, same.count())?;
        }
        let mut sinks = Vec::new();
        let mut rewrites = BTreeMap::new();
        for (place, sink) in graph.sinks.iter().enumerate() {
            let name = sink_topic(sink, cluster)?;
            let count = partitions(cluster, &name, "write")?;
            sinks.push(all_of(&name, count));
            let rewrite = sink.binding.as_ref().and_then(|sink| sink.rewrites());
            rewrites.extend(rewrite.map(|rewrite| (SinkId(place as u32), rewrite)));
        }
        let topics = Topics {
            repartitions: repartitions(graph, &plan, application)?,
            sources,
            sinks,
            rewrites,
            changelogs: graph
                .stores
                .iter()
                .map(|store| {
                    let topic = own_name(application, &store.name, "changelog");
                    (store_family(&store.name), topic)
                })
                .collect(),
            tasks: format!("{application}-tasks-changelog").into(),
            coordination: format!("{application}-coordination"),
            lanes,
        };
        topics.make_own(cluster)?;
        Ok(topics)
    }

    /// What the tasks of a number read, with the nodes that do.
    pub(super) fn inputs(&self, lane: u16) -> impl Iterator<Item = (NodeId, TopicPartition)> {
        let sources = self.sources.iter();
        let sources = sources.filter(move |(_, source)| u32::from(lane) < source.partitions);
        let sources = sources.map(move |(node, source)| {
            let place = TopicPartition::new(source.name.clone(), u32::from(lane));
            (*node, place)
        });
        let moved = self.repartitions.iter();
        sources.chain(moved.map(move |(node, places)| (*node, places[usize::from(lane)].clone())))
    }

    /// Where an input goes on of which the group remembers `at`, and whose first record is at `first`.
    pub(super) fn position(
        &self,
        graph: &Graph,
        node: NodeId,
        at: Option<&CommittedOffset>,
        first: i64,
    ) -> Position {
        let begun = Position {
            offset: first,
            reached: NO_TIMESTAMP,
        };
        let is_shared = self.sources.get(&node).is_some_and(|source| source.shared);
        match at {
            None => begun,
            Some(at) if is_shared => positions::of_step(&graph.node(node).name, at, first),
            Some(at) => positions::of_partition(at),
        }
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
        for name in changelogs.chain([&self.tasks]) {
            self.make(cluster, name, &compact)?;
        }
        let kept = [
            ("cleanup.policy", "delete"),
            // What was committed downstream is deleted by the application itself.
            ("retention.ms", "-1"),
            ("segment.bytes", "52428800"),
            ("message.timestamp.type", "CreateTime"),
        ];
        for places in self.repartitions.values() {
            self.make(cluster, &places[0].topic, &kept)?;
        }
        self.make(
            cluster,
            &self.coordination,
            &[("cleanup.policy", "compact")],
        )
    }

    fn make(&self, cluster: &dyn Cluster, name: &str, config: &[(&str, &str)]) -> Result<()> {
        let lanes = u32::from(self.lanes);
        let found = match cluster.topic(name)? {
            Some(found) => found,
            None => {
                cluster.create_topic(&NewTopic {
                    name: name.to_owned(),
                    partitions: lanes,
                    config: config
                        .iter()
                        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                        .collect(),
                })?;
                TopicDescription {
                    partitions: lanes,
                    ..TopicDescription::default()
                }
            }
        };
        if found.partitions != lanes {
            return Err(invalid(format!(
                "topic {name} has {} partitions and the application has {lanes} tasks: the number of \
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

/// The topic of a source: that of its name, or the one that it is bound to.
fn source_topic(
    graph: &Graph,
    node: NodeId,
    source: &SourceSpec,
    cluster: &dyn Cluster,
) -> Result<SourceTopic> {
    let name = &graph.node(node).name;
    let place = match &source.binding {
        None => None,
        Some(bound) => {
            let place = bound.topic()?.ok_or_else(|| {
                invalid(format!(
                    "source {name} is {}; an application on a cluster reads topics alone",
                    bound.describe().location
                ))
            })?;
            check_cluster(&format!("source {name}"), &place, cluster)?;
            Some(place)
        }
    };
    let topic: Arc<str> = match &place {
        None => name.clone(),
        Some(place) => (&*place.topic).into(),
    };
    Ok(SourceTopic {
        partitions: partitions(cluster, &topic, "read")?,
        name: topic,
        skips_untimed: place.as_ref().is_some_and(|place| place.skips_untimed),
        shared: place.is_some(),
    })
}

/// The topic of a sink: that of its name, or the one that it is bound to.
fn sink_topic(sink: &SinkSpec, cluster: &dyn Cluster) -> Result<Arc<str>> {
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

/// Checks that nobody counts on a table that is loaded before all else where it moves to other tasks.
fn check_loads(graph: &Graph, lanes: u16) -> Result<()> {
    let mut loads = graph
        .sources()
        .filter(|(_, source)| source.bootstrap && source.binding.is_some());
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
fn check_placed(graph: &Graph, lanes: u16) -> Result<()> {
    let mut nodes = graph.nodes.iter();
    match nodes.find(|node| node.scattered).filter(|_| lanes > 1) {
        None => Ok(()),
        Some(node) => Err(invalid(format!(
            "{} sends rows out that are not in the tasks of their keys, so that changes of one row could come \
             in the wrong order: repartition the table before",
            node.name
        ))),
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
        .find(|input| !sources.contains_key(input));
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

/// The longest name of a topic that brokers take.
const LONGEST_NAME: usize = 249;

/// The name of a topic of the application's own. What no topic's name may have is replaced, and a mark of
/// the whole name stands behind then.
fn own_name(application: &str, name: &str, what: &str) -> Arc<str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let plain = format!("{application}-{name}-{what}");
    if plain.len() <= LONGEST_NAME && plain.chars().all(fits) {
        return plain.into();
    }
    let mark = fnv1a(name.as_bytes());
    let room = LONGEST_NAME - application.len() - what.len() - 19;
    let replaced: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    let replaced = &replaced[..replaced.len().min(room)];
    format!("{application}-{replaced}-{mark:016x}-{what}").into()
}

/// The hash FNV-1a of 64 bits (Fowler, Noll and Vo, 1991), the same on every machine and in every version.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The topics of the exchanges at which the graph is cut.
///
/// # Errors
///
/// Where records cannot travel, or would not find the tasks that their keys belong to.
fn repartitions(
    graph: &Graph,
    plan: &Plan,
    application: &str,
) -> Result<BTreeMap<NodeId, Vec<TopicPartition>>> {
    let lanes = plan.lanes;
    plan.parts
        .iter()
        .try_for_each(|part| check_keys(graph, part))?;
    let mut topics = BTreeMap::new();
    for cut in plan.cuts() {
        let node = graph.node(cut);
        if node.wire.is_none() {
            let remedy = if node.sends_changes {
                "the grouped table"
            } else {
                "the stream before"
            };
            return Err(invalid(format!(
                "{} moves records to other tasks through a topic, and how their values are written is not \
                 known: say it with values_as on {remedy}",
                node.name
            )));
        }
        let name = node.name.strip_suffix(".repartition").unwrap_or(&node.name);
        let is_taken = |other: &Node| matches!(other.kind, Kind::Exchange) && *other.name == *name;
        let name = if graph.nodes.iter().any(is_taken) {
            &*node.name
        } else {
            name
        };
        let topic = own_name(application, name, "repartition");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_kind_give_names_of_topics() {
        assert_eq!(
            &*own_name("app", "by-user.a_1", "changelog"),
            "app-by-user.a_1-changelog"
        );
        let strange = own_name("app", "my täble", "changelog");
        assert!(strange.starts_with("app-my-t-ble-"), "{strange}");
        assert_ne!(strange, own_name("app", "my-täble", "changelog"));
        for length in [1, 200, 240, 241, 1_000] {
            let name = own_name(&"a".repeat(128), &"n".repeat(length), "repartition");
            assert!(name.len() <= LONGEST_NAME, "{length}");
        }
        let long = |last: &str| own_name("app", &("n".repeat(300) + last), "changelog");
        assert_ne!(long("a"), long("b"));
    }
}
