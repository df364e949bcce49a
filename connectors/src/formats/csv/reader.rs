//! The fields of lines, by the columns that want them.

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind};
use ferrisstreams_topology::{Error, Result};

use super::super::cell::{Cell, Form};
use super::super::column::undouble;
use super::super::fault::{bad_record, excerpt};
use super::super::format::Csv;
use super::split::{LineFault, split};

/// Finds the fields of lines.
pub(in super::super) struct CsvReader {
    csv: Csv,
    /// The number of fields that a line must have.
    count: usize,
    /// The field of each column that is wanted.
    places: Vec<usize>,
    fields: Vec<Cell>,
}

impl CsvReader {
    pub(in super::super) fn new(csv: &Csv, count: usize, places: Vec<usize>) -> Self {
        CsvReader {
            csv: csv.clone(),
            count,
            places,
            fields: Vec::with_capacity(count),
        }
    }

    /// Splits a line.
    #[inline]
    pub(in super::super) fn scan(&mut self, line: &[u8]) -> Result<()> {
        if let Err(fault) = split(line, self.csv.delimiter, &mut self.fields) {
            return Err(told(fault, line));
        }
        if self.fields.len() != self.count {
            return Err(self.miscounted(line));
        }
        Ok(())
    }

    /// The field of the wanted column `index`.
    #[inline]
    pub(in super::super) fn cell(&self, index: usize, line: &[u8]) -> Cell {
        let cell = self.fields[self.places[index]];
        match cell.form {
            Form::Text if cell.of(line) == self.csv.null.as_bytes() => Cell::NULL,
            // What was quoted is text like any other, but never NULL.
            Form::String => cell.with(Form::Text),
            _ => cell,
        }
    }

    #[cold]
    fn miscounted(&self, line: &[u8]) -> Error {
        let (found, expected) = (self.fields.len(), self.count);
        if line.is_empty() {
            return bad_record(format!(
                "the line is empty, where {expected} fields are expected"
            ));
        }
        bad_record(format!(
            "the line has {found} {} and not {expected}: `{}`",
            if found == 1 { "field" } else { "fields" },
            excerpt(line)
        ))
    }
}

#[cold]
fn told(fault: LineFault, line: &[u8]) -> Error {
    bad_record(match fault {
        LineFault::Open => format!("a quote is not closed: `{}`", excerpt(line)),
        LineFault::BehindQuote(at) => {
            format!("`{}` stands behind a closing quote", excerpt(&line[at..]))
        }
    })
}

/// The fields of a line as text, of a header for instance.
///
/// ```
/// use ferrisstreams_connectors::formats::{Csv, csv_fields};
///
/// assert_eq!(csv_fields(&Csv::default(), b"id,\"full name\"")?, ["id", "full name"]);
/// # Ok::<(), ferrisstreams_topology::connector::ConnectorError>(())
/// ```
///
/// # Errors
///
/// Where the line is not UTF-8, or a quote is not closed.
pub fn csv_fields(csv: &Csv, line: &[u8]) -> Result<Vec<String>, ConnectorError> {
    let unreadable = |e: Error| ConnectorError::new(ConnectorErrorKind::Unreadable, e.to_string());
    let mut cells = Vec::new();
    split(line, csv.delimiter, &mut cells).map_err(|fault| unreadable(told(fault, line)))?;
    let field = |cell: &Cell| {
        let mut text = Vec::new();
        if cell.form == Form::Doubled {
            undouble(cell.of(line), &mut text);
        } else {
            text.extend_from_slice(cell.of(line));
        }
        String::from_utf8(text).map_err(|_| {
            unreadable(bad_record(format!(
                "the line is not UTF-8: `{}`",
                excerpt(line)
            )))
        })
    };
    cells.iter().map(field).collect()
}
