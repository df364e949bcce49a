//! Records as rows.

use ferrisstreams_topology::connector::{RawBatch, RecordDecoder, Times};
use ferrisstreams_topology::data::{Row, RowBuffer, RowSpan};
use ferrisstreams_topology::record::Record;
use ferrisstreams_topology::time::Timestamp;
use ferrisstreams_topology::{Error, Result};

use super::super::plan::RowPlan;
use super::condition::Condition;
use super::fields::{Fields, TimesRead, no_value, record};

/// Gives the rows of records.
pub(super) struct StreamDecoder {
    pub(super) fields: Fields,
    pub(super) row: RowPlan,
    /// True where a record without a value is a deletion, and not a mistake.
    pub(super) deletes: bool,
    pub(super) condition: Condition,
    pub(super) buffer: RowBuffer,
    /// The rows that are wanted, until their buffer is whole.
    pub(super) found: Vec<(u32, RowSpan, Timestamp)>,
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
        let is_wanted = self.condition.holds(&mut self.fields, batch, index)?;
        // A record that is not wanted is a bad one all the same where its row cannot be made.
        if !is_wanted && self.fields.are_good(batch, index, &self.row) {
            return Ok(time);
        }
        let made = self.condition.row();
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
        let needs_key =
            self.row.needs_key() || self.condition.needs_key() || self.fields.time_needs_key();
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
        self.row.take_rounded() + self.condition.take_rounded()
    }
}
