//! The row of a key while changes of it come from more than one task.
//!
//! When a row moves from one task to another, the one takes it back and the other adds it, and what
//! they say may arrive in either order. Each version of a row is added and taken back by one task, in
//! that order. So all versions that were added and not taken back are kept, and the row is the one
//! that was added last; once everything has arrived there is one version, or none.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::codec::{Codec, SharedCodec, bad_record};
use crate::error::Result;
use crate::record::{Change, Data};
use crate::stamped::Stamped;

/// The versions of a row; the last is the row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bag<V>(SmallVec<[Stamped<V>; 1]>);

impl<V: Data> Bag<V> {
    /// The row.
    pub(crate) fn row(&self) -> Option<&Stamped<V>> {
        self.0.last()
    }
}

/// Applies a change to the versions of a row, and says how the row changed.
///
/// `codec` tells versions apart by their bytes.
pub(crate) fn apply<V: Data>(
    held: &mut Option<Bag<V>>,
    change: Change<V>,
    timestamp: i64,
    codec: &SharedCodec<V>,
) -> Result<Change<Stamped<V>>> {
    let mut versions = held.take().map(|bag| bag.0).unwrap_or_default();
    let old = versions.last().cloned();
    if let Some(gone) = &change.old {
        remove(&mut versions, gone, codec)?;
    }
    if let Some(value) = change.new {
        versions.push(Stamped { value, timestamp });
    }
    let new = versions.last().cloned();
    *held = (!versions.is_empty()).then_some(Bag(versions));
    Ok(Change { old, new })
}

fn remove<V: Data>(
    versions: &mut SmallVec<[Stamped<V>; 1]>,
    gone: &V,
    codec: &SharedCodec<V>,
) -> Result<()> {
    if versions.len() <= 1 {
        versions.clear();
        return Ok(());
    }
    let bytes = |value: &V| {
        let mut bytes = Vec::new();
        codec.encode(value, &mut bytes).map(|()| bytes)
    };
    let gone = bytes(gone)?;
    for at in 0..versions.len() {
        if bytes(&versions[at].value)? == gone {
            versions.remove(at);
            return Ok(());
        }
    }
    Ok(())
}

struct BagCodec<V>(SharedCodec<V>);

/// The codec of bags: for each version the timestamp in eight bytes, the length in four, the value.
pub(crate) fn bag<V: Data>(value: SharedCodec<V>) -> SharedCodec<Bag<V>> {
    Arc::new(BagCodec(value))
}

impl<V: Data> Codec<Bag<V>> for BagCodec<V> {
    fn encode(&self, bag: &Bag<V>, out: &mut Vec<u8>) -> Result<()> {
        for row in &bag.0 {
            out.extend_from_slice(&row.timestamp.to_le_bytes());
            let at = out.len();
            out.extend_from_slice(&[0; 4]);
            self.0.encode(&row.value, out)?;
            let len = u32::try_from(out.len() - at - 4)
                .map_err(|_| bad_record("a row has 4 GiB or more"))?;
            out[at..at + 4].copy_from_slice(&len.to_le_bytes());
        }
        Ok(())
    }

    fn decode(&self, mut bytes: &[u8]) -> Result<Bag<V>> {
        let broken = || bad_record("the versions of a row are cut off");
        let mut versions = SmallVec::new();
        while !bytes.is_empty() {
            let (timestamp, rest) = bytes.split_first_chunk().ok_or_else(broken)?;
            let (len, rest) = rest.split_first_chunk().ok_or_else(broken)?;
            let len = u32::from_le_bytes(*len) as usize;
            let (value, rest) = rest.split_at_checked(len).ok_or_else(broken)?;
            versions.push(Stamped {
                timestamp: i64::from_le_bytes(*timestamp),
                value: self.0.decode(value)?,
            });
            bytes = rest;
        }
        Ok(Bag(versions))
    }

    fn keep(&self, bag: Bag<V>) -> Bag<V> {
        let keep = |row: Stamped<V>| Stamped {
            value: self.0.keep(row.value),
            timestamp: row.timestamp,
        };
        Bag(bag.0.into_iter().map(keep).collect())
    }

    fn heap_bytes(&self, bag: &Bag<V>) -> usize {
        let rows = bag.0.iter().map(|row| self.0.heap_bytes(&row.value));
        let spilled = if bag.0.spilled() {
            bag.0.capacity() * size_of::<Stamped<V>>() + 16
        } else {
            0
        };
        rows.sum::<usize>() + spilled
    }

    fn name(&self) -> String {
        format!("versions/1 {}", self.0.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::plain;

    fn step(held: &mut Option<Bag<u8>>, old: Option<u8>, new: Option<u8>) -> Change<u8> {
        let change = apply(held, Change { old, new }, 0, &plain()).unwrap();
        Change {
            old: change.old.map(|row| row.value),
            new: change.new.map(|row| row.value),
        }
    }

    #[test]
    fn the_order_in_which_tasks_are_heard_does_not_matter() {
        let mut held = None;
        step(&mut held, None, Some(1));
        let moved = step(&mut held, None, Some(2));
        assert_eq!((moved.old, moved.new), (Some(1), Some(2)));
        let late = step(&mut held, Some(1), None);
        assert_eq!((late.old, late.new), (Some(2), Some(2)));
        let codec = bag(plain::<u8>());
        let mut bytes = Vec::new();
        codec.encode(held.as_ref().unwrap(), &mut bytes).unwrap();
        assert_eq!(codec.decode(&bytes).unwrap(), held.clone().unwrap());
        assert!(codec.decode(&bytes[1..]).is_err());
        assert_eq!(step(&mut held, Some(2), None).new, None);
        assert!(held.is_none());
    }
}
