//! The partition of a record, as Java's clients choose it.

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
            Some(key) => (murmur2(key) & 0x7fff_ffff) % partitions,
            None => {
                self.next = self.next.wrapping_add(1);
                self.next % partitions
            }
        }
    }
}

/// MurmurHash2 in 32 bits (Austin Appleby, 2008), with the seed of Kafka's Java clients.
pub(super) fn murmur2(bytes: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    const R: u32 = 24;
    let mut hash = SEED ^ (bytes.len() as u32);
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let word = u32::from_le_bytes(word.try_into().expect("a chunk of four"));
        let word = word.wrapping_mul(M);
        let word = (word ^ (word >> R)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ word;
    }
    let rest = words.remainder();
    for (at, byte) in rest.iter().enumerate() {
        hash ^= u32::from(*byte) << (8 * at);
    }
    if !rest.is_empty() {
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_java_clients() {
        // As org.apache.kafka.common.utils.Utils.murmur2 gives them.
        let known: [(&str, i32); 6] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            (
                "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            ("abc", 479_470_107),
        ];
        for (text, hash) in known {
            assert_eq!(murmur2(text.as_bytes()) as i32, hash, "{text}");
        }
    }

    #[test]
    fn records_without_a_key_take_turns() {
        let mut partitioner = Partitioner::default();
        let mut got: Vec<u32> = (0..6).map(|_| partitioner.of(None, 3)).collect();
        got.sort_unstable();
        assert_eq!(got, [0, 0, 1, 1, 2, 2]);
        assert_eq!(partitioner.of(Some(b"k"), 5), partitioner.of(Some(b"k"), 5));
    }
}
