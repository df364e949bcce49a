//! Casts between dates, times, timestamps and intervals.

use ferrisstreams_topology::data::{DataType, Interval, MICROS_PER_DAY};

use super::Cast;
use crate::compiler::code::Code;

pub(super) fn cast(cast: Cast, input: Code) -> Code {
    use DataType::{Date, Interval as IntervalType, Time, Timestamp, TimestampTz};
    match (cast.from, cast.to, input) {
        (Date, Timestamp | TimestampTz, Code::Int(node)) => {
            Code::Int(node.map(|date, _| Some(date * MICROS_PER_DAY)))
        }
        (Timestamp | TimestampTz, Date, Code::Int(node)) => {
            Code::Int(node.map(|time, _| Some(time.div_euclid(MICROS_PER_DAY))))
        }
        (Timestamp | TimestampTz, Time, Code::Int(node)) => {
            Code::Int(node.map(|time, _| Some(time.rem_euclid(MICROS_PER_DAY))))
        }
        // What has no zone is taken to be in UTC.
        (Timestamp, TimestampTz, input) | (TimestampTz, Timestamp, input) => input,
        (Time, IntervalType, Code::Int(node)) => Code::Interval(node.map(|micros, _| {
            Some(Interval {
                micros,
                ..Interval::default()
            })
        })),
        (IntervalType, Time, Code::Interval(node)) => {
            Code::Int(node.map(|interval, _| Some(interval.micros.rem_euclid(MICROS_PER_DAY))))
        }
        (from, to, _) => unreachable!("the binder lets no {from} be cast to {to}"),
    }
}
