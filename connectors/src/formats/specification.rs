//! What a source says of how its records become rows.

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind};
use ferrisstreams_topology::data::Schema;

use super::format::{Format, Formats};
use super::names::identifier;
use super::part::PartForm;
use super::timestamp::TimestampColumn;

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
    /// Where the columns were found out from a sample: the URI without secrets, for what is told of
    /// records that do not fit. None where they were declared.
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

    /// What the keys of records hold.
    pub(super) fn key_form(&self) -> Result<PartForm, ConnectorError> {
        let columns = self.record_key.clone();
        PartForm::new(&self.formats.key, &self.schema, columns, None, "key")
    }

    /// What the values of records hold.
    pub(super) fn value_form(&self) -> Result<PartForm, ConnectorError> {
        let in_value = |column: &usize| self.key_in_value || !self.record_key.contains(column);
        let columns = (0..self.schema.len()).filter(in_value).collect();
        PartForm::new(
            &self.formats.value,
            &self.schema,
            columns,
            self.fields.clone(),
            "value",
        )
    }

    /// The columns of the source, checked against one another.
    pub(super) fn check(&self) -> Result<(), ConnectorError> {
        let named = self.key.iter().chain(&self.record_key);
        match named.max() {
            Some(column) if *column >= self.schema.len() => Err(ConnectorError::new(
                ConnectorErrorKind::NotSupported,
                format!(
                    "the key names column {column}, and there are {}",
                    self.schema.len()
                ),
            )),
            _ => Ok(()),
        }
    }

    /// True where a record without a value deletes its key.
    pub(super) fn deletes(&self) -> bool {
        !self.key.is_empty()
            && self
                .key
                .iter()
                .all(|column| self.record_key.contains(column))
    }

    /// The statement that declares the columns, the one at `column` as text.
    pub(super) fn statement(&self, uri: &str, column: usize) -> String {
        let fields = self.schema.fields().iter().enumerate();
        let columns: Vec<String> = fields
            .map(|(at, field)| {
                let data_type = field.data_type.to_string();
                let data_type = if at == column {
                    "VARCHAR".to_owned()
                } else {
                    data_type
                };
                format!("{} {data_type}", identifier(&field.name))
            })
            .collect();
        format!("CREATE STREAM name ({}) FROM {uri}", columns.join(", "))
    }
}
