//! State whose disk is full when a test wants it to be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::bytes::{ByteState, Family, MemoryBytes, ReadBytes, Visit};
use super::{FamilyWrites, State, StateOptions};
use crate::error::{Error, ErrorKind, Result};

struct FullDisk {
    bytes: MemoryBytes,
    full: Arc<AtomicBool>,
}

/// A state, and whether its disk is full.
pub(crate) fn full_disk() -> (State, Arc<AtomicBool>) {
    let full = Arc::new(AtomicBool::new(false));
    let disk = FullDisk {
        bytes: MemoryBytes::default(),
        full: full.clone(),
    };
    (
        State::over(Box::new(disk), StateOptions::default(), true),
        full,
    )
}

impl ReadBytes for FullDisk {
    fn get(&self, family: &Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.bytes.get(family, key)
    }

    fn scan(&self, family: &Family, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        self.bytes.scan(family, from, to, visit)
    }
}

impl ByteState for FullDisk {
    fn create(&self, family: &Family) -> Result<()> {
        self.bytes.create(family)
    }

    fn remove(&self, family: &Family) -> Result<()> {
        self.bytes.remove(family)
    }

    fn families(&self) -> Vec<Family> {
        self.bytes.families()
    }

    fn write(&self, writes: Vec<FamilyWrites>, sync: bool) -> Result<()> {
        if self.full.load(Ordering::Acquire) {
            return Err(Error::new(
                ErrorKind::Storage,
                "cannot write the state: no space left on device",
            ));
        }
        self.bytes.write(writes, sync)
    }

    fn property(&self, family: &Family, name: &str) -> Option<u64> {
        self.bytes.property(family, name)
    }

    fn snapshot(&self) -> Box<dyn ReadBytes> {
        self.bytes.snapshot()
    }
}
