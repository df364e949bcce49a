//! How one row is made of the fields of a record.

use std::sync::Arc;

use ferrisstreams_topology::data::{RowBuffer, RowLayout, RowSpan, RowWriter, Slot};
use ferrisstreams_topology::{Error, Result};

use super::column::Column;
use super::part::Part;
use super::specification::RowSpecification;

/// A part of a record, with its fields found.
#[derive(Clone, Copy)]
pub(super) struct Scanned<'a> {
    pub(super) part: &'a Part,
    pub(super) bytes: &'a [u8],
}

impl<'a> Scanned<'a> {
    #[inline]
    pub(super) fn new(part: &'a Part, bytes: Option<&'a [u8]>) -> Self {
        Scanned {
            part,
            bytes: bytes.unwrap_or_default(),
        }
    }
}

/// The columns of a row, and the fields that they are made of.
pub(super) struct RowPlan {
    layout: RowLayout,
    outputs: Vec<Output>,
    specification: Arc<RowSpecification>,
}

struct Output {
    /// Whether it stands in the key, or in the value.
    in_key: bool,
    /// Its place among the cells of the part.
    cell: usize,
    /// Its place in the schema of the source.
    source: usize,
    /// Where it stands in another row of the same record, if it does.
    made: Option<Slot>,
    column: Column,
}

impl RowPlan {
    /// A row of the columns at `columns`, each found in the key or the value: at their places in
    /// `in_key` or else `in_value`. Where `required`, there must be a value in each.
    pub(super) fn new(
        specification: &Arc<RowSpecification>,
        columns: &[usize],
        in_key: &[usize],
        in_value: &[usize],
        required: bool,
    ) -> Self {
        let schema = &specification.schema;
        let exact = specification.inferred_from.is_some();
        let output = |source: &usize| {
            let place = |cells: &[usize]| cells.iter().position(|cell| cell == source);
            let (from_key, from_value) = (place(in_key), place(in_value));
            let column = Column::new(&schema.fields()[*source], exact);
            Output {
                in_key: from_key.is_some(),
                cell: from_key
                    .or(from_value)
                    .expect("a column stands in one of the parts"),
                source: *source,
                made: None,
                column: if required { column.required() } else { column },
            }
        };
        RowPlan {
            layout: RowLayout::new(&schema.project(columns)),
            outputs: columns.iter().map(output).collect(),
            specification: specification.clone(),
        }
    }

    /// The same row, made behind another one of the same record: what is in that is copied.
    pub(super) fn behind(mut self, other: &RowPlan) -> Self {
        for output in &mut self.outputs {
            let sources = other.outputs.iter().map(|other| other.source);
            let place = sources.clone().position(|source| source == output.source);
            output.made = place.map(|place| other.layout.slot(place));
        }
        self
    }

    /// True where a field of the key is needed.
    pub(super) fn needs_key(&self) -> bool {
        self.outputs.iter().any(|output| output.in_key)
    }

    /// How many values were rounded since this was last asked.
    pub(super) fn take_rounded(&self) -> u64 {
        let columns = self.outputs.iter().map(|output| &output.column);
        columns.map(Column::take_rounded).sum()
    }

    /// The same of those columns that are not in `other` as well.
    pub(super) fn take_rounded_beside(&self, other: &RowPlan) -> u64 {
        let mut rounded = 0;
        for output in &self.outputs {
            let taken = output.column.take_rounded();
            if other
                .outputs
                .iter()
                .all(|other| other.source != output.source)
            {
                rounded += taken;
            }
        }
        rounded
    }

    /// True where it is known, without writing it, that the row can be written and no number is
    /// rounded. The row that this one is behind can.
    #[inline]
    pub(super) fn is_good(&self, key: Scanned<'_>, value: Scanned<'_>) -> bool {
        self.outputs.iter().all(|output| {
            if output.made.is_some() {
                return true;
            }
            let from = if output.in_key { key } else { value };
            let cell = from.part.cell(output.cell, from.bytes);
            output.column.is_good(from.bytes, cell)
        })
    }

    /// Writes the row; `made` is the one that it is behind.
    #[inline]
    pub(super) fn write(
        &self,
        key: Scanned<'_>,
        value: Scanned<'_>,
        made: &[u8],
        scratch: &mut Vec<u8>,
        buffer: &mut RowBuffer,
    ) -> Result<RowSpan> {
        let mut writer = buffer.begin(&self.layout);
        for (index, output) in self.outputs.iter().enumerate() {
            if let Some(slot) = output.made {
                writer.copy(index, made, slot);
                continue;
            }
            let from = if output.in_key { key } else { value };
            let cell = from.part.cell(output.cell, from.bytes);
            let written = output
                .column
                .write(from.bytes, cell, scratch, &mut writer, index);
            if let Err(fault) = written {
                let text = cell.of(from.bytes);
                let error = fault.told(&output.column.name, output.column.data_type, text);
                return Err(self.cancel(writer, output, error));
            }
        }
        Ok(writer.finish())
    }

    #[cold]
    fn cancel(&self, writer: RowWriter<'_>, output: &Output, error: Error) -> Error {
        writer.cancel();
        let Some(uri) = &self.specification.inferred_from else {
            return error;
        };
        let statement = self.specification.statement(uri, output.source);
        let told = "its type was found out from a sample";
        let message = format!("{error}; {told}, and {statement} declares another");
        Error::new(error.kind(), message)
    }
}
