//! Floating-point numbers as text.

use crate::data::ParseError;

use super::integer::{write_i64, write_padded};

/// Reads a number as the nearest double: digits with an optional sign, point and exponent, or
/// `Infinity`, `inf`, `NaN` in any case.
///
/// # Errors
///
/// [`ParseError::Malformed`]; [`ParseError::OutOfRange`] where a number written in digits would
/// become infinite, or zero though it is not.
#[inline]
pub fn parse_f64(text: &[u8]) -> Result<f64, ParseError> {
    let value: f64 = number_text(text)?
        .parse()
        .map_err(|_| ParseError::Malformed)?;
    if (value.is_infinite() && has_digits(text)) || (value == 0.0 && has_nonzero_digits(text)) {
        return Err(ParseError::OutOfRange);
    }
    Ok(value)
}

/// Reads a number as the nearest float of 32 bits, in the forms of [`parse_f64`].
///
/// # Errors
///
/// As [`parse_f64`].
#[inline]
pub fn parse_f32(text: &[u8]) -> Result<f32, ParseError> {
    let value: f32 = number_text(text)?
        .parse()
        .map_err(|_| ParseError::Malformed)?;
    if (value.is_infinite() && has_digits(text)) || (value == 0.0 && has_nonzero_digits(text)) {
        return Err(ParseError::OutOfRange);
    }
    Ok(value)
}

#[inline]
fn number_text(text: &[u8]) -> Result<&str, ParseError> {
    std::str::from_utf8(text).map_err(|_| ParseError::Malformed)
}

fn has_digits(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit)
}

/// Whether the number before the exponent is not zero.
fn has_nonzero_digits(text: &[u8]) -> bool {
    text.iter()
        .take_while(|byte| !matches!(byte, b'e' | b'E'))
        .any(|byte| matches!(byte, b'1'..=b'9'))
}

/// Writes a double in PostgreSQL's form: the fewest digits that read back as the same number
/// (`0.1`, `1`, `-0`), with an exponent from 1e+15 on and below 0.0001 (`1e+15`, `1e-05`),
/// `Infinity`, `NaN`.
///
/// The digits come from Ulf Adams' Ryū, through the crate `ryu`.
///
/// ```
/// use ferrisstreams_topology::data::text::write_f64;
///
/// let mut out = Vec::new();
/// write_f64(&mut out, 1e20);
/// assert_eq!(out, b"1e+20");
/// ```
pub fn write_f64(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() {
        return write_special(out, value);
    }
    // Exact integers below the exponent form need no search for digits.
    if value.abs() < 1e15 && value.trunc() == value && value != 0.0 {
        return write_i64(out, value as i64);
    }
    write_shortest(out, ryu::Buffer::new().format_finite(value), 15);
}

/// Writes a float of 32 bits as [`write_f64`] does, with the exponent from 1e+06 on.
pub fn write_f32(out: &mut Vec<u8>, value: f32) {
    if !value.is_finite() {
        return write_special(out, f64::from(value));
    }
    write_shortest(out, ryu::Buffer::new().format_finite(value), 6);
}

fn write_special(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(if value.is_nan() {
        b"NaN"
    } else if value < 0.0 {
        b"-Infinity"
    } else {
        b"Infinity"
    });
}

/// Lays the digits that `shortest` holds (`-1.25e-7`, `100.0`) out anew: with an exponent where it
/// is below -4 or at least `exponent_from`.
fn write_shortest(out: &mut Vec<u8>, shortest: &str, exponent_from: i32) {
    let mut digits = [0u8; 24];
    let (len, exponent) = collect_digits(shortest.as_bytes(), &mut digits);
    let digits = &digits[..len];
    if shortest.starts_with('-') {
        out.push(b'-');
    }
    if exponent < -4 || exponent >= exponent_from {
        out.push(digits[0]);
        if len > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        write_padded(out, u64::from(exponent.unsigned_abs()), 2);
    } else if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + (-1 - exponent) as usize, b'0');
        out.extend_from_slice(digits);
    } else {
        let whole = exponent as usize + 1;
        if len <= whole {
            out.extend_from_slice(digits);
            out.resize(out.len() + whole - len, b'0');
        } else {
            out.extend_from_slice(&digits[..whole]);
            out.push(b'.');
            out.extend_from_slice(&digits[whole..]);
        }
    }
}

/// The significant digits of a finite number's text, and the decimal exponent of the first. Zero has
/// the digit 0.
fn collect_digits(text: &[u8], digits: &mut [u8; 24]) -> (usize, i32) {
    let (mut len, mut point, mut exponent) = (0, None, 0i32);
    // Zeros before the first significant digit, behind the point.
    let mut skipped = 0;
    let mut bytes = text.iter();
    for &byte in bytes.by_ref() {
        match byte {
            b'0' if len == 0 => skipped += i32::from(point.is_some()),
            b'0'..=b'9' => {
                digits[len] = byte;
                len += 1;
            }
            b'.' => point = Some(len),
            b'e' => break,
            _ => {}
        }
    }
    let rest = bytes.as_slice();
    let (sign, rest) = match rest {
        [b'-', rest @ ..] => (-1, rest),
        _ => (1, rest),
    };
    for &byte in rest {
        exponent = exponent * 10 + i32::from(byte - b'0');
    }
    if len == 0 {
        digits[0] = b'0';
        return (1, 0);
    }
    let before_point = point.unwrap_or(len) as i32;
    let significant = digits[..len]
        .iter()
        .rposition(|&digit| digit != b'0')
        .map_or(1, |last| last + 1);
    (significant, sign * exponent + before_point - skipped - 1)
}
