//! The file behind a sink, as the writer sees it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use ferrisstreams_topology::{Error, ErrorKind, Result};

use super::check::read_at;
use super::stamp::{FileId, Stamp};

/// A file that is written.
pub(super) trait Output: Send {
    fn len(&self) -> io::Result<u64>;
    /// The bytes from `offset` on, up to `len` of them or the end.
    fn read_at(&self, offset: u64, len: usize) -> io::Result<Vec<u8>>;
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Drops everything behind `len`.
    fn cut(&self, len: u64) -> io::Result<()>;
    /// Comes back when what was written is safe.
    fn sync(&self) -> io::Result<()>;
}

/// Where a file is that is written.
pub(super) trait Place: Send {
    type Output: Output;

    /// Opens the file, for nobody else to write; it is made where there is none.
    fn open(&self) -> Result<(Self::Output, FileId)>;

    /// The file that is there now.
    fn id(&self) -> Option<FileId>;

    fn path(&self) -> &Path;
}

impl Output for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        read_at(self, offset, len)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn cut(&self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Place for PathBuf {
    type Output = File;

    fn open(&self) -> Result<(File, FileId)> {
        let directory = self.parent().unwrap_or(Path::new("/"));
        if !directory.is_dir() {
            let message = format!(
                "cannot write {}: there is no directory {}",
                self.display(),
                directory.display()
            );
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        let failed = |e: io::Error| {
            let message = format!("cannot write {}", self.display());
            Error::new(ErrorKind::Unavailable, message).with_source(e)
        };
        let is_new = !self.exists();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self);
        let file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = format!("cannot write {}: another sink writes to it", self.display());
                return Err(Error::new(ErrorKind::Invalid, message));
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        if is_new {
            File::open(directory)
                .and_then(|directory| directory.sync_all())
                .map_err(failed)?;
        }
        let id = Stamp::of(&file.metadata().map_err(failed)?).id;
        Ok((file, id))
    }

    fn id(&self) -> Option<FileId> {
        let metadata = std::fs::metadata(self).ok()?;
        Some(Stamp::of(&metadata).id)
    }

    fn path(&self) -> &Path {
        self
    }
}
