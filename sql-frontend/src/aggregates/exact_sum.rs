//! Exact sums of floating-point numbers.
//!
//! A double is a whole number of units of 2^-1074, its square one of 2^-2148. A sum of them is a
//! whole number too, of a few thousand bits at most, of which only those limbs are kept that are not
//! zero: two or three where the numbers are of like size. Nothing is rounded before a result is
//! wanted, so that a sum does not depend on the order of its numbers, and one that was taken back has
//! left no trace. This is the long accumulator of Kulisch, kept sparse.

use smallvec::SmallVec;

use super::big::Big;

/// The weight of the lowest bit of a sum of doubles is 2^-`UNIT`, a whole number of limbs.
const UNIT: i32 = 17 * 64;

/// More limbs than the sum of 2^63 squares has.
const MOST_LIMBS: u32 = 72;

/// An exact sum of doubles, or of their squares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ExactSum {
    /// How many limbs of value zero are left out at the low end.
    low: u32,
    /// Two's complement, the lowest limb first: none more than is needed, and none at all for zero.
    limbs: SmallVec<[u64; 3]>,
}

impl ExactSum {
    /// The exponent of the lowest bit of a sum of doubles.
    pub(super) const EXPONENT: i32 = -UNIT;
    /// The exponent of the lowest bit of a sum of squares.
    pub(super) const SQUARES_EXPONENT: i32 = -2 * UNIT;

    /// A sum of these limbs; none where no sum has them.
    pub(super) fn from_parts(low: u32, limbs: &[u64]) -> Option<ExactSum> {
        let len = u32::try_from(limbs.len()).ok()?;
        if low.checked_add(len)? > MOST_LIMBS {
            return None;
        }
        let mut sum = ExactSum {
            low,
            limbs: SmallVec::from_slice(limbs),
        };
        sum.trim();
        Some(sum)
    }

    /// How many limbs are left out, and those that are there.
    pub(super) fn parts(&self) -> (u32, &[u64]) {
        (self.low, &self.limbs)
    }

    pub(super) fn is_zero(&self) -> bool {
        self.limbs.is_empty()
    }

    /// Adds a number that is finite, or takes it away.
    pub(super) fn add(&mut self, value: f64, subtract: bool) {
        let (mantissa, exponent) = decompose(value);
        let negative = value.is_sign_negative() != subtract;
        self.add_bits(u128::from(mantissa), (exponent + UNIT) as u32, negative);
    }

    /// Adds the square of a number that is finite, or takes it away.
    pub(super) fn add_square(&mut self, value: f64, subtract: bool) {
        let (mantissa, exponent) = decompose(value);
        let square = u128::from(mantissa) * u128::from(mantissa);
        self.add_bits(square, (2 * (exponent + UNIT)) as u32, subtract);
    }

    /// The sum in units of its lowest possible bit.
    pub(super) fn to_big(&self) -> Big {
        Big::from_words(&self.limbs, self.low as usize)
    }

    /// Adds `magnitude` · 2^`bit`, which has at most 106 bits, or takes it away.
    fn add_bits(&mut self, magnitude: u128, bit: u32, negative: bool) {
        if magnitude == 0 {
            return;
        }
        let (at, shift) = (bit / 64, bit % 64);
        let low = magnitude << shift;
        let high = if shift == 0 {
            0
        } else {
            magnitude >> (128 - shift)
        };
        let pieces = [low as u64, (low >> 64) as u64, high as u64];
        let from = self.make_room(at, pieces.len());
        let mut carry = false;
        for (i, limb) in self.limbs[from..].iter_mut().enumerate() {
            let piece = pieces.get(i).copied().unwrap_or(0);
            let (first, second);
            (*limb, first, second) = if negative {
                let (less, under) = limb.overflowing_sub(piece);
                let (less, again) = less.overflowing_sub(u64::from(carry));
                (less, under, again)
            } else {
                let (more, over) = limb.overflowing_add(piece);
                let (more, again) = more.overflowing_add(u64::from(carry));
                (more, over, again)
            };
            carry = first || second;
        }
        self.trim();
    }

    /// Has limbs there for `count` from limb `at` on and one for what is carried; the answer is where
    /// they begin.
    fn make_room(&mut self, at: u32, count: usize) -> usize {
        if self.limbs.is_empty() {
            self.low = at;
        }
        if at < self.low {
            let missing = (self.low - at) as usize;
            self.limbs.insert_many(0, std::iter::repeat_n(0, missing));
            self.low = at;
        }
        let from = (at - self.low) as usize;
        let sign = self
            .limbs
            .last()
            .map_or(0, |top| ((*top as i64) >> 63) as u64);
        let len = self.limbs.len().max(from + count) + 1;
        self.limbs.resize(len, sign);
        from
    }

    /// Drops limbs that say nothing.
    fn trim(&mut self) {
        while let Some((top, rest)) = self.limbs.split_last() {
            let sign = rest
                .last()
                .map_or(0, |below| ((*below as i64) >> 63) as u64);
            if *top != sign {
                break;
            }
            self.limbs.pop();
        }
        let zeros = self.limbs.iter().take_while(|limb| **limb == 0).count();
        if zeros > 0 {
            self.limbs.drain(..zeros);
        }
        self.low = if self.limbs.is_empty() {
            0
        } else {
            self.low + zeros as u32
        };
    }
}

/// A number's magnitude as a whole number times a power of two.
fn decompose(value: f64) -> (u64, i32) {
    debug_assert!(value.is_finite());
    let bits = value.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, exponent - 1075)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(sum: &ExactSum) -> Option<f64> {
        sum.to_big()
            .to_scaled()
            .shifted(ExactSum::EXPONENT)
            .to_f64()
    }

    #[test]
    fn sums_are_exact() {
        let mut sum = ExactSum::default();
        for number in [1e300, 0.1, 1.0, -1e300, f64::MAX, f64::MIN_POSITIVE / 8.0] {
            sum.add(number, false);
        }
        sum.add(f64::MAX, true);
        sum.add(0.1, true);
        sum.add(1.0, true);
        assert_eq!(value(&sum), Some(f64::MIN_POSITIVE / 8.0));
        sum.add(f64::MIN_POSITIVE / 8.0, true);
        assert!(sum.is_zero());
        assert_eq!(sum, ExactSum::default());
    }

    #[test]
    fn sums_round_once() {
        let mut sum = ExactSum::default();
        (0..10).for_each(|_| sum.add(0.1, false));
        assert_eq!(value(&sum), Some(1.0));
        let mut sum = ExactSum::default();
        (0..2).for_each(|_| sum.add(f64::MAX, false));
        assert_eq!(value(&sum), None);
        sum.add(f64::MAX, true);
        assert_eq!(value(&sum), Some(f64::MAX));
    }

    #[test]
    fn parts_beyond_all_sums_are_refused() {
        assert_eq!(ExactSum::from_parts(MOST_LIMBS, &[1]), None);
        assert_eq!(ExactSum::from_parts(u32::MAX, &[1]), None);
        assert_eq!(ExactSum::from_parts(3, &[0, 0]), Some(ExactSum::default()));
    }

    fn finite() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<f64>().prop_filter("finite", |f| f.is_finite()),
            (-1000i32..1000).prop_map(|n| f64::from(n) / 100.0),
        ]
    }

    proptest! {
        #[test]
        fn what_was_added_can_be_taken_back(kept in finite(), passing in proptest::collection::vec(finite(), 0..20)) {
            let (mut sum, mut squares) = (ExactSum::default(), ExactSum::default());
            for number in &passing {
                sum.add(*number, true);
                squares.add_square(*number, true);
            }
            sum.add(kept, false);
            squares.add_square(kept, false);
            for number in passing.iter().rev() {
                sum.add(*number, false);
                squares.add_square(*number, false);
            }
            prop_assert_eq!(value(&sum), Some(kept));
            let root = squares.to_big().to_scaled().shifted(ExactSum::SQUARES_EXPONENT).root();
            prop_assert_eq!(root.to_f64(), Some(kept.abs()));
            let (low, limbs) = sum.parts();
            prop_assert_eq!(ExactSum::from_parts(low, limbs), Some(sum));
        }
    }
}
