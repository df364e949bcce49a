//! Timestamps as text.

use super::civil::{MAX_DATE, MIN_DATE};
use super::date::{read_date, write_date};
use super::reader::Reader;
use super::time::{read_time, write_time};
use super::{MICROS_PER_DAY, MICROS_PER_SECOND};
use crate::data::ParseError;

/// Reads a timestamp: a date, and a time of day behind a space or `T`. A zone behind it is read and
/// does not count, as in PostgreSQL.
///
/// # Errors
///
/// Where the text has another form, or there is no such time.
///
/// ```
/// use ferrisstreams_topology::data::datetime::parse_timestamp;
///
/// assert_eq!(parse_timestamp(b"1970-01-01 00:00:01.5"), Ok(1_500_000));
/// assert_eq!(parse_timestamp(b"1970-01-02"), Ok(86_400_000_000));
/// ```
pub fn parse_timestamp(text: &[u8]) -> Result<i64, ParseError> {
    Ok(read(text)?.0)
}

/// Reads an instant: a timestamp with a zone, `Z` or an offset from UTC; UTC where there is none.
///
/// # Errors
///
/// As [`parse_timestamp`].
///
/// ```
/// use ferrisstreams_topology::data::datetime::parse_timestamptz;
///
/// assert_eq!(parse_timestamptz(b"1970-01-01T01:00:00+01:00"), Ok(0));
/// ```
pub fn parse_timestamptz(text: &[u8]) -> Result<i64, ParseError> {
    let (local, offset) = read(text)?;
    in_range(local - offset)
}

/// A timestamp, and the offset of its zone in microseconds.
fn read(text: &[u8]) -> Result<(i64, i64), ParseError> {
    let mut reader = Reader::new(text);
    let date = read_date(&mut reader)?;
    let midnight = i64::from(date) * MICROS_PER_DAY;
    if reader.rest.is_empty() {
        return Ok((midnight, 0));
    }
    if !reader.take(b' ') && !reader.take(b'T') && !reader.take(b't') {
        return Err(ParseError::Malformed);
    }
    let local = in_range(midnight + read_time(&mut reader)?)?;
    let offset = read_zone(&mut reader)?;
    reader.end()?;
    Ok((local, offset))
}

fn in_range(micros: i64) -> Result<i64, ParseError> {
    let date = micros.div_euclid(MICROS_PER_DAY);
    if (i64::from(MIN_DATE)..=i64::from(MAX_DATE)).contains(&date) {
        Ok(micros)
    } else {
        Err(ParseError::OutOfRange)
    }
}

fn read_zone(reader: &mut Reader<'_>) -> Result<i64, ParseError> {
    let _ = reader.take(b' ');
    if reader.rest.is_empty() || reader.take(b'Z') || reader.take(b'z') {
        return Ok(0);
    }
    if reader.rest.eq_ignore_ascii_case(b"UTC") {
        reader.rest = &[];
        return Ok(0);
    }
    let sign = if reader.take(b'-') {
        -1
    } else {
        reader.expect(b'+')?;
        1
    };
    let hours = i64::from(reader.number(2, 2)?);
    let minutes = if reader.take(b':') || !reader.rest.is_empty() {
        i64::from(reader.number(2, 2)?)
    } else {
        0
    };
    if hours > 15 || minutes > 59 {
        return Err(ParseError::OutOfRange);
    }
    Ok(sign * (hours * 60 + minutes) * 60 * MICROS_PER_SECOND)
}

/// Appends a timestamp: `2024-01-31 12:30:00`, with a fraction where there is one.
pub fn write_timestamp(out: &mut Vec<u8>, timestamp: i64) {
    write_date(out, timestamp.div_euclid(MICROS_PER_DAY) as i32);
    out.push(b' ');
    write_time(out, timestamp.rem_euclid(MICROS_PER_DAY));
}

/// Appends an instant in UTC: `2024-01-31 12:30:00+00`.
pub fn write_timestamptz(out: &mut Vec<u8>, timestamp: i64) {
    write_timestamp(out, timestamp);
    out.extend_from_slice(b"+00");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{parse_date, parse_time, write_date, write_time};
    use super::*;

    #[test]
    fn forms_of_timestamps() {
        let noon = parse_timestamp(b"2024-02-29 12:00:00").expect("a leap day");
        for text in [
            "2024-02-29T12:00:00Z",
            "2024-02-29 12:00",
            "2024-02-29 12:00:00+00:00",
        ] {
            assert_eq!(parse_timestamptz(text.as_bytes()), Ok(noon), "{text}");
        }
        assert_eq!(parse_timestamptz(b"2024-02-29 14:30:00+0230"), Ok(noon));
        assert_eq!(parse_timestamptz(b"2024-02-29 07:00:00-05"), Ok(noon));
        for text in [
            "2024-02-30 00:00:00",
            "2024-13-01",
            "24:00:00",
            "2024-02-29 24:00:00",
        ] {
            assert!(parse_timestamp(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(parse_time(b"23:59:59.9999999"), Err(ParseError::OutOfRange));
    }

    proptest! {
        #[test]
        fn text_reads_back(date in MIN_DATE..=MAX_DATE, time in 0..MICROS_PER_DAY) {
            let mut text = Vec::new();
            write_date(&mut text, date);
            prop_assert_eq!(parse_date(&text), Ok(date));
            text.clear();
            write_time(&mut text, time);
            prop_assert_eq!(parse_time(&text), Ok(time));
            text.clear();
            let timestamp = i64::from(date) * MICROS_PER_DAY + time;
            write_timestamptz(&mut text, timestamp);
            prop_assert_eq!(parse_timestamptz(&text), Ok(timestamp));
        }
    }
}
