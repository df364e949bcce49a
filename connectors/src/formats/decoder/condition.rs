//! Conditions on records, which are looked at before rows are made.

use ferrisstreams_topology::Result;
use ferrisstreams_topology::connector::{RawBatch, RowFilter};
use ferrisstreams_topology::data::{RowBuffer, RowSpan};

use super::super::plan::RowPlan;
use super::fields::Fields;

/// What decides which records are wanted, before their rows are made: all where there is no condition.
pub(super) struct Condition(Option<Filtered>);

struct Filtered {
    filter: RowFilter,
    /// Makes the row that the filter is given.
    plan: RowPlan,
    buffer: RowBuffer,
    made: Option<RowSpan>,
}

impl Condition {
    /// Every record is wanted.
    pub(super) fn none() -> Self {
        Condition(None)
    }

    /// A filter is given the row that a plan makes.
    pub(super) fn new(filter: RowFilter, plan: RowPlan) -> Self {
        Condition(Some(Filtered {
            filter,
            plan,
            buffer: RowBuffer::new(),
            made: None,
        }))
    }

    /// Whether a record that was scanned is wanted.
    #[inline]
    pub(super) fn holds(
        &mut self,
        fields: &mut Fields,
        batch: &RawBatch,
        index: usize,
    ) -> Result<bool> {
        let Some(Filtered {
            filter,
            plan,
            buffer,
            made,
        }) = &mut self.0
        else {
            return Ok(true);
        };
        buffer.clear();
        let span = fields.write(batch, index, plan, buffer)?;
        *made = Some(span);
        Ok(filter.holds(buffer.get(span)))
    }

    /// The row that was looked at last.
    #[inline]
    pub(super) fn row(&self) -> &[u8] {
        let made = self.0.as_ref().map(|of| (of.made, &of.buffer));
        match made {
            Some((Some(span), buffer)) => buffer.get(span),
            _ => &[],
        }
    }

    /// A row that is made behind the one that is looked at.
    pub(super) fn before(&self, row: RowPlan) -> RowPlan {
        match &self.0 {
            Some(filtered) => row.behind(&filtered.plan),
            None => row,
        }
    }

    /// True where a field of the key is needed.
    pub(super) fn needs_key(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|filtered| filtered.plan.needs_key())
    }

    /// How many values were rounded since this was last asked.
    pub(super) fn take_rounded(&self) -> u64 {
        let plan = self.0.as_ref().map(|filtered| &filtered.plan);
        plan.map_or(0, RowPlan::take_rounded)
    }
}
