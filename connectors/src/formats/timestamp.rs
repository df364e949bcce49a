//! The column that says when a record happened.

use ferrisstreams_topology::connector::ConnectorError;
use ferrisstreams_topology::data::{DataType, ParseError, RowLayout, Schema, Slot};
use ferrisstreams_topology::time::Timestamp;

use super::fault::{bad_record, excerpt};
use super::pattern::TimePattern;
use crate::options::{OptionReader, invalid};
use ferrisstreams_topology::{Error, Result};

/// A column that a record's timestamp is read from: BIGINT in milliseconds, TIMESTAMP, TIMESTAMPTZ, or
/// text of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct TimestampColumn {
    /// The column's name; case does not count where it is not the only one of that spelling.
    pub column: String,
    /// The pattern of its text.
    pub pattern: Option<TimePattern>,
}

impl TimestampColumn {
    /// Takes `timestamp` and `timestamp_format`.
    ///
    /// # Errors
    ///
    /// Where there is a format and no column, or the format is none.
    pub fn take(options: &mut OptionReader) -> Result<Option<TimestampColumn>, ConnectorError> {
        const FORMAT: &str = "timestamp_format";
        let column = options.take_text("timestamp");
        let pattern = match options.take_text(FORMAT) {
            None => None,
            Some(_) if column.is_none() => {
                let message = "there is a format of timestamps, and no column of them";
                return Err(invalid(FORMAT, message).help("timestamp = 'column' names it"));
            }
            Some(text) => Some(TimePattern::parse(&text).map_err(|e| invalid(FORMAT, e))?),
        };
        Ok(column.map(|column| TimestampColumn { column, pattern }))
    }

    /// The column's place in a schema.
    pub(super) fn place(&self, schema: &Schema) -> Result<usize, ConnectorError> {
        let names = schema.fields().iter().map(|field| &field.name[..]);
        let place = schema.index_of(&self.column).or_else(|| {
            names
                .clone()
                .position(|name| name.eq_ignore_ascii_case(&self.column))
        });
        let Some(place) = place else {
            let message = format!(
                "there is no column `{}` to read timestamps from",
                self.column
            );
            let names: Vec<&str> = names.collect();
            return Err(
                invalid("timestamp", message).help(format!("there are: {}", names.join(", ")))
            );
        };
        let data_type = schema.data_type(place);
        let reads = match data_type {
            DataType::BigInt | DataType::Timestamp | DataType::TimestampTz => {
                self.pattern.is_none()
            }
            DataType::Varchar { .. } => true,
            _ => {
                let message = format!(
                    "column `{}` is of type {data_type}, which is no timestamp",
                    self.column
                );
                return Err(invalid("timestamp", message)
                    .help("it takes BIGINT (milliseconds), TIMESTAMP, TIMESTAMPTZ, or VARCHAR with timestamp_format"));
            }
        };
        if reads {
            return Ok(place);
        }
        let message = format!(
            "column `{}` is of type {data_type}, and a format is for text",
            self.column
        );
        Err(invalid("timestamp_format", message))
    }
}

impl TimestampColumn {
    /// What reads timestamps from rows of a schema.
    pub(crate) fn reader(&self, schema: &Schema) -> Result<TimeReader, ConnectorError> {
        let place = self.place(schema)?;
        Ok(TimeReader::new(self, schema, place))
    }
}

/// Reads timestamps from rows.
#[derive(Debug, Clone)]
pub(crate) struct TimeReader {
    column: String,
    data_type: DataType,
    slot: Slot,
    pattern: Option<TimePattern>,
}

impl TimeReader {
    /// A reader of column `index` of rows of a schema.
    pub(super) fn new(column: &TimestampColumn, schema: &Schema, index: usize) -> Self {
        let field = &schema.fields()[index];
        TimeReader {
            column: field.name.clone(),
            data_type: field.data_type,
            slot: RowLayout::new(schema).slot(index),
            pattern: column.pattern.clone(),
        }
    }

    /// The timestamp that a row says.
    #[inline]
    pub(crate) fn read(&self, row: &[u8]) -> Result<Timestamp> {
        if self.slot.is_null(row) {
            return Err(self.fault(None));
        }
        let time = match self.data_type {
            DataType::BigInt => self.slot.i64(row),
            DataType::Varchar { .. } => self.slot.text(row).and_then(|text| self.parsed(text).ok()),
            _ => self.slot.i64(row).map(|micros| micros.div_euclid(1000)),
        };
        match time {
            Some(time) if time >= 0 => Ok(time),
            _ => Err(self.fault(Some(row))),
        }
    }

    fn parsed(&self, text: &str) -> Result<Timestamp, ParseError> {
        let micros = match &self.pattern {
            Some(pattern) => pattern.read(text)?,
            None => ferrisstreams_topology::data::datetime::parse_timestamptz(text.as_bytes())?,
        };
        Ok(micros.div_euclid(1000))
    }

    #[cold]
    fn fault(&self, row: Option<&[u8]>) -> Error {
        let column = &self.column;
        let Some(row) = row else {
            return bad_record(format!("column {column}: NULL is no timestamp of a record"));
        };
        let mut text = Vec::new();
        ferrisstreams_topology::data::write_column(&mut text, row, self.slot, self.data_type);
        let text = excerpt(&text);
        bad_record(match &self.pattern {
            Some(pattern) => {
                format!(
                    "column {column}: `{text}` is no timestamp of the form {}",
                    pattern.text()
                )
            }
            None => format!("column {column}: `{text}` is no timestamp from 1970 on"),
        })
    }
}
