//! Streams that are grouped by their keys, and what can be gathered of them.

use std::sync::Arc;

use super::KTable;
use super::builder::{Shared, add_rows, register};
use super::kstream::KStream;
use super::options::Materialized;
use crate::codec::{Key, SharedCodec};
use crate::graph::{GraphBuilder, NodeEnv, NodeId, NodeSpec, OldValues, OnRewrite, StoreSpec};
use crate::operators::aggregate::{Aggregate, AggregateStores, Seed};
use crate::operators::aggregator::{Aggregator, Functions, Multisets};
use crate::processor::{Processor, StoreId};
use crate::record::Data;
use crate::store::{AnyStore, BucketStore};

/// A stream whose records are where their keys belong.
pub struct KGroupedStream<K: Data, V: Data> {
    pub(super) stream: KStream<K, V>,
    pub(super) codec: SharedCodec<K>,
}

/// What an aggregation with an [`Aggregator`] of one's own is told.
pub struct AggregateOptions<K: Data, A: Data> {
    /// The store of the rows.
    pub materialized: Materialized<K, A>,
    /// True where the aggregator keeps [`Multisets`].
    pub multisets: bool,
    /// A key that has a row from the start, with this state.
    pub seed: Option<(K, A)>,
    /// True where the rows can be read from outside under the name of the store.
    pub queryable: bool,
}

impl<K: Key, V: Data> KGroupedStream<K, V> {
    /// Counts the records of each key.
    pub fn count(&self, materialized: Materialized<K, i64>) -> KTable<K, i64> {
        self.fold("count", materialized, |_, _, count: Option<i64>| {
            Some(count.unwrap_or(0) + 1)
        })
    }

    /// Combines the values of each key: `combine` is given a value, and what came of those before it. A first
    /// value is taken as it is.
    pub fn reduce(
        &self,
        combine: impl Fn(&V, V) -> V + Send + Sync + 'static,
        materialized: Materialized<K, V>,
    ) -> KTable<K, V> {
        self.fold("reduce", materialized, move |_, value, sum: Option<V>| {
            Some(match sum {
                Some(sum) => combine(value, sum),
                None => value.clone(),
            })
        })
    }

    /// Gathers the values of each key, beginning with `init`. A result of none removes the row.
    pub fn aggregate<A: Data, R: Into<Option<A>>>(
        &self,
        init: impl Fn() -> A + Send + Sync + 'static,
        add: impl Fn(&K, &V, A) -> R + Send + Sync + 'static,
        materialized: Materialized<K, A>,
    ) -> KTable<K, A> {
        self.fold(
            "aggregate",
            materialized,
            move |key, value, sum: Option<A>| add(key, value, sum.unwrap_or_else(&init)).into(),
        )
    }

    fn fold<A: Data>(
        &self,
        label: &'static str,
        materialized: Materialized<K, A>,
        add: impl Fn(&K, &V, Option<A>) -> Option<A> + Send + Sync + 'static,
    ) -> KTable<K, A> {
        let nothing = |_: &K, _: &V, state: Option<A>| state;
        let options = AggregateOptions {
            materialized,
            multisets: false,
            seed: None,
            queryable: true,
        };
        self.aggregate_step(label, Functions::new(add, nothing), options)
    }

    /// Gathers the values of each key with an [`Aggregator`].
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
            graph: &self.stream.graph,
            from: self.stream.node,
            codec: &self.codec,
            label,
            on_rewrite: OnRewrite::Rebuilds,
        };
        step.add(options, move |stores, env| {
            let seed = seed.clone().map(|seed| Seed::new(seed, &codec, env));
            Box::new(Aggregate::<K, V, G>::new(
                stores,
                aggregator.clone(),
                seed,
                env,
            ))
        })
    }
}

/// An aggregation that is being added, of a stream or of a table.
pub(super) struct AggregateStep<'a, K: Data> {
    pub(super) graph: &'a Shared,
    pub(super) from: NodeId,
    pub(super) codec: &'a SharedCodec<K>,
    pub(super) label: &'static str,
    pub(super) on_rewrite: OnRewrite,
}

impl<K: Key> AggregateStep<'_, K> {
    pub(super) fn add<A: Data>(
        &self,
        options: AggregateOptions<K, A>,
        make: impl Fn(AggregateStores, &NodeEnv) -> Box<dyn Processor> + Send + Sync + 'static,
    ) -> KTable<K, A> {
        let mut graph = self.graph.borrow();
        let Materialized { name, key, value } = options.materialized;
        let (rows, view) = add_rows(&mut graph, &name, &key, &value);
        let multisets = options
            .multisets
            .then(|| add_multisets(&mut graph, &format!("{name}.sets"), &key));
        let stores = AggregateStores { rows, multisets };
        let node = graph.add(NodeSpec {
            name: name.clone(),
            label: self.label,
            inputs: vec![self.from],
            make: Arc::new(move |env| make(stores, env)),
        });
        let spec = graph.node_mut(node);
        spec.writes = [rows].into_iter().chain(multisets).collect();
        spec.on_rewrite = self.on_rewrite;
        spec.old_values = if self.on_rewrite == OnRewrite::Rebuilds {
            OldValues::Ignores
        } else {
            OldValues::Reads
        };
        spec.sends_changes = true;
        spec.stateless = false;
        if options.queryable {
            register(&mut graph, &name, &view, &key);
        }
        drop(graph);
        // Rows lie where the grouping put them; the name of the codec that says so is the table's.
        let placed = Some(self.codec.name());
        KTable::new(self.graph.clone(), node, Some(view), key, placed)
    }
}

fn add_multisets<K: Key>(graph: &mut GraphBuilder, name: &str, key: &SharedCodec<K>) -> StoreId {
    let format = Multisets::format(name, key.clone());
    graph.add_store(StoreSpec {
        name: name.into(),
        fingerprint: format!("multisets/1; key {}", key.name()),
        make: Arc::new(move |state, lane, generations| {
            let store = BucketStore::open(state, format.clone(), lane, generations)?;
            Ok(Box::new(store) as Box<dyn AnyStore>)
        }),
    })
}
