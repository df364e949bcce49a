//! Between decimals and other numbers.

use super::rescale::scale_down;
use super::{Decimal, DecimalType, parse_rounded, rescale};
use crate::data::{ArithmeticError, text};

/// An integer as an unscaled integer of a type.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] where it does not fit.
pub fn from_i64(value: i64, to: DecimalType) -> Result<i128, ArithmeticError> {
    rescale(Decimal::new(i128::from(value), 0), to)
}

/// A floating-point number, by its shortest text form, rounded to a type.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] where it does not fit, or is no finite number.
///
/// ```
/// use ferrisstreams_topology::data::decimal::{DecimalType, from_f64};
///
/// assert_eq!(from_f64(0.1 + 0.2, DecimalType::new(10, 2)), Ok(30));
/// assert!(from_f64(f64::NAN, DecimalType::new(10, 2)).is_err());
/// ```
pub fn from_f64(value: f64, to: DecimalType) -> Result<i128, ArithmeticError> {
    if !value.is_finite() {
        return Err(ArithmeticError::Overflow);
    }
    let mut out = Vec::with_capacity(32);
    text::write_f64(&mut out, value);
    parse_rounded(&out, to).map_err(|_| ArithmeticError::Overflow)
}

/// The nearest floating-point number.
pub fn to_f64(value: Decimal) -> f64 {
    // Both are exact below 2^53 and 10^22, and the quotient of exact numbers is the nearest.
    if value.unscaled.unsigned_abs() < 1 << 53 && value.scale <= 22 {
        return value.unscaled as f64 / 10f64.powi(i32::from(value.scale));
    }
    let mut out = Vec::with_capacity(48);
    super::write(&mut out, value);
    text::parse_f64(&out).unwrap_or(f64::NAN)
}

/// The nearest floating-point number of 32 bits.
pub fn to_f32(value: Decimal) -> f32 {
    to_f64(value) as f32
}

/// The nearest integer, from the middle the one away from zero.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] beyond 64 bits.
pub fn to_i64(value: Decimal) -> Result<i64, ArithmeticError> {
    let rounded = scale_down(value.unscaled, value.scale);
    i64::try_from(rounded).map_err(|_| ArithmeticError::Overflow)
}

/// A number of the rust_decimal crate.
pub fn from_rust_decimal(value: rust_decimal::Decimal) -> Decimal {
    Decimal::new(value.mantissa(), value.scale() as u8)
}

/// The number as the rust_decimal crate has it; none where that has too few digits.
pub fn to_rust_decimal(value: Decimal) -> Option<rust_decimal::Decimal> {
    rust_decimal::Decimal::try_from_i128_with_scale(value.unscaled, u32::from(value.scale)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_there_and_back() {
        assert_eq!(to_f64(Decimal::new(-5, 2)), -0.05);
        assert_eq!(to_f64(Decimal::new(10i128.pow(30), 30)), 1.0);
        assert_eq!(to_i64(Decimal::new(-25, 1)), Ok(-3));
        assert_eq!(
            to_i64(Decimal::new(i128::MAX, 0)),
            Err(ArithmeticError::Overflow)
        );
        assert_eq!(
            from_f64(1e300, DecimalType::new(38, 0)),
            Err(ArithmeticError::Overflow)
        );
        assert_eq!(from_f64(1e-7, DecimalType::new(38, 10)), Ok(1000));
        let number = Decimal::new(-12_345, 3);
        let theirs = to_rust_decimal(number).expect("five digits fit");
        assert_eq!(theirs.to_string(), "-12.345");
        assert_eq!(from_rust_decimal(theirs), number);
    }
}
