//! What a commit writes: keys and values as bytes, to be sorted and handed to the disk in one batch.

use std::convert::Infallible;

use super::Family;
use crate::prefetch::prefetch;

/// How many writes ahead memory is asked for.
const AHEAD: usize = 8;

/// How many bytes of rows lie in one run of memory. What is much larger finds no place among what was freed,
/// and has memory touched that was not in use before.
const PIECE: usize = 256 << 10;
/// How long a row is at most, usually; a longer one may have its piece grow.
const USUAL: usize = 4 << 10;

/// Writes to one part of a family.
///
/// All keys begin with the part's three bytes. They are sorted before they are written: a
/// batch in key order costs an eighth of one in hash order.
#[derive(Debug)]
pub(crate) struct FamilyWrites {
    pub(super) family: Family,
    /// The bytes of the rows; no row lies in two pieces.
    pieces: Vec<Vec<u8>>,
    /// How many bytes there are.
    size: usize,
    entries: Vec<Write>,
    /// How many of them remove a key.
    removed: usize,
    /// Ranges of keys that are removed before anything is written: from, and up to but without.
    pub(super) cleared: Vec<(Vec<u8>, Vec<u8>)>,
}

#[derive(Debug, Clone, Copy)]
struct Write {
    /// Eight bytes of the key, from where the keys first differ; set when they are sorted.
    head: u64,
    piece: u32,
    start: u32,
    key_len: u32,
    /// [`REMOVED`] where the key is removed.
    value_len: u32,
}

/// Longer than any value.
const REMOVED: u32 = u32::MAX;

impl Write {
    fn value_len(&self) -> Option<usize> {
        (self.value_len != REMOVED).then_some(self.value_len as usize)
    }
}

impl FamilyWrites {
    pub(crate) fn new(family: Family) -> Self {
        FamilyWrites {
            family,
            pieces: Vec::new(),
            size: 0,
            entries: Vec::new(),
            removed: 0,
            cleared: Vec::new(),
        }
    }

    /// No writes yet, and memory for those of so many rows.
    pub(crate) fn with_capacity(family: Family, rows: usize) -> Self {
        FamilyWrites {
            entries: Vec::with_capacity(rows),
            ..FamilyWrites::new(family)
        }
    }

    /// Adds a write: `fill` appends the key, and then the value where it returns one.
    ///
    /// # Errors
    ///
    /// Those of `fill`; nothing is added then.
    pub(crate) fn push<E>(
        &mut self,
        key: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
        value: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>,
    ) -> Result<(), E> {
        let piece = self.room();
        let bytes = &mut self.pieces[piece];
        let start = bytes.len();
        let written = key(bytes).and_then(|()| {
            let key_len = bytes.len() - start;
            value(bytes).map(|present| (key_len, present))
        });
        let (key_len, present) = match written {
            Ok(written) => written,
            Err(e) => {
                bytes.truncate(start);
                return Err(e);
            }
        };
        let len = bytes.len() - start;
        assert!(bytes.len() < REMOVED as usize, "a row has less than 4 GiB");
        self.size += len;
        self.entries.push(Write {
            head: 0,
            piece: piece as u32,
            start: start as u32,
            key_len: key_len as u32,
            value_len: if present {
                (len - key_len) as u32
            } else {
                REMOVED
            },
        });
        self.removed += usize::from(!present);
        Ok(())
    }

    /// The piece that the next row goes to: the last one, while there is room in it for a row as rows usually are.
    #[inline]
    fn room(&mut self) -> usize {
        if self
            .pieces
            .last()
            .is_none_or(|last| last.len() > PIECE - USUAL)
        {
            // The first one grows with the rows, so that few of them take little.
            let capacity = if self.pieces.is_empty() { 0 } else { PIECE };
            self.pieces.push(Vec::with_capacity(capacity));
        }
        self.pieces.len() - 1
    }

    /// Adds the write of a key, given in pieces, and of its value; none removes the key.
    pub(crate) fn put(&mut self, key: &[&[u8]], value: Option<&[u8]>) {
        let written: Result<(), Infallible> = self.push(
            |out| {
                key.iter().for_each(|piece| out.extend_from_slice(piece));
                Ok(())
            },
            |out| {
                out.extend_from_slice(value.unwrap_or_default());
                Ok(value.is_some())
            },
        );
        match written {
            Ok(()) => {}
        }
    }

    /// Moves all writes of another set here. Both must be sets of the same part.
    pub(crate) fn append(&mut self, other: &mut FamilyWrites) {
        let base = self.pieces.len() as u32;
        self.pieces.append(&mut other.pieces);
        self.size += std::mem::take(&mut other.size);
        self.entries
            .extend(other.entries.drain(..).map(|mut write| {
                write.piece += base;
                write
            }));
        self.removed += std::mem::take(&mut other.removed);
        self.cleared.append(&mut other.cleared);
    }

    /// Removes the keys from `from` up to but without `to`, before anything is written.
    pub(crate) fn clear(&mut self, from: Vec<u8>, to: Vec<u8>) {
        self.cleared.push((from, to));
    }

    /// The family that is written to.
    pub(crate) fn family(&self) -> &Family {
        &self.family
    }

    /// True where whole ranges of keys are removed.
    pub(crate) fn clears(&self) -> bool {
        !self.cleared.is_empty()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.cleared.is_empty()
    }

    /// The number of keys written, or removed.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The number of keys that are removed.
    pub(crate) fn removed(&self) -> usize {
        self.removed
    }

    /// How many bytes the keys and values have.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Puts the keys in order; writes of one key stay in theirs.
    pub(crate) fn sort(&mut self) {
        let pieces = &self.pieces;
        let key = |write: &Write| {
            let start = write.start as usize;
            &pieces[write.piece as usize][start..start + write.key_len as usize]
        };
        let Some(first) = self.entries.first().map(key) else {
            return;
        };
        // Keys of one store begin alike: with the part, the type, the upper bytes of numbers. Eight
        // bytes behind that tell most of them apart, without a look at the keys themselves.
        let mut common = first.len();
        for write in &self.entries {
            common = common_len(&first[..common], key(write));
        }
        for write in &mut self.entries {
            let tail = &key(write)[common..];
            let mut head = [0; 8];
            let n = tail.len().min(8);
            head[..n].copy_from_slice(&tail[..n]);
            write.head = u64::from_be_bytes(head);
        }
        self.entries.sort_unstable_by_key(|write| write.head);
        // Few are alike in those eight bytes, and the others are sorted without a look at any key.
        for alike in self.entries.chunk_by_mut(|a, b| a.head == b.head) {
            if alike.len() > 1 {
                alike.sort_unstable_by(|a, b| {
                    let by_key = key(a)[common..].cmp(&key(b)[common..]);
                    by_key.then_with(|| (a.piece, a.start).cmp(&(b.piece, b.start)))
                });
            }
        }
    }

    /// The writes once they are sorted, of each key the last alone.
    #[cfg(feature = "rocksdb")]
    pub(crate) fn last_of_each(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let mut writes = self.iter().peekable();
        std::iter::from_fn(move || {
            loop {
                let (key, value) = writes.next()?;
                if writes.peek().is_none_or(|(next, _)| *next != key) {
                    return Some((key, value));
                }
            }
        })
    }

    /// The writes: a key, and its value or none where the key is removed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.entries.iter().enumerate().map(|(at, write)| {
            // In the order of keys, they lie all over the bytes.
            if let Some(later) = self.entries.get(at + AHEAD) {
                let len = later.key_len as usize + later.value_len().unwrap_or(0);
                let start = later.start as usize;
                prefetch(&self.pieces[later.piece as usize][start..start + len]);
            }
            let bytes = &self.pieces[write.piece as usize];
            let start = write.start as usize;
            let end = start + write.key_len as usize;
            let value = write.value_len().map(|len| &bytes[end..end + len]);
            (&bytes[start..end], value)
        })
    }
}

fn common_len(a: &[u8], b: &[u8]) -> usize {
    if b.starts_with(a) {
        return a.len();
    }
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_out_in_byte_order() {
        let mut writes = FamilyWrites::new(Family::new("t"));
        let keys: [&[u8]; 6] = [
            b"\0\0\0bb",
            b"\0\0\0b",
            b"\0\0\0aaaaaaaaZ",
            b"\0\0\0aaaaaaaaA",
            b"\0\0\0c",
            b"\0\0\0b\0",
        ];
        for key in keys {
            writes
                .push::<()>(
                    |out| {
                        out.extend_from_slice(key);
                        Ok(())
                    },
                    |out| {
                        out.push(1);
                        Ok(key.len() % 2 == 0)
                    },
                )
                .unwrap();
        }
        assert!(writes.push(|_| Err("no"), |_| Ok(true)).is_err());
        writes.sort();
        let mut sorted = keys.to_vec();
        sorted.sort();
        let got: Vec<_> = writes.iter().map(|(key, _)| key).collect();
        assert_eq!(got, sorted);
        assert_eq!(writes.len(), 6);
        let removed = keys.iter().filter(|key| key.len() % 2 == 1).count();
        assert_eq!(writes.removed(), removed);
        let mut all = FamilyWrites::new(Family::new("t"));
        all.put(&[b"d"], None);
        let size: usize = keys.iter().map(|key| key.len() + 1).sum();
        assert_eq!(writes.size(), size);
        assert!(
            writes
                .iter()
                .all(|(k, v)| v.is_some() == (k.len() % 2 == 0))
        );
        all.append(&mut writes);
        assert_eq!((all.len(), all.removed()), (7, removed + 1));
        assert_eq!((writes.len(), writes.removed(), writes.size()), (0, 0, 0));
    }

    #[test]
    fn rows_of_all_lengths_lie_in_pieces() {
        let lengths = [
            5,
            3 * PIECE,
            0,
            USUAL,
            USUAL - 1,
            USUAL + 1,
            PIECE - USUAL,
            PIECE,
        ];
        let value = |at: usize| vec![at as u8; lengths[at % lengths.len()]];
        let mut all = FamilyWrites::new(Family::new("t"));
        for part in 0..3_usize {
            let mut writes = FamilyWrites::new(Family::new("t"));
            for at in (part * 40..(part + 1) * 40).rev() {
                writes.put(&[&at.to_be_bytes()], Some(&value(at)));
            }
            all.append(&mut writes);
        }
        all.sort();
        let rows: Vec<_> = all.iter().collect();
        assert_eq!(rows.len(), 120);
        for (at, (key, found)) in rows.into_iter().enumerate() {
            assert_eq!((key, found), (&at.to_be_bytes()[..], Some(&value(at)[..])));
        }
        assert!(all.pieces.len() < 120, "rows share pieces");
    }

    #[test]
    fn writes_of_one_key_stay_in_order() {
        let mut writes = FamilyWrites::new(Family::new("t"));
        for at in 0..100_u8 {
            let key = [b'k', at % 7];
            writes.put(&[&key], (at % 3 != 0).then_some(&[at]));
        }
        writes.sort();
        let numbers = |key: u8| (0..100).filter(move |at| at % 7 == key);
        let mut expected = Vec::new();
        for key in 0..7 {
            expected.extend(numbers(key).map(|at| (key, (at % 3 != 0).then_some(at))));
        }
        let short = |(key, value): (&[u8], Option<&[u8]>)| (key[1], value.map(|value| value[0]));
        assert_eq!(writes.iter().map(short).collect::<Vec<_>>(), expected);
        #[cfg(feature = "rocksdb")]
        {
            let last = (93..100).map(|at| (at % 7, (at % 3 != 0).then_some(at)));
            let mut last: Vec<_> = last.collect();
            last.sort();
            assert_eq!(writes.last_of_each().map(short).collect::<Vec<_>>(), last);
        }
    }
}
