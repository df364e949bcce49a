//! Zones: UTC, and offsets from it.

use ferrisstreams_topology::data::datetime::MICROS_PER_SECOND;

use crate::functions::argument::Failure;

/// How many microseconds a zone is ahead of UTC.
///
/// # Errors
///
/// For the name of any zone but UTC: their rules are not known here.
pub(in crate::functions) fn offset_of(zone: &str) -> Result<i64, Failure> {
    let zone = zone.trim();
    let is_utc = ["UTC", "GMT", "Z", "Etc/UTC"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(zone));
    if is_utc {
        return Ok(0);
    }
    let bare = ["UTC", "GMT"]
        .iter()
        .find_map(|name| zone.strip_prefix(name))
        .unwrap_or(zone);
    match read_offset(bare.as_bytes()) {
        Some((offset, length)) if length == bare.len() => Ok(offset),
        _ => Err(format!(
            "the zone '{zone}' is not known; there are UTC and offsets such as +02:00"
        )
        .into()),
    }
}

/// An offset at the start of a text (`+02`, `+0230`, `+02:30`), and its length.
pub(super) fn read_offset(text: &[u8]) -> Option<(i64, usize)> {
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
