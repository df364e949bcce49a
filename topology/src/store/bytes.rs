//! The bytes below all stores: families of sorted keys that are written in one atomic batch.

use std::collections::HashMap;
use std::fmt;
use std::ops::{Bound, ControlFlow};
use std::sync::{Arc, RwLock};

use super::FamilyWrites;
use crate::error::Result;

/// The name of a family of keys. Each store has one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Family(Arc<str>);

impl Family {
    pub(crate) fn new(name: &str) -> Self {
        Family(name.into())
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The share of a store that one task owns, in one generation: what its keys begin with.
///
/// A store whose input is read again from the start builds a new generation beside the one that is
/// read, and then takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Part {
    pub(crate) lane: u16,
    pub(crate) generation: u8,
}

impl Part {
    /// The number of bytes.
    pub(crate) const LEN: usize = 3;

    pub(crate) fn bytes(self) -> [u8; Part::LEN] {
        let [a, b] = self.lane.to_be_bytes();
        [a, b, self.generation]
    }

    /// The key behind which no key of this part stands.
    pub(crate) fn end(self) -> Vec<u8> {
        let mut end = self.bytes().to_vec();
        increment(&mut end);
        end
    }
}

/// Makes `key` the smallest key greater than all that begin with it; empty where there is none.
pub(crate) fn increment(key: &mut Vec<u8>) {
    while let Some(last) = key.pop() {
        if last < 0xff {
            key.push(last + 1);
            return;
        }
    }
}

/// The property that is the number of keys, where it is known exactly.
pub(crate) const NUM_KEYS: &str = "num-keys";

/// What a scan does with each key and value.
pub(crate) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>> + 'a;

/// Something that keys can be read from: the state as it is, or as it was.
pub(crate) trait ReadBytes: Send + Sync {
    /// The value of a key.
    fn get(&self, family: &Family, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Shows the keys from `from` up to but without `to` (empty: to the end), in order, until
    /// `visit` breaks off.
    fn scan(&self, family: &Family, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<()>;
}

/// Families of keys that can be written.
pub(crate) trait ByteState: ReadBytes {
    /// Makes a family unless it is there.
    fn create(&self, family: &Family) -> Result<()>;

    /// Removes a family and all that it holds.
    fn remove(&self, family: &Family) -> Result<()>;

    /// The families that are there.
    #[cfg(any(test, feature = "rocksdb"))]
    fn families(&self) -> Vec<Family>;

    /// Writes everything or nothing; with `sync` it survives a power cut.
    fn write(&self, writes: Vec<FamilyWrites>, sync: bool) -> Result<()>;

    /// Takes sorted writes in as a whole file, past the log in which others wait for their place: cheaper where
    /// there are many, and written for good when this returns. False where it does not do so.
    fn take_file(&self, _writes: &FamilyWrites) -> Result<bool> {
        Ok(false)
    }

    /// No more files come for now: a family is put in order as it is where none do.
    fn end_files(&self, _family: &Family) -> Result<()> {
        Ok(())
    }

    /// A number that is known of a family without a look at its keys, by the name that RocksDB has for it; none
    /// where it is not known.
    fn property(&self, _family: &Family, _name: &str) -> Option<u64> {
        None
    }

    /// The state as it is now, for ever.
    fn snapshot(&self) -> Box<dyn ReadBytes>;
}

fn starting(from: &[u8]) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (Bound::Included(from), Bound::Unbounded)
}

type Keys = imbl::OrdMap<Arc<[u8]>, Arc<[u8]>>;

/// Families in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryBytes {
    families: RwLock<HashMap<Family, Keys>>,
}

struct MemorySnapshot {
    families: HashMap<Family, Keys>,
}

impl ReadBytes for MemorySnapshot {
    fn get(&self, family: &Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self
            .families
            .get(family)
            .and_then(|keys| keys.get(key))
            .map(|value| value.to_vec()))
    }

    fn scan(&self, family: &Family, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        let Some(keys) = self.families.get(family) else {
            return Ok(());
        };
        for (key, value) in keys.range::<_, [u8]>(starting(from)) {
            if !to.is_empty() && &**key >= to {
                break;
            }
            if visit(key, value)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl MemoryBytes {
    fn read(&self) -> MemorySnapshot {
        MemorySnapshot {
            families: self.families.read().expect("no panic while locked").clone(),
        }
    }
}

impl ReadBytes for MemoryBytes {
    fn get(&self, family: &Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.read().get(family, key)
    }

    fn scan(&self, family: &Family, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        self.read().scan(family, from, to, visit)
    }
}

impl ByteState for MemoryBytes {
    fn create(&self, family: &Family) -> Result<()> {
        let mut families = self.families.write().expect("no panic while locked");
        families.entry(family.clone()).or_default();
        Ok(())
    }

    fn remove(&self, family: &Family) -> Result<()> {
        let mut families = self.families.write().expect("no panic while locked");
        families.remove(family);
        Ok(())
    }

    #[cfg(any(test, feature = "rocksdb"))]
    fn families(&self) -> Vec<Family> {
        let families = self.families.read().expect("no panic while locked");
        let mut names: Vec<Family> = families.keys().cloned().collect();
        names.sort();
        names
    }

    fn write(&self, writes: Vec<FamilyWrites>, _sync: bool) -> Result<()> {
        let mut families = self.families.write().expect("no panic while locked");
        for part in writes {
            let keys = families.entry(part.family.clone()).or_default();
            for (from, to) in &part.cleared {
                let gone: Vec<Arc<[u8]>> = keys
                    .range::<_, [u8]>(starting(from))
                    .map(|(key, _)| key.clone())
                    .take_while(|key| to.is_empty() || **key < to[..])
                    .collect();
                for key in gone {
                    keys.remove(&key);
                }
            }
            for (key, value) in part.iter() {
                match value {
                    Some(value) => keys.insert(key.into(), value.into()),
                    None => keys.remove(key),
                };
            }
        }
        Ok(())
    }

    fn property(&self, family: &Family, name: &str) -> Option<u64> {
        if name != NUM_KEYS {
            return None;
        }
        let families = self.families.read().expect("no panic while locked");
        let keys = families.get(family).map_or(0, imbl::OrdMap::len);
        u64::try_from(keys).ok()
    }

    fn snapshot(&self) -> Box<dyn ReadBytes> {
        Box::new(self.read())
    }
}
