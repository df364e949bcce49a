//! Tables that are grouped by a key of their rows, and what can be gathered of them.

use std::sync::Arc;

use super::KTable;
use super::builder::Shared;
use super::grouped_stream::{AggregateOptions, AggregateStep, KGroupedStream};
use super::ktable::change_wire;
use super::options::Materialized;
use crate::codec::{Key, SharedCodec, travelling};
use crate::graph::{Kind, NodeId, NodeSpec, OldValues, OnRewrite};
use crate::operators::aggregate::Seed;
use crate::operators::aggregator::{Aggregator, Functions};
use crate::operators::sent_change::sent_change;
use crate::operators::table_aggregate::TableAggregate;
use crate::operators::with_records::WithRecords;
use crate::record::Data;

/// A table whose rows are with their groups.
pub struct KGroupedTable<K: Data, V> {
    pub(super) graph: Shared,
    pub(super) node: NodeId,
    pub(super) codec: SharedCodec<K>,
    pub(super) types: std::marker::PhantomData<fn() -> V>,
}

impl<K: Key, V: Data> KGroupedTable<K, V> {
    /// The form that rows have where they travel through a topic to their group, as they do when an
    /// application on a cluster groups a table.
    pub fn values_as(&self, codec: SharedCodec<V>) -> Self {
        let wire = change_wire(travelling(&self.codec), sent_change(codec));
        let mut graph = self.graph.borrow();
        let node = graph.node_mut(self.node);
        if matches!(node.kind, Kind::Exchange) {
            node.wire = Some(wire);
        }
        drop(graph);
        KGroupedTable {
            graph: self.graph.clone(),
            node: self.node,
            codec: self.codec.clone(),
            types: std::marker::PhantomData,
        }
    }

    /// Counts the rows of each group. A group without rows has no row in the result.
    pub fn count(&self, materialized: Materialized<K, i64>) -> KTable<K, i64> {
        self.fold(
            "count",
            materialized,
            |_, _, count: Option<i64>| Some(count.unwrap_or(0) + 1).filter(|count| *count != 0),
            |_, _, count: Option<i64>| Some(count.unwrap_or(0) - 1).filter(|count| *count != 0),
        )
    }

    /// Combines the rows of each group: `combine` is given a row, and what came of others. A first row is taken
    /// as it is. `take_back` undoes what `combine` did. A result of none removes the group.
    pub fn reduce<R: Into<Option<V>>>(
        &self,
        combine: impl Fn(&V, V) -> V + Send + Sync + 'static,
        take_back: impl Fn(&V, V) -> R + Send + Sync + 'static,
        materialized: Materialized<K, V>,
    ) -> KTable<K, V> {
        self.fold(
            "reduce",
            materialized,
            move |_, value, sum: Option<V>| {
                Some(match sum {
                    Some(sum) => combine(value, sum),
                    None => value.clone(),
                })
            },
            move |_, value, sum: Option<V>| sum.and_then(|sum| take_back(value, sum).into()),
        )
    }

    /// Gathers the rows of each group, beginning with `init`. `take_back` undoes what `add` did. A
    /// result of none removes the group.
    pub fn aggregate<A: Data, R: Into<Option<A>>, S: Into<Option<A>>>(
        &self,
        init: impl Fn() -> A + Send + Sync + 'static,
        add: impl Fn(&K, &V, A) -> R + Send + Sync + 'static,
        take_back: impl Fn(&K, &V, A) -> S + Send + Sync + 'static,
        materialized: Materialized<K, A>,
    ) -> KTable<K, A> {
        self.fold(
            "aggregate",
            materialized,
            move |key, value, sum: Option<A>| add(key, value, sum.unwrap_or_else(&init)).into(),
            move |key, value, sum: Option<A>| sum.and_then(|sum| take_back(key, value, sum).into()),
        )
    }

    /// The rows and the records of a stream that lie with the same groups, which are rows that only come.
    ///
    /// Both are gathered together. When a source of the table is read again, rows that are gone are taken
    /// back; records of the stream never are.
    pub fn with_records(&self, records: &KGroupedStream<K, V>) -> Self {
        let mut graph = self.graph.borrow();
        let name = graph.derived_name(self.node, "with-records");
        let node = graph.add(NodeSpec {
            name,
            label: "with-records",
            inputs: vec![self.node, records.stream.node],
            make: Arc::new(|_| Box::new(WithRecords::<K, V>::new())),
        });
        let spec = graph.node_mut(node);
        spec.old_values = OldValues::Passes;
        spec.sends_changes = true;
        drop(graph);
        KGroupedTable {
            graph: self.graph.clone(),
            node,
            codec: self.codec.clone(),
            types: std::marker::PhantomData,
        }
    }

    fn fold<A: Data>(
        &self,
        label: &'static str,
        materialized: Materialized<K, A>,
        add: impl Fn(&K, &V, Option<A>) -> Option<A> + Send + Sync + 'static,
        take_back: impl Fn(&K, &V, Option<A>) -> Option<A> + Send + Sync + 'static,
    ) -> KTable<K, A> {
        let options = AggregateOptions {
            materialized,
            multisets: false,
            seed: None,
            queryable: true,
        };
        self.aggregate_step(label, Functions::new(add, take_back), options)
    }

    /// Gathers the rows of each group with an [`Aggregator`].
    pub fn aggregate_with<G: Aggregator<K, V>>(
        &self,
        aggregator: G,
        options: AggregateOptions<K, G::State>,
    ) -> KTable<K, G::State> {
        self.aggregate_step("aggregate", aggregator, options)
    }

    fn aggregate_step<G: Aggregator<K, V>>(
        &self,
        label: &'static str,
        aggregator: G,
        options: AggregateOptions<K, G::State>,
    ) -> KTable<K, G::State> {
        let aggregator = Arc::new(aggregator);
        let seed = options.seed.clone();
        let codec = self.codec.clone();
        let step = AggregateStep {
            graph: &self.graph,
            from: self.node,
            codec: &self.codec,
            label,
            on_rewrite: OnRewrite::Passes,
        };
        step.add(options, move |stores, env| {
            let seed = seed.clone().map(|seed| Seed::new(seed, &codec, env));
            Box::new(TableAggregate::<K, V, G>::new(
                stores,
                aggregator.clone(),
                seed,
                env,
            ))
        })
    }
}
