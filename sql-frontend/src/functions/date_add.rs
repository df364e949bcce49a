//! Dates and times moved, and how far they are apart, in units that are named.

use ferrisstreams_topology::data::datetime::{
    Field, MICROS_PER_SECOND, add_interval, add_months, negate,
};
use ferrisstreams_topology::data::{DataType, Interval, MICROS_PER_DAY};

use super::argument::{Argument, Failure, Outcome, Returned};
use super::epoch::whole_months;
use super::extract::with_field;
use super::function::{Body, Call, Function, PreparedBody};
use super::signature::{
    BIGINT, DATE, Entry, Form, Gives, INTERVAL, TEXT, TIME, TIMESTAMP, TIMESTAMPTZ, entry, form,
    prepared,
};

const IS_BIGINT: Gives = Gives::Is(DataType::BigInt);

const fn of_timestamps(body: Body) -> [Form; 2] {
    [
        form(&[TEXT, BIGINT, TIMESTAMP], Gives::Like(2), body),
        form(&[TEXT, BIGINT, TIMESTAMPTZ], Gives::Like(2), body),
    ]
}

const fn of_intervals(body: Body) -> [Form; 2] {
    [
        form(&[TIMESTAMP, INTERVAL], Gives::Like(0), body),
        form(&[TIMESTAMPTZ, INTERVAL], Gives::Like(0), body),
    ]
}

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["dateadd"],
        "the date a number of units later",
        &[form(&[TEXT, BIGINT, DATE], Gives::Like(2), date_later)],
    ),
    entry(
        &["datesub"],
        "the date a number of units earlier",
        &[form(&[TEXT, BIGINT, DATE], Gives::Like(2), date_earlier)],
    ),
    entry(
        &["timeadd"],
        "the time of day a number of units later",
        &[form(&[TEXT, BIGINT, TIME], Gives::Like(2), time_later)],
    ),
    entry(
        &["timesub"],
        "the time of day a number of units earlier",
        &[form(&[TEXT, BIGINT, TIME], Gives::Like(2), time_earlier)],
    ),
    entry(
        &["timestampadd"],
        "the time a number of units later",
        &of_timestamps(timestamp_later),
    ),
    entry(
        &["timestampsub"],
        "the time a number of units earlier",
        &of_timestamps(timestamp_earlier),
    ),
    entry(
        &["date_add"],
        "the time an interval later",
        &of_intervals(interval_later),
    ),
    entry(
        &["date_sub", "date_subtract"],
        "the time an interval earlier",
        &of_intervals(interval_earlier),
    ),
    entry(
        &["datediff"],
        "the days from the second to the first date",
        &[form(&[DATE, DATE], Gives::Is(DataType::Int), days_between)],
    ),
    entry(
        &["timestampdiff"],
        "the whole units from the first to the second time",
        &[
            prepared(&[TEXT, TIMESTAMP, TIMESTAMP], IS_BIGINT, units_between),
            prepared(&[TEXT, TIMESTAMPTZ, TIMESTAMPTZ], IS_BIGINT, units_between),
        ],
    ),
];

/// A unit as months, days and microseconds.
pub(super) fn unit(field: Field) -> Option<(i64, i64, i64)> {
    Some(match field {
        Field::Year => (12, 0, 0),
        Field::Quarter => (3, 0, 0),
        Field::Month => (1, 0, 0),
        Field::Week => (0, 7, 0),
        Field::Day => (0, 1, 0),
        Field::Hour => (0, 0, 3600 * MICROS_PER_SECOND),
        Field::Minute => (0, 0, 60 * MICROS_PER_SECOND),
        Field::Second => (0, 0, MICROS_PER_SECOND),
        Field::Millisecond => (0, 0, 1000),
        Field::Microsecond => (0, 0, 1),
        _ => return None,
    })
}

/// A number of units of a name.
fn span(arguments: &[Argument<'_>]) -> Result<Interval, Failure> {
    let (name, number) = (arguments[0].text(), arguments[1].integer());
    let unit = Field::parse(name).and_then(unit);
    let (months, days, micros) =
        unit.ok_or_else(|| Failure::from(format!("no unit of time `{name}`")))?;
    let times = |part: i64| part.checked_mul(number);
    let parts = times(months)
        .and_then(|months| i32::try_from(months).ok())
        .zip(times(days).and_then(|days| i32::try_from(days).ok()))
        .zip(times(micros));
    match parts {
        Some(((months, days), micros)) => Ok(Interval {
            months,
            days,
            micros,
        }),
        None => Err(format!("{number} {name} are out of range").into()),
    }
}

fn moved_date(date: i64, by: Interval) -> Outcome {
    if by.micros != 0 {
        return Err("a date is moved by days, weeks, months or years".into());
    }
    let date = i64::from(add_months(date as i32, by.months)?) + i64::from(by.days);
    Ok(Returned::Integer(date))
}

fn date_later(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    moved_date(arguments[2].integer(), span(arguments)?)
}

fn date_earlier(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    moved_date(arguments[2].integer(), negate(span(arguments)?)?)
}

fn moved_time(time: i64, by: Interval) -> Outcome {
    if by.months != 0 || by.days != 0 {
        return Err("a time of day is moved by hours, minutes, seconds or parts of them".into());
    }
    let moved = time + by.micros % MICROS_PER_DAY;
    Ok(Returned::Integer(moved.rem_euclid(MICROS_PER_DAY)))
}

fn time_later(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    moved_time(arguments[2].integer(), span(arguments)?)
}

fn time_earlier(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    moved_time(arguments[2].integer(), negate(span(arguments)?)?)
}

fn timestamp_later(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(add_interval(
        arguments[2].integer(),
        span(arguments)?,
    )?))
}

fn timestamp_earlier(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let by = negate(span(arguments)?)?;
    Ok(Returned::Integer(add_interval(arguments[2].integer(), by)?))
}

fn interval_later(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(add_interval(
        arguments[0].integer(),
        arguments[1].interval(),
    )?))
}

fn interval_earlier(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let by = negate(arguments[1].interval())?;
    Ok(Returned::Integer(add_interval(arguments[0].integer(), by)?))
}

fn days_between(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(
        arguments[0].integer() - arguments[1].integer(),
    ))
}

fn units_between(
    _: &Function,
    constants: &[Option<Argument<'_>>],
) -> Result<PreparedBody, Failure> {
    with_field(constants, |_, field, rest| {
        let (from, to) = (rest[0].integer(), rest[1].integer());
        let Some((months, days, micros)) = unit(field) else {
            return Err(format!("{field:?} is no unit of time").into());
        };
        Ok(Returned::Integer(if months > 0 {
            let whole = i64::from(whole_months(from.min(to), from.max(to)));
            let sign = if to < from { -1 } else { 1 };
            sign * (whole / months)
        } else {
            (to - from) / (days * MICROS_PER_DAY + micros)
        }))
    })
}
