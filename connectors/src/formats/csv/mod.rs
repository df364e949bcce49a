//! Comma-separated values: a line into its fields.

mod split;
mod reader;

pub(super) use reader::CsvReader;
pub use reader::csv_fields;
