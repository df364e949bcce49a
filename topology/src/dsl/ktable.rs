//! Tables: rows by key, that change.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::sync::Arc;

use super::builder::{Shared, add_rows, register};
use super::grouped_table::KGroupedTable;
use super::kstream::KStream;
use super::options::{Grouped, Joined, Materialized};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{Key, SharedCodec, bincode, travelling};
use crate::graph::{Kind, NodeEnv, NodeId, NodeSpec, OldValues, StoreSpec};
use crate::operators::collapse::Collapse;
use crate::operators::exchange::Exchange;
use crate::operators::follow::Follow;
use crate::operators::index::{Index, Indexed};
use crate::operators::index_by::IndexBy;
use crate::operators::materialize::Materialize;
use crate::operators::pass::Pass;
use crate::operators::sent_change::{sent_change, sent_indexed};
use crate::operators::settle::Settle;
use crate::operators::table_flat_map::TableFlatMap;
use crate::operators::table_group_by::TableGroupBy;
use crate::operators::table_map::{Report, TableMap};
use crate::operators::table_table_join::TableTableJoin;
use crate::operators::to_stream::ToStream;
use crate::operators::wire::{CodecWire, Wire};
use crate::operators::{Bag, bag};
use crate::policy::ErrorPolicy;
use crate::processor::{Processor, StoreId};
use crate::record::{Change, Data};
use crate::store::{AnyStore, BucketFormat, BucketStore};
use crate::view::{JoinView, MapView, SharedView};

/// A table with keys of `K` and rows of `V`.
///
/// What flows between its steps are changes: a key, the row before and the row now. A handle is cheap
/// to clone. A step without a name keeps no rows: it is computed from its parent when it is read.
pub struct KTable<K: Data, V: Data> {
    pub(super) graph: Shared,
    pub(super) node: NodeId,
    pub(super) view: Option<SharedView<K, V>>,
    pub(super) key: SharedCodec<K>,
    /// The codec by whose bytes of the key rows lie in their tasks, if they lie so.
    pub(super) placed: Option<String>,
}

impl<K: Data, V: Data> Clone for KTable<K, V> {
    fn clone(&self) -> Self {
        KTable {
            graph: self.graph.clone(),
            node: self.node,
            view: self.view.clone(),
            key: self.key.clone(),
            placed: self.placed.clone(),
        }
    }
}

/// Rows of a table by another key than their own, for streams to look up.
pub struct TableIndex<X: Data, K: Data, V: Data> {
    pub(super) store: StoreId,
    pub(super) key: SharedCodec<X>,
    types: PhantomData<fn() -> (K, V)>,
}

impl<X: Data, K: Data, V: Data> Clone for TableIndex<X, K, V> {
    fn clone(&self) -> Self {
        TableIndex {
            store: self.store,
            key: self.key.clone(),
            types: PhantomData,
        }
    }
}

/// Whether changes are held back until the commit, and where.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Before a sink that is reached through stateless steps alone.
    BeforeSink,
    /// Before an exchange, where there is one.
    BeforeExchange,
}

impl<K: Key, V: Data> KTable<K, V> {
    pub(super) fn new(
        graph: Shared,
        node: NodeId,
        view: Option<SharedView<K, V>>,
        key: SharedCodec<K>,
        placed: Option<String>,
    ) -> Self {
        KTable {
            graph,
            node,
            view,
            key,
            placed,
        }
    }

    /// Adds a step between changes.
    pub(super) fn step(
        &self,
        label: &'static str,
        old_values: OldValues,
        inputs: Vec<NodeId>,
        make: impl Fn(&NodeEnv) -> Box<dyn Processor> + Send + Sync + 'static,
    ) -> NodeId {
        let mut graph = self.graph.borrow();
        let name = graph.derived_name(self.node, label);
        let node = graph.add(NodeSpec {
            name,
            label,
            inputs,
            make: Arc::new(make),
        });
        let spec = graph.node_mut(node);
        spec.old_values = old_values;
        spec.sends_changes = true;
        node
    }

    /// Maps rows, or leaves them out where `map` gives none.
    pub fn filter_map_values<W: Data>(
        &self,
        map: impl Fn(&K, V) -> Option<W> + Send + Sync + 'static,
    ) -> KTable<K, W> {
        let map = move |key: &K, row: V, _: &mut Report<'_>| map(key, row);
        self.map_step("filter-map-values", Arc::new(map)).purely()
    }

    /// Maps rows, or leaves them out where `map` gives none; what fails in it is reported, and the
    /// policy of the query says what becomes of it.
    pub fn try_filter_map_values<W: Data>(
        &self,
        map: impl Fn(&K, V, &mut Report<'_>) -> Option<W> + Send + Sync + 'static,
    ) -> KTable<K, W> {
        self.map_step("filter-map-values", Arc::new(map))
    }

    fn map_step<W: Data, F>(&self, label: &'static str, map: Arc<F>) -> KTable<K, W>
    where
        F: Fn(&K, V, &mut Report<'_>) -> Option<W> + Send + Sync + 'static,
    {
        let mapped = map.clone();
        // Old rows are asked for, so that a row that was never there is not taken away.
        let node = self.step(label, OldValues::Reads, vec![self.node], move |_| {
            Box::new(TableMap::<K, V, W, F>::new(mapped.clone()))
        });
        let view = self.view.clone().map(|parent| {
            let map = move |key: &K, value: V| map(key, value, &mut |_| ());
            Arc::new(MapView {
                parent,
                map: Arc::new(map),
            }) as SharedView<K, W>
        });
        KTable::new(
            self.graph.clone(),
            node,
            view,
            self.key.clone(),
            self.placed.clone(),
        )
    }

    /// Notes that the step that was added last does nothing where nobody reads what it sends.
    fn purely(self) -> Self {
        self.graph.borrow().node_mut(self.node).pure = true;
        self
    }

    /// The form of the keys.
    pub fn key_codec(&self) -> SharedCodec<K> {
        self.key.clone()
    }

    /// True where rows can be read by their key: they are kept, and lie where their keys belong.
    pub fn is_kept(&self) -> bool {
        self.view.is_some() && self.placed.as_ref() == Some(&self.key.name())
    }

    /// Keeps the rows that `predicate` holds for.
    pub fn filter(&self, predicate: impl Fn(&K, &V) -> bool + Send + Sync + 'static) -> Self {
        let keep =
            move |key: &K, value: V, _: &mut Report<'_>| predicate(key, &value).then_some(value);
        self.map_step("filter", Arc::new(keep)).purely()
    }

    /// Makes of each row another one.
    pub fn map_values<W: Data>(
        &self,
        map: impl Fn(&K, &V) -> W + Send + Sync + 'static,
    ) -> KTable<K, W> {
        let map = move |key: &K, value: V, _: &mut Report<'_>| Some(map(key, &value));
        self.map_step("map-values", Arc::new(map)).purely()
    }

    /// Makes of each row any number of rows, under keys of their own. No two rows may become rows of
    /// one key.
    pub fn flat_map<K2: Key, W: Data>(
        &self,
        map: impl Fn(&K, V, &mut Vec<(K2, W)>) + Send + Sync + 'static,
        key: SharedCodec<K2>,
    ) -> KTable<K2, W> {
        let map = Arc::new(map);
        let node = self.step("flat-map", OldValues::Reads, vec![self.node], move |_| {
            Box::new(TableFlatMap::<K, V, K2, W, _>::new(map.clone()))
        });
        KTable::new(self.graph.clone(), node, None, key, None)
    }

    /// Keeps the rows in a store of their own, which can be read under its name.
    pub fn materialize(&self, materialized: Materialized<K, V>) -> Self {
        let mut graph = self.graph.borrow();
        let Materialized { name, key, value } = materialized;
        let (store, view) = add_rows(&mut graph, &name, &key, &value);
        let node = graph.add(NodeSpec {
            name: name.clone(),
            label: "materialize",
            inputs: vec![self.node],
            make: Arc::new(move |_| Box::new(Materialize::<K, V>::new(store))),
        });
        let spec = graph.node_mut(node);
        spec.writes = vec![store];
        spec.old_values = OldValues::Passes;
        spec.sends_changes = true;
        spec.stateless = false;
        register(&mut graph, &name, &view, &key);
        drop(graph);
        KTable::new(
            self.graph.clone(),
            node,
            Some(view),
            key,
            self.placed.clone(),
        )
    }

    /// Lets the table be read from outside under a name, without a store of its own.
    pub fn queryable_as(&self, name: &str) {
        let mut graph = self.graph.borrow();
        match &self.view {
            Some(view) => register(&mut graph, name, view, &self.key),
            None => graph.mistake(format!("table {name} is not kept; materialize it")),
        }
    }

    /// The changes as a stream: each is a record with the row now, or none where it went away.
    pub fn to_stream(&self) -> KStream<K, Option<V>> {
        let held = self.collapse(Holds::BeforeSink);
        let node = held.step("to-stream", OldValues::Ignores, vec![held.node], |_| {
            Box::new(ToStream::<K, V>::new())
        });
        let mut graph = self.graph.borrow();
        let spec = graph.node_mut(node);
        spec.sends_changes = false;
        spec.scattered = self.placed.is_none();
        drop(graph);
        KStream::new(self.graph.clone(), node, self.placed.clone())
    }

    pub(super) fn collapse(&self, holds: Holds) -> Self {
        let node = self.step("collapse", OldValues::Reads, vec![self.node], move |env| {
            let holds = env.collapse && (holds == Holds::BeforeSink || env.lanes > 1);
            Box::new(Collapse::<K, V>::new(holds))
        });
        self.graph.borrow().node_mut(node).may_collapse = true;
        self.graph.borrow().node_mut(node).before_sink = holds == Holds::BeforeSink;
        KTable::new(
            self.graph.clone(),
            node,
            self.view.clone(),
            self.key.clone(),
            self.placed.clone(),
        )
    }

    /// Has the rows lie where `codec` puts their keys, by an exchange of this name; `wire` says how they
    /// travel through a topic, if that is known.
    pub(super) fn exchange<X: Data, Y: Data>(
        &self,
        from: NodeId,
        name: &str,
        codec: &SharedCodec<X>,
        wire: Option<Arc<dyn Wire>>,
    ) -> NodeId {
        let mut graph = self.graph.borrow();
        let by = codec.clone();
        let node = graph.add(NodeSpec {
            name: name.to_owned(),
            label: "repartition",
            inputs: vec![from],
            make: Arc::new(move |env| Box::new(Exchange::<X, Y>::new(by.clone(), None, env))),
        });
        let spec = graph.node_mut(node);
        spec.kind = Kind::Exchange;
        spec.wire = wire;
        // What travels is the application's own: where it cannot be read, nothing is left out.
        spec.policy = ErrorPolicy::Fail;
        spec.old_values = OldValues::Passes;
        spec.sends_changes = true;
        spec.stateless = false;
        node
    }

    /// Moves each row to the task that its key belongs to and keeps it there: for a table whose keys
    /// came about in a step.
    pub fn repartition(&self, materialized: Materialized<K, V>) -> Self {
        if self.placed.as_ref() == Some(&materialized.key.name()) && self.view.is_some() {
            return self.materialize(materialized);
        }
        self.spread(materialized)
    }

    /// The same though the rows may be where their keys belong among those of one task that has them all, as it
    /// has what it makes of a file in an application on a cluster: it keeps its own rows, and others get theirs.
    pub fn spread(&self, materialized: Materialized<K, V>) -> Self {
        let held = self.collapse(Holds::BeforeExchange);
        let Materialized { name, key, value } = materialized;
        let wire = change_wire(travelling(&key), sent_change(value.clone()));
        let exchange = self.exchange::<K, Change<V>>(
            held.node,
            &format!("{name}.repartition"),
            &key,
            Some(wire),
        );
        let mut graph = self.graph.borrow();
        let (store, bags) = add_rows(&mut graph, &name, &key, &bag(value.clone()));
        let node = graph.add(NodeSpec {
            name: name.clone(),
            label: "settle",
            inputs: vec![exchange],
            make: Arc::new(move |_| Box::new(Settle::<K, V>::new(store, value.clone()))),
        });
        let spec = graph.node_mut(node);
        spec.writes = vec![store];
        spec.old_values = OldValues::Reads;
        spec.sends_changes = true;
        spec.stateless = false;
        let row = |_: &K, versions: Bag<V>| versions.row().map(|row| row.value.clone());
        let view: SharedView<K, V> = Arc::new(MapView {
            parent: bags,
            map: Arc::new(row),
        });
        register(&mut graph, &name, &view, &key);
        drop(graph);
        let placed = Some(key.name());
        KTable::new(self.graph.clone(), node, Some(view), key, placed)
    }

    /// Groups the rows by a key of their own. `group` gives the group, and what it is told of the row.
    pub fn group_by<G: Key, W: Stored>(
        &self,
        group: impl Fn(&K, &V) -> (G, W) + Send + Sync + 'static,
        grouped: Grouped<G>,
    ) -> KGroupedTable<G, W> {
        self.filter_group_by(move |key, value| Some(group(key, value)), grouped)
            .values_as(bincode())
    }

    /// Groups the rows by a key of their own; those for which `group` gives none belong to no group.
    ///
    /// In an application on a cluster [`values_as`](KGroupedTable::values_as) has to say how what the group is
    /// told travels to it.
    pub fn filter_group_by<G: Key, W: Data>(
        &self,
        group: impl Fn(&K, &V) -> Option<(G, W)> + Send + Sync + 'static,
        grouped: Grouped<G>,
    ) -> KGroupedTable<G, W> {
        let held = self.collapse(Holds::BeforeExchange);
        let group = Arc::new(group);
        let groups = held.step("group-by", OldValues::Reads, vec![held.node], move |_| {
            Box::new(TableGroupBy::<K, V, G, W, _>::new(group.clone()))
        });
        let codec = grouped.codec.unwrap_or_else(G::codec);
        let node = self.exchange::<G, Change<W>>(groups, &grouped.name, &codec, None);
        KGroupedTable {
            graph: self.graph.clone(),
            node,
            codec,
            types: PhantomData,
        }
    }

    /// The rows of both tables, whose keys must be different.
    pub fn union(&self, other: &KTable<K, V>) -> Self {
        let node = self.step(
            "union",
            OldValues::Passes,
            vec![self.node, other.node],
            |_| Box::new(Pass),
        );
        let placed = self
            .placed
            .clone()
            .filter(|codec| other.placed.as_ref() == Some(codec));
        KTable::new(self.graph.clone(), node, None, self.key.clone(), placed)
    }

    /// The same table for a query that is added later: it sees all rows first, then the changes.
    pub fn follow(&self) -> Self {
        let Some(view) = self.view.clone() else {
            self.graph
                .borrow()
                .mistake("a table that is not kept cannot be followed; materialize it".to_owned());
            return self.clone();
        };
        let reads = view.stores();
        let node = self.step("follow", OldValues::Passes, vec![self.node], move |_| {
            Box::new(Follow::<K, V>::new(view.clone()))
        });
        let mut graph = self.graph.borrow();
        let spec = graph.node_mut(node);
        spec.reads = reads;
        spec.starts_once = true;
        spec.stateless = false;
        drop(graph);
        KTable::new(
            self.graph.clone(),
            node,
            self.view.clone(),
            self.key.clone(),
            self.placed.clone(),
        )
    }

    /// Keeps the rows by another key than their own, in a store of this name, for streams to look up;
    /// rows for which `by` gives none cannot be found.
    pub fn index<X: Key>(
        &self,
        by: impl Fn(&K, &V) -> Option<X> + Send + Sync + 'static,
        key: SharedCodec<X>,
        materialized: Materialized<K, V>,
    ) -> TableIndex<X, K, V> {
        let held = self.collapse(Holds::BeforeExchange);
        let by = Arc::new(by);
        let keyed = held.step("index-by", OldValues::Reads, vec![held.node], move |_| {
            Box::new(IndexBy::<K, V, X, _>::new(by.clone()))
        });
        let Materialized {
            name,
            key: own,
            value,
        } = materialized;
        let wire = change_wire(travelling(&key), sent_indexed(own.clone(), value.clone()));
        let exchange = self.exchange::<X, Indexed<K, V>>(
            keyed,
            &format!("{name}.repartition"),
            &key,
            Some(wire),
        );
        let store = add_buckets(&self.graph, &name, &key, &own, &value);
        let mut graph = self.graph.borrow();
        let node = graph.add(NodeSpec {
            name,
            label: "index",
            inputs: vec![exchange],
            make: Arc::new(move |_| Box::new(Index::<X, K, V>::new(store, value.clone()))),
        });
        let spec = graph.node_mut(node);
        spec.writes = vec![store];
        spec.old_values = OldValues::Reads;
        spec.stateless = false;
        TableIndex {
            store,
            key,
            types: PhantomData,
        }
    }

    /// Joins the rows of two tables that have the same key.
    pub fn join<R: Data, O: Stored>(
        &self,
        right: &KTable<K, R>,
        join: impl Fn(&V, &R) -> O + Send + Sync + 'static,
        joined: Joined,
    ) -> KTable<K, O> {
        self.join_step(right, "join", joined, move |l, r| Some(join(l?, r?)))
    }

    /// Joins each row of this table with the row of the other that has its key, or with none.
    pub fn left_join<R: Data, O: Stored>(
        &self,
        right: &KTable<K, R>,
        join: impl Fn(&V, Option<&R>) -> O + Send + Sync + 'static,
        joined: Joined,
    ) -> KTable<K, O> {
        self.join_step(right, "left-join", joined, move |l, r| Some(join(l?, r)))
    }

    /// Joins each row of the other table with the row of this one that has its key, or with none.
    pub fn right_join<R: Data, O: Stored>(
        &self,
        right: &KTable<K, R>,
        join: impl Fn(Option<&V>, &R) -> O + Send + Sync + 'static,
        joined: Joined,
    ) -> KTable<K, O> {
        self.join_step(right, "right-join", joined, move |l, r| Some(join(l, r?)))
    }

    /// Joins the rows of both tables, those that have no partner with none.
    pub fn outer_join<R: Data, O: Stored>(
        &self,
        right: &KTable<K, R>,
        join: impl Fn(Option<&V>, Option<&R>) -> O + Send + Sync + 'static,
        joined: Joined,
    ) -> KTable<K, O> {
        self.join_step(right, "outer-join", joined, move |l, r| {
            (l.is_some() || r.is_some()).then(|| join(l, r))
        })
    }

    fn join_step<R: Data, O: Stored>(
        &self,
        right: &KTable<K, R>,
        label: &'static str,
        joined: Joined,
        join: impl Fn(Option<&V>, Option<&R>) -> Option<O> + Send + Sync + 'static,
    ) -> KTable<K, O> {
        let mut graph = self.graph.borrow();
        let kept = self.view.clone().zip(right.view.clone());
        let placed = self.placed.is_some() && self.placed == right.placed;
        let (Some((left_view, right_view)), true) = (kept, placed) else {
            graph.mistake(format!(
                "join {} needs both tables kept where their keys belong; repartition them first, or \
                 use join_on",
                joined.name
            ));
            drop(graph);
            return self.filter_map_values(|_, _| None);
        };
        let stores = (left_view.stores(), right_view.stores());
        let entangled =
            graph.depends_on(right.node, &stores.0) || graph.depends_on(self.node, &stores.1);
        let kept = entangled.then(|| {
            let name = format!("{}.results", joined.name);
            add_rows::<K, O>(&mut graph, &name, &self.key, &bincode())
        });
        let reads = [stores.0, stores.1].concat();
        let join = Arc::new(join);
        let (results, view) = match kept {
            Some((store, view)) => (Some(store), view),
            None => {
                let view: SharedView<K, O> = Arc::new(JoinView {
                    left: left_view.clone(),
                    right: right_view.clone(),
                    join: join.clone(),
                    keeps_right: matches!(label, "right-join" | "outer-join"),
                    key: self.key.clone(),
                });
                (None, view)
            }
        };
        let node = graph.add(NodeSpec {
            name: joined.name,
            label,
            inputs: vec![self.node, right.node],
            make: Arc::new(move |_| {
                let join = join.clone();
                Box::new(TableTableJoin {
                    left: left_view.clone(),
                    right: right_view.clone(),
                    join: Arc::new(move |_: &K, l: Option<&V>, r: Option<&R>| join(l, r)),
                    results,
                    told: HashSet::new(),
                    types: PhantomData,
                })
            }),
        });
        let spec = graph.node_mut(node);
        spec.reads = reads;
        spec.writes = results.into_iter().collect();
        spec.old_values = OldValues::Reads;
        spec.sends_changes = true;
        spec.stateless = false;
        drop(graph);
        KTable::new(
            self.graph.clone(),
            node,
            Some(view),
            self.key.clone(),
            self.placed.clone(),
        )
    }
}

/// A value that a step may have to keep: any that serde can write and read.
pub trait Stored: Data + Serialize + DeserializeOwned {}

impl<T: Data + Serialize + DeserializeOwned> Stored for T {}

/// How changes travel through a topic whose keys and values have these forms.
pub(super) fn change_wire<X: Data, Y: Data>(
    key: SharedCodec<X>,
    value: SharedCodec<Y>,
) -> Arc<dyn Wire> {
    Arc::new(CodecWire {
        key,
        value,
        needs_key: true,
    })
}

/// Adds a store of rows by another key.
pub(super) fn add_buckets<X: Key, K: Key, V: Data>(
    shared: &Shared,
    name: &str,
    key: &SharedCodec<X>,
    own: &SharedCodec<K>,
    value: &SharedCodec<V>,
) -> StoreId {
    let format = Arc::new(BucketFormat::new(
        name,
        key.clone(),
        own.clone(),
        bag(value.clone()),
    ));
    shared.borrow().add_store(StoreSpec {
        name: name.into(),
        fingerprint: format!(
            "index/1; by {}; key {}; value {}",
            key.name(),
            own.name(),
            value.name()
        ),
        make: Arc::new(move |state, lane, generations| {
            let store =
                BucketStore::<X, K, Bag<V>>::open(state, format.clone(), lane, generations)?;
            Ok(Box::new(store) as Box<dyn AnyStore>)
        }),
    })
}
