//! Floating-point numbers that are equal.

/// The number that stands for all that are equal to `value`: 0 for -0, and one NaN for all of them.
#[inline]
pub fn one_of_equals(value: f64) -> f64 {
    if value.is_nan() {
        f64::from_bits(0x7ff8 << 48)
    } else {
        // The sum of both zeros is the positive one.
        value + 0.0
    }
}
