//! A decimal value with its scale, and a decimal type.

use std::fmt;

use crate::data::{DataType, MAX_DECIMAL_PRECISION};

use super::power::digit_count;

/// A decimal number: `unscaled` divided by ten to the power of `scale`.
///
/// Equality is of the parts: 1.0 and 1.00 are different values of equal size, which
/// [`compare`](super::compare) calls equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The digits, as an integer.
    pub unscaled: i128,
    /// How many of the digits stand behind the point.
    pub scale: u8,
}

impl Decimal {
    /// The number `unscaled` / 10^`scale`.
    #[inline]
    pub const fn new(unscaled: i128, scale: u8) -> Self {
        Decimal { unscaled, scale }
    }

    /// The type with the fewest digits that holds this number, as SQL types a literal.
    ///
    /// ```
    /// use ferrisstreams_topology::data::decimal::{Decimal, DecimalType};
    ///
    /// assert_eq!(Decimal::new(-150, 2).narrowest_type(), DecimalType::new(3, 2));
    /// assert_eq!(Decimal::new(5, 3).narrowest_type(), DecimalType::new(3, 3));
    /// ```
    pub fn narrowest_type(self) -> DecimalType {
        let digits = digit_count(self.unscaled.unsigned_abs());
        DecimalType::new(digits.max(self.scale).max(1), self.scale)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        super::write(&mut out, *self);
        f.pad(std::str::from_utf8(&out).map_err(|_| fmt::Error)?)
    }
}

/// The precision and scale of a decimal type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecimalType {
    /// Digits in all, 1 to 38.
    pub precision: u8,
    /// Digits behind the point, at most `precision`.
    pub scale: u8,
}

impl DecimalType {
    /// DECIMAL(`precision`, `scale`).
    #[inline]
    pub const fn new(precision: u8, scale: u8) -> Self {
        debug_assert!(precision >= 1 && precision <= MAX_DECIMAL_PRECISION && scale <= precision);
        DecimalType { precision, scale }
    }

    /// The decimal type that holds every value of an integer or decimal type; none for other types.
    pub const fn holding(data_type: DataType) -> Option<Self> {
        match data_type.as_decimal() {
            Some((precision, scale)) => Some(DecimalType { precision, scale }),
            None => None,
        }
    }

    /// Digits before the point.
    #[inline]
    pub const fn integer_digits(self) -> u8 {
        self.precision - self.scale
    }

    /// The narrowest type that holds the values of both, at most 38 digits: beyond that, digits
    /// before the point are given up, so that a value that is lost is an error and never rounded.
    pub fn union(self, other: DecimalType) -> DecimalType {
        let scale = self.scale.max(other.scale);
        let integer = self.integer_digits().max(other.integer_digits());
        DecimalType::new((integer + scale).clamp(1, MAX_DECIMAL_PRECISION), scale)
    }
}

impl From<DecimalType> for DataType {
    fn from(decimal: DecimalType) -> DataType {
        DataType::Decimal {
            precision: decimal.precision,
            scale: decimal.scale,
        }
    }
}
