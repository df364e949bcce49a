//! Addition, multiplication, division and remainder, and the types of their results.
//!
//! The types are those of SQL Server and of Hive's SQL, which most engines have taken over: a result
//! has all the digits that it can need, and where these are more than 38, gives up digits behind the
//! point first, but keeps six of them.

use std::cmp::Ordering;

use ethnum::U256;

use super::power::{divide_rounded_wide, signed_wide, wide_power};
use super::rescale::{scale_down, scale_up};
use super::{Decimal, DecimalType, fit};
use crate::data::{ArithmeticError, MAX_DECIMAL_PRECISION};

/// The digits behind the point that a result keeps when it has too many in all.
const LEAST_SCALE: u8 = 6;

fn bounded(integer: u32, scale: u32) -> DecimalType {
    let most = u32::from(MAX_DECIMAL_PRECISION);
    if integer + scale <= most {
        return DecimalType::new((integer + scale).max(1) as u8, scale as u8);
    }
    let least = scale.min(u32::from(LEAST_SCALE));
    let scale = most.saturating_sub(integer).max(least);
    DecimalType::new(MAX_DECIMAL_PRECISION, scale as u8)
}

/// The type of a sum or difference.
pub fn sum_of_types(a: DecimalType, b: DecimalType) -> DecimalType {
    let integer = a.integer_digits().max(b.integer_digits());
    bounded(u32::from(integer) + 1, u32::from(a.scale.max(b.scale)))
}

/// The type of a product.
pub fn mul_type(a: DecimalType, b: DecimalType) -> DecimalType {
    let scale = u32::from(a.scale) + u32::from(b.scale);
    bounded(
        u32::from(a.precision) + u32::from(b.precision) - scale,
        scale,
    )
}

/// The type of a quotient: at least six digits behind the point.
///
/// ```
/// use ferrisstreams_topology::data::decimal::{DecimalType, div_type};
///
/// let money = DecimalType::new(10, 2);
/// assert_eq!(div_type(money, money).scale, 6);
/// ```
pub fn div_type(a: DecimalType, b: DecimalType) -> DecimalType {
    let integer = u32::from(a.integer_digits()) + u32::from(b.scale);
    bounded(integer, u32::from(a.scale.max(b.scale).max(LEAST_SCALE)))
}

/// The type of a remainder.
pub fn rem_type(a: DecimalType, b: DecimalType) -> DecimalType {
    let integer = a.integer_digits().min(b.integer_digits());
    bounded(u32::from(integer), u32::from(a.scale.max(b.scale)))
}

/// A number with `scale` digits behind the point in a width that holds every product and quotient.
fn wide(value: Decimal) -> (bool, U256) {
    (
        value.unscaled < 0,
        U256::from(value.unscaled.unsigned_abs()),
    )
}

fn fit_wide(negative: bool, magnitude: U256, to: DecimalType) -> Result<i128, ArithmeticError> {
    let value = signed_wide(negative, magnitude).ok_or(ArithmeticError::Overflow)?;
    fit(value, to.precision)
}

/// `value` · 10^`scale_now` brought to the scale of `to`.
fn rescaled_wide(magnitude: U256, scale_now: u8, to: u8) -> Option<U256> {
    match to.cmp(&scale_now) {
        Ordering::Equal => Some(magnitude),
        Ordering::Greater => magnitude.checked_mul(wide_power(to - scale_now)),
        Ordering::Less => Some(divide_rounded_wide(magnitude, wide_power(scale_now - to))),
    }
}

/// `a + b`, rounded to the type of the result.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] where it does not fit.
pub fn add(a: Decimal, b: Decimal, to: DecimalType) -> Result<i128, ArithmeticError> {
    let scale = a.scale.max(b.scale);
    let both = scale_up(a.unscaled, scale - a.scale)
        .zip(scale_up(b.unscaled, scale - b.scale))
        .and_then(|(a, b)| a.checked_add(b));
    let sum = match both {
        Some(sum) => sum,
        None => return add_wide(a, b, to),
    };
    let sum = match to.scale.cmp(&scale) {
        Ordering::Equal => sum,
        Ordering::Less => scale_down(sum, scale - to.scale),
        Ordering::Greater => scale_up(sum, to.scale - scale).ok_or(ArithmeticError::Overflow)?,
    };
    fit(sum, to.precision)
}

#[cold]
fn add_wide(a: Decimal, b: Decimal, to: DecimalType) -> Result<i128, ArithmeticError> {
    let scale = a.scale.max(b.scale);
    let ((a_negative, x), (b_negative, y)) = (wide(a), wide(b));
    // 38 digits and a shift of at most 38 more are less than 2^253.
    let (x, y) = (
        x * wide_power(scale - a.scale),
        y * wide_power(scale - b.scale),
    );
    let (negative, magnitude) = if a_negative == b_negative {
        (a_negative, x + y)
    } else if x >= y {
        (a_negative, x - y)
    } else {
        (b_negative, y - x)
    };
    let magnitude = rescaled_wide(magnitude, scale, to.scale).ok_or(ArithmeticError::Overflow)?;
    fit_wide(negative, magnitude, to)
}

/// `a - b`, rounded to the type of the result.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] where it does not fit.
pub fn sub(a: Decimal, b: Decimal, to: DecimalType) -> Result<i128, ArithmeticError> {
    let negated = b.unscaled.checked_neg().ok_or(ArithmeticError::Overflow)?;
    add(a, Decimal::new(negated, b.scale), to)
}

/// `a · b`, rounded to the type of the result.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] where it does not fit.
pub fn mul(a: Decimal, b: Decimal, to: DecimalType) -> Result<i128, ArithmeticError> {
    let scale = a.scale + b.scale;
    if let Some(product) = a.unscaled.checked_mul(b.unscaled)
        && to.scale <= scale
    {
        return fit(scale_down(product, scale - to.scale), to.precision);
    }
    let ((a_negative, x), (b_negative, y)) = (wide(a), wide(b));
    let magnitude = rescaled_wide(x * y, scale, to.scale).ok_or(ArithmeticError::Overflow)?;
    fit_wide(a_negative != b_negative, magnitude, to)
}

/// `a / b`, rounded half away from zero to the type of the result.
///
/// # Errors
///
/// Where `b` is zero, or the result does not fit.
///
/// ```
/// use ferrisstreams_topology::data::decimal::{Decimal, DecimalType, div, div_type};
///
/// let money = DecimalType::new(10, 2);
/// let third = div(Decimal::new(100, 2), Decimal::new(300, 2), div_type(money, money));
/// assert_eq!(third, Ok(333333));
/// ```
pub fn div(a: Decimal, b: Decimal, to: DecimalType) -> Result<i128, ArithmeticError> {
    if b.unscaled == 0 {
        return Err(ArithmeticError::DivisionByZero);
    }
    let ((a_negative, x), (b_negative, y)) = (wide(a), wide(b));
    let negative = a_negative != b_negative;
    // a / 10^s1 / (b / 10^s2) · 10^s = a · 10^(s + s2 - s1) / b
    let shift = i32::from(to.scale) + i32::from(b.scale) - i32::from(a.scale);
    let (x, y) = if shift >= 0 {
        let factor = wide_power(shift.min(76) as u8);
        (x.checked_mul(factor).ok_or(ArithmeticError::Overflow)?, y)
    } else {
        let factor = wide_power((-shift).min(76) as u8);
        (x, y.checked_mul(factor).ok_or(ArithmeticError::Overflow)?)
    };
    if let (Ok(x), Ok(y)) = (u128::try_from(x), u128::try_from(y)) {
        let magnitude = super::power::divide_rounded(x, y);
        let value = super::power::signed(negative, magnitude).ok_or(ArithmeticError::Overflow)?;
        return fit(value, to.precision);
    }
    fit_wide(negative, divide_rounded_wide(x, y), to)
}

/// The remainder of `a / b` with the sign of `a`.
///
/// # Errors
///
/// Where `b` is zero, or the result does not fit.
pub fn rem(a: Decimal, b: Decimal, to: DecimalType) -> Result<i128, ArithmeticError> {
    if b.unscaled == 0 {
        return Err(ArithmeticError::DivisionByZero);
    }
    let scale = a.scale.max(b.scale);
    let ((negative, x), (_, y)) = (wide(a), wide(b));
    let rest = (x * wide_power(scale - a.scale)) % (y * wide_power(scale - b.scale));
    let magnitude = rescaled_wide(rest, scale, to.scale).ok_or(ArithmeticError::Overflow)?;
    fit_wide(negative, magnitude, to)
}

/// `-a`.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] for the least integer of 128 bits, which no decimal is.
#[inline]
pub fn neg(a: i128) -> Result<i128, ArithmeticError> {
    a.checked_neg().ok_or(ArithmeticError::Overflow)
}

/// `a + b` of unscaled integers of one scale.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] beyond 64 bits.
#[inline]
pub fn add_i64(a: i64, b: i64) -> Result<i64, ArithmeticError> {
    a.checked_add(b).ok_or(ArithmeticError::Overflow)
}

/// `a - b` of unscaled integers of one scale.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] beyond 64 bits.
#[inline]
pub fn sub_i64(a: i64, b: i64) -> Result<i64, ArithmeticError> {
    a.checked_sub(b).ok_or(ArithmeticError::Overflow)
}

/// `a · b` of unscaled integers, whose scale is the sum of theirs.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] beyond 64 bits.
#[inline]
pub fn mul_i64(a: i64, b: i64) -> Result<i64, ArithmeticError> {
    a.checked_mul(b).ok_or(ArithmeticError::Overflow)
}

#[cfg(test)]
mod tests {
    use ethnum::I256;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_values() {
        let money = DecimalType::new(10, 2);
        let tenth = Decimal::new(10, 2);
        let sum = (0..9).try_fold(tenth.unscaled, |sum, _| {
            add(Decimal::new(sum, 2), tenth, money)
        });
        assert_eq!(sum, Ok(100));
        let quotient = div_type(money, money);
        assert_eq!(
            div(Decimal::new(-100, 2), Decimal::new(300, 2), quotient),
            Ok(-333_333)
        );
        assert_eq!(
            div(Decimal::new(200, 2), Decimal::new(300, 2), quotient),
            Ok(666_667)
        );
        assert_eq!(
            div(tenth, Decimal::new(0, 1), quotient),
            Err(ArithmeticError::DivisionByZero)
        );
        assert_eq!(
            rem(
                Decimal::new(-75, 1),
                Decimal::new(2, 0),
                DecimalType::new(5, 1)
            ),
            Ok(-15)
        );
        let wide = DecimalType::new(38, 0);
        let most = 10i128.pow(38) - 1;
        assert_eq!(
            add(Decimal::new(most, 0), Decimal::new(1, 0), wide),
            Err(ArithmeticError::Overflow)
        );
        assert_eq!(
            mul(
                Decimal::new(most, 38),
                Decimal::new(most, 38),
                DecimalType::new(38, 6)
            ),
            Ok(1_000_000)
        );
    }

    #[test]
    fn types_keep_range_before_scale() {
        assert_eq!(
            mul_type(DecimalType::new(38, 10), DecimalType::new(38, 10)),
            DecimalType::new(38, 6)
        );
        assert_eq!(
            sum_of_types(DecimalType::new(38, 2), DecimalType::new(38, 2)),
            DecimalType::new(38, 2)
        );
        assert_eq!(
            sum_of_types(DecimalType::new(10, 2), DecimalType::new(5, 3)),
            DecimalType::new(12, 3)
        );
        assert_eq!(
            mul_type(DecimalType::new(10, 2), DecimalType::new(5, 3)),
            DecimalType::new(15, 5)
        );
    }

    fn decimals() -> impl Strategy<Value = Decimal> {
        (any::<i128>(), 0u32..100, 0u8..=18)
            .prop_map(|(n, shift, scale)| Decimal::new((n >> (shift + 10)) % 10i128.pow(30), scale))
    }

    proptest! {
        #[test]
        fn sums_and_products_are_exact(a in decimals(), b in decimals()) {
            let to = DecimalType::new(38, a.scale.max(b.scale));
            let up = |value: Decimal, scale: u8| I256::from(value.unscaled) * I256::new(10).pow(u32::from(scale - value.scale));
            let sum = up(a, to.scale) + up(b, to.scale);
            let limit = I256::from(10i128.pow(38));
            let wanted = (sum.abs() < limit).then(|| sum.as_i128());
            prop_assert_eq!(add(a, b, to).ok(), wanted);
            let to = DecimalType::new(38, a.scale + b.scale);
            let product = I256::from(a.unscaled) * I256::from(b.unscaled);
            let wanted = (product.abs() < limit).then(|| product.as_i128());
            prop_assert_eq!(mul(a, b, to).ok(), wanted);
        }

        #[test]
        fn quotients_are_the_nearest(a in decimals(), b in decimals()) {
            prop_assume!(b.unscaled != 0);
            let to = DecimalType::new(38, 12);
            if let Ok(quotient) = div(a, b, to) {
                // |a · 10^12 · 10^sb - q · b · 10^sa| · 2 <= |b| · 10^sa
                let ten = |n: u8| I256::new(10).pow(u32::from(n));
                let left = I256::from(a.unscaled) * ten(12) * ten(b.scale);
                let unit = I256::from(b.unscaled) * ten(a.scale);
                let error = left - I256::from(quotient) * unit;
                prop_assert!(error.abs() * I256::new(2) <= unit.abs());
            }
        }
    }
}
