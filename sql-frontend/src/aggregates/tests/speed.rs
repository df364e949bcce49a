//! How long a record takes: `cargo test --release -p ferrisstreams-sql-frontend -- --ignored
//! --nocapture speed`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use ferrisstreams_topology::Result;
use ferrisstreams_topology::codec::{row, row_key};
use ferrisstreams_topology::data::{DataType, Field, Row, RowBuffer, RowLayout, Schema};
use ferrisstreams_topology::dsl::{
    AggregateOptions, Aggregator, Consumed, Grouped, Materialized, Multisets, StreamsBuilder,
};
use ferrisstreams_topology::record::Record;
use ferrisstreams_topology::store::{State, StateOptions};
use ferrisstreams_topology::test_driver::{DriverOptions, TopologyTestDriver};

use super::group::aggregate;
use crate::aggregates::plan::schema_of;
use crate::aggregates::{AggState, AggregatePlan};
use crate::plan::AggregateFunction;

const RECORDS: u64 = 4_000_000;

/// Gathers each record many times over, to have the time of that alone.
struct Repeated {
    plan: Arc<AggregatePlan>,
    times: usize,
}

impl Aggregator<Row, Row> for Repeated {
    type State = AggState;

    fn add(
        &self,
        key: &Row,
        value: &Row,
        state: &mut Option<AggState>,
        sets: &mut Multisets<'_, Row>,
    ) -> Result<()> {
        for _ in 0..self.times {
            self.plan
                .add(black_box(key), black_box(value), state, sets)?;
        }
        Ok(())
    }

    fn subtract(
        &self,
        key: &Row,
        value: &Row,
        state: &mut Option<AggState>,
        sets: &mut Multisets<'_, Row>,
    ) -> Result<()> {
        self.plan.subtract(key, value, state, sets)
    }
}

/// Nanoseconds a record for COUNT(*), SUM and AVG of a DECIMAL(10, 2) over so many keys, and for
/// writing results.
fn measure(keys: u64, records: u64, times: usize) -> (f64, f64) {
    let money = DataType::Decimal {
        precision: 10,
        scale: 2,
    };
    let functions = [
        AggregateFunction::CountRows,
        AggregateFunction::Sum,
        AggregateFunction::Avg,
    ];
    let aggregates = functions.map(|f| aggregate(f, money, false, false).expect("an aggregate"));
    let plan = Arc::new(AggregatePlan::new(&aggregates, false));
    let key_schema = Schema::new(vec![Field::new("key", DataType::BigInt)]);
    let builder = StreamsBuilder::new();
    let aggregator = Repeated {
        plan: plan.clone(),
        times,
    };
    builder
        .stream::<Row, Row>("rows", Consumed::with(row(), row()))
        .group_by_key_as(Grouped::named("keys").codec(row_key(&key_schema)))
        .aggregate_with(
            aggregator,
            AggregateOptions {
                materialized: Materialized::with(
                    "groups",
                    row_key(&key_schema),
                    plan.state_codec(),
                ),
                multisets: plan.uses_multisets(),
                seed: None,
                queryable: true,
            },
        );
    let topology = builder.build().expect("a topology");
    let options = DriverOptions {
        max_run: 1024,
        at_once: false,
        ..DriverOptions::default()
    };
    let state = State::in_memory(StateOptions::default());
    let mut driver = TopologyTestDriver::with(&topology, state, options).expect("a driver");
    let input = driver.input::<Row, Row>("rows");
    let (key_layout, layout) = (
        RowLayout::new(&key_schema),
        RowLayout::new(&schema_of(plan.arguments())),
    );
    let mut spent = 0.0;
    for batch in 0..records / 1024 {
        let mut rows = RowBuffer::new();
        let spans: Vec<_> = (0..1024)
            .map(|at| {
                let number = (batch * 1024 + at).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
                let mut key = rows.begin(&key_layout);
                key.set_integer(0, (number % keys) as i64);
                let key = key.finish();
                let mut arguments = rows.begin(&layout);
                (0..layout.len())
                    .for_each(|column| arguments.set_integer(column, (number % 99_999) as i64));
                (key, arguments.finish())
            })
            .collect();
        let frozen = rows.freeze();
        let records = spans
            .iter()
            .map(|(key, value)| Record::new(frozen.row(*key), frozen.row(*value), 0));
        driver
            .pipe_records(&input, 0, records.collect())
            .expect("rows");
        let start = Instant::now();
        driver.process().expect("rows that are gathered");
        spent += start.elapsed().as_secs_f64();
    }
    driver.commit().expect("a commit");
    let table = driver.table::<Row, AggState>("groups");
    let mut key = RowBuffer::new();
    let mut writer = key.begin(&key_layout);
    writer.set_integer(0, 0);
    let span = writer.finish();
    let state = table
        .get(Row::from_bytes(key.get(span)))
        .expect("a state")
        .expect("a group");
    let fields = aggregates.iter().map(|a| Field::new("result", a.data_type));
    let results = RowLayout::new(&fields.collect::<Schema>());
    let start = Instant::now();
    let mut out = RowBuffer::new();
    for _ in 0..1_000_000 {
        out.clear();
        let mut writer = out.begin(&results);
        assert_eq!(plan.finish(black_box(&state), &mut writer, 0), None);
        black_box(writer.finish());
    }
    let finish = start.elapsed().as_secs_f64() * 1e9 / 1e6;
    (spent * 1e9 / records as f64, finish)
}

#[test]
#[ignore = "it measures"]
#[allow(clippy::print_stdout, reason = "it prints what it measures")]
fn speed() {
    let (once, finish) = measure(1000, RECORDS / 4, 1);
    let (often, _) = measure(1000, RECORDS / 4, 101);
    println!("add alone: {:.1} ns a record", (often - once) / 100.0);
    println!("results:   {finish:.1} ns a group");
    println!("step, one key in a thousand: {once:.1} ns a record");
    let (many, _) = measure(1_000_000, RECORDS, 1);
    println!("step, one key in a million:  {many:.1} ns a record");
}
