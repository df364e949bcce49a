//! From batches of records to rows.

mod fields;
mod condition;
mod stream;
mod keyed;

use std::sync::Arc;

use ferrisstreams_topology::connector::{ConnectorError, RecordDecoder, RowFilter, RowSource};
use ferrisstreams_topology::data::{Row, RowBuffer};

use self::condition::Condition;
use self::fields::{Fields, TimeColumn};
use self::keyed::{KeyedDecoder, WithoutValue};
use self::stream::StreamDecoder;
use super::part::PartForm;
use super::plan::RowPlan;
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
        let wanted = self.wanted(&read(&[projection], filter.as_ref()));
        let condition = self.condition(filter, &wanted);
        Box::new(StreamDecoder {
            fields: self.fields(&wanted),
            row: condition.before(self.plan_of(projection, &wanted, false)),
            deletes: self.deletes(),
            condition,
            buffer: RowBuffer::new(),
            found: Vec::new(),
        })
    }

    fn keyed_decoder(
        &self,
        key: &[usize],
        projection: &[usize],
        filter: Option<RowFilter>,
    ) -> Box<dyn RecordDecoder<Row, Row>> {
        let wanted = self.wanted(&read(&[key, projection], filter.as_ref()));
        let condition = self.condition(filter, &wanted);
        Box::new(KeyedDecoder {
            fields: self.fields(&wanted),
            key: condition.before(self.plan_of(key, &wanted, false)),
            row: condition.before(self.plan_of(projection, &wanted, false)),
            without_value: if self.deletes() {
                WithoutValue::Skipped
            } else {
                WithoutValue::Bad
            },
            condition,
            buffer: RowBuffer::new(),
            found: Vec::new(),
        })
    }

    fn table_decoder(&self, projection: &[usize]) -> Box<dyn RecordDecoder<Row, Option<Row>>> {
        let key = &self.specification.key;
        let wanted = self.wanted(&read(&[key, projection], None));
        let without_value = if self.deletes() {
            let in_key = &self.specification.record_key;
            let plan = RowPlan::new(&self.specification, key, in_key, &[], true);
            WithoutValue::Deletes(plan)
        } else {
            WithoutValue::Bad
        };
        Box::new(KeyedDecoder {
            fields: self.fields(&wanted),
            key: self.plan_of(key, &wanted, true),
            row: self.plan_of(projection, &wanted, false),
            without_value,
            condition: Condition::none(),
            buffer: RowBuffer::new(),
            found: Vec::new(),
        })
    }

    fn deletes(&self) -> bool {
        self.specification.deletes()
    }
}

/// The columns that are read, given those of rows.
fn read(rows: &[&[usize]], filter: Option<&RowFilter>) -> Vec<usize> {
    let looked_at = filter.map_or(&[][..], RowFilter::columns);
    rows.concat().iter().chain(looked_at).copied().collect()
}

impl Rows {
    /// The columns that are wanted of values, given those of rows.
    fn wanted(&self, columns: &[usize]) -> Vec<usize> {
        let held = self.value.columns().iter().copied();
        held.filter(|column| columns.contains(column) || self.timestamp == Some(*column))
            .collect()
    }

    fn condition(&self, filter: Option<RowFilter>, wanted: &[usize]) -> Condition {
        match filter {
            Some(filter) => {
                let plan = self.plan_of(filter.columns(), wanted, false);
                Condition::new(filter, plan)
            }
            None => Condition::none(),
        }
    }

    /// What finds the fields of these columns of values, and those of keys.
    fn fields(&self, wanted: &[usize]) -> Fields {
        let time = self.timestamp.map(|column| {
            let plan = self.plan_of(&[column], wanted, false);
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
            value: self.value.reader(wanted),
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
