//! From rows to the bytes of records.

use ferrisstreams_topology::codec::SharedCodec;
use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind};
use ferrisstreams_topology::data::{Row, Schema};

use super::{Csv, Format};

/// What writes the columns at `columns`, in that order, of rows of `schema`: a CSV line without its
/// end, a JSON object, or one column in another form.
///
/// Encoders do not decode. For [`Format::None`] the payload is null.
///
/// # Errors
///
/// Where the format cannot hold such columns.
pub fn encoder(
    format: &Format,
    schema: &Schema,
    columns: &[usize],
) -> Result<SharedCodec<Row>, ConnectorError> {
    let _ = (format, schema, columns);
    Err(ConnectorError::new(
        ConnectorErrorKind::NotSupported,
        "not there yet",
    ))
}

/// The header of a CSV file with the columns at `columns`, without the line's end.
pub fn csv_header(csv: &Csv, schema: &Schema, columns: &[usize]) -> Vec<u8> {
    let _ = (csv, schema, columns);
    Vec::new()
}
