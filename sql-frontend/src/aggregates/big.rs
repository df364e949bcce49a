//! Whole numbers of any length, and how they become floating-point numbers.
//!
//! Sums are kept as words of 64 bits in two's complement, the lowest first. Only what is computed of
//! them when a result is wanted is done with the numbers here.

use std::cmp::Ordering;
use std::fmt;

use smallvec::{SmallVec, smallvec};

type Limbs = SmallVec<[u64; 12]>;

/// A whole number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Big {
    negative: bool,
    /// The magnitude, the lowest limb first, none of value zero at the end.
    limbs: Limbs,
}

impl Big {
    /// The number that words in two's complement stand for, times 2^(64 · `shift`).
    pub(super) fn from_words(words: &[u64], shift: usize) -> Big {
        let negative = words.last().is_some_and(|word| word >> 63 == 1);
        let mut limbs: Limbs = smallvec![0; shift];
        limbs.extend_from_slice(words);
        if negative {
            let mut carry = true;
            for limb in &mut limbs[shift..] {
                (*limb, carry) = (!*limb).overflowing_add(u64::from(carry));
            }
        }
        Big::trimmed(negative, limbs)
    }

    /// A number that is not negative.
    pub(super) fn from_u128(value: u128) -> Big {
        Big::trimmed(false, smallvec![value as u64, (value >> 64) as u64])
    }

    /// 10^`exponent`.
    pub(super) fn power_of_ten(exponent: u32) -> Big {
        let tens = |exponent: u32| Big::from_u128(10u128.pow(exponent));
        let mut power = tens(exponent % 38);
        for _ in 0..exponent / 38 {
            power = power.times(&tens(38));
        }
        power
    }

    fn trimmed(negative: bool, mut limbs: Limbs) -> Big {
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        let negative = negative && !limbs.is_empty();
        Big { negative, limbs }
    }

    pub(super) fn is_negative(&self) -> bool {
        self.negative
    }

    /// The product.
    pub(super) fn times(&self, other: &Big) -> Big {
        let mut out: Limbs = smallvec![0; self.limbs.len() + other.limbs.len()];
        for (i, a) in self.limbs.iter().enumerate() {
            let mut carry = 0;
            for (j, b) in other.limbs.iter().enumerate() {
                // At most (2^64 - 1)^2 + 2 · (2^64 - 1), which is 2^128 - 1.
                let sum = u128::from(*a) * u128::from(*b) + u128::from(out[i + j]) + carry;
                out[i + j] = sum as u64;
                carry = sum >> 64;
            }
            out[i + other.limbs.len()] = carry as u64;
        }
        Big::trimmed(self.negative != other.negative, out)
    }

    /// The difference.
    pub(super) fn minus(&self, other: &Big) -> Big {
        if self.negative != other.negative {
            return Big::trimmed(self.negative, sum(&self.limbs, &other.limbs));
        }
        match compare(&self.limbs, &other.limbs) {
            Ordering::Less => Big::trimmed(!self.negative, difference(&other.limbs, &self.limbs)),
            _ => Big::trimmed(self.negative, difference(&self.limbs, &other.limbs)),
        }
    }

    /// The number with its 53 highest bits, the last of them rounded half to even.
    pub(super) fn to_scaled(&self) -> Scaled {
        let Some(top) = self.limbs.last() else {
            return Scaled::default();
        };
        let bits = self.limbs.len() * 64 - top.leading_zeros() as usize;
        let drop = bits.saturating_sub(53);
        let mut mantissa = self.bits_from(drop);
        if drop > 0 && self.bit(drop - 1) {
            let rest = (0..drop - 1).any(|at| self.limbs[at / 64] != 0 && self.bit(at));
            mantissa += u64::from(rest || mantissa & 1 == 1);
        }
        let magnitude = mantissa as f64;
        Scaled {
            mantissa: if self.negative { -magnitude } else { magnitude },
            exponent: drop as i32,
        }
    }

    fn bit(&self, at: usize) -> bool {
        self.limbs[at / 64] >> (at % 64) & 1 == 1
    }

    /// The 64 bits from one on.
    fn bits_from(&self, at: usize) -> u64 {
        let (limb, shift) = (at / 64, at % 64);
        let high = self.limbs.get(limb + 1).copied().unwrap_or(0);
        let both = u128::from(high) << 64 | u128::from(self.limbs[limb]);
        (both >> shift) as u64
    }
}

fn sum(a: &[u64], b: &[u64]) -> Limbs {
    let mut carry = 0;
    let limb = |limbs: &[u64], at: usize| u128::from(limbs.get(at).copied().unwrap_or(0));
    (0..=a.len().max(b.len()))
        .map(|at| {
            let sum = limb(a, at) + limb(b, at) + carry;
            carry = sum >> 64;
            sum as u64
        })
        .collect()
}

/// `a - b`, where `a` is not less.
fn difference(a: &[u64], b: &[u64]) -> Limbs {
    let mut borrow = false;
    let less = |(at, a): (usize, &u64)| {
        let (first, under) = a.overflowing_sub(b.get(at).copied().unwrap_or(0));
        let (rest, again) = first.overflowing_sub(u64::from(borrow));
        borrow = under || again;
        rest
    };
    a.iter().enumerate().map(less).collect()
}

fn compare(a: &[u64], b: &[u64]) -> Ordering {
    a.len()
        .cmp(&b.len())
        .then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

/// In decimal digits.
impl fmt::Display for Big {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PIECE: u64 = 10u64.pow(19);
        let mut rest = self.limbs.clone();
        let mut pieces = Vec::new();
        while rest.iter().any(|limb| *limb != 0) {
            let mut remainder = 0u128;
            for limb in rest.iter_mut().rev() {
                let value = remainder << 64 | u128::from(*limb);
                *limb = (value / u128::from(PIECE)) as u64;
                remainder = value % u128::from(PIECE);
            }
            pieces.push(remainder as u64);
        }
        let mut digits = pieces.pop().unwrap_or(0).to_string();
        for piece in pieces.iter().rev() {
            digits += &format!("{piece:019}");
        }
        f.pad_integral(!self.negative, "", &digits)
    }
}

/// A floating-point number with an exponent that has no bounds: `mantissa` · 2^`exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Scaled {
    mantissa: f64,
    exponent: i32,
}

impl Scaled {
    /// The number times 2^`exponent`.
    pub(super) fn shifted(self, exponent: i32) -> Scaled {
        let exponent = self.exponent + exponent;
        Scaled { exponent, ..self }
    }

    /// The quotient; the divisor must not be zero.
    pub(super) fn over(self, divisor: Scaled) -> Scaled {
        Scaled {
            mantissa: self.mantissa / divisor.mantissa,
            exponent: self.exponent - divisor.exponent,
        }
    }

    /// The square root; the number must not be negative.
    pub(super) fn root(self) -> Scaled {
        let odd = self.exponent & 1;
        let mantissa = if odd == 1 {
            self.mantissa * 2.0
        } else {
            self.mantissa
        };
        Scaled {
            mantissa: mantissa.sqrt(),
            exponent: (self.exponent - odd) / 2,
        }
    }

    /// The number as a double; none beyond the range of doubles.
    pub(super) fn to_f64(self) -> Option<f64> {
        // Mantissas lie between 2^-107 and 2^54 and are less than 2^1000 away from either bound.
        let exponent = self.exponent.clamp(-2000, 2000);
        let half = exponent / 2;
        // The first product is exact: the second alone may lose bits, and rounds once.
        let value = self.mantissa * power_of_two(half) * power_of_two(exponent - half);
        value.is_finite().then_some(value)
    }
}

fn power_of_two(exponent: i32) -> f64 {
    debug_assert!((-1022..=1023).contains(&exponent));
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn big(value: i128) -> Big {
        Big::from_words(&[value as u64, (value >> 64) as u64], 0)
    }

    #[test]
    fn numbers_are_shown_in_digits() {
        assert_eq!(big(0).to_string(), "0");
        assert_eq!(big(i128::MIN).to_string(), i128::MIN.to_string());
        assert_eq!(
            Big::power_of_ten(80).to_string(),
            format!("1{}", "0".repeat(80))
        );
        assert_eq!(
            Big::from_words(&[5], 1).to_string(),
            (5u128 << 64).to_string()
        );
        assert_eq!(Big::from_words(&[u64::MAX], 0).to_string(), "-1");
    }

    #[test]
    fn what_is_beyond_doubles_is_told() {
        let huge = Big::power_of_ten(400).to_scaled();
        assert_eq!(huge.to_f64(), None);
        assert_eq!(huge.root().to_f64(), Some(1e200));
        assert_eq!(
            huge.over(Big::power_of_ten(800).to_scaled()).to_f64(),
            Some(0.0)
        );
        assert_eq!(Big::power_of_ten(308).to_scaled().to_f64(), Some(1e308));
    }

    #[test]
    fn halves_round_to_even() {
        let odd = (1i128 << 60) + (1 << 7);
        for (value, wanted) in [
            (odd, 1i128 << 60),
            (odd + 1, (1 << 60) + (1 << 8)),
            (odd + (1 << 8), (1 << 60) + (1 << 9)),
        ] {
            assert_eq!(
                big(value).to_scaled().to_f64(),
                Some(wanted as f64),
                "{value}"
            );
            assert_eq!(wanted as f64 as i128, wanted);
        }
    }

    proptest! {
        #[test]
        fn arithmetic_is_that_of_integers(a in any::<i64>(), b in any::<i64>(), c in any::<i128>()) {
            let (wide_a, wide_b) = (i128::from(a), i128::from(b));
            prop_assert_eq!(big(wide_a).times(&big(wide_b)), big(wide_a * wide_b));
            prop_assert_eq!(big(wide_a).minus(&big(wide_b)), big(wide_a - wide_b));
            prop_assert_eq!(big(c).to_scaled().to_f64(), Some(c as f64));
            prop_assert_eq!(big(c).to_string(), c.to_string());
            prop_assert_eq!(big(c >> 1).minus(&big(wide_a)), big((c >> 1) - wide_a));
        }
    }
}
