//! Lowering: plans become steps of the typed DSL.
//!
//! SQL adds no operator to the engine. A stream of SQL is a `KStream<(), Row>`, a table a
//! `KTable<Row, Row>` whose rows have all columns of the plan; what its key is made of only this
//! module knows. Filters and projections wait in a [`Pipeline`] until the step
//! below them can take them in.

mod scratch;
mod pipeline;
mod keyed;
mod relation;
mod values;
mod dead_letters;
mod scan;
mod aggregate;
mod join_stream;
mod join_table;
mod union;
mod output;
mod tables;

use std::collections::BTreeMap;

use ferrisstreams_topology::dsl::StreamsBuilder;
use ferrisstreams_topology::query::Snapshot;
use ferrisstreams_topology::{ErrorPolicy, Topology};

use self::pipeline::Pipeline;
use self::relation::{Kept, Lowered};
use crate::error::{Code, Diagnostic};
use crate::plan::{Plan, PlanKind};
use crate::span::Span;

pub(crate) use self::dead_letters::{Senders, letter_columns};
pub(crate) use self::output::Output;
pub use self::tables::{
    FirstRows, RowsKind, TableRowsError, count_rows, first_rows, read_rows, visit_rows,
};
pub(crate) use self::tables::{for_each_kept, sort_by_columns};

/// The result of lowering something.
pub(crate) type Result<T> = std::result::Result<T, Diagnostic>;

/// Rows that are put into a relation, by one INSERT.
#[derive(Clone, Debug)]
pub(crate) struct Insertion {
    /// A name for it, of its own.
    pub(crate) name: String,
    /// The rows, with the columns of the relation.
    pub(crate) plan: Plan,
}

/// What lowering needs to know besides plans.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// What is inserted into relations, by their names.
    pub(crate) insertions: &'a BTreeMap<String, Vec<Insertion>>,
    /// Where tables are read from instead of being computed.
    pub(crate) snapshot: Option<&'a Snapshot>,
    /// True for an application on a cluster, in which one task reads all that is no topic.
    pub(crate) on_cluster: bool,
    /// True where dead letters are sent; elsewhere bad records are skipped and counted instead.
    pub(crate) sends_letters: bool,
    /// What becomes of records for which something fails.
    pub(crate) on_error: &'a ErrorPolicy,
}

/// Puts a topology together, query by query.
pub(crate) struct Lowering<'a> {
    surroundings: Surroundings<'a>,
    builder: StreamsBuilder,
    /// The tables that are there already.
    tables: BTreeMap<String, Kept>,
    /// The streams that dead letters go to, by name.
    letters: BTreeMap<String, Senders>,
    query: String,
    steps: usize,
    /// True where rows written out are there before anything that comes: not where they are a stream's,
    /// which finds tables as they are when these are loaded.
    rows_first: bool,
}

impl<'a> Lowering<'a> {
    pub(crate) fn new(surroundings: Surroundings<'a>) -> Self {
        Lowering {
            surroundings,
            builder: StreamsBuilder::new(),
            tables: BTreeMap::new(),
            letters: BTreeMap::new(),
            query: String::new(),
            steps: 0,
            rows_first: true,
        }
    }

    /// Begins a query: what is added from now on is part of it.
    fn begin(&mut self, query: &str) {
        self.query = query.to_owned();
        self.steps = 0;
        self.builder
            .query(query, self.surroundings.on_error.clone());
    }

    /// A name for a step of the query that has state or a place of its own; the same at every start
    /// as long as the query is the same.
    fn name(&mut self, what: &str) -> String {
        self.steps += 1;
        format!("{}.{what}-{}", self.query, self.steps)
    }

    /// Ends the building.
    pub(crate) fn build(self) -> ferrisstreams_topology::Result<Topology> {
        self.builder.build()
    }

    /// What a plan gives.
    fn lower(&mut self, plan: &Plan) -> Result<Lowered> {
        let (base, pipeline) = Pipeline::peel(plan);
        self.lower_with(base, pipeline)
    }

    /// What `tail` makes of what a plan gives that is neither a filter nor a projection.
    fn lower_with(&mut self, base: &Plan, tail: Pipeline) -> Result<Lowered> {
        match &base.kind {
            PlanKind::Scan { .. } => self.scan(base, tail),
            PlanKind::Stream(stream) => self.stream(stream, tail),
            PlanKind::Table(table) => self.table_rows(table, tail),
            PlanKind::Values(rows) => self.values(rows, &base.columns, tail),
            PlanKind::Aggregate {
                input,
                groups,
                aggregates,
            } => self.aggregate(input, groups, aggregates, &base.columns, tail),
            PlanKind::Join { .. } => self.join(base, tail),
            PlanKind::UnionAll(inputs) => self.union(inputs, tail),
            PlanKind::Filter { .. } | PlanKind::Project { .. } => {
                let (base, mut pipeline) = Pipeline::peel(base);
                pipeline.append(tail);
                self.lower_with(base, pipeline)
            }
            PlanKind::Sort { .. } => Err(not_supported("ORDER BY in a query that goes on")),
            PlanKind::Limit { .. } => Err(not_supported("LIMIT in a query that goes on")),
        }
    }
}

fn not_supported(what: &str) -> Diagnostic {
    Diagnostic::not_supported(what, Span::default())
}

/// A mistake in a statement that shows when it is lowered.
fn mistake(message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::NotSupported, message.into(), Span::default())
}
