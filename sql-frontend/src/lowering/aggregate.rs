//! Aggregates: one row a group.

use std::sync::Arc;

use ferrisstreams_topology::codec::{row, row_key};
use ferrisstreams_topology::data::{Row, RowLayout};
use ferrisstreams_topology::dsl::{
    AggregateOptions, Grouped, KGroupedStream, KGroupedTable, KStream, KTable, Materialized,
};

use super::keyed::{Keying, Part};
use super::pipeline::{Pipeline, volatile};
use super::relation::{Apart, Lowered, TableRows};
use super::scratch::{Scratch, with_scratch};
use super::{Lowering, Result};
use crate::aggregates::{AggState, AggregatePlan};
use crate::plan::schema;
use crate::plan::{Aggregate, Column, Plan, Scalar};

impl Lowering<'_> {
    pub(super) fn aggregate(
        &mut self,
        input: &Plan,
        groups: &[Scalar],
        aggregates: &[Aggregate],
        columns: &[Column],
        tail: Pipeline,
    ) -> Result<Lowered> {
        let (base, pipeline) = Pipeline::peel(input);
        let key = Part::new(groups.to_vec());
        let plan = Arc::new(AggregatePlan::new(aggregates, false));
        let gathered = arguments(&plan);
        let keyed = self.keyed_scan(base, &pipeline, &key, &gathered);
        if let Some((stream, is_rereadable)) = keyed {
            let name = self.name("aggregate");
            let records = by_key(&stream, &key, &name);
            let states = records.aggregate_with(plan.clone(), options(&plan, &key, &name));
            let states = self.placed(states, is_rereadable, (&plan, &key, &name));
            return Ok(Lowered::Table(finished(
                &states, plan, &key, columns, tail,
            )?));
        }
        let lowered = self.lower_with(base, Pipeline::default())?;
        let name = self.name("aggregate");
        let states = match lowered {
            Lowered::Stream(streams) => {
                let is_all_again = streams.is_all_again();
                let (stream, again) = match streams.apart() {
                    Apart::One(stream) => (stream, None),
                    Apart::Both { again, once } => (once, Some(again)),
                };
                let plan = Arc::new(AggregatePlan::new(aggregates, again.is_some()));
                let keying = Keying {
                    pipeline: pipeline.clone(),
                    value: Some(gathered.clone()),
                    key: key.clone(),
                    condition: None,
                };
                let records = by_key(&keying.group(&stream, &base.columns), &key, &name);
                let options = options(&plan, &key, &name);
                let states = match again {
                    None => records.aggregate_with(plan.clone(), options),
                    Some(again) => self
                        .grouped_again(again, (pipeline, &base.columns), &key, &gathered, &name)
                        .with_records(&records)
                        .aggregate_with(plan.clone(), options),
                };
                let states = self.placed(states, is_all_again, (&plan, &key, &name));
                (states, plan)
            }
            Lowered::Table(table) => {
                let plan = Arc::new(AggregatePlan::new(aggregates, true));
                let table = table.piped(&pipeline, &base.columns)?;
                let arguments = arguments(&plan);
                let rows = pipeline.columns(&base.columns);
                let wide = widened(&table.table, &rows, &key, &arguments)?;
                let grouped = wide
                    .filter_group_by(
                        split(&key, &arguments),
                        Grouped::named(format!("{name}.repartition")).codec(row_key(&key.schema)),
                    )
                    .values_as(row());
                let options = options(&plan, &key, &name);
                (grouped.aggregate_with(plan.clone(), options), plan)
            }
        };
        let (states, plan) = states;
        Ok(Lowered::Table(finished(
            &states, plan, &key, columns, tail,
        )?))
    }
}

/// Records where their keys belong.
fn by_key(stream: &KStream<Row, Row>, key: &Part, name: &str) -> KGroupedStream<Row, Row> {
    let name = format!("{name}.repartition");
    stream.group_by_key_as(Grouped::named(name).codec(row_key(&key.schema)))
}

impl Lowering<'_> {
    /// The states of groups in the tasks of their keys. On a cluster one task has all that comes of files, and takes its
    /// groups back where these change.
    fn placed(
        &self,
        states: KTable<Row, AggState>,
        is_rereadable: bool,
        (plan, key, name): (&AggregatePlan, &Part, &str),
    ) -> KTable<Row, AggState> {
        if !(self.surroundings.on_cluster && is_rereadable) {
            return states;
        }
        let (name, key) = (format!("{name}.placed"), row_key(&key.schema));
        states.spread(Materialized::with(name, key, plan.state_codec()))
    }

    /// The records that can be read again of those that an aggregate gathers, as rows that are taken
    /// back when they are replaced. What is kept of each is its group and what is gathered.
    fn grouped_again(
        &mut self,
        again: KStream<(), Row>,
        (mut pipeline, columns): (Pipeline, &[Column]),
        key: &Part,
        arguments: &Part,
        name: &str,
    ) -> KGroupedTable<Row, Row> {
        let wide = wide(key, arguments);
        pipeline.project(wide.exprs.clone(), wide.columns());
        let rows = pipeline.on_stream(again, columns);
        let kept = self.kept_rows(rows, &wide.columns(), name);
        kept.filter_group_by(
            split(key, arguments),
            Grouped::named(format!("{name}.again-repartition")).codec(row_key(&key.schema)),
        )
        .values_as(row())
    }
}

/// The row of a key and of what is gathered, side by side.
fn wide(key: &Part, arguments: &Part) -> Part {
    Part::new(key.exprs.iter().chain(&arguments.exprs).cloned().collect())
}

/// The row of what the aggregates gather, and of the filters on it.
fn arguments(plan: &AggregatePlan) -> Part {
    Part::new(plan.arguments().to_vec())
}

fn options(plan: &AggregatePlan, key: &Part, name: &str) -> AggregateOptions<Row, AggState> {
    // Without GROUP BY there is one row, also of no input.
    let seed = key.exprs.is_empty().then(|| (Row::empty(), plan.initial()));
    AggregateOptions {
        materialized: Materialized::with(name, row_key(&key.schema), plan.state_codec()),
        multisets: plan.uses_multisets(),
        seed,
        queryable: false,
    }
}

/// The rows of a table as their keys and arguments side by side, so that what fails is told once.
fn widened(
    table: &KTable<Row, Row>,
    columns: &[Column],
    key: &Part,
    arguments: &Part,
) -> Result<KTable<Row, Row>> {
    let wide = wide(key, arguments);
    if let Some(scalar) = wide.exprs.iter().find(|expr| !expr.is_deterministic()) {
        return Err(volatile(scalar));
    }
    let projection = wide.compile(&RowLayout::new(&schema(columns)));
    Ok(table.try_filter_map_values(move |_, row, report| {
        with_scratch(|scratch| {
            let Scratch { eval, out, .. } = scratch;
            let span = projection.project(row.bytes(), eval, out);
            if let Some(message) = eval.take_failure() {
                report(&message);
            }
            Some(Row::from_bytes(out.get(span)))
        })
    }))
}

/// Takes a wide row apart: the key, and the arguments.
fn split(
    key: &Part,
    arguments: &Part,
) -> impl Fn(&Row, &Row) -> Option<(Row, Row)> + Send + Sync + 'static {
    let wide = wide(key, arguments).layout();
    let (key_layout, argument_layout) = (key.layout(), arguments.layout());
    move |_, row| {
        with_scratch(|scratch| {
            let mut writer = scratch.out.begin(&key_layout);
            for column in 0..key_layout.len() {
                writer.copy_key(column, row.bytes(), wide.slot(column));
            }
            let group = writer.finish();
            let mut writer = scratch.out.begin(&argument_layout);
            for column in 0..argument_layout.len() {
                writer.copy(column, row.bytes(), wide.slot(key_layout.len() + column));
            }
            let arguments = writer.finish();
            let own = |span| Row::from_bytes(scratch.out.get(span));
            Some((own(group), own(arguments)))
        })
    }
}

/// The rows of the groups: keys, then what the aggregates say, behind `tail`.
fn finished(
    states: &KTable<Row, AggState>,
    plan: Arc<AggregatePlan>,
    key: &Part,
    columns: &[Column],
    tail: Pipeline,
) -> Result<TableRows> {
    tail.check_deterministic()?;
    let (key_layout, layout) = (key.layout(), RowLayout::new(&schema(columns)));
    let compiled = tail.compile(columns);
    let width = key_layout.len();
    let can_fail = plan.can_fail();
    let finish = move |group: &Row, state: AggState, report: &mut dyn FnMut(&str)| {
        // A row that is taken back before it was added leaves a group that has none for a while.
        if width > 0 && !state.has_rows() {
            return None;
        }
        with_scratch(|scratch| {
            let mut writer = scratch.made.begin(&layout);
            for column in 0..width {
                writer.copy(column, group.bytes(), key_layout.slot(column));
            }
            if let Some(message) = plan.finish(&state, &mut writer, width) {
                report(&message);
            }
            let span = writer.finish();
            let row = compiled.apply_made(span, scratch);
            if let Some(message) = scratch.eval.take_failure() {
                report(&message);
            }
            row
        })
    };
    let table = if can_fail || tail.can_fail() {
        states.try_filter_map_values(move |group, state, report| finish(group, state, report))
    } else {
        states.filter_map_values(move |group, state| finish(group, state, &mut |_| ()))
    };
    Ok(TableRows {
        table,
        key: (0..width).map(|column| tail.place(column)).collect(),
    })
}
