//! Intervals: their text, and arithmetic with timestamps.

use super::civil::{civil, days_from_civil, days_in_month};
use super::reader::Reader;
use super::time::write_fraction;
use super::{MICROS_PER_DAY, MICROS_PER_SECOND};
use crate::data::text::{write_i64, write_padded};
use crate::data::{ArithmeticError, Interval, ParseError};

/// Reads an interval: amounts with units and a time of day, in any number (`1 day 02:03:04`,
/// `3 months`, `-5 minutes`, `1.5 hours`, `1 year 2 mons ago`).
///
/// # Errors
///
/// Where the text has another form, or the interval does not fit.
///
/// ```
/// use ferrisstreams_topology::data::{Interval, datetime::parse_interval};
///
/// let day = Interval { days: 1, micros: 7_384_000_000, ..Interval::default() };
/// assert_eq!(parse_interval(b"1 day 02:03:04"), Ok(day));
/// ```
pub fn parse_interval(text: &[u8]) -> Result<Interval, ParseError> {
    let text = std::str::from_utf8(text).map_err(|_| ParseError::Malformed)?;
    let mut total = Total::default();
    let mut words = text.split_ascii_whitespace().peekable();
    if words.peek().is_none() {
        return Err(ParseError::Malformed);
    }
    let mut ago = false;
    while let Some(word) = words.next() {
        if ago {
            return Err(ParseError::Malformed);
        }
        if word.eq_ignore_ascii_case("ago") {
            ago = true;
            continue;
        }
        if word.contains(':') {
            total.micros += clock(word)?;
            continue;
        }
        let split = word
            .find(|c: char| c.is_ascii_alphabetic())
            .unwrap_or(word.len());
        let (amount, unit) = word.split_at(split);
        let unit = if unit.is_empty() {
            words.next().unwrap_or("seconds")
        } else {
            unit
        };
        let amount: f64 = amount.parse().map_err(|_| ParseError::Malformed)?;
        total.add(amount, unit)?;
    }
    if ago {
        total = Total {
            months: -total.months,
            days: -total.days,
            micros: -total.micros,
        };
    }
    total.interval()
}

#[derive(Default)]
struct Total {
    months: f64,
    days: f64,
    micros: i64,
}

impl Total {
    fn add(&mut self, amount: f64, unit: &str) -> Result<(), ParseError> {
        let unit = unit.to_ascii_lowercase();
        let singular = unit
            .strip_suffix('s')
            .filter(|unit| !unit.is_empty())
            .unwrap_or(&unit);
        let (months, days, micros) = match singular {
            "year" | "yr" | "y" => (12.0, 0.0, 0.0),
            "month" | "mon" => (1.0, 0.0, 0.0),
            "week" | "w" => (0.0, 7.0, 0.0),
            "day" | "d" => (0.0, 1.0, 0.0),
            "hour" | "hr" | "h" => (0.0, 0.0, 3.6e9),
            "minute" | "min" | "m" => (0.0, 0.0, 6e7),
            "second" | "sec" => (0.0, 0.0, 1e6),
            "millisecond" | "msec" | "ms" => (0.0, 0.0, 1e3),
            "microsecond" | "usec" | "us" => (0.0, 0.0, 1.0),
            _ if unit == "s" => (0.0, 0.0, 1e6),
            _ if unit == "ms" => (0.0, 0.0, 1e3),
            _ if unit == "us" => (0.0, 0.0, 1.0),
            _ => return Err(ParseError::Malformed),
        };
        // A part of a month is days of 30, a part of a day hours of 24, as in PostgreSQL.
        let (whole_months, part) = parts(amount * months);
        let (whole_days, rest) = parts(part * 30.0 + amount * days);
        self.months += whole_months;
        self.days += whole_days;
        let micros = (rest * MICROS_PER_DAY as f64 + amount * micros).round();
        if micros.abs() > i64::MAX as f64 / 4.0 {
            return Err(ParseError::OutOfRange);
        }
        self.micros = self
            .micros
            .checked_add(micros as i64)
            .ok_or(ParseError::OutOfRange)?;
        Ok(())
    }

    fn interval(self) -> Result<Interval, ParseError> {
        let fits = |value: f64| value.abs() <= f64::from(i32::MAX);
        if !fits(self.months) || !fits(self.days) {
            return Err(ParseError::OutOfRange);
        }
        Ok(Interval {
            months: self.months as i32,
            days: self.days as i32,
            micros: self.micros,
        })
    }
}

/// The whole part and the rest, which is zero where it is but noise.
fn parts(value: f64) -> (f64, f64) {
    let rest = value - value.trunc();
    if rest.abs() < 1e-9 {
        (value.trunc(), 0.0)
    } else {
        (value.trunc(), rest)
    }
}

/// `[-]hours:minutes[:seconds[.fraction]]`, the hours being any number.
fn clock(word: &str) -> Result<i64, ParseError> {
    let mut reader = Reader::new(word.as_bytes());
    let sign = if reader.take(b'-') { -1 } else { 1 };
    let _ = reader.take(b'+');
    let hours = i64::from(reader.number(1, 9)?);
    reader.expect(b':')?;
    let minutes = i64::from(reader.number(2, 2)?);
    let (mut seconds, mut micros) = (0, 0);
    if reader.take(b':') {
        seconds = i64::from(reader.number(2, 2)?);
        if reader.take(b'.') {
            micros = reader.millionths()?;
        }
    }
    reader.end()?;
    if minutes > 59 || seconds > 59 {
        return Err(ParseError::OutOfRange);
    }
    Ok(sign * ((hours * 3600 + minutes * 60 + seconds) * MICROS_PER_SECOND + micros))
}

/// Appends an interval as PostgreSQL shows it: `1 year 2 mons 3 days 04:05:06`.
pub fn write_interval(out: &mut Vec<u8>, interval: Interval) {
    let start = out.len();
    let mut unit = |amount: i32, name: &str| {
        if amount == 0 {
            return;
        }
        if out.len() > start {
            out.push(b' ');
        }
        write_i64(out, i64::from(amount));
        out.push(b' ');
        out.extend_from_slice(name.as_bytes());
        if amount != 1 {
            out.push(b's');
        }
    };
    unit(interval.months / 12, "year");
    unit(interval.months % 12, "mon");
    unit(interval.days, "day");
    if interval.micros == 0 && out.len() > start {
        return;
    }
    if out.len() > start {
        out.push(b' ');
    }
    if interval.micros < 0 {
        out.push(b'-');
    }
    let micros = interval.micros.unsigned_abs();
    let seconds = micros / MICROS_PER_SECOND as u64;
    write_padded(out, seconds / 3600, 2);
    out.push(b':');
    write_padded(out, seconds / 60 % 60, 2);
    out.push(b':');
    write_padded(out, seconds % 60, 2);
    write_fraction(out, (micros % MICROS_PER_SECOND as u64) as i64);
}

/// A date some months later; a day that the month does not have is its last one.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] beyond the years 1 to 9999.
pub fn add_months(date: i32, months: i32) -> Result<i32, ArithmeticError> {
    let (year, month, day) = civil(date);
    let total = i64::from(year) * 12 + i64::from(month) - 1 + i64::from(months);
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) as u32 + 1);
    if !(1..=9999).contains(&year) {
        return Err(ArithmeticError::Overflow);
    }
    let year = year as i32;
    Ok(days_from_civil(
        year,
        month,
        day.min(days_in_month(year, month)),
    ))
}

/// A timestamp moved by an interval: by its months, then its days, then its time.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] beyond the years 1 to 9999.
///
/// ```
/// use ferrisstreams_topology::data::{Interval, datetime::{add_interval, parse_timestamp}};
///
/// let january = parse_timestamp(b"2024-01-31 10:00:00").unwrap();
/// let month = Interval { months: 1, ..Interval::default() };
/// assert_eq!(add_interval(january, month), Ok(parse_timestamp(b"2024-02-29 10:00:00").unwrap()));
/// ```
pub fn add_interval(timestamp: i64, interval: Interval) -> Result<i64, ArithmeticError> {
    let date = i32::try_from(timestamp.div_euclid(MICROS_PER_DAY));
    let date = add_months(
        date.map_err(|_| ArithmeticError::Overflow)?,
        interval.months,
    )?;
    let days = i64::from(date) + i64::from(interval.days);
    let time = timestamp.rem_euclid(MICROS_PER_DAY);
    let moved = days
        .checked_mul(MICROS_PER_DAY)
        .and_then(|micros| micros.checked_add(time))
        .and_then(|micros| micros.checked_add(interval.micros))
        .ok_or(ArithmeticError::Overflow)?;
    let date = moved.div_euclid(MICROS_PER_DAY);
    if (i64::from(super::MIN_DATE)..=i64::from(super::MAX_DATE)).contains(&date) {
        Ok(moved)
    } else {
        Err(ArithmeticError::Overflow)
    }
}

/// The time from `b` to `a`, in days and microseconds.
pub fn interval_between(a: i64, b: i64) -> Interval {
    let micros = a - b;
    Interval {
        months: 0,
        days: (micros / MICROS_PER_DAY) as i32,
        micros: micros % MICROS_PER_DAY,
    }
}

/// `-interval`.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] where a part is the least of its type.
pub fn negate(interval: Interval) -> Result<Interval, ArithmeticError> {
    let parts = interval
        .months
        .checked_neg()
        .zip(interval.days.checked_neg())
        .zip(interval.micros.checked_neg());
    let ((months, days), micros) = parts.ok_or(ArithmeticError::Overflow)?;
    Ok(Interval {
        months,
        days,
        micros,
    })
}

/// `a + b`, part by part.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] where a part does not fit.
pub fn sum(a: Interval, b: Interval) -> Result<Interval, ArithmeticError> {
    let parts = a
        .months
        .checked_add(b.months)
        .zip(a.days.checked_add(b.days))
        .zip(a.micros.checked_add(b.micros));
    let ((months, days), micros) = parts.ok_or(ArithmeticError::Overflow)?;
    Ok(Interval {
        months,
        days,
        micros,
    })
}

/// `interval · factor`; a part of a month goes to days, of a day to microseconds.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] where a part does not fit, or the factor is no finite number.
pub fn multiply(interval: Interval, factor: f64) -> Result<Interval, ArithmeticError> {
    let (months, part) = parts(f64::from(interval.months) * factor);
    let (days, rest) = parts(part * 30.0 + f64::from(interval.days) * factor);
    let micros = (rest * MICROS_PER_DAY as f64 + interval.micros as f64 * factor).round();
    let fits = |value: f64, most: f64| value.is_finite() && value.abs() <= most;
    let most = f64::from(i32::MAX);
    if !fits(months, most) || !fits(days, most) || !fits(micros, i64::MAX as f64 / 2.0) {
        return Err(ArithmeticError::Overflow);
    }
    Ok(Interval {
        months: months as i32,
        days: days as i32,
        micros: micros as i64,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        let interval = parse_interval(text.as_bytes()).expect("an interval");
        let mut out = Vec::new();
        write_interval(&mut out, interval);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn forms_of_intervals() {
        let cases = [
            ("1 day", "1 day"),
            ("2 days 03:04:05.5", "2 days 03:04:05.5"),
            ("1.5 hours", "01:30:00"),
            ("14 months", "1 year 2 mons"),
            ("-5 minutes", "-00:05:00"),
            ("1 week ago", "-7 days"),
            ("10", "00:00:10"),
            ("0 seconds", "00:00:00"),
        ];
        for (text, wanted) in cases {
            assert_eq!(shown(text), wanted, "{text}");
        }
        for text in ["", "day", "1 fortnight", "1 day ago ago", "1:2"] {
            assert!(parse_interval(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn months_end_at_their_last_day() {
        let day = |y, m, d| days_from_civil(y, m, d);
        assert_eq!(add_months(day(2023, 1, 31), 1), Ok(day(2023, 2, 28)));
        assert_eq!(add_months(day(2024, 3, 31), -1), Ok(day(2024, 2, 29)));
        assert_eq!(
            add_months(day(9999, 12, 1), 1),
            Err(ArithmeticError::Overflow)
        );
    }

    proptest! {
        #[test]
        fn text_reads_back(months in -9999..9999i32, days in -9999..9999i32, micros in -10i64.pow(15)..10i64.pow(15)) {
            let interval = Interval { months, days, micros };
            let mut out = Vec::new();
            write_interval(&mut out, interval);
            prop_assert_eq!(parse_interval(&out), Ok(interval));
        }
    }
}
