//! Steps: what is done with each value that is gathered.
//!
//! Each undoes with a weight of -1 what it did with 1, so that the order does not matter. Aggregates
//! share the steps that they have in common: AVG is SUM and COUNT.

use ferrisstreams_topology::data::{DataType, Physical, Slot};

use super::state::AggState;

/// Which step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepKind {
    /// Counts.
    Count,
    /// Counts what is true.
    Trues,
    /// Adds up whole numbers of at most 64 bits.
    Sum,
    /// Adds up whole numbers of 128 bits.
    WideSum,
    /// Adds up the squares of numbers of at most 64 bits.
    Squares,
    /// Adds up the squares of numbers of 128 bits, which have at most 38 digits.
    WideSquares,
    /// Adds up floating-point numbers that are finite; counts NaN, infinities above and below zero.
    FloatSum,
    /// Adds up the squares of floating-point numbers that are finite.
    FloatSquares,
    /// Adds up months, days and microseconds.
    IntervalSum,
    /// Counts how often each of so many bits is one.
    Bits(u8),
    /// Gathers the bits that some value has, of values that stay.
    AnyBit,
    /// Gathers the bits that some value has not, of values that stay.
    AnyZeroBit,
    /// Gathers the bits that an odd number of values has.
    OddBits,
}

impl StepKind {
    /// The step that adds up values of a type.
    pub(super) fn sum(data_type: DataType) -> StepKind {
        match data_type.physical() {
            Physical::F32 | Physical::F64 => StepKind::FloatSum,
            Physical::I128 => StepKind::WideSum,
            Physical::Interval => StepKind::IntervalSum,
            _ => StepKind::Sum,
        }
    }

    /// The step that adds up the squares of values of a type.
    pub(super) fn squares(data_type: DataType) -> StepKind {
        match data_type.physical() {
            Physical::F32 | Physical::F64 => StepKind::FloatSquares,
            Physical::I128 => StepKind::WideSquares,
            _ => StepKind::Squares,
        }
    }

    /// How many words it keeps. Sums are wide enough for 2^63 values of any size.
    pub(super) fn words(self) -> usize {
        match self {
            StepKind::FloatSquares => 0,
            StepKind::Count
            | StepKind::Trues
            | StepKind::AnyBit
            | StepKind::AnyZeroBit
            | StepKind::OddBits => 1,
            StepKind::Sum => 2,
            StepKind::WideSum | StepKind::Squares | StepKind::FloatSum => 3,
            StepKind::IntervalSum => 4,
            StepKind::WideSquares => 5,
            StepKind::Bits(width) => usize::from(width),
        }
    }

    /// Whether it keeps an exact sum beside words.
    pub(super) fn has_sum(self) -> bool {
        matches!(self, StepKind::FloatSum | StepKind::FloatSquares)
    }
}

/// Where in a state a step keeps what it gathers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) word: usize,
    pub(super) extra: usize,
}

/// A step, and its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) kind: StepKind,
    pub(super) place: Place,
}

impl Step {
    /// Adds a value that is not NULL with a weight of 1, or takes it back with one of -1. Only
    /// [`StepKind::Count`] does without a value.
    #[inline]
    pub(super) fn apply(&self, state: &mut AggState, row: &[u8], slot: Option<&Slot>, weight: i64) {
        let at = self.place.word;
        let Some(slot) = slot else {
            debug_assert_eq!(self.kind, StepKind::Count);
            return state.add_count(at, weight);
        };
        match self.kind {
            StepKind::Count => state.add_count(at, weight),
            StepKind::Trues => {
                let value = slot.bool(row).unwrap_or_default();
                state.add_count(at, i64::from(value) * weight);
            }
            StepKind::Sum => {
                let value = i128::from(slot.integer(row).unwrap_or_default()) * i128::from(weight);
                state.set_wide(at, state.wide(at).wrapping_add(value));
            }
            StepKind::WideSum => {
                let value = slot.wide(row).unwrap_or_default() * i128::from(weight);
                state.add_number(at, 3, &[value as u64, (value >> 64) as u64]);
            }
            StepKind::Squares => {
                let value = i128::from(slot.integer(row).unwrap_or_default());
                let square = value * value * i128::from(weight);
                state.add_number(at, 3, &[square as u64, (square >> 64) as u64]);
            }
            StepKind::WideSquares => {
                let magnitude = slot.wide(row).unwrap_or_default().unsigned_abs();
                state.add_number(at, 5, &square(magnitude, weight < 0));
            }
            StepKind::FloatSum => {
                self.add_float(state, slot.float(row).unwrap_or_default(), weight);
            }
            StepKind::FloatSquares => {
                let value = slot.float(row).unwrap_or_default();
                if value.is_finite() {
                    state
                        .sum_mut(self.place.extra)
                        .add_square(value, weight < 0);
                }
            }
            StepKind::IntervalSum => {
                let interval = slot.interval(row).unwrap_or_default();
                state.add_count(at, i64::from(interval.months) * weight);
                state.add_count(at + 1, i64::from(interval.days) * weight);
                let micros = i128::from(interval.micros) * i128::from(weight);
                state.set_wide(at + 2, state.wide(at + 2).wrapping_add(micros));
            }
            StepKind::Bits(width) => {
                let value = slot.integer(row).unwrap_or_default();
                for bit in 0..usize::from(width) {
                    state.add_count(at + bit, (value >> bit & 1) * weight);
                }
            }
            StepKind::AnyBit => {
                let value = slot.integer(row).unwrap_or_default() as u64;
                state.set_word(at, state.word(at) | value);
            }
            StepKind::AnyZeroBit => {
                let value = slot.integer(row).unwrap_or_default() as u64;
                state.set_word(at, state.word(at) | !value);
            }
            StepKind::OddBits => {
                let value = slot.integer(row).unwrap_or_default() as u64;
                state.set_word(at, state.word(at) ^ value);
            }
        }
    }

    fn add_float(&self, state: &mut AggState, value: f64, weight: i64) {
        let at = self.place.word;
        if value.is_finite() {
            state.sum_mut(self.place.extra).add(value, weight < 0);
        } else if value.is_nan() {
            state.add_count(at, weight);
        } else if value > 0.0 {
            state.add_count(at + 1, weight);
        } else {
            state.add_count(at + 2, weight);
        }
    }
}

/// The square of a number below 2^127, negated where wanted, as words in two's complement.
fn square(magnitude: u128, negated: bool) -> [u64; 4] {
    let (low, high) = (magnitude & u128::from(u64::MAX), magnitude >> 64);
    let (lows, cross) = (low * low, low * high);
    // The cross product counts twice, and its two halves lie in different words.
    let middle = (lows >> 64) + 2 * (cross & u128::from(u64::MAX));
    let top = high * high + 2 * (cross >> 64) + (middle >> 64);
    let mut words = [lows as u64, middle as u64, top as u64, (top >> 64) as u64];
    if negated {
        let mut carry = true;
        for word in &mut words {
            (*word, carry) = (!*word).overflowing_add(u64::from(carry));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::big::Big;
    use super::*;

    proptest! {
        #[test]
        fn squares_have_all_their_digits(value in 0u128..1 << 127) {
            let wanted = Big::from_u128(value).times(&Big::from_u128(value));
            prop_assert_eq!(Big::from_words(&square(value, false), 0), wanted.clone());
            let negated = Big::from_u128(0).minus(&wanted);
            prop_assert_eq!(Big::from_words(&square(value, true), 0), negated);
        }
    }
}
