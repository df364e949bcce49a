//! The store of a table: one value a key.
//!
//! What was written since the last commit lies in memory, decoded, beside what was read lately. A
//! commit freezes it: it is encoded while the task stands still, and written while it goes on. What
//! is frozen stays in memory until it is known to be written.

use std::any::Any;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::base::{Base, BaseRow, ByteRange, StoreFormat};
use super::bytes::Part;
use super::cache::{Cache, Entry, Place};
use super::state::{Commit, State};
use super::{AnyStore, Generations, WRITE_BYTES};
use crate::codec::{Key, SharedCodec};
use crate::error::Result;
use crate::prefetch::AHEAD;
use crate::record::Data;

const CLEAN: u8 = 0;
const DIRTY: u8 = 1;
const FROZEN: u8 = 2;

struct Held<V> {
    value: Option<V>,
    state: u8,
}

impl<V> Entry for Held<V> {
    fn is_clean(&self) -> bool {
        self.state == CLEAN
    }
}

/// One generation of the rows of a task.
struct Layer<K, V> {
    part: Part,
    cache: Cache<K, Held<V>>,
    dirty: Vec<Place>,
    frozen: Vec<Place>,
    /// True while every row there is stands in the cache, so that what is not there is nowhere.
    complete: bool,
    /// How often a row had to be read from the base.
    misses: u64,
}

/// A key-value store: one value a key, in memory as long as it is used, committed with the task.
///
/// Reading and writing happen within a task. Readers outside see what was committed; see
/// [`Table`](crate::query::Table).
pub struct KeyValueStore<K: Data, V: Data> {
    format: Arc<StoreFormat<K, V>>,
    base: Base<K, V>,
    current: Layer<K, V>,
    /// The generation that is being built beside the current one, if any.
    building: Option<Layer<K, V>>,
    /// The generation that was current, while it is compared with the one that is.
    former: Option<Layer<K, V>>,
}

impl<K: Key, V: Data> Layer<K, V> {
    fn open(base: &Base<K, V>, format: &StoreFormat<K, V>, part: Part) -> Result<Self> {
        Ok(Layer {
            part,
            cache: Cache::new(),
            dirty: Vec::new(),
            frozen: Vec::new(),
            complete: base.is_empty(format, part)?,
            misses: 0,
        })
    }

    /// About what is taken, or will be, to write what is not known to be written.
    fn write_bytes(&self) -> usize {
        (self.dirty.len() + self.frozen.len()) * WRITE_BYTES
    }

    /// The place of `key`, read from the base if need be.
    #[inline]
    fn locate(&mut self, base: &Base<K, V>, format: &StoreFormat<K, V>, key: &K) -> Result<Place> {
        match self.cache.find(key) {
            Some(place) => Ok(place),
            None => self.load(base, format, key),
        }
    }

    fn load(&mut self, base: &Base<K, V>, format: &StoreFormat<K, V>, key: &K) -> Result<Place> {
        let value = if self.complete {
            None
        } else {
            self.misses += 1;
            base.get(format, self.part, key)?
        };
        let bytes = format.heap_bytes(key, value.as_ref());
        let key = format.key.keep(key.clone());
        let held = Held {
            value,
            state: CLEAN,
        };
        Ok(self.cache.insert(key, held, bytes))
    }

    /// Asks the processor for the rows of keys that will be looked up soon.
    fn prefetch<'a>(&self, format: &StoreFormat<K, V>, keys: impl Iterator<Item = &'a K> + Clone)
    where
        K: 'a,
    {
        self.cache
            .prefetch(keys, |key, held| format.prefetch(key, held.value.as_ref()));
    }

    /// The entry at `place`, noted as written.
    #[inline]
    fn touch(&mut self, place: Place) -> &mut Option<V> {
        let held = self.cache.entry(place);
        if held.state & DIRTY == 0 {
            held.state |= DIRTY;
            self.dirty.push(place);
        }
        &mut held.value
    }

    fn scan(
        &self,
        base: &Base<K, V>,
        format: &StoreFormat<K, V>,
        range: ByteRange<'_>,
        visit: &mut dyn FnMut(K, V) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let mut over = Vec::new();
        for &place in self.frozen.iter().chain(&self.dirty) {
            let (key, _) = self.cache.peek(place);
            let bytes = format.key_bytes(key)?;
            if range.contains(&bytes) {
                over.push((bytes, place));
            }
        }
        over.sort();
        over.dedup();
        let mut over = over.into_iter().peekable();
        let mut broke = false;
        let held = |place: Place, visit: &mut dyn FnMut(K, V) -> Result<ControlFlow<()>>| {
            let (key, held) = self.cache.peek(place);
            match &held.value {
                Some(value) => visit(key.clone(), value.clone()),
                None => Ok(ControlFlow::Continue(())),
            }
        };
        base.scan(
            format,
            self.part,
            range,
            &mut |bytes, row: BaseRow<'_, K, V>| {
                while let Some((_, place)) = over.next_if(|(key, _)| &key[..] < bytes) {
                    if held(place, visit)?.is_break() {
                        broke = true;
                        return Ok(ControlFlow::Break(()));
                    }
                }
                let flow = match over.next_if(|(key, _)| key == bytes) {
                    Some((_, place)) => held(place, visit)?,
                    None => {
                        let (key, value) = row.decode(format)?;
                        visit(key, value)?
                    }
                };
                broke = flow.is_break();
                Ok(flow)
            },
        )?;
        if !broke {
            for (_, place) in over {
                if held(place, visit)?.is_break() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn freeze(
        &mut self,
        base: &Base<K, V>,
        format: &StoreFormat<K, V>,
        commit: &mut Commit,
    ) -> Result<()> {
        if self.dirty.is_empty() {
            return Ok(());
        }
        let mut writes = base.writes(format, self.part, self.dirty.len());
        for places in self.dirty.chunks(AHEAD) {
            self.cache.prefetch_places(places, |key, held| {
                format.prefetch(key, held.value.as_ref());
            });
            for &place in places {
                let (key, held) = self.cache.peek(place);
                writes.push(format, key, held.value.as_ref())?;
                let bytes = format.heap_bytes(key, held.value.as_ref());
                self.cache.resize(place, bytes);
                self.cache.entry(place).state = FROZEN;
            }
        }
        base.write(writes, commit);
        if self.frozen.is_empty() {
            std::mem::swap(&mut self.frozen, &mut self.dirty);
        } else {
            self.frozen.append(&mut self.dirty);
        }
        Ok(())
    }

    fn committed(&mut self) {
        let mut frozen = std::mem::take(&mut self.frozen);
        for places in frozen.chunks(AHEAD) {
            self.cache.prefetch_places(places, |_, _| {});
            for &place in places {
                let held = self.cache.entry(place);
                held.state &= !FROZEN;
                if held.state == CLEAN && held.value.is_none() && self.complete {
                    self.cache.remove(place);
                }
            }
        }
        if self.frozen.is_empty() {
            // Its memory is for the next commit.
            frozen.clear();
            self.frozen = frozen;
        }
    }

    #[cfg(test)]
    fn rollback(&mut self) {
        let mut touched: Vec<Place> = self.dirty.drain(..).chain(self.frozen.drain(..)).collect();
        touched.sort_unstable();
        touched.dedup();
        self.complete &= touched.is_empty();
        for place in touched {
            self.cache.remove(place);
        }
    }
}

impl<K: Key, V: Data> KeyValueStore<K, V> {
    pub(crate) fn open(
        state: &State,
        format: Arc<StoreFormat<K, V>>,
        lane: u16,
        generations: Generations,
    ) -> Result<Self> {
        let base = Base::open(state, &format)?;
        let part = |generation| Part { lane, generation };
        let current = Layer::open(&base, &format, part(generations.current))?;
        let building = generations
            .building
            .map(|generation| Layer::open(&base, &format, part(generation)))
            .transpose()?;
        Ok(KeyValueStore {
            format,
            base,
            current,
            building,
            former: None,
        })
    }

    /// Asks the processor for the rows of at most [`AHEAD`] keys that will be looked up soon. What
    /// the lookups answer is the same without.
    #[inline]
    pub(crate) fn prefetch<'a>(&self, keys: impl Iterator<Item = &'a K> + Clone) {
        self.building
            .as_ref()
            .unwrap_or(&self.current)
            .prefetch(&self.format, keys);
    }

    /// The value of `key`.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn get(&mut self, key: &K) -> Result<Option<&V>> {
        let layer = &mut self.current;
        let place = match layer.cache.find(key) {
            Some(place) => place,
            None if layer.complete => return Ok(None),
            None => layer.load(&self.base, &self.format, key)?,
        };
        Ok(layer.cache.entry(place).value.as_ref())
    }

    /// Sets the value of `key`, or removes it, and returns what stood there.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn put(&mut self, key: &K, value: Option<V>) -> Result<Option<V>> {
        let value = value.map(|value| self.format.value.keep(value));
        self.update(key, |held| std::mem::replace(held, value))
    }

    /// Changes the value of `key` in place.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    #[inline]
    pub fn update<R>(&mut self, key: &K, change: impl FnOnce(&mut Option<V>) -> R) -> Result<R> {
        let layer = &mut self.current;
        let place = layer.locate(&self.base, &self.format, key)?;
        Ok(change(layer.touch(place)))
    }

    /// Changes the value of `key` in the generation that is being built.
    #[inline]
    pub(crate) fn update_building<R>(
        &mut self,
        key: &K,
        change: impl FnOnce(&mut Option<V>) -> R,
    ) -> Result<R> {
        let layer = self.building.as_mut().expect("a generation is being built");
        let place = layer.locate(&self.base, &self.format, key)?;
        Ok(change(layer.touch(place)))
    }

    /// Sets or removes the value of `key` in the generation that is being built.
    pub(crate) fn put_building(&mut self, key: &K, value: Option<V>) -> Result<()> {
        let value = value.map(|value| self.format.value.keep(value));
        self.update_building(key, |held| *held = value)
    }

    /// True while a generation is being built beside the current one.
    pub(crate) fn is_building(&self) -> bool {
        self.building.is_some()
    }

    /// Shows all rows with keys from `from` up to but without `to`, in the order of the keys' bytes,
    /// until `visit` breaks off.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read, and those of `visit`.
    pub fn range(
        &mut self,
        from: Option<&K>,
        to: Option<&K>,
        visit: &mut dyn FnMut(K, V) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let bytes = |key: Option<&K>| key.map_or(Ok(Vec::new()), |key| self.format.key_bytes(key));
        let (from, to) = (bytes(from)?, bytes(to)?);
        let range = ByteRange {
            from: &from,
            to: &to,
        };
        self.current.scan(&self.base, &self.format, range, visit)
    }

    /// The codec of values.
    pub(crate) fn value_codec(&self) -> &SharedCodec<V> {
        &self.format.value
    }
}

/// What a row was in the former generation, and what it is in the current one.
pub(crate) struct Difference<K, V> {
    pub(crate) key: K,
    pub(crate) old: Option<V>,
    pub(crate) new: Option<V>,
}

impl<K: Key, V: Data> KeyValueStore<K, V> {
    /// The rows in which the generation that was switched to differs from the former one, in key
    /// order: the next `limit` behind the key `after`. Everything must be committed.
    ///
    /// Rows are compared as bytes of the value's codec.
    pub(crate) fn differences(
        &self,
        after: Option<&K>,
        limit: usize,
    ) -> Result<Vec<Difference<K, V>>> {
        let former = self.former.as_ref().expect("a generation was switched to");
        let mut from = after.map_or(Ok(Vec::new()), |key| self.format.key_bytes(key))?;
        let mut skip_first = after.is_some();
        let mut found = Vec::new();
        while found.len() < limit {
            let mut old = self.page(former.part, &from)?;
            let mut new = self.page(self.current.part, &from)?;
            if skip_first {
                for page in [&mut old, &mut new] {
                    page.rows.retain(|row| row.0 != from);
                }
            }
            let Some(end) = common_end(&old, &new) else {
                return Ok(found);
            };
            self.compare(old.upto(&end), new.upto(&end), &mut found)?;
            if old.last && new.last {
                return Ok(found);
            }
            from = end;
            skip_first = true;
        }
        Ok(found)
    }

    fn page(&self, part: Part, from: &[u8]) -> Result<Page<K, V>> {
        const ROWS: usize = 1_024;
        let mut rows = Vec::new();
        let range = ByteRange { from, to: &[] };
        self.base.scan(&self.format, part, range, &mut |key, row| {
            let (k, v) = row.decode(&self.format)?;
            rows.push((key.to_vec(), k, v));
            Ok(if rows.len() < ROWS {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            })
        })?;
        let last = rows.len() < ROWS;
        Ok(Page { rows, last })
    }

    fn compare(
        &self,
        old: &[(Vec<u8>, K, V)],
        new: &[(Vec<u8>, K, V)],
        found: &mut Vec<Difference<K, V>>,
    ) -> Result<()> {
        let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
        let bytes = |value: &V| {
            let mut bytes = Vec::new();
            self.format.value.encode(value, &mut bytes).map(|()| bytes)
        };
        loop {
            let (was, is) = match (old.peek(), new.peek()) {
                (None, None) => return Ok(()),
                (Some(a), Some(b)) if a.0 == b.0 => (old.next(), new.next()),
                (Some(a), Some(b)) if a.0 > b.0 => (None, new.next()),
                (None, Some(_)) => (None, new.next()),
                (Some(_), _) => (old.next(), None),
            };
            if let (Some(was), Some(is)) = (was, is)
                && bytes(&was.2)? == bytes(&is.2)?
            {
                continue;
            }
            let key = was.or(is).expect("one of them was there").1.clone();
            found.push(Difference {
                key,
                old: was.map(|row| row.2.clone()),
                new: is.map(|row| row.2.clone()),
            });
        }
    }
}

/// Rows of one generation, in key order.
struct Page<K, V> {
    rows: Vec<(Vec<u8>, K, V)>,
    /// True where no row follows.
    last: bool,
}

impl<K, V> Page<K, V> {
    fn upto(&self, end: &[u8]) -> &[(Vec<u8>, K, V)] {
        let n = self.rows.partition_point(|row| &row.0[..] <= end);
        &self.rows[..n]
    }
}

/// The last key up to which both pages are whole; none where both are empty.
fn common_end<K, V>(old: &Page<K, V>, new: &Page<K, V>) -> Option<Vec<u8>> {
    let end = |page: &Page<K, V>| page.rows.last().map(|row| row.0.clone());
    match (old.last, new.last) {
        (true, true) => end(old).max(end(new)),
        (false, true) => end(old),
        (true, false) => end(new),
        (false, false) => end(old).min(end(new)),
    }
}

impl<K: Key, V: Data> AnyStore for KeyValueStore<K, V> {
    fn freeze(&mut self, commit: &mut Commit) -> Result<()> {
        self.current.freeze(&self.base, &self.format, commit)?;
        if let Some(building) = &mut self.building {
            building.freeze(&self.base, &self.format, commit)?;
        }
        Ok(())
    }

    fn committed(&mut self) {
        self.current.committed();
        if let Some(building) = &mut self.building {
            building.committed();
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
        let mut layers: Vec<&mut Layer<K, V>> = self
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
            self.base.clear(&self.format, abandoned.part, commit);
        }
        let part = Part {
            generation: self.current.part.generation.wrapping_add(1),
            ..self.current.part
        };
        let mut layer = Layer::open(&self.base, &self.format, part)?;
        if !layer.complete {
            self.base.clear(&self.format, part, commit);
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
            self.base.clear(&self.format, former.part, commit);
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
