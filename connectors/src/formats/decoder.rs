//! From records to rows.

use std::sync::Arc;

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind, RowSource};
use ferrisstreams_topology::data::Schema;

use super::{Format, Formats, TimestampColumn};

/// How the records of a source become rows.
#[derive(Debug, Clone)]
pub struct RowSpecification {
    /// The columns of the source.
    pub schema: Schema,
    /// The columns that tell the rows of a table apart.
    pub key: Vec<usize>,
    /// The formats.
    pub formats: Formats,
    /// The columns that the key of a record holds, in its order; none where only values count.
    pub record_key: Vec<usize>,
    /// True where values hold the columns of the key as well: these are read, and keys are looked
    /// into only for what is deleted.
    pub key_in_value: bool,
    /// The names of the fields of CSV lines, in order; without it they are the columns that values
    /// hold, in the order of the schema.
    pub fields: Option<Vec<String>>,
    /// The column that says when a record happened; otherwise the time of the raw record counts.
    pub timestamp: Option<TimestampColumn>,
    /// Where the columns were found out from a sample: the URI, for what is told of records that do
    /// not fit. None where they were declared.
    pub inferred_from: Option<String>,
}

impl RowSpecification {
    /// Columns that stand in the values of records, and nothing else.
    pub fn values(schema: Schema, format: Format) -> Self {
        RowSpecification {
            schema,
            key: Vec::new(),
            formats: Formats {
                value: format,
                key: Format::None,
            },
            record_key: Vec::new(),
            key_in_value: false,
            fields: None,
            timestamp: None,
            inferred_from: None,
        }
    }
}

/// What makes rows of such records.
///
/// Values hold one record each: a CSV line or a JSON object, without an end of the line. A record
/// without a value deletes its key where the source has one that stands in the records' keys.
///
/// # Errors
///
/// Where a column is not among the fields, its type has no such form, or the timestamp's column is
/// missing or of no type that says when.
pub fn rows(specification: RowSpecification) -> Result<Arc<dyn RowSource>, ConnectorError> {
    let _ = specification;
    Err(ConnectorError::new(
        ConnectorErrorKind::NotSupported,
        "not there yet",
    ))
}
