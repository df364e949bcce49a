//! One group in a topology, that rows go into and are taken out of.

use std::sync::Arc;

use ferrisstreams_topology::Result;
use ferrisstreams_topology::codec::{plain, row, row_key};
use ferrisstreams_topology::data::{DataType, Field, Row, RowBuffer, RowLayout, Schema, Value};
use ferrisstreams_topology::dsl::{
    AggregateOptions, Aggregator, Consumed, Grouped, Materialized, Multisets, StreamsBuilder,
};
use ferrisstreams_topology::record::Record;
use ferrisstreams_topology::test_driver::{TestInput, TopologyTestDriver};

use crate::aggregates::plan::schema_of;
use crate::aggregates::{AggState, AggregatePlan, result_type};
use crate::plan::{Aggregate, AggregateFunction, Scalar};
use crate::span::Span;

/// An aggregate of a value, under a filter or not; both are columns of the same two places.
pub(super) fn aggregate(
    function: AggregateFunction,
    data_type: DataType,
    distinct: bool,
    filtered: bool,
) -> Option<Aggregate> {
    let column = |at, data_type| Scalar::column(at, data_type, true, Span::default());
    let (_, result) = result_type(function, data_type)?;
    let is_rows = function == AggregateFunction::CountRows;
    Some(Aggregate {
        function,
        argument: (!is_rows).then(|| column(0, data_type)),
        distinct: distinct && !is_rows,
        filter: filtered.then(|| column(1, DataType::Boolean)),
        data_type: result,
        span: Span::default().into(),
    })
}

/// A row before it is aggregated: a value, and what a filter says of it.
pub(super) type Pair = (Value, Value);

/// Adds what follows a one, and takes back what follows a zero.
struct Signed(Arc<AggregatePlan>);

impl Aggregator<Row, Vec<u8>> for Signed {
    type State = AggState;

    fn add(
        &self,
        key: &Row,
        value: &Vec<u8>,
        state: &mut Option<AggState>,
        sets: &mut Multisets<'_, Row>,
    ) -> Result<()> {
        let row = Row::from_bytes(&value[1..]);
        match value[0] {
            1 => self.0.add(key, &row, state, sets),
            _ => self.0.subtract(key, &row, state, sets),
        }
    }

    fn subtract(
        &self,
        _: &Row,
        _: &Vec<u8>,
        _: &mut Option<AggState>,
        _: &mut Multisets<'_, Row>,
    ) -> Result<()> {
        unreachable!("a stream takes nothing back")
    }
}

pub(super) struct Group {
    pub(super) plan: Arc<AggregatePlan>,
    aggregates: Vec<Aggregate>,
    driver: TopologyTestDriver,
    input: TestInput<Row, Vec<u8>>,
    key: Row,
}

impl Group {
    /// A group of a key; without one, that of all rows.
    pub(super) fn new(aggregates: Vec<Aggregate>, retractable: bool, key: Option<i64>) -> Group {
        let plan = Arc::new(AggregatePlan::new(&aggregates, retractable));
        let fields = key.map(|_| Field::new("key", DataType::BigInt));
        let schema: Schema = fields.into_iter().collect();
        let builder = StreamsBuilder::new();
        let consumed = Consumed::with(row(), plain());
        let grouped = Grouped::named("keys").codec(row_key(&schema));
        let options = AggregateOptions {
            materialized: Materialized::with("groups", row_key(&schema), plan.state_codec()),
            multisets: plan.uses_multisets(),
            seed: key.is_none().then(|| (Row::empty(), plan.initial())),
            queryable: true,
        };
        builder
            .stream::<Row, Vec<u8>>("rows", consumed)
            .group_by_key_as(grouped)
            .aggregate_with(Signed(plan.clone()), options);
        let topology = builder.build().expect("a topology");
        let driver = TopologyTestDriver::new(&topology).expect("a driver");
        let values: Vec<Value> = key.map(Value::Integer).into_iter().collect();
        Group {
            input: driver.input("rows"),
            key: Row::from_bytes(&written(&schema, &values)),
            plan,
            aggregates,
            driver,
        }
    }

    /// Adds rows, with a weight of 1, or takes them back, with one of -1.
    pub(super) fn change<'a>(&mut self, changes: impl IntoIterator<Item = (&'a Pair, i64)>) {
        let record = |(pair, weight): (&Pair, i64)| {
            let mut bytes = vec![u8::from(weight == 1)];
            bytes.extend(self.arguments(pair));
            Record::new(self.key.clone(), bytes, 0)
        };
        let records = changes.into_iter().map(record).collect();
        self.driver
            .pipe_records(&self.input, 0, records)
            .expect("rows that are gathered");
    }

    /// The row of arguments and filters that is made of a pair.
    fn arguments(&self, (value, filter): &Pair) -> Vec<u8> {
        let is_filter = |expr: &Scalar| {
            let mut aggregates = self.aggregates.iter();
            aggregates.any(|aggregate| aggregate.filter.as_ref() == Some(expr))
        };
        let arguments = self.plan.arguments();
        let value = |expr| if is_filter(expr) { filter } else { value };
        let values: Vec<Value> = arguments.iter().map(|expr| value(expr).clone()).collect();
        written(&schema_of(arguments), &values)
    }

    /// Begins again from what is on disk.
    pub(super) fn restart(&mut self) {
        self.driver.restart().expect("a state that can be read");
    }

    pub(super) fn state(&self) -> Option<AggState> {
        let table = self.driver.table::<Row, AggState>("groups");
        table
            .get(self.key.clone())
            .expect("a state that can be read")
    }

    /// The results, and what is said about those that there are not; none without a group.
    pub(super) fn results(&self) -> Option<(Vec<Value>, Option<String>)> {
        let state = self.state()?;
        let fields = self
            .aggregates
            .iter()
            .map(|a| Field::new("result", a.data_type));
        let schema: Schema = fields.collect();
        let layout = RowLayout::new(&schema);
        let mut buffer = RowBuffer::new();
        let mut writer = buffer.begin(&layout);
        let overflow = self.plan.failure(&state);
        let failure = overflow.or(self.plan.finish(&state, &mut writer, 0));
        let span = writer.finish();
        assert!(layout.is_valid(buffer.get(span)));
        Some((Value::read_all(buffer.get(span), &layout, &schema), failure))
    }
}

pub(super) fn written(schema: &Schema, values: &[Value]) -> Vec<u8> {
    let layout = RowLayout::new(schema);
    let mut buffer = RowBuffer::new();
    let mut writer = buffer.begin(&layout);
    for (column, value) in values.iter().enumerate() {
        value.write(&mut writer, column);
    }
    let span = writer.finish();
    buffer.get(span).to_vec()
}
