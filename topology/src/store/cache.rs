//! A hash table of decoded entries in memory, with accounts of what it holds.
//!
//! Entries have a place that stays theirs, so that lists of places can stand for entries. What is
//! clean can be evicted, by the clock algorithm; what an entry is, and when it is clean, the stores
//! above decide.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// The place of an entry.
pub(super) type Place = u32;

/// What a store keeps for a key.
pub(super) trait Entry {
    /// True where nothing would be lost by forgetting the entry.
    fn is_clean(&self) -> bool;
}

struct Slot<K, E> {
    key: K,
    hash: u64,
    used: bool,
    bytes: u32,
    entry: E,
}

/// Decoded entries by key.
pub(super) struct Cache<K, E> {
    hasher: RandomState,
    table: HashTable<Place>,
    slots: Vec<Option<Slot<K, E>>>,
    free: Vec<Place>,
    hand: usize,
    bytes: usize,
}

/// What a slot and its share of the table take beside key and entry.
const OVERHEAD: usize = 24;

impl<K: Eq + Hash, E: Entry> Cache<K, E> {
    pub(super) fn new() -> Self {
        Cache {
            hasher: RandomState::default(),
            table: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            hand: 0,
            bytes: 0,
        }
    }

    /// The number of entries.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// About how many bytes the entries take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    #[inline]
    pub(super) fn find(&self, key: &K) -> Option<Place> {
        let hash = self.hasher.hash_one(key);
        self.table
            .find(hash, |&place| {
                self.slots[place as usize]
                    .as_ref()
                    .is_some_and(|slot| slot.hash == hash && slot.key == *key)
            })
            .copied()
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

    /// Adds an entry for a key that has none. `bytes` is what key and entry take.
    pub(super) fn insert(&mut self, key: K, entry: E, bytes: usize) -> Place {
        let hash = self.hasher.hash_one(&key);
        let bytes = bytes + OVERHEAD;
        let slot = Slot {
            key,
            hash,
            used: true,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            entry,
        };
        self.bytes += slot.bytes as usize;
        let place = match self.free.pop() {
            Some(place) => {
                self.slots[place as usize] = Some(slot);
                place
            }
            None => {
                self.slots.push(Some(slot));
                Place::try_from(self.slots.len() - 1).expect("a cache has less than 2^32 entries")
            }
        };
        let slots = &self.slots;
        self.table.insert_unique(hash, place, |&place| {
            slots[place as usize].as_ref().map_or(0, |slot| slot.hash)
        });
        place
    }

    /// Notes that the entry at `place` now takes `bytes`, its key included.
    pub(super) fn resize(&mut self, place: Place, bytes: usize) {
        let bytes = u32::try_from(bytes + OVERHEAD).unwrap_or(u32::MAX);
        let slot = self.slot_mut(place);
        let before = std::mem::replace(&mut slot.bytes, bytes);
        self.bytes = self.bytes + bytes as usize - before as usize;
    }

    pub(super) fn remove(&mut self, place: Place) -> E {
        let slot = self.slots[place as usize]
            .take()
            .expect("a place in use has a slot");
        if let Ok(found) = self.table.find_entry(slot.hash, |&other| other == place) {
            found.remove();
        }
        self.bytes -= slot.bytes as usize;
        self.free.push(place);
        slot.entry
    }

    /// Forgets clean entries that were not used lately until at most `target` bytes are taken, or
    /// every entry was looked at twice. True where any was forgotten.
    pub(super) fn evict(&mut self, target: usize) -> bool {
        let mut evicted = false;
        let mut looks = self.slots.len() * 2;
        while self.bytes > target && looks > 0 {
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
        if evicted && self.table.is_empty() {
            self.slots = Vec::new();
            self.free = Vec::new();
            self.table = HashTable::new();
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
        for key in 0..100u32 {
            cache.insert(key, Flag(key % 2 == 0), 76);
        }
        assert_eq!(cache.bytes(), 100 * 100);
        assert!(cache.evict(6_000));
        assert_eq!(cache.bytes(), 6_000);
        assert!(cache.evict(0));
        assert_eq!(cache.len(), 50, "the dirty ones stay");
        assert!((0..100).all(|key| cache.find(&key).is_some() == (key % 2 == 1)));
        let place = cache.insert(7_000, Flag(true), 0);
        assert_eq!(cache.find(&7_000), Some(place));
        cache.resize(place, 10);
        cache.remove(place);
        assert_eq!(cache.find(&7_000), None);
        assert_eq!(cache.bytes(), 50 * 100);
    }
}
