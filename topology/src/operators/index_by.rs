//! Sends the rows of a table to the keys that they are to be found under.
//!
//! Where the key of a row changes, the row is taken from the former key first.

use std::marker::PhantomData;
use std::sync::Arc;

use super::index::Indexed;
use crate::codec::Key;
use crate::error::Result;
use crate::processor::{Context, Processor};
use crate::record::{Change, Data, Record};
use crate::run::Run;

/// A step whose function gives the key of a row; none leaves the row out.
pub(crate) struct IndexBy<K, V, J, F> {
    key: Arc<F>,
    types: PhantomData<fn(K, V) -> J>,
}

impl<K, V, J, F> IndexBy<K, V, J, F> {
    pub(crate) fn new(key: Arc<F>) -> Self {
        IndexBy {
            key,
            types: PhantomData,
        }
    }
}

impl<K: Key, V: Data, J: Key, F> Processor for IndexBy<K, V, J, F>
where
    F: Fn(&K, &V) -> Option<J> + Send + Sync,
{
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, Change<V>>> = run.take();
        let mut out: Vec<Record<J, Indexed<K, V>>> = Vec::with_capacity(records.len());
        for record in records {
            let Change { old, new } = record.value.clone();
            let of = |row: &Option<V>| row.as_ref().and_then(|row| (self.key)(&record.key, row));
            match (of(&old), of(&new)) {
                (Some(key), Some(same)) if key == same => {
                    out.push(record.derive(key, (record.key.clone(), Change { old, new })));
                }
                (before, after) => {
                    if let (Some(key), Some(old)) = (before, old) {
                        out.push(record.derive(key, (record.key.clone(), Change::delete(old))));
                    }
                    if let (Some(key), Some(new)) = (after, new) {
                        out.push(record.derive(key, (record.key.clone(), Change::insert(new))));
                    }
                }
            }
        }
        cx.forward(out);
        Ok(())
    }
}
