//! Rows written out in a statement, as a source.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferrisstreams_topology::connector::{
    Offsets, Poll, RawBatch, RecordDecoder, Source, SourceDescription, SourceReader, SourceStart,
    Span, Times,
};
use ferrisstreams_topology::data::{Row, RowBuffer, RowLayout, Value};
use ferrisstreams_topology::dsl::{Consumed, KStream};
use ferrisstreams_topology::record::Record;
use ferrisstreams_topology::{Error, ErrorKind};

use super::pipeline::Pipeline;
use super::relation::{Lowered, Streams};
use super::{Lowering, Result};
use crate::plan::Column;
use crate::plan::schema;

/// A source of a fixed list of rows, each given once.
pub(super) struct RowList {
    name: String,
    rows: Arc<Vec<Row>>,
}

impl RowList {
    pub(super) fn new(name: &str, rows: Vec<Row>) -> Self {
        RowList {
            name: name.to_owned(),
            rows: Arc::new(rows),
        }
    }
}

impl Source for RowList {
    fn describe(&self) -> SourceDescription {
        SourceDescription {
            connector: "values".to_owned(),
            location: format!("{} rows written out", self.rows.len()),
            identity: format!("values:{}", self.name),
            rereadable: true,
        }
    }

    fn open(&self, start: SourceStart) -> ferrisstreams_topology::Result<Box<dyn SourceReader>> {
        let mut reader = RowListReader {
            rows: self.rows.clone(),
            next: 0,
            bounded: start.bounded,
        };
        reader.seek(&start.positions)?;
        Ok(Box::new(reader))
    }

    fn is_resumable(&self) -> bool {
        true
    }
}

struct RowListReader {
    rows: Arc<Vec<Row>>,
    next: usize,
    bounded: bool,
}

impl SourceReader for RowListReader {
    fn poll(&mut self, limit: usize) -> ferrisstreams_topology::Result<Poll> {
        if self.next >= self.rows.len() {
            return Ok(if self.bounded { Poll::End } else { Poll::Idle });
        }
        let end = self.rows.len().min(self.next + limit.max(1));
        let mut batch = RawBatch::empty(0, end as i64);
        for row in &self.rows[self.next..end] {
            let at = batch.bytes.len();
            batch.bytes.extend_from_slice(row.bytes());
            batch.values.push(Span::new(at, batch.bytes.len()));
        }
        batch.times = Times::Same(0);
        batch.offsets = Offsets::Each((self.next as i64..end as i64).collect());
        self.next = end;
        Ok(Poll::Records(batch))
    }

    fn is_behind(&self, _partition: u32) -> bool {
        self.next < self.rows.len()
    }

    fn position(&mut self, _: u32, offset: i64) -> ferrisstreams_topology::Result<Vec<u8>> {
        Ok(offset.to_le_bytes().to_vec())
    }

    fn seek(&mut self, positions: &BTreeMap<u32, Vec<u8>>) -> ferrisstreams_topology::Result<()> {
        self.next = match positions.get(&0) {
            None => 0,
            Some(bytes) => {
                let bytes = bytes.as_slice().try_into().map_err(|_| {
                    Error::new(ErrorKind::Invalid, "a position among rows has eight bytes")
                })?;
                usize::try_from(i64::from_le_bytes(bytes)).unwrap_or(0)
            }
        };
        Ok(())
    }
}

/// Reads rows from their bytes.
struct RowBytes {
    buffer: RowBuffer,
}

impl RecordDecoder<(), Row> for RowBytes {
    fn decode(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<(), Row>>,
        _bad: &mut Vec<(u32, Error)>,
    ) -> Option<Times> {
        let spans: Vec<_> = (0..batch.len())
            .map(|index| self.buffer.push(batch.value(index).unwrap_or_default()))
            .collect();
        let rows = self.buffer.freeze();
        for (index, span) in spans.into_iter().enumerate() {
            let time = batch.times.at(index);
            records.push(Record::of_raw(index as u32, (), rows.row(span), time));
        }
        None
    }
}

/// A row of these values.
pub(super) fn row_of(values: &[Value], layout: &RowLayout, buffer: &mut RowBuffer) -> Row {
    buffer.clear();
    let mut writer = buffer.begin(layout);
    for (column, value) in values.iter().enumerate() {
        value.write(&mut writer, column);
    }
    let span = writer.finish();
    Row::from_bytes(buffer.get(span))
}

impl Lowering<'_> {
    pub(super) fn values(
        &mut self,
        rows: &[Vec<Value>],
        columns: &[Column],
        tail: Pipeline,
    ) -> Result<Lowered> {
        let layout = RowLayout::new(&schema(columns));
        let mut buffer = RowBuffer::new();
        let rows = rows
            .iter()
            .map(|values| row_of(values, &layout, &mut buffer))
            .collect();
        let stream = self.row_list(rows);
        let stream = tail.on_stream(stream, columns);
        Ok(Lowered::Stream(Streams::new(stream, true)))
    }

    /// A stream of a fixed list of rows.
    pub(super) fn row_list(&mut self, rows: Vec<Row>) -> KStream<(), Row> {
        let name = self.name("values");
        let decoder = || -> Box<dyn RecordDecoder<(), Row>> {
            Box::new(RowBytes {
                buffer: RowBuffer::new(),
            })
        };
        let source = RowList::new(&name, rows);
        let mut consumed = Consumed::decoder(decoder).from(Arc::new(source));
        if self.rows_first {
            consumed = consumed.load_first();
        }
        self.builder.stream(&name, consumed)
    }
}
