//! Integers as text.

use crate::data::digits::short_digits;
use crate::data::{DataType, ParseError};

/// Reads an integer: digits with an optional sign.
///
/// # Errors
///
/// [`ParseError::Malformed`] where anything else stands there, [`ParseError::OutOfRange`] where the
/// value needs more than 64 bits.
///
/// ```
/// use ferrisstreams_topology::data::{ParseError, text::parse_i64};
///
/// assert_eq!(parse_i64(b"-42"), Ok(-42));
/// assert_eq!(parse_i64(b"4.2"), Err(ParseError::Malformed));
/// assert_eq!(parse_i64(b"9223372036854775808"), Err(ParseError::OutOfRange));
/// ```
#[inline]
pub fn parse_i64(text: &[u8]) -> Result<i64, ParseError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if let Some(value) = short_digits(digits) {
        let value = value as i64;
        return Ok(if negative { -value } else { value });
    }
    // Eighteen digits cannot overflow.
    if digits.is_empty() || digits.len() > 18 {
        return parse_long(negative, digits);
    }
    let mut value = 0i64;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(ParseError::Malformed);
        }
        value = value * 10 + i64::from(digit);
    }
    Ok(if negative { -value } else { value })
}

#[cold]
fn parse_long(negative: bool, digits: &[u8]) -> Result<i64, ParseError> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(ParseError::Malformed);
    }
    let mut magnitude = 0u64;
    for &byte in digits {
        magnitude = magnitude
            .checked_mul(10)
            .and_then(|m| m.checked_add(u64::from(byte - b'0')))
            .ok_or(ParseError::OutOfRange)?;
    }
    let value = i128::from(magnitude);
    i64::try_from(if negative { -value } else { value }).map_err(|_| ParseError::OutOfRange)
}

/// Reads an integer of the range of `data_type`, which must be an integer type.
///
/// # Errors
///
/// As [`parse_i64`], with the range of the type.
#[inline]
pub fn parse_integer(text: &[u8], data_type: DataType) -> Result<i64, ParseError> {
    let value = parse_i64(text)?;
    if data_type.holds_integer(value) {
        Ok(value)
    } else {
        Err(ParseError::OutOfRange)
    }
}

const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut i = 0;
    while i < 100 {
        pairs[i] = [b'0' + (i / 10) as u8, b'0' + (i % 10) as u8];
        i += 1;
    }
    pairs
};

/// Writes the digits of `value` to the end of `buffer` and tells where they begin. Zero has one digit.
#[inline]
pub(in crate::data) fn digits_of(mut value: u64, buffer: &mut [u8]) -> usize {
    let mut at = buffer.len();
    while value >= 100 {
        let pair = PAIRS[(value % 100) as usize];
        value /= 100;
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&pair);
    }
    if value >= 10 {
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&PAIRS[value as usize]);
    } else {
        at -= 1;
        buffer[at] = b'0' + value as u8;
    }
    at
}

/// Writes an integer.
#[inline]
pub fn write_i64(out: &mut Vec<u8>, value: i64) {
    let mut buffer = [0; 20];
    let mut at = digits_of(value.unsigned_abs(), &mut buffer);
    if value < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    out.extend_from_slice(&buffer[at..]);
}

/// Writes an integer with zeros before it up to `width` digits, at most 20.
#[inline]
pub(in crate::data) fn write_padded(out: &mut Vec<u8>, value: u64, width: usize) {
    let mut buffer = [b'0'; 20];
    let at = digits_of(value, &mut buffer);
    out.extend_from_slice(&buffer[at.min(20 - width)..]);
}
