//! Tables of the catalog: made once, followed by the queries that read them, and read from outside.

use std::ops::ControlFlow;
use std::sync::Arc;

use ferrisstreams_topology::codec::{nullable, row_key, sent_row};
use ferrisstreams_topology::data::{Row, RowLayout};
use ferrisstreams_topology::dsl::Materialized;
use ferrisstreams_topology::query::Snapshot;

use super::keyed::{Keying, Part};
use super::pipeline::Pipeline;
use super::relation::{Kept, Lowered, Streams, TableRows, keep};
use super::{Lowering, Result, mistake};
use crate::plan::{Column, PlanKind, ScanKind};
use crate::plan::{Table, schema};

/// In which form the rows of a table are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowsKind {
    /// Each under its key.
    Keyed,
    /// Equal rows once, with how often they are there.
    Counted,
}

/// Why the rows of a table cannot be read.
pub type TableRowsError = ferrisstreams_topology::Error;

impl Lowering<'_> {
    /// A table of the catalog, with its rows as they are now and as they change.
    pub(super) fn table_rows(&mut self, table: &Arc<Table>, tail: Pipeline) -> Result<Lowered> {
        if let Some(snapshot) = self.surroundings.snapshot {
            let rows = read_rows(snapshot, table).map_err(|e| mistake(e.to_string()))?;
            let stream = self.row_list(rows);
            let stream = tail.on_stream(stream, &table.columns);
            return Ok(Lowered::Stream(Streams::new(stream, true)));
        }
        self.make_table(table)?;
        let rows = self.tables[&table.name].follow();
        Ok(Lowered::Table(rows.piped(&tail, &table.columns)?))
    }

    /// Makes a table of the catalog under its name, unless it is there.
    pub(crate) fn make_table(&mut self, table: &Arc<Table>) -> Result<()> {
        if self.tables.contains_key(&table.name) {
            return Ok(());
        }
        let outer = (self.query.clone(), self.steps);
        if let Some(query) = &table.query {
            // What it reads comes first, so that it is in queries of its own.
            self.make_inputs(query)?;
        }
        self.begin(&table.name);
        let made = self.define(table)?;
        self.tables.insert(table.name.clone(), made);
        let (query, steps) = outer;
        self.begin(&query);
        self.steps = steps;
        Ok(())
    }

    /// In which form the rows of a table that was made are kept.
    pub(crate) fn kept_as(&self, name: &str) -> Option<RowsKind> {
        self.tables.get(name).map(|kept| match kept {
            Kept::Keyed(_) => RowsKind::Keyed,
            Kept::Counted(_) => RowsKind::Counted,
        })
    }

    fn make_inputs(&mut self, plan: &crate::plan::Plan) -> Result<()> {
        if let PlanKind::Table(table) = &plan.kind
            && self.surroundings.snapshot.is_none()
        {
            self.make_table(table)?;
        }
        if let PlanKind::Stream(stream) = &plan.kind
            && let Some(query) = &stream.query
        {
            self.make_inputs(query)?;
        }
        for input in plan.inputs() {
            self.make_inputs(input)?;
        }
        Ok(())
    }

    fn define(&mut self, table: &Table) -> Result<Kept> {
        let name = &table.name;
        let Some(query) = &table.query else {
            let Lowered::Stream(rows) = self.inserted(name, &table.columns)? else {
                unreachable!("what is inserted is a stream");
            };
            return Ok(self.inserted_table(table, rows));
        };
        if let PlanKind::Scan {
            source,
            kind: ScanKind::Table,
            projection,
            filter: None,
        } = &query.kind
        {
            return Ok(self.source_table(source, projection, name, &query.columns));
        }
        match self.lower(query)? {
            Lowered::Stream(streams) => Ok(Kept::Counted(self.count_rows(
                streams,
                &table.columns,
                name,
            ))),
            Lowered::Table(rows) if rows.table.is_kept() => {
                rows.table.queryable_as(name);
                Ok(Kept::Keyed(rows))
            }
            Lowered::Table(rows) => {
                let codec = rows.table.key_codec();
                Ok(Kept::Keyed(TableRows {
                    table: keep(&rows.table, name, codec),
                    key: rows.key,
                }))
            }
        }
    }

    /// A table that holds what is inserted into it: by its primary key, or each row as often as it was.
    fn inserted_table(&mut self, table: &Table, rows: Streams) -> Kept {
        if table.primary_key.is_empty() {
            return Kept::Counted(self.count_rows(rows, &table.columns, &table.name));
        }
        let key = Part::of_columns(&table.primary_key, &table.columns);
        let codec = row_key(&key.schema);
        let keying = Keying {
            pipeline: Pipeline::default(),
            key,
            condition: None,
            value: None,
        };
        let upserts = keying
            .group(&rows.merged(), &table.columns)
            .map_values(|_, row| Some(row.clone()))
            .values_as(nullable(sent_row()));
        let kept = Materialized::with(
            table.name.as_str(),
            codec,
            ferrisstreams_topology::codec::row(),
        );
        Kept::Keyed(TableRows {
            table: upserts.to_table(kept),
            key: Some(table.primary_key.clone()),
        })
    }
}

impl Table {
    /// In which form the rows are kept under the table's name.
    pub fn rows_kind(&self) -> RowsKind {
        match &self.query {
            None if self.primary_key.is_empty() => RowsKind::Counted,
            None => RowsKind::Keyed,
            Some(query) => match &query.kind {
                PlanKind::Scan {
                    source,
                    kind: ScanKind::Table,
                    filter: None,
                    ..
                } if source.key.is_empty() => RowsKind::Counted,
                _ if crate::plan::properties(query).changes == crate::plan::Changes::AppendOnly => {
                    RowsKind::Counted
                }
                _ => RowsKind::Keyed,
            },
        }
    }
}

/// The rows of a table as a commit left them, in the order of their keys, or of all columns where the
/// key is hidden.
///
/// # Errors
///
/// Where the topology has no such table, or the state cannot be read.
pub fn read_rows(
    snapshot: &Snapshot,
    table: &Table,
) -> std::result::Result<Vec<Row>, TableRowsError> {
    let mut rows = Vec::new();
    for_each_row(snapshot, table, &mut |row, count| {
        rows.extend((0..count).map(|_| row.clone()));
        ControlFlow::Continue(())
    })?;
    sort(&mut rows, table);
    Ok(rows)
}

/// Shows the rows of a table as a commit left them, one after the other, until `visit` breaks off.
///
/// They come sorted as those of [`read_rows`] as long as all of them take at most `sorted_bytes`, with
/// how often each is there counted apart. More than that are not gathered: they come in the order in
/// which they are kept, which is that of their keys where one worker keeps them.
///
/// # Errors
///
/// As those of [`read_rows`].
pub fn visit_rows(
    snapshot: &Snapshot,
    table: &Table,
    sorted_bytes: usize,
    visit: &mut dyn FnMut(&Row) -> ControlFlow<()>,
) -> std::result::Result<(), TableRowsError> {
    let mut gathered = Gathered::default();
    let mut flow = ControlFlow::Continue(());
    let mut is_gathering = true;
    for_each_row(snapshot, table, &mut |row, count| {
        if is_gathering {
            gathered.add(row, count);
            if gathered.bytes <= sorted_bytes {
                return ControlFlow::Continue(());
            }
            is_gathering = false;
            flow = std::mem::take(&mut gathered).show(visit);
        } else {
            flow = repeat(row, count, visit);
        }
        flow
    })?;
    if flow.is_continue() {
        gathered.sort(table);
        let _ = gathered.show(visit);
    }
    Ok(())
}

/// Rows with how often each is there.
#[derive(Default)]
struct Gathered {
    rows: Vec<(Row, i64)>,
    bytes: usize,
}

impl Gathered {
    fn add(&mut self, row: &Row, count: i64) {
        self.rows.push((row.clone(), count));
        self.bytes += row.bytes().len() + size_of::<(Row, i64)>();
    }

    fn sort(&mut self, table: &Table) {
        let order = order(table);
        let layout = RowLayout::new(&schema(&table.columns));
        self.rows
            .sort_by_cached_key(|(row, _)| sort_key(row, &order, &layout));
    }

    fn show(self, visit: &mut dyn FnMut(&Row) -> ControlFlow<()>) -> ControlFlow<()> {
        self.rows
            .iter()
            .try_for_each(|(row, count)| repeat(row, *count, visit))
    }
}

fn repeat(
    row: &Row,
    count: i64,
    visit: &mut dyn FnMut(&Row) -> ControlFlow<()>,
) -> ControlFlow<()> {
    (0..count).try_for_each(|_| visit(row))
}

/// Some rows of a table.
#[derive(Clone, Debug)]
pub struct FirstRows {
    /// The rows.
    pub rows: Vec<Row>,
    /// True where the table has more.
    pub more: bool,
}

/// At most `limit` rows of a table as a commit left them, those that are found first; sorted among
/// themselves as those of [`read_rows`].
///
/// # Errors
///
/// As those of [`read_rows`].
pub fn first_rows(
    snapshot: &Snapshot,
    table: &Table,
    limit: usize,
) -> std::result::Result<FirstRows, TableRowsError> {
    let mut first = FirstRows {
        rows: Vec::new(),
        more: false,
    };
    for_each_row(snapshot, table, &mut |row, count| {
        let room = limit - first.rows.len();
        let count = usize::try_from(count).unwrap_or(0);
        first.rows.extend((0..count.min(room)).map(|_| row.clone()));
        first.more = count > room;
        if first.more {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    sort(&mut first.rows, table);
    Ok(first)
}

/// The number of rows of a table as a commit left them; none where there are more than `limit`.
///
/// # Errors
///
/// As those of [`read_rows`].
pub fn count_rows(
    snapshot: &Snapshot,
    table: &Table,
    limit: u64,
) -> std::result::Result<Option<u64>, TableRowsError> {
    let mut total = 0;
    for_each_row(snapshot, table, &mut |_, count| {
        total += u64::try_from(count).unwrap_or(0);
        if total > limit {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    Ok((total <= limit).then_some(total))
}

/// Shows the rows of a table with how often each is there, until `visit` breaks off.
fn for_each_row(
    snapshot: &Snapshot,
    table: &Table,
    visit: &mut dyn FnMut(&Row, i64) -> ControlFlow<()>,
) -> std::result::Result<(), TableRowsError> {
    for_each_kept(snapshot, &table.name, table.rows_kind(), visit)
}

/// As [`for_each_row`], of the table of a name that is kept in this form.
pub(crate) fn for_each_kept(
    snapshot: &Snapshot,
    name: &str,
    kind: RowsKind,
    visit: &mut dyn FnMut(&Row, i64) -> ControlFlow<()>,
) -> std::result::Result<(), TableRowsError> {
    match kind {
        RowsKind::Keyed => {
            let kept = snapshot.table::<Row, Row>(name)?;
            kept.for_each(|_, row| Ok(visit(&row.value, 1)))
        }
        RowsKind::Counted => {
            let counted = snapshot.table::<Row, i64>(name)?;
            counted.for_each(|row, count| Ok(visit(row, count.value)))
        }
    }
}

fn sort(rows: &mut [Row], table: &Table) {
    sort_by_columns(rows, &order(table), &table.columns);
}

/// The columns that the rows of a table are sorted by: those of the key, then the others.
fn order(table: &Table) -> Vec<usize> {
    let first = table.key.visible().unwrap_or_default();
    let rest = (0..table.columns.len()).filter(|column| !first.contains(column));
    first.iter().copied().chain(rest).collect()
}

/// Sorts rows by columns, the first one first.
pub(crate) fn sort_by_columns(rows: &mut [Row], order: &[usize], columns: &[Column]) {
    let layout = RowLayout::new(&schema(columns));
    rows.sort_by_cached_key(|row| sort_key(row, order, &layout));
}

/// Bytes that sort as the columns of a row do.
fn sort_key(row: &Row, order: &[usize], layout: &RowLayout) -> Vec<u8> {
    let mut key = Vec::new();
    for column in order {
        ferrisstreams_topology::data::key::encode_rank(row.bytes(), layout.slot(*column), &mut key);
    }
    key
}
