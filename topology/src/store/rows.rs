//! The rows of one bucket in memory, in the order of their sub-keys.

use std::collections::BTreeMap;

/// A row, and whether it is written.
pub(super) struct BucketRow<S, V> {
    pub(super) sub: S,
    pub(super) value: Option<V>,
    pub(super) state: u8,
}

/// Few rows lie side by side; many in a tree.
pub(super) enum Rows<S, V> {
    Few(Vec<(Box<[u8]>, BucketRow<S, V>)>),
    Many(BTreeMap<Box<[u8]>, BucketRow<S, V>>),
}

const FEW: usize = 32;

impl<S, V> Rows<S, V> {
    pub(super) fn new() -> Self {
        Rows::Few(Vec::new())
    }

    pub(super) fn get(&self, bytes: &[u8]) -> Option<&BucketRow<S, V>> {
        match self {
            Rows::Few(rows) => rows
                .binary_search_by(|(key, _)| (**key).cmp(bytes))
                .ok()
                .map(|at| &rows[at].1),
            Rows::Many(rows) => rows.get(bytes),
        }
    }

    pub(super) fn get_mut(&mut self, bytes: &[u8]) -> Option<&mut BucketRow<S, V>> {
        match self {
            Rows::Few(rows) => rows
                .binary_search_by(|(key, _)| (**key).cmp(bytes))
                .ok()
                .map(|at| &mut rows[at].1),
            Rows::Many(rows) => rows.get_mut(bytes),
        }
    }

    pub(super) fn insert(&mut self, bytes: Box<[u8]>, row: BucketRow<S, V>) {
        match self {
            Rows::Few(rows) => match rows.binary_search_by(|(key, _)| key.cmp(&bytes)) {
                Ok(at) => rows[at].1 = row,
                Err(at) if rows.len() < FEW => rows.insert(at, (bytes, row)),
                Err(_) => {
                    let mut many: BTreeMap<_, _> = std::mem::take(rows).into_iter().collect();
                    many.insert(bytes, row);
                    *self = Rows::Many(many);
                }
            },
            Rows::Many(rows) => {
                rows.insert(bytes, row);
            }
        }
    }

    pub(super) fn remove(&mut self, bytes: &[u8]) {
        match self {
            Rows::Few(rows) => {
                if let Ok(at) = rows.binary_search_by(|(key, _)| (**key).cmp(bytes)) {
                    rows.remove(at);
                }
            }
            Rows::Many(rows) => {
                rows.remove(bytes);
            }
        }
    }

    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = (&[u8], &BucketRow<S, V>)> + '_> {
        match self {
            Rows::Few(rows) => Box::new(rows.iter().map(|(key, row)| (&**key, row))),
            Rows::Many(rows) => Box::new(rows.iter().map(|(key, row)| (&**key, row))),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Rows::Few(rows) => rows.len(),
            Rows::Many(rows) => rows.len(),
        }
    }
}
