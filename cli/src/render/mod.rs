//! Results as text.

mod cell;
mod csv;
mod json;
mod lines;
mod stored;
mod table;

use std::io::{self, Write};

use ferrisstreams::sql::ResultSet;

use crate::args::Output;

pub(crate) use self::cell::cells;
pub(crate) use self::lines::Lines;
pub(crate) use self::stored::stored;
pub(crate) use self::table::{Limits, table};

/// Writes a result that has no name.
pub(crate) fn result(out: &mut dyn Write, result: &ResultSet, output: Output) -> io::Result<()> {
    if output == Output::Table {
        return out.write_all(table(result, Limits::none()).as_bytes());
    }
    let lines = Lines::new(&result.columns, output);
    lines.header(out)?;
    result.rows.iter().try_for_each(|row| lines.row(out, row))
}

/// Writes a table behind its name.
pub(crate) fn named(
    out: &mut dyn Write,
    name: &str,
    rows: &ResultSet,
    output: Output,
) -> io::Result<()> {
    write_name(out, name, output)?;
    result(out, rows, output)
}

/// Writes the name of what follows.
pub(crate) fn write_name(out: &mut dyn Write, name: &str, output: Output) -> io::Result<()> {
    match output {
        Output::Table => writeln!(out, "{name}"),
        Output::Csv => writeln!(out, "-- {name}"),
        Output::Json => json::name(out, name),
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
