//! Times of day as text.

use super::reader::Reader;
use super::{MICROS_PER_DAY, MICROS_PER_SECOND};
use crate::data::ParseError;
use crate::data::text::write_padded;

/// Reads a time of day: `12:30`, `12:30:00`, `12:30:00.5`; digits behind the sixth are rounded.
///
/// # Errors
///
/// Where the text has another form, or the day has no such time.
pub fn parse_time(text: &[u8]) -> Result<i64, ParseError> {
    let mut reader = Reader::new(text);
    let time = read_time(&mut reader)?;
    reader.end()?;
    if time >= MICROS_PER_DAY {
        return Err(ParseError::OutOfRange);
    }
    Ok(time)
}

/// Reads a time, which may round up to the end of the day.
pub(super) fn read_time(reader: &mut Reader<'_>) -> Result<i64, ParseError> {
    let hour = i64::from(reader.number(1, 2)?);
    reader.expect(b':')?;
    let minute = i64::from(reader.number(2, 2)?);
    let (mut second, mut micros) = (0, 0);
    if reader.take(b':') {
        second = i64::from(reader.number(2, 2)?);
        if reader.take(b'.') {
            micros = reader.millionths()?;
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err(ParseError::OutOfRange);
    }
    Ok((hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND + micros)
}

/// Appends a time of day: `12:30:00`, with a fraction where there is one.
pub fn write_time(out: &mut Vec<u8>, time: i64) {
    let seconds = time.div_euclid(MICROS_PER_SECOND) as u64;
    write_padded(out, seconds / 3600, 2);
    out.push(b':');
    write_padded(out, seconds / 60 % 60, 2);
    out.push(b':');
    write_padded(out, seconds % 60, 2);
    write_fraction(out, time.rem_euclid(MICROS_PER_SECOND));
}

/// Appends millionths of a second without the zeros at their end.
pub(super) fn write_fraction(out: &mut Vec<u8>, micros: i64) {
    if micros == 0 {
        return;
    }
    out.push(b'.');
    write_padded(out, micros.unsigned_abs(), 6);
    while out.last() == Some(&b'0') {
        out.pop();
    }
}
