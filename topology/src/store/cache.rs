//! A hash table of decoded entries in memory, with accounts of what it holds.
//!
//! Entries have a place that stays theirs, so that lists of places can stand for entries. What is
//! clean can be evicted, by the clock algorithm; what an entry is, and when it is clean, the stores
//! above decide.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;

use super::index::Index;
use super::slots::Slots;
use crate::prefetch::{AHEAD, prefetch};

/// The place of an entry.
pub(super) type Place = u32;

/// What a store keeps for a key.
pub(super) trait Entry {
    /// True where nothing would be lost by forgetting the entry.
    fn is_clean(&self) -> bool;
}

struct Slot<K, E> {
    key: K,
    /// What key and entry take on the heap.
    heap_bytes: u32,
    used: bool,
    entry: E,
}

/// Decoded entries by key.
pub(super) struct Cache<K, E> {
    hasher: RandomState,
    index: Index,
    slots: Slots<Option<Slot<K, E>>>,
    free: Vec<Place>,
    hand: usize,
    /// What all keys and entries take on the heap.
    heap_bytes: usize,
}

impl<K: Eq + Hash, E: Entry> Cache<K, E> {
    /// What a slot and its share of the index take, and the places of it in lists.
    const SLOT_BYTES: usize = size_of::<Option<Slot<K, E>>>() + 24;

    pub(super) fn new() -> Self {
        Cache {
            hasher: RandomState::default(),
            index: Index::new(),
            slots: Slots::new(),
            free: Vec::new(),
            hand: 0,
            heap_bytes: 0,
        }
    }

    /// The number of entries.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// About how many bytes the entries take.
    pub(super) fn bytes(&self) -> usize {
        self.len() * Self::SLOT_BYTES + self.heap_bytes
    }

    #[inline]
    pub(super) fn find(&self, key: &K) -> Option<Place> {
        let is = |place: Place| {
            self.slots[place as usize]
                .as_ref()
                .is_some_and(|slot| slot.key == *key)
        };
        self.index.find(self.hasher.hash_one(key), is)
    }

    /// Asks the processor for the entries of some keys, as far as there are any, and has `refer` ask
    /// for what they refer to.
    pub(super) fn prefetch<'a>(
        &self,
        keys: impl Iterator<Item = &'a K> + Clone,
        refer: impl Fn(&K, &E),
    ) where
        K: 'a,
    {
        let mut hashes = [0; AHEAD];
        let mut places = [0; AHEAD];
        let mut n = 0;
        for (hash, key) in hashes.iter_mut().zip(keys) {
            *hash = self.hasher.hash_one(key);
            self.index.prefetch(*hash);
            n += 1;
        }
        let mut found = 0;
        for hash in &hashes[..n] {
            // Most often the first of the same upper half of the hash is the one.
            if let Some(place) = self.index.find(*hash, |_| true) {
                places[found] = place;
                found += 1;
            }
        }
        self.prefetch_places(&places[..found], refer);
    }

    /// Asks the processor for the entries at some places, and has `refer` ask for what they refer to.
    pub(super) fn prefetch_places(&self, places: &[Place], refer: impl Fn(&K, &E)) {
        for place in places {
            prefetch(&self.slots[*place as usize]);
        }
        for place in places {
            if let Some(slot) = &self.slots[*place as usize] {
                refer(&slot.key, &slot.entry);
            }
        }
    }

    fn slot(&self, place: Place) -> &Slot<K, E> {
        self.slots[place as usize]
            .as_ref()
            .expect("a place in use has a slot")
    }

    #[inline]
    fn slot_mut(&mut self, place: Place) -> &mut Slot<K, E> {
        self.slots[place as usize]
            .as_mut()
            .expect("a place in use has a slot")
    }

    /// The entry at `place`.
    pub(super) fn peek(&self, place: Place) -> (&K, &E) {
        let slot = self.slot(place);
        (&slot.key, &slot.entry)
    }

    /// The entry at `place`, marked as used lately.
    #[inline]
    pub(super) fn entry(&mut self, place: Place) -> &mut E {
        let slot = self.slot_mut(place);
        slot.used = true;
        &mut slot.entry
    }

    /// Adds an entry for a key that has none, which takes `heap_bytes` beside its slot.
    pub(super) fn insert(&mut self, key: K, entry: E, heap_bytes: usize) -> Place {
        let hash = self.hasher.hash_one(&key);
        let heap_bytes = u32::try_from(heap_bytes).unwrap_or(u32::MAX);
        self.heap_bytes += heap_bytes as usize;
        let slot = Some(Slot {
            key,
            heap_bytes,
            used: true,
            entry,
        });
        let place = match self.free.pop() {
            Some(place) => {
                self.slots[place as usize] = slot;
                place
            }
            None => {
                self.slots.push(slot);
                Place::try_from(self.slots.len() - 1).expect("a cache has less than 2^32 entries")
            }
        };
        self.index.insert(hash, place);
        place
    }

    /// Notes what the entry at `place` takes now beside its slot, its key included.
    pub(super) fn resize(&mut self, place: Place, heap_bytes: usize) {
        let heap_bytes = u32::try_from(heap_bytes).unwrap_or(u32::MAX);
        let slot = self.slot_mut(place);
        let before = std::mem::replace(&mut slot.heap_bytes, heap_bytes);
        self.heap_bytes = self.heap_bytes + heap_bytes as usize - before as usize;
    }

    pub(super) fn remove(&mut self, place: Place) -> E {
        let slot = self.slots[place as usize]
            .take()
            .expect("a place in use has a slot");
        self.index.remove(self.hasher.hash_one(&slot.key), place);
        self.heap_bytes -= slot.heap_bytes as usize;
        self.free.push(place);
        slot.entry
    }

    /// Forgets clean entries that were not used lately until at most `target` bytes are taken, or
    /// every entry was looked at twice. True where any was forgotten.
    pub(super) fn evict(&mut self, target: usize) -> bool {
        let mut evicted = false;
        let mut looks = self.slots.len() * 2;
        while self.bytes() > target && looks > 0 {
            looks -= 1;
            self.hand = if self.hand + 1 < self.slots.len() {
                self.hand + 1
            } else {
                0
            };
            let Some(slot) = &mut self.slots[self.hand] else {
                continue;
            };
            if slot.used {
                slot.used = false;
            } else if slot.entry.is_clean() {
                self.remove(self.hand as Place);
                evicted = true;
            }
        }
        if evicted && self.len() == 0 {
            self.slots = Slots::new();
            self.free = Vec::new();
            self.index = Index::new();
        }
        evicted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Flag(bool);

    impl Entry for Flag {
        fn is_clean(&self) -> bool {
            self.0
        }
    }

    #[test]
    fn eviction_spares_what_is_dirty_or_was_used() {
        let mut cache = Cache::new();
        let each = Cache::<u32, Flag>::SLOT_BYTES + 76;
        for key in 0..100u32 {
            cache.insert(key, Flag(key % 2 == 0), 76);
        }
        assert_eq!(cache.bytes(), 100 * each);
        assert!(cache.evict(60 * each));
        assert_eq!(cache.bytes(), 60 * each);
        assert!(cache.evict(0));
        assert_eq!(cache.len(), 50, "the dirty ones stay");
        assert!((0..100).all(|key| cache.find(&key).is_some() == (key % 2 == 1)));
        let place = cache.insert(7_000, Flag(true), 0);
        assert_eq!(cache.find(&7_000), Some(place));
        cache.resize(place, 10);
        cache.remove(place);
        assert_eq!(cache.find(&7_000), None);
        assert_eq!(cache.bytes(), 50 * each);
    }
}
