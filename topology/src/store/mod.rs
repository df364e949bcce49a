//! State: the rows that operators keep.
//!
//! A store belongs to one task and is written by one operator. It holds decoded values in memory and
//! gives bytes to a commit, which the [`State`] of the process writes as one with everything else.
//! Nothing here knows of records, graphs or threads.

mod base;
mod bucket;
mod bytes;
mod slots;
mod cache;
mod index;
mod key_value;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod full_disk;
#[cfg(feature = "rocksdb")]
mod rocks;
mod rows;
mod state;
mod writes;

use std::any::Any;

pub(crate) use self::base::{ByteRange, SnapshotRows, StoreFormat};
pub(crate) use self::bucket::{BucketFormat, BucketStore, Target};
pub(crate) use self::bytes::{Family, NUM_KEYS, Part};
#[cfg(test)]
pub(crate) use self::full_disk::full_disk;
pub(crate) use self::index::Index;
pub(crate) use self::key_value::Difference;
pub use self::key_value::KeyValueStore;
pub(crate) use self::state::{Commit, META, StateSnapshot, store_family, store_of};
pub use self::state::{STATE_FORMAT, State, StateOptions};
pub(crate) use self::writes::FamilyWrites;
use crate::error::Result;

/// Which generation of a store's rows is read, and which is being built beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Generations {
    pub(crate) current: u8,
    pub(crate) building: Option<u8>,
}

impl Generations {
    pub(crate) fn to_bytes(self) -> [u8; 3] {
        let (flag, building) = self.building.map_or((0, 0), |generation| (1, generation));
        [self.current, flag, building]
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            [current, 0, 0] => Some(Generations {
                current,
                building: None,
            }),
            [current, 1, building] => Some(Generations {
                current,
                building: Some(building),
            }),
            _ => None,
        }
    }
}

/// About what a row that is not written takes besides: its bytes and their place in the order of
/// keys, and the bytes once more in the batch that the database takes.
const WRITE_BYTES: usize = 112;

/// A store of whatever types, as the task that owns it handles it.
pub(crate) trait AnyStore: Any + Send {
    /// Adds what was written since the last commit to the next one.
    fn freeze(&mut self, commit: &mut Commit) -> Result<()>;

    /// What was frozen is written.
    fn committed(&mut self);

    /// Back to what was written last.
    #[cfg(test)]
    fn rollback(&mut self);

    /// About how many bytes of memory rows take.
    fn memory(&self) -> usize;

    /// About how many more it takes to write those that are not known to be written.
    fn write_memory(&self) -> usize;

    /// How many rows were written since the last commit.
    fn uncommitted(&self) -> usize;

    /// How often a row, or those of a bucket, had to be read as they were not in memory, so far.
    fn misses(&self) -> u64;

    /// Forgets committed rows until about `target` bytes are taken.
    fn evict(&mut self, target: usize);

    /// Begins a generation beside the current one, dropping one that was begun before.
    fn begin_generation(&mut self, commit: &mut Commit) -> Result<Generations>;

    /// Has the generation that was built take the place of the current one, which stays to be
    /// compared.
    fn switch_generation(&mut self);

    /// Drops the former generation.
    fn end_generation(&mut self, commit: &mut Commit) -> Generations;

    /// For access by type.
    fn as_any(&mut self) -> &mut dyn Any;
}
