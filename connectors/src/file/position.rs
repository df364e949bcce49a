//! Where reading a file stands, as it is stored.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::check::Places;
use super::mark::Mark;
use super::stamp::{FileId, Stamp};

/// The version of stored positions.
const FORMAT: u8 = 1;

/// Where reading goes on, and by what the file is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) path: PathBuf,
    /// How the file looked when it was last known to hold what was read.
    pub(super) stamp: Stamp,
    /// How many contents of the file were read before this one.
    pub(super) generation: u32,
    /// The number of bytes of earlier contents that count as lines before this one's.
    pub(super) base: i64,
    /// Where to go on in the file, and what stands around it.
    pub(super) places: Places,
}

impl Position {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        out.extend_from_slice(&self.generation.to_le_bytes());
        for word in [
            self.stamp.id.device,
            self.stamp.id.inode,
            self.stamp.size,
            self.places.offset,
        ] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.stamp.modified.to_le_bytes());
        out.extend_from_slice(&self.base.to_le_bytes());
        self.places.before.write(&mut out);
        self.places.behind.write(&mut out);
        out.extend_from_slice(self.path.as_os_str().as_bytes());
        out
    }

    /// Reads a stored position; none where it is not one of this version.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&format, rest) = bytes.split_first()?;
        if format != FORMAT {
            return None;
        }
        let (generation, mut rest) = rest.split_first_chunk()?;
        let mut word = || {
            let (word, behind) = rest.split_first_chunk()?;
            rest = behind;
            Some(u64::from_le_bytes(*word))
        };
        let (device, inode, size, offset) = (word()?, word()?, word()?, word()?);
        let (modified, base) = (word()? as i64, word()? as i64);
        let (before, rest) = rest.split_first_chunk()?;
        let (behind, path) = rest.split_first_chunk()?;
        let places = Places {
            before: Mark::read(before),
            offset,
            behind: Mark::read(behind),
        };
        let id = FileId { device, inode };
        let sound = places.before.offset() <= offset && offset <= places.behind.offset();
        sound.then(|| Position {
            path: PathBuf::from(OsStr::from_bytes(path)),
            stamp: Stamp { id, size, modified },
            generation: u32::from_le_bytes(*generation),
            base,
            places,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_they_were_written() {
        let position = Position {
            path: PathBuf::from("/data/ä b.csv"),
            stamp: Stamp {
                id: FileId {
                    device: 7,
                    inode: u64::MAX,
                },
                size: 100,
                modified: -5,
            },
            generation: 3,
            base: 1 << 40,
            places: Places::at(Mark::start()),
        };
        let bytes = position.to_bytes();
        assert_eq!(Position::from_bytes(&bytes), Some(position));
        for len in 0..bytes.len() - "/data/ä b.csv".len() {
            assert_eq!(Position::from_bytes(&bytes[..len]), None);
        }
        let newer = [&[FORMAT + 1], &bytes[1..]].concat();
        assert_eq!(Position::from_bytes(&newer), None);
    }
}
