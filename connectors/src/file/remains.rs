//! What is found of a file that was written before.

use std::io;

use super::digest::Digest;
use super::memo::{Memo, TAIL};
use super::output::Output;

/// How much is searched at once for the end of a line.
const SLICE: u64 = 64 << 10;

/// How a file stands to what was written to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remains {
    /// It holds what was written, and so many bytes more.
    All(u64),
    /// There is nothing in it.
    Nothing,
    /// It holds something else, or only a part, of this length.
    Other(u64),
}

impl Remains {
    /// Compares a file with how it was left.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
    pub(super) fn find(output: &impl Output, left: &Memo) -> io::Result<Self> {
        let length = output.len()?;
        Ok(match length.checked_sub(left.length) {
            Some(more) if tail(output, left.length)? == left.tail => Remains::All(more),
            _ if length == 0 => Remains::Nothing,
            _ => Remains::Other(length),
        })
    }
}

/// The hash of what stands before a place.
pub(super) fn tail(output: &impl Output, length: u64) -> io::Result<u64> {
    let len = length.min(TAIL as u64);
    let bytes = output.read_at(length - len, len as usize)?;
    Ok(Digest::of(&bytes))
}

/// The place behind the last end of a line before `length`; the start where there is none.
pub(super) fn last_line_end(output: &impl Output, length: u64) -> io::Result<u64> {
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(SLICE);
        let bytes = output.read_at(start, (end - start) as usize)?;
        if let Some(at) = memchr::memrchr(b'\n', &bytes) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    #[test]
    fn what_is_left_of_a_file_is_told() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(b"one\ntwo\n", 0).unwrap();
        let left = Memo {
            length: 8,
            tail: Digest::of(b"one\ntwo\n"),
            ..Memo::default()
        };
        let found = || Remains::find(&file, &left).unwrap();
        assert_eq!(found(), Remains::All(0));
        file.write_all_at(b"thr", 8).unwrap();
        assert_eq!(found(), Remains::All(3));
        file.write_all_at(b"T", 4).unwrap();
        assert_eq!(found(), Remains::Other(11));
        file.set_len(7).unwrap();
        assert_eq!(found(), Remains::Other(7));
        file.set_len(0).unwrap();
        assert_eq!(found(), Remains::Nothing);
    }

    #[test]
    fn the_last_line_end_is_found_however_far_back_it_is() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(b"one\n", 0).unwrap();
        for more in [0, 1, SLICE - 5, SLICE - 4, SLICE, 3 * SLICE] {
            file.write_all_at(&vec![b'x'; more as usize], 4).unwrap();
            assert_eq!(last_line_end(&file, 4 + more).unwrap(), 4, "{more}");
        }
        assert_eq!(last_line_end(&file, 3).unwrap(), 0);
        assert_eq!(last_line_end(&file, 0).unwrap(), 0);
    }
}
