//! A hash of the bytes of a file from its start, which can be stored and gone on with.
//!
//! It tells content apart that changed by accident or by editing. It is no seal: who wants to make
//! two files with one hash can.

/// How many bytes are taken in at once.
const BLOCK: usize = 32;

/// An odd number without a pattern: multiplying by it loses nothing.
const FACTOR: u64 = 0x9e6c_63d0_876a_68ee | 1;

/// The hash of all bytes so far.
///
/// Four lanes that do not wait for each other take eight bytes of each block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digest {
    lanes: [u64; 4],
    /// The bytes behind the last whole block; zero where there is none.
    rest: [u8; BLOCK],
    len: u64,
}

impl Digest {
    /// The size of a digest as bytes.
    pub(super) const SIZE: usize = 4 * 8 + BLOCK + 8;

    /// The hash of no bytes.
    pub(super) const fn new() -> Self {
        Digest {
            lanes: [
                0x243f_6a88_85a3_08d3,
                0x1319_8a2e_0370_7344,
                0xa409_3822_299f_31d0,
                0x082e_fa98_ec4e_6c89,
            ],
            rest: [0; BLOCK],
            len: 0,
        }
    }

    /// The hash of `bytes` as one number.
    pub(super) fn of(bytes: &[u8]) -> u64 {
        let mut digest = Digest::new();
        digest.update(bytes);
        digest.value()
    }

    /// The number of bytes so far.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Takes in the bytes that come next.
    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        let held = (self.len % BLOCK as u64) as usize;
        self.len += bytes.len() as u64;
        if held > 0 {
            let (head, tail) = bytes.split_at(bytes.len().min(BLOCK - held));
            self.rest[held..held + head.len()].copy_from_slice(head);
            if held + head.len() < BLOCK {
                return;
            }
            self.lanes = mix(self.lanes, &self.rest);
            self.rest = [0; BLOCK];
            bytes = tail;
        }
        let mut blocks = bytes.chunks_exact(BLOCK);
        let mut lanes = self.lanes;
        for block in &mut blocks {
            lanes = mix(
                lanes,
                block.try_into().expect("a block is as long as a block"),
            );
        }
        self.lanes = lanes;
        let rest = blocks.remainder();
        self.rest[..rest.len()].copy_from_slice(rest);
    }

    /// The hash as one number.
    pub(super) fn value(&self) -> u64 {
        let lanes = mix(self.lanes, &self.rest);
        lanes.iter().fold(self.len, |sum, lane| {
            let sum = (sum ^ lane).wrapping_mul(FACTOR);
            sum ^ (sum >> 32)
        })
    }

    /// Appends the digest as bytes.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for lane in self.lanes {
            out.extend_from_slice(&lane.to_le_bytes());
        }
        out.extend_from_slice(&self.rest);
        out.extend_from_slice(&self.len.to_le_bytes());
    }

    /// Reads what [`write`](Digest::write) wrote.
    pub(super) fn read(bytes: &[u8; Digest::SIZE]) -> Self {
        let word = |at: usize| {
            let word = bytes[at..at + 8].try_into();
            u64::from_le_bytes(word.expect("eight bytes are eight bytes"))
        };
        let mut rest = [0; BLOCK];
        rest.copy_from_slice(&bytes[32..32 + BLOCK]);
        Digest {
            lanes: [word(0), word(8), word(16), word(24)],
            rest,
            len: word(32 + BLOCK),
        }
    }
}

#[inline]
fn mix(lanes: [u64; 4], block: &[u8; BLOCK]) -> [u64; 4] {
    let mut mixed = [0; 4];
    for (at, lane) in lanes.into_iter().enumerate() {
        let word = block[at * 8..at * 8 + 8].try_into();
        let word = u64::from_le_bytes(word.expect("eight bytes are eight bytes"));
        mixed[at] = (lane ^ word).wrapping_mul(FACTOR).rotate_left(29);
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hash_as_the_whole_and_every_byte_counts() {
        let bytes: Vec<u8> = (0..1000u32).map(|n| (n * n % 251) as u8).collect();
        let mut whole = Digest::new();
        whole.update(&bytes);
        for cut in 0..bytes.len() {
            let mut pieces = Digest::new();
            pieces.update(&bytes[..cut]);
            let mut stored = Vec::new();
            pieces.write(&mut stored);
            let mut pieces = Digest::read(stored[..].try_into().unwrap());
            pieces.update(&bytes[cut..]);
            assert_eq!(pieces, whole, "cut at {cut}");

            let mut other = bytes.clone();
            other[cut] ^= 1;
            assert_ne!(Digest::of(&other), whole.value(), "another byte at {cut}");
            assert_ne!(Digest::of(&bytes[..cut]), whole.value(), "only {cut} bytes");
        }
    }

    #[test]
    fn zeros_at_the_end_count() {
        assert_ne!(Digest::of(b"a"), Digest::of(b"a\0"));
        assert_ne!(Digest::of(&[0; 32]), Digest::of(&[0; 64]));
    }
}
