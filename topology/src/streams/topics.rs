//! The topics of an application: those that it reads and writes, and those that it makes for itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::bound::{SourceTopic, existing, invalid, sink_topic, source_topic};
use super::config::{OwnTopics, StreamsConfig};
use super::fitting;
use super::local::LocalSources;
use super::names::own_name;
use super::positions::{self, Position};
use super::times;
use crate::cluster::{
    Cluster, CommittedOffset, NewTopic, TopicDescription, TopicId, TopicPartition, murmur2,
};
use crate::connector::Rewrite;
use crate::error::Result;
use crate::graph::{Graph, Kind, Node, NodeId, Plan};
use crate::processor::SinkId;
use crate::store::{Family, store_family};
use crate::time::NO_TIMESTAMP;

/// How long brokers remember which keys were removed, where they do not tell: Kafka's default.
const TOMBSTONES: Duration = Duration::from_secs(24 * 3_600);

/// The topics of a topology that runs as an application.
pub(super) struct Topics {
    /// The topic of each source.
    pub(super) sources: BTreeMap<NodeId, SourceTopic>,
    /// The sources that are no topics.
    pub(super) locals: LocalSources,
    /// The partitions of the topic of each exchange that records travel through.
    pub(super) repartitions: BTreeMap<NodeId, Vec<TopicPartition>>,
    /// Of exchanges by whose time somebody waits, the numbers of the tasks that send through them.
    pub(super) senders: BTreeMap<NodeId, Vec<u16>>,
    /// The partitions of the topic of each sink, by the sink's place.
    pub(super) sinks: Vec<Vec<TopicPartition>>,
    /// What is made of records before they are written, by the place of their sink.
    pub(super) rewrites: BTreeMap<SinkId, Arc<dyn Rewrite>>,
    /// What each store's commits are written to as well.
    pub(super) changelogs: Vec<(Family, Arc<str>)>,
    /// The same of what tasks remember.
    pub(super) tasks: Arc<str>,
    /// The same of how far sources were read that are no topics, where there are any.
    pub(super) positions: Option<Arc<str>>,
    /// The group of this topic's one partition tells who is alive, and who leads.
    pub(super) coordination: String,
    /// Through this topic instances settle who has which tasks.
    pub(super) control: String,
    /// A fingerprint of what the tasks are, and of the topics between them.
    pub(super) map: String,
    /// The ids of changelogs and of topics that are read, where brokers tell them.
    pub(super) ids: BTreeMap<Arc<str>, TopicId>,
    /// How long changelogs remember at least which keys were removed.
    pub(super) tombstones: Duration,
    /// The number of tasks that share the work.
    pub(super) lanes: u16,
}

impl Topics {
    /// Looks the topics up, and makes those of the application's own that are not there.
    pub(super) fn prepare(
        graph: &Graph,
        cluster: &dyn Cluster,
        config: &StreamsConfig,
    ) -> Result<Self> {
        let application = &*config.application_id;
        let mut sources = BTreeMap::new();
        for (node, source) in graph.sources() {
            let topic = source_topic(graph, node, source, cluster)?;
            sources.extend(topic.map(|topic| (node, topic)));
        }
        let locals = LocalSources::find(graph)?;
        let widest = sources.values().map(|source| source.partitions).max();
        let lanes = u16::try_from(widest.unwrap_or(1)).map_err(|_| {
            invalid("a source has more than 65,535 partitions, which is more than tasks can be numbered by".to_owned())
        })?;
        let plan = Plan::of_topics(graph, lanes);
        fitting::check(graph, &plan, &sources, &locals)?;
        for source in sources.values() {
            let same = sources.values().filter(|other| other.name == source.name);
            positions::check(&source.name, same.count())?;
        }
        let mut sinks = Vec::new();
        let mut rewrites = BTreeMap::new();
        for (place, sink) in graph.sinks.iter().enumerate() {
            let name = sink_topic(sink, cluster)?;
            let found = existing(cluster, &name, "write")?;
            sinks.push(all_of(&name, found.partitions));
            let rewrite = sink.binding.as_ref().and_then(|sink| sink.rewrites());
            rewrites.extend(rewrite.map(|rewrite| (SinkId(place as u32), rewrite)));
        }
        let topics = Topics {
            repartitions: repartitions(graph, &plan, application)?,
            senders: times::senders(graph, &plan, &sources),
            sources,
            positions: (!locals.is_empty()).then(|| format!("{application}-positions").into()),
            locals,
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
            control: format!("{application}-control"),
            map: String::new(),
            ids: BTreeMap::new(),
            tombstones: TOMBSTONES,
            lanes,
        };
        let mut topics = Topics {
            map: topics.fingerprint(),
            ..topics
        };
        topics.make_own(cluster, &config.own_topics)?;
        Ok(topics)
    }

    /// Equal where instances can share tasks: what one sends to others, or leaves to them, is read by them.
    fn fingerprint(&self) -> String {
        let sources = self
            .sources
            .values()
            .map(|topic| format!("{}/{}", topic.name, topic.partitions));
        let moved = self.repartitions.iter().map(|(exchange, places)| {
            let topic = &places[0].topic;
            // Who does not know what is said there of times would take it for records.
            match self.senders.contains_key(exchange) {
                true => format!("{topic} with times/{}", times::VERSION),
                false => topic.to_string(),
            }
        });
        let kept = self.changelogs.iter().map(|(_, topic)| topic.to_string());
        let locals = self.locals.all().iter();
        let locals = locals.map(|source| format!("local/{}", source.name));
        let mut all: Vec<String> = sources.chain(moved).chain(kept).chain(locals).collect();
        all.sort();
        all.dedup();
        let text = format!("{} {}", self.lanes, all.join(" "));
        format!("{:08x}", murmur2(text.as_bytes()))
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

    /// The partition that has how far sources were read that are no topics, where there are any.
    pub(super) fn position_place(&self) -> Option<TopicPartition> {
        let topic = self.positions.clone();
        topic.map(|topic| TopicPartition::new(topic, 0))
    }

    /// True where a topic is one of the application's changelogs.
    pub(super) fn is_changelog(&self, topic: &str) -> bool {
        let remembered = [Some(&self.tasks), self.positions.as_ref()];
        let mut remembered = remembered.into_iter().flatten();
        remembered.any(|own| **own == *topic)
            || self.changelogs.iter().any(|(_, own)| **own == *topic)
    }

    /// The id of a changelog or of a topic that is read; zero where it is not told.
    pub(super) fn id(&self, topic: &str) -> TopicId {
        self.ids.get(topic).copied().unwrap_or_default()
    }

    fn make_own(&mut self, cluster: &dyn Cluster, own: &OwnTopics) -> Result<()> {
        let compact = [
            ("cleanup.policy", "compact"),
            ("message.timestamp.type", "CreateTime"),
        ];
        let changelogs = self.changelogs.iter().map(|(_, topic)| topic.clone());
        let lanes = u32::from(self.lanes);
        let changelogs = changelogs.chain([self.tasks.clone()]);
        let changelogs = changelogs.map(|name| (name, lanes));
        // All that is no topic is read by tasks of one number.
        let positions = self.positions.iter().map(|name| (name.clone(), 1));
        let changelogs: Vec<(Arc<str>, u32)> = changelogs.chain(positions).collect();
        for (name, partitions) in changelogs {
            let found = make(cluster, own, &name, partitions, &compact)?;
            self.ids.extend(found.id.map(|id| (name.clone(), id)));
            let kept = found.get("delete.retention.ms").map(str::parse);
            if let Some(Ok(ms)) = kept {
                self.tombstones = self.tombstones.min(Duration::from_millis(ms));
            }
        }
        let kept = [
            ("cleanup.policy", "delete"),
            // What was committed downstream is deleted by the application itself.
            ("retention.ms", "-1"),
            ("segment.bytes", "52428800"),
            ("message.timestamp.type", "CreateTime"),
        ];
        for places in self.repartitions.values() {
            let topic = &places[0].topic;
            let found = make(cluster, own, topic, lanes, &kept)?;
            self.ids.extend(found.id.map(|id| (topic.clone(), id)));
        }
        let sources = self.sources.values();
        let read = sources.filter_map(|source| Some((source.name.clone(), source.id?)));
        self.ids.extend(read.collect::<Vec<_>>());
        make(cluster, own, &self.coordination, 1, &compact[..1])?;
        make(cluster, own, &self.control, 1, &compact)?;
        Ok(())
    }
}

/// Makes a topic of the application's own, or checks the one that is there.
fn make(
    cluster: &dyn Cluster,
    own: &OwnTopics,
    name: &str,
    partitions: u32,
    config: &[(&str, &str)],
) -> Result<TopicDescription> {
    let found = match cluster.topic(name)? {
        Some(found) => found,
        None => {
            let mut settings = own.config.clone();
            settings.extend(
                config
                    .iter()
                    .map(|(key, value)| ((*key).to_owned(), (*value).to_owned())),
            );
            cluster.create_topic(&NewTopic {
                name: name.to_owned(),
                partitions,
                replication_factor: own.replication_factor,
                config: settings.into_iter().collect(),
            })?
        }
    };
    if found.partitions != partitions {
        return Err(invalid(format!(
            "topic {name} has {} partitions and the application needs {partitions}: the number of \
                 partitions of its input has changed; start the application anew under another id, or have it read \
                 topics of {} partitions again",
            found.partitions, found.partitions
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
    Ok(found)
}

/// All partitions of a topic that has so many.
fn all_of(topic: &Arc<str>, count: u32) -> Vec<TopicPartition> {
    let partitions = 0..count;
    partitions
        .map(|partition| TopicPartition::new(topic.clone(), partition))
        .collect()
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
