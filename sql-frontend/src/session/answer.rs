//! What a statement comes to.

use ferrisstreams_topology::data::{Row, RowBuffer, RowLayout, Schema, Value};

use super::program::Changes;
use super::select::Select;
use super::text_column;
use crate::plan::Column;
use crate::plan::schema;

/// What a statement comes to.
#[derive(Debug)]
pub enum Answer {
    /// It is done; in a line, what was.
    Done(String),
    /// Rows.
    Rows(ResultSet),
    /// The queries and how they stand, to be asked of [`Session::queries`](super::Session::queries)
    /// by who runs them.
    Queries,
    /// Text of several lines.
    Text(String),
    /// A query that answers once, to be given to [`Session::select`](super::Session::select).
    Select(Select),
    /// A query that goes on, as part of the program.
    Changes(Changes),
}

/// Rows with their columns.
#[derive(Clone, Debug)]
pub struct ResultSet {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, in order, each of the columns' schema.
    pub rows: Vec<Row>,
}

impl ResultSet {
    /// Rows of text.
    pub(super) fn of_text(columns: &[&str], rows: Vec<Vec<String>>) -> Self {
        let columns: Vec<Column> = columns.iter().map(|name| text_column(name)).collect();
        let layout = RowLayout::new(&schema(&columns));
        let mut buffer = RowBuffer::new();
        let rows = rows
            .into_iter()
            .map(|cells| {
                buffer.clear();
                let mut writer = buffer.begin(&layout);
                for (column, cell) in cells.iter().enumerate() {
                    writer.set_text(column, cell);
                }
                let span = writer.finish();
                Row::from_bytes(buffer.get(span))
            })
            .collect();
        ResultSet { columns, rows }
    }

    /// The values, row by row.
    pub fn values(&self) -> Vec<Vec<Value>> {
        let reader = RowReader::new(&self.columns);
        self.rows.iter().map(|row| reader.values(row)).collect()
    }
}

/// Reads the values of rows with the same columns.
#[derive(Clone, Debug)]
pub struct RowReader {
    schema: Schema,
    layout: RowLayout,
}

impl RowReader {
    /// Reads rows with these columns.
    pub fn new(columns: &[Column]) -> Self {
        let schema = schema(columns);
        RowReader {
            layout: RowLayout::new(&schema),
            schema,
        }
    }

    /// The values of a row.
    pub fn values(&self, row: &Row) -> Vec<Value> {
        Value::read_all(row.bytes(), &self.layout, &self.schema)
    }
}
