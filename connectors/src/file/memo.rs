//! What a sink has the state remember of the file that it writes.

use super::stamp::FileId;

/// The version of memos.
const FORMAT: u8 = 1;

/// How much of what stands before the end is hashed.
pub(super) const TAIL: usize = 4096;

/// How far a file was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memo {
    /// The number of records that were written since ever, to this file and those before it.
    pub(super) count: u64,
    /// The length of the file.
    pub(super) length: u64,
    /// Hash of the last [`TAIL`] bytes before that.
    pub(super) tail: u64,
    pub(super) id: FileId,
}

impl Memo {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        for word in [
            self.count,
            self.length,
            self.tail,
            self.id.device,
            self.id.inode,
        ] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out
    }

    /// Reads a memo; none where it is not one of this version.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&format, rest) = bytes.split_first()?;
        let (words, []) = rest.as_chunks::<8>() else {
            return None;
        };
        let words: [[u8; 8]; 5] = words.try_into().ok()?;
        let [count, length, tail, device, inode] = words.map(u64::from_le_bytes);
        (format == FORMAT).then_some(Memo {
            count,
            length,
            tail,
            id: FileId { device, inode },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memos_are_read_as_they_were_written() {
        let memo = Memo {
            count: 1,
            length: 2,
            tail: 3,
            id: FileId {
                device: 4,
                inode: u64::MAX,
            },
        };
        let bytes = memo.to_bytes();
        assert_eq!(Memo::from_bytes(&bytes), Some(memo));
        assert_eq!(Memo::from_bytes(&bytes[1..]), None);
        assert_eq!(Memo::from_bytes(&[&[9], &bytes[1..]].concat()), None);
        assert_eq!(Memo::from_bytes(&[]), None);
    }
}
