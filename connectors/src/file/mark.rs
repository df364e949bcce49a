//! What is remembered of the bytes that were read, so that it shows when they change.

use super::digest::Digest;

/// How many bytes at the start of a file and before a position are compared in any case.
pub(super) const WINDOW: usize = 4096;

/// A place in a file, and what stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Of all bytes before the place, and so its offset.
    pub(super) digest: Digest,
    /// Hash of the first [`WINDOW`] bytes of the file, as far as they were read.
    pub(super) head: u64,
    /// Hash of the last [`WINDOW`] bytes before the place.
    pub(super) tail: u64,
}

impl Mark {
    pub(super) const SIZE: usize = Digest::SIZE + 16;

    pub(super) fn offset(&self) -> u64 {
        self.digest.len()
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.digest.write(out);
        out.extend_from_slice(&self.head.to_le_bytes());
        out.extend_from_slice(&self.tail.to_le_bytes());
    }

    pub(super) fn read(bytes: &[u8; Mark::SIZE]) -> Self {
        let digest = bytes.first_chunk().expect("a mark begins with a digest");
        let word = |at: usize| {
            let word = bytes[at..at + 8].try_into();
            u64::from_le_bytes(word.expect("eight bytes are eight bytes"))
        };
        Mark {
            digest: Digest::read(digest),
            head: word(Digest::SIZE),
            tail: word(Digest::SIZE + 8),
        }
    }
}

/// What was read of a file so far: as much as is needed to make a mark.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    digest: Digest,
    head: Digest,
    tail: Vec<u8>,
}

impl Trace {
    pub(super) fn new() -> Self {
        Trace {
            digest: Digest::new(),
            head: Digest::new(),
            tail: Vec::new(),
        }
    }

    /// What is known at `digest`, where the file begins with `head` and `tail` stands before.
    pub(super) fn at(digest: Digest, head: &[u8], tail: Vec<u8>) -> Self {
        let mut trace = Trace {
            digest,
            head: Digest::new(),
            tail,
        };
        trace.head.update(head);
        trace
    }

    /// The number of bytes that were read.
    pub(super) fn offset(&self) -> u64 {
        self.digest.len()
    }

    /// The last byte that was read.
    pub(super) fn last(&self) -> Option<u8> {
        self.tail.last().copied()
    }

    /// Takes in the bytes that come next.
    pub(super) fn advance(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        let missing = WINDOW as u64 - self.head.len();
        if missing > 0 {
            self.head
                .update(&bytes[..bytes.len().min(missing as usize)]);
        }
        let kept = WINDOW.saturating_sub(bytes.len()).min(self.tail.len());
        self.tail.drain(..self.tail.len() - kept);
        self.tail
            .extend_from_slice(&bytes[bytes.len().saturating_sub(WINDOW)..]);
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            digest: self.digest,
            head: self.head.value(),
            tail: Digest::of(&self.tail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_leave_the_same_trace_as_the_whole() {
        let bytes: Vec<u8> = (0..20_000u32).map(|n| (n * 31 % 253) as u8).collect();
        for step in [1, 7, 1000, 4096, 5000] {
            let mut trace = Trace::new();
            for (at, piece) in bytes.chunks(step).enumerate() {
                trace.advance(piece);
                let end = (at * step + step).min(bytes.len());
                if step > 1 || end % 509 == 0 {
                    let mark = trace.mark();
                    assert_eq!(mark.offset(), end as u64);
                    assert_eq!(mark.head, Digest::of(&bytes[..end.min(WINDOW)]));
                    assert_eq!(
                        mark.tail,
                        Digest::of(&bytes[end.saturating_sub(WINDOW)..end])
                    );
                    assert_eq!(mark.digest.value(), Digest::of(&bytes[..end]));
                    let mut stored = Vec::new();
                    mark.write(&mut stored);
                    assert_eq!(Mark::read(stored[..].try_into().unwrap()), mark);
                }
            }
            assert_eq!(trace.last(), bytes.last().copied());
        }
    }
}
