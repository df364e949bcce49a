//! The text of decimals.

use super::Decimal;
use crate::data::text::write_i64;

/// Appends a number with all digits of its scale: `-0.05`, `1.50`, `7`.
///
/// ```
/// use ferrisstreams_topology::data::decimal::{Decimal, write};
///
/// let mut text = Vec::new();
/// write(&mut text, Decimal::new(-5, 2));
/// assert_eq!(text, b"-0.05");
/// ```
pub fn write(out: &mut Vec<u8>, value: Decimal) {
    if value.scale == 0 {
        match i64::try_from(value.unscaled) {
            Ok(short) => write_i64(out, short),
            Err(_) => out.extend_from_slice(value.unscaled.to_string().as_bytes()),
        }
        return;
    }
    // The digits from the last to the first, at most 39 of them and a scale of at most 38.
    let mut digits = [b'0'; 48];
    let mut at = digits.len();
    let scale = usize::from(value.scale);
    let magnitude = value.unscaled.unsigned_abs();
    match u64::try_from(magnitude) {
        Ok(mut rest) => {
            while rest > 0 {
                at -= 1;
                digits[at] = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        Err(_) => {
            let mut rest = magnitude;
            while rest > 0 {
                at -= 1;
                digits[at] = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
    }
    let point = digits.len() - scale;
    if value.unscaled < 0 {
        out.push(b'-');
    }
    let first = at.min(point - 1);
    out.extend_from_slice(&digits[first..point]);
    out.push(b'.');
    out.extend_from_slice(&digits[point..]);
}
