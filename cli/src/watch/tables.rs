//! The tables of a program as they are shown while it runs, and when it ends.

use std::io::Write;

use ferrisstreams::query::Snapshot;
use ferrisstreams::sql::{Program, ResultSet, first_rows};

use crate::args::Output;
use crate::failure::Failure;
use crate::render::{self, Limits, table};

/// How many rows of a table are shown while it changes.
const SHOWN_ROWS: usize = 10;

/// How many rows of each table are printed for people at the end of a run that was stopped.
const LAST_ROWS: usize = 20;

/// The first rows of each table that is computed, in so many lines of so many columns.
pub(super) fn picture(
    program: &Program,
    snapshot: impl FnOnce() -> Snapshot,
    (width, height): (usize, usize),
) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    let tables = program.tables.iter().filter(|table| !table.declared);
    let room = height / tables.clone().count().max(1);
    let rows = room.saturating_sub(5).min(SHOWN_ROWS);
    if rows == 0 {
        return Ok(lines);
    }
    let snapshot = snapshot();
    for kept in tables {
        let first = first_rows(&snapshot, kept, rows)?;
        let shown = ResultSet {
            columns: kept.columns.clone(),
            rows: first.rows,
        };
        lines.push(String::new());
        lines.push(kept.name.clone());
        let text = table(&shown, Limits::of(width, first.more));
        lines.extend(text.lines().map(str::to_owned));
    }
    Ok(lines)
}

/// Prints the tables that are computed as they are in the end.
pub(super) fn print(program: &Program, snapshot: &Snapshot, output: Output) -> Result<(), Failure> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for kept in program.tables.iter().filter(|table| !table.declared) {
        if output != Output::Table {
            render::stored(&mut out, snapshot, kept, output)?;
            continue;
        }
        let first = first_rows(snapshot, kept, LAST_ROWS)?;
        let rows = ResultSet {
            columns: kept.columns.clone(),
            rows: first.rows,
        };
        if first.more {
            writeln!(out, "{}", kept.name)?;
            out.write_all(table(&rows, Limits::of(usize::MAX, true)).as_bytes())?;
        } else {
            render::named(&mut out, &kept.name, &rows, output)?;
        }
    }
    out.flush()?;
    Ok(())
}
