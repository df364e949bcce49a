//! Aggregates over a table whose rows change, also the groups that they belong to.

use std::sync::Arc;

use ferrisstreams_topology::Topology;
use ferrisstreams_topology::codec::{Key, plain, row, row_key};
use ferrisstreams_topology::data::decimal::sum_type;
use ferrisstreams_topology::data::{DataType, Field, Row, RowBuffer, RowLayout, Schema, Value};
use ferrisstreams_topology::dsl::{
    AggregateOptions, Consumed, Grouped, Materialized, StreamsBuilder,
};
use ferrisstreams_topology::store::{State, StateOptions};
use ferrisstreams_topology::test_driver::{DriverOptions, TopologyTestDriver};

use super::group::{aggregate, written};
use crate::aggregates::plan::schema_of;
use crate::aggregates::{AggState, AggregatePlan};
use crate::plan::AggregateFunction;

const MONEY: DataType = DataType::Decimal {
    precision: 10,
    scale: 2,
};

/// Lines `id group price`, and `id` for a row that is removed; after each `=`, what the groups are.
const SCRIPT: &str = "\
1 1 5.00
2 1 7.50
3 2 7.50
= 1: 12.50 7.50 2
= 2: 7.50 7.50 1
2 1 5.00
= 1: 10.00 5.00 1
= 2: 7.50 7.50 1
1 2 9.99
= 1: 5.00 5.00 1
= 2: 17.49 9.99 2
1
2
= 2: 7.50 7.50 1
3
=
";

#[test]
fn groups_follow_the_rows_of_a_table() {
    for lanes in [1, 3] {
        let mut table = Groups::new(lanes);
        let mut wanted = Vec::new();
        for line in SCRIPT.lines().chain([""]) {
            if let Some(group) = line.strip_prefix('=') {
                wanted.extend(Some(group.trim()).filter(|group| !group.is_empty()));
                table.is_settled = true;
                continue;
            }
            if std::mem::take(&mut table.is_settled) {
                assert_eq!(table.shown(), std::mem::take(&mut wanted), "{lanes} lanes");
            }
            table.change(line);
        }
    }
}

/// A table of groups and prices, and what is gathered of it.
struct Groups {
    plan: Arc<AggregatePlan>,
    driver: TopologyTestDriver,
    /// Whether it stands in the script what the groups are now.
    is_settled: bool,
}

fn keys() -> Schema {
    Schema::new(vec![Field::new("group", DataType::BigInt)])
}

fn rows() -> Schema {
    Schema::new(vec![
        Field::new("group", DataType::BigInt),
        Field::new("price", MONEY),
    ])
}

impl Groups {
    fn new(lanes: u16) -> Self {
        let aggregates = [
            aggregate(AggregateFunction::Sum, MONEY, false, false),
            aggregate(AggregateFunction::Max, MONEY, false, false),
            aggregate(AggregateFunction::Count, MONEY, true, false),
        ];
        let aggregates: Vec<_> = aggregates.into_iter().flatten().collect();
        let plan = Arc::new(AggregatePlan::new(&aggregates, true));
        let topology = topology(&plan);
        let options = DriverOptions {
            lanes,
            ..DriverOptions::default()
        };
        let state = State::in_memory(StateOptions::default());
        Groups {
            driver: TopologyTestDriver::with(&topology, state, options).expect("a driver"),
            plan,
            is_settled: false,
        }
    }

    fn change(&mut self, line: &str) {
        let input = self.driver.input::<i64, Row>("rows");
        let fields: Vec<&str> = line.split(' ').collect();
        match fields[..] {
            [id, group, price] => {
                let group = Value::parse(group, DataType::BigInt).expect("a number");
                let price = Value::parse(price, MONEY).expect("a price");
                let row = Row::from_bytes(&written(&rows(), &[group, price]));
                let id: i64 = id.parse().expect("a number");
                self.driver.pipe(&input, id, row, 0).expect("a row");
            }
            [id] if !id.is_empty() => {
                let id: i64 = id.parse().expect("a number");
                self.driver
                    .pipe_delete(&input, id, 0)
                    .expect("a row that goes");
            }
            _ => {}
        }
    }

    fn shown(&self) -> Vec<String> {
        let types = [sum_type(MONEY), Some(MONEY), Some(DataType::BigInt)];
        let fields = types.into_iter().flatten().map(|t| Field::new("result", t));
        let schema: Schema = fields.collect();
        let layout = RowLayout::new(&schema);
        let table = self.driver.table::<Row, AggState>("groups");
        let group = |group: i64| {
            let key = Row::from_bytes(&written(&keys(), &[Value::Integer(group)]));
            let state = table.get(key).expect("a state that can be read")?;
            let mut buffer = RowBuffer::new();
            let mut writer = buffer.begin(&layout);
            assert_eq!(self.plan.finish(&state, &mut writer, 0), None);
            let span = writer.finish();
            let values = Value::read_all(buffer.get(span), &layout, &schema);
            let values: Vec<String> = values.iter().map(Value::to_string).collect();
            Some(format!("{group}: {}", values.join(" ")))
        };
        (1..=2).filter_map(group).collect()
    }
}

fn topology(plan: &Arc<AggregatePlan>) -> Topology {
    let layout = RowLayout::new(&rows());
    let arguments = schema_of(plan.arguments());
    let split = move |_: &i64, row: &Row| {
        let group = Value::read(row.bytes(), layout.slot(0), DataType::BigInt);
        let price = Value::read(row.bytes(), layout.slot(1), MONEY);
        let arguments = written(&arguments, &[price]);
        let group = written(&keys(), &[group]);
        (Row::from_bytes(&group), Row::from_bytes(&arguments))
    };
    let options = AggregateOptions {
        materialized: Materialized::with("groups", row_key(&keys()), plan.state_codec()),
        multisets: plan.uses_multisets(),
        seed: None,
        queryable: true,
    };
    let store = Materialized::with("rows", i64::codec(), row());
    let grouped = Grouped::named("by-group").codec(row_key(&keys()));
    let builder = StreamsBuilder::new();
    builder
        .table("rows", Consumed::with(plain(), row()), store)
        .filter_group_by(move |key, row| Some(split(key, row)), grouped)
        .aggregate_with(plan.clone(), options);
    builder.build().expect("a topology")
}
