//! What a commit writes: keys and values as bytes, to be sorted and handed to the disk in one batch.

use std::convert::Infallible;

use super::Family;
use crate::prefetch::prefetch;

/// How many writes ahead memory is asked for.
const AHEAD: usize = 8;

/// Writes to one part of a family, in one run of memory.
///
/// All keys begin with the part's three bytes. They are sorted before they are written: a
/// batch in key order costs an eighth of one in hash order.
#[derive(Debug)]
pub(crate) struct FamilyWrites {
    pub(super) family: Family,
    bytes: Vec<u8>,
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
    start: u32,
    key_len: u32,
    /// None removes the key.
    value_len: Option<u32>,
}

/// After so many rows it is known how long rows are.
const SAMPLE: usize = 64;

impl FamilyWrites {
    pub(crate) fn new(family: Family) -> Self {
        FamilyWrites {
            family,
            bytes: Vec::new(),
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
        let start = self.bytes.len();
        let written = key(&mut self.bytes).and_then(|()| {
            let key_len = self.bytes.len() - start;
            value(&mut self.bytes).map(|present| (key_len, present))
        });
        let (key_len, present) = match written {
            Ok(written) => written,
            Err(e) => {
                self.bytes.truncate(start);
                return Err(e);
            }
        };
        let value_len = self.bytes.len() - start - key_len;
        assert!(
            self.bytes.len() <= u32::MAX as usize,
            "a commit holds less than 4 GiB a store"
        );
        self.entries.push(Write {
            head: 0,
            start: start as u32,
            key_len: key_len as u32,
            value_len: present.then_some(value_len as u32),
        });
        self.removed += usize::from(!present);
        if self.entries.len() == SAMPLE {
            self.reserve_bytes();
        }
        Ok(())
    }

    /// Takes memory for the rows that were announced, as long as those so far: bytes that grow step by
    /// step are there twice at each.
    #[cold]
    fn reserve_bytes(&mut self) {
        let more = self.entries.capacity() - self.entries.len();
        self.bytes.reserve(self.bytes.len() / SAMPLE * more);
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
        let base = u32::try_from(self.bytes.len()).expect("a commit holds less than 4 GiB a store");
        self.bytes.append(&mut other.bytes);
        assert!(
            self.bytes.len() <= u32::MAX as usize,
            "a commit holds less than 4 GiB a store"
        );
        self.entries
            .extend(other.entries.drain(..).map(|mut write| {
                write.start += base;
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
        self.bytes.len()
    }

    /// Puts the keys in order; writes of one key stay in theirs.
    pub(crate) fn sort(&mut self) {
        let bytes = &self.bytes;
        let key =
            |write: &Write| &bytes[write.start as usize..(write.start + write.key_len) as usize];
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
        self.entries.sort_unstable_by(|a, b| {
            a.head
                .cmp(&b.head)
                .then_with(|| key(a)[common..].cmp(&key(b)[common..]))
                .then_with(|| a.start.cmp(&b.start))
        });
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
                let len = (later.key_len + later.value_len.unwrap_or(0)) as usize;
                let start = later.start as usize;
                prefetch(&self.bytes[start..start + len]);
            }
            let start = write.start as usize;
            let end = start + write.key_len as usize;
            let value = write
                .value_len
                .map(|len| &self.bytes[end..end + len as usize]);
            (&self.bytes[start..end], value)
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
        assert_eq!((writes.len(), writes.removed()), (0, 0));
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
