//! Which field of a CSV line belongs to which column.

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind};
use ferrisstreams_topology::data::Schema;

/// The field of each of the columns at `columns`: that of the same name, or of one that is equal but
/// for case.
pub(super) fn places(
    schema: &Schema,
    columns: &[usize],
    fields: &[String],
) -> Result<Vec<usize>, ConnectorError> {
    let mut places = Vec::with_capacity(columns.len());
    for column in columns {
        let name = &schema.fields()[*column].name;
        let exact = fields.iter().position(|field| field == name);
        let place = exact.or_else(|| {
            fields
                .iter()
                .position(|field| field.eq_ignore_ascii_case(name))
        });
        let Some(place) = place else {
            let message = format!("column `{name}` is declared, and the header does not have it");
            return Err(ConnectorError::new(ConnectorErrorKind::Unreadable, message)
                .help(format!("the header has: {}", fields.join(", "))));
        };
        places.push(place);
    }
    Ok(places)
}
