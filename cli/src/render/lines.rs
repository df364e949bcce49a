//! Rows that are written one by one, as they come.

use std::io::{self, Write};

use ferrisstreams::data::Row;
use ferrisstreams::sql::{Column, RowReader};

use super::cell::cell;
use super::{csv, json};
use crate::args::Output;

/// How the rows with the same columns are written, each in a line, or in more where its text has some.
pub(crate) struct Lines {
    columns: Vec<Column>,
    reader: RowReader,
    output: Output,
}

impl Lines {
    pub(crate) fn new(columns: &[Column], output: Output) -> Self {
        Lines {
            columns: columns.to_vec(),
            reader: RowReader::new(columns),
            output,
        }
    }

    /// Writes what stands above the rows.
    pub(crate) fn header(&self, out: &mut dyn Write) -> io::Result<()> {
        let names: Vec<String> = self.columns.iter().map(|c| c.name.clone()).collect();
        match self.output {
            Output::Table => writeln!(out, "{}", names.join(" | ")),
            Output::Csv => csv::write_header(out, &names),
            Output::Json => Ok(()),
        }
    }

    /// Writes a row.
    pub(crate) fn row(&self, out: &mut dyn Write, row: &Row) -> io::Result<()> {
        let values = self.reader.values(row);
        match self.output {
            Output::Table => {
                let shown = |value| cell(value).unwrap_or("NULL".to_owned());
                let cells: Vec<String> = values.iter().map(shown).collect();
                writeln!(out, "{}", cells.join(" | "))
            }
            Output::Csv => csv::write_row(out, &values),
            Output::Json => json::write_row(out, &self.columns, &values),
        }
    }
}
