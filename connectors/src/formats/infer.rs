//! Columns found out from the first records of a source.

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind};
use ferrisstreams_topology::data::Schema;

use super::Format;

/// The first records of a source, from which its columns are found out: at most 10,000 records or
/// 1 MB.
pub struct Sample {
    format: Format,
    header: Option<Vec<String>>,
    records: usize,
    bytes: usize,
}

impl Sample {
    /// A sample of values in a format; `header` names the fields of CSV lines, which are `column1`
    /// and so on without it.
    ///
    /// # Errors
    ///
    /// Where nothing can be found out about columns in this format.
    pub fn new(format: &Format, header: Option<Vec<String>>) -> Result<Sample, ConnectorError> {
        Ok(Sample {
            format: format.clone(),
            header,
            records: 0,
            bytes: 0,
        })
    }

    /// Adds a record; the answer is whether more are wanted. What cannot be read does not count.
    pub fn add(&mut self, record: &[u8]) -> bool {
        self.records += 1;
        self.bytes += record.len();
        self.records < 10_000 && self.bytes < 1 << 20
    }

    /// The columns. `uri` is what is sampled, without secrets, and `word` is STREAM or TABLE, for the
    /// statement that an error shows.
    ///
    /// # Errors
    ///
    /// Where no record could be read and no header names the columns: the error shows the CREATE statement to write.
    pub fn columns(self, uri: &str, word: &str) -> Result<Schema, ConnectorError> {
        let _ = (uri, word, self.format, self.header);
        Err(ConnectorError::new(
            ConnectorErrorKind::NotSupported,
            "not there yet",
        ))
    }
}
