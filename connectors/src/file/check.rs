//! Comparing a file with what was read of it before.

use std::fs::File;
use std::io;

use rustix::buffer::spare_capacity;

use super::digest::Digest;
use super::mark::{Mark, Trace, WINDOW};

/// How much is read at once.
const SLICE: usize = 256 << 10;

/// How thoroughly to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Care {
    /// The start of the file and what stands right before the place.
    Windows,
    /// Every byte before the place.
    AllBytes,
}

/// What a comparison found.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The bytes are those that were read.
    Same(Trace),
    /// They are not, or not all are there.
    Other,
}

/// A comparison, done in steps where the file is large.
#[derive(Debug)]
pub(super) struct Check {
    places: Places,
    care: Care,
    /// Of the bytes that the check itself has read; none before the windows are compared.
    digest: Option<Digest>,
    /// The digest at the place.
    reached: Option<Digest>,
}

/// A place in a file, and marks before and behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) before: Mark,
    pub(super) offset: u64,
    pub(super) behind: Mark,
}

impl Places {
    /// A place that is marked itself.
    pub(super) fn at(mark: Mark) -> Self {
        Places {
            before: mark,
            offset: mark.offset(),
            behind: mark,
        }
    }
}

impl Check {
    pub(super) fn new(places: Places, care: Care) -> Self {
        Check {
            places,
            care,
            digest: None,
            reached: None,
        }
    }

    /// How thorough it is.
    pub(super) fn care(&self) -> Care {
        self.care
    }

    /// Compares about `budget` bytes more; none where that was not all.
    pub(super) fn advance(&mut self, file: &File, budget: usize) -> io::Result<Option<Verdict>> {
        let Places {
            before,
            offset,
            behind,
        } = self.places;
        let Some(mut digest) = self.digest else {
            if !has_windows(file, &before)? || (before != behind && !has_windows(file, &behind)?) {
                return Ok(Some(Verdict::Other));
            }
            self.digest = Some(match self.care {
                Care::Windows => before.digest,
                Care::AllBytes => Digest::new(),
            });
            return self.advance(file, budget);
        };
        let end = digest.len() + budget as u64;
        loop {
            let at = digest.len();
            if (at == before.offset() && digest != before.digest)
                || (at == behind.offset() && digest != behind.digest)
            {
                return Ok(Some(Verdict::Other));
            }
            if at == offset {
                self.reached = Some(digest);
            }
            if at >= behind.offset() || at >= end {
                break;
            }
            let goals = [before.offset(), offset, behind.offset()];
            let goal = goals.into_iter().find(|goal| *goal > at).unwrap_or(at);
            let len = (goal - at).min(SLICE as u64) as usize;
            let bytes = read_at(file, at, len)?;
            digest.update(&bytes);
            if bytes.len() < len {
                return Ok(Some(Verdict::Other));
            }
        }
        self.digest = Some(digest);
        match self.reached {
            Some(reached) if digest.len() >= behind.offset() => trace(file, reached).map(Some),
            _ => Ok(None),
        }
    }

    /// Compares all at once.
    pub(super) fn run(mut self, file: &File) -> io::Result<Verdict> {
        loop {
            if let Some(verdict) = self.advance(file, usize::MAX >> 1)? {
                return Ok(verdict);
            }
        }
    }
}

fn has_windows(file: &File, mark: &Mark) -> io::Result<bool> {
    let window = mark.offset().min(WINDOW as u64);
    let head = read_at(file, 0, window as usize)?;
    if Digest::of(&head) != mark.head {
        return Ok(false);
    }
    let tail = read_at(file, mark.offset() - window, window as usize)?;
    Ok(Digest::of(&tail) == mark.tail)
}

fn trace(file: &File, digest: Digest) -> io::Result<Verdict> {
    let window = digest.len().min(WINDOW as u64);
    let head = read_at(file, 0, window as usize)?;
    let tail = read_at(file, digest.len() - window, window as usize)?;
    if (tail.len() as u64) < window {
        return Ok(Verdict::Other);
    }
    Ok(Verdict::Same(Trace::at(digest, &head, tail)))
}

/// The bytes from `offset` on, up to `len` of them or the end of the file.
pub(super) fn read_at(file: &File, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(len);
    fill_at(file, offset, &mut bytes)?;
    Ok(bytes)
}

/// Fills the spare capacity of `bytes` with what stands in the file from `offset` on; true where the
/// file ended before that.
pub(super) fn fill_at(file: &File, offset: u64, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let start = bytes.len();
    while bytes.len() < bytes.capacity() {
        let at = offset + (bytes.len() - start) as u64;
        match rustix::io::pread(file, spare_capacity(bytes), at) {
            Ok(0) => return Ok(true),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    fn marked(bytes: &[u8]) -> Mark {
        let mut trace = Trace::new();
        trace.advance(bytes);
        trace.mark()
    }

    #[test]
    fn a_file_is_known_by_the_bytes_around_a_place() {
        let bytes: Vec<u8> = (0..600_000u32).map(|n| (n * 31 % 253) as u8).collect();
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        for place in [0, 1, 100, 4096, 5000, 262_144, 300_000] {
            for care in [Care::Windows, Care::AllBytes] {
                for (offset, behind) in [
                    (place, place),
                    (place + 1, place + 5),
                    (place, 600_000),
                    (600_000, 600_000),
                ] {
                    let places = Places {
                        before: marked(&bytes[..place]),
                        offset: offset as u64,
                        behind: marked(&bytes[..behind]),
                    };
                    let mut check = Check::new(places, care);
                    let verdict = loop {
                        if let Some(verdict) = check.advance(&file, 1000).unwrap() {
                            break verdict;
                        }
                    };
                    let Verdict::Same(trace) = verdict else {
                        panic!("another file at {place}, {care:?}");
                    };
                    assert_eq!(
                        trace.mark(),
                        marked(&bytes[..offset]),
                        "{place} {care:?} {offset}"
                    );
                }
            }
        }
        let places = Places {
            before: marked(&bytes[..300_000]),
            offset: 310_000,
            behind: marked(&bytes[..320_000]),
        };
        let other = |at: usize, care: Care| {
            file.write_all_at(&[bytes[at] ^ 1], at as u64).unwrap();
            let verdict = Check::new(places, care).run(&file).unwrap();
            file.write_all_at(&[bytes[at]], at as u64).unwrap();
            matches!(verdict, Verdict::Other)
        };
        for at in [0, 4095, 295_904, 300_000, 309_999, 310_000, 319_999] {
            assert!(other(at, Care::Windows), "{at}");
            assert!(other(at, Care::AllBytes), "{at}");
        }
        for at in [4096, 200_000, 295_903] {
            assert!(!other(at, Care::Windows), "{at}");
            assert!(other(at, Care::AllBytes), "{at}");
        }
        assert!(!other(320_000, Care::AllBytes));
        file.set_len(319_999).unwrap();
        for care in [Care::Windows, Care::AllBytes] {
            let verdict = Check::new(places, care).run(&file).unwrap();
            assert!(matches!(verdict, Verdict::Other));
        }
    }
}
