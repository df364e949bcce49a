//! Numbers that nobody can foretell well, for RANDOM and UUID; not for secrets.

use std::hash::{BuildHasher, RandomState};

/// A generator of numbers: SplitMix64, after Steele, Lea and Flood, "Fast splittable pseudorandom
/// number generators", 2014. Its start comes from the seed of the process's hash tables.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Default for Random {
    fn default() -> Self {
        Random {
            state: RandomState::new().hash_one(0x5eed_u64),
        }
    }
}

impl Random {
    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number in 0 to 1, 1 excluded.
    pub fn fraction(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1u64 << 53) as f64
    }
}
