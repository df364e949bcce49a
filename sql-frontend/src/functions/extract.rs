//! The fields of dates, times and intervals.

use ferrisstreams_topology::data::datetime::{self, Field, MICROS_PER_SECOND, truncate};
use ferrisstreams_topology::data::{DataType, Interval, MICROS_PER_DAY};

use super::argument::{Argument, Failure, Outcome, Returned};
use super::function::{Call, Function, PreparedBody};
use super::signature::{
    DATE, Entry, Form, Gives, INTERVAL, TEXT, TIME, TIMESTAMP, TIMESTAMPTZ, entry, prepared,
};

const WHOLE: Gives = Gives::Is(DataType::BigInt);
const FLOAT: Gives = Gives::Is(DataType::Double);
/// Seconds up to the year 9999 with their millionths have 18 digits.
const FRACTION: Gives = Gives::Is(DataType::Decimal {
    precision: 18,
    scale: 6,
});

const fn of_any_time(gives: Gives) -> [Form; 5] {
    [
        prepared(&[TEXT, TIMESTAMP], gives, prepare),
        prepared(&[TEXT, TIMESTAMPTZ], gives, prepare),
        prepared(&[TEXT, DATE], gives, prepare),
        prepared(&[TEXT, TIME], gives, prepare),
        prepared(&[TEXT, INTERVAL], gives, prepare),
    ]
}

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["extract"],
        "a field that is a whole number, such as the year",
        &of_any_time(WHOLE),
    ),
    entry(
        &["extract_fraction"],
        "a field that has a fraction: second, millisecond, epoch",
        &of_any_time(FRACTION),
    ),
    entry(
        &["date_part"],
        "a field, such as the year",
        &of_any_time(FLOAT),
    ),
    entry(
        &["date_trunc"],
        "the start of the year, month, hour and so on that a time lies in",
        &[
            prepared(&[TEXT, TIMESTAMP], Gives::Like(1), prepare_truncation),
            prepared(&[TEXT, TIMESTAMPTZ], Gives::Like(1), prepare_truncation),
            prepared(
                &[TEXT, DATE],
                Gives::Is(DataType::Timestamp),
                prepare_truncation,
            ),
        ],
    ),
];

fn field(name: &str) -> Result<Field, Failure> {
    Field::parse(name).ok_or_else(|| format!("no field `{name}` of a date or time").into())
}

/// A body that is given the field that the first argument names, and the other arguments: read now where it is a constant, otherwise each time.
pub(super) fn with_field(
    constants: &[Option<Argument<'_>>],
    body: impl Fn(&mut Call<'_>, Field, &[Argument<'_>]) -> Outcome + Send + Sync + 'static,
) -> Result<PreparedBody, Failure> {
    Ok(match constants[0] {
        Some(name) if !name.is_null() => {
            let field = field(name.text())?;
            Box::new(move |call, arguments| body(call, field, &arguments[1..]))
        }
        _ => Box::new(move |call, arguments| {
            body(call, field(arguments[0].text())?, &arguments[1..])
        }),
    })
}

fn prepare(
    function: &Function,
    constants: &[Option<Argument<'_>>],
) -> Result<PreparedBody, Failure> {
    let (from, result) = (function.arguments[1], function.result);
    with_field(constants, move |_, field, rest| {
        let value = rest[0];
        let value = match from {
            DataType::Interval => of_interval(field, value.interval()),
            DataType::Time => of_time(field, value.integer()),
            DataType::Date => of_date(field, value.integer()),
            _ => Some(datetime::extract(field, value.integer())),
        };
        let value = value.ok_or_else(|| Failure::from(format!("{from} has no field {field:?}")))?;
        Ok(match (result, field) {
            (DataType::BigInt, _) if field.has_fraction() => {
                return Err(format!("{field:?} is no whole number").into());
            }
            (DataType::BigInt, _) => Returned::Integer(value),
            (DataType::Double, _) => Returned::Float(value as f64 / unit(field) as f64),
            (_, _) => Returned::Integer(value * (MICROS_PER_SECOND / unit(field))),
        })
    })
}

/// What is wrong with taking this field of values of a type, which no value of it has.
pub(crate) fn missing_field(function: &str, name: &str, from: DataType) -> Option<String> {
    if !["extract", "extract_fraction", "date_part"].contains(&function) {
        return None;
    }
    let field = Field::parse(name)?;
    let has = match from {
        DataType::Interval => of_interval(field, Interval::default()).is_some(),
        DataType::Time => of_time(field, 0).is_some(),
        DataType::Date => of_date(field, 0).is_some(),
        _ => true,
    };
    (!has).then(|| format!("{from} has no field {}", name.to_uppercase()))
}

/// How many of the extracted units make a whole.
fn unit(field: Field) -> i64 {
    match field {
        Field::Second | Field::Epoch => MICROS_PER_SECOND,
        Field::Millisecond => 1000,
        _ => 1,
    }
}

fn of_date(field: Field, date: i64) -> Option<i64> {
    let is_time = matches!(
        field,
        Field::Hour | Field::Minute | Field::Second | Field::Millisecond | Field::Microsecond
    );
    (!is_time).then(|| datetime::extract(field, date * MICROS_PER_DAY))
}

fn of_time(field: Field, time: i64) -> Option<i64> {
    match field {
        Field::Hour
        | Field::Minute
        | Field::Second
        | Field::Millisecond
        | Field::Microsecond
        | Field::Epoch => Some(datetime::extract(field, time)),
        _ => None,
    }
}

fn of_interval(field: Field, interval: Interval) -> Option<i64> {
    let Interval {
        months,
        days,
        micros,
    } = interval;
    Some(match field {
        Field::Year => i64::from(months / 12),
        Field::Quarter => i64::from(months % 12 / 3 + 1),
        Field::Month => i64::from(months % 12),
        Field::Day => i64::from(days),
        Field::Hour => micros / (3600 * MICROS_PER_SECOND),
        Field::Minute => micros / (60 * MICROS_PER_SECOND) % 60,
        Field::Second | Field::Millisecond | Field::Microsecond => {
            micros % (60 * MICROS_PER_SECOND)
        }
        // A year counts as 365.25 days here, a month as 30, as in PostgreSQL.
        Field::Epoch => {
            let years = i64::from(months / 12) * (MICROS_PER_DAY / 4 * 1461);
            let days =
                (i64::from(months % 12) * 30 + i64::from(days)).checked_mul(MICROS_PER_DAY)?;
            years.checked_add(days)?.checked_add(micros)?
        }
        _ => return None,
    })
}

/// True where a field is a span of time that a time begins with.
pub(super) fn is_span(field: Field) -> bool {
    !matches!(
        field,
        Field::Epoch | Field::DayOfWeek | Field::IsoDayOfWeek | Field::DayOfYear
    )
}

fn prepare_truncation(
    function: &Function,
    constants: &[Option<Argument<'_>>],
) -> Result<PreparedBody, Failure> {
    let unit = if function.arguments[1] == DataType::Date {
        MICROS_PER_DAY
    } else {
        1
    };
    with_field(constants, move |_, field, rest| {
        if !is_span(field) {
            return Err(format!("{field:?} is no span of time that a time begins with").into());
        }
        Ok(Returned::Integer(truncate(field, rest[0].integer() * unit)))
    })
}
