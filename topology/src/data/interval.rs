//! Spans of time as SQL counts them.

use serde::{Deserialize, Serialize};

/// A span of months, days and microseconds, which are not convertible into one another without a
/// date: a month has 28 to 31 days, and a day may have 23 or 25 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Interval {
    /// Whole months.
    pub months: i32,
    /// Whole days.
    pub days: i32,
    /// Microseconds.
    pub micros: i64,
}

/// Microseconds in a day of 24 hours.
pub const MICROS_PER_DAY: i64 = 86_400_000_000;

impl Interval {
    /// The length that comparison goes by: a month counts as 30 days, a day as 24 hours, as in PostgreSQL.
    pub fn approximate_micros(self) -> i128 {
        (i128::from(self.months) * 30 + i128::from(self.days)) * i128::from(MICROS_PER_DAY)
            + i128::from(self.micros)
    }
}
