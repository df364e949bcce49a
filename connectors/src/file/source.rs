//! Files as a source.

use std::sync::Arc;

use ferrisstreams_topology::Result;
use ferrisstreams_topology::connector::{Source, SourceDescription, SourceReader, SourceStart};

use super::content::splitting;
use super::options::FileOptions;
use super::pattern::Target;
use super::reader::FileReader;
use super::watch::Watch;

/// A file, or all files whose paths match, as a source: each file is a partition.
///
/// Files are followed: lines that are appended are read at once, and content that was replaced is
/// noticed. A file that goes away leaves behind what was read of it.
///
/// ```
/// use std::collections::BTreeMap;
/// use ferrisstreams_connectors::file::{FileOptions, FileSource, Target, Watch};
/// use ferrisstreams_topology::connector::{Poll, Source, SourceStart, Stats, Waker};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("words.txt");
/// std::fs::write(&path, "to be\nor not\n")?;
/// let source = FileSource::new(Target::of(&path), FileOptions::default(), &Watch::default());
/// let mut reader = source.open(SourceStart {
///     positions: BTreeMap::new(),
///     bounded: true,
///     waker: Waker::new(),
///     stats: Stats::new(),
/// })?;
/// let Poll::Records(batch) = reader.poll(100)? else { panic!("there are records") };
/// assert_eq!(batch.value(1), Some(&b"or not"[..]));
/// assert!(matches!(reader.poll(100)?, Poll::End));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FileSource {
    target: Target,
    options: Arc<FileOptions>,
    watch: Watch,
}

impl FileSource {
    /// A source of what `target` means, read as `options` say.
    pub fn new(target: Target, options: FileOptions, watch: &Watch) -> Self {
        FileSource {
            target,
            options: Arc::new(options),
            watch: watch.clone(),
        }
    }
}

impl Source for FileSource {
    fn describe(&self) -> SourceDescription {
        let path = self.target.to_string();
        SourceDescription {
            connector: "file".to_owned(),
            location: format!("file://{path}"),
            identity: format!("file:{path}:{}", splitting(&self.options)),
            rereadable: true,
        }
    }

    fn open(&self, start: SourceStart) -> Result<Box<dyn SourceReader>> {
        let reader = FileReader::open(&self.target, &self.options, &self.watch, start)?;
        Ok(Box::new(reader))
    }

    fn is_resumable(&self) -> bool {
        true
    }

    fn missing(&self) -> Option<String> {
        match &self.target {
            Target::File(path) if path.exists() => None,
            Target::File(path) => Some(format!("there is no file {}", path.display())),
            Target::Files(_) => {
                let found = self.target.list().unwrap_or_default();
                let none = found.files.is_empty();
                none.then(|| format!("no file matches {}", self.target))
            }
        }
    }
}
