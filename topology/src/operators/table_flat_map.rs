//! Makes of each row of a table several rows, under keys of their own.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::codec::Key;
use crate::error::Result;
use crate::processor::{Context, Processor};
use crate::record::{Change, Data, Record};
use crate::run::Run;

/// A step whose function appends the rows that a row becomes; no two rows may become rows of one key.
pub(crate) struct TableFlatMap<K, V, K2, V2, F> {
    map: Arc<F>,
    types: PhantomData<fn(K, V) -> (K2, V2)>,
}

impl<K, V, K2, V2, F> TableFlatMap<K, V, K2, V2, F> {
    pub(crate) fn new(map: Arc<F>) -> Self {
        TableFlatMap {
            map,
            types: PhantomData,
        }
    }
}

impl<K: Data, V: Data, K2: Key, V2: Data, F> TableFlatMap<K, V, K2, V2, F>
where
    F: Fn(&K, V, &mut Vec<(K2, V2)>) + Send + Sync,
{
    fn rows(&self, key: &K, value: Option<V>) -> Vec<(K2, V2)> {
        let mut rows = Vec::new();
        if let Some(value) = value {
            (self.map)(key, value, &mut rows);
        }
        rows
    }
}

impl<K: Data, V: Data, K2: Key, V2: Data, F> Processor for TableFlatMap<K, V, K2, V2, F>
where
    F: Fn(&K, V, &mut Vec<(K2, V2)>) + Send + Sync,
{
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, Change<V>>> = run.take();
        let mut out = Vec::with_capacity(records.len());
        for record in records {
            let cause = record.derive((), ());
            let Change { old, new } = record.value;
            let old = self.rows(&record.key, old);
            let new = self.rows(&record.key, new);
            for (key, change) in pair(old, new) {
                out.push(cause.derive(key, change));
            }
        }
        cx.forward(out);
        Ok(())
    }
}

/// The changes that lead from some rows to others: what goes or changes first, in the order of the
/// old rows, then what comes, in the order of the new.
fn pair<K: Key, V>(old: Vec<(K, V)>, new: Vec<(K, V)>) -> Vec<(K, Change<V>)> {
    if let ([_], [_]) = (&old[..], &new[..])
        && old[0].0 == new[0].0
    {
        let keys_and_old = old.into_iter().zip(new);
        return keys_and_old
            .map(|((key, old), (_, new))| {
                let change = Change {
                    old: Some(old),
                    new: Some(new),
                };
                (key, change)
            })
            .collect();
    }
    let mut changes: Vec<(K, Change<V>)> = Vec::with_capacity(old.len() + new.len());
    let mut places: HashMap<K, usize> = HashMap::with_capacity(old.len());
    for (key, value) in old {
        places.insert(key.clone(), changes.len());
        changes.push((key, Change::delete(value)));
    }
    for (key, value) in new {
        match places.get(&key) {
            Some(&at) => changes[at].1.new = Some(value),
            None => changes.push((key, Change::insert(value))),
        }
    }
    changes
}
