//! Sends the rows of a table to groups: an old row to its old group, a new row to its new one.
//!
//! Where both groups are the same one change carries both; otherwise the old row goes first.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::codec::Key;
use crate::error::Result;
use crate::processor::{Context, Processor};
use crate::record::{Change, Data, Record};
use crate::run::Run;

/// A step whose function gives the group of a row, and what the group is told of it; none leaves
/// the row out.
pub(crate) struct TableGroupBy<K, V, K2, V2, F> {
    group: Arc<F>,
    types: PhantomData<fn(K, V) -> (K2, V2)>,
}

impl<K, V, K2, V2, F> TableGroupBy<K, V, K2, V2, F> {
    pub(crate) fn new(group: Arc<F>) -> Self {
        TableGroupBy {
            group,
            types: PhantomData,
        }
    }
}

impl<K: Data, V: Data, K2: Key, V2: Data, F> Processor for TableGroupBy<K, V, K2, V2, F>
where
    F: Fn(&K, &V) -> Option<(K2, V2)> + Send + Sync,
{
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, Change<V>>> = run.take();
        let mut out = Vec::with_capacity(records.len());
        for record in records {
            let group = |row: &Option<V>| {
                let group = row.as_ref().and_then(|row| (self.group)(&record.key, row));
                group.filter(|(key, _)| !key.is_null())
            };
            match (group(&record.value.old), group(&record.value.new)) {
                (Some((key, old)), Some((same, new))) if key == same => {
                    let change = Change {
                        old: Some(old),
                        new: Some(new),
                    };
                    out.push(record.derive(key, change));
                }
                (old, new) => {
                    if let Some((key, old)) = old {
                        out.push(record.derive(key, Change::delete(old)));
                    }
                    if let Some((key, new)) = new {
                        out.push(record.derive(key, Change::insert(new)));
                    }
                }
            }
        }
        cx.forward(out);
        Ok(())
    }
}
