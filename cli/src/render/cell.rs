//! The cells of a result as text.

use ferrisstreams::data::Value;
use ferrisstreams::sql::ResultSet;

/// The text of each cell, row by row; none for NULL.
pub(crate) fn cells(result: &ResultSet) -> Vec<Vec<Option<String>>> {
    let texts = |row: Vec<Value>| row.iter().map(cell).collect();
    result.values().into_iter().map(texts).collect()
}

/// The text of a value; none for NULL.
pub(super) fn cell(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}
