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
    /// What the place is called by whoever named it.
    name: Option<String>,
}

impl FileSink {
    /// A sink that writes to an absolute path.
    pub fn new(path: impl Into<PathBuf>, form: LineForm) -> Self {
        FileSink {
            path: path.into(),
            form,
            name: None,
        }
    }

    /// Has the place be known by a name: the sink stays the same where another directory, in which the
    /// file is, has the same name.
    pub fn named(self, name: impl Into<String>) -> Self {
        FileSink {
            name: Some(name.into()),
            ..self
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

    fn identity(&self) -> String {
        let name = self.name.clone();
        name.unwrap_or_else(|| self.describe().location)
    }

    fn open(&self, start: SinkStart) -> Result<Box<dyn SinkWriter>> {
        let writer = FileWriter::open(self.path.clone(), self.form.clone(), start)?;
        Ok(Box::new(writer))
    }
}
