//! Reading tables from outside, while they change.
//!
//! Readers see what was committed, and never hold up who writes.

use std::any::type_name;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::codec::{Key, SharedCodec};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::Graph;
use crate::record::Data;
use crate::stamped::Stamped;
use crate::store::{State, StateSnapshot};
use crate::time::{NO_TIMESTAMP, Timestamp};
use crate::view::{Reader, SharedView};

/// A table as the topology keeps it, to be read.
pub(crate) struct TableHandle<K: Data, V: Data> {
    pub(crate) view: SharedView<K, V>,
    pub(crate) key: SharedCodec<K>,
}

impl<K: Data, V: Data> Clone for TableHandle<K, V> {
    fn clone(&self) -> Self {
        TableHandle {
            view: self.view.clone(),
            key: self.key.clone(),
        }
    }
}

/// What readers share with the engine.
#[derive(Debug)]
pub(crate) struct Pulse {
    pub(crate) running: AtomicBool,
    pub(crate) last_update: AtomicI64,
}

impl Default for Pulse {
    fn default() -> Self {
        Pulse {
            running: AtomicBool::new(false),
            last_update: AtomicI64::new(NO_TIMESTAMP),
        }
    }
}

/// The lanes whose rows can be read now.
pub(crate) type ReadLanes = Arc<dyn Fn() -> Vec<u16> + Send + Sync>;

/// The lanes of a process that has them all.
pub(crate) fn all_lanes(lanes: u16) -> ReadLanes {
    Arc::new(move || (0..lanes).collect())
}

/// Everything that is needed to read the tables of a running topology.
#[derive(Clone)]
pub(crate) struct Readers {
    pub(crate) graph: Arc<Graph>,
    pub(crate) state: State,
    pub(crate) lanes: ReadLanes,
    pub(crate) pulse: Arc<Pulse>,
}

impl Readers {
    /// The table of this name.
    pub(crate) fn table<K: Key, V: Data>(&self, name: &str) -> Result<Table<K, V>> {
        Ok(Table {
            handle: handle(&self.graph, name)?,
            readers: self.clone(),
        })
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            state: Arc::new(self.state.snapshot()),
            graph: self.graph.clone(),
            lanes: (self.lanes)(),
        }
    }
}

fn handle<K: Key, V: Data>(graph: &Graph, name: &str) -> Result<TableHandle<K, V>> {
    let Some(spec) = graph.tables.get(name) else {
        let known: Vec<&str> = graph.tables.keys().map(String::as_str).collect();
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("there is no table {name}; there is {}", known.join(", ")),
        ));
    };
    match spec.view.downcast_ref::<TableHandle<K, V>>() {
        Some(handle) => Ok(handle.clone()),
        None => Err(Error::new(
            ErrorKind::Invalid,
            format!(
                "table {name} has rows of {}, not of {}",
                spec.types,
                type_name::<(K, V)>()
            ),
        )),
    }
}

/// A table of a running topology, as the last commit left it.
///
/// It can be read from any thread; each call sees one commit.
pub struct Table<K: Data, V: Data> {
    handle: TableHandle<K, V>,
    readers: Readers,
}

impl<K: Data, V: Data> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        Table {
            handle: self.handle.clone(),
            readers: self.readers.clone(),
        }
    }
}

impl<K: Key, V: Data> Table<K, V> {
    fn now(&self) -> SnapshotTable<K, V> {
        SnapshotTable {
            handle: self.handle.clone(),
            snapshot: self.readers.snapshot(),
        }
    }

    /// The row of `key`.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn get(&self, key: impl Into<K>) -> Result<Option<V>> {
        self.now().get(key)
    }

    /// The rows with keys from `from` up to but without `to`, in the order of the keys.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn range(&self, from: impl Into<K>, to: impl Into<K>) -> Result<Vec<(K, V)>> {
        self.now().range(from, to)
    }

    /// All rows, in the order of the keys.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn snapshot(&self) -> Result<Vec<(K, V)>> {
        self.now().scan(|_, _| true)
    }

    /// The rows that `wanted` holds for, in the order of the keys.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn scan(&self, wanted: impl Fn(&K, &V) -> bool) -> Result<Vec<(K, V)>> {
        self.now().scan(wanted)
    }

    /// When a commit last changed the state, by the wall clock.
    pub fn last_update(&self) -> Option<Timestamp> {
        let at = self.readers.pulse.last_update.load(Ordering::Acquire);
        (at != NO_TIMESTAMP).then_some(at)
    }

    /// True while the topology runs that keeps the table.
    pub fn is_running(&self) -> bool {
        self.readers.pulse.running.load(Ordering::Acquire)
    }
}

/// All tables as one commit left them.
#[derive(Clone)]
pub struct Snapshot {
    state: Arc<StateSnapshot>,
    graph: Arc<Graph>,
    lanes: Vec<u16>,
}

impl Snapshot {
    /// The number of the commit.
    pub fn epoch(&self) -> u64 {
        self.state.epoch()
    }

    /// A table in this snapshot.
    ///
    /// # Errors
    ///
    /// Where there is no such table, or its rows have other types.
    pub fn table<K: Key, V: Data>(&self, name: &str) -> Result<SnapshotTable<K, V>> {
        Ok(SnapshotTable {
            handle: handle(&self.graph, name)?,
            snapshot: self.clone(),
        })
    }
}

/// A table as one commit left it.
pub struct SnapshotTable<K: Data, V: Data> {
    handle: TableHandle<K, V>,
    snapshot: Snapshot,
}

impl<K: Key, V: Data> SnapshotTable<K, V> {
    fn reader(&self) -> Reader<'_> {
        Reader {
            snapshot: &self.snapshot.state,
            lanes: &self.snapshot.lanes,
        }
    }

    /// The row of `key`.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn get(&self, key: impl Into<K>) -> Result<Option<V>> {
        Ok(self.get_stamped(&key.into())?.map(|row| row.value))
    }

    /// The row of `key`, and when it became what it is.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn get_stamped(&self, key: &K) -> Result<Option<Stamped<V>>> {
        self.handle.view.read(&self.reader(), key)
    }

    /// The rows with keys from `from` up to but without `to`, in the order of the keys.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn range(&self, from: impl Into<K>, to: impl Into<K>) -> Result<Vec<(K, V)>> {
        let (from, to) = (from.into(), to.into());
        self.collect(Some(&from), Some(&to), |_, _| true)
    }

    /// The rows that `wanted` holds for, in the order of the keys.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn scan(&self, wanted: impl Fn(&K, &V) -> bool) -> Result<Vec<(K, V)>> {
        self.collect(None, None, wanted)
    }

    /// Shows all rows until `visit` breaks off: in key order where there is one lane.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read, and those of `visit`.
    pub fn for_each(
        &self,
        mut visit: impl FnMut(&K, Stamped<V>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        self.handle
            .view
            .read_range(&self.reader(), None, None, &mut visit)
    }

    fn collect(
        &self,
        from: Option<&K>,
        to: Option<&K>,
        wanted: impl Fn(&K, &V) -> bool,
    ) -> Result<Vec<(K, V)>> {
        let mut rows = Vec::new();
        let reader = self.reader();
        self.handle
            .view
            .read_range(&reader, from, to, &mut |key, row| {
                if wanted(key, &row.value) {
                    rows.push((key.clone(), row.value));
                }
                Ok(ControlFlow::Continue(()))
            })?;
        if self.snapshot.lanes.len() > 1 {
            self.sort(&mut rows)?;
        }
        Ok(rows)
    }

    fn sort(&self, rows: &mut Vec<(K, V)>) -> Result<()> {
        let mut keyed = Vec::with_capacity(rows.len());
        for row in rows.drain(..) {
            let mut bytes = Vec::new();
            self.handle.key.encode(&row.0, &mut bytes)?;
            keyed.push((bytes, row));
        }
        keyed.sort_by(|a, b| a.0.cmp(&b.0));
        rows.extend(keyed.into_iter().map(|(_, row)| row));
        Ok(())
    }
}
