//! What stands in the text of times besides numbers: names, and offsets from UTC.

use super::MICROS_PER_SECOND;

/// The names of the months.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The names of the days of the week, from Sunday on.
pub const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// An offset from UTC at the start of a text (`+02`, `+0230`, `-02:30`), in microseconds, and its
/// length; none where there is no such offset, which has at most 18 hours.
///
/// ```
/// use ferrisstreams_topology::data::datetime::read_offset;
///
/// assert_eq!(read_offset(b"-01:30 later"), Some((-5_400_000_000, 6)));
/// assert_eq!(read_offset(b"+1"), None);
/// ```
pub fn read_offset(text: &[u8]) -> Option<(i64, usize)> {
    let sign = match text.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let two = |at: usize| -> Option<i64> {
        let digits = text.get(at..at + 2)?;
        let is_number = digits.iter().all(u8::is_ascii_digit);
        is_number.then(|| i64::from(digits[0] - b'0') * 10 + i64::from(digits[1] - b'0'))
    };
    let hours = two(1)?;
    let (minutes, length) = match text.get(3) {
        Some(b':') => (two(4)?, 6),
        Some(byte) if byte.is_ascii_digit() => (two(3)?, 5),
        _ => (0, 3),
    };
    let fits = hours <= 18 && minutes < 60;
    fits.then_some((
        sign * (hours * 60 + minutes) * 60 * MICROS_PER_SECOND,
        length,
    ))
}
