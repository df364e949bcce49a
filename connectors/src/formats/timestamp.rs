//! The column that says when a record happened.

use ferrisstreams_topology::connector::ConnectorError;

use crate::options::OptionReader;

/// A column that a record's timestamp is read from: BIGINT in milliseconds, TIMESTAMP, TIMESTAMPTZ, or
/// text of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct TimestampColumn {
    /// The column's name; case does not count where it is not the only one of that spelling.
    pub column: String,
    /// The pattern of its text, as `timestamp_format` gives it.
    pub pattern: Option<String>,
}

impl TimestampColumn {
    /// Takes `timestamp` and `timestamp_format`.
    ///
    /// # Errors
    ///
    /// Where there is a format and no column, or the format is none.
    pub fn take(options: &mut OptionReader) -> Result<Option<TimestampColumn>, ConnectorError> {
        let column = options.take_text("timestamp");
        let pattern = options.take_text("timestamp_format");
        Ok(column.map(|column| TimestampColumn { column, pattern }))
    }
}
