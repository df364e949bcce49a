//! Queries that answer once.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use ferrisstreams_topology::Error;
use ferrisstreams_topology::connector::{Sink, SinkDescription, SinkRecord, SinkStart, SinkWriter};
use ferrisstreams_topology::data::{Row, RowBuffer, RowLayout};
use ferrisstreams_topology::query::Snapshot;
use ferrisstreams_topology::runtime::{Embedded, EmbeddedOptions};
use ferrisstreams_topology::store::{State, StateOptions};

use super::Session;
use super::answer::ResultSet;
use crate::compiler::{Compiled, Eval};
use crate::error::Diagnostic;
use crate::lowering::{Lowering, Output, Surroundings, for_each_kept, sort_by_columns};
use crate::plan::{Changes, Key, Plan, PlanKind, SortKey, Table, properties, schema};
use crate::span::Span;

/// A query that answers once.
#[derive(Debug)]
pub struct Select {
    pub(super) plan: Plan,
    pub(super) span: Span,
}

/// Why a query that answers once has no answer.
#[derive(Debug)]
pub enum SelectError {
    /// It asks for what is not supported.
    Statement(Diagnostic),
    /// It failed while it ran.
    Failed(Error),
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SelectError::Statement(diagnostic) => diagnostic.fmt(f),
            SelectError::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SelectError {}

impl From<Error> for SelectError {
    fn from(error: Error) -> Self {
        SelectError::Failed(error)
    }
}

/// What is done with the rows when all are there.
enum Finish<'a> {
    Sort(&'a [SortKey]),
    /// Only so many columns are the result's; the others were there to sort by.
    Show(usize),
    Limit(u64, Option<u64>),
}

impl Session {
    /// Answers a query: from the tables of a snapshot where one is given, otherwise from the sources,
    /// as far as they go now.
    ///
    /// # Errors
    ///
    /// Where the query asks for what is not supported, or a source cannot be read.
    pub fn select(
        &self,
        select: &Select,
        snapshot: Option<&Snapshot>,
    ) -> Result<ResultSet, SelectError> {
        let mut finish = Vec::new();
        let mut plan = &select.plan;
        loop {
            match &plan.kind {
                PlanKind::Sort { input, keys } => {
                    if plan.columns.len() < input.columns.len() {
                        finish.push(Finish::Show(plan.columns.len()));
                    }
                    finish.push(Finish::Sort(keys));
                    plan = input;
                }
                PlanKind::Limit {
                    input,
                    offset,
                    limit,
                } => {
                    finish.push(Finish::Limit(*offset, *limit));
                    plan = input;
                }
                _ => break,
            }
        }
        let mut rows = self.collect(plan, select.span, snapshot)?;
        for step in finish.into_iter().rev() {
            match step {
                Finish::Sort(keys) => sort(&mut rows, keys, plan),
                Finish::Show(width) => rows = first_columns(&rows, width, plan),
                Finish::Limit(offset, limit) => {
                    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
                    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
                    rows = rows
                        .into_iter()
                        .skip(offset)
                        .take(limit.unwrap_or(usize::MAX))
                        .collect();
                }
            }
        }
        Ok(ResultSet {
            columns: select.plan.columns.clone(),
            rows,
        })
    }

    fn collect(
        &self,
        plan: &Plan,
        span: Span,
        snapshot: Option<&Snapshot>,
    ) -> Result<Vec<Row>, SelectError> {
        const RESULT: &str = "the result";
        let located = |diagnostic: Diagnostic| {
            let message = diagnostic.message().to_owned();
            SelectError::Statement(Diagnostic::new(diagnostic.code(), message, span))
        };
        let mut lowering = Lowering::new(Surroundings {
            insertions: &self.insertions,
            snapshot,
            on_cluster: false,
            sends_letters: false,
            on_error: &self.on_error,
        });
        let is_stream = properties(plan).changes == Changes::AppendOnly;
        let collected = Arc::new(Mutex::new(Vec::new()));
        if is_stream {
            let output = Output::rows(RESULT, Vec::new());
            lowering.write(RESULT, plan, &output).map_err(located)?;
        } else {
            let table = Table {
                name: RESULT.to_owned(),
                columns: plan.columns.clone(),
                key: properties(plan).key,
                query: Some(plan.clone()),
                primary_key: Vec::new(),
                declared: false,
            };
            lowering.make_table(&Arc::new(table)).map_err(located)?;
        }
        let kept = lowering.kept_as(RESULT);
        let topology = lowering.build()?;
        let mut options = EmbeddedOptions::default().bounded();
        if is_stream {
            let sink = Collector {
                rows: collected.clone(),
            };
            options = options.sink(RESULT, Arc::new(sink));
        }
        let mut engine = Embedded::new(
            &topology,
            State::in_memory(StateOptions::default()),
            options,
        )?;
        engine.start()?;
        engine.wait(None)?;
        for (node, stats) in engine.node_stats() {
            if stats.missing() > 0 {
                tracing::warn!(node, "{} records found no row to join", stats.missing());
            }
            if stats.failed() > 0 {
                tracing::warn!(node, "{} records or expressions failed", stats.failed());
            }
        }
        let Some(kept) = kept else {
            engine.close(std::time::Duration::from_secs(10))?;
            let mut rows = collected.lock().expect("no panic while locked");
            return Ok(std::mem::take(&mut *rows));
        };
        let mut rows = Vec::new();
        for_each_kept(&engine.snapshot(), RESULT, kept, &mut |row, count| {
            rows.extend((0..count).map(|_| row.clone()));
            ControlFlow::Continue(())
        })?;
        let order = match properties(plan).key {
            Key::Columns(_) => properties(plan).key.visible().unwrap_or_default(),
            Key::Row => Vec::new(),
        };
        let rest = (0..plan.columns.len()).filter(|column| !order.contains(column));
        let order: Vec<usize> = order.iter().copied().chain(rest).collect();
        sort_by_columns(&mut rows, &order, &plan.columns);
        Ok(rows)
    }
}

/// Sorts rows by the expressions of ORDER BY; rows that are equal in all keep their order.
fn sort(rows: &mut [Row], keys: &[SortKey], plan: &Plan) {
    let input = RowLayout::new(&schema(&plan.columns));
    let compiled: Vec<(Compiled, crate::plan::Column)> = keys
        .iter()
        .map(|key| {
            let column = crate::plan::Column::of("key", &key.expr);
            (Compiled::new(&key.expr, &input), column)
        })
        .collect();
    let mut eval = Eval::default();
    rows.sort_by_cached_key(|row| {
        let mut bytes = Vec::new();
        for ((code, column), key) in compiled.iter().zip(keys) {
            let one = [column.clone()];
            let layout = RowLayout::new(&schema(&one));
            let mut buffer = RowBuffer::new();
            let mut writer = buffer.begin(&layout);
            code.write(row.bytes(), &mut eval, &mut writer, 0);
            let span = writer.finish();
            let value = buffer.get(span);
            let is_null = layout.slot(0).is_null(value);
            // The place of NULL is its own, whichever way the values go.
            bytes.push(u8::from(is_null != key.nulls_first));
            if is_null {
                continue;
            }
            let start = bytes.len();
            ferrisstreams_topology::data::key::encode_rank(value, layout.slot(0), &mut bytes);
            if key.descending {
                bytes[start..].iter_mut().for_each(|byte| *byte = !*byte);
            }
        }
        bytes
    });
}

/// The first columns of rows.
fn first_columns(rows: &[Row], width: usize, plan: &Plan) -> Vec<Row> {
    let from = RowLayout::new(&schema(&plan.columns));
    let to = RowLayout::new(&schema(&plan.columns[..width]));
    let mut buffer = RowBuffer::new();
    let first = |row: &Row| {
        buffer.clear();
        let mut writer = buffer.begin(&to);
        for column in 0..width {
            writer.copy(column, row.bytes(), from.slot(column));
        }
        let span = writer.finish();
        Row::from_bytes(buffer.get(span))
    };
    rows.iter().map(first).collect()
}

/// Collects rows in memory.
struct Collector {
    rows: Arc<Mutex<Vec<Row>>>,
}

impl Sink for Collector {
    fn describe(&self) -> SinkDescription {
        SinkDescription {
            connector: "result".to_owned(),
            location: "result".to_owned(),
            exactly_once: true,
        }
    }

    fn open(&self, _: SinkStart) -> ferrisstreams_topology::Result<Box<dyn SinkWriter>> {
        Ok(Box::new(Collecting {
            rows: self.rows.clone(),
        }))
    }
}

struct Collecting {
    rows: Arc<Mutex<Vec<Row>>>,
}

impl SinkWriter for Collecting {
    fn delivered(&mut self, _: u64) -> ferrisstreams_topology::Result<u64> {
        Ok(self.rows.lock().expect("no panic while locked").len() as u64)
    }

    fn deliver(
        &mut self,
        _: u64,
        records: &[SinkRecord],
    ) -> ferrisstreams_topology::Result<Vec<u8>> {
        let mut rows = self.rows.lock().expect("no panic while locked");
        for record in records {
            rows.push(Row::from_bytes(record.value.as_deref().unwrap_or_default()));
        }
        Ok(Vec::new())
    }
}
