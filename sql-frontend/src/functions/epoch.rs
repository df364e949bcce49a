//! Dates and times as numbers, and made of numbers.

use ferrisstreams_topology::data::datetime::{
    MICROS_PER_SECOND, civil, days_from_civil, days_in_month, interval_between,
};
use ferrisstreams_topology::data::{DataType, Interval, MICROS_PER_DAY};

use super::argument::{Argument, Failure, Outcome, Returned};
use super::function::Call;
use super::signature::{
    BIGINT, DATE, DOUBLE, Entry, Gives, INT, INTERVAL, TIMESTAMP, TIMESTAMPTZ, entry, form,
};

const IS_BIGINT: Gives = Gives::Is(DataType::BigInt);
const IS_DATE: Gives = Gives::Is(DataType::Date);
const IS_TIMESTAMP: Gives = Gives::Is(DataType::Timestamp);

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["unix_timestamp"],
        "milliseconds since 1970-01-01 00:00:00 UTC, of now or of a time",
        &[
            form(&[], IS_BIGINT, now_in_millis).volatile(),
            form(&[TIMESTAMP], IS_BIGINT, millis),
            form(&[TIMESTAMPTZ], IS_BIGINT, millis),
        ],
    ),
    entry(
        &["from_unixtime"],
        "the time that many milliseconds after 1970-01-01 00:00:00 UTC",
        &[form(&[BIGINT], IS_TIMESTAMP, of_millis)],
    ),
    entry(
        &["unix_date"],
        "days since 1970-01-01, of now or of a date",
        &[
            form(&[], Gives::Is(DataType::Int), today).volatile(),
            form(&[DATE], Gives::Is(DataType::Int), same),
        ],
    ),
    entry(
        &["from_days"],
        "the date that many days after 1970-01-01",
        &[form(&[INT], IS_DATE, same)],
    ),
    entry(
        &["make_date"],
        "the date of a year, a month and a day",
        &[form(&[INT, INT, INT], IS_DATE, make_date)],
    ),
    entry(
        &["make_time"],
        "the time of an hour, a minute and seconds",
        &[form(
            &[INT, INT, DOUBLE],
            Gives::Is(DataType::Time),
            make_time,
        )],
    ),
    entry(
        &["make_timestamp"],
        "the timestamp of a year, a month, a day, an hour, a minute and seconds",
        &[form(
            &[INT, INT, INT, INT, INT, DOUBLE],
            IS_TIMESTAMP,
            make_timestamp,
        )],
    ),
    entry(
        &["last_day"],
        "the last day of the month that a date lies in",
        &[form(&[DATE], IS_DATE, last_day)],
    ),
    entry(
        &["age"],
        "the time from the second to the first timestamp, in years, months, days and the rest",
        &[
            form(&[TIMESTAMP, TIMESTAMP], Gives::Is(DataType::Interval), age),
            form(
                &[TIMESTAMPTZ, TIMESTAMPTZ],
                Gives::Is(DataType::Interval),
                age,
            ),
        ],
    ),
    entry(
        &["date_bin"],
        "the start of the span of a length that a time lies in, spans being counted from an origin",
        &[
            form(&[INTERVAL, TIMESTAMP, TIMESTAMP], IS_TIMESTAMP, date_bin),
            form(
                &[INTERVAL, TIMESTAMPTZ, TIMESTAMPTZ],
                Gives::Is(DataType::TimestampTz),
                date_bin,
            ),
        ],
    ),
];

fn now_in_millis(call: &mut Call<'_>, _: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(call.now.div_euclid(1000)))
}

fn today(call: &mut Call<'_>, _: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(call.now.div_euclid(MICROS_PER_DAY)))
}

fn millis(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(arguments[0].integer().div_euclid(1000)))
}

fn of_millis(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let millis = arguments[0].integer();
    match millis.checked_mul(1000) {
        Some(micros) => Ok(Returned::Integer(micros)),
        None => Err(format!("{millis} milliseconds are out of range").into()),
    }
}

fn same(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(arguments[0].integer()))
}

/// A day of the calendar.
pub(super) fn date_of(year: i64, month: i64, day: i64) -> Result<i64, Failure> {
    let wrong = || Failure::from(format!("there is no day {year}-{month:02}-{day:02}"));
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) {
        return Err(wrong());
    }
    let (year, month) = (year as i32, month as u32);
    if day < 1 || day > i64::from(days_in_month(year, month)) {
        return Err(wrong());
    }
    Ok(i64::from(days_from_civil(year, month, day as u32)))
}

/// A time of day, which may round up to its end.
fn time_of(hour: i64, minute: i64, seconds: f64) -> Result<i64, Failure> {
    let fits =
        (0..24).contains(&hour) && (0..60).contains(&minute) && (0.0..60.0).contains(&seconds);
    if !fits {
        return Err(format!("there is no time {hour:02}:{minute:02}:{seconds}").into());
    }
    let micros = (seconds * MICROS_PER_SECOND as f64).round() as i64;
    Ok((hour * 60 + minute) * 60 * MICROS_PER_SECOND + micros)
}

fn make_date(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let [year, month, day] = [0, 1, 2].map(|at| arguments[at].integer());
    Ok(Returned::Integer(date_of(year, month, day)?))
}

fn make_time(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (hour, minute) = (arguments[0].integer(), arguments[1].integer());
    Ok(Returned::Integer(time_of(
        hour,
        minute,
        arguments[2].float(),
    )?))
}

fn make_timestamp(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let [year, month, day, hour, minute] = [0, 1, 2, 3, 4].map(|at| arguments[at].integer());
    let date = date_of(year, month, day)?;
    let time = time_of(hour, minute, arguments[5].float())?;
    Ok(Returned::Integer(date * MICROS_PER_DAY + time))
}

fn last_day(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (year, month, _) = civil(arguments[0].integer() as i32);
    let last = days_from_civil(year, month, days_in_month(year, month));
    Ok(Returned::Integer(i64::from(last)))
}

/// Whole months first, as a calendar counts them, then days, then the rest.
fn age(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (to, from) = (arguments[0].integer(), arguments[1].integer());
    let (earlier, later) = (to.min(from), to.max(from));
    let months = whole_months(earlier, later);
    let start = months_later(earlier, months)?;
    let rest = interval_between(later, start);
    let sign = if to < from { -1 } else { 1 };
    Ok(Returned::Interval(Interval {
        months: sign * months,
        days: sign * rest.days,
        micros: i64::from(sign) * rest.micros,
    }))
}

/// A time some months later, on the month's last day where it has not that many.
fn months_later(time: i64, months: i32) -> Result<i64, Failure> {
    let moved = Interval {
        months,
        ..Interval::default()
    };
    Ok(ferrisstreams_topology::data::datetime::add_interval(
        time, moved,
    )?)
}

/// How many whole months lie between two times.
pub(super) fn whole_months(earlier: i64, later: i64) -> i32 {
    let month = |time: i64| {
        let (year, month, _) = civil(time.div_euclid(MICROS_PER_DAY) as i32);
        year * 12 + month as i32
    };
    let months = month(later) - month(earlier);
    let is_over = months_later(earlier, months).is_ok_and(|time| time > later);
    months - i32::from(is_over)
}

fn date_bin(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let stride = arguments[0].interval();
    if stride.months != 0 {
        return Err("date_bin of months, which differ in length".into());
    }
    let stride = stride.approximate_micros();
    if stride <= 0 {
        return Err("date_bin of a span that is not positive".into());
    }
    let (time, origin) = (
        i128::from(arguments[1].integer()),
        i128::from(arguments[2].integer()),
    );
    let start = time - (time - origin).rem_euclid(stride);
    i64::try_from(start)
        .map(Returned::Integer)
        .map_err(|_| "out of range".into())
}
