//! Dates, times, timestamps and intervals: their text, their parts, and arithmetic on them.
//!
//! A date is days since 1970-01-01, a time of day microseconds, a timestamp microseconds since
//! 1970-01-01 00:00:00, all in the proleptic Gregorian calendar; years run from 1 to 9999.

mod civil;
mod reader;
mod date;
mod time;
mod timestamp;
mod interval;
mod field;
mod words;

pub use civil::{MAX_DATE, MIN_DATE, civil, days_from_civil, days_in_month, weekday};
pub use date::{parse_date, write_date};
pub use field::{Field, extract, truncate};
pub use interval::{
    add_interval, add_months, interval_between, multiply, negate, parse_interval, sum,
    write_interval,
};
pub use time::{parse_time, write_time};
pub use timestamp::{parse_timestamp, parse_timestamptz, write_timestamp, write_timestamptz};
pub use words::{MONTHS, WEEKDAYS, read_offset};

/// Microseconds of a second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;

/// Microseconds of a day.
pub const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
