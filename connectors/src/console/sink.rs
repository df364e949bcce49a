//! Writing lines.

use std::io::Write;
use std::sync::{Arc, Mutex};

use ferrisstreams_topology::connector::{
    Sink, SinkDescription, SinkRecord, SinkStart, SinkWriter, Stats,
};
use ferrisstreams_topology::{Error, ErrorKind, Result};

use super::form::LineForm;
use crate::clock::now;

/// Where lines go, one whole line after the other.
pub(super) type Out = Arc<Mutex<dyn Write + Send>>;

/// Rows that are shown. What was shown cannot be taken back, so a row may be shown twice after a crash.
pub(super) struct ConsoleSink {
    pub(super) out: Out,
    pub(super) form: LineForm,
    pub(super) header: Option<Vec<u8>>,
    pub(super) location: String,
}

impl Sink for ConsoleSink {
    fn describe(&self) -> SinkDescription {
        SinkDescription {
            connector: "console".to_owned(),
            location: self.location.clone(),
            exactly_once: false,
        }
    }

    fn open(&self, start: SinkStart) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(ConsoleWriter {
            out: self.out.clone(),
            form: self.form,
            header: self.header.clone(),
            stats: start.stats,
        }))
    }
}

struct ConsoleWriter {
    out: Out,
    form: LineForm,
    /// What is still to be written above the first row.
    header: Option<Vec<u8>>,
    stats: Arc<Stats>,
}

impl SinkWriter for ConsoleWriter {
    fn delivered(&mut self, recorded: u64) -> Result<u64> {
        Ok(recorded)
    }

    fn deliver(&mut self, _first: u64, records: &[SinkRecord]) -> Result<Vec<u8>> {
        let mut lines = Vec::new();
        if let Some(header) = &self.header {
            lines.extend_from_slice(header);
            lines.push(b'\n');
        }
        for record in records {
            match &record.value {
                Some(value) => lines.extend_from_slice(value),
                None => self
                    .form
                    .deletion(record.key.as_deref().unwrap_or_default(), &mut lines),
            }
            lines.push(b'\n');
        }
        let mut out = self.out.lock().expect("no panic while locked");
        out.write_all(&lines)
            .and_then(|()| out.flush())
            .map_err(|e| {
                // Who reads has gone, which does not pass.
                Error::new(ErrorKind::Closed, "cannot write to the console").with_source(e)
            })?;
        self.header = None;
        self.stats.count(records.len(), lines.len(), now());
        Ok(Vec::new())
    }
}
