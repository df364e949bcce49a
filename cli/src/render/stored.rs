//! Tables as a program keeps them.

use std::io::Write;
use std::ops::ControlFlow;

use ferrisstreams::query::Snapshot;
use ferrisstreams::sql::{ResultSet, Table, read_rows, visit_rows};

use super::{Lines, named, write_name};
use crate::args::Output;
use crate::failure::Failure;

/// How many bytes of rows are sorted before they are written as CSV or JSON.
const SORTED_BYTES: usize = 32 << 20;

/// Writes all rows of a table behind its name; as CSV or JSON as they are read, however many there are.
pub(crate) fn stored(
    out: &mut dyn Write,
    snapshot: &Snapshot,
    table: &Table,
    output: Output,
) -> Result<(), Failure> {
    if output == Output::Table {
        // A column is as wide as its widest cell, so that all of them have to be seen first.
        let rows = ResultSet {
            columns: table.columns.clone(),
            rows: read_rows(snapshot, table)?,
        };
        return Ok(named(out, &table.name, &rows, output)?);
    }
    let lines = Lines::new(&table.columns, output);
    write_name(out, &table.name, output)?;
    lines.header(out)?;
    let mut written = Ok(());
    visit_rows(snapshot, table, SORTED_BYTES, &mut |row| {
        written = lines.row(out, row);
        if written.is_ok() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(written?)
}
