//! Which file it is, and how it looked when it was last seen.

use std::fs::Metadata;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What tells a file from all others that exist at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl FileId {
    /// The file of this identity in `directory`, whatever its name is by now.
    pub(super) fn find_in(self, directory: &Path) -> Option<PathBuf> {
        for entry in std::fs::read_dir(directory).ok()?.flatten() {
            if entry.ino() != self.inode {
                continue;
            }
            let metadata = entry.metadata().ok()?;
            if metadata.dev() == self.device && metadata.is_file() {
                return Some(directory.join(entry.file_name()));
            }
        }
        None
    }
}

/// How a file looked at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) id: FileId,
    pub(super) size: u64,
    /// When it was last written, in nanoseconds since the epoch.
    pub(super) modified: i64,
}

impl Stamp {
    /// What the file system says of a file.
    pub(super) fn of(metadata: &Metadata) -> Self {
        let seconds = metadata.mtime().saturating_mul(1_000_000_000);
        Stamp {
            id: FileId {
                device: metadata.dev(),
                inode: metadata.ino(),
            },
            size: metadata.size(),
            modified: seconds.saturating_add(metadata.mtime_nsec()),
        }
    }

    /// How long ago the file was last written; none where its clock is ahead of ours.
    pub(super) fn age(&self, now: SystemTime) -> Option<Duration> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let modified = Duration::from_nanos(u64::try_from(self.modified).ok()?);
        now.checked_sub(modified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_file_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (dir.path().join("a"), dir.path().join("b"));
        std::fs::write(&old, "x").unwrap();
        let id = Stamp::of(&std::fs::metadata(&old).unwrap()).id;
        std::fs::rename(&old, &new).unwrap();
        assert_eq!(id.find_in(dir.path()), Some(new.clone()));
        std::fs::remove_file(&new).unwrap();
        assert_eq!(id.find_in(dir.path()), None);
    }
}
