//! The committed rows of a store: bytes on disk, or typed rows in memory.

use std::ops::{Bound, ControlFlow};
use std::sync::{Arc, RwLock};

use super::FamilyWrites;
use super::bytes::{Family, Part};
use super::state::{Commit, FreezeTable, State, StateSnapshot, store_family};
use crate::codec::SharedCodec;
use crate::error::Result;
use crate::record::Data;

/// What a store keeps, and in which form.
pub(crate) struct StoreFormat<K, V> {
    pub(crate) name: String,
    pub(super) family: Family,
    pub(crate) key: SharedCodec<K>,
    pub(crate) value: SharedCodec<V>,
}

impl<K: Data, V: Data> StoreFormat<K, V> {
    pub(crate) fn new(name: &str, key: SharedCodec<K>, value: SharedCodec<V>) -> Self {
        StoreFormat {
            name: name.to_owned(),
            family: store_family(name),
            key,
            value,
        }
    }

    /// The bytes under which `key` stands.
    pub(crate) fn key_bytes(&self, key: &K) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(32);
        self.key.encode(key, &mut bytes)?;
        Ok(bytes)
    }

    /// Asks the processor for what a key and its value refer to.
    pub(crate) fn prefetch(&self, key: &K, value: Option<&V>) {
        self.key.prefetch(key);
        if let Some(value) = value {
            self.value.prefetch(value);
        }
    }

    /// About how many bytes a key and its value take on the heap.
    pub(crate) fn heap_bytes(&self, key: &K, value: Option<&V>) -> usize {
        self.key.heap_bytes(key) + value.map_or(0, |value| self.value.heap_bytes(value))
    }
}

type Rows<K, V> = imbl::OrdMap<Arc<[u8]>, (K, V)>;

/// Typed rows in memory, by the bytes of part and key. Values are never encoded.
pub(crate) struct MemoryTable<K: Data, V: Data> {
    rows: RwLock<Rows<K, V>>,
}

/// The typed rows as they were at a commit.
struct FrozenTable<K: Data, V: Data>(Rows<K, V>);

impl<K: Data, V: Data> MemoryTable<K, V> {
    fn new() -> Self {
        MemoryTable {
            rows: RwLock::new(Rows::new()),
        }
    }

    fn rows(&self) -> Rows<K, V> {
        self.rows.read().expect("no panic while locked").clone()
    }
}

impl<K: Data, V: Data> FreezeTable for MemoryTable<K, V> {
    fn freeze(&self) -> Arc<dyn std::any::Any + Send + Sync> {
        Arc::new(FrozenTable(self.rows()))
    }

    fn len(&self) -> usize {
        self.rows.read().expect("no panic while locked").len()
    }
}

/// Where the committed rows are.
pub(crate) enum Base<K: Data, V: Data> {
    Disk(State),
    Memory(Arc<MemoryTable<K, V>>),
}

impl<K: Data, V: Data> Clone for Base<K, V> {
    fn clone(&self) -> Self {
        match self {
            Base::Disk(state) => Base::Disk(state.clone()),
            Base::Memory(table) => Base::Memory(table.clone()),
        }
    }
}

/// What a commit writes to a part of a store.
pub(super) struct PartWrites<K, V> {
    part: Part,
    rows: RowWrites<K, V>,
}

enum RowWrites<K, V> {
    Bytes(FamilyWrites),
    Typed(Vec<(Arc<[u8]>, Option<(K, V)>)>),
}

impl<K: Data, V: Data> PartWrites<K, V> {
    /// Adds a row, or the removal of one.
    pub(super) fn push(
        &mut self,
        format: &StoreFormat<K, V>,
        key: &K,
        value: Option<&V>,
    ) -> Result<()> {
        match &mut self.rows {
            RowWrites::Bytes(writes) => writes.push(
                |out| {
                    out.extend_from_slice(&self.part.bytes());
                    format.key.encode(key, out)
                },
                |out| match value {
                    Some(value) => format.value.encode(value, out).map(|()| true),
                    None => Ok(false),
                },
            ),
            RowWrites::Typed(writes) => {
                let mut bytes = self.part.bytes().to_vec();
                format.key.encode(key, &mut bytes)?;
                writes.push((
                    bytes.into(),
                    value.map(|value| (key.clone(), value.clone())),
                ));
                Ok(())
            }
        }
    }
}

/// A row as a scan meets it, decoded when it is asked for.
pub(crate) enum BaseRow<'a, K, V> {
    Bytes { key: &'a [u8], value: &'a [u8] },
    Typed(&'a K, &'a V),
}

impl<K: Data, V: Data> BaseRow<'_, K, V> {
    pub(crate) fn decode(&self, format: &StoreFormat<K, V>) -> Result<(K, V)> {
        match self {
            BaseRow::Bytes { key, value } => {
                Ok((format.key.decode(key)?, format.value.decode(value)?))
            }
            BaseRow::Typed(key, value) => Ok(((*key).clone(), (*value).clone())),
        }
    }
}

/// What a scan does with each row: the bytes of its key, and the row.
pub(crate) type VisitRow<'a, K, V> =
    dyn FnMut(&[u8], BaseRow<'_, K, V>) -> Result<ControlFlow<()>> + 'a;

/// A range of keys: from, and up to but without; an empty end is none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ByteRange<'a> {
    pub(crate) from: &'a [u8],
    pub(crate) to: &'a [u8],
}

impl ByteRange<'_> {
    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        key >= self.from && (self.to.is_empty() || key < self.to)
    }

    fn in_part(&self, part: Part) -> (Vec<u8>, Vec<u8>) {
        let mut from = part.bytes().to_vec();
        from.extend_from_slice(self.from);
        let to = if self.to.is_empty() {
            part.end()
        } else {
            [&part.bytes(), self.to].concat()
        };
        (from, to)
    }
}

impl<K: Data, V: Data> Base<K, V> {
    /// The committed rows of the store `format` in `state`.
    pub(crate) fn open(state: &State, format: &StoreFormat<K, V>) -> Result<Self> {
        if state.keeps_bytes() {
            state.bytes().create(&format.family)?;
            Ok(Base::Disk(state.clone()))
        } else {
            Ok(Base::Memory(state.table(&format.name, MemoryTable::new)?))
        }
    }

    pub(super) fn get(&self, format: &StoreFormat<K, V>, part: Part, key: &K) -> Result<Option<V>> {
        let mut bytes = Vec::with_capacity(48);
        bytes.extend_from_slice(&part.bytes());
        format.key.encode(key, &mut bytes)?;
        match self {
            Base::Disk(state) => state
                .bytes()
                .get(&format.family, &bytes)?
                .map(|value| format.value.decode(&value))
                .transpose(),
            Base::Memory(table) => Ok(table
                .rows
                .read()
                .expect("no panic while locked")
                .get(&bytes[..])
                .map(|(_, value)| value.clone())),
        }
    }

    pub(super) fn scan(
        &self,
        format: &StoreFormat<K, V>,
        part: Part,
        range: ByteRange<'_>,
        visit: &mut VisitRow<'_, K, V>,
    ) -> Result<()> {
        let (from, to) = range.in_part(part);
        match self {
            Base::Disk(state) => {
                state
                    .bytes()
                    .scan(&format.family, &from, &to, &mut |key, value| {
                        let key = &key[Part::LEN..];
                        visit(key, BaseRow::Bytes { key, value })
                    })
            }
            Base::Memory(table) => scan_rows(&table.rows(), &from, &to, visit),
        }
    }

    /// True where the part holds nothing.
    pub(super) fn is_empty(&self, format: &StoreFormat<K, V>, part: Part) -> Result<bool> {
        let mut empty = true;
        self.scan(format, part, ByteRange::default(), &mut |_, _| {
            empty = false;
            Ok(ControlFlow::Break(()))
        })?;
        Ok(empty)
    }

    /// Writes to a part, of which about `rows` will come.
    pub(super) fn writes(
        &self,
        format: &StoreFormat<K, V>,
        part: Part,
        rows: usize,
    ) -> PartWrites<K, V> {
        let rows = match self {
            Base::Disk(_) => {
                RowWrites::Bytes(FamilyWrites::with_capacity(format.family.clone(), rows))
            }
            Base::Memory(_) => RowWrites::Typed(Vec::with_capacity(rows)),
        };
        PartWrites { part, rows }
    }

    /// Adds writes to a commit.
    pub(super) fn write(&self, writes: PartWrites<K, V>, commit: &mut Commit) {
        match (self, writes.rows) {
            (Base::Memory(table), RowWrites::Typed(writes)) => {
                let table = table.clone();
                commit.memory.push(Box::new(move || {
                    let mut rows = table.rows.write().expect("no panic while locked");
                    for (key, row) in writes {
                        match row {
                            Some(row) => rows.insert(key, row),
                            None => rows.remove(&key),
                        };
                    }
                }));
            }
            (Base::Disk(_), RowWrites::Bytes(writes)) => commit.writes.push(writes),
            _ => unreachable!("writes are those of the base that made them"),
        }
    }

    /// Has a commit remove all rows of a part.
    pub(super) fn clear(&self, format: &StoreFormat<K, V>, part: Part, commit: &mut Commit) {
        match self {
            Base::Disk(_) => commit.clear_part(&format.family, part),
            Base::Memory(table) => {
                let table = table.clone();
                commit.memory.push(Box::new(move || {
                    let mut rows = table.rows.write().expect("no panic while locked");
                    let (from, to) = ByteRange::default().in_part(part);
                    let gone: Vec<Arc<[u8]>> = rows
                        .range::<_, [u8]>(between(&from, &to))
                        .map(|(key, _)| key.clone())
                        .collect();
                    for key in gone {
                        rows.remove(&key);
                    }
                }));
            }
        }
    }
}

fn between<'a>(from: &'a [u8], to: &'a [u8]) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    (Bound::Included(from), Bound::Excluded(to))
}

fn scan_rows<K: Data, V: Data>(
    rows: &Rows<K, V>,
    from: &[u8],
    to: &[u8],
    visit: &mut VisitRow<'_, K, V>,
) -> Result<()> {
    for (bytes, (key, value)) in rows.range::<_, [u8]>(between(from, to)) {
        if visit(&bytes[Part::LEN..], BaseRow::Typed(key, value))?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Reads committed rows of a store out of a snapshot.
pub(crate) struct SnapshotRows<'a, K: Data, V: Data> {
    snapshot: &'a StateSnapshot,
    format: &'a StoreFormat<K, V>,
    rows: Option<&'a Rows<K, V>>,
    in_memory: bool,
}

impl<'a, K: Data, V: Data> SnapshotRows<'a, K, V> {
    pub(crate) fn new(snapshot: &'a StateSnapshot, format: &'a StoreFormat<K, V>) -> Self {
        SnapshotRows {
            snapshot,
            format,
            rows: snapshot
                .table::<FrozenTable<K, V>>(&format.name)
                .map(|table| &table.0),
            in_memory: !snapshot.has_bytes(),
        }
    }

    pub(crate) fn get(&self, part: Part, key: &[u8]) -> Result<Option<V>> {
        let key = [&part.bytes(), key].concat();
        if self.in_memory {
            return Ok(self
                .rows
                .and_then(|rows| rows.get(&key[..]))
                .map(|(_, value)| value.clone()));
        }
        self.snapshot
            .get(&self.format.family, &key)?
            .map(|value| self.format.value.decode(&value))
            .transpose()
    }

    pub(crate) fn scan(
        &self,
        part: Part,
        range: ByteRange<'_>,
        visit: &mut VisitRow<'_, K, V>,
    ) -> Result<()> {
        let (from, to) = range.in_part(part);
        if self.in_memory {
            return match self.rows {
                Some(rows) => scan_rows(rows, &from, &to, visit),
                None => Ok(()),
            };
        }
        self.snapshot
            .scan(&self.format.family, &from, &to, &mut |key, value| {
                let key = &key[Part::LEN..];
                visit(key, BaseRow::Bytes { key, value })
            })
    }
}
