//! Sums and averages of floating-point numbers.

use super::big::{Big, Scaled};
use super::exact_sum::ExactSum;
use super::state::AggState;

/// Where a sum of floating-point numbers stands in a state: from a word on how many are NaN, above
/// and below all others; in an extra the sum of the others.
#[derive(Debug, Clone, Copy)]
pub(super) struct FloatPlace {
    pub(super) word: usize,
    pub(super) extra: usize,
}

impl FloatPlace {
    /// What the sum is if not all numbers are finite.
    pub(super) fn special(self, state: &AggState) -> Option<f64> {
        let has = |at| state.count(self.word + at) > 0;
        match (has(0), has(1), has(2)) {
            (false, false, false) => None,
            (false, true, false) => Some(f64::INFINITY),
            (false, false, true) => Some(f64::NEG_INFINITY),
            _ => Some(f64::NAN),
        }
    }

    /// The sum of the finite numbers, divided.
    pub(super) fn sum_over(self, state: &AggState, divisor: u64) -> Scaled {
        let sum = state.sum(self.extra).to_big().to_scaled();
        let divisor = Big::from_u128(divisor.into()).to_scaled();
        sum.shifted(ExactSum::EXPONENT).over(divisor)
    }
}
