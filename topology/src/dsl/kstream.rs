//! Streams: records without end.

use std::sync::Arc;

use super::builder::{Shared, add_to_table};
use super::grouped_stream::KGroupedStream;
use super::ktable::KTable;
use super::options::{Grouped, Materialized, Produced};
use crate::codec::{Key, SharedCodec, travelling};
use crate::graph::{Kind, NodeEnv, NodeId, NodeSpec};
use crate::operators::branch::{Branch, Predicate};
use crate::operators::exchange::Exchange;
use crate::operators::filter::Filter;
use crate::operators::map::Map;
use crate::operators::map_run::{MapRun, RunMapper};
use crate::operators::pass::Pass;
use crate::operators::peek::Peek;
use crate::operators::sink::ToSink;
use crate::operators::wire::{CodecWire, Wire};
use crate::policy::ErrorPolicy;
use crate::processor::Processor;
use crate::record::{Data, Record};

/// A stream of records with keys of `K` and values of `V`.
///
/// A handle is cheap to clone; each step adds a node and gives a new handle. Types say what may be
/// absent: records without a key have `Option` keys, and those that delete have `Option` values.
pub struct KStream<K, V> {
    pub(super) graph: Shared,
    pub(super) node: NodeId,
    /// The codec by whose bytes of the key records were moved to their tasks, if they were.
    pub(super) placed: Option<String>,
    /// The form of the values, where it is known.
    values: Option<SharedCodec<V>>,
    types: std::marker::PhantomData<fn() -> K>,
}

impl<K, V> Clone for KStream<K, V> {
    fn clone(&self) -> Self {
        KStream {
            graph: self.graph.clone(),
            node: self.node,
            placed: self.placed.clone(),
            values: self.values.clone(),
            types: std::marker::PhantomData,
        }
    }
}

impl<K: Data, V: Data> KStream<K, V> {
    pub(super) fn new(graph: Shared, node: NodeId, placed: Option<String>) -> Self {
        KStream {
            graph,
            node,
            placed,
            values: None,
            types: std::marker::PhantomData,
        }
    }

    /// The form that values have where they travel through a topic between two tasks, as they do when an
    /// application on a cluster groups or joins records under other keys than those of their topic. A
    /// stream has that of its topic, and keeps it up to a step that makes other values.
    pub fn values_as(&self, codec: SharedCodec<V>) -> Self {
        KStream {
            values: Some(codec),
            ..self.clone()
        }
    }

    /// The same stream with the form of the values that is known of another.
    pub(super) fn with_values(self, values: Option<SharedCodec<V>>) -> Self {
        KStream { values, ..self }
    }

    /// Adds a stateless step.
    pub(super) fn step<K2: Data, V2: Data>(
        &self,
        label: &'static str,
        keeps_key: bool,
        make: impl Fn(&NodeEnv) -> Box<dyn Processor> + Send + Sync + 'static,
    ) -> KStream<K2, V2> {
        let mut graph = self.graph.borrow();
        let name = graph.derived_name(self.node, label);
        let node = graph.add(NodeSpec {
            name,
            label,
            inputs: vec![self.node],
            make: Arc::new(make),
        });
        graph.node_mut(node).keeps_key = keeps_key;
        drop(graph);
        let placed = self.placed.clone().filter(|_| keeps_key);
        KStream::new(self.graph.clone(), node, placed)
    }

    fn map_step<K2: Data, V2: Data>(
        &self,
        label: &'static str,
        keeps_key: bool,
        map: impl Fn(Record<K, V>, &mut Vec<Record<K2, V2>>) + Send + Sync + 'static,
    ) -> KStream<K2, V2> {
        let map = Arc::new(map);
        self.step(label, keeps_key, move |_| Box::new(Map::new(map.clone())))
    }

    /// Keeps the records that `predicate` holds for.
    pub fn filter(&self, predicate: impl Fn(&K, &V) -> bool + Send + Sync + 'static) -> Self {
        let predicate = Arc::new(predicate);
        let filtered: Self = self.step("filter", true, move |_| {
            Box::new(Filter::<K, V, _>::new(predicate.clone()))
        });
        filtered.with_values(self.values.clone())
    }

    /// Keeps the records that `predicate` does not hold for.
    pub fn filter_not(&self, predicate: impl Fn(&K, &V) -> bool + Send + Sync + 'static) -> Self {
        self.filter(move |key, value| !predicate(key, value))
    }

    /// Makes of each record one with another key and value.
    pub fn map<K2: Data, V2: Data>(
        &self,
        map: impl Fn(&K, &V) -> (K2, V2) + Send + Sync + 'static,
    ) -> KStream<K2, V2> {
        self.map_step("map", false, move |record, out| {
            let (key, value) = map(&record.key, &record.value);
            out.push(record.with(key, value));
        })
    }

    /// Makes of each record one with another value and the same key.
    pub fn map_values<V2: Data>(
        &self,
        map: impl Fn(&K, &V) -> V2 + Send + Sync + 'static,
    ) -> KStream<K, V2> {
        self.map_step("map-values", true, move |record, out| {
            let value = map(&record.key, &record.value);
            out.push(record.with_value(value));
        })
    }

    /// Makes of each record any number of records.
    pub fn flat_map<K2: Data, V2: Data, I>(
        &self,
        map: impl Fn(&K, &V) -> I + Send + Sync + 'static,
    ) -> KStream<K2, V2>
    where
        I: IntoIterator<Item = (K2, V2)>,
    {
        self.map_step("flat-map", false, move |record, out| {
            let rows = map(&record.key, &record.value);
            out.extend(
                rows.into_iter()
                    .map(|(key, value)| record.derive(key, value)),
            );
        })
    }

    /// Makes of each record any number of records with the same key.
    pub fn flat_map_values<V2: Data, I>(
        &self,
        map: impl Fn(&K, &V) -> I + Send + Sync + 'static,
    ) -> KStream<K, V2>
    where
        I: IntoIterator<Item = V2>,
    {
        self.map_step("flat-map-values", true, move |record, out| {
            let values = map(&record.key, &record.value);
            let records = values
                .into_iter()
                .map(|value| record.derive(record.key.clone(), value));
            out.extend(records);
        })
    }

    /// Gives each record another key.
    pub fn select_key<K2: Data>(
        &self,
        key: impl Fn(&K, &V) -> K2 + Send + Sync + 'static,
    ) -> KStream<K2, V> {
        let keyed: KStream<K2, V> = self.map_step("select-key", false, move |record, out| {
            let key = key(&record.key, &record.value);
            let cause = record.derive((), ());
            out.push(cause.with(key, record.value));
        });
        keyed.with_values(self.values.clone())
    }

    /// Makes of each run of records another, in one call: see [`RunMapper`]. `make` is called once a
    /// task.
    pub fn map_run<K2: Data, V2: Data>(
        &self,
        make: impl Fn() -> Box<dyn RunMapper<K, V, K2, V2>> + Send + Sync + 'static,
    ) -> KStream<K2, V2> {
        self.step("map-run", false, move |_| Box::new(MapRun(make())))
    }

    /// Shows each record to `look` and passes it on.
    pub fn peek(&self, look: impl Fn(&K, &V) + Send + Sync + 'static) -> Self {
        let look = Arc::new(look);
        let peeked: Self = self.step("peek", true, move |_| {
            Box::new(Peek::<K, V, _>::new(look.clone()))
        });
        peeked.with_values(self.values.clone())
    }

    /// Shows each record to `look`; the stream ends there.
    pub fn for_each(&self, look: impl Fn(&K, &V) + Send + Sync + 'static) {
        let look = Arc::new(look);
        self.step::<K, V>("for-each", true, move |_| {
            Box::new(Peek::<K, V, _>::new(look.clone()))
        });
    }

    /// The records of both streams. Those of one keep their order; between the two it goes by time.
    pub fn merge(&self, other: &KStream<K, V>) -> Self {
        let mut graph = self.graph.borrow();
        let name = graph.derived_name(self.node, "merge");
        if !self.graph.is(&other.graph) {
            graph.mistake(format!("{name} merges streams of two topologies"));
        }
        let node = graph.add(NodeSpec {
            name,
            label: "merge",
            inputs: vec![self.node, other.node],
            make: Arc::new(|_| Box::new(Pass)),
        });
        graph.node_mut(node).keeps_key = true;
        drop(graph);
        let placed = self
            .placed
            .clone()
            .filter(|codec| other.placed.as_ref() == Some(codec));
        KStream::new(self.graph.clone(), node, placed).with_values(self.values.clone())
    }

    /// Splits the stream: each record goes to the first branch whose predicate holds for it. The
    /// last of the streams returned has what no predicate holds for.
    pub fn branch(&self, predicates: Vec<Predicate<K, V>>) -> Vec<KStream<K, V>> {
        let count = predicates.len() + 1;
        let split: KStream<K, V> = self.step("branch", true, move |_| {
            Box::new(Branch(predicates.clone()))
        });
        (0..count)
            .map(|at| {
                let label = if at + 1 == count { "default" } else { "branch" };
                let branch: Self = split.step(label, true, |_| Box::new(Pass));
                branch.with_values(self.values.clone())
            })
            .collect()
    }

    /// Sends the records to the sink of this name.
    pub fn to(&self, name: &str, produced: Produced<K, V>) {
        if produced.sink.as_ref().is_some_and(|sink| sink.discards()) {
            return self.for_each(|_, _| ());
        }
        let mut graph = self.graph.borrow();
        let sink = graph.sink(name, produced.sink);
        let node_name = graph.derived_name(self.node, "to");
        let (key, value) = (produced.key, produced.value);
        let node = graph.add(NodeSpec {
            name: node_name,
            label: "to",
            inputs: vec![self.node],
            make: Arc::new(move |_| Box::new(ToSink::new(sink, key.clone(), value.clone()))),
        });
        graph.node_mut(node).kind = Kind::Sink(sink);
    }

    /// Moves records to the tasks that their keys belong to, unless they are there.
    pub(super) fn placed_by(
        &self,
        name: Option<&str>,
        codec: &SharedCodec<K>,
        is_null: Option<fn(&K) -> bool>,
        travels: SharedCodec<K>,
    ) -> KStream<K, V> {
        if self.placed.as_ref() == Some(&codec.name()) {
            return self.clone();
        }
        let mut graph = self.graph.borrow();
        let name = match name {
            Some(name) => name.to_owned(),
            None => graph.derived_name(self.node, "repartition"),
        };
        let by = codec.clone();
        let node = graph.add(NodeSpec {
            name,
            label: "repartition",
            inputs: vec![self.node],
            make: Arc::new(move |env| Box::new(Exchange::<K, V>::new(by.clone(), is_null, env))),
        });
        let sends_changes = graph.node(self.node).sends_changes;
        let spec = graph.node_mut(node);
        spec.kind = Kind::Exchange;
        spec.wire = self.values.clone().map(|value| {
            Arc::new(CodecWire {
                key: travels,
                value,
                needs_key: false,
            }) as Arc<dyn Wire>
        });
        // What travels is the application's own: where it cannot be read, nothing is left out.
        spec.policy = ErrorPolicy::Fail;
        spec.stateless = false;
        spec.sends_changes = sends_changes;
        if sends_changes {
            spec.old_values = crate::graph::OldValues::Passes;
        }
        drop(graph);
        KStream::new(self.graph.clone(), node, Some(codec.name())).with_values(self.values.clone())
    }
}

#[cfg(test)]
impl<K: Key, V: Data> KStream<K, V> {
    /// Moves records to the tasks of their keys, where a step works that goes by time.
    pub(crate) fn moved_by_time(
        &self,
        name: &str,
        make: impl Fn() -> Box<dyn Processor> + Send + Sync + 'static,
    ) -> KStream<K, V> {
        let codec = K::codec();
        let moved = self.placed_by(Some(name), &codec, None, travelling(&codec));
        let timed: KStream<K, V> = moved.step("by-time", true, move |_| make());
        let mut graph = timed.graph.borrow();
        let node = graph.node_mut(timed.node);
        node.goes_by_time = true;
        node.stateless = false;
        drop(graph);
        timed.with_values(self.values.clone())
    }
}

impl<K: Key, V: Data> KStream<K, V> {
    /// Groups the records by their keys. Records with a null key are dropped.
    pub fn group_by_key(&self) -> KGroupedStream<K, V> {
        let codec = K::codec();
        let stream = self.placed_by(None, &codec, Some(K::is_null), travelling(&codec));
        KGroupedStream { stream, codec }
    }

    /// Groups the records by their keys, which are told apart by the codec of `grouped`.
    pub fn group_by_key_as(&self, grouped: Grouped<K>) -> KGroupedStream<K, V> {
        let codec = grouped.codec.unwrap_or_else(K::codec);
        let travels = travelling(&codec);
        let stream = self.placed_by(Some(&grouped.name), &codec, Some(K::is_null), travels);
        KGroupedStream { stream, codec }
    }
}

impl<K: Data, V: Data> KStream<K, V> {
    /// Groups the records by a key of their own. Records with a null key are dropped.
    pub fn group_by<G: Key>(
        &self,
        key: impl Fn(&K, &V) -> G + Send + Sync + 'static,
        grouped: Grouped<G>,
    ) -> KGroupedStream<G, V> {
        self.select_key(key).group_by_key_as(grouped)
    }
}

impl<K: Key, V: Data> KStream<K, Option<V>> {
    /// Makes a table of the stream: each record is the new row of its key, and one without a value
    /// removes it. Records with a null key are dropped.
    pub fn to_table(&self, materialized: Materialized<K, V>) -> KTable<K, V> {
        let travels = travelling(&materialized.key);
        let placed = self.placed_by(None, &materialized.key, Some(K::is_null), travels);
        let (node, view) = add_to_table(&self.graph, placed.node, &materialized);
        KTable::new(
            self.graph.clone(),
            node,
            Some(view),
            materialized.key.clone(),
            Some(materialized.key.name()),
        )
    }
}
