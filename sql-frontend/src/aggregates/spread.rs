//! Variances and standard deviations.
//!
//! They are found from exact sums of values and of squares, so that nothing is lost where values are
//! large and lie close together; only the quotient is rounded.

use super::big::{Big, Scaled};
use super::exact_sum::ExactSum;
use super::float::FloatPlace;
use super::number::Number;
use super::state::AggState;

/// A measure of spread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    pub(super) sums: Sums,
    /// The word that counts values.
    pub(super) count: usize,
    /// Whether the values are a sample, so that one less is divided by.
    pub(super) sample: bool,
    /// Whether the root is wanted.
    pub(super) root: bool,
}

/// Where the sums stand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sums {
    /// Of whole numbers and of their squares.
    Whole { sum: Number, squares: Number },
    /// Of floating-point numbers, and the extra of that of their squares.
    Float { sum: FloatPlace, squares: usize },
}

impl Spread {
    /// The measure; none of too few values.
    pub(super) fn measure(self, state: &AggState) -> Option<Scaled> {
        let count = state.count(self.count);
        let variance = match self.sums {
            Sums::Whole { sum, squares } => {
                let unit = Big::power_of_ten(2 * u32::from(sum.scale));
                self.variance(count, &sum.big(state), &squares.big(state), &unit)?
            }
            Sums::Float { sum, squares } => {
                let (sum, squares) = (state.sum(sum.extra).to_big(), state.sum(squares).to_big());
                let variance = self.variance(count, &sum, &squares, &Big::from_u128(1))?;
                variance.shifted(ExactSum::SQUARES_EXPONENT)
            }
        };
        Some(if self.root { variance.root() } else { variance })
    }

    /// Whether there is a value that is not finite, which has no distance to others.
    pub(super) fn is_nan(self, state: &AggState) -> bool {
        match self.sums {
            Sums::Whole { .. } => false,
            Sums::Float { sum, .. } => sum.special(state).is_some(),
        }
    }

    /// (n · Σx² - (Σx)²) / (n · n), or n · (n - 1) for a sample, in units of 1 / `unit`.
    fn variance(self, count: i64, sum: &Big, squares: &Big, unit: &Big) -> Option<Scaled> {
        let count = u128::try_from(count).ok()?;
        let divisor = count.checked_sub(u128::from(self.sample))?;
        if divisor == 0 {
            return None;
        }
        let numerator = squares.times(&Big::from_u128(count)).minus(&sum.times(sum));
        // Only while a value is missing that was taken back before it was added.
        if numerator.is_negative() {
            return None;
        }
        let denominator = Big::from_u128(count * divisor).times(unit);
        Some(numerator.to_scaled().over(denominator.to_scaled()))
    }
}
