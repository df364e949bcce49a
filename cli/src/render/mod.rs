//! Results as text.

mod cell;
mod csv;
mod json;
mod table;

use std::io::{self, Write};

use ferrisstreams::sql::ResultSet;

use crate::args::Output;

pub(crate) use self::cell::cells;
pub(crate) use self::table::{Limits, table};

/// A result some rows at a time, so that their texts are never all in memory.
fn pieces(result: &ResultSet) -> impl Iterator<Item = ResultSet> {
    const ROWS: usize = 1_024;
    result.rows.chunks(ROWS).map(|rows| ResultSet {
        columns: result.columns.clone(),
        rows: rows.to_vec(),
    })
}

/// Writes a result that has no name.
pub(crate) fn result(out: &mut dyn Write, result: &ResultSet, output: Output) -> io::Result<()> {
    match output {
        Output::Table => out.write_all(table(result, Limits::none()).as_bytes()),
        Output::Csv => csv::write(out, result),
        Output::Json => json::write(out, result),
    }
}

/// Writes a table behind its name.
pub(crate) fn named(
    out: &mut dyn Write,
    name: &str,
    rows: &ResultSet,
    output: Output,
) -> io::Result<()> {
    match output {
        Output::Table => {
            writeln!(out, "{name}")?;
            result(out, rows, output)
        }
        Output::Csv => {
            writeln!(out, "-- {name}")?;
            result(out, rows, output)
        }
        Output::Json => {
            json::name(out, name)?;
            result(out, rows, output)
        }
    }
}

/// Writes the header of rows that follow one by one.
pub(crate) fn header(out: &mut dyn Write, columns: &[String], output: Output) -> io::Result<()> {
    match output {
        Output::Table => writeln!(out, "{}", columns.join(" | ")),
        Output::Csv => csv::write_header(out, columns),
        Output::Json => Ok(()),
    }
}

/// Writes a result of one row without its header.
pub(crate) fn line(out: &mut dyn Write, row: &ResultSet, output: Output) -> io::Result<()> {
    match output {
        Output::Table => {
            for row in cells(row) {
                let cells: Vec<&str> = row
                    .iter()
                    .map(|cell| cell.as_deref().unwrap_or("NULL"))
                    .collect();
                writeln!(out, "{}", cells.join(" | "))?;
            }
            Ok(())
        }
        Output::Csv => csv::write_rows(out, row),
        Output::Json => json::write(out, row),
    }
}

/// Writes that the row of a key went away; the key is none where it is not seen.
pub(crate) fn deleted(
    out: &mut dyn Write,
    key: Option<&ResultSet>,
    output: Output,
) -> io::Result<()> {
    let cells = key.map(cells).and_then(|mut rows| rows.pop());
    let text = cells.map_or("a row".to_owned(), |row| {
        let cells: Vec<&str> = row
            .iter()
            .map(|cell| cell.as_deref().unwrap_or("NULL"))
            .collect();
        cells.join(", ")
    });
    match output {
        Output::Table | Output::Csv => writeln!(out, "-- deleted: {text}"),
        Output::Json => json::deleted(out, key),
    }
}
