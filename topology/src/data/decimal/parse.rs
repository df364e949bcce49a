//! Reading decimals.

use super::power::{SHORT_POWERS, power};
use super::{Decimal, DecimalType, fits};
use crate::data::ParseError;
use crate::data::digits::short_digits_with_point;

/// The parts of a number as written.
struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i32,
}

fn split(text: &[u8]) -> Result<Parts<'_>, ParseError> {
    let (negative, rest) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = rest.split_at(digits(rest));
    let (fraction, rest) = match rest.split_first() {
        Some((b'.', rest)) => rest.split_at(digits(rest)),
        _ => (&rest[..0], rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(ParseError::Malformed);
    }
    let exponent = match rest.split_first() {
        None => 0,
        Some((b'e' | b'E', rest)) => std::str::from_utf8(rest)
            .ok()
            .and_then(|text| text.parse::<i32>().ok())
            .filter(|exponent| exponent.abs() <= 100)
            .ok_or(ParseError::Malformed)?,
        Some(_) => return Err(ParseError::Malformed),
    };
    Ok(Parts {
        negative,
        whole,
        fraction,
        exponent,
    })
}

impl Parts<'_> {
    /// The number with `scale` digits behind the point; true where digits other than zero were lost.
    fn at_scale(&self, scale: u8) -> Result<(i128, bool), ParseError> {
        // Digits up to this many behind the first digit's place are kept.
        let keep = self.whole.len() as i32 + self.exponent + i32::from(scale);
        let mut magnitude: u128 = 0;
        let (mut lost, mut round_up) = (false, false);
        let digits = self.whole.iter().chain(self.fraction);
        let mut read = 0;
        for (at, byte) in digits.enumerate() {
            let digit = u128::from(byte - b'0');
            let at = at as i32;
            if at < keep {
                magnitude = magnitude
                    .checked_mul(10)
                    .and_then(|m| m.checked_add(digit))
                    .ok_or(ParseError::OutOfRange)?;
                read += 1;
            } else {
                lost |= digit != 0;
                round_up |= at == keep && digit >= 5;
            }
        }
        let missing = keep - read;
        if missing > 0 && magnitude != 0 {
            let factor = u8::try_from(missing).ok().and_then(power);
            let factor = factor.ok_or(ParseError::OutOfRange)?;
            magnitude = magnitude
                .checked_mul(factor)
                .ok_or(ParseError::OutOfRange)?;
        }
        magnitude += u128::from(round_up);
        let value = i128::try_from(magnitude).map_err(|_| ParseError::OutOfRange)?;
        Ok((if self.negative { -value } else { value }, lost))
    }
}

/// Reads a number with as many digits behind the point as it is written with.
///
/// # Errors
///
/// Where the text is no number, or has more than 38 digits.
///
/// ```
/// use ferrisstreams_topology::data::decimal::{Decimal, parse};
///
/// assert_eq!(parse(b"1.50"), Ok(Decimal::new(150, 2)));
/// assert_eq!(parse(b"-2e-3"), Ok(Decimal::new(-2, 3)));
/// assert!(parse(b"1,5").is_err());
/// ```
pub fn parse(text: &[u8]) -> Result<Decimal, ParseError> {
    let parts = split(text)?;
    let scale = (parts.fraction.len() as i32 - parts.exponent).max(0);
    let scale = u8::try_from(scale).ok().filter(|scale| *scale <= 38);
    let scale = scale.ok_or(ParseError::OutOfRange)?;
    let (unscaled, _) = parts.at_scale(scale)?;
    if !fits(unscaled, 38) {
        return Err(ParseError::OutOfRange);
    }
    Ok(Decimal::new(unscaled, scale))
}

/// Reads a number as an unscaled integer of a type, rounded half away from zero.
///
/// # Errors
///
/// Where the text is no number, or the number has too many digits before the point.
pub fn parse_rounded(text: &[u8], to: DecimalType) -> Result<i128, ParseError> {
    let unscaled = match Short::read(text).and_then(|short| short.exact(to.scale)) {
        Some(unscaled) => unscaled,
        None => split(text)?.at_scale(to.scale)?.0,
    };
    if fits(unscaled, to.precision) {
        Ok(unscaled)
    } else {
        Err(ParseError::OutOfRange)
    }
}

/// Reads a number as an unscaled integer of a type that keeps all its digits.
///
/// # Errors
///
/// As [`parse_rounded`], and where digits behind the point would be lost.
#[inline]
pub fn parse_exact(text: &[u8], to: DecimalType) -> Result<i128, ParseError> {
    let (unscaled, lost) = match Short::read(text).and_then(|short| short.exact(to.scale)) {
        Some(unscaled) => (unscaled, false),
        None => split(text)?.at_scale(to.scale)?,
    };
    if lost {
        return Err(ParseError::Inexact);
    }
    if fits(unscaled, to.precision) {
        Ok(unscaled)
    } else {
        Err(ParseError::OutOfRange)
    }
}

/// A number that is written with at most 18 characters behind its sign, digits and a point.
struct Short {
    negative: bool,
    magnitude: u64,
    /// How many digits stand behind the point.
    fraction: usize,
}

impl Short {
    /// None for a number that is written in any other way, and for what is no number.
    #[inline]
    fn read(text: &[u8]) -> Option<Short> {
        let (negative, digits) = match text.split_first() {
            Some((b'-', rest)) => (true, rest),
            Some((b'+', rest)) => (false, rest),
            _ => (false, text),
        };
        if let Some((magnitude, fraction)) = short_digits_with_point(digits) {
            return Some(Short {
                negative,
                magnitude,
                fraction,
            });
        }
        // Up to 18 characters cannot overflow, whatever they are.
        if digits.len() > 18 {
            return None;
        }
        let mut magnitude: u64 = 0;
        let mut point = None;
        for (at, byte) in digits.iter().enumerate() {
            let digit = byte.wrapping_sub(b'0');
            if digit <= 9 {
                magnitude = magnitude * 10 + u64::from(digit);
            } else if *byte == b'.' && point.is_none() {
                point = Some(at);
            } else {
                return None;
            }
        }
        if digits.len() == usize::from(point.is_some()) {
            return None;
        }
        Some(Short {
            negative,
            magnitude,
            fraction: point.map_or(0, |at| digits.len() - at - 1),
        })
    }

    #[inline]
    fn signed<N: std::ops::Neg<Output = N>>(&self, value: N) -> N {
        if self.negative { -value } else { value }
    }

    /// The number with `scale` digits behind the point, where none is lost and few are added.
    #[inline]
    fn exact(&self, scale: u8) -> Option<i128> {
        let missing = usize::from(scale).checked_sub(self.fraction)?;
        let factor = SHORT_POWERS.get(missing)?;
        let value = i128::from(self.magnitude) * i128::from(*factor);
        Some(self.signed(value))
    }
}

/// Reads a number as an unscaled integer of a type of at most 18 digits, rounded half away from zero.
///
/// # Errors
///
/// As [`parse_rounded`].
#[inline]
pub fn parse_compact(text: &[u8], to: DecimalType) -> Result<i64, ParseError> {
    let Some(short) = Short::read(text) else {
        return parse_long(text, to);
    };
    let scale = usize::from(to.scale);
    let mut value = short.magnitude;
    if short.fraction > scale {
        let unit = SHORT_POWERS[short.fraction - scale];
        let rest = value % unit;
        value = value / unit + u64::from(rest >= unit - rest);
    } else {
        let factor = SHORT_POWERS[scale - short.fraction];
        value = value.checked_mul(factor).ok_or(ParseError::OutOfRange)?;
    }
    if value >= SHORT_POWERS[usize::from(to.precision)] {
        return Err(ParseError::OutOfRange);
    }
    Ok(short.signed(value as i64))
}

/// Reads a number as an unscaled integer of a type of at most 18 digits, where it is written as most
/// are: with at most 18 characters behind its sign, digits and a point, and no more digits behind the
/// point than the type keeps. None for all else, of which [`parse_exact`] tells what it is.
#[inline]
pub fn parse_plain(text: &[u8], to: DecimalType) -> Option<i64> {
    let short = Short::read(text)?;
    let missing = usize::from(to.scale).checked_sub(short.fraction)?;
    let value = short.magnitude.checked_mul(*SHORT_POWERS.get(missing)?)?;
    (value < SHORT_POWERS[usize::from(to.precision)]).then(|| short.signed(value as i64))
}

/// The digits that a type must have to hold every integer of 64 bits.
pub const WIDE: u8 = 20;

/// The same for a type of more digits than any such number has, even with the zeros that are missing.
#[inline]
pub fn parse_plain_wide(text: &[u8], to: DecimalType) -> Option<i128> {
    debug_assert!(to.precision >= WIDE);
    let short = Short::read(text)?;
    let missing = usize::from(to.scale).checked_sub(short.fraction)?;
    let value = short.magnitude.checked_mul(*SHORT_POWERS.get(missing)?)?;
    Some(short.signed(i128::from(value)))
}

#[cold]
fn parse_long(text: &[u8], to: DecimalType) -> Result<i64, ParseError> {
    let unscaled = parse_rounded(text, to)?;
    i64::try_from(unscaled).map_err(|_| ParseError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{rescale, write};
    use super::*;

    #[test]
    fn what_is_no_number_is_malformed() {
        for text in [
            "", "-", ".", "1.2.3", "1e", "0x1", " 1", "1 ", "--1", "1_0", "e5",
        ] {
            assert_eq!(parse(text.as_bytes()), Err(ParseError::Malformed), "{text}");
            let compact = parse_compact(text.as_bytes(), DecimalType::new(10, 2));
            assert_eq!(compact, Err(ParseError::Malformed), "{text}");
        }
    }

    #[test]
    fn numbers_are_rounded_away_from_zero() {
        let money = DecimalType::new(10, 2);
        for (text, unscaled) in [
            ("1.005", 101),
            ("-1.005", -101),
            (".5", 50),
            ("5.", 500),
            ("1e1", 1000),
            ("0.004", 0),
        ] {
            assert_eq!(
                parse_rounded(text.as_bytes(), money),
                Ok(unscaled),
                "{text}"
            );
            assert_eq!(
                parse_compact(text.as_bytes(), money),
                Ok(unscaled as i64),
                "{text}"
            );
        }
        assert_eq!(parse_exact(b"1.005", money), Err(ParseError::Inexact));
        assert_eq!(parse_exact(b"1.500", money), Ok(150));
        assert_eq!(
            parse_compact(b"99999999.995", money),
            Err(ParseError::OutOfRange)
        );
        assert_eq!(
            parse_compact(b"100000000", money),
            Err(ParseError::OutOfRange)
        );
    }

    proptest! {
        #[test]
        fn text_reads_back(unscaled in any::<i128>(), scale in 0u8..=38) {
            let unscaled = unscaled % 10i128.pow(38);
            let mut text = Vec::new();
            write(&mut text, Decimal::new(unscaled, scale));
            prop_assert_eq!(parse(&text), Ok(Decimal::new(unscaled, scale)));
        }

        #[test]
        fn short_numbers_are_read_as_long_ones_are(text in "[-+]?[0-9]{0,9}[.]?[0-9]{0,9}", scale in 0u8..=38) {
            let to = DecimalType::new(38, scale);
            let long = split(text.as_bytes()).and_then(|parts| parts.at_scale(scale));
            let fitting = |unscaled| if fits(unscaled, 38) { Ok(unscaled) } else { Err(ParseError::OutOfRange) };
            let rounded = long.and_then(|(unscaled, _)| fitting(unscaled));
            prop_assert_eq!(parse_rounded(text.as_bytes(), to), rounded);
            let exact = long.and_then(|(unscaled, lost)| if lost { Err(ParseError::Inexact) } else { fitting(unscaled) });
            prop_assert_eq!(parse_exact(text.as_bytes(), to), exact);
            let compact = DecimalType::new(18, scale.min(18));
            if let Some(plain) = parse_plain_wide(text.as_bytes(), to) {
                prop_assert_eq!(parse_exact(text.as_bytes(), to), Ok(plain));
            }
            if let Some(plain) = parse_plain(text.as_bytes(), compact) {
                prop_assert_eq!(parse_exact(text.as_bytes(), compact), Ok(i128::from(plain)));
            }
        }

        #[test]
        fn the_short_reader_agrees(unscaled in -10i64.pow(17)..10i64.pow(17), scale in 0u8..=18, to in 0u8..=18) {
            let mut text = Vec::new();
            write(&mut text, Decimal::new(i128::from(unscaled), scale));
            let to = DecimalType::new(18, to);
            let wanted = rescale(Decimal::new(i128::from(unscaled), scale), to).ok();
            prop_assert_eq!(parse_compact(&text, to).ok().map(i128::from), wanted);
        }
    }
}
