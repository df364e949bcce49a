//! Sums and averages of intervals.

use ferrisstreams_topology::data::{Interval, MICROS_PER_DAY};

use super::state::AggState;

/// The sum of intervals that stands from a word on, divided, if it is an interval: what is left of a
/// month goes to days, of which it has 30, and what is left of a day to its time.
pub(super) fn interval_over(state: &AggState, word: usize, divisor: i64) -> Option<Interval> {
    let divisor = i128::from(divisor);
    let months = i128::from(state.count(word));
    let days = i128::from(state.count(word + 1)) + months % divisor * 30;
    let micros = state.wide(word + 2) + days % divisor * i128::from(MICROS_PER_DAY);
    Some(Interval {
        months: i32::try_from(months / divisor).ok()?,
        days: i32::try_from(days / divisor).ok()?,
        micros: i64::try_from(rounded_quotient(micros, divisor)).ok()?,
    })
}

/// The quotient, rounded half away from zero.
fn rounded_quotient(value: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (value / divisor, value % divisor);
    if rest != 0 && rest.abs() >= divisor - rest.abs() {
        quotient + value.signum()
    } else {
        quotient
    }
}
