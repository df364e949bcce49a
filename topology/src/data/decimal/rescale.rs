//! Changing and comparing scales, and fitting into a precision.

use std::cmp::Ordering;

use crate::data::ArithmeticError;

use super::power::{POWERS, divide_rounded, power, signed};
use super::{Decimal, DecimalType};

/// True where `unscaled` has at most `precision` digits.
#[inline]
pub fn fits(unscaled: i128, precision: u8) -> bool {
    power(precision).is_none_or(|limit| unscaled.unsigned_abs() < limit)
}

/// `unscaled`, if it has at most `precision` digits.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] otherwise.
#[inline]
pub fn fit(unscaled: i128, precision: u8) -> Result<i128, ArithmeticError> {
    if fits(unscaled, precision) {
        Ok(unscaled)
    } else {
        Err(ArithmeticError::Overflow)
    }
}

/// `value` as an unscaled integer of the type `to`, rounded half away from zero where digits are lost.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] where it does not fit the precision.
///
/// ```
/// use ferrisstreams_topology::data::decimal::{Decimal, DecimalType, rescale};
///
/// assert_eq!(rescale(Decimal::new(-1005, 3), DecimalType::new(10, 2)), Ok(-101));
/// assert_eq!(rescale(Decimal::new(7, 0), DecimalType::new(3, 2)), Ok(700));
/// assert!(rescale(Decimal::new(70, 0), DecimalType::new(3, 2)).is_err());
/// ```
#[inline]
pub fn rescale(value: Decimal, to: DecimalType) -> Result<i128, ArithmeticError> {
    let scaled = match to.scale.cmp(&value.scale) {
        Ordering::Equal => value.unscaled,
        Ordering::Greater => {
            scale_up(value.unscaled, to.scale - value.scale).ok_or(ArithmeticError::Overflow)?
        }
        Ordering::Less => scale_down(value.unscaled, value.scale - to.scale),
    };
    fit(scaled, to.precision)
}

/// `unscaled` · 10^`digits`, where 128 bits hold it.
#[inline]
pub(super) fn scale_up(unscaled: i128, digits: u8) -> Option<i128> {
    match power(digits) {
        Some(factor) => unscaled.checked_mul(i128::try_from(factor).ok()?),
        None => (unscaled == 0).then_some(0),
    }
}

/// `unscaled` / 10^`digits`, rounded half away from zero.
#[inline]
pub(super) fn scale_down(unscaled: i128, digits: u8) -> i128 {
    // 128 bits hold less than 4 · 10^38, so that more digits leave nothing to round up.
    let Some(divisor) = power(digits) else {
        return 0;
    };
    let rounded = divide_rounded(unscaled.unsigned_abs(), divisor);
    // With no digit to drop, the magnitude may be that of the least integer, which negation keeps.
    let rounded = rounded as i128;
    if unscaled < 0 {
        rounded.wrapping_neg()
    } else {
        rounded
    }
}

/// Compares two numbers of any scales.
///
/// ```
/// use std::cmp::Ordering;
/// use ferrisstreams_topology::data::decimal::{Decimal, compare};
///
/// assert_eq!(compare(Decimal::new(15, 1), Decimal::new(1500, 3)), Ordering::Equal);
/// assert_eq!(compare(Decimal::new(15, 1), Decimal::new(1499, 3)), Ordering::Greater);
/// ```
#[inline]
pub fn compare(a: Decimal, b: Decimal) -> Ordering {
    if a.scale == b.scale {
        a.unscaled.cmp(&b.unscaled)
    } else if a.scale < b.scale {
        compare_scaled(a.unscaled, b.scale - a.scale, b.unscaled)
    } else {
        compare_scaled(b.unscaled, a.scale - b.scale, a.unscaled).reverse()
    }
}

/// Compares `a` · 10^`digits` with `b`.
#[inline]
fn compare_scaled(a: i128, digits: u8, b: i128) -> Ordering {
    match scale_up(a, digits) {
        Some(scaled) => scaled.cmp(&b),
        // Beyond 128 bits it is beyond every `b`, on the side of its sign.
        None => a.cmp(&0),
    }
}

/// Where a number goes that lies between two that can be represented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// To the nearer one; from the middle, away from zero.
    HalfUp,
    /// Towards zero.
    Down,
    /// To the greatest one that is not greater.
    Floor,
    /// To the smallest one that is not smaller.
    Ceiling,
}

/// `value` with its digits behind the first `digits` behind the point set to zero, as ROUND, TRUNC,
/// FLOOR and CEIL do; the scale stays. Negative `digits` count before the point.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] where the result needs more than 38 digits.
///
/// ```
/// use ferrisstreams_topology::data::decimal::{Decimal, Rounding, round_to};
///
/// let value = Decimal::new(-12345, 2);
/// assert_eq!(round_to(value, 1, Rounding::HalfUp), Ok(-12350));
/// assert_eq!(round_to(value, 0, Rounding::Floor), Ok(-12400));
/// assert_eq!(round_to(value, -1, Rounding::Down), Ok(-12000));
/// ```
pub fn round_to(value: Decimal, digits: i32, rounding: Rounding) -> Result<i128, ArithmeticError> {
    let drop = i64::from(value.scale) - i64::from(digits);
    if drop <= 0 {
        return Ok(value.unscaled);
    }
    let negative = value.unscaled < 0;
    let up = |rest: bool, half: bool| match rounding {
        Rounding::HalfUp => half,
        Rounding::Down => false,
        Rounding::Floor => negative && rest,
        Rounding::Ceiling => !negative && rest,
    };
    let magnitude = value.unscaled.unsigned_abs();
    let Some(&unit) = usize::try_from(drop).ok().and_then(|d| POWERS.get(d)) else {
        // The unit is greater than twice any number of 38 digits: it is zero or does not fit.
        return if up(magnitude != 0, false) {
            Err(ArithmeticError::Overflow)
        } else {
            Ok(0)
        };
    };
    let rest = magnitude % unit;
    let mut rounded = magnitude - rest;
    if up(rest != 0, rest >= unit - rest) {
        rounded = rounded.checked_add(unit).ok_or(ArithmeticError::Overflow)?;
    }
    let rounded = signed(negative, rounded).ok_or(ArithmeticError::Overflow)?;
    fit(rounded, 38)
}
