//! Random rows, added and taken back in any order, against the model.

use ferrisstreams_topology::data::{DataType, Value};
use proptest::prelude::*;

use super::group::{Group, Pair, aggregate};
use super::model::expected;
use crate::plan::{Aggregate, AggregateFunction};

const FUNCTIONS: [AggregateFunction; 15] = [
    AggregateFunction::CountRows,
    AggregateFunction::Count,
    AggregateFunction::Sum,
    AggregateFunction::Avg,
    AggregateFunction::Min,
    AggregateFunction::Max,
    AggregateFunction::Every,
    AggregateFunction::Some,
    AggregateFunction::BitAnd,
    AggregateFunction::BitOr,
    AggregateFunction::BitXor,
    AggregateFunction::StddevPop,
    AggregateFunction::StddevSamp,
    AggregateFunction::VarPop,
    AggregateFunction::VarSamp,
];

const fn decimal(precision: u8, scale: u8) -> DataType {
    DataType::Decimal { precision, scale }
}

/// Types, and values of them.
const POOLS: &[(DataType, &[&str])] = &[
    (DataType::Boolean, &["true", "false"]),
    (DataType::TinyInt, &["-128", "-1", "0", "1", "6", "127"]),
    (DataType::SmallInt, &["-32768", "-1", "0", "255", "32767"]),
    (
        DataType::Int,
        &["-2147483648", "-7", "0", "3", "2147483647"],
    ),
    (
        DataType::BigInt,
        &[
            "-9223372036854775808",
            "-7",
            "0",
            "3",
            "9223372036854775807",
        ],
    ),
    (
        decimal(10, 2),
        &["-99999999.99", "-0.01", "0", "0.10", "19.99", "99999999.99"],
    ),
    (
        decimal(18, 9),
        &["-0.000000001", "0.333333333", "123456789.123456789"],
    ),
    (
        decimal(30, 3),
        &[
            "-999999999999999999999999999.999",
            "0.001",
            "0",
            "123456789012345678901.5",
        ],
    ),
    (
        DataType::Real,
        &[
            "-1.5",
            "-0",
            "0",
            "0.125",
            "1024",
            "NaN",
            "Infinity",
            "-Infinity",
        ],
    ),
    (
        DataType::Double,
        &[
            "-1.5",
            "-0",
            "0",
            "0.125",
            "1048576.25",
            "NaN",
            "Infinity",
            "-Infinity",
        ],
    ),
    (
        DataType::Double,
        &["-1.5", "-0.375", "0", "0.125", "1000.75"],
    ),
    (DataType::TEXT, &["", "a", "ab", "b", "Zebra", "\u{e9}"]),
    (
        DataType::Bytes,
        &["\\x", "\\x00", "\\x0000", "\\x00ff", "\\xff"],
    ),
    (DataType::Date, &["1969-12-31", "1970-01-01", "2024-02-29"]),
    (DataType::Time, &["00:00:00", "23:59:59.999999"]),
    (
        DataType::Timestamp,
        &["1969-12-31 23:59:59", "2024-02-29 12:00:00.5"],
    ),
    (
        DataType::TimestampTz,
        &["1969-12-31 23:59:59+00", "2024-02-29 12:00:00.5+02"],
    ),
    (
        DataType::Interval,
        &[
            "1 month",
            "30 days",
            "-1 month",
            "25:00:00",
            "1 day 01:00:00",
            "-00:00:00.000001",
        ],
    ),
];

/// Some of the aggregates that there are over a type.
fn some_aggregates(data_type: DataType, chosen: u64) -> Vec<Aggregate> {
    let all = FUNCTIONS.iter().flat_map(|function| {
        [(false, false), (true, false), (false, true), (true, true)]
            .into_iter()
            .filter_map(|(distinct, filtered)| aggregate(*function, data_type, distinct, filtered))
    });
    let chosen = all.enumerate().filter(|(at, _)| chosen >> at & 1 == 1);
    chosen.map(|(_, aggregate)| aggregate).collect()
}

/// Rows by the places of their values in the pool, and when they come and go.
#[derive(Debug, Clone)]
struct Visit {
    value: usize,
    filter: usize,
    comes: u16,
    goes: Option<u16>,
}

fn visits() -> impl Strategy<Value = Vec<Visit>> {
    let goes = proptest::option::weighted(0.4, any::<u16>());
    let visit =
        (0..9usize, 0..3usize, any::<u16>(), goes).prop_map(|(value, filter, comes, goes)| Visit {
            value,
            filter,
            comes,
            goes,
        });
    proptest::collection::vec(visit, 0..24)
}

fn pair(visit: &Visit, (data_type, texts): &(DataType, &[&str])) -> Pair {
    let value = match texts.get(visit.value) {
        Some(text) => Value::parse(text, *data_type).expect("a value of the pool"),
        None => Value::Null,
    };
    let filters = [Value::Boolean(true), Value::Boolean(false), Value::Null];
    (value, filters[visit.filter].clone())
}

/// Whether a result is the one that is wanted. Those measures that the model computes with doubles
/// need only be near it.
fn agrees(aggregate: &Aggregate, result: &Value, wanted: &str) -> bool {
    let is_near = match (aggregate.function, result) {
        (
            AggregateFunction::StddevPop
            | AggregateFunction::StddevSamp
            | AggregateFunction::VarPop
            | AggregateFunction::VarSamp,
            Value::Double(result),
        ) => {
            let wanted: f64 = wanted.parse().unwrap_or(f64::NAN);
            (result - wanted).abs() <= wanted.abs() * 1e-12
        }
        _ => false,
    };
    is_near || result.to_string() == wanted
}

fn check(group: &Group, aggregates: &[Aggregate], rows: &[Pair]) -> Result<(), TestCaseError> {
    let (results, failure) = group.results().expect("a group");
    prop_assert_eq!(failure, None);
    for (aggregate, result) in aggregates.iter().zip(&results) {
        let wanted = expected(aggregate, rows);
        prop_assert!(
            agrees(aggregate, result, &wanted),
            "{result}, not {wanted}: {aggregate:?}"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_is_gathered_is_what_the_rows_are(
        pool in 0..POOLS.len(),
        chosen in any::<u64>(),
        visits in visits(),
        key in proptest::option::of(any::<i64>()),
    ) {
        let pool = &POOLS[pool];
        let aggregates = some_aggregates(pool.0, chosen);
        let pairs: Vec<Pair> = visits.iter().map(|visit| pair(visit, pool)).collect();
        let mut changes: Vec<(u16, &Pair, i64)> = Vec::new();
        for (visit, pair) in visits.iter().zip(&pairs) {
            changes.push((visit.comes, pair, 1));
            changes.extend(visit.goes.map(|goes| (goes, pair, -1)));
        }
        changes.sort_by_key(|(time, ..)| *time);
        let stayed = visits.iter().zip(&pairs).filter(|(visit, _)| visit.goes.is_none());
        let stayed: Vec<Pair> = stayed.map(|(_, pair)| pair.clone()).collect();

        let mut group = Group::new(aggregates.clone(), true, key);
        group.change(changes.iter().map(|(_, pair, weight)| (*pair, *weight)));
        group.restart();
        if key.is_none() || !stayed.is_empty() {
            check(&group, &aggregates, &stayed)?;
        }
        // When all are gone, nothing is left; of a group of all rows, its beginnings.
        group.change(stayed.iter().map(|pair| (pair, -1)));
        prop_assert_eq!(group.state(), key.is_none().then(|| group.plan.initial()));
    }

    #[test]
    fn rows_that_stay_are_gathered_with_less(
        pool in 0..POOLS.len(),
        chosen in any::<u64>(),
        visits in visits(),
        key in proptest::option::of(any::<i64>()),
    ) {
        let pool = &POOLS[pool];
        let aggregates = some_aggregates(pool.0, chosen);
        let pairs: Vec<Pair> = visits.iter().map(|visit| pair(visit, pool)).collect();
        let mut group = Group::new(aggregates.clone(), false, key);
        let half = pairs.len() / 2;
        group.change(pairs[..half].iter().map(|pair| (pair, 1)));
        group.restart();
        group.change(pairs[half..].iter().map(|pair| (pair, 1)));
        if key.is_none() || !pairs.is_empty() {
            check(&group, &aggregates, &pairs)?;
        }
    }
}
