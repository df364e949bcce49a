//! The partition of a record, as Java's clients choose it.

use crate::cluster::partition_of;

/// Chooses partitions: by the bytes of the key; in turn where there is no key.
#[derive(Debug, Default)]
pub(super) struct Partitioner {
    next: u32,
}

impl Partitioner {
    /// The one of these partitions, which are in order, that a record belongs to.
    pub(super) fn choose<'a, P>(&mut self, key: Option<&[u8]>, partitions: &'a [P]) -> &'a P {
        let count = u32::try_from(partitions.len()).expect("partitions are numbered by 32 bits");
        &partitions[self.of(key, count) as usize]
    }

    /// The partition of a record, of so many.
    pub(super) fn of(&mut self, key: Option<&[u8]>, partitions: u32) -> u32 {
        match key {
            Some(key) => partition_of(key, partitions),
            None => {
                self.next = self.next.wrapping_add(1);
                self.next % partitions
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_without_a_key_take_turns() {
        let mut partitioner = Partitioner::default();
        let mut got: Vec<u32> = (0..6).map(|_| partitioner.of(None, 3)).collect();
        got.sort_unstable();
        assert_eq!(got, [0, 0, 1, 1, 2, 2]);
        assert_eq!(partitioner.of(Some(b"k"), 5), partitioner.of(Some(b"k"), 5));
    }
}
