//! Dates as text.

use super::civil::{civil, days_from_civil, days_in_month};
use super::reader::Reader;
use crate::data::ParseError;
use crate::data::text::write_padded;

/// Reads a date: `2024-01-31`.
///
/// # Errors
///
/// Where the text has another form, or the calendar has no such day.
///
/// ```
/// use ferrisstreams_topology::data::{ParseError, datetime::parse_date};
///
/// assert_eq!(parse_date(b"1970-01-02"), Ok(1));
/// assert_eq!(parse_date(b"2023-02-29"), Err(ParseError::OutOfRange));
/// ```
pub fn parse_date(text: &[u8]) -> Result<i32, ParseError> {
    let mut reader = Reader::new(text);
    let date = read_date(&mut reader)?;
    reader.end()?;
    Ok(date)
}

pub(super) fn read_date(reader: &mut Reader<'_>) -> Result<i32, ParseError> {
    let year = reader.number(4, 4)? as i32;
    reader.expect(b'-')?;
    let month = reader.number(1, 2)?;
    reader.expect(b'-')?;
    let day = reader.number(1, 2)?;
    if year < 1 || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return Err(ParseError::OutOfRange);
    }
    Ok(days_from_civil(year, month, day))
}

/// Appends a date: `2024-01-31`.
pub fn write_date(out: &mut Vec<u8>, date: i32) {
    let (year, month, day) = civil(date);
    if year < 0 {
        out.push(b'-');
    }
    write_padded(out, u64::from(year.unsigned_abs()), 4);
    out.push(b'-');
    write_padded(out, u64::from(month), 2);
    out.push(b'-');
    write_padded(out, u64::from(day), 2);
}
