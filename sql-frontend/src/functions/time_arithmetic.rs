//! Arithmetic on dates, times and intervals: what `+ - * /` mean there.

use ferrisstreams_topology::data::datetime::{
    MAX_DATE, MIN_DATE, add_interval, interval_between, multiply, negate, sum,
};
use ferrisstreams_topology::data::{DataType, Interval, MICROS_PER_DAY};

use super::argument::{Argument, Failure, Outcome, Returned};
use super::function::Call;
use super::signature::{
    BIGINT, DATE, DOUBLE, Entry, Gives, INTERVAL, TIME, TIMESTAMP, TIMESTAMPTZ, entry, form,
};

const IS_TIMESTAMP: Gives = Gives::Is(DataType::Timestamp);
const IS_TIMESTAMPTZ: Gives = Gives::Is(DataType::TimestampTz);
const IS_DATE: Gives = Gives::Is(DataType::Date);
const IS_TIME: Gives = Gives::Is(DataType::Time);
const IS_INTERVAL: Gives = Gives::Is(DataType::Interval);

/// Operators, which are looked up by their symbols.
pub(super) const OPERATORS: &[Entry] = &[
    entry(
        &["+"],
        "the sum",
        &[
            form(&[TIMESTAMP, INTERVAL], IS_TIMESTAMP, later),
            form(&[TIMESTAMPTZ, INTERVAL], IS_TIMESTAMPTZ, later),
            form(&[DATE, INTERVAL], IS_TIMESTAMP, date_later),
            form(&[DATE, BIGINT], IS_DATE, days_later),
            form(&[DATE, TIME], IS_TIMESTAMP, at_time),
            form(&[TIME, INTERVAL], IS_TIME, time_later),
            form(&[INTERVAL, INTERVAL], IS_INTERVAL, both),
            form(&[INTERVAL, TIMESTAMP], IS_TIMESTAMP, swapped_later),
            form(&[INTERVAL, TIMESTAMPTZ], IS_TIMESTAMPTZ, swapped_later),
            form(&[INTERVAL, DATE], IS_TIMESTAMP, swapped_date_later),
            form(&[INTERVAL, TIME], IS_TIME, swapped_time_later),
            form(&[BIGINT, DATE], IS_DATE, days_later),
            form(&[TIME, DATE], IS_TIMESTAMP, swapped_at_time),
        ],
    ),
    entry(
        &["-"],
        "the difference",
        &[
            form(&[TIMESTAMP, INTERVAL], IS_TIMESTAMP, earlier),
            form(&[TIMESTAMPTZ, INTERVAL], IS_TIMESTAMPTZ, earlier),
            form(&[DATE, INTERVAL], IS_TIMESTAMP, date_earlier),
            form(&[DATE, BIGINT], IS_DATE, days_earlier),
            form(&[DATE, DATE], Gives::Is(DataType::Int), days_between),
            form(&[TIMESTAMP, TIMESTAMP], IS_INTERVAL, between),
            form(&[TIMESTAMPTZ, TIMESTAMPTZ], IS_INTERVAL, between),
            form(&[TIME, TIME], IS_INTERVAL, time_between),
            form(&[TIME, INTERVAL], IS_TIME, time_earlier),
            form(&[INTERVAL, INTERVAL], IS_INTERVAL, difference),
        ],
    ),
    entry(
        &["*"],
        "the product",
        &[
            form(&[INTERVAL, DOUBLE], IS_INTERVAL, times),
            form(&[DOUBLE, INTERVAL], IS_INTERVAL, swapped_times),
        ],
    ),
    entry(
        &["/"],
        "the quotient",
        &[form(&[INTERVAL, DOUBLE], IS_INTERVAL, divided)],
    ),
];

fn moved(timestamp: i64, interval: Interval) -> Outcome {
    let moved = add_interval(timestamp, interval)
        .map_err(|_| Failure::from("a time moved by an interval is beyond the years 1 to 9999"))?;
    Ok(Returned::Integer(moved))
}

fn later(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    moved(arguments[0].integer(), arguments[1].interval())
}

fn swapped_later(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    moved(arguments[1].integer(), arguments[0].interval())
}

fn earlier(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    moved(arguments[0].integer(), negate(arguments[1].interval())?)
}

fn date_later(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    moved(
        arguments[0].integer() * MICROS_PER_DAY,
        arguments[1].interval(),
    )
}

fn swapped_date_later(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    moved(
        arguments[1].integer() * MICROS_PER_DAY,
        arguments[0].interval(),
    )
}

fn date_earlier(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    moved(
        arguments[0].integer() * MICROS_PER_DAY,
        negate(arguments[1].interval())?,
    )
}

fn date(days: Option<i64>) -> Outcome {
    let range = i64::from(MIN_DATE)..=i64::from(MAX_DATE);
    match days.filter(|days| range.contains(days)) {
        Some(days) => Ok(Returned::Integer(days)),
        None => Err("a date moved by days is beyond the years 1 to 9999".into()),
    }
}

fn days_later(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    date(arguments[0].integer().checked_add(arguments[1].integer()))
}

fn days_earlier(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    date(arguments[0].integer().checked_sub(arguments[1].integer()))
}

fn days_between(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(
        arguments[0].integer() - arguments[1].integer(),
    ))
}

fn at_time(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(
        arguments[0].integer() * MICROS_PER_DAY + arguments[1].integer(),
    ))
}

fn swapped_at_time(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(
        arguments[1].integer() * MICROS_PER_DAY + arguments[0].integer(),
    ))
}

fn between(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Interval(interval_between(
        arguments[0].integer(),
        arguments[1].integer(),
    )))
}

fn time_between(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let micros = arguments[0].integer() - arguments[1].integer();
    Ok(Returned::Interval(Interval {
        micros,
        ..Interval::default()
    }))
}

/// A time of day moved; what goes beyond a day begins the next one.
fn time_of_day(time: i64, micros: i64) -> Outcome {
    let moved = time + micros % MICROS_PER_DAY;
    Ok(Returned::Integer(moved.rem_euclid(MICROS_PER_DAY)))
}

fn time_later(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    time_of_day(arguments[0].integer(), arguments[1].interval().micros)
}

fn swapped_time_later(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    time_of_day(arguments[1].integer(), arguments[0].interval().micros)
}

fn time_earlier(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let micros = arguments[1].interval().micros % MICROS_PER_DAY;
    time_of_day(arguments[0].integer(), -micros)
}

fn both(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Interval(sum(
        arguments[0].interval(),
        arguments[1].interval(),
    )?))
}

fn difference(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let negated = negate(arguments[1].interval())?;
    Ok(Returned::Interval(sum(arguments[0].interval(), negated)?))
}

fn times(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Interval(multiply(
        arguments[0].interval(),
        arguments[1].float(),
    )?))
}

fn swapped_times(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Interval(multiply(
        arguments[1].interval(),
        arguments[0].float(),
    )?))
}

fn divided(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let divisor = arguments[1].float();
    if divisor == 0.0 {
        return Err("an interval divided by zero".into());
    }
    Ok(Returned::Interval(multiply(
        arguments[0].interval(),
        1.0 / divisor,
    )?))
}
