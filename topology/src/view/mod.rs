//! Views: how the rows of a table are found, by a task and by readers outside.
//!
//! A view is a store, or what stateless steps make of another view. Nothing is copied: a filtered
//! table is its parent, filtered as it is read.

mod join;

use std::ops::ControlFlow;
use std::sync::Arc;

pub(crate) use self::join::JoinView;
use crate::codec::Key;
use crate::error::Result;
use crate::processor::{StoreId, Stores};
use crate::record::Data;
use crate::stamped::Stamped;
use crate::store::{ByteRange, Generations, Part, SnapshotRows, StateSnapshot, StoreFormat};

/// What a scan does with each row.
pub(crate) type VisitRow<'a, K, V> = dyn FnMut(&K, Stamped<V>) -> Result<ControlFlow<()>> + 'a;

/// A shared view.
pub(crate) type SharedView<K, V> = Arc<dyn View<K, V>>;

/// The rows of a table.
pub(crate) trait View<K: Data, V: Data>: Send + Sync {
    /// The stores that rows come from.
    fn stores(&self) -> Vec<StoreId>;

    /// A row as a task sees it, uncommitted changes included.
    fn get(&self, stores: &mut Stores, key: &K) -> Result<Option<Stamped<V>>>;

    /// Has `visit` look at the value of such a row, if there is one, where it stands.
    fn look_up(
        &self,
        stores: &mut Stores,
        key: &K,
        visit: &mut dyn FnMut(Option<&V>),
    ) -> Result<()> {
        let row = self.get(stores, key)?;
        visit(row.as_ref().map(|row| &row.value));
        Ok(())
    }

    /// Asks the processor for the rows of at most [`AHEAD`](crate::prefetch::AHEAD) keys that will be
    /// looked up soon.
    fn prefetch(&self, _stores: &mut Stores, _keys: &[Option<K>]) {}

    /// All rows as a task sees them, in key order.
    fn scan(&self, stores: &mut Stores, visit: &mut VisitRow<'_, K, V>) -> Result<()>;

    /// A row as it was committed.
    fn read(&self, reader: &Reader<'_>, key: &K) -> Result<Option<Stamped<V>>>;

    /// The rows between two keys as they were committed: by lane, and in key order in each.
    fn read_range(
        &self,
        reader: &Reader<'_>,
        from: Option<&K>,
        to: Option<&K>,
        visit: &mut VisitRow<'_, K, V>,
    ) -> Result<()>;
}

/// What readers outside read from: the state at a commit, and the lanes whose rows count.
pub(crate) struct Reader<'a> {
    pub(crate) snapshot: &'a StateSnapshot,
    pub(crate) lanes: &'a [u16],
}

/// The rows of a store.
pub(crate) struct StoreView<K: Data, V: Data> {
    pub(crate) id: StoreId,
    pub(crate) format: Arc<StoreFormat<K, Stamped<V>>>,
}

impl<K: Key, V: Data> StoreView<K, V> {
    fn part(&self, reader: &Reader<'_>, lane: u16) -> Result<Part> {
        let key = format!("generation/{lane}/{}", self.format.name);
        let generations = reader
            .snapshot
            .meta(&key)?
            .and_then(|bytes| Generations::from_bytes(&bytes))
            .unwrap_or_default();
        Ok(Part {
            lane,
            generation: generations.current,
        })
    }
}

impl<K: Key, V: Data> View<K, V> for StoreView<K, V> {
    fn stores(&self) -> Vec<StoreId> {
        vec![self.id]
    }

    fn get(&self, stores: &mut Stores, key: &K) -> Result<Option<Stamped<V>>> {
        let store = stores.key_value::<K, Stamped<V>>(self.id);
        Ok(store.get(key)?.cloned())
    }

    fn look_up(
        &self,
        stores: &mut Stores,
        key: &K,
        visit: &mut dyn FnMut(Option<&V>),
    ) -> Result<()> {
        let store = stores.key_value::<K, Stamped<V>>(self.id);
        visit(store.get(key)?.map(|row| &row.value));
        Ok(())
    }

    fn prefetch(&self, stores: &mut Stores, keys: &[Option<K>]) {
        let store = stores.key_value::<K, Stamped<V>>(self.id);
        store.prefetch(keys.iter().flatten());
    }

    fn scan(&self, stores: &mut Stores, visit: &mut VisitRow<'_, K, V>) -> Result<()> {
        let store = stores.key_value::<K, Stamped<V>>(self.id);
        store.range(None, None, &mut |key, row| visit(&key, row))
    }

    fn read(&self, reader: &Reader<'_>, key: &K) -> Result<Option<Stamped<V>>> {
        let rows = SnapshotRows::new(reader.snapshot, &self.format);
        let bytes = self.format.key_bytes(key)?;
        for &lane in reader.lanes {
            if let Some(row) = rows.get(self.part(reader, lane)?, &bytes)? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    fn read_range(
        &self,
        reader: &Reader<'_>,
        from: Option<&K>,
        to: Option<&K>,
        visit: &mut VisitRow<'_, K, V>,
    ) -> Result<()> {
        let rows = SnapshotRows::new(reader.snapshot, &self.format);
        let bytes = |key: Option<&K>| key.map_or(Ok(Vec::new()), |key| self.format.key_bytes(key));
        let (from, to) = (bytes(from)?, bytes(to)?);
        let range = ByteRange {
            from: &from,
            to: &to,
        };
        let mut broke = false;
        for &lane in reader.lanes {
            rows.scan(self.part(reader, lane)?, range, &mut |_, row| {
                let (key, row) = row.decode(&self.format)?;
                let flow = visit(&key, row)?;
                broke = flow.is_break();
                Ok(flow)
            })?;
            if broke {
                break;
            }
        }
        Ok(())
    }
}

/// What a step makes of a row; none where it leaves no row.
pub(crate) type MapRow<K, V, W> = Arc<dyn Fn(&K, V) -> Option<W> + Send + Sync>;

/// The rows of another view, mapped or left out.
pub(crate) struct MapView<K: Data, V: Data, W: Data> {
    pub(crate) parent: SharedView<K, V>,
    pub(crate) map: MapRow<K, V, W>,
}

impl<K: Data, V: Data, W: Data> MapView<K, V, W> {
    fn row(&self, key: &K, row: Stamped<V>) -> Option<Stamped<W>> {
        let timestamp = row.timestamp;
        (self.map)(key, row.value).map(|value| Stamped { value, timestamp })
    }
}

impl<K: Data, V: Data, W: Data> View<K, W> for MapView<K, V, W> {
    fn stores(&self) -> Vec<StoreId> {
        self.parent.stores()
    }

    fn get(&self, stores: &mut Stores, key: &K) -> Result<Option<Stamped<W>>> {
        let row = self.parent.get(stores, key)?;
        Ok(row.and_then(|row| self.row(key, row)))
    }

    fn prefetch(&self, stores: &mut Stores, keys: &[Option<K>]) {
        self.parent.prefetch(stores, keys);
    }

    fn scan(&self, stores: &mut Stores, visit: &mut VisitRow<'_, K, W>) -> Result<()> {
        self.parent
            .scan(stores, &mut |key, row| match self.row(key, row) {
                Some(row) => visit(key, row),
                None => Ok(ControlFlow::Continue(())),
            })
    }

    fn read(&self, reader: &Reader<'_>, key: &K) -> Result<Option<Stamped<W>>> {
        let row = self.parent.read(reader, key)?;
        Ok(row.and_then(|row| self.row(key, row)))
    }

    fn read_range(
        &self,
        reader: &Reader<'_>,
        from: Option<&K>,
        to: Option<&K>,
        visit: &mut VisitRow<'_, K, W>,
    ) -> Result<()> {
        self.parent
            .read_range(reader, from, to, &mut |key, row| match self.row(key, row) {
                Some(row) => visit(key, row),
                None => Ok(ControlFlow::Continue(())),
            })
    }
}
