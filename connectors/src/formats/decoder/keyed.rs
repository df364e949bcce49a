//! Records as rows under keys.

use ferrisstreams_topology::connector::{RawBatch, RecordDecoder, Times};
use ferrisstreams_topology::data::{Row, RowBuffer, RowSpan};
use ferrisstreams_topology::record::{Data, Record};
use ferrisstreams_topology::time::Timestamp;
use ferrisstreams_topology::{Error, Result};

use super::super::plan::RowPlan;
use super::condition::Condition;
use super::fields::{Fields, TimesRead, no_value, record};

/// Gives the rows of records by their keys, and what is deleted.
pub(super) struct KeyedDecoder {
    pub(super) fields: Fields,
    pub(super) key: RowPlan,
    pub(super) row: RowPlan,
    pub(super) without_value: WithoutValue,
    pub(super) condition: Condition,
    pub(super) buffer: RowBuffer,
    /// Keys, and rows where they are not deleted, until their buffer is whole.
    pub(super) found: Vec<Found>,
}

/// What a record without a value is.
pub(super) enum WithoutValue {
    /// A mistake.
    Bad,
    /// A deletion, which does not matter.
    Skipped,
    /// The deletion of a key, of which this makes the row.
    Deletes(RowPlan),
}

/// A record that is wanted.
pub(super) struct Found {
    index: u32,
    key: RowSpan,
    row: Option<RowSpan>,
    time: Timestamp,
}

impl KeyedDecoder {
    /// Decodes a record and tells its time; its rows are kept if it is wanted.
    #[inline]
    fn decode_one(&mut self, batch: &RawBatch, index: usize, needs_key: bool) -> Result<Timestamp> {
        if !self.fields.scan(batch, index, needs_key)? {
            return self.take_without_value(batch, index);
        }
        let time = self.fields.time(batch, index)?;
        let is_wanted = self.condition.holds(&mut self.fields, batch, index)?;
        // A record that is not wanted is a bad one all the same where its rows cannot be made.
        let is_good = |plan| self.fields.are_good(batch, index, plan);
        if !is_wanted && is_good(&self.key) && is_good(&self.row) {
            return Ok(time);
        }
        let made = self.condition.row();
        let (fields, buffer) = (&mut self.fields, &mut self.buffer);
        let key = fields.write_behind(made, batch, index, &self.key, buffer)?;
        let row = fields.write_behind(made, batch, index, &self.row, buffer)?;
        if !is_wanted {
            buffer.truncate(key);
            return Ok(time);
        }
        self.found.push(Found {
            index: index as u32,
            key,
            row: Some(row),
            time,
        });
        Ok(time)
    }

    fn take_without_value(&mut self, batch: &RawBatch, index: usize) -> Result<Timestamp> {
        let time = batch.times.at(index);
        let plan = match &self.without_value {
            WithoutValue::Bad => return Err(no_value()),
            WithoutValue::Skipped => return Ok(time),
            WithoutValue::Deletes(plan) => plan,
        };
        self.fields.scan_key(batch, index)?;
        let key = self.fields.write(batch, index, plan, &mut self.buffer)?;
        self.found.push(Found {
            index: index as u32,
            key,
            row: None,
            time,
        });
        Ok(time)
    }

    /// Decodes a batch; `value` makes the value of a record of its row, if it has one.
    #[inline]
    fn decode_all<V: Data>(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<Row, V>>,
        bad: &mut Vec<(u32, Error)>,
        value: impl Fn(Option<Row>) -> V,
    ) -> Option<Times> {
        let times = TimesRead::new(&self.fields, batch);
        let needs_key = self.key.needs_key()
            || self.row.needs_key()
            || self.condition.needs_key()
            || self.fields.time_needs_key();
        let times = times.read(batch, bad, |index| self.decode_one(batch, index, needs_key));
        let rows = self.buffer.freeze();
        // Records are written where they stay: put together elsewhere, they would be moved in other pieces than they were
        // written in, and waited for.
        records.extend(self.found.iter().map(|found| {
            let row = found.row.map(|span| rows.row(span));
            let key = rows.row(found.key);
            record(batch, found.index, key, value(row), found.time)
        }));
        self.found.clear();
        times
    }

    /// How many values were rounded since this was last asked: those of a column that is in the key and in the row
    /// once.
    fn rounded(&self) -> u64 {
        self.row.take_rounded()
            + self.key.take_rounded_beside(&self.row)
            + self.condition.take_rounded()
    }
}

impl RecordDecoder<Row, Option<Row>> for KeyedDecoder {
    fn decode(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<Row, Option<Row>>>,
        bad: &mut Vec<(u32, Error)>,
    ) -> Option<Times> {
        self.decode_all(batch, records, bad, |row| row)
    }

    fn take_rounded(&mut self) -> u64 {
        self.rounded()
    }
}

impl RecordDecoder<Row, Row> for KeyedDecoder {
    fn decode(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<Row, Row>>,
        bad: &mut Vec<(u32, Error)>,
    ) -> Option<Times> {
        let value = |row: Option<Row>| row.expect("what deletes is not among records of a stream");
        self.decode_all(batch, records, bad, value)
    }

    fn take_rounded(&mut self) -> u64 {
        self.rounded()
    }
}
