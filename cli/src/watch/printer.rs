//! A sink that prints the rows of EMIT CHANGES.

use std::io::Write;

use ferrisstreams::connector::{Sink, SinkDescription, SinkRecord, SinkStart, SinkWriter};
use ferrisstreams::data::Row;
use ferrisstreams::sql::Changes;
use ferrisstreams::{Error, ErrorKind, Result};

use crate::args::Output;
use crate::render;

/// Prints rows to standard output as they come. What was printed cannot be taken back, so after a
/// crash some may come twice.
pub(crate) struct Printer {
    changes: Changes,
    output: Output,
}

impl Printer {
    pub(crate) fn new(changes: Changes, output: Output) -> Self {
        Printer { changes, output }
    }
}

impl Sink for Printer {
    fn describe(&self) -> SinkDescription {
        SinkDescription {
            connector: "terminal".to_owned(),
            location: "standard output".to_owned(),
            exactly_once: false,
        }
    }

    fn identity(&self) -> String {
        String::new()
    }

    fn open(&self, _: SinkStart) -> Result<Box<dyn SinkWriter>> {
        let printing = Printing {
            changes: self.changes.clone(),
            output: self.output,
            is_headed: false,
        };
        Ok(Box::new(printing))
    }
}

struct Printing {
    changes: Changes,
    output: Output,
    is_headed: bool,
}

impl Printing {
    fn print(&mut self, records: &[SinkRecord]) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        let lines = render::Lines::new(&self.changes.columns, self.output);
        if !self.is_headed {
            self.is_headed = true;
            lines.header(&mut out)?;
        }
        for record in records {
            match &record.value {
                Some(value) => lines.row(&mut out, &Row::from_bytes(value))?,
                None => {
                    let key = record.key.as_deref().unwrap_or_default();
                    render::deleted(&mut out, self.changes.deleted(key).as_ref(), self.output)?;
                }
            }
        }
        out.flush()
    }
}

impl SinkWriter for Printing {
    fn delivered(&mut self, recorded: u64) -> Result<u64> {
        Ok(recorded)
    }

    fn deliver(&mut self, _: u64, records: &[SinkRecord]) -> Result<Vec<u8>> {
        self.print(records).map_err(|e| {
            Error::new(ErrorKind::Failed, "cannot write to standard output").with_source(e)
        })?;
        Ok(Vec::new())
    }
}
