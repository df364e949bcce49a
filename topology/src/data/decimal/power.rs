//! Powers of ten, and division that rounds.

use ethnum::U256;

/// 10^0 to 10^38, all that 128 bits hold.
pub(super) const POWERS: [u128; 39] = {
    let mut powers = [1u128; 39];
    let mut i = 1;
    while i < 39 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// 10^0 to 10^19, all that 64 bits hold.
pub(super) const SHORT_POWERS: [u64; 20] = {
    let mut powers = [1u64; 20];
    let mut i = 1;
    while i < 20 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// 10^`exponent` where 128 bits hold it.
#[inline]
pub(super) fn power(exponent: u8) -> Option<u128> {
    POWERS.get(usize::from(exponent)).copied()
}

/// 10^`exponent`, which must be at most 76.
pub(super) fn wide_power(exponent: u8) -> U256 {
    debug_assert!(exponent <= 76);
    match power(exponent) {
        Some(small) => U256::from(small),
        None => U256::from(POWERS[38]) * U256::from(POWERS[usize::from(exponent - 38)]),
    }
}

/// The number of decimal digits of `value`; none for zero.
pub(super) fn digit_count(value: u128) -> u8 {
    POWERS.partition_point(|&power| power <= value) as u8
}

/// `value` / `divisor`, rounded half up.
#[inline]
pub(super) fn divide_rounded(value: u128, divisor: u128) -> u128 {
    // Division of 128 bits is a call; of 64 bits, an instruction.
    if let (Ok(short), Ok(divisor)) = (u64::try_from(value), u64::try_from(divisor)) {
        let (quotient, rest) = (short / divisor, short % divisor);
        return u128::from(quotient) + u128::from(rest >= divisor - rest);
    }
    let (quotient, rest) = (value / divisor, value % divisor);
    quotient + u128::from(rest >= divisor - rest)
}

/// `value` / `divisor` of 256 bits, rounded half up.
pub(super) fn divide_rounded_wide(value: U256, divisor: U256) -> U256 {
    let (quotient, rest) = (value / divisor, value % divisor);
    if rest >= divisor - rest {
        quotient + U256::ONE
    } else {
        quotient
    }
}

/// `magnitude` with a sign, where 128 bits hold it.
#[inline]
pub(super) fn signed(negative: bool, magnitude: u128) -> Option<i128> {
    let value = i128::try_from(magnitude).ok()?;
    Some(if negative { -value } else { value })
}

/// `magnitude` with a sign, where 128 bits hold it.
pub(super) fn signed_wide(negative: bool, magnitude: U256) -> Option<i128> {
    signed(negative, u128::try_from(magnitude).ok()?)
}
