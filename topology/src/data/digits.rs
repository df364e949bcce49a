//! Up to eight characters of a number, read as one word.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;
const ZEROS: u64 = ONES * b'0' as u64;

/// The characters as a word, the last one highest; below the first one there are zeros, as characters.
/// None where there are no characters, or more than eight.
#[inline]
fn word(text: &[u8]) -> Option<u64> {
    let len = text.len();
    let fill = |len: usize| ZEROS.checked_shr(8 * len as u32).unwrap_or(0);
    // What is read twice is the same both times.
    match len {
        4..=8 => {
            let (head, tail) = (text.first_chunk::<4>()?, text.last_chunk::<4>()?);
            let head = u64::from(u32::from_le_bytes(*head)) << (8 * (8 - len));
            let tail = u64::from(u32::from_le_bytes(*tail)) << 32;
            Some(head | tail | fill(len))
        }
        1..=3 => {
            let byte = |at: usize| u64::from(text[at]) << (8 * (8 - len + at));
            Some(byte(0) | byte(len / 2) | byte(len - 1) | fill(len))
        }
        _ => None,
    }
}

/// The number that eight digits are; none where one of them is no digit.
#[inline]
fn value(word: u64) -> Option<u64> {
    let digits = word ^ ZEROS;
    let beyond = ((digits & !HIGHS) + ONES * (0x80 - 10)) | digits;
    if beyond & HIGHS != 0 {
        return None;
    }
    // Neighbours are put together: digits to pairs, pairs to fours, fours to all.
    let pairs = digits.wrapping_mul(10 * 0x100 + 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100 * 0x1_0000 + 1) >> 16 & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000 * 0x1_0000_0000 + 1) >> 32)
}

/// The number that one to eight digits are. None for more of them, and where there is anything else.
#[inline]
pub(super) fn short_digits(text: &[u8]) -> Option<u64> {
    value(word(text)?)
}

/// The same of eight characters at most of which one may be a point, and how many digits stand behind it.
#[inline]
pub(super) fn short_digits_with_point(text: &[u8]) -> Option<(u64, usize)> {
    let word = word(text)?;
    let points = word ^ (ONES * u64::from(b'.'));
    // The lowest bit that is set is that of the first point.
    let points = points.wrapping_sub(ONES) & !points & HIGHS;
    if points == 0 {
        return Some((value(word)?, 0));
    }
    if text.len() == 1 {
        return None;
    }
    let at = points.trailing_zeros() & !7;
    // The digits before the point take its place.
    let behind = word & (u64::MAX << at << 8);
    let before = (word & !(u64::MAX << at)) << 8 | u64::from(b'0');
    Some((value(behind | before)?, 7 - (at / 8) as usize))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_what_the_standard_library_says(text in "[0-9]{0,9}|[0-9./:\u{0}é-]{0,9}") {
            let digits = !text.is_empty() && text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_digit());
            let expected = digits.then(|| text.parse::<u64>().expect("eight digits"));
            prop_assert_eq!(short_digits(text.as_bytes()), expected);
        }

        #[test]
        fn a_point_is_left_out(text in "[0-9]{0,8}[.]?[0-9]{0,4}|[0-9./-]{0,9}") {
            let (before, behind) = text.split_once('.').unwrap_or((&text, ""));
            let all = format!("{before}{behind}");
            let digits = !all.is_empty() && text.len() <= 8 && all.bytes().all(|byte| byte.is_ascii_digit());
            let expected = digits.then(|| (all.parse::<u64>().expect("eight digits"), behind.len()));
            prop_assert_eq!(short_digits_with_point(text.as_bytes()), expected);
        }
    }
}
