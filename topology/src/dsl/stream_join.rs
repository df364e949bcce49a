//! Joins of a stream with a table: each record looks up its row, or all rows of an index.

use std::sync::Arc;

use super::kstream::KStream;
use super::ktable::{KTable, TableIndex};
use super::options::Joined;
use crate::codec::{Key, SharedCodec, travelling};
use crate::graph::NodeSpec;
use crate::operators::pass::Pass;
use crate::operators::run_joiner::{JoinEach, RunJoiner};
use crate::operators::stream_index_join::StreamIndexJoin;
use crate::operators::stream_table_join::StreamTableJoin;
use crate::record::Data;

/// A key of a stream that can be looked up in a table of keys `K`: one itself, or an optional one.
pub trait TableKey<K> {
    /// The key to look up; none for null.
    fn table_key(&self) -> Option<K>;

    /// The key of the stream that looks this one up; none where no such key stands for null.
    fn of_table_key(key: Option<K>) -> Option<Self>
    where
        Self: Sized;
}

impl<K: Key> TableKey<K> for K {
    fn table_key(&self) -> Option<K> {
        (!self.is_null()).then(|| self.clone())
    }

    fn of_table_key(key: Option<K>) -> Option<K> {
        key
    }
}

impl<K: Key> TableKey<K> for Option<K> {
    fn table_key(&self) -> Option<K> {
        self.clone()
    }

    fn of_table_key(key: Option<K>) -> Option<Option<K>> {
        Some(key)
    }
}

impl<K: Data, V: Data> KStream<K, V> {
    /// Joins each record with the row of the table that has its key. Records that find none are left
    /// out, counted and told.
    ///
    /// The table is as it stands when the record is processed; later changes of it send nothing.
    pub fn join<TK: Key, T: Data, R: Data>(
        &self,
        table: &KTable<TK, T>,
        join: impl Fn(&V, &T) -> R + Send + Sync + 'static,
        joined: Joined,
    ) -> KStream<K, R>
    where
        K: Key + TableKey<TK>,
    {
        self.join_each(table, "join", false, joined, move |_, value, row| {
            row.map(|row| join(value, row))
        })
    }

    /// Joins each record with the row of the table that has its key, or with none.
    pub fn left_join<TK: Key, T: Data, R: Data>(
        &self,
        table: &KTable<TK, T>,
        join: impl Fn(&V, Option<&T>) -> R + Send + Sync + 'static,
        joined: Joined,
    ) -> KStream<K, R>
    where
        K: Key + TableKey<TK>,
    {
        self.join_each(table, "left-join", true, joined, move |_, value, row| {
            Some(join(value, row))
        })
    }

    /// Joins each record with the row of the table that has its key, by a function that sees the key
    /// and may leave records out; in a left join it also sees those that find no row.
    pub fn join_with<TK: Key, T: Data, R: Data>(
        &self,
        table: &KTable<TK, T>,
        left: bool,
        join: impl Fn(&K, &V, Option<&T>) -> Option<R> + Send + Sync + 'static,
        joined: Joined,
    ) -> KStream<K, R>
    where
        K: Key + TableKey<TK>,
    {
        let label = if left { "left-join" } else { "join" };
        self.join_each(table, label, left, joined, join)
    }

    /// Joins each run of records with the rows of the table that have their keys, and gives the results
    /// keys of their own: see [`RunJoiner`]. In a left join it also sees the records that find no row.
    /// `make` is called once a task.
    pub fn join_run<TK: Key, T: Data, K2: Data, R: Data, J: RunJoiner<K, V, T, K2, R>>(
        &self,
        table: &KTable<TK, T>,
        left: bool,
        make: impl Fn() -> J + Send + Sync + 'static,
        joined: Joined,
    ) -> KStream<K2, R>
    where
        K: Key + TableKey<TK>,
    {
        let label = if left { "left-join" } else { "join" };
        let step = self.join_step(table, label, left, joined, make);
        KStream::new(step.graph, step.node, None)
    }

    /// The same records where the rows are that are kept by `key`, for a join of this name.
    fn beside<TK: Key>(&self, key: &SharedCodec<TK>, join: &str) -> Self
    where
        K: TableKey<TK>,
    {
        let by: SharedCodec<K> = Arc::new(TableKeyCodec::new(key.clone()));
        let travels: SharedCodec<K> = Arc::new(TableKeyCodec::new(travelling(key)));
        self.placed_by(Some(&format!("{join}.repartition")), &by, None, travels)
    }

    fn join_each<TK: Key, T: Data, R: Data>(
        &self,
        table: &KTable<TK, T>,
        label: &'static str,
        left: bool,
        joined: Joined,
        join: impl Fn(&K, &V, Option<&T>) -> Option<R> + Send + Sync + 'static,
    ) -> KStream<K, R>
    where
        K: Key + TableKey<TK>,
    {
        let join = Arc::new(join);
        self.join_step(table, label, left, joined, move || JoinEach(join.clone()))
    }

    fn join_step<TK: Key, T: Data, K2: Data, R: Data, J: RunJoiner<K, V, T, K2, R>>(
        &self,
        table: &KTable<TK, T>,
        label: &'static str,
        left: bool,
        joined: Joined,
        make: impl Fn() -> J + Send + Sync + 'static,
    ) -> KStream<K2, R>
    where
        K: Key + TableKey<TK>,
    {
        let stream = self.beside(&table.key, &joined.name);
        let mut graph = self.graph.borrow();
        let Some(view) = table.view.clone() else {
            graph.mistake(format!(
                "join {} reads a table that is not kept; materialize it first",
                joined.name
            ));
            drop(graph);
            return self.step(label, true, |_| Box::new(Pass));
        };
        if table.placed.as_ref() != Some(&table.key.name()) {
            graph.mistake(format!(
                "join {} reads a table whose rows are not where their keys belong; repartition it first",
                joined.name
            ));
        }
        let key = Arc::new(|key: &K, _: &V| key.table_key());
        let reads = view.stores();
        let node = graph.add(NodeSpec {
            name: joined.name,
            label,
            inputs: vec![stream.node],
            make: Arc::new(move |_| {
                Box::new(StreamTableJoin {
                    table: view.clone(),
                    key: key.clone(),
                    join: make(),
                    left,
                    types: std::marker::PhantomData,
                })
            }),
        });
        let spec = graph.node_mut(node);
        spec.reads = reads;
        spec.stateless = false;
        drop(graph);
        KStream::new(self.graph.clone(), node, stream.placed)
    }

    /// Joins each record with all rows of an index under its key; a left join joins a record that
    /// finds none with none. `join` may leave a pair out.
    pub fn join_index<X: Key, TK: Key, T: Data, R: Data>(
        &self,
        index: &TableIndex<X, TK, T>,
        left: bool,
        join: impl Fn(&K, &V, Option<&T>) -> Option<R> + Send + Sync + 'static,
        joined: Joined,
    ) -> KStream<K, R>
    where
        K: Key + TableKey<X>,
    {
        let join = Arc::new(join);
        self.index_step(index, left, move || JoinEach(join.clone()), joined)
    }

    /// Joins each run of records with all rows of an index under their keys, and gives the results keys
    /// of their own: see [`RunJoiner`]. In a left join it also sees the records that find no row. `make`
    /// is called once a task.
    pub fn join_index_run<X: Key, TK: Key, T: Data, K2: Data, R: Data, J>(
        &self,
        index: &TableIndex<X, TK, T>,
        left: bool,
        make: impl Fn() -> J + Send + Sync + 'static,
        joined: Joined,
    ) -> KStream<K2, R>
    where
        K: Key + TableKey<X>,
        J: RunJoiner<K, V, T, K2, R>,
    {
        let step = self.index_step(index, left, make, joined);
        KStream::new(step.graph, step.node, None)
    }

    fn index_step<X: Key, TK: Key, T: Data, K2: Data, R: Data, J>(
        &self,
        index: &TableIndex<X, TK, T>,
        left: bool,
        make: impl Fn() -> J + Send + Sync + 'static,
        joined: Joined,
    ) -> KStream<K2, R>
    where
        K: Key + TableKey<X>,
        J: RunJoiner<K, V, T, K2, R>,
    {
        let stream = self.beside(&index.key, &joined.name);
        let mut graph = self.graph.borrow();
        let key = Arc::new(|key: &K, _: &V| key.table_key());
        let store = index.store;
        let node = graph.add(NodeSpec {
            name: joined.name,
            label: if left {
                "left-join-index"
            } else {
                "join-index"
            },
            inputs: vec![stream.node],
            make: Arc::new(move |_| {
                Box::new(StreamIndexJoin::<K, V, X, TK, T, K2, R, _, _> {
                    index: store,
                    key: key.clone(),
                    join: make(),
                    left,
                    types: std::marker::PhantomData,
                })
            }),
        });
        let spec = graph.node_mut(node);
        spec.reads = vec![store];
        spec.stateless = false;
        drop(graph);
        KStream::new(self.graph.clone(), node, stream.placed)
    }
}

/// The codec of stream keys that has the bytes of the table's key, so that records go where the row is.
struct TableKeyCodec<K: Data, TK: Data> {
    table: SharedCodec<TK>,
    keys: std::marker::PhantomData<fn(K)>,
}

impl<K: Data, TK: Data> TableKeyCodec<K, TK> {
    fn new(table: SharedCodec<TK>) -> Self {
        TableKeyCodec {
            table,
            keys: std::marker::PhantomData,
        }
    }
}

impl<K: Data + TableKey<TK>, TK: Data> TableKeyCodec<K, TK> {
    fn of(&self, key: Option<TK>) -> crate::Result<K> {
        K::of_table_key(key).ok_or_else(|| crate::codec::bad_record("a null where a key is needed"))
    }
}

impl<K: Data + TableKey<TK>, TK: Data> crate::codec::Codec<K> for TableKeyCodec<K, TK> {
    fn encode(&self, key: &K, out: &mut Vec<u8>) -> crate::Result<()> {
        match key.table_key() {
            Some(key) => self.table.encode(&key, out),
            None => Ok(()),
        }
    }

    fn decode(&self, bytes: &[u8]) -> crate::Result<K> {
        self.of(Some(self.table.decode(bytes)?))
    }

    fn encode_payload(&self, key: &K, out: &mut Vec<u8>) -> crate::Result<bool> {
        match key.table_key() {
            Some(key) => self.table.encode_payload(&key, out),
            None => Ok(false),
        }
    }

    fn decode_payload(&self, bytes: Option<&[u8]>) -> crate::Result<K> {
        let key = bytes.map(|bytes| self.table.decode(bytes)).transpose()?;
        self.of(key)
    }

    fn name(&self) -> String {
        self.table.name()
    }
}
