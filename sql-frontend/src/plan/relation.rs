//! What plans read: sources, streams and tables, with their columns.

use ferrisstreams_topology::connector::ResolvedSource;
use ferrisstreams_topology::data::{Field, Schema};

use super::node::{Column, Plan, ScanKind};
use super::properties::Key;

/// A source of records, with its columns.
pub struct Source {
    /// What it is called in plans: the name that it was declared by, or its URI.
    pub name: String,
    /// Where it is, without secrets.
    pub location: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The columns that tell the rows of a table apart.
    pub key: Vec<usize>,
    /// The columns that were declared to be the key, which those of a stream may be too.
    pub declared_key: Vec<usize>,
    /// Whether it is a stream or a table.
    pub kind: ScanKind,
    /// How rows are read.
    pub resolved: ResolvedSource,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("location", &self.location)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

/// A stream that is computed, or that rows are inserted into.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The columns that were declared to be the key.
    pub key: Vec<usize>,
    /// The query that it was created as; none where rows are inserted.
    pub query: Option<Plan>,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// What tells its rows apart.
    pub key: Key,
    /// What it holds; none where rows are inserted.
    pub query: Option<Plan>,
    /// The columns that a primary key names, where rows are inserted.
    pub primary_key: Vec<usize>,
    /// True where it was declared over a source and not computed.
    pub declared: bool,
}

/// The columns of a plan as a schema of rows.
pub fn schema(columns: &[Column]) -> Schema {
    columns
        .iter()
        .map(|column| {
            let field = Field::new(&column.name, column.data_type);
            if column.nullable {
                field
            } else {
                field.not_null()
            }
        })
        .collect()
}
