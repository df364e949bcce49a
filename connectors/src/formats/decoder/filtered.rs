//! Conditions on records, which are looked at before rows are made.

use ferrisstreams_topology::Result;
use ferrisstreams_topology::connector::{RawBatch, RowFilter};
use ferrisstreams_topology::data::{RowBuffer, RowSpan};

use super::super::plan::RowPlan;
use super::fields::Fields;

/// What decides which records are wanted, before their rows are made.
pub(super) struct Filtered {
    filter: RowFilter,
    /// Makes the row that the filter is given.
    pub(super) plan: RowPlan,
    buffer: RowBuffer,
    made: Option<RowSpan>,
}

impl Filtered {
    pub(super) fn new(filter: RowFilter, plan: RowPlan) -> Self {
        Filtered {
            filter,
            plan,
            buffer: RowBuffer::new(),
            made: None,
        }
    }

    #[inline]
    pub(super) fn holds(
        &mut self,
        fields: &mut Fields,
        batch: &RawBatch,
        index: usize,
    ) -> Result<bool> {
        self.buffer.clear();
        self.made = Some(fields.write(batch, index, &self.plan, &mut self.buffer)?);
        Ok(self.filter.holds(self.row()))
    }

    /// The row that the filter was given last.
    #[inline]
    pub(super) fn row(&self) -> &[u8] {
        self.made.map_or(&[], |made| self.buffer.get(made))
    }
}
