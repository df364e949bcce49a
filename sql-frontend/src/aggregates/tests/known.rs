//! Known results, at the limits of types too.

use ferrisstreams_topology::data::{DataType, MAX_DECIMAL_PRECISION, Value};

use super::group::{Group, Pair, aggregate};
use crate::aggregates::AggregatePlan;
use crate::plan::{Aggregate, AggregateFunction};

fn of(function: AggregateFunction, data_type: DataType) -> Aggregate {
    aggregate(function, data_type, false, false).expect("an aggregate of this type")
}

fn pair(text: &str, data_type: DataType) -> Pair {
    let value = match text {
        "NULL" => Value::Null,
        text => Value::parse(text, data_type).expect("a value"),
    };
    (value, Value::Null)
}

fn shown(group: &Group) -> (Vec<String>, Option<String>) {
    let (results, failure) = group.results().expect("a group");
    (results.iter().map(Value::to_string).collect(), failure)
}

#[test]
fn results_of_few_values() {
    use AggregateFunction::*;
    let decimal = DataType::Decimal {
        precision: 6,
        scale: 2,
    };
    let cases: &[(AggregateFunction, DataType, &[&str], &str)] = &[
        (Avg, DataType::Int, &["1", "2", "NULL", "2"], "1.666667"),
        (Avg, DataType::Int, &["-1", "-2", "-2"], "-1.666667"),
        (Avg, decimal, &["0.01", "0.02"], "0.015000"),
        (Sum, DataType::Double, &["1e300", "1", "-1e300"], "1"),
        (
            Sum,
            DataType::Double,
            &["0.1", "0.2", "0.3", "-0.6"],
            "2.7755575615628914e-17",
        ),
        (Sum, DataType::Double, &["Infinity", "-Infinity"], "NaN"),
        (
            Avg,
            DataType::Double,
            &["1.7976931348623157e308", "1.7976931348623157e308"],
            "1.7976931348623157e+308",
        ),
        (Avg, DataType::Real, &["1", "2"], "1.5"),
        (VarPop, DataType::Int, &["1", "2", "3", "4"], "1.25"),
        (
            VarSamp,
            decimal,
            &["1", "2", "3", "4"],
            "1.6666666666666667",
        ),
        (
            StddevPop,
            DataType::BigInt,
            &["9223372036854775807", "9223372036854775805"],
            "1",
        ),
        (StddevSamp, DataType::Int, &["5"], "NULL"),
        (StddevPop, DataType::Int, &["5"], "0"),
        (StddevPop, DataType::Double, &["1e200", "-1e200"], "1e+200"),
        (
            VarPop,
            DataType::Double,
            &["1000000.1", "1000000.1", "1000000.1"],
            "0",
        ),
        (
            Avg,
            DataType::Interval,
            &["1 month", "2 months"],
            "1 mon 15 days",
        ),
        (
            Avg,
            DataType::Interval,
            &["1 day", "00:00:01"],
            "12:00:00.5",
        ),
        (
            Sum,
            DataType::Interval,
            &["1 month", "30 days", "25:00:00"],
            "1 mon 30 days 25:00:00",
        ),
        (BitAnd, DataType::TinyInt, &["-1", "-2", "-128"], "-128"),
        (Every, DataType::Boolean, &["NULL", "true"], "true"),
        (Some, DataType::Boolean, &["NULL"], "NULL"),
        (Count, DataType::Boolean, &["NULL"], "0"),
    ];
    for (function, data_type, values, wanted) in cases {
        for retractable in [false, true] {
            let mut group = Group::new(
                vec![of(*function, *data_type)],
                retractable,
                Option::Some(1),
            );
            let pairs: Vec<Pair> = values.iter().map(|text| pair(text, *data_type)).collect();
            group.change(pairs.iter().map(|pair| (pair, 1)));
            let (results, failure) = shown(&group);
            assert_eq!(results[0], *wanted, "{function:?} of {values:?}");
            assert_eq!(failure, None);
        }
    }
}

#[test]
fn sums_beyond_their_type_are_null_and_come_back() {
    let wide = DataType::Decimal {
        precision: MAX_DECIMAL_PRECISION,
        scale: 2,
    };
    let functions = [
        AggregateFunction::Sum,
        AggregateFunction::Avg,
        AggregateFunction::Max,
        AggregateFunction::StddevPop,
    ];
    let aggregates = functions.map(|function| of(function, wide));
    let mut group = Group::new(aggregates.to_vec(), true, Some(1));
    let most = format!("{}.99", "9".repeat(36));
    let (most, one) = (pair(&most, wide), pair("1", wide));
    group.change([(&one, 1), (&most, 1), (&most, 1), (&most, 1)]);
    let (results, failure) = shown(&group);
    let deviation = "4.330127018922193e+35";
    assert_eq!(results, ["NULL", "NULL", &most.0.to_string(), deviation]);
    let failure = failure.expect("a sum that does not fit");
    let sum = format!("3{}.97", "0".repeat(36));
    let wanted = [
        format!("SUM gives {sum}, which DECIMAL(38, 2) does not hold"),
        format!("AVG gives {sum} / 4, which DECIMAL(38, 6) does not hold"),
    ];
    assert_eq!(failure, wanted.join("; "));
    group.change([(&most, -1), (&most, -1), (&most, -1)]);
    let (results, failure) = shown(&group);
    assert_eq!(results, ["1.00", "1.000000", "1.00", "0"]);
    assert_eq!(failure, None);
}

#[test]
fn floats_beyond_their_type_are_null_and_come_back() {
    for (data_type, most) in [(DataType::Double, "1.7e308"), (DataType::Real, "3e38")] {
        let mut group = Group::new(vec![of(AggregateFunction::Sum, data_type)], true, None);
        let most = pair(most, data_type);
        group.change([(&most, 1), (&most, 1)]);
        let (results, failure) = shown(&group);
        assert_eq!(results, ["NULL"]);
        assert_eq!(failure, Some(format!("SUM is out of range of {data_type}")));
        group.change([(&most, -1)]);
        assert_eq!(shown(&group), (vec![most.0.to_string()], None));
    }
}

#[test]
fn what_is_infinite_is_taken_back() {
    let double = DataType::Double;
    let functions = [
        AggregateFunction::Sum,
        AggregateFunction::Avg,
        AggregateFunction::VarPop,
    ];
    let aggregates = functions.map(|function| of(function, double));
    let mut group = Group::new(aggregates.to_vec(), true, Some(1));
    let [infinite, nan, half] = ["Infinity", "NaN", "0.5"].map(|text| pair(text, double));
    group.change([(&infinite, 1), (&half, 1)]);
    assert_eq!(shown(&group).0, ["Infinity", "Infinity", "NaN"]);
    group.change([(&nan, 1), (&infinite, -1)]);
    assert_eq!(shown(&group).0, ["NaN", "NaN", "NaN"]);
    group.change([(&nan, -1)]);
    assert_eq!(shown(&group).0, ["0.5", "0.5", "0"]);
}

#[test]
fn a_group_waits_for_rows_that_were_taken_back_first() {
    let int = DataType::Int;
    let functions = [AggregateFunction::Sum, AggregateFunction::Min];
    let mut group = Group::new(
        functions.map(|function| of(function, int)).to_vec(),
        true,
        Some(1),
    );
    let [three, five] = ["3", "5"].map(|text| pair(text, int));
    group.change([(&three, -1), (&five, 1)]);
    let state = group.state().expect("it knows of a row that is to come");
    assert!(!state.has_rows());
    group.restart();
    group.change([(&three, 1)]);
    assert_eq!(shown(&group).0, ["5", "5"]);
    assert!(group.state().is_some_and(|state| state.has_rows()));
    group.change([(&five, -1)]);
    assert_eq!(group.state(), None);
}

#[test]
fn a_group_of_all_rows_has_a_row_from_the_start() {
    let functions = [
        AggregateFunction::CountRows,
        AggregateFunction::Sum,
        AggregateFunction::Every,
    ];
    let types = [DataType::Int, DataType::Int, DataType::Boolean];
    let aggregates: Vec<Aggregate> = functions
        .into_iter()
        .zip(types)
        .map(|(function, data_type)| of(function, data_type))
        .collect();
    let group = Group::new(aggregates, true, None);
    assert_eq!(shown(&group).0, ["0", "NULL", "NULL"]);
}

#[test]
fn equal_parts_are_gathered_once() {
    use AggregateFunction::{Avg, Count, CountRows, Max, Min, Sum};
    let money = DataType::Decimal {
        precision: 10,
        scale: 2,
    };
    let plan = |functions: &[AggregateFunction], retractable| {
        let aggregates: Vec<Aggregate> = functions.iter().map(|f| of(*f, money)).collect();
        AggregatePlan::new(&aggregates, retractable)
    };
    // Rows, values, and a sum of two words.
    let shared = plan(&[CountRows, Sum, Avg, Count, Sum], false);
    let form = shared.state_codec();
    let mut bytes = Vec::new();
    form.encode(&shared.initial(), &mut bytes)
        .expect("it has a form");
    assert_eq!(bytes, [0; 4]);
    assert_eq!(shared.arguments().len(), 1);
    assert!(!plan(&[Min, Max, Sum], false).uses_multisets());
    assert!(plan(&[Min], true).uses_multisets());
    let distinct = aggregate(Count, money, true, false).expect("a count");
    assert!(AggregatePlan::new(&[distinct], false).uses_multisets());
}

#[test]
fn the_form_of_states_names_what_they_are_of() {
    let aggregates = [
        aggregate(AggregateFunction::CountRows, DataType::Int, false, true),
        aggregate(AggregateFunction::Sum, DataType::Int, true, false),
        aggregate(AggregateFunction::Min, DataType::TEXT, true, false),
    ];
    let aggregates: Vec<Aggregate> = aggregates.into_iter().flatten().collect();
    let name = AggregatePlan::new(&aggregates, true).state_codec().name();
    let wanted =
        "aggregates/1 (retractable COUNT(* 0) FILTER, SUM(DISTINCT INT 1), MIN(VARCHAR 2))";
    assert_eq!(name, wanted);
}

#[test]
#[should_panic(expected = "taken back")]
fn rows_that_stay_cannot_be_taken_back() {
    let mut group = Group::new(
        vec![of(AggregateFunction::Min, DataType::Int)],
        false,
        Some(1),
    );
    group.change([(&pair("1", DataType::Int), -1)]);
}
