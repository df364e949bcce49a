//! Sources: as streams, and as tables that hold what the source holds.

use std::sync::Arc;

use ferrisstreams_topology::Error;
use ferrisstreams_topology::codec::{nullable, row, row_key, sent_row};
use ferrisstreams_topology::connector::{RawBatch, RecordDecoder, RowFilter, RowSource, Times};
use ferrisstreams_topology::data::{Physical, Row, RowLayout, Schema, Slot, Value};
use ferrisstreams_topology::dsl::{Consumed, KStream, Materialized};
use ferrisstreams_topology::record::{Data, Record};

use super::keyed::Part;
use super::pipeline::{Pipeline, can_fail};
use super::relation::{Kept, Lowered, Streams, TableRows};
use super::scratch::{with_eval, with_scratch};
use super::{Lowering, Result};
use crate::compiler::Compiled;
use crate::plan::{Column, Plan, PlanKind, Scalar, ScalarKind, ScanKind};
use crate::plan::{Source, Stream, schema};

impl Lowering<'_> {
    pub(super) fn scan(&mut self, scan: &Plan, tail: Pipeline) -> Result<Lowered> {
        let PlanKind::Scan {
            source,
            kind,
            projection,
            filter,
        } = &scan.kind
        else {
            unreachable!("called for scans alone");
        };
        match kind {
            ScanKind::Stream | ScanKind::Open => {
                let stream =
                    self.source_stream(source, projection, filter.as_ref(), &scan.columns, tail);
                let is_rereadable = source.resolved.source.describe().rereadable;
                Ok(Lowered::Stream(Streams::new(stream, is_rereadable)))
            }
            ScanKind::Table => {
                let name = self.name("table");
                let rows = self.source_table(source, projection, &name, &scan.columns);
                let mut pipeline = filter.clone().map(Pipeline::filter).unwrap_or_default();
                pipeline.append(tail);
                Ok(Lowered::Table(rows.rows().piped(&pipeline, &scan.columns)?))
            }
        }
    }

    fn source_stream(
        &mut self,
        source: &Source,
        projection: &[usize],
        filter: Option<&Scalar>,
        columns: &[Column],
        tail: Pipeline,
    ) -> KStream<(), Row> {
        let (mut early, mut pipeline) = (None, Pipeline::default());
        let mut tail = tail;
        let (mut projection, mut columns) = (projection.to_vec(), columns.to_vec());
        match filter {
            Some(filter) if is_early(filter) => {
                early = Some(row_filter(filter, &projection, &columns));
            }
            Some(filter) => pipeline = Pipeline::filter(filter.clone()),
            None => {}
        }
        if pipeline.is_empty()
            && let Some((places, picked)) = tail.take_pick(&columns)
        {
            // What the condition alone looks at need not be in the rows.
            projection = places.iter().map(|at| projection[*at]).collect();
            columns = picked;
        }
        pipeline.append(tail);
        let decoder = move |rows: &dyn RowSource| rows.decoder(&projection, early.clone());
        let stream = self.read_source(source, decoder);
        pipeline.on_stream(stream, &columns)
    }

    /// The records of a stream under keys that are columns of it, with values that are columns of it as well, read as
    /// such; and whether they can be read again from the start. None where something is to be computed first.
    pub(super) fn keyed_scan(
        &mut self,
        base: &Plan,
        pipeline: &Pipeline,
        key: &Part,
        value: &Part,
    ) -> Option<(KStream<Row, Row>, bool)> {
        let PlanKind::Scan {
            source,
            kind: ScanKind::Stream | ScanKind::Open,
            projection,
            filter,
        } = &base.kind
        else {
            return None;
        };
        if filter.as_ref().is_some_and(|filter| !is_early(filter)) {
            return None;
        }
        let (places, columns) = pipeline.picked(&base.columns)?;
        // Floating-point numbers that are equal are not always the same bytes, as those of a key are.
        if floats(&key.schema).is_some() {
            return None;
        }
        let read = |part: &Part| -> Option<Vec<usize>> {
            let places = part.picked(&columns)?.into_iter().map(|at| places[at]);
            Some(places.map(|at| projection[at]).collect())
        };
        let (key, value) = (read(key)?, read(value)?);
        // A record is bad where any column of the scan cannot be read, as one that stands for the row where only rows
        // are counted.
        let looked_at = filter.as_ref().map(Scalar::columns).unwrap_or_default();
        let looked_at: Vec<usize> = looked_at.into_iter().map(|at| projection[at]).collect();
        let is_read = |column| {
            [&key, &value, &looked_at]
                .iter()
                .any(|of| of.contains(column))
        };
        if !projection.iter().all(is_read) {
            return None;
        }
        let early = filter
            .as_ref()
            .map(|filter| row_filter(filter, projection, &base.columns));
        let decoder = move |rows: &dyn RowSource| rows.keyed_decoder(&key, &value, early.clone());
        let stream = self.read_source(source, decoder);
        let is_rereadable = source.resolved.source.describe().rereadable;
        Some((stream.values_as(sent_row()), is_rereadable))
    }

    /// The records of a source, as a decoder gives them.
    fn read_source<K: Data>(
        &mut self,
        source: &Source,
        decoder: impl Fn(&dyn RowSource) -> Box<dyn RecordDecoder<K, Row>> + Send + Sync + 'static,
    ) -> KStream<K, Row> {
        let name = self.name("source");
        let on_error = self.policy(source, &name);
        let rows = source.resolved.rows.clone();
        let consumed = Consumed::decoder(move || decoder(&*rows))
            .from(source.resolved.source.clone())
            .on_error(on_error);
        self.builder.stream(&name, consumed)
    }

    /// What a source holds, as a table with the columns at `projection`.
    pub(super) fn source_table(
        &mut self,
        source: &Source,
        projection: &[usize],
        name: &str,
        columns: &[Column],
    ) -> Kept {
        let resolved = &source.resolved;
        let rows = resolved.rows.clone();
        let read = projection.to_vec();
        let from = format!("{name}.source");
        let on_error = self.policy(source, &from);
        if source.key.is_empty() {
            let mut consumed = Consumed::decoder(move || rows.decoder(&read, None))
                .from(resolved.source.clone())
                .on_error(on_error);
            if resolved.load_first {
                consumed = consumed.load_first();
            }
            let stream = self.builder.stream(&from, consumed);
            let is_rereadable = resolved.source.describe().rereadable;
            let streams = Streams::new(stream, is_rereadable);
            return Kept::Counted(self.count_rows(streams, columns, name));
        }
        let key_schema = resolved.schema.project(&source.key);
        let floats = floats(&key_schema);
        let decoder = move || -> Box<dyn RecordDecoder<Row, Option<Row>>> {
            let decoder = rows.table_decoder(&read);
            match &floats {
                None => decoder,
                Some(layout) => Box::new(OneOfEquals {
                    decoder,
                    layout: layout.clone(),
                }),
            }
        };
        let mut consumed = Consumed::decoder(decoder)
            .from(resolved.source.clone())
            .on_error(on_error);
        if resolved.load_first {
            consumed = consumed.load_first();
        }
        let stream: KStream<Row, Option<Row>> = self.builder.stream(&from, consumed);
        let mut table = stream
            .values_as(nullable(sent_row()))
            .to_table(Materialized::with(name, row_key(&key_schema), row()));
        if self.is_local(source) {
            let placed = format!("{name}.placed");
            table = table.spread(Materialized::with(placed, row_key(&key_schema), row()));
        }
        let place = |key: &usize| projection.iter().position(|read| read == key);
        Kept::Keyed(TableRows {
            table,
            key: source.key.iter().map(place).collect(),
        })
    }

    /// True where one task of an application on a cluster reads a source that is no topic.
    fn is_local(&self, source: &Source) -> bool {
        self.surroundings.on_cluster && matches!(source.resolved.source.topic(), Ok(None))
    }

    /// A stream that is computed, or that rows are inserted into.
    pub(super) fn stream(&mut self, stream: &Arc<Stream>, tail: Pipeline) -> Result<Lowered> {
        let outer = std::mem::replace(&mut self.rows_first, false);
        let lowered = match &stream.query {
            Some(query) => self.lower(query),
            None => self.inserted(&stream.name, &stream.columns),
        };
        self.rows_first = outer;
        match lowered? {
            Lowered::Stream(rows) => Ok(Lowered::Stream(rows.piped(&tail, &stream.columns))),
            Lowered::Table(_) => Err(super::mistake(format!(
                "`{}` is declared as a stream, but its rows change; create it as a table",
                stream.name
            ))),
        }
    }

    /// What is inserted into a relation, as a stream. Rows written out come in the order of their
    /// statements, so that the last one of a key is the one that stays.
    pub(super) fn inserted(&mut self, name: &str, columns: &[Column]) -> Result<Lowered> {
        let insertions = self.surroundings.insertions;
        let mut written = Vec::new();
        let mut streams = Vec::new();
        for insertion in insertions.get(name).into_iter().flatten() {
            if let Some(rows) = written_rows(&insertion.plan) {
                written.extend(rows);
                continue;
            }
            match self.lower(&insertion.plan)? {
                Lowered::Stream(rows) => streams.push(rows),
                Lowered::Table(_) => {
                    return Err(super::mistake(format!(
                        "what is inserted into `{name}` is a table, whose rows change; insert from a stream"
                    )));
                }
            }
        }
        if streams.is_empty() || !written.is_empty() {
            let Lowered::Stream(rows) = self.values(&written, columns, Pipeline::default())? else {
                unreachable!("rows written out are a stream");
            };
            streams.insert(0, rows);
        }
        let all = streams.into_iter().reduce(Streams::and);
        Ok(Lowered::Stream(all.expect("there is at least one stream")))
    }
}

/// The rows of a plan that are there in its text: VALUES, with columns moved or left NULL.
fn written_rows(plan: &Plan) -> Option<Vec<Vec<Value>>> {
    match &plan.kind {
        PlanKind::Values(rows) => Some(rows.clone()),
        PlanKind::Project { input, exprs } => {
            let rows = written_rows(input)?;
            let row = |row: &Vec<Value>| -> Option<Vec<Value>> {
                let value = |expr: &Scalar| match &expr.kind {
                    ScalarKind::Column(column) => Some(row[*column].clone()),
                    ScalarKind::Literal(value) => Some(value.clone()),
                    _ => None,
                };
                exprs.iter().map(value).collect()
            };
            rows.iter().map(row).collect()
        }
        _ => None,
    }
}

/// The layout of keys of which some column is a floating-point number.
fn floats(key: &Schema) -> Option<RowLayout> {
    let layout = RowLayout::new(key);
    let is_float = |slot: &Slot| matches!(slot.physical(), Physical::F32 | Physical::F64);
    layout.slots().iter().any(is_float).then_some(layout)
}

/// Gives records whose keys are equal as bytes where their floating-point numbers are equal.
struct OneOfEquals {
    decoder: Box<dyn RecordDecoder<Row, Option<Row>>>,
    layout: RowLayout,
}

impl RecordDecoder<Row, Option<Row>> for OneOfEquals {
    fn decode(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<Row, Option<Row>>>,
        bad: &mut Vec<(u32, Error)>,
    ) -> Option<Times> {
        let first = records.len();
        let times = self.decoder.decode(batch, records, bad);
        with_scratch(|scratch| {
            for record in &mut records[first..] {
                let mut writer = scratch.out.begin(&self.layout);
                for (column, slot) in self.layout.slots().iter().enumerate() {
                    writer.copy_key(column, record.key.bytes(), *slot);
                }
                let span = writer.finish();
                record.key = Row::from_bytes(scratch.out.get(span));
                scratch.out.clear();
            }
        });
        times
    }

    fn take_rounded(&mut self) -> u64 {
        self.decoder.take_rounded()
    }
}

/// True where a predicate is looked at before a record's row is made. What fails is counted, which only a step of the
/// topology can do.
fn is_early(filter: &Scalar) -> bool {
    !can_fail(filter) && filter.is_deterministic()
}

/// A predicate over the columns of a scan, which stand at `projection` in the source, as decoders take
/// it.
fn row_filter(filter: &Scalar, projection: &[usize], columns: &[Column]) -> RowFilter {
    let read = filter.columns();
    let picked: Vec<Column> = read.iter().map(|at| columns[*at].clone()).collect();
    let place = |column| {
        let place = read.iter().position(|at| *at == column);
        place.expect("a column that is read is among those that are")
    };
    let filter = filter.clone().remap(&place);
    let compiled = Compiled::new(&filter, &RowLayout::new(&schema(&picked)));
    let sources: Vec<usize> = read.iter().map(|at| projection[*at]).collect();
    RowFilter::new(sources, move |row| {
        with_eval(|eval| compiled.test(row, eval) == Some(true))
    })
}

impl TableRows {
    /// The table behind a pipeline.
    pub(super) fn piped(&self, pipeline: &Pipeline, columns: &[Column]) -> Result<TableRows> {
        let place = |column: &usize| pipeline.place(*column);
        Ok(TableRows {
            table: pipeline.on_table(&self.table, columns)?,
            key: self
                .key
                .as_ref()
                .and_then(|key| key.iter().map(place).collect()),
        })
    }
}
