//! Decoding a whole batch at once.

use super::{RawBatch, Times};
use crate::error::Error;
use crate::record::Record;

/// Turns the raw records of a source into typed ones, a batch at a time.
///
/// One decoder belongs to one task and sees the batches of each partition in order.
pub trait RecordDecoder<K, V>: Send {
    /// Appends what the records of `batch` become, in order, each made with [`Record::of_raw`]; what
    /// is not wanted may be left out.
    ///
    /// Raw records that cannot be read go to `bad`, in order, each with its index. The answer is the
    /// timestamp of every raw record, wanted or not, where they are not those of the batch.
    fn decode(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<K, V>>,
        bad: &mut Vec<(u32, Error)>,
    ) -> Option<Times>;

    /// How many numbers were rounded, as they had more digits than their columns keep, since this was
    /// last asked.
    fn take_rounded(&mut self) -> u64 {
        0
    }
}
