//! The fields of records, found where their parts are.

use ferrisstreams_topology::connector::{RawBatch, Times};
use ferrisstreams_topology::data::{RowBuffer, RowSpan};
use ferrisstreams_topology::record::Record;
use ferrisstreams_topology::time::{NO_TIMESTAMP, Timestamp};
use ferrisstreams_topology::{Error, Result};

use super::super::fault::bad_record;
use super::super::part::Part;
use super::super::plan::{RowPlan, Scanned};
use super::super::timestamp::TimeReader;

/// Finds the fields of records.
pub(super) struct Fields {
    /// False where all columns stand in the key.
    pub(super) has_value: bool,
    pub(super) key: Part,
    pub(super) value: Part,
    pub(super) time: Option<Box<TimeColumn>>,
    pub(super) scratch: Vec<u8>,
}

/// What reads the time of a record.
pub(super) struct TimeColumn {
    /// Makes a row of the timestamp's column alone.
    pub(super) plan: RowPlan,
    pub(super) reader: TimeReader,
    pub(super) buffer: RowBuffer,
}

impl Fields {
    /// Finds the fields of the value of a record, and those of its key where that is needed; none
    /// where there is no value.
    #[inline]
    pub(super) fn scan(&mut self, batch: &RawBatch, index: usize, needs_key: bool) -> Result<bool> {
        if needs_key {
            self.scan_key(batch, index)?;
        }
        match batch.value(index) {
            Some(value) if self.has_value => self.value.scan(value),
            value => Ok(value.is_some()),
        }
    }

    pub(super) fn scan_key(&mut self, batch: &RawBatch, index: usize) -> Result<()> {
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
    pub(super) fn write(
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
    pub(super) fn write_behind(
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
    pub(super) fn are_good(&self, batch: &RawBatch, index: usize, plan: &RowPlan) -> bool {
        let key = Scanned::new(&self.key, batch.key(index));
        plan.is_good(key, Scanned::new(&self.value, batch.value(index)))
    }

    /// When a record that was scanned happened.
    #[inline(always)]
    pub(super) fn time(&mut self, batch: &RawBatch, index: usize) -> Result<Timestamp> {
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

    pub(super) fn time_needs_key(&self) -> bool {
        self.time
            .as_ref()
            .is_some_and(|column| column.plan.needs_key())
    }
}

/// The times of the records of a batch, where they are not those of the batch.
pub(super) struct TimesRead(Option<Vec<Timestamp>>);

impl TimesRead {
    pub(super) fn new(fields: &Fields, batch: &RawBatch) -> Self {
        TimesRead(
            fields
                .time
                .as_ref()
                .map(|_| Vec::with_capacity(batch.len())),
        )
    }

    /// Reads every record, with what reads one and tells its time; those that are bad are noted.
    #[inline]
    pub(super) fn read(
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
pub(super) fn record<K, V>(
    batch: &RawBatch,
    index: u32,
    key: K,
    value: V,
    time: Timestamp,
) -> Record<K, V> {
    let mut record = Record::of_raw(index, key, value, time);
    if !batch.headers.is_empty() {
        record.headers = batch.headers(index as usize);
    }
    record
}

pub(super) fn no_value() -> Error {
    bad_record("the record has no value")
}
