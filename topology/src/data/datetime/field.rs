//! The fields of timestamps: EXTRACT and DATE_TRUNC.

use super::civil::{civil, days_from_civil, weekday};
use super::{MICROS_PER_DAY, MICROS_PER_SECOND};

/// A part of a timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The year.
    Year,
    /// The quarter, 1 to 4.
    Quarter,
    /// The month, 1 to 12.
    Month,
    /// The week of the ISO calendar, 1 to 53.
    Week,
    /// The year of the ISO calendar's week.
    IsoYear,
    /// The day of the month.
    Day,
    /// The day of the week, Sunday being 0.
    DayOfWeek,
    /// The day of the week, Monday being 1 and Sunday 7.
    IsoDayOfWeek,
    /// The day of the year, from 1.
    DayOfYear,
    /// The hour, 0 to 23.
    Hour,
    /// The minute.
    Minute,
    /// The second, with its fraction.
    Second,
    /// The seconds with their fraction, in thousandths.
    Millisecond,
    /// The seconds with their fraction, in millionths.
    Microsecond,
    /// Seconds since 1970-01-01 00:00:00, with their fraction.
    Epoch,
}

impl Field {
    /// The field of a name, as EXTRACT and DATE_TRUNC take it; case does not count.
    pub fn parse(name: &str) -> Option<Field> {
        Some(match &name.to_ascii_lowercase()[..] {
            "year" | "years" => Field::Year,
            "quarter" | "quarters" => Field::Quarter,
            "month" | "months" => Field::Month,
            "week" | "weeks" => Field::Week,
            "isoyear" => Field::IsoYear,
            "day" | "days" => Field::Day,
            "dow" | "dayofweek" => Field::DayOfWeek,
            "isodow" => Field::IsoDayOfWeek,
            "doy" | "dayofyear" => Field::DayOfYear,
            "hour" | "hours" => Field::Hour,
            "minute" | "minutes" => Field::Minute,
            "second" | "seconds" => Field::Second,
            "millisecond" | "milliseconds" => Field::Millisecond,
            "microsecond" | "microseconds" => Field::Microsecond,
            "epoch" => Field::Epoch,
            _ => return None,
        })
    }

    /// True where the field has a fraction.
    pub const fn has_fraction(self) -> bool {
        matches!(self, Field::Second | Field::Millisecond | Field::Epoch)
    }
}

/// A field of a timestamp, in millionths where it [has a fraction](Field::has_fraction), and whole
/// otherwise. Milliseconds are given in thousandths of themselves.
///
/// ```
/// use ferrisstreams_topology::data::datetime::{Field, extract, parse_timestamp};
///
/// let time = parse_timestamp(b"2024-12-30 23:59:01.5").unwrap();
/// assert_eq!(extract(Field::Year, time), 2024);
/// assert_eq!(extract(Field::IsoYear, time), 2025);
/// assert_eq!(extract(Field::Second, time), 1_500_000);
/// ```
pub fn extract(field: Field, timestamp: i64) -> i64 {
    let date = timestamp.div_euclid(MICROS_PER_DAY) as i32;
    let time = timestamp.rem_euclid(MICROS_PER_DAY);
    let (year, month, day) = civil(date);
    match field {
        Field::Year => i64::from(year),
        Field::Quarter => i64::from((month - 1) / 3 + 1),
        Field::Month => i64::from(month),
        Field::Week => i64::from((date - iso_year_start(iso_year(date))) / 7 + 1),
        Field::IsoYear => i64::from(iso_year(date)),
        Field::Day => i64::from(day),
        Field::DayOfWeek => i64::from(weekday(date)),
        Field::IsoDayOfWeek => i64::from((weekday(date) + 6) % 7 + 1),
        Field::DayOfYear => i64::from(date - days_from_civil(year, 1, 1) + 1),
        Field::Hour => time / (3600 * MICROS_PER_SECOND),
        Field::Minute => time / (60 * MICROS_PER_SECOND) % 60,
        Field::Second | Field::Millisecond | Field::Microsecond => time % (60 * MICROS_PER_SECOND),
        Field::Epoch => timestamp,
    }
}

/// The Monday of the week with the year's fourth of January.
fn iso_year_start(year: i32) -> i32 {
    let fourth = days_from_civil(year, 1, 4);
    fourth - ((weekday(fourth) + 6) % 7) as i32
}

fn iso_year(date: i32) -> i32 {
    let (year, _, _) = civil(date);
    if date >= iso_year_start(year + 1) {
        year + 1
    } else if date < iso_year_start(year) {
        year - 1
    } else {
        year
    }
}

/// The start of the year, month, hour and so on that a timestamp lies in. Fields that are not spans of
/// time leave it as it is.
pub fn truncate(field: Field, timestamp: i64) -> i64 {
    let date = timestamp.div_euclid(MICROS_PER_DAY) as i32;
    let (year, month, _) = civil(date);
    let midnight = |date: i32| i64::from(date) * MICROS_PER_DAY;
    let down = |unit: i64| timestamp - timestamp.rem_euclid(unit);
    match field {
        Field::Year => midnight(days_from_civil(year, 1, 1)),
        Field::Quarter => midnight(days_from_civil(year, (month - 1) / 3 * 3 + 1, 1)),
        Field::Month => midnight(days_from_civil(year, month, 1)),
        Field::Week => midnight(date - ((weekday(date) + 6) % 7) as i32),
        Field::IsoYear => midnight(iso_year_start(iso_year(date))),
        Field::Day | Field::DayOfWeek | Field::IsoDayOfWeek | Field::DayOfYear => midnight(date),
        Field::Hour => down(3600 * MICROS_PER_SECOND),
        Field::Minute => down(60 * MICROS_PER_SECOND),
        Field::Second => down(MICROS_PER_SECOND),
        Field::Millisecond => down(1000),
        Field::Microsecond | Field::Epoch => timestamp,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse_timestamp;
    use super::*;

    #[test]
    fn weeks_belong_to_the_year_of_their_thursday() {
        let at = |text: &str| parse_timestamp(text.as_bytes()).expect("a date");
        for (date, year, week) in [
            ("2021-01-03", 2020, 53),
            ("2021-01-04", 2021, 1),
            ("2024-12-30", 2025, 1),
        ] {
            assert_eq!(extract(Field::IsoYear, at(date)), year, "{date}");
            assert_eq!(extract(Field::Week, at(date)), week, "{date}");
        }
    }

    #[test]
    fn spans_begin_where_they_should() {
        let at = |text: &str| parse_timestamp(text.as_bytes()).expect("a time");
        let time = at("2024-05-16 17:18:19.123456");
        for (field, start) in [
            (Field::Year, "2024-01-01"),
            (Field::Quarter, "2024-04-01"),
            (Field::Month, "2024-05-01"),
            (Field::Week, "2024-05-13"),
            (Field::Day, "2024-05-16"),
            (Field::Hour, "2024-05-16 17:00"),
            (Field::Second, "2024-05-16 17:18:19"),
        ] {
            assert_eq!(truncate(field, time), at(start), "{field:?}");
        }
        assert_eq!(truncate(Field::Hour, -1), -3_600_000_000);
    }
}
