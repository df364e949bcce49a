//! Exact sums, and the types of sums and averages.

use ethnum::I256;

use super::power::wide_power;
use super::{DecimalType, fits};
use crate::data::{DataType, MAX_DECIMAL_PRECISION};

/// The type of SUM over a type; none where there is no sum.
pub fn sum_type(data_type: DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::TinyInt | DataType::SmallInt | DataType::Int => DataType::BigInt,
        DataType::BigInt => DecimalType::new(MAX_DECIMAL_PRECISION, 0).into(),
        DataType::Decimal { scale, .. } => DecimalType::new(MAX_DECIMAL_PRECISION, scale).into(),
        DataType::Real | DataType::Double | DataType::Interval => data_type,
        _ => return None,
    })
}

/// The type of AVG over a type; none where there is no average.
pub fn average_type(data_type: DataType) -> Option<DataType> {
    match data_type {
        DataType::Real | DataType::Double => Some(DataType::Double),
        _ => {
            let scale = DecimalType::holding(data_type)?.scale.max(6);
            Some(DecimalType::new(MAX_DECIMAL_PRECISION, scale).into())
        }
    }
}

/// A sum of unscaled integers that never overflows.
///
/// It has 256 bits: more than 2^64 numbers of 38 digits fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WideSum(I256);

impl WideSum {
    /// The length of a sum in bytes.
    pub const BYTES: usize = 32;

    /// The sum of nothing.
    pub fn new() -> Self {
        WideSum::default()
    }

    /// Adds a number.
    #[inline]
    pub fn add(&mut self, value: i128) {
        self.0 += I256::from(value);
    }

    /// Takes a number away.
    #[inline]
    pub fn sub(&mut self, value: i128) {
        self.0 -= I256::from(value);
    }

    /// Adds the product of two numbers, of at most 76 digits.
    #[inline]
    pub fn add_product(&mut self, a: i128, b: i128) {
        self.0 += I256::from(a) * I256::from(b);
    }

    /// Takes the product of two numbers away.
    #[inline]
    pub fn sub_product(&mut self, a: i128, b: i128) {
        self.0 -= I256::from(a) * I256::from(b);
    }

    /// The sum, where it has at most 38 digits.
    pub fn value(&self) -> Option<i128> {
        i128::try_from(self.0)
            .ok()
            .filter(|value| fits(*value, MAX_DECIMAL_PRECISION))
    }

    /// The sum as the nearest floating-point number, `scale` of its digits being behind the point.
    pub fn to_f64(&self, scale: u8) -> f64 {
        self.0.as_f64() / 10f64.powi(i32::from(scale))
    }

    /// The sum as it is.
    pub fn wide(&self) -> I256 {
        self.0
    }

    /// The sum, its numbers having `from_scale` digits behind the point, divided by `count`, and
    /// rounded half away from zero to a type; none where that does not hold it.
    ///
    /// ```
    /// use ferrisstreams_topology::data::decimal::{DecimalType, WideSum};
    ///
    /// let mut sum = WideSum::new();
    /// sum.add(100);
    /// assert_eq!(sum.average(3, 2, DecimalType::new(38, 6)), Some(333_333));
    /// ```
    pub fn average(&self, count: i64, from_scale: u8, to: DecimalType) -> Option<i128> {
        if count <= 0 || to.scale < from_scale {
            return None;
        }
        let negative = self.0.is_negative();
        let magnitude = self
            .0
            .unsigned_abs()
            .checked_mul(wide_power(to.scale - from_scale))?;
        let count = ethnum::U256::from(count.unsigned_abs());
        let rounded = super::power::divide_rounded_wide(magnitude, count);
        let value = super::power::signed_wide(negative, rounded)?;
        fits(value, to.precision).then_some(value)
    }

    /// The sum as bytes.
    pub fn to_bytes(self) -> [u8; WideSum::BYTES] {
        self.0.to_le_bytes()
    }

    /// The sum that was made [bytes](WideSum::to_bytes) of.
    pub fn from_bytes(bytes: [u8; WideSum::BYTES]) -> Self {
        WideSum(I256::from_le_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_go_beyond_what_decimals_hold_and_come_back() {
        let most = 10i128.pow(38) - 1;
        let mut sum = WideSum::new();
        for _ in 0..1000 {
            sum.add(most);
        }
        assert_eq!(sum.value(), None);
        assert_eq!(WideSum::from_bytes(sum.to_bytes()), sum);
        for _ in 0..999 {
            sum.sub(most);
        }
        assert_eq!(sum.value(), Some(most));
    }

    #[test]
    fn averages_round_away_from_zero() {
        let mut sum = WideSum::new();
        sum.add(-1);
        assert_eq!(sum.average(2, 6, DecimalType::new(38, 6)), Some(-1));
        sum.add(-1);
        assert_eq!(sum.average(3, 0, DecimalType::new(38, 6)), Some(-666_667));
        assert_eq!(sum.average(0, 0, DecimalType::new(38, 6)), None);
    }
}
