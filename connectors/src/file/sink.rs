//! A file as a sink.

use std::path::PathBuf;

use ferrisstreams_topology::Result;
use ferrisstreams_topology::connector::{Sink, SinkDescription, SinkStart, SinkWriter};

use super::writer::{FileWriter, LineForm};

/// A file that records are appended to, one a line; each arrives once, whatever happens in between.
///
/// Nobody else may write to the file. Where it is renamed or removed, a new one is begun.
#[derive(Clone, Debug)]
pub struct FileSink {
    path: PathBuf,
    form: LineForm,
}

impl FileSink {
    /// A sink that writes to an absolute path.
    pub fn new(path: impl Into<PathBuf>, form: LineForm) -> Self {
        FileSink {
            path: path.into(),
            form,
        }
    }
}

impl Sink for FileSink {
    fn describe(&self) -> SinkDescription {
        SinkDescription {
            connector: "file".to_owned(),
            location: format!("file://{}", self.path.display()),
            exactly_once: true,
        }
    }

    fn open(&self, start: SinkStart) -> Result<Box<dyn SinkWriter>> {
        let writer = FileWriter::open(self.path.clone(), self.form.clone(), start)?;
        Ok(Box::new(writer))
    }
}
