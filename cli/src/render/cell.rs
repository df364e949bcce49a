//! The cells of a result as text.

use ferrisstreams::sql::ResultSet;

/// The text of each cell, row by row; none for NULL.
pub(crate) fn cells(result: &ResultSet) -> Vec<Vec<Option<String>>> {
    result
        .values()
        .into_iter()
        .map(|row| {
            row.into_iter()
                .map(|value| (!value.is_null()).then(|| value.to_string()))
                .collect()
        })
        .collect()
}
