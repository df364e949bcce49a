//! Joins of two tables on any expression of either side.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ktable::{Holds, KTable, add_buckets, change_wire};
use super::options::Materialized;
use crate::codec::{Key, SharedCodec, bincode};
use crate::graph::{NodeId, NodeSpec, OldValues};
use crate::operators::index::Indexed;
use crate::operators::index_by::IndexBy;
use crate::operators::join_on::{Combine, JoinOn, Keeps, Matches, Side};
use crate::operators::sent_change::sent_indexed;
use crate::record::Data;

/// Which rows without a partner a join keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// None.
    Inner,
    /// Those of the left side.
    Left,
    /// Those of the right side.
    Right,
    /// Those of both.
    Full,
}

impl JoinKind {
    /// True where rows of the left side without a partner are kept.
    pub fn keeps_left(self) -> bool {
        matches!(self, JoinKind::Left | JoinKind::Full)
    }

    /// True where rows of the right side without a partner are kept.
    pub fn keeps_right(self) -> bool {
        matches!(self, JoinKind::Right | JoinKind::Full)
    }

    fn label(self) -> &'static str {
        match self {
            JoinKind::Inner => "join-on",
            JoinKind::Left => "left-join-on",
            JoinKind::Right => "right-join-on",
            JoinKind::Full => "full-join-on",
        }
    }
}

/// Everything that a join on expressions is made of.
pub struct JoinSpec<LK: Data, L: Data, RK: Data, R: Data, J: Data, OK: Data, O> {
    /// The name of the join, which its stores are named by.
    pub name: String,
    /// Which rows without a partner are kept.
    pub kind: JoinKind,
    /// The value of a left row, none being equal to nothing; and the form of left rows in the store.
    pub left: JoinSide<LK, L, J>,
    /// The same of right rows.
    pub right: JoinSide<RK, R, J>,
    /// What must hold for a pair of rows besides equality of their values.
    pub matches: Matches<L, R>,
    /// The key of a row of the result.
    pub key: Combine<LK, RK, OK>,
    /// A row of the result.
    pub join: Combine<L, R, O>,
    /// The form of values that are joined on.
    pub on: SharedCodec<Option<J>>,
    /// The form of keys of the result.
    pub out_key: SharedCodec<OK>,
}

/// One side of a join on expressions.
pub struct JoinSide<K: Data, V: Data, J> {
    /// The value that a row is joined on, none being equal to nothing.
    pub on: Arc<dyn Fn(&K, &V) -> Option<J> + Send + Sync>,
    /// The form of rows in the store.
    pub value: SharedCodec<V>,
}

impl<LK: Key, L: Data> KTable<LK, L> {
    /// Joins two tables as `spec` says, many rows to many.
    pub fn join_spec<RK: Key, R: Data, J: Key, OK: Key, O: Data>(
        &self,
        right: &KTable<RK, R>,
        spec: JoinSpec<LK, L, RK, R, J, OK, O>,
    ) -> KTable<OK, O> {
        let (name, on) = (&spec.name, &spec.on);
        let keeps = Keeps {
            left: spec.kind.keeps_left(),
            right: spec.kind.keeps_right(),
        };
        let left_node = self.keyed_by(&format!("{name}.left"), on, &spec.left, keeps.left);
        let right_node = right.keyed_by(&format!("{name}.right"), on, &spec.right, keeps.right);
        let left = (format!("{name}.left"), &self.key, spec.left.value);
        let right = (format!("{name}.right"), &right.key, spec.right.value);
        let left_store = add_buckets(&self.graph, &left.0, on, left.1, &left.2);
        let right_store = add_buckets(&self.graph, &right.0, on, right.1, &right.2);
        let (matches, key, join) = (spec.matches, spec.key, spec.join);
        let mut graph = self.graph.borrow();
        let node = graph.add(NodeSpec {
            name: name.clone(),
            label: spec.kind.label(),
            inputs: vec![left_node, right_node],
            make: Arc::new(move |_| {
                Box::new(JoinOn::<J, LK, L, RK, R, OK, O> {
                    left: Side {
                        store: left_store,
                        values: left.2.clone(),
                    },
                    right: Side {
                        store: right_store,
                        values: right.2.clone(),
                    },
                    keeps,
                    matches: matches.clone(),
                    key: key.clone(),
                    join: join.clone(),
                    value: PhantomData,
                })
            }),
        });
        let node_spec = graph.node_mut(node);
        node_spec.writes = vec![left_store, right_store];
        node_spec.old_values = OldValues::Reads;
        node_spec.sends_changes = true;
        node_spec.stateless = false;
        drop(graph);
        KTable::new(self.graph.clone(), node, None, spec.out_key, None)
    }

    /// Sends each row to the value that it is joined on. A row whose value is null stays only where
    /// its side is kept: under a value of none, which has no partners.
    fn keyed_by<J: Key>(
        &self,
        name: &str,
        codec: &SharedCodec<Option<J>>,
        side: &JoinSide<LK, L, J>,
        keeps: bool,
    ) -> NodeId {
        let held = self.collapse(Holds::BeforeExchange);
        let on = side.on.clone();
        let by =
            Arc::new(move |key: &LK, row: &L| on(key, row).map(Some).or(keeps.then_some(None)));
        let keyed = held.step("index-by", OldValues::Reads, vec![held.node], move |_| {
            Box::new(IndexBy::<LK, L, Option<J>, _>::new(by.clone()))
        });
        let value = sent_indexed(self.key.clone(), side.value.clone());
        // A value of none has bytes as well, so that changes of one row stay together.
        let wire = change_wire(codec.clone(), value);
        let name = format!("{name}.repartition");
        held.exchange::<Option<J>, Indexed<LK, L>>(keyed, &name, codec, Some(wire))
    }

    /// Joins the rows of two tables whose values are equal, many rows to many. The result has the
    /// keys of both sides and is kept under the name of `materialized`. A null value is equal to
    /// nothing.
    ///
    /// Rows of the result are in the tasks of the values that they were joined on. In an application on a
    /// cluster they are moved with [`repartition`](KTable::repartition) before they are sent out.
    pub fn join_on<RK: Key, R, J: Key, O: Data>(
        &self,
        right: &KTable<RK, R>,
        left_on: impl Fn(&L) -> J + Send + Sync + 'static,
        right_on: impl Fn(&R) -> J + Send + Sync + 'static,
        join: impl Fn(&L, &R) -> O + Send + Sync + 'static,
        materialized: Materialized<(LK, RK), O>,
    ) -> KTable<(LK, RK), O>
    where
        L: Serialize + DeserializeOwned,
        R: Data + Serialize + DeserializeOwned,
    {
        let spec = JoinSpec {
            name: format!("{}.join", materialized.name),
            kind: JoinKind::Inner,
            left: JoinSide::bincode(move |row| Some(left_on(row)).filter(|value| !value.is_null())),
            right: JoinSide::bincode(move |row| {
                Some(right_on(row)).filter(|value| !value.is_null())
            }),
            matches: Arc::new(|_, _, _| true),
            key: Arc::new(|l: Option<&LK>, r: Option<&RK>| {
                let both = l.cloned().zip(r.cloned());
                both.expect("an inner join has both sides")
            }),
            join: Arc::new(move |l: Option<&L>, r: Option<&R>| {
                let (l, r) = l.zip(r).expect("an inner join has both sides");
                join(l, r)
            }),
            on: Option::<J>::codec(),
            out_key: materialized.key.clone(),
        };
        self.join_spec(right, spec).materialize(materialized)
    }

    /// Joins each row of this table with all rows of the other whose value is equal, or with none.
    pub fn left_join_on<RK: Key, R, J: Key, O: Data>(
        &self,
        right: &KTable<RK, R>,
        left_on: impl Fn(&L) -> Option<J> + Send + Sync + 'static,
        right_on: impl Fn(&R) -> Option<J> + Send + Sync + 'static,
        join: impl Fn(&L, Option<&R>) -> O + Send + Sync + 'static,
        materialized: Materialized<(LK, Option<RK>), O>,
    ) -> KTable<(LK, Option<RK>), O>
    where
        L: Serialize + DeserializeOwned,
        R: Data + Serialize + DeserializeOwned,
    {
        let spec = JoinSpec {
            name: format!("{}.join", materialized.name),
            kind: JoinKind::Left,
            left: JoinSide::bincode(left_on),
            right: JoinSide::bincode(right_on),
            matches: Arc::new(|_, _, _| true),
            key: Arc::new(|l: Option<&LK>, r: Option<&RK>| {
                (
                    l.cloned().expect("a left join has its left side"),
                    r.cloned(),
                )
            }),
            join: Arc::new(move |l: Option<&L>, r: Option<&R>| {
                join(l.expect("a left join has its left side"), r)
            }),
            on: Option::<J>::codec(),
            out_key: materialized.key.clone(),
        };
        self.join_spec(right, spec).materialize(materialized)
    }

    /// Joins each row of the other table with all rows of this one whose value is equal, or with none.
    pub fn right_join_on<RK: Key, R, J: Key, O: Data>(
        &self,
        right: &KTable<RK, R>,
        left_on: impl Fn(&L) -> Option<J> + Send + Sync + 'static,
        right_on: impl Fn(&R) -> Option<J> + Send + Sync + 'static,
        join: impl Fn(Option<&L>, &R) -> O + Send + Sync + 'static,
        materialized: Materialized<(Option<LK>, RK), O>,
    ) -> KTable<(Option<LK>, RK), O>
    where
        L: Serialize + DeserializeOwned,
        R: Data + Serialize + DeserializeOwned,
    {
        let spec = JoinSpec {
            name: format!("{}.join", materialized.name),
            kind: JoinKind::Right,
            left: JoinSide::bincode(left_on),
            right: JoinSide::bincode(right_on),
            matches: Arc::new(|_, _, _| true),
            key: Arc::new(|l: Option<&LK>, r: Option<&RK>| {
                (
                    l.cloned(),
                    r.cloned().expect("a right join has its right side"),
                )
            }),
            join: Arc::new(move |l: Option<&L>, r: Option<&R>| {
                join(l, r.expect("a right join has its right side"))
            }),
            on: Option::<J>::codec(),
            out_key: materialized.key.clone(),
        };
        self.join_spec(right, spec).materialize(materialized)
    }

    /// Joins all rows of both tables whose values are equal, and those without a partner with none.
    pub fn outer_join_on<RK: Key, R, J: Key, O: Data>(
        &self,
        right: &KTable<RK, R>,
        left_on: impl Fn(&L) -> Option<J> + Send + Sync + 'static,
        right_on: impl Fn(&R) -> Option<J> + Send + Sync + 'static,
        join: impl Fn(Option<&L>, Option<&R>) -> O + Send + Sync + 'static,
        materialized: Materialized<(Option<LK>, Option<RK>), O>,
    ) -> KTable<(Option<LK>, Option<RK>), O>
    where
        L: Serialize + DeserializeOwned,
        R: Data + Serialize + DeserializeOwned,
    {
        let spec = JoinSpec {
            name: format!("{}.join", materialized.name),
            kind: JoinKind::Full,
            left: JoinSide::bincode(left_on),
            right: JoinSide::bincode(right_on),
            matches: Arc::new(|_, _, _| true),
            key: Arc::new(|l: Option<&LK>, r: Option<&RK>| (l.cloned(), r.cloned())),
            join: Arc::new(join),
            on: Option::<J>::codec(),
            out_key: materialized.key.clone(),
        };
        self.join_spec(right, spec).materialize(materialized)
    }
}

impl<K: Data, V: Data + Serialize + DeserializeOwned, J> JoinSide<K, V, J> {
    fn bincode(on: impl Fn(&V) -> Option<J> + Send + Sync + 'static) -> Self {
        JoinSide {
            on: Arc::new(move |_, row| on(row)),
            value: bincode(),
        }
    }
}
