//! What aggregates are, computed from all rows at once.

use std::cmp::Ordering;

use ferrisstreams_topology::data::{DataType, Interval, Value};

use super::group::Pair;
use crate::plan::{Aggregate, AggregateFunction};

/// The result of an aggregate over rows, as text.
pub(super) fn expected(aggregate: &Aggregate, rows: &[Pair]) -> String {
    let counts = |filter: &Value| aggregate.filter.is_none() || *filter == Value::Boolean(true);
    let rows = rows.iter().filter(|(_, filter)| counts(filter));
    if aggregate.function == AggregateFunction::CountRows {
        return rows.count().to_string();
    }
    let mut values: Vec<Value> = rows
        .map(|(value, _)| canonical(value))
        .filter(|value| !value.is_null())
        .collect();
    values.sort_by(order);
    if aggregate.distinct {
        values.dedup_by(|a, b| order(a, b) == Ordering::Equal);
    }
    if aggregate.function == AggregateFunction::Count {
        return values.len().to_string();
    }
    if values.is_empty() {
        return "NULL".to_owned();
    }
    result(aggregate, &values)
}

fn result(aggregate: &Aggregate, values: &[Value]) -> String {
    let text = |value: Value| value.to_string();
    let all = |f: fn(i64, i64) -> i64| {
        let bits = values.iter().map(|value| whole(value) as i64).reduce(f);
        text(Value::Integer(bits.expect("some values")))
    };
    match aggregate.function {
        AggregateFunction::CountRows | AggregateFunction::Count => unreachable!("counted before"),
        AggregateFunction::Sum => text(sum(aggregate.data_type, values)),
        AggregateFunction::Avg => text(average(aggregate.data_type, values)),
        AggregateFunction::Min => text(values[0].clone()),
        AggregateFunction::Max => text(values[values.len() - 1].clone()),
        AggregateFunction::Every => text(Value::Boolean(
            values.iter().all(|value| *value == Value::Boolean(true)),
        )),
        AggregateFunction::Some => text(Value::Boolean(values.contains(&Value::Boolean(true)))),
        AggregateFunction::BitAnd => all(|a, b| a & b),
        AggregateFunction::BitOr => all(|a, b| a | b),
        AggregateFunction::BitXor => all(|a, b| a ^ b),
        AggregateFunction::StddevPop => spread(values, false, f64::sqrt),
        AggregateFunction::StddevSamp => spread(values, true, f64::sqrt),
        AggregateFunction::VarPop => spread(values, false, |variance| variance),
        AggregateFunction::VarSamp => spread(values, true, |variance| variance),
    }
}

/// The value that stands for all that are equal to it.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Double(f) if f.is_nan() => Value::Double(f64::NAN),
        Value::Real(f) if f.is_nan() => Value::Real(f32::NAN),
        Value::Double(f) => Value::Double(f + 0.0),
        Value::Real(f) => Value::Real(f + 0.0),
        other => other.clone(),
    }
}

fn order(a: &Value, b: &Value) -> Ordering {
    let rank = |span: &Interval| (span.approximate_micros(), span.months, span.days);
    match (a, b) {
        (Value::Double(_) | Value::Real(_), _) => {
            let (a, b) = (float(a), float(b));
            a.partial_cmp(&b)
                .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
        }
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Interval(a), Value::Interval(b)) => rank(a).cmp(&rank(b)),
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        _ => whole(a).cmp(&whole(b)),
    }
}

fn whole(value: &Value) -> i128 {
    match value {
        Value::Integer(n) | Value::Time(n) | Value::Timestamp(n) | Value::TimestampTz(n) => {
            i128::from(*n)
        }
        Value::Date(n) => i128::from(*n),
        Value::Decimal { unscaled, .. } => *unscaled,
        other => unreachable!("{other:?} is no whole number"),
    }
}

fn float(value: &Value) -> f64 {
    match value {
        Value::Double(f) => *f,
        Value::Real(f) => f64::from(*f),
        Value::Decimal { unscaled, scale } => *unscaled as f64 / 10f64.powi(i32::from(*scale)),
        other => whole(other) as f64,
    }
}

/// The sum; floating-point numbers are few and of few digits, so that theirs is exact.
fn sum(data_type: DataType, values: &[Value]) -> Value {
    let floats = || values.iter().map(float).sum::<f64>();
    match data_type {
        DataType::BigInt => Value::Integer(values.iter().map(whole).sum::<i128>() as i64),
        DataType::Decimal { scale, .. } => Value::Decimal {
            unscaled: values.iter().map(whole).sum(),
            scale,
        },
        DataType::Double => Value::Double(floats()),
        DataType::Real => Value::Real(floats() as f32),
        _ => Value::Interval(intervals(values, 1)),
    }
}

fn average(data_type: DataType, values: &[Value]) -> Value {
    let count = values.len() as i128;
    match data_type {
        DataType::Decimal { scale, .. } => {
            let from = match values[0] {
                Value::Decimal { scale, .. } => scale,
                _ => 0,
            };
            let sum: i128 = values.iter().map(whole).sum();
            let scaled = sum * 10i128.pow(u32::from(scale - from));
            let rounded = (scaled.abs() * 2 + count) / (count * 2);
            Value::Decimal {
                unscaled: rounded * scaled.signum(),
                scale,
            }
        }
        DataType::Double => {
            Value::Double(values.iter().map(float).sum::<f64>() / values.len() as f64)
        }
        _ => Value::Interval(intervals(values, count)),
    }
}

fn intervals(values: &[Value], count: i128) -> Interval {
    let (mut months, mut days, mut micros) = (0i128, 0i128, 0i128);
    for value in values {
        let Value::Interval(span) = value else {
            unreachable!("{value:?} is no interval");
        };
        months += i128::from(span.months);
        days += i128::from(span.days);
        micros += i128::from(span.micros);
    }
    let day = 86_400_000_000;
    days += (months - months / count * count) * 30;
    micros += (days - days / count * count) * day;
    let rounded = (micros.abs() * 2 + count) / (count * 2) * micros.signum();
    Interval {
        months: (months / count) as i32,
        days: (days / count) as i32,
        micros: rounded as i64,
    }
}

/// A measure of spread, computed by differences from the mean, which costs it some digits.
fn spread(values: &[Value], sample: bool, measure: fn(f64) -> f64) -> String {
    let divisor = values.len() - usize::from(sample);
    if divisor == 0 {
        return "NULL".to_owned();
    }
    let first = &values[0];
    let differences: Vec<f64> = match first {
        Value::Double(_) | Value::Real(_) => values
            .iter()
            .map(|value| float(value) - float(first))
            .collect(),
        _ => {
            let unit = float(&match first {
                Value::Decimal { scale, .. } => Value::Decimal {
                    unscaled: 1,
                    scale: *scale,
                },
                _ => Value::Integer(1),
            });
            values
                .iter()
                .map(|value| (whole(value) - whole(first)) as f64 * unit)
                .collect()
        }
    };
    let mean = differences.iter().sum::<f64>() / values.len() as f64;
    let squares = differences
        .iter()
        .map(|difference| (difference - mean).powi(2));
    Value::Double(measure(squares.sum::<f64>() / divisor as f64)).to_string()
}
