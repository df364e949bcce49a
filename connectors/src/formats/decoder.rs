//! From batches of records to rows.

use std::sync::Arc;

use ferrisstreams_topology::connector::{
    ConnectorError, RawBatch, RecordDecoder, RowFilter, RowSource, Times,
};
use ferrisstreams_topology::data::{Row, RowBuffer, RowSpan};
use ferrisstreams_topology::record::Record;
use ferrisstreams_topology::time::{NO_TIMESTAMP, Timestamp};
use ferrisstreams_topology::{Error, Result};

use super::fault::bad_record;
use super::part::{Part, PartForm};
use super::plan::{RowPlan, Scanned};
use super::specification::RowSpecification;
use super::timestamp::TimeReader;

/// What makes rows of such records.
///
/// Values hold one record each: a CSV line or a JSON object, without an end of the line. A record
/// without a value, or with `null` for one in JSON, deletes its key where the source has one that
/// stands in the records' keys; elsewhere it is a bad record.
///
/// A record is bad where its structure is, or a field that is read. Fields that no column wants are
/// not looked into.
///
/// # Errors
///
/// Where a column is not among the fields, its type has no such form, or the timestamp's column is
/// missing or of no type that says when.
pub fn rows(specification: RowSpecification) -> Result<Arc<dyn RowSource>, ConnectorError> {
    specification.check()?;
    let timestamp = match &specification.timestamp {
        Some(column) => Some(column.place(&specification.schema)?),
        None => None,
    };
    Ok(Arc::new(Rows {
        key: specification.key_form()?,
        value: specification.value_form()?,
        timestamp,
        specification: Arc::new(specification),
    }))
}

struct Rows {
    specification: Arc<RowSpecification>,
    key: PartForm,
    value: PartForm,
    /// The column of the timestamp.
    timestamp: Option<usize>,
}

impl RowSource for Rows {
    fn decoder(
        &self,
        projection: &[usize],
        filter: Option<RowFilter>,
    ) -> Box<dyn RecordDecoder<(), Row>> {
        let mut read = projection.to_vec();
        if let Some(filter) = &filter {
            read.extend(
                filter
                    .columns()
                    .iter()
                    .filter(|at| !projection.contains(at)),
            );
        }
        let wanted = self.wanted(&read);
        let filter = filter.map(|filter| Filtered {
            plan: self.plan_of(filter.columns(), &wanted, false),
            filter,
            buffer: RowBuffer::new(),
            made: None,
        });
        let row = self.plan_of(projection, &wanted, false);
        Box::new(StreamDecoder {
            fields: self.fields(&read),
            row: match &filter {
                Some(filter) => row.behind(&filter.plan),
                None => row,
            },
            deletes: self.deletes(),
            filter,
            buffer: RowBuffer::new(),
            found: Vec::new(),
        })
    }

    fn table_decoder(&self, projection: &[usize]) -> Box<dyn RecordDecoder<Row, Option<Row>>> {
        let key = &self.specification.key;
        let read: Vec<usize> = key.iter().chain(projection).copied().collect();
        let deletion = self.deletes().then(|| {
            let (schema, in_key) = (&self.specification, &self.specification.record_key);
            RowPlan::new(schema, key, in_key, &[], true)
        });
        Box::new(TableDecoder {
            fields: self.fields(&read),
            key: self.plan_of(key, &self.wanted(&read), true),
            row: self.plan_of(projection, &self.wanted(&read), false),
            deletion,
            buffer: RowBuffer::new(),
            found: Vec::new(),
        })
    }

    fn deletes(&self) -> bool {
        self.specification.deletes()
    }
}

impl Rows {
    /// The columns that are wanted of values, given those of rows.
    fn wanted(&self, columns: &[usize]) -> Vec<usize> {
        let held = self.value.columns().iter().copied();
        held.filter(|column| columns.contains(column) || self.timestamp == Some(*column))
            .collect()
    }

    fn fields(&self, columns: &[usize]) -> Fields {
        let wanted = self.wanted(columns);
        let time = self.timestamp.map(|column| {
            let plan = self.plan_of(&[column], &wanted, false);
            let schema = self.specification.schema.project(&[column]);
            let settings = self.specification.timestamp.as_ref();
            let settings = settings.expect("where it has a place it is there");
            Box::new(TimeColumn {
                plan,
                reader: TimeReader::new(settings, &schema, 0),
                buffer: RowBuffer::new(),
            })
        });
        Fields {
            has_value: !self.value.is_none(),
            key: self.key.reader(&self.specification.record_key),
            value: self.value.reader(&wanted),
            time,
            scratch: Vec::new(),
        }
    }

    /// A row of columns, those at `wanted` in the value and the others in the key.
    fn plan_of(&self, columns: &[usize], wanted: &[usize], required: bool) -> RowPlan {
        let held = self.specification.record_key.iter();
        // A place that the value fills is none of the key.
        let in_key: Vec<usize> = held
            .map(|column| {
                if wanted.contains(column) {
                    usize::MAX
                } else {
                    *column
                }
            })
            .collect();
        RowPlan::new(&self.specification, columns, &in_key, wanted, required)
    }
}

/// Finds the fields of records.
struct Fields {
    /// False where all columns stand in the key.
    has_value: bool,
    key: Part,
    value: Part,
    time: Option<Box<TimeColumn>>,
    scratch: Vec<u8>,
}

/// What reads the time of a record.
struct TimeColumn {
    /// Makes a row of the timestamp's column alone.
    plan: RowPlan,
    reader: TimeReader,
    buffer: RowBuffer,
}

impl Fields {
    /// Finds the fields of the value of a record, and those of its key where that is needed; none
    /// where there is no value.
    #[inline]
    fn scan(&mut self, batch: &RawBatch, index: usize, needs_key: bool) -> Result<bool> {
        if needs_key {
            self.scan_key(batch, index)?;
        }
        match batch.value(index) {
            Some(value) if self.has_value => self.value.scan(value),
            value => Ok(value.is_some()),
        }
    }

    fn scan_key(&mut self, batch: &RawBatch, index: usize) -> Result<()> {
        let found = match batch.key(index) {
            Some(key) => self.key.scan(key).map_err(|e| e.context("key"))?,
            None => false,
        };
        if found {
            Ok(())
        } else {
            Err(bad_record("the record has no key"))
        }
    }

    /// Makes a row of a record that was scanned.
    #[inline]
    fn write(
        &mut self,
        batch: &RawBatch,
        index: usize,
        plan: &RowPlan,
        buffer: &mut RowBuffer,
    ) -> Result<RowSpan> {
        self.write_behind(&[], batch, index, plan, buffer)
    }

    /// The same of one that is behind another row.
    #[inline]
    fn write_behind(
        &mut self,
        made: &[u8],
        batch: &RawBatch,
        index: usize,
        plan: &RowPlan,
        buffer: &mut RowBuffer,
    ) -> Result<RowSpan> {
        let key = Scanned::new(&self.key, batch.key(index));
        let value = Scanned::new(&self.value, batch.value(index));
        plan.write(key, value, made, &mut self.scratch, buffer)
    }

    /// True where a row of a record that was scanned can be written for sure.
    #[inline]
    fn are_good(&self, batch: &RawBatch, index: usize, plan: &RowPlan) -> bool {
        let key = Scanned::new(&self.key, batch.key(index));
        plan.is_good(key, Scanned::new(&self.value, batch.value(index)))
    }

    /// When a record that was scanned happened.
    #[inline(always)]
    fn time(&mut self, batch: &RawBatch, index: usize) -> Result<Timestamp> {
        match self.time {
            None => Ok(batch.times.at(index)),
            Some(_) => self.read_time(batch, index),
        }
    }

    fn read_time(&mut self, batch: &RawBatch, index: usize) -> Result<Timestamp> {
        let Some(mut column) = self.time.take() else {
            return Ok(batch.times.at(index));
        };
        column.buffer.clear();
        let row = self.write(batch, index, &column.plan, &mut column.buffer);
        let time = row.and_then(|span| column.reader.read(column.buffer.get(span)));
        self.time = Some(column);
        time
    }

    fn time_needs_key(&self) -> bool {
        self.time
            .as_ref()
            .is_some_and(|column| column.plan.needs_key())
    }
}

/// The times of the records of a batch, where they are not those of the batch.
struct TimesRead(Option<Vec<Timestamp>>);

impl TimesRead {
    fn new(fields: &Fields, batch: &RawBatch) -> Self {
        TimesRead(
            fields
                .time
                .as_ref()
                .map(|_| Vec::with_capacity(batch.len())),
        )
    }

    /// Reads every record, with what reads one and tells its time; those that are bad are noted.
    #[inline]
    fn read(
        mut self,
        batch: &RawBatch,
        bad: &mut Vec<(u32, Error)>,
        mut one: impl FnMut(usize) -> Result<Timestamp>,
    ) -> Option<Times> {
        for index in 0..batch.len() {
            let time = one(index).unwrap_or_else(|e| {
                bad.push((index as u32, e));
                NO_TIMESTAMP
            });
            if let Some(times) = &mut self.0 {
                times.push(time);
            }
        }
        self.0.map(Times::Each)
    }
}

/// Makes a record, with the headers that the raw one has.
#[inline]
fn record<K, V>(batch: &RawBatch, index: u32, key: K, value: V, time: Timestamp) -> Record<K, V> {
    let mut record = Record::of_raw(index, key, value, time);
    if !batch.headers.is_empty() {
        record.headers = batch.headers(index as usize);
    }
    record
}

fn no_value() -> Error {
    bad_record("the record has no value")
}

/// Gives the rows of records.
struct StreamDecoder {
    fields: Fields,
    row: RowPlan,
    /// True where a record without a value is a deletion, and not a mistake.
    deletes: bool,
    filter: Option<Filtered>,
    buffer: RowBuffer,
    /// The rows that are wanted, until their buffer is whole.
    found: Vec<(u32, RowSpan, Timestamp)>,
}

/// What decides which records are wanted, before their rows are made.
struct Filtered {
    filter: RowFilter,
    /// Makes the row that the filter is given.
    plan: RowPlan,
    buffer: RowBuffer,
    made: Option<RowSpan>,
}

impl Filtered {
    #[inline]
    fn holds(&mut self, fields: &mut Fields, batch: &RawBatch, index: usize) -> Result<bool> {
        self.buffer.clear();
        self.made = Some(fields.write(batch, index, &self.plan, &mut self.buffer)?);
        Ok(self.filter.holds(self.row()))
    }

    /// The row that the filter was given last.
    #[inline]
    fn row(&self) -> &[u8] {
        self.made.map_or(&[], |made| self.buffer.get(made))
    }
}

impl StreamDecoder {
    /// Decodes a record and tells its time; the row is kept if it is wanted.
    #[inline]
    fn decode_one(&mut self, batch: &RawBatch, index: usize, needs_key: bool) -> Result<Timestamp> {
        if !self.fields.scan(batch, index, needs_key)? {
            return if self.deletes {
                Ok(batch.times.at(index))
            } else {
                Err(no_value())
            };
        }
        let time = self.fields.time(batch, index)?;
        let is_wanted = match &mut self.filter {
            Some(filter) => filter.holds(&mut self.fields, batch, index)?,
            None => true,
        };
        // A record that is not wanted is a bad one all the same where its row cannot be made.
        if !is_wanted && self.fields.are_good(batch, index, &self.row) {
            return Ok(time);
        }
        let made = self.filter.as_ref().map_or(&[][..], Filtered::row);
        let (fields, row) = (&mut self.fields, &self.row);
        let span = fields.write_behind(made, batch, index, row, &mut self.buffer)?;
        if !is_wanted {
            self.buffer.truncate(span);
            return Ok(time);
        }
        self.found.push((index as u32, span, time));
        Ok(time)
    }
}

impl RecordDecoder<(), Row> for StreamDecoder {
    fn decode(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<(), Row>>,
        bad: &mut Vec<(u32, Error)>,
    ) -> Option<Times> {
        let times = TimesRead::new(&self.fields, batch);
        let filter = self.filter.as_ref();
        let needs_key = self.row.needs_key()
            || filter.is_some_and(|filter| filter.plan.needs_key())
            || self.fields.time_needs_key();
        let times = times.read(batch, bad, |index| self.decode_one(batch, index, needs_key));
        let rows = self.buffer.freeze();
        let found = self.found.iter();
        records.extend(
            found.map(|&(index, span, time)| record(batch, index, (), rows.row(span), time)),
        );
        self.found.clear();
        times
    }

    fn take_rounded(&mut self) -> u64 {
        let filter = self.filter.as_ref();
        self.row.take_rounded() + filter.map_or(0, |filter| filter.plan.take_rounded())
    }
}

/// Gives the rows of records by their keys, and what is deleted.
struct TableDecoder {
    fields: Fields,
    key: RowPlan,
    row: RowPlan,
    /// What makes a key's row of the key of a record alone.
    deletion: Option<RowPlan>,
    buffer: RowBuffer,
    /// Keys, and rows where they are not deleted, until their buffer is whole.
    found: Vec<(u32, RowSpan, Option<RowSpan>, Timestamp)>,
}

impl TableDecoder {
    fn decode_one(&mut self, batch: &RawBatch, index: usize, needs_key: bool) -> Result<Timestamp> {
        if !self.fields.scan(batch, index, needs_key)? {
            return self.delete(batch, index);
        }
        let time = self.fields.time(batch, index)?;
        let key = self
            .fields
            .write(batch, index, &self.key, &mut self.buffer)?;
        let row = self
            .fields
            .write(batch, index, &self.row, &mut self.buffer)?;
        self.found.push((index as u32, key, Some(row), time));
        Ok(time)
    }

    fn delete(&mut self, batch: &RawBatch, index: usize) -> Result<Timestamp> {
        let plan = self.deletion.as_ref().ok_or_else(no_value)?;
        self.fields.scan_key(batch, index)?;
        let key = self.fields.write(batch, index, plan, &mut self.buffer)?;
        let time = batch.times.at(index);
        self.found.push((index as u32, key, None, time));
        Ok(time)
    }
}

impl RecordDecoder<Row, Option<Row>> for TableDecoder {
    fn decode(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<Row, Option<Row>>>,
        bad: &mut Vec<(u32, Error)>,
    ) -> Option<Times> {
        let times = TimesRead::new(&self.fields, batch);
        let needs_key =
            self.key.needs_key() || self.row.needs_key() || self.fields.time_needs_key();
        let times = times.read(batch, bad, |index| self.decode_one(batch, index, needs_key));
        let rows = self.buffer.freeze();
        records.reserve(self.found.len());
        for (index, key, row, time) in self.found.drain(..) {
            let row = row.map(|span| rows.row(span));
            records.push(record(batch, index, rows.row(key), row, time));
        }
        times
    }

    fn take_rounded(&mut self) -> u64 {
        // A column of the key is read for the row too, unless the row does without it.
        self.key.take_rounded().max(self.row.take_rounded())
    }
}
