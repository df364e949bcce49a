//! Numbers that look random and follow from where they stand.

/// The number of a row and column under a seed: the finalizer of SplitMix64 (Steele, Lea and Flood,
/// "Fast splittable pseudorandom number generators", 2014), once for each part.
pub(super) fn random(seed: u64, column: u64, row: u64) -> u64 {
    mixed(mixed(mixed(seed) ^ column) ^ row)
}

fn mixed(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The number as one from `least` to `most`.
pub(super) fn within(random: u64, least: i128, most: i128) -> i128 {
    let count = (most - least) as u128 + 1;
    // The range has at most 2^127 numbers, far more than are told apart here.
    let share = (u128::from(random) * (count >> 32)) >> 32;
    let rest = (u128::from(random) * (count & 0xffff_ffff)) >> 64;
    least + (share + rest).min(count - 1) as i128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_their_range_and_reach_all_of_it() {
        let mut seen = [0; 6];
        for row in 0..6_000 {
            seen[within(random(1, 2, row), 0, 5) as usize] += 1;
        }
        assert!(
            seen.iter().all(|count| (800..1200).contains(count)),
            "{seen:?}"
        );
        for number in [0, 1, u64::MAX / 2, u64::MAX] {
            assert_eq!(within(number, 7, 7), 7);
            let wide = within(number, i128::from(i64::MIN), i128::from(i64::MAX));
            assert!(i64::try_from(wide).is_ok());
        }
        assert_eq!(within(0, -10, 10), -10);
        assert_eq!(within(u64::MAX, -10, 10), 10);
    }

    #[test]
    fn seeds_and_columns_differ() {
        assert_ne!(random(1, 1, 1), random(2, 1, 1));
        assert_ne!(random(1, 1, 1), random(1, 2, 1));
        assert_eq!(random(1, 1, 1), random(1, 1, 1));
    }
}
