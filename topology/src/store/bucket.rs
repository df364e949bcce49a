//! The store of what grows with a group: many rows a key, each under a sub-key.
//!
//! A bucket is read as a whole where it is small and kept in memory then; of a large one only what
//! was touched stays there. On disk every row stands for itself, so that a change writes one row.

use std::any::Any;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::base::{Base, BaseRow, ByteRange, StoreFormat};
use super::bytes::{Part, increment};
use super::cache::{Cache, Entry, Place};
use super::rows::{BucketRow, Rows};
use super::state::{Commit, State};
use super::{AnyStore, Generations, WRITE_BYTES};
use crate::codec::{Key, SharedCodec, joined};
use crate::error::Result;
use crate::record::Data;

const CLEAN: u8 = 0;
const DIRTY: u8 = 1;
const FROZEN: u8 = 2;

/// How many rows of a bucket are read at once, at most, to keep it as a whole.
const WHOLE: usize = 4_096;

struct Bucket<S, V> {
    rows: Rows<S, V>,
    /// True where every row of the bucket is here.
    whole: bool,
    /// How many rows are not known to be written.
    unwritten: u32,
}

impl<S, V> Entry for Bucket<S, V> {
    fn is_clean(&self) -> bool {
        self.unwritten == 0
    }
}

type Touched = (Place, Box<[u8]>);

struct Layer<P, S, V> {
    part: Part,
    cache: Cache<P, Bucket<S, V>>,
    dirty: Vec<Touched>,
    frozen: Vec<Touched>,
    complete: bool,
    /// How often rows had to be read from the base.
    misses: u64,
}

/// Which generation of a store is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The one that readers see.
    Current,
    /// The one that is being built.
    Building,
}

/// A store of many rows a key.
pub(crate) struct BucketStore<P: Data, S: Data, V: Data> {
    format: Arc<BucketFormat<P, S, V>>,
    base: Base<(P, S), V>,
    current: Layer<P, S, V>,
    building: Option<Layer<P, S, V>>,
    former: Option<Layer<P, S, V>>,
}

/// What a bucket store keeps, and in which form.
pub(crate) struct BucketFormat<P: Data, S: Data, V: Data> {
    /// The form of single rows.
    pub(crate) rows: StoreFormat<(P, S), V>,
    key: SharedCodec<P>,
    sub: SharedCodec<S>,
}

impl<P: Key, S: Key, V: Data> BucketFormat<P, S, V> {
    pub(crate) fn new(
        name: &str,
        key: SharedCodec<P>,
        sub: SharedCodec<S>,
        value: SharedCodec<V>,
    ) -> Self {
        BucketFormat {
            rows: StoreFormat::new(name, joined(key.clone(), sub.clone()), value),
            key,
            sub,
        }
    }

    /// What the keys of all rows of a bucket begin with.
    fn prefix(&self, key: &P) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(32);
        self.key.encode(key, &mut bytes)?;
        let mut prefix = Vec::with_capacity(bytes.len() + 4);
        crate::codec::put_escaped(&bytes, &mut prefix);
        Ok(prefix)
    }

    fn sub_bytes(&self, sub: &S) -> Result<Box<[u8]>> {
        let mut bytes = Vec::with_capacity(32);
        self.sub.encode(sub, &mut bytes)?;
        Ok(bytes.into())
    }

    fn row_memory(&self, row: &BucketRow<S, V>) -> usize {
        let value = row
            .value
            .as_ref()
            .map_or(0, |value| self.rows.value.heap_bytes(value));
        self.sub.heap_bytes(&row.sub) + value + size_of::<BucketRow<S, V>>() + 48
    }
}

impl<P: Key, S: Key, V: Data> Layer<P, S, V> {
    fn open(base: &Base<(P, S), V>, format: &BucketFormat<P, S, V>, part: Part) -> Result<Self> {
        Ok(Layer {
            part,
            cache: Cache::new(),
            dirty: Vec::new(),
            frozen: Vec::new(),
            complete: base.is_empty(&format.rows, part)?,
            misses: 0,
        })
    }

    /// About what is taken, or will be, to write what is not known to be written.
    fn write_bytes(&self) -> usize {
        (self.dirty.len() + self.frozen.len()) * WRITE_BYTES
    }

    fn locate(
        &mut self,
        base: &Base<(P, S), V>,
        format: &BucketFormat<P, S, V>,
        key: &P,
    ) -> Result<Place> {
        match self.cache.find(key) {
            Some(place) => Ok(place),
            None => self.load(base, format, key),
        }
    }

    /// Reads a bucket, or as much of it as is kept.
    fn load(
        &mut self,
        base: &Base<(P, S), V>,
        format: &BucketFormat<P, S, V>,
        key: &P,
    ) -> Result<Place> {
        let mut rows = Rows::new();
        let mut whole = true;
        let mut bytes = format.key.heap_bytes(key);
        if !self.complete {
            self.misses += 1;
            let prefix = format.prefix(key)?;
            scan_base(base, format, self.part, &prefix, &mut |sub_bytes, row| {
                if rows.len() == WHOLE {
                    whole = false;
                    return Ok(ControlFlow::Break(()));
                }
                let ((_, sub), value) = row.decode(&format.rows)?;
                let row = BucketRow {
                    sub,
                    value: Some(value),
                    state: CLEAN,
                };
                bytes += format.row_memory(&row);
                rows.insert(sub_bytes.into(), row);
                Ok(ControlFlow::Continue(()))
            })?;
        }
        if !whole {
            rows = Rows::new();
        }
        let bucket = Bucket {
            rows,
            whole,
            unwritten: 0,
        };
        Ok(self
            .cache
            .insert(format.key.keep(key.clone()), bucket, bytes))
    }

    fn update<R>(
        &mut self,
        base: &Base<(P, S), V>,
        format: &BucketFormat<P, S, V>,
        key: &P,
        sub: &S,
        change: impl FnOnce(&mut Option<V>) -> R,
    ) -> Result<R> {
        let place = self.locate(base, format, key)?;
        let bytes = format.sub_bytes(sub)?;
        let bucket = self.cache.entry(place);
        if bucket.rows.get(&bytes).is_none() {
            let value = if bucket.whole {
                None
            } else {
                self.misses += 1;
                base.get(&format.rows, self.part, &(key.clone(), sub.clone()))?
            };
            let row = BucketRow {
                sub: format.sub.keep(sub.clone()),
                value,
                state: CLEAN,
            };
            bucket.rows.insert(bytes.clone(), row);
        }
        let row = bucket.rows.get_mut(&bytes).expect("it was just put there");
        let was = row.state;
        row.state |= DIRTY;
        let result = change(&mut row.value);
        if was == CLEAN {
            bucket.unwritten += 1;
        }
        if was & DIRTY == 0 {
            self.dirty.push((place, bytes));
        }
        Ok(result)
    }

    #[cfg(test)]
    fn get(
        &mut self,
        base: &Base<(P, S), V>,
        format: &BucketFormat<P, S, V>,
        key: &P,
        sub: &S,
    ) -> Result<Option<V>> {
        let place = self.locate(base, format, key)?;
        let bytes = format.sub_bytes(sub)?;
        let bucket = self.cache.entry(place);
        match bucket.rows.get(&bytes) {
            Some(row) => Ok(row.value.clone()),
            None if bucket.whole => Ok(None),
            None => base.get(&format.rows, self.part, &(key.clone(), sub.clone())),
        }
    }

    fn scan(
        &mut self,
        base: &Base<(P, S), V>,
        format: &BucketFormat<P, S, V>,
        key: &P,
        visit: &mut dyn FnMut(&S, &V) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        if self.complete && self.cache.find(key).is_none() {
            return Ok(());
        }
        let place = self.locate(base, format, key)?;
        let bucket = &*self.cache.entry(place);
        if bucket.whole {
            for (_, row) in bucket.rows.iter() {
                if let Some(value) = &row.value
                    && visit(&row.sub, value)?.is_break()
                {
                    return Ok(());
                }
            }
            return Ok(());
        }
        let prefix = format.prefix(key)?;
        let mut over = bucket.rows.iter().peekable();
        let mut broke = false;
        scan_base(base, format, self.part, &prefix, &mut |bytes, row| {
            while let Some((_, row)) = over.next_if(|(sub, _)| *sub < bytes) {
                if let Some(value) = &row.value
                    && visit(&row.sub, value)?.is_break()
                {
                    broke = true;
                    return Ok(ControlFlow::Break(()));
                }
            }
            let flow = match over.next_if(|(sub, _)| *sub == bytes) {
                Some((_, row)) => match &row.value {
                    Some(value) => visit(&row.sub, value)?,
                    None => ControlFlow::Continue(()),
                },
                None => {
                    let ((_, sub), value) = row.decode(&format.rows)?;
                    visit(&sub, &value)?
                }
            };
            broke = flow.is_break();
            Ok(flow)
        })?;
        if !broke {
            for (_, row) in over {
                if let Some(value) = &row.value
                    && visit(&row.sub, value)?.is_break()
                {
                    break;
                }
            }
        }
        Ok(())
    }

    fn freeze(
        &mut self,
        base: &Base<(P, S), V>,
        format: &BucketFormat<P, S, V>,
        commit: &mut Commit,
    ) -> Result<()> {
        if self.dirty.is_empty() {
            return Ok(());
        }
        let mut writes = base.writes(&format.rows, self.part, self.dirty.len());
        for (place, sub) in &self.dirty {
            let key = self.cache.peek(*place).0.clone();
            let row = self.cache.entry(*place).rows.get_mut(sub);
            let row = row.expect("what is dirty is there");
            let key = (key, row.sub.clone());
            writes.push(&format.rows, &key, row.value.as_ref())?;
            row.state = FROZEN;
        }
        base.write(writes, commit);
        self.frozen.append(&mut self.dirty);
        Ok(())
    }

    fn committed(&mut self, format: &BucketFormat<P, S, V>) {
        let frozen = std::mem::take(&mut self.frozen);
        for (place, sub) in &frozen {
            let bucket = self.cache.entry(*place);
            let row = bucket.rows.get_mut(sub).expect("what is frozen is there");
            row.state &= !FROZEN;
            if row.state == CLEAN {
                bucket.unwritten -= 1;
                if row.value.is_none() || !bucket.whole {
                    bucket.rows.remove(sub);
                }
            }
        }
        let mut places: Vec<Place> = frozen.into_iter().map(|(place, _)| place).collect();
        places.sort_unstable();
        places.dedup();
        for place in places {
            let (key, bucket) = self.cache.peek(place);
            if self.complete && bucket.rows.len() == 0 && bucket.unwritten == 0 {
                self.cache.remove(place);
                continue;
            }
            let rows: usize = bucket
                .rows
                .iter()
                .map(|(_, row)| format.row_memory(row))
                .sum();
            let bytes = format.key.heap_bytes(key) + rows;
            self.cache.resize(place, bytes);
        }
    }

    #[cfg(test)]
    fn rollback(&mut self) {
        let mut places: Vec<Place> = self
            .dirty
            .drain(..)
            .chain(self.frozen.drain(..))
            .map(|(place, _)| place)
            .collect();
        places.sort_unstable();
        places.dedup();
        self.complete &= places.is_empty();
        for place in places {
            self.cache.remove(place);
        }
    }
}

/// Shows the committed rows of a bucket, each with the bytes of its sub-key.
fn scan_base<P: Key, S: Key, V: Data>(
    base: &Base<(P, S), V>,
    format: &BucketFormat<P, S, V>,
    part: Part,
    prefix: &[u8],
    visit: &mut super::base::VisitRow<'_, (P, S), V>,
) -> Result<()> {
    let mut to = prefix.to_vec();
    increment(&mut to);
    let range = ByteRange {
        from: prefix,
        to: &to,
    };
    base.scan(&format.rows, part, range, &mut |bytes,
                                               row: BaseRow<
        '_,
        (P, S),
        V,
    >| {
        visit(&bytes[prefix.len()..], row)
    })
}

impl<P: Key, S: Key, V: Data> BucketStore<P, S, V> {
    pub(crate) fn open(
        state: &State,
        format: Arc<BucketFormat<P, S, V>>,
        lane: u16,
        generations: Generations,
    ) -> Result<Self> {
        let base = Base::open(state, &format.rows)?;
        let part = |generation| Part { lane, generation };
        let current = Layer::open(&base, &format, part(generations.current))?;
        let building = generations
            .building
            .map(|generation| Layer::open(&base, &format, part(generation)))
            .transpose()?;
        Ok(BucketStore {
            format,
            base,
            current,
            building,
            former: None,
        })
    }

    fn layer(&mut self, target: Target) -> &mut Layer<P, S, V> {
        match target {
            Target::Current => &mut self.current,
            Target::Building => self.building.as_mut().expect("a generation is being built"),
        }
    }

    /// The value of one row.
    #[cfg(test)]
    pub(crate) fn get(&mut self, target: Target, key: &P, sub: &S) -> Result<Option<V>> {
        let (base, format) = (self.base.clone(), self.format.clone());
        self.layer(target).get(&base, &format, key, sub)
    }

    /// Changes one row in place.
    pub(crate) fn update<R>(
        &mut self,
        target: Target,
        key: &P,
        sub: &S,
        change: impl FnOnce(&mut Option<V>) -> R,
    ) -> Result<R> {
        let (base, format) = (self.base.clone(), self.format.clone());
        self.layer(target).update(&base, &format, key, sub, change)
    }

    /// Shows the rows of a bucket, in the order of their sub-keys, until `visit` breaks off.
    pub(crate) fn scan(
        &mut self,
        target: Target,
        key: &P,
        visit: &mut dyn FnMut(&S, &V) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let (base, format) = (self.base.clone(), self.format.clone());
        self.layer(target).scan(&base, &format, key, visit)
    }

    /// The first row of a bucket.
    #[cfg(test)]
    pub(crate) fn first(&mut self, target: Target, key: &P) -> Result<Option<(S, V)>> {
        let mut first = None;
        self.scan(target, key, &mut |sub, value| {
            first = Some((sub.clone(), value.clone()));
            Ok(ControlFlow::Break(()))
        })?;
        Ok(first)
    }
}

impl<P: Key, S: Key, V: Data> AnyStore for BucketStore<P, S, V> {
    fn freeze(&mut self, commit: &mut Commit) -> Result<()> {
        self.current.freeze(&self.base, &self.format, commit)?;
        if let Some(building) = &mut self.building {
            building.freeze(&self.base, &self.format, commit)?;
        }
        Ok(())
    }

    fn committed(&mut self) {
        self.current.committed(&self.format);
        if let Some(building) = &mut self.building {
            building.committed(&self.format);
        }
    }

    #[cfg(test)]
    fn rollback(&mut self) {
        self.current.rollback();
        if let Some(building) = &mut self.building {
            building.rollback();
        }
    }

    fn memory(&self) -> usize {
        let building = self.building.as_ref();
        self.current.cache.bytes() + building.map_or(0, |layer| layer.cache.bytes())
    }

    fn write_memory(&self) -> usize {
        let building = self.building.as_ref();
        self.current.write_bytes() + building.map_or(0, Layer::write_bytes)
    }

    fn uncommitted(&self) -> usize {
        let building = self.building.as_ref().map_or(0, |layer| layer.dirty.len());
        self.current.dirty.len() + building
    }

    fn misses(&self) -> u64 {
        let building = self.building.as_ref().map_or(0, |layer| layer.misses);
        self.current.misses + building
    }

    fn evict(&mut self, target: usize) {
        let mut layers: Vec<&mut Layer<P, S, V>> = self
            .building
            .iter_mut()
            .chain([&mut self.current])
            .collect();
        let share = target / layers.len();
        for layer in &mut layers {
            if layer.cache.evict(share) {
                layer.complete = false;
            }
        }
    }

    fn begin_generation(&mut self, commit: &mut Commit) -> Result<Generations> {
        if let Some(abandoned) = self.building.take() {
            self.current.misses += abandoned.misses;
            self.base.clear(&self.format.rows, abandoned.part, commit);
        }
        let part = Part {
            generation: self.current.part.generation.wrapping_add(1),
            ..self.current.part
        };
        let mut layer = Layer::open(&self.base, &self.format, part)?;
        if !layer.complete {
            self.base.clear(&self.format.rows, part, commit);
            layer.complete = true;
        }
        self.building = Some(layer);
        Ok(Generations {
            current: self.current.part.generation,
            building: Some(part.generation),
        })
    }

    fn switch_generation(&mut self) {
        if let Some(mut built) = self.building.take() {
            built.misses += self.current.misses;
            self.former = Some(std::mem::replace(&mut self.current, built));
        }
    }

    fn end_generation(&mut self, commit: &mut Commit) -> Generations {
        if let Some(former) = self.former.take() {
            self.base.clear(&self.format.rows, former.part, commit);
        }
        Generations {
            current: self.current.part.generation,
            building: None,
        }
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
