//! Records that are rows already.

use ferrisstreams_topology::Error;
use ferrisstreams_topology::connector::{RawBatch, RecordDecoder, RowFilter, RowSource, Times};
use ferrisstreams_topology::data::{Row, RowBuffer, RowLayout, RowSpan, Schema};
use ferrisstreams_topology::record::{Data, Record};
use ferrisstreams_topology::time::{NO_TIMESTAMP, Timestamp};

use crate::formats::TimeReader;

/// Gives columns of records that are rows of a schema.
pub(super) struct RowBytes {
    pub(super) schema: Schema,
    pub(super) key: Vec<usize>,
    pub(super) time: Option<TimeReader>,
}

impl RowBytes {
    fn columns(&self, columns: &[usize]) -> Columns {
        Columns {
            from: RowLayout::new(&self.schema),
            to: RowLayout::new(&self.schema.project(columns)),
            columns: columns.to_vec(),
        }
    }

    fn decoder_of<K>(
        &self,
        projection: &[usize],
        key: K,
        filter: Option<RowFilter>,
    ) -> RowDecoder<K> {
        RowDecoder {
            key,
            row: self.columns(projection),
            time: self.time.clone(),
            filter: filter.map(|filter| Filtered {
                columns: self.columns(filter.columns()),
                filter,
                buffer: RowBuffer::new(),
            }),
            buffer: RowBuffer::new(),
        }
    }
}

impl RowSource for RowBytes {
    fn decoder(
        &self,
        projection: &[usize],
        filter: Option<RowFilter>,
    ) -> Box<dyn RecordDecoder<(), Row>> {
        Box::new(self.decoder_of(projection, (), filter))
    }

    fn keyed_decoder(
        &self,
        key: &[usize],
        projection: &[usize],
        filter: Option<RowFilter>,
    ) -> Box<dyn RecordDecoder<Row, Row>> {
        Box::new(self.decoder_of(projection, self.columns(key), filter))
    }

    fn table_decoder(&self, projection: &[usize]) -> Box<dyn RecordDecoder<Row, Option<Row>>> {
        Box::new(self.decoder_of(projection, self.columns(&self.key), None))
    }

    fn deletes(&self) -> bool {
        false
    }
}

/// Columns of a row as a row of their own.
struct Columns {
    from: RowLayout,
    to: RowLayout,
    columns: Vec<usize>,
}

impl Columns {
    fn copy(&self, row: &[u8], buffer: &mut RowBuffer) -> RowSpan {
        let mut writer = buffer.begin(&self.to);
        for (index, column) in self.columns.iter().enumerate() {
            writer.copy(index, row, self.from.slot(*column));
        }
        writer.finish()
    }
}

struct RowDecoder<K> {
    key: K,
    row: Columns,
    time: Option<TimeReader>,
    filter: Option<Filtered>,
    buffer: RowBuffer,
}

/// A condition and the columns that it looks at.
struct Filtered {
    columns: Columns,
    filter: RowFilter,
    buffer: RowBuffer,
}

impl Filtered {
    fn holds(&mut self, row: &[u8]) -> bool {
        self.buffer.clear();
        let span = self.columns.copy(row, &mut self.buffer);
        self.filter.holds(self.buffer.get(span))
    }
}

impl<K> RowDecoder<K> {
    /// The time of each record, where it stands in a column. What has none is bad.
    fn times(&self, batch: &RawBatch, bad: &mut Vec<(u32, Error)>) -> Option<Vec<Timestamp>> {
        let reader = self.time.as_ref()?;
        let time = |index: usize| match reader.read(batch.value(index).unwrap_or_default()) {
            Ok(time) => time,
            Err(e) => {
                bad.push((index as u32, e));
                NO_TIMESTAMP
            }
        };
        Some((0..batch.len()).map(time).collect())
    }

    /// The rows of the columns that are wanted, each with its index.
    fn rows(&mut self, batch: &RawBatch, times: Option<&[Timestamp]>) -> Vec<(u32, RowSpan)> {
        let is_good = |index: &usize| times.is_none_or(|times| times[*index] != NO_TIMESTAMP);
        let mut rows = Vec::with_capacity(batch.len());
        for index in (0..batch.len()).filter(is_good) {
            let row = batch.value(index).unwrap_or_default();
            if self.filter.as_mut().is_none_or(|filter| filter.holds(row)) {
                rows.push((index as u32, self.row.copy(row, &mut self.buffer)));
            }
        }
        rows
    }
}

fn time(batch: &RawBatch, times: Option<&[Timestamp]>, index: u32) -> Timestamp {
    times.map_or_else(
        || batch.times.at(index as usize),
        |times| times[index as usize],
    )
}

impl RecordDecoder<(), Row> for RowDecoder<()> {
    fn decode(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<(), Row>>,
        bad: &mut Vec<(u32, Error)>,
    ) -> Option<Times> {
        let times = self.times(batch, bad);
        let spans = self.rows(batch, times.as_deref());
        let rows = self.buffer.freeze();
        records.extend(spans.into_iter().map(|(index, span)| {
            Record::of_raw(
                index,
                (),
                rows.row(span),
                time(batch, times.as_deref(), index),
            )
        }));
        times.map(Times::Each)
    }
}

impl<V: Data + From<Row>> RecordDecoder<Row, V> for RowDecoder<Columns> {
    fn decode(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<Row, V>>,
        bad: &mut Vec<(u32, Error)>,
    ) -> Option<Times> {
        let times = self.times(batch, bad);
        let spans = self.rows(batch, times.as_deref());
        let keys: Vec<RowSpan> = spans
            .iter()
            .map(|(index, _)| {
                let row = batch.value(*index as usize).unwrap_or_default();
                self.key.copy(row, &mut self.buffer)
            })
            .collect();
        let rows = self.buffer.freeze();
        records.extend(spans.into_iter().zip(keys).map(|((index, span), key)| {
            let time = time(batch, times.as_deref(), index);
            Record::of_raw(index, rows.row(key), rows.row(span).into(), time)
        }));
        times.map(Times::Each)
    }
}
