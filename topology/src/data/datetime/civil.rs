//! Days and the calendar.
//!
//! The conversions are Howard Hinnant's ("chrono-Compatible Low-Level Date Algorithms"): years begin
//! in March, so that a leap day is the last of its year, and 400 years are a cycle.

/// 0001-01-01.
pub const MIN_DATE: i32 = -719_162;

/// 9999-12-31.
pub const MAX_DATE: i32 = 2_932_896;

/// The days from 1970-01-01 to a day of a month from 1 to 12.
///
/// ```
/// use ferrisstreams_topology::data::datetime::days_from_civil;
///
/// assert_eq!(days_from_civil(1970, 1, 1), 0);
/// assert_eq!(days_from_civil(2000, 3, 1), 11017);
/// ```
#[inline]
pub const fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month = (month + 9) % 12;
    let of_year = (153 * month + 2) / 5 + day - 1;
    let day = of_era * 365 + of_era / 4 - of_era / 100 + of_year as i32;
    era * 146_097 + day - 719_468
}

/// The year, month and day of a date.
#[inline]
pub const fn civil(date: i32) -> (i32, u32, u32) {
    let days = date as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
    (year as i32, month as u32, day as u32)
}

/// The number of days of a month.
pub const fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// The day of the week of a date, Sunday being 0.
pub const fn weekday(date: i32) -> u32 {
    (date as i64 + 4).rem_euclid(7) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_is_found_again() {
        let mut expected = MIN_DATE;
        for year in 1..=9999 {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    assert_eq!(days_from_civil(year, month, day), expected);
                    assert_eq!(civil(expected), (year, month, day));
                    expected += 1;
                }
            }
        }
        assert_eq!(expected - 1, MAX_DATE);
        assert_eq!(weekday(days_from_civil(2026, 11, 24)), 2);
    }
}
