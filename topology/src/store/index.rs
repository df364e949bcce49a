//! The index of a cache: the places of entries by the hashes of their keys.
//!
//! Open addressing with linear probing. A bucket is one word: the upper half of an entry's hash, and
//! its place. As the upper bits of the hash say where an entry belongs, growing and removing read
//! nothing but the buckets, in order; and a lookup reads one piece of memory, which can be asked for
//! ahead.

use super::cache::Place;
use crate::prefetch::prefetch;

/// A bucket that holds nothing. No entry has the last place.
const EMPTY: u64 = Place::MAX as u64;

/// Places by hash.
pub(crate) struct Index {
    buckets: Box<[u64]>,
    /// How far a hash is shifted to be the number of a bucket.
    shift: u32,
    len: usize,
}

impl Index {
    pub(crate) fn new() -> Self {
        Index {
            buckets: Box::default(),
            shift: 63,
            len: 0,
        }
    }

    /// One that need not grow until it has so many entries.
    pub(crate) fn for_entries(entries: usize) -> Self {
        let mut index = Index::new();
        while entries * 4 > index.buckets.len() * 3 {
            index.grow();
        }
        index
    }

    /// The number of entries.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        (hash >> self.shift) as usize
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.buckets.len() - 1)
    }

    /// The bucket where the entries of a hash begin, asked for.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        if let Some(bucket) = self.buckets.get(self.home(hash)) {
            prefetch(bucket);
        }
    }

    /// The place of the entry of this hash for which `is` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is: impl Fn(Place) -> bool) -> Option<Place> {
        if self.buckets.is_empty() {
            return None;
        }
        let mut at = self.home(hash);
        loop {
            let bucket = self.buckets[at];
            if bucket == EMPTY {
                return None;
            }
            if bucket >> 32 == hash >> 32 && is(bucket as Place) {
                return Some(bucket as Place);
            }
            at = self.next(at);
        }
    }

    /// Adds an entry.
    pub(crate) fn insert(&mut self, hash: u64, place: Place) {
        assert!(
            place != Place::MAX,
            "a cache has less than 2^32 - 1 entries"
        );
        if (self.len + 1) * 4 > self.buckets.len() * 3 {
            self.grow();
        }
        self.put(hash, place);
        self.len += 1;
    }

    fn put(&mut self, hash: u64, place: Place) {
        let mut at = self.home(hash);
        while self.buckets[at] != EMPTY {
            at = self.next(at);
        }
        self.buckets[at] = hash >> 32 << 32 | u64::from(place);
    }

    fn grow(&mut self) {
        let buckets = (self.buckets.len() * 2).max(8);
        let before = std::mem::replace(&mut self.buckets, vec![EMPTY; buckets].into());
        self.shift = 64 - buckets.trailing_zeros();
        for &bucket in before.iter().filter(|bucket| **bucket != EMPTY) {
            self.put(bucket, bucket as Place);
        }
    }

    /// Removes the entry of this hash at `place`.
    pub(crate) fn remove(&mut self, hash: u64, place: Place) {
        let wanted = hash >> 32 << 32 | u64::from(place);
        if self.buckets.is_empty() {
            return;
        }
        let mut hole = self.home(hash);
        while self.buckets[hole] != wanted {
            if self.buckets[hole] == EMPTY {
                return;
            }
            hole = self.next(hole);
        }
        self.len -= 1;
        // Those behind that could stand in the hole move up, so that no lookup stops short of them.
        let mut at = self.next(hole);
        while self.buckets[at] != EMPTY {
            let mask = self.buckets.len() - 1;
            let from_home = at.wrapping_sub(self.home(self.buckets[at])) & mask;
            let from_hole = at.wrapping_sub(hole) & mask;
            if from_home >= from_hole {
                self.buckets[hole] = self.buckets[at];
                hole = at;
            }
            at = self.next(at);
        }
        self.buckets[hole] = EMPTY;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    /// Hashes that stand close together, so that runs of buckets meet and wrap around.
    #[test]
    fn entries_are_found_until_they_are_removed() {
        let mut rng = StdRng::seed_from_u64(7);
        for spread in [1_u64, 3, 1_000] {
            let hash = |key: u32| (u64::from(key) * spread % 1_009) << 54 | u64::from(key) << 32;
            let mut index = Index::new();
            let mut model: HashMap<u32, Place> = HashMap::new();
            for step in 0..20_000_u32 {
                let key = rng.random_range(0..700);
                let found = index.find(hash(key), |place| model.get(&key) == Some(&place));
                assert_eq!(found, model.get(&key).copied());
                match found {
                    Some(place) => {
                        index.remove(hash(key), place);
                        model.remove(&key);
                    }
                    None => {
                        index.insert(hash(key), step);
                        model.insert(key, step);
                    }
                }
                assert_eq!(index.len(), model.len());
            }
            for (key, place) in &model {
                assert_eq!(index.find(hash(*key), |at| at == *place), Some(*place));
            }
        }
    }
}
