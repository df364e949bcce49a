//! Dates and times as text by patterns, and back.

use ferrisstreams_topology::data::{DataType, MICROS_PER_DAY};

use super::argument::{Argument, Failure, Outcome, Returned};
use super::date_pattern::{Item, Moment, offset_of, parse_java, parse_template, read, write};
use super::function::{Call, Function, PreparedBody};
use super::signature::{
    BIGINT, DATE, Entry, Gives, TEXT, TIME, TIMESTAMP, TIMESTAMPTZ, entry, form, prepared,
};

const IS_TEXT: Gives = Gives::Is(DataType::TEXT);
const IS_DATE: Gives = Gives::Is(DataType::Date);
const IS_TIME: Gives = Gives::Is(DataType::Time);
const IS_TIMESTAMP: Gives = Gives::Is(DataType::Timestamp);
const IS_TIMESTAMPTZ: Gives = Gives::Is(DataType::TimestampTz);
const IS_BIGINT: Gives = Gives::Is(DataType::BigInt);

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["format_date"],
        "the date as text, by a pattern such as yyyy-MM-dd",
        &[prepared(&[DATE, TEXT], IS_TEXT, format)],
    ),
    entry(
        &["format_time"],
        "the time of day as text, by a pattern such as HH:mm:ss",
        &[prepared(&[TIME, TEXT], IS_TEXT, format)],
    ),
    entry(
        &["format_timestamp"],
        "the time as text, by a pattern such as yyyy-MM-dd HH:mm:ss.SSS, in UTC or a zone",
        &[
            prepared(&[TIMESTAMP, TEXT], IS_TEXT, format),
            prepared(&[TIMESTAMP, TEXT, TEXT], IS_TEXT, format),
            prepared(&[TIMESTAMPTZ, TEXT], IS_TEXT, format),
            prepared(&[TIMESTAMPTZ, TEXT, TEXT], IS_TEXT, format),
        ],
    ),
    entry(
        &["datetostring"],
        "the date that many days after 1970-01-01 as text, by a pattern",
        &[prepared(&[BIGINT, TEXT], IS_TEXT, format_days)],
    ),
    entry(
        &["timestamptostring"],
        "the time that many milliseconds after 1970-01-01 as text, by a pattern, in UTC or a zone",
        &[
            prepared(&[BIGINT, TEXT], IS_TEXT, format_millis),
            prepared(&[BIGINT, TEXT, TEXT], IS_TEXT, format_millis),
        ],
    ),
    entry(
        &["to_char"],
        "the time as text, by a template such as YYYY-MM-DD HH24:MI:SS",
        &[
            prepared(&[TIMESTAMP, TEXT], IS_TEXT, to_char),
            prepared(&[TIMESTAMPTZ, TEXT], IS_TEXT, to_char),
        ],
    ),
    entry(
        &["parse_date"],
        "the date that a text says, by a pattern such as yyyy-MM-dd",
        &[prepared(&[TEXT, TEXT], IS_DATE, parse)],
    ),
    entry(
        &["parse_time"],
        "the time of day that a text says, by a pattern such as HH:mm:ss",
        &[prepared(&[TEXT, TEXT], IS_TIME, parse)],
    ),
    entry(
        &["parse_timestamp"],
        "the time that a text says, by a pattern such as yyyy-MM-dd HH:mm:ss, in UTC or a zone",
        &[
            prepared(&[TEXT, TEXT], IS_TIMESTAMP, parse),
            prepared(&[TEXT, TEXT, TEXT], IS_TIMESTAMP, parse),
        ],
    ),
    entry(
        &["stringtodate"],
        "the days from 1970-01-01 to the date that a text says, by a pattern",
        &[prepared(&[TEXT, TEXT], Gives::Is(DataType::Int), parse)],
    ),
    entry(
        &["stringtotimestamp"],
        "the milliseconds from 1970-01-01 to the time that a text says, by a pattern, in UTC or a zone",
        &[
            prepared(&[TEXT, TEXT], IS_BIGINT, parse),
            prepared(&[TEXT, TEXT, TEXT], IS_BIGINT, parse),
        ],
    ),
    entry(
        &["to_date"],
        "the date that a text says, by a template such as YYYY-MM-DD",
        &[prepared(&[TEXT, TEXT], IS_DATE, parse_by_template)],
    ),
    entry(
        &["to_timestamp"],
        "the time that a text says, by a template such as YYYY-MM-DD HH24:MI:SS; or that many seconds after 1970-01-01",
        &[
            prepared(&[TEXT, TEXT], IS_TIMESTAMPTZ, parse_by_template),
            form(&[super::signature::DOUBLE], IS_TIMESTAMPTZ, of_seconds),
        ],
    ),
    entry(
        &["convert_tz"],
        "the time of one zone as that of another; zones are UTC and offsets such as +02:00",
        &[form(&[TIMESTAMP, TEXT, TEXT], IS_TIMESTAMP, convert_tz)],
    ),
];

type ReadPattern = fn(&str) -> Result<Vec<Item>, Failure>;

/// A body that is given the second argument as a pattern: read once where it is a constant.
fn with_pattern(
    constants: &[Option<Argument<'_>>],
    read_pattern: ReadPattern,
    body: impl Fn(&mut Call<'_>, &[Item], &[Argument<'_>]) -> Outcome + Send + Sync + 'static,
) -> Result<PreparedBody, Failure> {
    Ok(match constants[1] {
        Some(pattern) if !pattern.is_null() => {
            let items = read_pattern(pattern.text())?;
            Box::new(move |call, arguments| body(call, &items, arguments))
        }
        _ => Box::new(move |call, arguments| {
            body(call, &read_pattern(arguments[1].text())?, arguments)
        }),
    })
}

/// How far the zone that comes third is ahead of UTC.
fn zone(arguments: &[Argument<'_>]) -> Result<i64, Failure> {
    arguments
        .get(2)
        .map_or(Ok(0), |zone| offset_of(zone.text()))
}

/// Writes numbers of a unit of so many microseconds.
fn formatted(
    unit: i64,
    constants: &[Option<Argument<'_>>],
    read_pattern: ReadPattern,
) -> Result<PreparedBody, Failure> {
    with_pattern(constants, read_pattern, move |call, items, arguments| {
        let offset = zone(arguments)?;
        let number = arguments[0].integer();
        let local = number
            .checked_mul(unit)
            .and_then(|time| time.checked_add(offset));
        // Far beyond the years 1 to 9999 the calendar's arithmetic would overflow.
        match local.filter(|time| time.abs() < i64::MAX / 4) {
            Some(local) => write(call.out, items, local, offset),
            None => return Err(format!("{number} is out of range").into()),
        }
        Ok(Returned::Written)
    })
}

fn unit(data_type: DataType) -> i64 {
    if data_type == DataType::Date {
        MICROS_PER_DAY
    } else {
        1
    }
}

fn format(
    function: &Function,
    constants: &[Option<Argument<'_>>],
) -> Result<PreparedBody, Failure> {
    formatted(unit(function.arguments[0]), constants, parse_java)
}

fn format_days(_: &Function, constants: &[Option<Argument<'_>>]) -> Result<PreparedBody, Failure> {
    formatted(MICROS_PER_DAY, constants, parse_java)
}

fn format_millis(
    _: &Function,
    constants: &[Option<Argument<'_>>],
) -> Result<PreparedBody, Failure> {
    formatted(1000, constants, parse_java)
}

fn to_char(_: &Function, constants: &[Option<Argument<'_>>]) -> Result<PreparedBody, Failure> {
    formatted(1, constants, parse_template)
}

/// What a text says, as a value of the type that the function gives.
fn said(moment: &Moment, function: &Function, ahead: i64) -> Result<i64, Failure> {
    match function.result {
        DataType::Date | DataType::Int => moment.date(),
        DataType::Time => moment.time(),
        DataType::BigInt => Ok(moment.timestamp(ahead)?.div_euclid(1000)),
        _ => moment.timestamp(ahead),
    }
}

fn parse(_: &Function, constants: &[Option<Argument<'_>>]) -> Result<PreparedBody, Failure> {
    with_pattern(constants, parse_java, |call, items, arguments| {
        let moment = read(arguments[0].text(), items)?;
        Ok(Returned::Integer(said(
            &moment,
            call.function,
            zone(arguments)?,
        )?))
    })
}

fn parse_by_template(
    _: &Function,
    constants: &[Option<Argument<'_>>],
) -> Result<PreparedBody, Failure> {
    with_pattern(constants, parse_template, |call, items, arguments| {
        let moment = read(arguments[0].text().trim(), items)?;
        Ok(Returned::Integer(said(&moment, call.function, 0)?))
    })
}

fn of_seconds(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let seconds = arguments[0].float();
    let micros = (seconds * 1e6).round();
    if micros.is_nan() || micros.abs() >= 1e18 {
        return Err(format!("{seconds} seconds are out of range").into());
    }
    Ok(Returned::Integer(micros as i64))
}

fn convert_tz(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (from, to) = (
        offset_of(arguments[1].text())?,
        offset_of(arguments[2].text())?,
    );
    Ok(Returned::Integer(arguments[0].integer() - from + to))
}
